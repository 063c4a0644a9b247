// Several tiles of one zone onto one grid, cut by a polygon: in each tile's own part the result is that of the tile alone, and where
// tiles with the same pixels overlap, that of either.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lonLatToCrs, parseCrs } from '../../build/geo/crs.js';
import { type CompositeOptions, composite, type Grid, readScenes, type Scene, writeCog } from '../../build/index.js';
import { seeded } from '../random.js';

const UTM = parseCrs('EPSG:32631');
const SIZE = 70;
/** Columns that both tiles have, as tiles of Sentinel-2 have 9.8 km. */
const SHARED = 20;
const WIDTH = 2 * SIZE - SHARED;
const [LEFT, TOP] = [600_000, 5_700_000];
const TILES = { '31UFS': 0, '31UGS': SIZE - SHARED } as const;
const OPTIONS: CompositeOptions = { bands: ['B04'], statistics: 'median,count', masks: ['SCL drop 9'], threads: 0 };

let folder = '';
let scenes: Scene[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-tiles-'));
  const random = seeded(31);
  for (let day = 1; day <= 4; day++) {
    const ground = Array.from({ length: WIDTH * SIZE }, () =>
      random() < 0.1 ? 0 : 1000 + Math.floor(random() * 3000),
    );
    const classes = ground.map(() => (random() < 0.2 ? 9 : 4));
    for (const [tile, firstCol] of Object.entries(TILES)) {
      const home = join(folder, `S2A_${tile}_2024060${day}`);
      await mkdir(home);
      const cut = (from: readonly number[]) =>
        Array.from({ length: SIZE * SIZE }, (_, i) => from[Math.floor(i / SIZE) * WIDTH + firstCol + (i % SIZE)]!);
      const grid: Grid = { crs: UTM, affine: [10, 0, LEFT + 10 * firstCol, 0, -10, TOP], width: SIZE, height: SIZE };
      const write = (name: string, data: Uint16Array | Uint8Array) =>
        writeCog(join(home, `${name}.tif`), { grid, names: [name], data: [data], nodata: 0 }, { tileSize: 32 });
      await write('B04', Uint16Array.from(cut(ground)));
      await write('SCL', Uint8Array.from(cut(classes)));
    }
  }
  scenes = await readScenes(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('two tiles that overlap', () => {
  it('give in each part what the tile alone gives, counted once a day', async () => {
    expect(scenes).toHaveLength(8);
    const { results } = await composite(scenes, OPTIONS);
    expect(results.median!.grid).toMatchObject({ width: WIDTH, height: SIZE });
    for (const [tile, firstCol] of Object.entries(TILES)) {
      const alone = (
        await composite(
          scenes.filter(({ id }) => id.includes(tile)),
          OPTIONS,
        )
      ).results;
      for (const name of ['median', 'count']) {
        const [both, one] = [results[name]!.data[0]!, alone[name]!.data[0]!];
        const part = Array.from(one, (_, i) => both[Math.floor(i / SIZE) * WIDTH + firstCol + (i % SIZE)]!);
        expect(part).toEqual(Array.from(one));
      }
    }
    expect(Math.max(...results.count!.data[0]!)).toBe(4);
  });

  it('are cut by a polygon of the user, pixel by pixel of their middles', async () => {
    const whole = (await composite(scenes, OPTIONS)).results;
    // A triangle over both tiles, in degrees.
    const corners = [
      [LEFT + 105, TOP - 55],
      [LEFT + 10 * WIDTH - 155, TOP - 205],
      [LEFT + 455, TOP - 655],
      [LEFT + 105, TOP - 55],
    ] as const;
    const { default: proj4 } = await import('proj4');
    const coordinates = [corners.map(([x, y]) => proj4('+proj=utm +zone=31 +datum=WGS84', 'EPSG:4326', [x, y]))];
    const { results } = await composite(scenes, { ...OPTIONS, geometry: { type: 'Polygon', coordinates } });
    const { grid, data, nodata } = results.median!;
    const toCrs = await lonLatToCrs(UTM);
    const ring = coordinates[0]!.map(([lon, lat]) => toCrs(lon!, lat!));
    let kept = 0;
    for (let i = 0; i < grid.width * grid.height; i++) {
      const [x, y] = [
        grid.affine[2] + 10 * ((i % grid.width) + 0.5),
        grid.affine[5] - 10 * (Math.floor(i / grid.width) + 0.5),
      ];
      const sides = ring.slice(1).map(([x1, y1], k) => {
        const [x0, y0] = ring[k]!;
        return (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0);
      });
      const from = Math.floor((TOP - y) / 10) * WIDTH + Math.floor((x - LEFT) / 10);
      // Sides are bent by less than a pixel: those next to one are left out.
      if (sides.some((side) => Math.abs(side) < 5000)) continue;
      const isIn = sides.every((side) => side < 0) || sides.every((side) => side > 0);
      expect(data[0]![i]).toBe(isIn ? whole.median!.data[0]![from] : nodata);
      if (isIn) kept++;
    }
    expect(kept).toBeGreaterThan(1500);
  });
});
