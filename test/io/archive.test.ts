import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInterval } from '../../build/geo/time.js';
import { type ArchiveName, searchArchive } from '../../build/io/archive.js';
import { monthsOf } from '../../build/io/archive-listing.js';
import { parsePathRow } from '../../build/io/landsat-archive.js';
import { sceneOfItem } from '../../build/io/stac-item.js';
import { storeFor } from '../../build/io/stores.js';
import { cogKeys, counted, memoryBucket, mockProducts, tileKeys } from '../fixture/archive-bucket.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';

const RANGE = '2020-05-09/2020-12-26';
const interval = parseInterval(RANGE);
const products = mockProducts();
/** Acquisitions of the tile in the range, by their times; the reprocessed one once, both strips. */
const wanted = products
  .filter(({ tile, time }) => tile === '18TTK' && time >= '2020-05-09' && time < '2020-12-27')
  .filter((p, _, all) => !all.some((q) => q.time === p.time && q.baseline > p.baseline))
  .map(({ time }) => time)
  .sort();
const days = new Set(wanted.map((time) => time.slice(0, 10))).size;

function find(name: ArchiveName, store: ReturnType<typeof counted>['store'], query: object = {}) {
  return searchArchive(name, { tile: '18TTK', interval, store, ...query });
}

describe('sentinel-s2-l1c, an archive without an index', () => {
  const bucket = counted(memoryBucket('sentinel-s2-l1c', products.flatMap(tileKeys)));

  it('gives exactly the acquisitions in the range, with few requests', async () => {
    const { items, requests, notes } = await find('sentinel-s2-l1c', bucket.store);
    expect(items.map((item) => (item.properties as { datetime: string }).datetime).sort()).toEqual(wanted);
    expect(wanted.length).toBe(days + 1);
    expect(bucket.lists.length).toBeLessThanOrEqual(8 + days);
    expect(bucket.reads.every((url) => url.endsWith('/tileInfo.json'))).toBe(true);
    expect(requests).toBe(bucket.lists.length + bucket.reads.length);
    expect(notes).toEqual([expect.stringContaining('1 older processings are left out: S2A_18TTK_202006')]);
  });

  it('never gives a preview, and names files without listing them', async () => {
    const { items } = await find('sentinel-s2-l1c', bucket.store);
    expect(JSON.stringify(items)).not.toContain('preview');
    const scene = sceneOfItem(items[0], null);
    expect(Object.keys(scene.bands)).toEqual('B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12'.split(' '));
    expect(scene.bands.B04).toMatchObject({
      href: expect.stringMatching(/^s3:\/\/sentinel-s2-l1c\/tiles\/18\/T\/TK\/2020\/5\/1\d\/0\/B04\.jp2$/),
      commonName: 'red',
      nodata: 0,
      scale: 1e-4,
      grid: { crs: { epsg: 32618 }, affine: [10, 0, 399960, 0, -10, 5500020], width: 10980, height: 10980 },
    });
    expect(scene.bands.B11!.grid).toMatchObject({ affine: [20, 0, 399960, 0, -20, 5500020], width: 5490 });
    expect(scene.bands.B01!.grid!.width).toBe(1830);
    expect(scene).toMatchObject({
      cloudCoverPercent: 12.5,
      platform: 'sentinel-2a',
      radiometry: { baseline: '02.08' },
    });
    expect(scene.bbox![0]).toBeCloseTo(-76.385, 1);
  });

  it('keeps the newest baseline of an acquisition, and both strips of a pass', async () => {
    const { items } = await find('sentinel-s2-l1c', bucket.store);
    const ids = items.map(({ id }) => String(id));
    const again = products.find(({ baseline }) => baseline === '05.00')!;
    const day = again.time.slice(0, 10).replaceAll('-', '');
    expect(ids.filter((id) => id.includes(day))).toEqual([`S2A_18TTK_${day}_1_L1C`]);
    const twice = ids.map((id) => id.slice(0, -6)).filter((id, i, all) => all.indexOf(id) !== i);
    expect(twice.length).toBe(1);
  });

  it('looks at the time of acquisition to the second', async () => {
    const time = wanted[3]!;
    const until = (ms: number) =>
      find('sentinel-s2-l1c', bucket.store, { interval: parseInterval(`2020-05-09/${new Date(ms).toISOString()}`) });
    expect((await until(Date.parse(time))).items.length).toBe(4);
    expect((await until(Date.parse(time) - 1000)).items.length).toBe(3);
  });

  it('spells the zone without its zero', async () => {
    const store = counted(memoryBucket('sentinel-s2-l1c', products.flatMap(tileKeys)));
    const { items } = await find('sentinel-s2-l1c', store.store, { tile: '01CCA' });
    expect(items.length).toBe(23);
    expect(store.lists[0]).toBe('s3://sentinel-s2-l1c/tiles/1/C/CA/2020/5/');
  });

  it.each(['10IDV', '61UDV'])('refuses %s before any request', async (tile) => {
    const store = counted(memoryBucket('sentinel-s2-l1c', []));
    await expect(find('sentinel-s2-l1c', store.store, { tile })).rejects.toThrow(`"${tile}" is no tile id`);
    expect(store.lists).toEqual([]);
  });

  it('works for L2A, whose bands lie in a folder a resolution', async () => {
    const { items } = await find('sentinel-s2-l2a', memoryBucket('mirror', products.flatMap(tileKeys)), {
      bucket: 'mirror',
    });
    const { bands } = sceneOfItem(items[0], null);
    expect(Object.keys(bands)).toHaveLength(15);
    expect(bands.B04!.href).toMatch(/^s3:\/\/mirror\/.*\/R10m\/B04\.jp2$/);
    expect(bands.SCL!.href).toMatch(/\/R20m\/SCL\.jp2$/);
    expect(bands.B09!.href).toMatch(/\/R60m\/B09\.jp2$/);
    expect(bands.SCL!.scale).toBeNull();
  });
});

describe('sentinel-cogs', () => {
  const bucket = counted(memoryBucket('sentinel-cogs', products.flatMap(cogKeys)));

  it('takes one list a month, since folders carry their dates', async () => {
    const { items } = await find('sentinel-cogs', bucket.store);
    expect(items.map((item) => (item.properties as { datetime: string }).datetime).sort()).toEqual(wanted);
    expect(bucket.lists.length).toBe(8);
  });

  it('gives the published item, its files by their place in the bucket', async () => {
    const { items } = await find('sentinel-cogs', bucket.store);
    const assets = items[0]!.assets as Record<string, { href: string }>;
    expect(assets.red!.href).toMatch(
      /^s3:\/\/sentinel-cogs\/sentinel-s2-l2a-cogs\/18\/T\/TK\/2020\/5\/S2A_18TTK_2020051\d_0_L2A\/B04\.tif$/,
    );
    expect(assets['red-jp2']!.href).toBe('s3://sentinel-s2-l2a/tiles/x/B04.jp2');
  });

  it('makes do with names where an item is missing', async () => {
    const keys = products.flatMap(cogKeys).filter(([key]) => !key.endsWith('.json'));
    const { items } = await find('sentinel-cogs', memoryBucket('sentinel-cogs', keys));
    // Without times and baselines nobody knows which is newer: names of one day by their number.
    expect(items.length).toBe(days);
    expect(sceneOfItem(items[0], null).bands.SCL!.href).toMatch(/\/SCL\.tif$/);
  });
});

describe('usgs-landsat', () => {
  const scene = (id: string) => {
    const folder = `collection02/level-2/standard/oli-tirs/2020/001/062/${id}/`;
    const asset = {
      href: `https://landsatlook.usgs.gov/data/${folder}${id}_SR_B4.TIF`,
      'eo:bands': [{ name: 'SR_B4', common_name: 'red' }],
    };
    const item = {
      type: 'Feature',
      id: `${id}_SR`,
      properties: { datetime: '2020-10-31T14:31:47Z' },
      assets: { red: asset },
      links: [],
    };
    return [
      [`${folder}${id}_SR_B4.TIF`, new Uint8Array(1)],
      [`${folder}${id}_SR_stac.json`, new TextEncoder().encode(JSON.stringify(item))],
    ] as [string, Uint8Array][];
  };
  const ids = [
    'LC08_L2SP_001062_20201031_20201106_02_T2',
    'LC08_L2SP_001062_20201031_20210101_02_T2',
    'LC08_L2SP_001062_20201015_20201106_02_T1',
  ];
  const bucket = counted(memoryBucket('usgs-landsat', ids.flatMap(scene)));

  it('is listed by sensor and year, and gives the latest processing', async () => {
    const query = { pathRow: '1/62', interval: parseInterval('2020-10-20/2020-11-05'), store: bucket.store };
    const { items } = await searchArchive('usgs-landsat', query);
    expect(items.map(({ id }) => id)).toEqual([ids[1]]);
    expect(bucket.lists).toEqual(
      ['etm', 'oli-tirs'].map((s) => `s3://usgs-landsat/collection02/level-2/standard/${s}/2020/001/062/`),
    );
    const { bands } = sceneOfItem(items[0], null);
    expect(bands.red!.href).toBe(
      `s3://usgs-landsat/collection02/level-2/standard/oli-tirs/2020/001/062/${ids[1]}/${ids[1]}_SR_B4.TIF`,
    );
  });

  it('takes path and row of WRS-2 only', async () => {
    expect(parsePathRow('1/62')).toEqual({ path: '001', row: '062' });
    for (const text of ['0/1', '234/1', '1/249', '001062', 'a/b'])
      expect(() => parsePathRow(text)).toThrow('is no path and row');
    await expect(searchArchive('usgs-landsat', { interval, tile: '10UDV' })).rejects.toThrow('--path-row like 001/062');
  });
});

describe('archives on a real S3 server', () => {
  let server: S3Server;
  let undo: () => void;
  beforeAll(async () => {
    server = await startS3('sentinel-s2-l1c', 'sentinel-cogs');
    undo = useS3(server);
    const some = products.filter(({ tile, time }) => tile !== '1CCA' && time >= '2020-05' && time < '2020-08');
    for (const [key, bytes] of some.flatMap(tileKeys))
      await storeFor('s3://x/y').write(`s3://sentinel-s2-l1c/${key}`, bytes);
  });
  afterAll(async () => {
    undo();
    await server.stop();
  });

  it('are found alike', async () => {
    const query = { tile: '18TTK', interval: parseInterval('2020-05-09/2020-07-31') };
    const { items } = await searchArchive('sentinel-s2-l1c', query);
    const there = wanted.filter((time) => time < '2020-08');
    expect(items.map((item) => (item.properties as { datetime: string }).datetime).sort()).toEqual(there);
  });

  it('are empty where nothing is, and missing where there is no bucket', async () => {
    const query = { tile: '32TQM', interval: parseInterval('2020-05-09/2020-05-31') };
    expect((await searchArchive('sentinel-cogs', query)).items).toEqual([]);
    await expect(searchArchive('sentinel-cogs', { ...query, bucket: 'elsewhere' })).rejects.toThrow(
      'there is no bucket elsewhere',
    );
  });
});

describe('months', () => {
  it('go over the year', () => {
    const span = (a: string, b: string) => monthsOf({ startMs: Date.parse(a), endMs: Date.parse(b) });
    expect(span('2019-12-31', '2020-02-01')).toEqual([
      [2019, 12],
      [2020, 1],
      [2020, 2],
    ]);
    expect(span('2020-02-01', '2020-02-01')).toEqual([[2020, 2]]);
    expect(() => span('1800-01-01', '2020-01-01')).toThrow('the limit is 1200');
  });
});
