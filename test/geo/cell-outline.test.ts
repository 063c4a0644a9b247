import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CellPart, type Cells, outlineCells, ringArea } from '../../build/geo/cell-outline.js';
import { shortenOutlines } from '../../build/geo/cell-shortcut.js';

const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'from osgeo import ogr; assert ogr.GetGEOSVersionMajor() >= 3']).status === 0,
);

/** Cells as drawn: # is set. */
function cells(...rows: string[]): Cells {
  return {
    width: rows[0]!.length,
    height: rows.length,
    data: Uint8Array.from(rows.join(''), (c) => Number(c === '#')),
  };
}

const random = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: width * height, maxLength: width * height })
      .map((data): Cells => ({ width, height, data: Uint8Array.from(data) })),
  );

const ringsOf = (parts: readonly CellPart[]) => parts.flatMap(({ outer, holes }) => [outer, ...holes]);

function holds(parts: readonly CellPart[], x: number, y: number): boolean {
  let inside = false;
  for (const ring of ringsOf(parts))
    ring.forEach(([x0, y0], i) => {
      const [x1, y1] = ring[(i + 1) % ring.length]!;
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
    });
  return inside;
}

/** The set cells that hang together along edges, counted by flooding. */
function countParts({ width, height, data }: Cells): number {
  const left = new Set([...data.keys()].filter((cell) => data[cell] === 1));
  let count = 0;
  const flood = (col: number, row: number): void => {
    if (col < 0 || row < 0 || col >= width || row >= height || !left.delete(row * width + col)) return;
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const)
      flood(col + dx, row + dy);
  };
  for (const cell of data.keys()) {
    if (!left.has(cell)) continue;
    flood(cell % width, Math.floor(cell / width));
    count++;
  }
  return count;
}

describe('outlines', () => {
  it('of nothing, of one cell, of all', () => {
    expect(outlineCells(cells('..', '..'))).toEqual([]);
    expect(outlineCells(cells('..', '.#'))).toEqual([
      {
        outer: [
          [2, 1],
          [2, 2],
          [1, 2],
          [1, 1],
        ],
        holes: [],
      },
    ]);
    expect(outlineCells(cells('###', '###'))).toEqual([
      {
        outer: [
          [3, 0],
          [3, 2],
          [0, 2],
          [0, 0],
        ],
        holes: [],
      },
    ]);
  });

  it('have holes, and islands in them', () => {
    const parts = outlineCells(cells('#####', '#...#', '#.#.#', '#...#', '#####'));
    expect(parts.map(({ outer, holes }) => [ringArea(outer) / 2, holes.map((hole) => ringArea(hole) / 2)])).toEqual([
      [25, [-9]],
      [1, []],
    ]);
  });

  it('of cells that meet in a corner are two, and a ring that meets itself has a hole', () => {
    expect(outlineCells(cells('#.', '.#'))).toHaveLength(2);
    const [part, ...others] = outlineCells(cells('##.', '#.#', '###'));
    expect(others).toEqual([]);
    expect([ringArea(part!.outer), part!.holes.map(ringArea)]).toEqual([2 * 8, [-2]]);
  });

  it('hold the set cells and no others, in as many parts as there are', () => {
    fc.assert(
      fc.property(random, (grid) => {
        const parts = outlineCells(grid);
        expect(parts).toHaveLength(countParts(grid));
        for (const [cell, value] of grid.data.entries()) {
          const [col, row] = [cell % grid.width, Math.floor(cell / grid.width)];
          expect(holds(parts, col + 0.5, row + 0.5)).toBe(value === 1);
        }
        for (const { outer, holes } of parts) {
          expect(ringArea(outer)).toBeGreaterThan(0);
          for (const hole of holes) expect(ringArea(hole)).toBeLessThan(0);
          // Each corner once, and each a turn.
          for (const ring of [outer, ...holes]) {
            expect(new Set(ring.map(String)).size).toBe(ring.length);
            ring.forEach(([col, row], i) => {
              const [p, q] = [ring.at(i - 1)!, ring[(i + 1) % ring.length]!];
              expect((col - p[0]) * (q[0] - col) + (row - p[1]) * (q[1] - row) === 0).toBe(true);
            });
          }
        }
      }),
    );
  });
});

describe('shortened outlines', () => {
  const plain = (col: number, row: number) => [col, row] as const;

  it('of stairs are a line along their outer corners', () => {
    const stairs = cells('#....', '##...', '###..', '####.', '#####');
    expect(shortenOutlines(stairs, outlineCells(stairs), plain)).toEqual([
      {
        outer: [
          [1, 0],
          [5, 4],
          [5, 5],
          [0, 5],
          [0, 0],
        ],
        holes: [],
      },
    ]);
  });

  it('hold all set cells, and beyond them only parts of cells that touch one', () => {
    const offset = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    fc.assert(
      fc.property(random, offset, offset, (grid, dx, dy) => {
        const full = outlineCells(grid);
        const parts = shortenOutlines(grid, full, plain);
        const count = (all: readonly CellPart[]) => ringsOf(all).reduce((sum, ring) => sum + ring.length, 0);
        expect(count(parts)).toBeLessThanOrEqual(count(full));
        for (const [cell, value] of grid.data.entries()) {
          const [col, row] = [cell % grid.width, Math.floor(cell / grid.width)];
          const inside = holds(parts, col + dx, row + dy);
          if (value === 1) expect(inside).toBe(true);
          else if (inside) {
            const around = [...grid.data.keys()].filter(
              (k) =>
                grid.data[k] === 1 &&
                Math.abs((k % grid.width) - col) <= 1 &&
                Math.abs(Math.floor(k / grid.width) - row) <= 1,
            );
            expect(around).not.toEqual([]);
          }
        }
      }),
    );
  });

  it.skipIf(!PYTHON)('are valid polygons, and so are full ones (GEOS)', () => {
    const coordinates = fc.sample(random, { numRuns: 600, seed: 3 }).flatMap((grid) => {
      const full = outlineCells(grid);
      // The last column and row may be narrower.
      const narrow = (col: number, row: number) =>
        [Math.min(col, grid.width - 0.6), Math.min(row, grid.height - 0.3)] as const;
      const placed = (parts: CellPart[], place: typeof plain | typeof narrow) =>
        parts.map(({ outer, holes }) => [outer, ...holes].map((ring) => [...ring, ring[0]!].map((at) => place(...at))));
      return [
        placed(full, plain),
        placed(shortenOutlines(grid, full, plain), plain),
        placed(shortenOutlines(grid, full, narrow), narrow),
      ];
    });
    const script = [
      'import json, sys',
      'from osgeo import gdal, ogr',
      'gdal.PushErrorHandler("CPLQuietErrorHandler")',
      'all = json.load(sys.stdin)',
      'shapes = [ogr.CreateGeometryFromJson(json.dumps({"type": "MultiPolygon", "coordinates": c})) for c in all]',
      'print(json.dumps([c for c, shape in zip(all, shapes) if not shape.IsValid()]))',
    ].join('\n');
    const answer = execFileSync(PYTHON!, ['-c', script], { encoding: 'utf8', input: JSON.stringify(coordinates) });
    expect(JSON.parse(answer)).toEqual([]);
  });
});
