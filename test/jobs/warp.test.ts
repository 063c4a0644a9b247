import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { type PixelTransform, pixelTransform } from '../../build/geo/reproject.js';
import { type CompositeOptions, composite, readScenes, type Scene, writeCog } from '../../build/index.js';
import { digestOf } from '../browser/digest.js';
import { seeded } from '../random.js';

const cli = resolve(import.meta.dirname, '../../build/app/cli.js');
const ALBERS =
  'PROJCS["an Albers",GEOGCS["NAD83",DATUM["North_American_Datum_1983",SPHEROID["GRS 1980",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Albers_Conic_Equal_Area"],PARAMETER["latitude_of_center",51],PARAMETER["longitude_of_center",6],PARAMETER["standard_parallel_1",48],PARAMETER["standard_parallel_2",54],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]';

/** Two UTM zones where they meet at 6° E, 51° N, and degrees. */
const FRAMES = [
  ['EPSG:32631', [10, 0, 710_200, 0, -10, 5_654_300]],
  ['EPSG:32632', [10, 0, 289_100, 0, -10, 5_654_500]],
  ['EPSG:4326', [0.00014, 0, 5.9955, 0, -0.00009, 51.003]],
  ['EPSG:32631', [10, 0, 710_340, 0, -10, 5_654_240]],
] as const;

let folder = '';
let scenes: Scene[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-zones-'));
  const random = seeded(3);
  for (const [i, [crs, affine]] of FRAMES.entries()) {
    const [width, height] = [150, 130];
    const scene = join(folder, 'scenes', `S_2024060${i + 1}`);
    await mkdir(scene, { recursive: true });
    const values = Uint16Array.from({ length: width * height }, () => (random() < 0.05 ? 0 : 1000 + random() * 3000));
    const classes = Uint8Array.from({ length: width * height }, () => (random() < 0.03 ? 9 : 4));
    const grid = { crs: parseCrs(crs), affine, width, height };
    await writeCog(join(scene, 'B04.tif'), { grid, names: ['B04'], data: [values], nodata: 0 }, { tileSize: 64 });
    await writeCog(join(scene, 'SCL.tif'), { grid, names: ['SCL'], data: [classes], nodata: 0 }, { tileSize: 64 });
  }
  scenes = await readScenes(join(folder, 'scenes'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPTIONS: CompositeOptions = {
  bands: ['B04'],
  statistics: 'median,count',
  masks: ['SCL drop 0,9 | dilation 1'],
  crs: 'EPSG:32631',
  resolution: 10,
  threads: 0,
};
const run = (change: CompositeOptions = {}) => composite(scenes, { ...OPTIONS, ...change });

/** The mean of what many points of a target px lie on, 0 and what is outside left out; and how many those are. */
function meanUnder(
  transform: PixelTransform,
  { col, row }: { col: number; row: number },
  values: ArrayLike<number>,
  { width, height }: { width: number; height: number },
): { mean: number; count: number } {
  const n = 400;
  let [sum, count] = [0, 0];
  for (let i = 0; i < n * n; i++) {
    const p = { x: col + ((i % n) + 0.5) / n, y: row + (Math.floor(i / n) + 0.5) / n };
    transform(p);
    const value =
      p.x >= 0 && p.x < width && p.y >= 0 && p.y < height ? values[Math.floor(p.y) * width + Math.floor(p.x)]! : 0;
    if (value === 0) continue;
    sum += value;
    count++;
  }
  return { mean: sum / count, count };
}

describe('a composite of scenes of several CRSs', () => {
  it('covers all of them, in the CRS asked for', async () => {
    const { results, scenes: report } = await run();
    expect(report.used).toBe(4);
    const { grid, data } = results.count!;
    expect(grid.crs.epsg).toBe(32631);
    expect(grid.affine.filter((_, i) => i % 3 !== 2)).toEqual([10, 0, 0, -10]);
    expect(Math.max(...data[0]!)).toBe(4);
    // What the target's own scenes hold alone is what they give together, where no other scene lies.
    const own = await composite(
      scenes.filter(({ crs }) => crs?.epsg === 32631),
      { ...OPTIONS, like: grid, crs: undefined, resolution: undefined },
    );
    const others = await composite(
      scenes.filter(({ crs }) => crs?.epsg !== 32631),
      { ...OPTIONS, like: grid, crs: undefined, resolution: undefined },
    );
    const sum = Array.from(own.results.count!.data[0]!, (n, i) => n + others.results.count!.data[0]![i]!);
    expect(Array.from(data[0]!)).toEqual(sum);
  });

  it.each(['nearest', 'bilinear', 'cubic', 'average', 'mode'] as const)(
    'is the same in two threads: %s',
    async (resampling) => {
      const one = await run({ resampling });
      const two = await run({ resampling, threads: 2, memoryLimitBytes: 600 * 2 ** 20 });
      expect(digestOf(two)).toEqual(digestOf(one));
    },
  );

  it("takes the finest band's pixels where the unit is the same, and a CRS without a code", async () => {
    const utm = scenes.filter(({ crs }) => crs?.epsg !== 4326);
    const warnings: string[] = [];
    const { results } = await composite(utm, {
      ...OPTIONS,
      crs: ALBERS,
      resolution: undefined,
      onWarning: (text) => warnings.push(text),
    });
    expect(results.median!.grid.affine[0]).toBe(10);
    expect(Math.abs(results.median!.grid.affine[2] % 10)).toBe(0);
    expect(Math.max(...results.count!.data[0]!)).toBe(3);
    // Once for each CRS, not for each scene.
    expect(warnings.filter((text) => text.includes('datum'))).toHaveLength(2);
    expect(warnings[0]).toMatch(/EPSG:3263[12] and an Albers.*no shift is applied/);
  });

  it('says in one line what it cannot do', async () => {
    await expect(run({ crs: undefined })).rejects.toThrow(/EPSG:32631.*EPSG:32632.*--crs/s);
    await expect(run({ resolution: undefined })).rejects.toThrow(/degrees.*EPSG:32631.*--res/);
    await expect(run({ crs: 'no such thing' })).rejects.toThrow(/not a CRS/);
    await expect(run({ crs: 'EPSG:27700' })).rejects.toThrow(/EPSG:27700: its projection is not known here/);
    await expect(run({ crs: '+proj=sinu' })).rejects.toThrow(/not known here, or its ellipsoid/);
    await expect(run({ crs: '+proj=robin +ellps=WGS84' })).rejects.toThrow(/robin is not supported/);
    await expect(run({ bbox: [20, 40, 21, 41] })).rejects.toThrow(/none of the .* overlaps|no scenes/);
    await expect(run({ crs: 'EPSG:32632', like: (await run()).results.count!.grid })).rejects.toThrow(/--like/);
    await expect(run({ resampling: 'lanczos' as 'cubic' })).rejects.toThrow(/nearest, bilinear, cubic, average, mode/);
  });

  it('is planned with what the turned scenes need', async () => {
    const { plan } = await run();
    const along = await composite(
      scenes.filter(({ crs }) => crs?.epsg === 32631),
      { ...OPTIONS, crs: undefined },
    );
    expect(plan.predictedPeakBytes).toBeGreaterThan(along.plan.predictedPeakBytes);
  });

  it('averages all that lies under pixels much larger than those of a bent source, and nothing elsewhere', async () => {
    const alone: CompositeOptions = { ...OPTIONS, masks: ['none'], crs: undefined, resolution: undefined };
    const [first] = await composite(scenes.slice(0, 1), { ...alone, statistics: 'first' }).then(
      (r) => r.results.first!.data,
    );
    const truth = first!;
    const source = { crs: parseCrs(FRAMES[0][0]), affine: FRAMES[0][1], width: 150, height: 130 };
    const file = join(folder, 'plain_20240601.tif');
    const options = { overviews: 'none' } as const;
    await writeCog(file, { grid: source, names: ['B04'], data: [truth], nodata: 0 }, options);
    const plain = await readScenes(file);
    const frames = [
      { affine: [0.01, 0, 5.8, 0, -0.01, 51.2], width: 40, height: 40 },
      { affine: [0.25, 0, -180, 0, -0.25, 90], width: 1440, height: 720 },
    ] as const;
    for (const frame of frames) {
      const like = { crs: parseCrs('EPSG:4326'), ...frame };
      const change: CompositeOptions = { bands: ['B04'], like, statistics: 'median', resampling: 'average' };
      const { median } = (await composite(plain, { ...alone, ...change })).results;
      const transform = await pixelTransform(like, source);
      let compared = 0;
      for (const [px, value] of median!.data[0]!.entries()) {
        if (value === 0) continue;
        const at = { col: px % frame.width, row: Math.floor(px / frame.width) };
        const { mean, count } = meanUnder(transform, at, truth, source);
        expect(count, `${at.col}, ${at.row}`).toBeGreaterThan(0);
        // Of slivers at the scene's edge few points tell.
        if (count < 250) continue;
        compared++;
        expect(Math.abs(value - mean), `${at.col}, ${at.row}`).toBeLessThan(100);
      }
      expect(compared).toBeGreaterThan(0);
    }
  });

  it.each([1e6, 1e9])('needs no more than its files for pixels of %d m', async (resolution) => {
    for (const resampling of ['nearest', 'average', 'mode'] as const) {
      const { plan, results } = await run({ resolution, resampling, memoryLimitBytes: 2 ** 29 });
      const { width, height } = results.count!.grid;
      expect(width * height).toBeLessThanOrEqual(4);
      expect(plan.predictedPeakBytes).toBeLessThan(2 ** 29);
    }
  });

  it('is made by the command line', async () => {
    const out = join(folder, 'out');
    const more = ['--crs', 'EPSG:3035', '--res', '20', '--resampling', 'cubic', '--threads', '0', '--json'];
    const args = [
      'composite',
      join(folder, 'scenes'),
      '--bands',
      'B04',
      '--stat',
      'median',
      '--mask',
      'none',
      '--out',
      out,
    ];
    const child = spawnSync(process.execPath, [cli, ...args, ...more], { encoding: 'utf8' });
    expect(child.stderr + child.stdout).not.toMatch(/Error/);
    expect(child.status).toBe(0);
    const item = JSON.parse(await readFile(join(out, 'item.json'), 'utf8'));
    expect(item.properties['proj:code']).toBe('EPSG:3035');
    expect(JSON.stringify(item)).toContain('"resampling":"cubic"');
    const refused = spawnSync(process.execPath, [cli, ...args, '--overwrite'], { encoding: 'utf8' });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/--crs/);
  });
});
