import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CompositeOptions,
  composite,
  compositeToFolder,
  type Grid,
  readScenes,
  writeCog,
} from '../../build/node.js';

const CRS = { epsg: 32631, definition: null, geoKeys: null };
const SIZE = 20;
const GRID: Grid = { crs: CRS, affine: [10, 0, 600000, 0, -10, 5700000], width: SIZE, height: SIZE };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-offset-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A raster whose rows repeat these values. */
async function raster(name: string, values: readonly number[], dtype: 'u16' | 'u8' = 'u16'): Promise<string> {
  const data = new (dtype === 'u8' ? Uint8Array : Uint16Array)(SIZE * SIZE).map((_, i) => values[i % values.length]!);
  await writeCog(path.join(folder, name), { grid: GRID, names: ['b'], data: [data], nodata: 0 }, { overwrite: true });
  return `./${name}`;
}

interface Given {
  values: readonly number[];
  properties?: object;
  asset?: object;
  classes?: readonly number[];
}

/** A collection of one band on the disk. */
async function collection(name: string, scenes: readonly Given[], band = 'B04'): Promise<string> {
  const features = [];
  for (const [i, { values, properties, asset, classes }] of scenes.entries()) {
    const assets: Record<string, object> = {
      [band]: { href: await raster(`${name}-${i}.tif`, values), type: 'image/tiff', roles: ['data'], ...asset },
    };
    if (classes)
      assets.SCL = { href: await raster(`${name}-${i}-scl.tif`, classes, 'u8'), type: 'image/tiff', roles: ['data'] };
    const datetime = `2022-01-${String(10 + i)}T10:00:00Z`;
    features.push({
      type: 'Feature',
      id: `${name}-${i}`,
      geometry: null,
      properties: { datetime, 'proj:epsg': 32631, ...properties },
      assets,
      links: [],
    });
  }
  const file = path.join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features }));
  return file;
}

const OPTIONS: CompositeOptions = { bands: ['B04'], statistics: 'median', masks: ['none'], threads: 0 };
const s2 = (baseline: string, more: object = {}) => ({ 's2:processing_baseline': baseline, ...more });

async function row(file: string, options: CompositeOptions = {}, key = 'median', n = 5) {
  const warnings: string[] = [];
  const { results } = await composite(await readScenes(file), {
    ...OPTIONS,
    onWarning: (text) => warnings.push(text),
    ...options,
  });
  return { values: Array.from(results[key]!.data[0]!.subarray(0, n)), nodata: results[key]!.nodata, warnings };
}

describe('baselines 02.14 and 04.00 of the same ground', () => {
  const OLD = [500, 1000, 2000, 0, 1];
  const NEW = [1500, 2000, 3000, 0, 900];
  let file = '';
  beforeAll(async () => {
    file = await collection('mixed', [
      { values: OLD, properties: s2('02.14') },
      { values: NEW, properties: s2('04.00') },
    ]);
  });

  it.each([0, 2])('give the reflectance of both, and missing stays missing (%i threads)', async (threads) => {
    expect(await row(file, { threads })).toEqual({ values: [500, 1000, 2000, 0, 1], nodata: 0, warnings: [] });
  });

  it.each(['nearest', 'bilinear', 'average'] as const)('with %s', async (resampling) => {
    expect((await row(file, { resampling }, 'median', 3)).values).toEqual([500, 1000, 2000]);
  });

  it('keep negative reflectance in floats only', async () => {
    const dark = await collection('dark', [{ values: [900, 1000, 1001, 0, 65535], properties: s2('04.00') }]);
    expect((await row(dark)).values).toEqual([1, 1, 1, 0, 64535]);
    expect((await row(dark, { dtype: 'float32' })).values).toEqual([-100, 0, 1, Number.NaN, 64535]);
  });

  it('are mixed as they are with none, as the original program does', async () => {
    const { values, warnings } = await row(file, { offset: 'none' });
    expect(values).toEqual([1000, 1500, 2500, 0, 450]);
    expect(warnings).toEqual([expect.stringMatching(/^scale-differs: B04/)]);
  });

  it('are told apart by the offset that items state', async () => {
    const asset = { 'raster:bands': [{ scale: 1e-4, offset: -0.1, nodata: 0 }] };
    const flagged = s2('05.10', { 'earthsearch:boa_offset_applied': true });
    const applied = await collection('flag', [{ values: OLD, properties: flagged, asset }]);
    expect(await row(applied)).toMatchObject({ values: OLD, warnings: [] });
    expect((await row(applied, { offset: 'apply' })).values).toEqual([1, 1, 1000, 0, 1]);
    const stated = await collection('stated', [{ values: NEW, properties: s2('05.10'), asset }]);
    expect((await row(stated)).values).toEqual([500, 1000, 2000, 0, 1]);
  });

  it('are warned about where pixels contradict the item', async () => {
    const flagged = s2('05.10', { 'earthsearch:boa_offset_applied': true });
    const bright = await collection('bright', [{ values: [1100, 1500, 2000], properties: flagged }]);
    const { values, warnings } = await row(bright, {}, 'median', 3);
    expect(values).toEqual([1100, 1500, 2000]);
    expect(warnings).toEqual([expect.stringMatching(/^offset-conflict: bright-0: /)]);
  });

  it('leave results that say what their numbers mean', async () => {
    const out = path.join(folder, 'out');
    await compositeToFolder(file, out, OPTIONS);
    const item = JSON.parse(await readFile(path.join(out, 'item.json'), 'utf8'));
    expect(item.assets.median.bands[0]).toMatchObject({ 'raster:scale': 1e-4, 'raster:offset': 0 });
    expect(item.properties['processing:expression'].expression.offset).toBe('auto');
    await expect(compositeToFolder(file, out, { ...OPTIONS, offset: 'maybe' as 'auto' })).rejects.toThrow(
      'offset is one of auto, apply, none',
    );
  });
});

describe('Landsat', () => {
  it('keeps its numbers, and the result says that 18 000 is 0.295', async () => {
    const asset = { 'raster:bands': [{ scale: 2.75e-5, offset: -0.2, nodata: 0 }] };
    const file = await collection('landsat', [{ values: [18000], asset }], 'SR_B4');
    const out = path.join(folder, 'landsat');
    await compositeToFolder(file, out, { ...OPTIONS, bands: ['SR_B4'] });
    const item = JSON.parse(await readFile(path.join(out, 'item.json'), 'utf8'));
    const { 'raster:scale': scale, 'raster:offset': offset, statistics } = item.assets.median.bands[0];
    expect(statistics.mean).toBe(18000);
    expect(statistics.mean * scale + offset).toBeCloseTo(0.295, 12);
  });
});

describe('masks and counts', () => {
  it('drop cloud and shadow: SCL 4, 9, 4, 3 over 300, 9000, 320, 100 leave a median of 310 of two', async () => {
    const classes = [4, 9, 4, 3];
    const values = [300, 9000, 320, 100];
    const file = await collection(
      'scl',
      values.map((v, i) => ({ values: [v, 400], classes: [classes[i]!, 9] })),
    );
    const options = { statistics: 'median,count', masks: ['SCL drop 0,1,3,8,9,10'] };
    expect((await row(file, options, 'median', 2)).values).toEqual([310, 0]);
    expect((await row(file, options, 'count', 2)).values).toEqual([2, 0]);
  });

  it('QA_PIXEL 22280 is cloud, 21824 clear land', async () => {
    const file = await collection('qa', [{ values: [5000] }, { values: [7000] }], 'SR_B4');
    const document = JSON.parse(await readFile(file, 'utf8'));
    for (const [i, qa] of [22280, 21824].entries())
      document.features[i].assets.QA_PIXEL = {
        href: await raster(`qa-${i}-qa.tif`, [qa]),
        type: 'image/tiff',
        roles: ['data'],
      };
    await writeFile(file, JSON.stringify(document));
    const options = { bands: ['SR_B4'], statistics: 'median,count', masks: ['QA_PIXEL anybit 3,4'] };
    expect((await row(file, options, 'median', 1)).values).toEqual([7000]);
    expect((await row(file, options, 'count', 1)).values).toEqual([1]);
  });
});
