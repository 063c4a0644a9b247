import { describe, expect, it } from 'vitest';
import { overlappingTiles, type PlanePolygon } from '../../build/geo/polygon-overlap.js';
import { seeded } from '../random.js';

type Ring = [number, number][];
const square = (x: number, y: number, side = 1): Ring => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
const lattice = (columns: number, rows: number): PlanePolygon[][] =>
  Array.from({ length: columns * rows }, (_, i) => [[square(i % columns, Math.floor(i / columns))]]);

const inside = (polygon: PlanePolygon, x: number, y: number): boolean => {
  let odd = false;
  for (const ring of polygon)
    for (const [i, [x1, y1]] of ring.entries()) {
      const [x0, y0] = ring[(i + ring.length - 1) % ring.length]!;
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
    }
  return odd;
};

describe('tiles that share ground', () => {
  it('are those inside, not those whose edge is touched', () => {
    const tiles = lattice(5, 4);
    expect(overlappingTiles(tiles, [[square(1, 1, 2)]])).toEqual([6, 7, 11, 12]);
    expect(overlappingTiles(tiles, [[square(1, 1)]])).toEqual([6]);
    expect(overlappingTiles(tiles, [[square(-3, -3, 3)]])).toEqual([]);
    expect(overlappingTiles(tiles, [[square(-9, -9, 30)]])).toHaveLength(20);
    expect(overlappingTiles(tiles, [])).toEqual([]);
    // Half of a tile, along its edges.
    expect(
      overlappingTiles(tiles, [
        [
          [
            [-5, 0],
            [0.5, 0],
            [0.5, 1],
            [-5, 1],
          ],
        ],
      ]),
    ).toEqual([0]);
  });

  it('are not those in a hole, nor those beside a thin one', () => {
    const tiles = lattice(5, 5);
    expect(overlappingTiles(tiles, [[square(0, 0, 5), square(1, 1, 3)]])).toHaveLength(16);
    expect(overlappingTiles(tiles, [[square(0, 0, 5), square(1.001, 1, 3)]])).toHaveLength(19);
  });

  it('may be slivers and corners', () => {
    const tiles = lattice(3, 3);
    expect(
      overlappingTiles(tiles, [
        [
          [
            [0.99, 0.99],
            [1.01, 1.01],
            [0.99, 1.01],
          ],
        ],
      ]),
    ).toEqual([0, 3, 4].sort((a, b) => a - b));
    const needle: Ring = [
      [0.5, 0.5],
      [2.5, 0.5 + 1e-6],
      [2.5, 0.5 + 2e-6],
    ];
    expect(overlappingTiles(tiles, [[needle]])).toEqual([0, 1, 2]);
  });

  it('are found as points in both say, of shapes that are not convex', () => {
    const random = seeded(5);
    for (let turn = 0; turn < 20; turn++) {
      // Curved tiles: a lattice whose lines bend, as in another CRS.
      const bend = ([x, y]: [number, number]): [number, number] => [x + 0.2 * Math.sin(y), y + 0.2 * Math.sin(x)];
      const tiles = lattice(6, 6)
        .map((tile) => tile[0]![0]!)
        .map((ring) => [
          [
            (ring as Ring).flatMap(([x, y], i) => {
              const [nx, ny] = ring[(i + 1) % 4]!;
              return Array.from({ length: 8 }, (_, k) => bend([x + ((nx - x) * k) / 8, y + ((ny - y) * k) / 8]));
            }),
          ],
        ]);
      const star: Ring = Array.from({ length: 14 }, (_, k) => {
        const [angle, r] = [(k / 14) * 2 * Math.PI, k % 2 ? 0.3 + random() : 1.5 + random()];
        return [3 + r * Math.cos(angle), 3 + r * Math.sin(angle)];
      });
      const found = overlappingTiles(tiles, [[star]]);
      const seen = tiles.map(([tile]) => {
        for (let k = 0; k < 4000; k++) {
          const [x, y] = [random() * 7 - 0.5, random() * 7 - 0.5];
          if (inside(tile!, x, y) && inside([star], x, y)) return true;
        }
        return false;
      });
      // What points find is found; what is found beyond that is less than points can hit.
      for (const [i, one] of seen.entries()) if (one) expect(found).toContain(i);
      expect(found.filter((i) => !seen[i]).length).toBeLessThanOrEqual(4);
    }
  });

  it('of a long coast are found in no time', () => {
    const coast: Ring = Array.from({ length: 400_000 }, (_, k) => {
      const angle = (k / 400_000) * 2 * Math.PI;
      const r = 20 + Math.sin(angle * 900);
      return [25 + r * Math.cos(angle), 25 + r * Math.sin(angle)];
    });
    const start = performance.now();
    const found = overlappingTiles(lattice(50, 50), [[coast]]);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(found.length).toBeGreaterThan(Math.PI * 19 * 19);
    expect(found.length).toBeLessThan(Math.PI * 23 * 23);
  });
});
