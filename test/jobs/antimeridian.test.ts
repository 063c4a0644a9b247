// Scenes on both sides of 180°, in UTM and in degrees, onto one grid in degrees: it is the narrow one, and each half of it holds what a
// target on that side alone would.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LON_LAT, parseCrs } from '../../build/geo/crs.js';
import { turnBetween, turnsOf } from '../../build/geo/longitude.js';
import { type CompositeOptions, composite, type Grid, readScenes, type Scene, writeCog } from '../../build/index.js';
import { openCog } from '../../build/io/cog.js';
import { fileStore } from '../../build/io/file.js';
import { readWindow } from '../../build/io/window.js';
import { compositeToFolder } from '../../build/node.js';
import { seeded } from '../random.js';

const GDAL = spawnSync('gdalwarp', ['--version']).status === 0;

/** Around 180° E, 63° N: zone 60, zone 1 across the line, degrees up to 180 and from −180 on, and of 0 to 360 all round. */
const FRAMES = [
  ['EPSG:32660', [400, 0, 620_000, 0, -400, 7_040_000], 80, 80],
  ['EPSG:32601', [400, 0, 330_000, 0, -400, 7_040_000], 90, 80],
  ['EPSG:4326', [0.01, 0, 179.4, 0, -0.01, 63.4], 60, 40],
  ['EPSG:4326', [0.01, 0, -180, 0, -0.01, 63.4], 70, 40],
] as const;
const GLOBE = ['EPSG:4326', [0.5, 0, 0, 0, -0.25, 64], 720, 8] as const;

let folder = '';
let scenes: Scene[] = [];
let globe: Scene[] = [];

async function write(name: string, [crs, affine, width, height]: (typeof FRAMES)[number] | typeof GLOBE) {
  const random = seeded(name.length + width);
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  const grid: Grid = { crs: parseCrs(crs), affine, width, height };
  const data = Uint16Array.from({ length: width * height }, () => (random() < 0.05 ? 0 : 1000 + random() * 3000));
  const classes = Uint8Array.from({ length: width * height }, () => (random() < 0.05 ? 9 : 4));
  await writeCog(join(home, 'B04.tif'), { grid, names: ['B04'], data: [data], nodata: 0 }, { tileSize: 64 });
  await writeCog(join(home, 'SCL.tif'), { grid, names: ['SCL'], data: [classes], nodata: 0 }, { tileSize: 64 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-antimeridian-'));
  for (const [i, frame] of FRAMES.entries()) await write(`scenes/S_2024060${i + 1}`, frame);
  await write('globe/S_20240609', GLOBE);
  scenes = await readScenes(join(folder, 'scenes'));
  globe = await readScenes(join(folder, 'globe'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPTIONS: CompositeOptions = {
  bands: ['B04'],
  statistics: 'median,count',
  masks: ['SCL drop 9 | dilation 1'],
  crs: 'EPSG:4326',
  resolution: 0.01,
  threads: 0,
};

/** A window of a result's columns. */
function columns(
  { data, grid: { width, height } }: { data: readonly ArrayLike<number>[]; grid: Grid },
  from: number,
  to: number,
) {
  return Array.from({ length: height }, (_, row) => Array.from(data[0]!).slice(row * width + from, row * width + to));
}

describe('scenes on both sides of the antimeridian', () => {
  it('say so in their boxes', () => {
    for (const [i, { bbox }] of scenes.entries()) expect(bbox![0] > bbox![2], `${i}: ${bbox}`).toBe(i < 2);
    expect(globe[0]!.bbox!.filter((_, i) => i % 2 === 0)).toEqual([-180, 180]);
  });

  it.each([
    ['nearest', {}],
    ['bilinear', {}],
    ['average', {}],
    ['nearest', { group: 'none', maskWhen: 'after-fuse' }],
    ['cubic', { resolution: 0.007 }],
  ] as const)('make the narrow grid, whose halves are those of each side: %s %j', async (resampling, change) => {
    const options = { ...OPTIONS, resampling, ...change } as CompositeOptions;
    const { results } = await composite([...scenes, ...globe], { ...options, bbox: [179.3, 63.1, -179.35, 63.3] });
    const { grid } = results.median!;
    expect(grid.affine[2]).toBeCloseTo(179.3, 1);
    expect(grid.width).toBeLessThan(200);
    const [step] = grid.affine;
    for (const turn of [0, -360]) {
      const like: Grid = { ...grid, affine: [step, 0, grid.affine[2] + turn, 0, -step, grid.affine[5]] };
      const side = await composite([...scenes, ...globe], { ...options, crs: undefined, resolution: undefined, like });
      expect(columns(side.results.count!, 0, grid.width)).toEqual(columns(results.count!, 0, grid.width));
      expect(columns(side.results.median!, 0, grid.width)).toEqual(columns(results.median!, 0, grid.width));
    }
    // All five lie in the middle.
    const middle = columns(results.count!, Math.floor(grid.width / 2) - 3, Math.floor(grid.width / 2) + 3).flat();
    expect(Math.max(...middle)).toBeGreaterThanOrEqual(4);
  });

  it('fill both halves as targets on that side alone do', async () => {
    const options = { ...OPTIONS, masks: ['none'] };
    const { median, count } = (
      await composite([...scenes, ...globe], { ...options, bbox: [179.4, 63.1, -179.4, 63.3] })
    ).results;
    const line = 60;
    const west = (await composite([...scenes, ...globe], { ...options, bbox: [179.4, 63.1, 180, 63.3] })).results;
    const east = (await composite([...scenes, ...globe], { ...options, bbox: [-180, 63.1, -179.4, 63.3] })).results;
    expect(median!.grid.width).toBe(120);
    expect(columns(median!, 0, line)).toEqual(columns(west.median!, 0, 60));
    expect(columns(median!, line, 120)).toEqual(columns(east.median!, 0, 60));
    expect(columns(count!, line, 120)).toEqual(columns(east.count!, 0, 60));
    const counts = columns(count!, line, 120).flat();
    expect(Math.max(...counts)).toBe(4);
    // Each scene lacks a twentieth of its pixels.
    expect(counts.filter((n) => n >= 2).length / counts.length).toBeGreaterThan(0.95);
  });

  it('cover all of them without an area, in a file and an item that GIS programs know', async () => {
    const out = join(folder, 'out');
    const { files, grid } = await compositeToFolder(join(folder, 'scenes'), out, { ...OPTIONS, statistics: 'median' });
    expect(files.length).toBe(2);
    const item = JSON.parse(await readFile(join(out, 'item.json'), 'utf8'));
    const [west, south, east, north] = item.bbox;
    expect(grid.width).toBeLessThan(500);
    expect(west).toBeGreaterThan(178);
    expect(east).toBeLessThan(-178);
    expect(item.geometry.type).toBe('MultiPolygon');
    for (const [lon] of item.geometry.coordinates.flat(2)) expect(Math.abs(lon)).toBeLessThanOrEqual(180);
    expect(item.properties['proj:bbox'][0]).toBeCloseTo(west, 6);
    expect(item.properties['proj:bbox'][2]).toBeCloseTo(east + 360, 6);
    expect(north - south).toBeLessThan(1);
    // It goes in again, and lies where it did.
    const [again] = await readScenes(join(out, 'item.json'));
    const other = await composite([again!], {
      statistics: 'first',
      masks: ['none'],
      threads: 0,
      bbox: [-179.9, 63.1, -179.8, 63.2],
    });
    expect(other.scenes.used).toBe(1);
    expect(Array.from(Object.values(other.results)[0]!.data[0]!).some((value) => value > 0)).toBe(true);
  });

  it.skipIf(!GDAL)('are where gdalwarp has them on the same grid (needs GDAL)', async () => {
    for (const [i, scene] of scenes.slice(0, 2).entries()) {
      const { results } = await composite([scene], {
        ...OPTIONS,
        statistics: 'first',
        masks: ['none'],
        bbox: [179.3, 63.1, -179.3, 63.3],
      });
      const { grid, data } = results.first!;
      const [a, , c, , e, f] = grid.affine;
      const out = join(folder, `gdal${i}.tif`);
      const frame = ['-te', c, f + e * grid.height, c + a * grid.width, f, '-ts', grid.width, grid.height].map(String);
      execFileSync('gdalwarp', [
        '-q',
        '-et',
        '0',
        '-t_srs',
        'EPSG:4326',
        ...frame,
        '-dstnodata',
        '0',
        scene.bands.B04!.href,
        out,
      ]);
      const raster = await openCog(out, { store: fileStore() });
      const window = { col: 0, row: 0, width: grid.width, height: grid.height };
      const [theirs] = await readWindow(raster, { level: 0, window, bands: [0] });
      await raster.close();
      const same = Array.from(data[0]!).filter((value, k) => value === theirs![k]).length;
      expect(same / theirs!.length).toBeGreaterThan(0.999);
      expect(Array.from(data[0]!).filter((value) => value > 0).length).toBeGreaterThan(500);
    }
  });
});

describe('turns', () => {
  const grid = (west: number, width: number): Grid => ({
    crs: LON_LAT,
    affine: [1, 0, west, 0, -1, 0],
    width,
    height: 1,
  });

  it.each([
    [
      [
        [10, 20],
        [30, 40],
      ],
      [0, 0],
    ],
    [
      [
        [170, 180],
        [-180, -170],
      ],
      [0, 1],
    ],
    [
      [
        [-180, -170],
        [170, 180],
        [175, 185],
      ],
      [1, 0, 0],
    ],
    [
      [
        [350, 360],
        [0, 10],
      ],
      [0, 1],
    ],
    // Over more than half of the globe nothing is turned.
    [
      [
        [170, 180],
        [-180, -80],
        [20, 30],
      ],
      [0, 0, 0],
    ],
    [
      [
        [-180, 180],
        [170, 190],
      ],
      [0, 0],
    ],
  ])('of %j are %j', (spans, turns) => {
    const found = turnsOf(spans.map(([west, east]) => ({ west: west!, east: east! })));
    const least = Math.min(...found);
    expect(found.map((turn) => turn - least)).toEqual(turns);
  });

  it.each([
    [grid(-180, 10), grid(175, 10), 1],
    [grid(175, 10), grid(-180, 10), -1],
    [grid(0, 10), grid(0, 10), 0],
    [grid(-180, 360), grid(-10, 20), 0],
    [grid(-180, 360), grid(-180, 360), 0],
    // Both sides of the target have a part of it.
    [grid(0, 360), grid(-10, 20), null],
    [grid(-180, 360), grid(170, 20), null],
  ])('from %j to %j is %j', (own, target, turn) => {
    expect(turnBetween(own, target)).toBe(turn);
  });
});
