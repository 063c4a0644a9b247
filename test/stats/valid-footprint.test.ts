import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grid, GroundPolygons, Window } from '../../build/geo/grid.js';
import type { NumericArray } from '../../build/io/raster.js';
import { footprintLattice } from '../../build/stats/valid-footprint.js';
import { seeded } from '../random.ts';

const crs = { epsg: 3577, definition: null, geoKeys: null };

function gridOf(width: number, height: number, affine: Grid['affine'] = [30, 0, 1000, 0, -30, 2000]): Grid {
  return { crs, affine, width, height };
}

function cut(data: Uint8Array, width: number, window: Window): Uint8Array {
  return Uint8Array.from({ length: window.width * window.height }, (_, i) => {
    const [x, y] = [i % window.width, Math.floor(i / window.width)];
    return data[(window.row + y) * width + window.col + x]!;
  });
}

function footprintOf(grid: Grid, data: NumericArray, nodata: number | null = 0): GroundPolygons {
  const footprint = footprintLattice(grid);
  footprint.add({ col: 0, row: 0, width: grid.width, height: grid.height }, { data, nodata });
  return footprint.polygons();
}

/** Whether pixel coordinates lie in the polygons. */
function holds(polygons: GroundPolygons, grid: Grid, col: number, row: number): boolean {
  const [a, b, c, d, e, f] = grid.affine;
  const [x, y] = [a * col + b * row + c, d * col + e * row + f];
  let inside = false;
  for (const ring of polygons.flat())
    for (let i = 0; i + 1 < ring.length; i++) {
      const [x0, y0] = ring[i] as [number, number];
      const [x1, y1] = ring[i + 1] as [number, number];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
    }
  return inside;
}

const area = (ring: readonly (readonly number[])[]) =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + (ring[i]![0]! * y! - x! * ring[i]![1]!) / 2, 0);

describe('footprints', () => {
  it('of nothing are empty', () => {
    expect(footprintLattice(gridOf(700, 20)).polygons()).toEqual([]);
    expect(footprintOf(gridOf(3, 2), Int16Array.of(-1, -1, -1, -1, -1, -1), -1)).toEqual([]);
    expect(footprintOf(gridOf(2, 1), Float32Array.of(Number.NaN, Number.NaN), null)).toEqual([]);
  });

  it.each([
    [1, 1],
    [3200, 3200],
    [1025, 3],
    [5000, 1234],
  ])('of all of %i × %i px are its four corners, counter-clockwise', (width, height) => {
    const polygons = footprintOf(gridOf(width, height), new Uint8Array(width * height).fill(1));
    expect(polygons).toHaveLength(1);
    const [ring, ...holes] = polygons[0]!;
    expect(holes).toEqual([]);
    const [east, south] = [1000 + 30 * width, 2000 - 30 * height];
    expect([...ring!].slice(1).sort()).toEqual(
      [
        [1000, 2000],
        [east, 2000],
        [east, south],
        [1000, south],
      ].sort(),
    );
    expect(ring![0]).toEqual(ring!.at(-1));
    expect(area(ring!)).toBe(900 * width * height);
  });

  it('have holes the other way round, and islands', () => {
    const at = (x: number, y: number) => {
      const far = Math.max(Math.abs(x - 20), Math.abs(y - 20));
      return far <= 15 && (far > 8 || far <= 3) ? 1 : 0;
    };
    const grid = gridOf(50, 45);
    const polygons = footprintOf(
      grid,
      Uint8Array.from({ length: 50 * 45 }, (_, i) => at(i % 50, Math.floor(i / 50))),
    );
    const areas = polygons.map((rings) => rings.map((ring) => Math.round(area(ring) / 900)));
    expect(areas).toEqual([[31 * 31, -17 * 17], [7 * 7]]);
  });

  it('turn with the grid', () => {
    const data = Uint8Array.of(1, 0, 0, 0, 0, 0);
    for (const affine of [
      [10, 0, 0, 0, -10, 0],
      [10, 0, 0, 0, 10, 0],
      [6, 8, 100, 8, -6, 50],
    ] as const) {
      const [[ring]] = footprintOf(gridOf(3, 2, affine), data) as [[number[][]]];
      expect(area(ring)).toBeCloseTo(100, 9);
    }
  });

  it('do not depend on blocks and their order', () => {
    const random = seeded(4);
    const grid = gridOf(1500, 700);
    const data = Uint8Array.from({ length: 1500 * 700 }, (_, i) => {
      const [x, y] = [i % 1500, Math.floor(i / 1500)];
      return (x - 700) ** 2 + (2 * y - 600) ** 2 < 400 ** 2 ? 1 : 0;
    });
    const whole = footprintOf(grid, data);
    for (const [stepX, stepY] of [
      [400, 333],
      [97, 64],
    ] as const) {
      const footprint = footprintLattice(grid);
      const windows: Window[] = [];
      for (let row = 0; row < 700; row += stepY)
        for (let col = 0; col < 1500; col += stepX)
          windows.push({ col, row, width: Math.min(stepX, 1500 - col), height: Math.min(stepY, 700 - row) });
      for (const window of windows.sort(() => random() - 0.5))
        footprint.add(window, { data: cut(data, 1500, window), nodata: 0 });
      expect(footprint.polygons()).toEqual(whole);
    }
    // A round outline in cells of 3 px.
    expect(whole.flat()[0]!.length).toBeLessThan(80);
  });

  it('hold every valid pixel, and nothing that is further from one than two cells', () => {
    const shape = fc.record({
      width: fc.integer({ min: 1, max: 1100 }),
      height: fc.integer({ min: 1, max: 40 }),
      angle: fc.double({ min: -1, max: 1, noNaN: true }),
      breadth: fc.integer({ min: 1, max: 30 }),
      gaps: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(shape, ({ width, height, angle, breadth, gaps }) => {
        const grid = gridOf(width, height);
        const data = Uint8Array.from({ length: width * height }, (_, i) => {
          const along = (i % width) + angle * Math.floor(i / width);
          return ((along % (10 * (breadth + gaps))) + width) % (10 * (breadth + gaps)) < 10 * breadth ? 1 : 0;
        });
        const polygons = footprintOf(grid, data);
        const reach = 2 * Math.ceil(Math.max(width, height) / 512);
        for (let i = 0; i < data.length; i += 7) {
          const [x, y] = [i % width, Math.floor(i / width)];
          const inside = holds(polygons, grid, x + 0.5, y + 0.5);
          if (data[i] === 1) expect(inside).toBe(true);
          else if (inside) {
            const window = { col: Math.max(0, x - reach), row: Math.max(0, y - reach), width: 0, height: 0 };
            window.width = Math.min(width, x + reach + 1) - window.col;
            window.height = Math.min(height, y + reach + 1) - window.row;
            expect(cut(data, width, window)).toContain(1);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('of scattered pixels are outlined in larger cells, with few corners', () => {
    const random = seeded(8);
    const grid = gridOf(600, 600);
    const data = Uint8Array.from({ length: 360_000 }, () => (random() < 0.01 ? 1 : 0));
    const polygons = footprintOf(grid, data);
    expect(polygons.flat().reduce((sum, ring) => sum + ring.length - 1, 0)).toBeLessThanOrEqual(1000);
    data.forEach((value, i) => {
      if (value) expect(holds(polygons, grid, (i % 600) + 0.5, Math.floor(i / 600) + 0.5)).toBe(true);
    });
  });
});
