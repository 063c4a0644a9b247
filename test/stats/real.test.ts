import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CompositeOptions, composite, type Planes, readScenes } from '../../build/index.js';
import { openCog } from '../../build/io/cog.js';
import { fileStore } from '../../build/io/file.js';
import { readWindow } from '../../build/io/window.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const data = path.resolve(root, process.env.STACKWISE_DATA ?? '../shared/data');
const present = existsSync(path.join(data, 's2-l2a-belgium-31UDS'));
const STATISTICS = 'median,percentile:25,percentile:75,mean,std,geomedian,mads,count';
const S2: CompositeOptions = {
  bands: 'B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12'.split(','),
  masks: ['SCL drop 0,1,3,8,9,10'],
  group: 'none',
};

async function run(stack: string, options: CompositeOptions): Promise<Record<string, Planes>> {
  const scenes = await readScenes(path.join(data, stack, 'items.json'));
  return (await composite(scenes, { threads: 0, statistics: STATISTICS, ...options })).results;
}

async function readAll(file: string): Promise<ArrayLike<number>[]> {
  const raster = await openCog(file, { store: fileStore() });
  const { width, height, bands } = raster.header;
  const window = { col: 0, row: 0, width, height };
  const planes = await readWindow(raster, { level: 0, window, bands: bands.map((_, i) => i) });
  await raster.close();
  return planes as unknown as ArrayLike<number>[];
}

/** The planes of a .npy file [band][y][x] of little-endian f4 or u2. */
function readNpy(file: string, bands: number): ArrayLike<number>[] {
  const bytes = readFileSync(file);
  const begin = 10 + bytes.readUInt16LE(8);
  const body = new Uint8Array(bytes.subarray(begin)).buffer;
  const all = bytes.subarray(0, begin).includes('<f4') ? new Float32Array(body) : new Uint16Array(body);
  const n = all.length / bands;
  return Array.from({ length: bands }, (_, band) => all.subarray(band * n, (band + 1) * n));
}

/** Distances of all pixels, sorted; a value missing on one side only is infinitely far. */
function distances(got: ArrayLike<number>, wanted: ArrayLike<number>, relative = false): number[] {
  expect(got.length).toBe(wanted.length);
  return Array.from(got, (value, i) => {
    const other = wanted[i]!;
    if (Number.isNaN(value) || Number.isNaN(other)) return Object.is(value, other) ? 0 : Infinity;
    return Math.abs(value - other) / (relative ? Math.max(Math.abs(other), 1e-12) : 1);
  }).sort((a, b) => a - b);
}

const far = (got: ArrayLike<number>, wanted: ArrayLike<number>) => distances(got, wanted).at(-1)!;
const p99 = (sorted: readonly number[]) => sorted[Math.floor(0.99 * (sorted.length - 1))]!;

const STACKS: [string, CompositeOptions][] = [
  ['s2-l2a-belgium-31UDS', S2],
  [
    'landsat57-sr-washington',
    { bands: ['blue', 'green', 'red', 'nir', 'swir1', 'swir2'], masks: ['cfmask keep 0,1'], group: 'none' },
  ],
];

describe.skipIf(!present).each(STACKS)('%s against plain numpy (skipped without STACKWISE_DATA)', (stack, options) => {
  const expected = (name: string) => readAll(path.join(data, stack, 'expected', `${name}.tif`));
  let got: Record<string, Planes> = {};
  beforeAll(async () => {
    got = await run(stack, { ...options, dtype: 'float32' });
  }, 60_000);

  it('counts are exact', async () => {
    expect(far(got.count!.data[0]!, (await expected('count'))[0]!)).toBe(0);
  });

  it.each(['median', 'p25', 'p75'])('%s is exact to f32', async (key) => {
    for (const [band, wanted] of (await expected(key)).entries()) {
      expect(far(got[key]!.data[band]!, Float32Array.from(wanted)), got[key]!.names[band]).toBe(0);
    }
  });

  it.each([
    ['mean', 'mean'],
    ['std', 'std_ddof0'],
  ])('%s is within 1e-6', async (key, file) => {
    for (const [band, wanted] of (await expected(file)).entries()) {
      expect(distances(got[key]!.data[band]!, wanted, true).at(-1), got[key]!.names[band]).toBeLessThan(1e-6);
    }
  });

  it('the geomedian and EMAD are within 0.05 DN for 99 % and 0.5 DN for all, SMAD and BCMAD within 1e-4', async () => {
    const [geomedian, mads] = [await expected('geomedian'), await expected('mads')];
    const dn = [...geomedian.map((wanted, band) => [got.geomedian!.data[band]!, wanted] as const)];
    dn.push([got.mads!.data[0]!, mads[0]!]);
    for (const [values, wanted] of dn) {
      const sorted = distances(values, wanted);
      expect(p99(sorted)).toBeLessThanOrEqual(0.05);
      expect(sorted.at(-1)).toBeLessThanOrEqual(0.5);
    }
    for (const band of [1, 2]) expect(far(got.mads!.data[band]!, mads[band]!)).toBeLessThanOrEqual(1e-4);
  });

  it('with eps 0.001 they are within 0.05 DN for all', async () => {
    const fine = await run(stack, { ...options, dtype: 'float32', statistics: 'geomedian,mads', eps: 0.001 });
    for (const [band, wanted] of (await expected('geomedian')).entries()) {
      expect(far(fine.geomedian!.data[band]!, wanted)).toBeLessThanOrEqual(0.05);
    }
    expect(far(fine.mads!.data[0]!, (await expected('mads'))[0]!)).toBeLessThanOrEqual(0.05);
  }, 60_000);
});

describe.skipIf(!present)('compat odc against the real geomad (skipped without STACKWISE_DATA)', () => {
  it('agrees to 1 DN, and in SMAD and BCMAD to 1e-3', async () => {
    const got = await run('s2-l2a-belgium-31UDS', { ...S2, compat: 'odc', statistics: 'geomedian,mads,count' });
    const peer = (name: string, bands: number) =>
      readNpy(path.join(data, 's2-l2a-belgium-31UDS/geomad', `${name}.npy`), bands);
    expect(got.geomedian!.data[0]).toBeInstanceOf(Uint16Array);
    const steps = peer('int', 10).flatMap((wanted, band) => distances(got.geomedian!.data[band]!, wanted));
    expect(Math.max(...steps)).toBeLessThanOrEqual(1);
    expect(steps.filter((d) => d > 0).length / steps.length).toBeLessThanOrEqual(0.05);
    expect(got.mads!.names).toEqual(['smad', 'emad', 'bcmad']);
    const limits = [1e-3, 1, 1e-3];
    for (const [band, wanted] of peer('mads', 3).entries()) {
      expect(far(got.mads!.data[band]!, wanted)).toBeLessThanOrEqual(limits[band]!);
    }
    expect(far(got.count!.data[0]!, peer('count', 1)[0]!)).toBe(0);
  }, 60_000);
});
