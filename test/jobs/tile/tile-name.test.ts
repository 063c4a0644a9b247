import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTaskSet } from '../../../build/jobs/task/task-set.js';
import { productOf } from '../../../build/jobs/tile/product.js';
import { formatRegion, outputLocation, sourceUuids, tileNames, tileUuid } from '../../../build/jobs/tile/tile-name.js';
import { PUBLISHED_PRODUCT, tileScene, tileTask } from '../../fixture/tile-result.js';

const CACHE = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-dscache-db/test_tiles.db');
const DEFAULTS = { name: 'gm_s2_annual', shortName: 'gm_s2_annual', version: '0.0.0', family: 'geomedian' };

describe('a region code', () => {
  // The first is a test of odc-stats; all are what Python's str.format gives.
  it.each([
    ['x{x:02d}y{y:02d}', 1, 22, 'x01y22'],
    ['x{x:03d}y{y:03d}', 5, 206, 'x005y206'],
    ['x{x}y{y}', 5, -6, 'x5y-6'],
    ['x{x:d}_y{y:02}', 5, -6, 'x5_y-6'],
    ['x{x:03d}y{y:03d}', -6, 1234, 'x-06y1234'],
    ['{x:+04d}{y:+04d}', 7, -7, '+007-007'],
    ['{y}-{x}', 30, 14, '14-30'],
  ])('%s of %d, %d is %s', (format, x, y, code) => {
    expect(formatRegion(format, { x, y })).toBe(code);
  });

  it.each([
    ['no y', 'x{x:02d}'],
    ['another name', 'x{x:02d}y{y:02d}z{z}'],
    ['a type that is no whole number', 'x{x:02f}y{y}'],
    ['blanks as padding', 'x{x:3d}y{y}'],
    ['a conversion', 'x{x!r}y{y}'],
    ['a brace of its own', '{{x{x}y{y}'],
    ['a folder', '../x{x}/y{y}'],
    ['two tiles with one code (1, 11 and 11, 1)', '{x}{y}'],
    ['nothing', ''],
  ])('refuses %s', (_, format) => {
    expect(() => formatRegion(format, { x: 1, y: 1 })).toThrow(/format of x and y .* like x\{x:02d\}y\{y:02d\}/);
  });
});

describe('names of outputs', () => {
  it('are those of a published geomedian', () => {
    const names = tileNames(tileTask(), PUBLISHED_PRODUCT);
    expect(names).toMatchObject({
      regionCode: 'x30y14',
      folder: 'x30/y14/1999--P1Y',
      title: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final',
      item: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.stac-item.json',
      sha1: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.sha1',
      dataset: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.odc-metadata.yaml',
      record: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.proc-info.yaml',
      rgba: 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final_rgba.tif',
    });
    expect(names.band('bcdev')).toBe('ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final_bcdev.tif');
    expect(names.thumbnail('jpg')).toBe('ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final_thumbnail.jpg');
    expect(() => names.band('../red')).toThrow(/a band of outputs is a word/);
  });

  it('have neither version nor maturity of their own, and two digits of x and y unless the product says otherwise', () => {
    const product = productOf({ short_name: 'gm' }, DEFAULTS);
    expect(tileNames(tileTask({ x: 5, y: 6 }), product).title).toBe('gm_x05y06_1999--P1Y');
    const africa = productOf({ short_name: 'gm', region_code_format: 'x{x:03d}y{y:03d}' }, DEFAULTS);
    expect(tileNames(tileTask({ x: 5, y: -6 }), africa)).toMatchObject({
      regionCode: 'x005y-06',
      folder: 'x005/y-06/1999--P1Y',
    });
  });

  it('have the label of a period, not its key', () => {
    const { folder, title } = tileNames(tileTask({ period: '2014-07-01--P1Y' }), PUBLISHED_PRODUCT);
    expect([folder, title.slice(-22)]).toEqual(['x30/y14/2014-07-01--P1Y', '_2014-07-01--P1Y_final']);
  });
});

describe('the place of a product', () => {
  const product = productOf({ name: 'custom-name', short_name: 'cn', version: '1.2.3' }, DEFAULTS);

  it('is filled in as odc-stats does', () => {
    const place = (template: string) => outputLocation(template, product);
    expect(place('file:///tmp/{product}/v{version_raw}')).toBe('file:///tmp/custom-name/v1.2.3');
    expect(place('s3://b/{name}/{version}/')).toBe('s3://b/custom-name/1-2-3');
    expect(place('s3://b/{short_name}/{version_dashed}')).toBe('s3://b/cn/1-2-3');
    expect(place('out')).toBe('out');
    expect(place('/')).toBe('/');
  });

  it('names the placeholders that there are for others', () => {
    const known = /\{product\}, \{name\}, \{short_name\}, \{version\}, \{version_dashed\}, \{version_raw\}/;
    expect(() => outputLocation('s3://b/{year}', product)).toThrow(known);
    expect(() => outputLocation('s3://b/{}', product)).toThrow(known);
    expect(() => outputLocation('s3://b/{product', product)).toThrow(/brace/);
    expect(() => outputLocation('s3://b/{constructor}', product)).toThrow(known);
  });
});

describe('the UUID of a tile', () => {
  it.skipIf(!existsSync(CACHE))(
    'is that of odc-stats for a task of its own tests (skipped without the cache)',
    async () => {
      const set = await openTaskSet(CACHE);
      const task = await set.task({ period: '2019--P1Y', x: 5, y: 6 });
      expect(tileUuid(productOf(undefined, DEFAULTS), task)).toBe('ed7c8125-3df1-5907-bfe7-d108e03c49c5');
    },
  );

  it('depends on product, version, tile, period and inputs, and not on their order or what is made of them', () => {
    const scenes = [tileScene('a'), tileScene('b')];
    const id = (given: Parameters<typeof tileTask>[0] = {}, version = '3.0.0') =>
      tileUuid({ ...PUBLISHED_PRODUCT, version }, tileTask({ scenes, ...given }));
    expect(id({ scenes: [scenes[1]!, scenes[0]!] })).toBe(id());
    const ids = [id(), id({}, '3.0.1'), id({ x: 31 }), id({ period: '2000--P1Y' }), id({ scenes: [scenes[0]!] })];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is made of the parts of fused scenes', () => {
    const fused = tileScene('f', {}, { product: 'fused__a__b', parts: ['p', 'q'] });
    const other = tileScene('g', {}, { product: 'fused__a__b', parts: ['q', 'r'] });
    expect(sourceUuids([fused, other])).toEqual(['p', 'q', 'r']);
    expect(sourceUuids([tileScene('a'), fused])).toEqual([tileScene('a').uuid, 'p', 'q']);
  });
});
