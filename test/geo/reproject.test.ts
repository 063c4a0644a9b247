import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../build/errors.js';
import type { Affine } from '../../build/geo/affine.js';
import { crsToLonLat, datumNote, lonLatToCrs, parseCrs, projectionOf, projector } from '../../build/geo/crs.js';
import { boundsIn, footprintOf } from '../../build/geo/footprint.js';
import type { Grid, Window } from '../../build/geo/grid.js';
import { projOfProjection } from '../../build/geo/projection.js';
import {
  CELL_TOLERANCE_PX,
  CELL_VALUES,
  type Cells,
  cellBounds,
  cellsOf,
  cellsUnder,
  pixelTransform,
  stepsAt,
} from '../../build/geo/reproject.js';
import { frontDoor } from '../fixture/front-door.ts';
import { seeded } from '../random.ts';

const grid = (crs: string, affine: Affine, width: number, height: number): Grid => ({
  crs: parseCrs(crs),
  affine,
  width,
  height,
});

/** Targets and sources of all kinds, 10 m to 60 km, across zones, poles and the antimeridian; `least`: px that surely have a place. */
const PAIRS: readonly [name: string, target: Grid, source: Grid, least: number][] = [
  [
    'UTM 31 on 32',
    grid('EPSG:32632', [10, 0, 95_000, 0, -10, 5_700_000], 300, 200),
    grid('EPSG:32631', [10, 0, 500_000, 0, -10, 5_700_000], 2000, 2000),
    20_000,
  ],
  [
    'UTM on LAEA, coarse',
    grid('EPSG:3035', [500, 0, 3_700_000, 0, -500, 3_400_000], 400, 500),
    grid('EPSG:32631', [500, 0, 300_000, 0, -500, 6_000_000], 800, 900),
    100_000,
  ],
  [
    'UTM on degrees',
    grid('EPSG:4326', [0.01, 0, 2, 0, -0.01, 52], 200, 200),
    grid('EPSG:32631', [1000, 0, 400_000, 0, -1000, 5_800_000], 300, 300),
    20_000,
  ],
  [
    'degrees on UTM',
    grid('EPSG:32631', [100, 0, 400_000, 0, -100, 5_800_000], 300, 300),
    grid('EPSG:4326', [0.001, 0, 1, 0, -0.001, 53], 3000, 3000),
    50_000,
  ],
  [
    'east of the antimeridian',
    grid('EPSG:3832', [200, 0, 3_200_000, 0, -200, -1_800_000], 800, 300),
    grid('EPSG:32701', [100, 0, 100_000, 0, -100, 8_300_000], 1200, 1200),
    50_000,
  ],
  [
    'degrees across it',
    grid('EPSG:3832', [200, 0, 3_200_000, 0, -200, -1_800_000], 800, 300),
    grid('EPSG:4326', [0.002, 0, 179, 0, -0.002, -15], 1000, 1500),
    50_000,
  ],
  [
    'the north pole',
    grid('EPSG:3413', [20_000, 0, -2_000_000, 0, -20_000, 2_000_000], 200, 200),
    grid('EPSG:4326', [0.1, 0, -180, 0, -0.1, 90], 3600, 400),
    30_000,
  ],
  [
    'the whole Earth',
    grid('EPSG:6933', [120_000, 0, -17_400_000, 0, -120_000, 7_400_000], 295, 125),
    grid('EPSG:4326', [0.5, 0, -180, 0, -0.5, 90], 720, 360),
    30_000,
  ],
  [
    'a turned source in the same CRS',
    grid('EPSG:32631', [10, 0, 500_000, 0, -10, 5_700_000], 200, 200),
    grid('EPSG:32631', [8, 3, 500_200, 3, -8, 5_699_800], 150, 150),
    10_000,
  ],
  [
    'a sheared target',
    grid('EPSG:3035', [10, 4, 3_800_000, 1, -9, 3_200_000], 200, 200),
    grid('EPSG:32631', [10, 0, 400_000, 0, -10, 5_900_000], 20_000, 30_000),
    30_000,
  ],
];

/** Where a cell says that a position of the target lies. */
function positionIn(cells: Cells, at: number, x: number, y: number): [number, number] {
  const [col, row, size] = [cells[at]!, cells[at + 1]!, cells[at + 2]!];
  const [tx, ty] = [(x - col) / size, (y - row) / size];
  const mix = (i: number) => {
    const [p, q, r, s] = [0, 2, 4, 6].map((corner) => cells[at + 3 + corner + i]!) as [number, number, number, number];
    return (p * (1 - tx) + q * tx) * (1 - ty) + (r * (1 - tx) + s * tx) * ty;
  };
  return [mix(0), mix(1)];
}

const whole = ({ width, height }: Grid): Window => ({ col: 0, row: 0, width, height });

describe('cellsUnder', () => {
  it.each(PAIRS)(
    '%s: every pixel of the source is in one cell, within 0.001 px',
    async (_name, target, source, least) => {
      const cells = cellsUnder(await pixelTransform(target, source), whole(target), source);
      const exact = await frontDoor(target, source);
      const owner = new Int32Array(target.width * target.height).fill(-1);
      for (let at = 0; at < cells.length; at += CELL_VALUES) {
        const [col, row, size] = [cells[at]!, cells[at + 1]!, cells[at + 2]!];
        expect(col % size || row % size || 32 % size).toBe(0);
        for (let i = at + 3; i < at + CELL_VALUES; i++) expect(Number.isInteger(cells[i]! * 2 ** 20)).toBe(true);
        for (let y = Math.max(0, row); y < Math.min(target.height, row + size); y++) {
          for (let x = Math.max(0, col); x < Math.min(target.width, col + size); x++) {
            expect(owner[y * target.width + x]).toBe(-1);
            owner[y * target.width + x] = at;
          }
        }
      }
      let [most, placed] = [0, 0];
      for (let px = 0; px < owner.length; px++) {
        const [x, y] = [(px % target.width) + 0.5, Math.floor(px / target.width) + 0.5];
        const want = exact(x, y);
        const inside = want && want[0] >= 0 && want[1] >= 0 && want[0] < source.width && want[1] < source.height;
        if (owner[px]! < 0) {
          // Only what lies beside the source is in no cell.
          if (inside) throw new Error(`${x}, ${y} → ${want} is in no cell`);
          continue;
        }
        if (!inside) continue;
        placed++;
        const got = positionIn(cells, owner[px]!, x, y);
        most = Math.max(most, Math.abs(got[0] - want[0]), Math.abs(got[1] - want[1]));
      }
      expect(most).toBeLessThanOrEqual(CELL_TOLERANCE_PX);
      expect(placed).toBeGreaterThan(least);
    },
  );

  it.each(PAIRS)('%s: does not depend on the window', async (_name, target, source) => {
    const transform = await pixelTransform(target, source);
    const all = cellsUnder(transform, whole(target), source);
    const lines = (cells: Cells) => {
      const out = new Map<string, string>();
      for (let at = 0; at < cells.length; at += CELL_VALUES) {
        out.set(cells.subarray(at, at + 3).join(), cells.subarray(at + 3, at + CELL_VALUES).join());
      }
      return out;
    };
    const expected = lines(all);
    for (const window of [
      { col: 37, row: 55, width: 71, height: 13 },
      { col: 100, row: 64, width: 1, height: 1 },
      { col: 0, row: 31, width: 33, height: 64 },
    ]) {
      const got = lines(cellsUnder(transform, window, source));
      for (const [key, corners] of got) expect(expected.get(key)).toBe(corners);
      // All that meets the window is there.
      expect([...lines(cellsOf(all, window)).keys()].filter((key) => !got.has(key))).toEqual([]);
      expect(cellBounds(cellsOf(all, window), window)).toEqual(
        cellBounds(cellsUnder(transform, window, source), window),
      );
    }
  });

  it('is empty where the grids do not meet, and where there is no such place', async () => {
    const [, target, source] = PAIRS[0]!;
    const far = { ...target, affine: [10, 0, 5_000_000, 0, -10, 100_000] as const };
    expect(cellsUnder(await pixelTransform(far, source), whole(far), source)).toHaveLength(0);
    const beyond = { ...grid('EPSG:4326', [1, 0, 0, 0, 1, 91], 40, 40) };
    const cells = cellsUnder(await pixelTransform(beyond, source), whole(beyond), source);
    expect(cells).toHaveLength(0);
    expect(cellBounds(cells, whole(beyond))).toBeNull();
  });

  it('leaves the cone of a conic projection alone where no point of the Earth lies', async () => {
    const target = grid('EPSG:5070', [40_000, 0, -9_000_000, 0, -40_000, 14_000_000], 450, 500);
    const source = grid('EPSG:4326', [0.5, 0, -180, 0, -0.5, 90], 720, 360);
    const transform = await pixelTransform(target, source);
    const [toLonLat, back] = [await crsToLonLat(target.crs), await lonLatToCrs(target.crs)];
    let ghosts = 0;
    for (let row = 0; row < 500; row += 5) {
      for (let col = 0; col < 450; col += 5) {
        const [x, y] = [40_000 * col - 9_000_000, 14_000_000 - 40_000 * row];
        const [lon, lat] = toLonLat(x, y);
        const [bx, by] = back(lon, lat);
        if (Math.abs(bx - x) < 1 && Math.abs(by - y) < 1) continue;
        ghosts++;
        const p = { x: col, y: row };
        transform(p);
        expect(p.x).toBeNaN();
      }
    }
    expect(ghosts).toBeGreaterThan(100);
  });
});

describe('stepsAt', () => {
  it('is how far a target pixel goes in the source', async () => {
    const [, target, source] = PAIRS[8]!;
    const steps = stepsAt(await pixelTransform(target, source), { x: 100, y: 100 })!;
    const det = 8 * -8 - 3 * 3;
    for (const [i, want] of [(-8 * 10) / det, (3 * 10) / det, (-3 * 10) / det, (-8 * 10) / det].entries()) {
      expect(steps[i]).toBeCloseTo(want, 5);
    }
    const nowhere = grid('EPSG:4326', [1, 0, 0, 0, 1, 91], 40, 40);
    expect(stepsAt(await pixelTransform(nowhere, source), { x: 1, y: 1 })).toBeNull();
  });
});

describe('footprints', () => {
  it('hold every pixel that has a place, and no more than a few hundredths of the side around', async () => {
    for (const [, target, source] of PAIRS) {
      const cells = cellsUnder(await pixelTransform(target, source), whole(target), source);
      const footprint = (await footprintOf(source, target))!;
      for (let at = 0; at < cells.length; at += CELL_VALUES) {
        const [x, y] = positionIn(cells, at, cells[at]! + 0.5, cells[at + 1]! + 0.5);
        if (!(x >= 0 && y >= 0 && x < source.width && y < source.height)) continue;
        expect(cells[at]).toBeGreaterThanOrEqual(footprint.col);
        expect(cells[at + 1]).toBeGreaterThanOrEqual(footprint.row);
        expect(cells[at]).toBeLessThan(footprint.col + footprint.width);
        expect(cells[at + 1]).toBeLessThan(footprint.row + footprint.height);
      }
    }
    const [, target, source] = PAIRS[8]!;
    expect(await footprintOf({ ...source, affine: [10, 0, 500_100, 0, -10, 5_699_900] }, target)).toEqual({
      col: 10,
      row: 10,
      width: 150,
      height: 150,
    });
  });

  it('are bounds in another CRS', async () => {
    const utm = grid('EPSG:32631', [10, 0, 500_000, 0, -10, 5_700_000], 100, 100);
    const bounds = (await boundsIn(utm, parseCrs('EPSG:4326')))!;
    expect(bounds.west).toBeCloseTo(3, 9);
    expect(bounds.north).toBeCloseTo(51.4512, 3);
    expect(await boundsIn(utm, utm.crs)).toEqual({ west: 500_000, south: 5_699_000, east: 501_000, north: 5_700_000 });
  });
});

describe('projector', () => {
  it('names what it cannot do', async () => {
    await expect(projector(parseCrs('EPSG:27700'))).rejects.toThrow(/EPSG:27700.*not known here/);
    const omerc = parseCrs('+proj=omerc +lat_0=4 +alpha=53 +gamma=53 +ellps=GRS80');
    await expect(projector(omerc)).rejects.toThrow(UnsupportedError);
    await expect(projector(parseCrs('+proj=robin +ellps=WGS84'))).rejects.toThrow(/robin is not supported/);
    await expect(projector(parseCrs('+proj=tmerc +lon_0=9 +R=6371000'))).rejects.toThrow(/tmerc/);
  });
  it('has a word for datums that differ', () => {
    expect(datumNote(parseCrs('EPSG:32631'), parseCrs('EPSG:3035'))).toMatch(/EPSG:32631 and EPSG:3035.*no shift/);
    expect(datumNote(parseCrs('EPSG:32631'), parseCrs('EPSG:4326'))).toBeNull();
    expect(datumNote(parseCrs('EPSG:27700'), parseCrs('EPSG:4326'))).toBeNull();
  });
});

const GDAL = spawnSync('gdaltransform', ['--version']).status === 0;

/** One CRS a method and kind, with the box of degrees in which it is looked at. */
const SYSTEMS: readonly [crs: string, box: readonly [number, number, number, number]][] = [
  ['EPSG:32631', [-6, -80, 12, 84]],
  ['EPSG:32755', [140, -80, 154, 0]],
  ['EPSG:2193', [165, -48, 180, -34]],
  ['+proj=tmerc +lat_0=49 +lon_0=-2 +k_0=0.9996 +x_0=400000 +y_0=-100000 +ellps=airy +units=us-ft', [-8, 50, 2, 60]],
  ['EPSG:3857', [-180, -84, 180, 84]],
  ['EPSG:3395', [-179, -80, 179, 80]],
  ['+proj=merc +lat_ts=30 +lon_0=20 +ellps=GRS80', [-150, -80, 190, 80]],
  ['EPSG:4087', [-179, -90, 179, 90]],
  ['EPSG:6933', [-179, -86, 179, 86]],
  ['EPSG:3035', [-30, 20, 60, 80]],
  ['EPSG:6931', [-180, 20, 180, 89]],
  ['EPSG:6932', [-180, -89, 180, -20]],
  ['+proj=laea +lat_0=0 +lon_0=20 +ellps=WGS84', [-40, -50, 80, 50]],
  ['+proj=laea +lat_0=45 +lon_0=-100 +R=6370997', [-160, 10, -50, 80]],
  ['EPSG:3034', [-20, 30, 40, 75]],
  ['+proj=lcc +lat_1=50 +lat_0=50 +lon_0=5 +k_0=0.9999 +ellps=WGS84', [-10, 30, 20, 70]],
  ['EPSG:5070', [-130, 20, -60, 55]],
  ['EPSG:3577', [110, -45, 155, -10]],
  ['+proj=aea +lat_1=30 +lat_2=30 +lat_0=23 +lon_0=-96 +R=6371000', [-130, 20, -60, 55]],
  ['+proj=eqdc +lat_0=39 +lon_0=-96 +lat_1=33 +lat_2=45 +ellps=GRS80', [-130, 20, -60, 55]],
  ['EPSG:3413', [-180, 45, 180, 89.9]],
  ['EPSG:3031', [-180, -89.9, 180, -45]],
  ['EPSG:5041', [-180, 80, 180, 89.9]],
  ['+proj=sinu +lon_0=0 +R=6371007.181', [-170, -80, 170, 80]],
  ['+proj=sinu +lon_0=20 +ellps=WGS84', [-140, -80, 170, 80]],
];

describe.skipIf(!GDAL)('the projector agrees with PROJ to a millimetre (gdaltransform)', () => {
  it.each(SYSTEMS)('%s', async (text, [west, south, east, north]) => {
    const crs = parseCrs(text);
    const projection = projectionOf(crs)!;
    const own = await projector(crs);
    const random = seeded(11);
    const degrees = Array.from({ length: 200 }, () => [
      west + random() * (east - west),
      south + random() * (north - south),
    ]);
    const ellipsoid = projOfProjection({ ...projection, method: 'longlat' });
    const theirs = execFileSync(
      'gdaltransform',
      ['-s_srs', ellipsoid, '-t_srs', projOfProjection(projection), '-output_xy'],
      { input: degrees.map((p) => p.join(' ')).join('\n'), encoding: 'utf8' },
    );
    const wanted = theirs
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    const { unitMetres } = projection;
    for (const [i, [lon, lat]] of degrees.entries()) {
      const p = { x: (lon! * Math.PI) / 180, y: (lat! * Math.PI) / 180 };
      own.fromRadians(p);
      expect(Math.abs(p.x - wanted[i]![0]!) * unitMetres).toBeLessThan(1e-3);
      expect(Math.abs(p.y - wanted[i]![1]!) * unitMetres).toBeLessThan(1e-3);
      own.toRadians(p);
      // A millimetre and a half is the noise of proj4's equal-area latitudes.
      const circles = (p.x * 180) / Math.PI - lon!;
      expect(Math.abs(circles - 360 * Math.round(circles / 360)) * Math.cos(p.y)).toBeLessThan(2e-8);
      expect(Math.abs((p.y * 180) / Math.PI - lat!)).toBeLessThan(2e-8);
    }
  });
});
