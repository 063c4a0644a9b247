// Bands of coarser pixels under bilinear: taken as copied into the finest band's pixels, as odc-stats loads them.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { type CompositeOptions, composite, readScenes, type Scene, writeCog } from '../../build/index.js';
import { seeded } from '../random.js';

const [WIDTH, HEIGHT] = [144, 120];
/** Pixels of the finest band along a side of one of the coarse band. */
const TIMES = [2, 3, 6];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-coarse-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const frame = (times: number) => ({
  crs: parseCrs('EPSG:32631'),
  affine: [10 * times, 0, 500_000, 0, -10 * times, 5_700_000] as [number, number, number, number, number, number],
  width: WIDTH / times,
  height: HEIGHT / times,
});

/** A date whose B11 is coarse in one kind of scene, and copied into the pixels of B04 in the other; some are missing. */
async function written(times: number): Promise<[coarse: Scene[], copied: Scene[]]> {
  const random = seeded(times);
  const across = WIDTH / times;
  const fine = Uint16Array.from({ length: WIDTH * HEIGHT }, () => 100 + random() * 1000);
  const coarse = Uint16Array.from({ length: fine.length / times ** 2 }, () =>
    random() < 0.1 ? 0 : 1 + random() * 9000,
  );
  const copied = fine.map((_, px) => {
    const [col, row] = [Math.floor((px % WIDTH) / times), Math.floor(Math.floor(px / WIDTH) / times)];
    return coarse[row * across + col]!;
  });
  const scenes: Scene[][] = [];
  for (const [kind, grid, data] of [
    ['coarse', frame(times), coarse],
    ['copied', frame(1), copied],
  ] as const) {
    const at = join(folder, `${times}`, kind);
    await mkdir(join(at, 'S_20240601T100000'), { recursive: true });
    for (const [name, own, samples] of [['B04', frame(1), fine] as const, ['B11', grid, data] as const])
      await writeCog(
        join(at, 'S_20240601T100000', `${name}.tif`),
        { grid: own, names: [name], data: [samples], nodata: 0 },
        { tileSize: 64, overviews: 'none' },
      );
    scenes.push(await readScenes(at));
  }
  return scenes as [Scene[], Scene[]];
}

const OPTIONS: CompositeOptions = {
  bands: ['B04', 'B11'],
  statistics: 'median',
  masks: ['none'],
  resampling: 'bilinear',
  threads: 0,
};
const b11Of = async (scenes: Scene[], options: CompositeOptions) =>
  (await composite(scenes, { ...OPTIONS, ...options })).results.median!.data[1]!;

describe.each(TIMES)('bands of pixels %d times as large', (times) => {
  let coarse: Scene[] = [];
  let copied: Scene[] = [];
  beforeAll(async () => {
    [coarse, copied] = await written(times);
  });

  it('are copied onto the pixels of the finest', async () => {
    const got = await b11Of(coarse, { coarseBands: 'copied' });
    expect(got).toEqual(await b11Of(copied, { resampling: 'nearest' }));
    expect(got).not.toEqual(await b11Of(coarse, {}));
  });

  it.each<[string, CompositeOptions]>([
    ['pixels beside', { like: { ...frame(1), affine: [10, 0, 500_004, 0, -10, 5_699_997] } }],
    ['smaller pixels', { resolution: 4 }],
    ['another CRS', { crs: 'EPSG:3035', resolution: 10 }],
    ['another zone', { crs: 'EPSG:32632', resolution: 9 }],
  ])('are blended as their copies are, onto %s', async (_, change) => {
    const got = await b11Of(coarse, { ...change, coarseBands: 'copied' });
    const wanted = await b11Of(copied, change);
    expect(got.length).toBe(wanted.length);
    // Positions are the same within 2⁻²⁰ px, each in the pixels of its file: of 9000 that is a hundredth, which a rounding may show.
    const off = Array.from(got, (value, i) => ((value === 0) === (wanted[i] === 0) ? Math.abs(value - wanted[i]!) : 2));
    expect(off.filter((d) => d > 1).length / off.length).toBeLessThan(1e-3);
    expect(off.filter((d) => d > 0).length / off.length).toBeLessThan(0.05);
    expect(got.some((value) => value > 0)).toBe(true);
  });
});
