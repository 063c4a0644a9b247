import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaster } from '../../../build/io/open-raster.js';
import {
  type ChipOptions,
  chipsToFiles,
  composite,
  extractChips,
  type Grid,
  readScenes,
  writeCog,
} from '../../../build/node.js';
import { HEIGHT, JP2, jp2Bytes, WIDTH } from '../../fixture/jp2.js';

const CRS = { epsg: 32631, definition: null, geoKeys: null };
const gridOf = (width: number, height: number): Grid => ({
  crs: CRS,
  affine: [10, 0, 600000, 0, -10, 5700000],
  width,
  height,
});
/** The middle of the pixel in column 2, row 2. */
const POINT: [number, number] = [600025, 5699975];

let folder = '';
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chip-offset-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Given {
  values: readonly number[];
  datetime?: string;
  properties?: object;
  asset?: object;
  nodata?: null;
}

/** Scenes of 5 × 5 px whose rows are these values. */
async function collection(name: string, scenes: readonly Given[]): Promise<string> {
  const features = [];
  for (const [i, given] of scenes.entries()) {
    const { values, properties, asset, datetime = `2022-01-1${i}T10:00:00Z`, nodata = 0 } = given;
    const file = `${name}-${i}.tif`;
    const data = [Uint16Array.from({ length: 25 }, (_, px) => values[px % 5]!)];
    await writeCog(at(file), { grid: gridOf(5, 5), names: ['b'], data, nodata });
    features.push({
      type: 'Feature',
      id: `${name}-${i}`,
      geometry: null,
      properties: { datetime, 'proj:epsg': 32631, ...properties },
      assets: { B04: { href: `./${file}`, type: 'image/tiff', roles: ['data'], ...asset } },
      links: [],
    });
  }
  await writeFile(at(`${name}.json`), JSON.stringify({ type: 'FeatureCollection', features }));
  return at(`${name}.json`);
}

const s2 = (baseline: string) => ({ 's2:processing_baseline': baseline });
const OLD = [500, 1000, 2000, 0, 1];
const NEW = [1500, 2000, 3000, 0, 900];
const OPTIONS = { size: 2, bands: ['B04'], pointsCrs: 'EPSG:32631', threads: 0 };

/** The first row of each date, null where masked; and what was warned of. */
async function rows(file: string, options: Partial<ChipOptions> = {}) {
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const chips = await extractChips(file, [POINT], { ...OPTIONS, onWarning, ...options });
  const row = (t: number) =>
    Array.from({ length: 5 }, (_, i) => (chips.mask[25 * t + i] ? chips.data[25 * t + i] : null));
  return { rows: chips.times.map((_, t) => row(t)), meanings: chips.meanings, warnings };
}

describe('chips of scenes of baselines 02.14 and 04.00', () => {
  let file = '';
  beforeAll(async () => {
    file = await collection('mixed', [
      { values: OLD, properties: s2('02.14') },
      { values: NEW, properties: s2('04.00') },
    ]);
  });

  it.each([0, 2])('hold equal numbers for equal reflectance (%i threads)', async (threads) => {
    expect(await rows(file, { threads })).toEqual({
      rows: [
        [500, 1000, 2000, null, 1],
        [500, 1000, 2000, null, 1],
      ],
      meanings: [{ scale: 1e-4, offset: 0 }],
      warnings: [],
    });
  });

  it('hold the stored numbers with none, and say so', async () => {
    const { rows: stored, meanings, warnings } = await rows(file, { offset: 'none' });
    expect(stored.map((row) => row[0])).toEqual([500, 1500]);
    expect(meanings).toEqual([{ scale: 1, offset: 0 }]);
    expect(warnings).toEqual([expect.stringMatching(/^scale-differs: B04/)]);
  });

  it('keep 0 as missing where neither item nor file say so, as composites do', async () => {
    const silent = await collection('silent', [{ values: NEW, properties: s2('04.00'), nodata: null }]);
    expect((await rows(silent)).rows).toEqual([[500, 1000, 2000, null, 1]]);
    const options = { bands: ['B04'], masks: ['none'], threads: 0 };
    const { results } = await composite(await readScenes(silent), { ...options, statistics: 'median' });
    expect(Array.from(results.median!.data[0]!.subarray(0, 5))).toEqual([500, 1000, 2000, 0, 1]);
    expect(results.median!.nodata).toBe(0);
  });

  it('state the offset that they keep', async () => {
    const one = await collection('one', [{ values: NEW, properties: s2('04.00') }]);
    expect(await rows(one, { offset: 'none' })).toMatchObject({ meanings: [{ scale: 1e-4, offset: -0.1 }] });
  });

  it('are shifted before rasters of one day are merged', async () => {
    const day = '2022-01-10T10:00:00Z';
    const same = await collection('same', [
      { values: OLD, properties: s2('02.14'), datetime: day },
      { values: NEW, properties: s2('04.00'), datetime: '2022-01-10T10:00:20Z' },
    ]);
    expect((await rows(same, { overlap: 'mean' })).rows).toEqual([[500, 1000, 2000, null, 1]]);
  });

  it('are not shifted twice, and the item or an option decides', async () => {
    const flagged = { ...s2('05.10'), 'earthsearch:boa_offset_applied': true };
    const applied = await collection('flag', [{ values: OLD, properties: flagged }]);
    expect((await rows(applied)).rows).toEqual([[500, 1000, 2000, null, 1]]);
    expect((await rows(applied, { offset: 'apply' })).rows).toEqual([[1, 1, 1000, null, 1]]);
    const bright = await collection('bright', [{ values: [1100, 1500, 2000, 0, 1200], properties: flagged }]);
    expect((await rows(bright)).warnings).toEqual([expect.stringMatching(/^offset-conflict: bright-0/)]);
    await expect(rows(bright, { offset: 'often' as 'auto' })).rejects.toThrow(
      'offset is one of auto, apply, none, and got "often"',
    );
  });

  it('tell what their numbers mean in the files', async () => {
    await chipsToFiles(file, [POINT], at('out'), { ...OPTIONS, format: 'geotiff' });
    const { bands } = (await openRaster(at('out/chip-000000.tif'))).header;
    expect(bands.map(({ scale, offset }) => [scale, offset])).toEqual([
      [1e-4, 0],
      [1e-4, 0],
    ]);
    const table = JSON.parse(await readFile(at('out/chips.json'), 'utf8'));
    expect(table.meanings).toEqual([{ scale: 1e-4, offset: 0 }]);
  });
});

describe('chips of other numbers', () => {
  it('stay as they are stored, and say what the item says', async () => {
    const asset = { 'raster:bands': [{ scale: 2.75e-5, offset: -0.2, nodata: 0 }] };
    const landsat = await collection('landsat', [{ values: NEW, asset }]);
    expect(await rows(landsat)).toMatchObject({ rows: [[1500, 2000, 3000, null, 900]], warnings: [] });
    expect((await rows(landsat)).meanings).toEqual([{ scale: 2.75e-5, offset: -0.2 }]);
  });

  it('of rasters without items say what the files say', async () => {
    const data = [Uint16Array.from({ length: 25 }, (_, i) => i)];
    const bands = [{ name: 'red', scale: 0.5, offset: 3 }];
    await writeCog(at('plain.tif'), { grid: gridOf(5, 5), names: ['red'], data, nodata: null }, { bands });
    const chips = await extractChips(at('plain.tif'), [POINT], { size: 2, pointsCrs: 'EPSG:32631', threads: 0 });
    expect([...chips.data]).toEqual([...data[0]!]);
    expect(chips.meanings).toEqual([{ scale: 0.5, offset: 3 }]);
  });
});

describe('chips of JPEG 2000', () => {
  it.each([0, 2])('equal those of a COG of the same pixels (%i threads)', async (threads) => {
    const { value } = JP2.index;
    const data = [Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) => value(0, i % WIDTH, Math.floor(i / WIDTH)))];
    await writeFile(at('index.jp2'), jp2Bytes(JP2.index));
    const { grid } = (await openRaster(at('index.jp2'))).header;
    await writeCog(
      at('index.tif'),
      { grid: grid!, names: ['b1'], data, nodata: null },
      { tileSize: 16, overwrite: true },
    );
    const [a, , c, , e, f] = grid!.affine;
    const ground = (col: number, row: number): [number, number] => [c + a * col, f + e * row];
    // The middle, seams of the 32 px tiles, all corners, and one outside.
    const points = [
      [36.5, 20.5],
      [32, 32],
      [31.9, 0.1],
      [0, 0],
      [71.5, 49.5],
      [0.5, 49.9],
      [71.9, 0],
      [72.1, 3],
    ].map(([col, row]) => ground(col!, row!));
    const options = { size: 9, pointsCrs: 'EPSG:32631', threads };
    const [jp2, cog] = [
      await extractChips(at('index.jp2'), points, options),
      await extractChips(at('index.tif'), points, options),
    ];
    expect(jp2.labels.map(({ status }) => status)).toContain('inside');
    expect(jp2.labels.at(-1)!.status).toBe('outside');
    expect(jp2.data[9 * 19 + 9]).toBe(value(0, 36, 20));
    expect(Buffer.from(jp2.data.slice().buffer as ArrayBuffer)).toEqual(
      Buffer.from(cog.data.slice().buffer as ArrayBuffer),
    );
    expect(jp2.mask).toEqual(cog.mask);
    expect(jp2.labels.map(({ sources: _, ...own }) => ({ ...own, crs: own.crs?.epsg }))).toEqual(
      cog.labels.map(({ sources: _, ...own }) => ({ ...own, crs: own.crs?.epsg })),
    );
    expect(jp2.report.blocksDecoded).toBe(6);
  });
});
