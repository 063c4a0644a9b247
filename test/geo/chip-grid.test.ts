import { describe, expect, it } from 'vitest';
import { CHIP_GRIDS, chipsOfTile, InputError, near, snap } from '../../build/node.js';

const { conus, alaska, hawaii } = CHIP_GRIDS;

describe('grids of chips', () => {
  // Answers of LCMAP's raster service.
  it.each([
    [0, 0, { h: 17, v: 22, x: -15585, y: 14805 }, { h: 855, v: 1104, x: -585, y: 2805 }],
    [-590, 2806, null, { h: 854, v: 1103, x: -3585, y: 5805 }],
    [-2094585, 1952805, { h: 3, v: 9, x: -2115585, y: 1964805 }, { h: 157, v: 454, x: -2094585, y: 1952805 }],
    [-183585, 302805, { h: 15, v: 20, x: -315585, y: 314805 }, { h: 794, v: 1004, x: -183585, y: 302805 }],
  ] as const)('snap (%d, %d) as LCMAP does', (x, y, tile, chip) => {
    const found = snap(conus, { x, y });
    expect(found.chip).toEqual(chip);
    if (tile) expect(found.tile).toEqual(tile);
  });

  it('begin at the upper-left corner of their first tile', () => {
    for (const grid of [conus, alaska, hawaii]) {
      const first = { h: 0, v: 0, x: grid.originX, y: grid.originY };
      expect(snap(grid, { x: grid.originX, y: grid.originY })).toEqual({ tile: first, chip: first });
      expect(snap(grid, { x: grid.originX - 1, y: grid.originY + 1 }).tile).toMatchObject({ h: -1, v: -1 });
    }
    expect(alaska).toMatchObject({ originX: -851715, originY: 2474325 });
    expect(hawaii).toMatchObject({ originX: -444345, originY: 2168895 });
    // The far corner of CONUS: 33 × 22 tiles.
    expect(snap(conus, { x: 2384414, y: 14806 }).tile).toMatchObject({ h: 32, v: 21 });
  });

  it('give the nine around a point, x ascending and then y', () => {
    const { tile, chip } = near(conus, { x: 0, y: 0 });
    expect(chip.map(({ x, y }) => [x, y])).toEqual(
      [-3585, -585, 2415].flatMap((x) => [-195, 2805, 5805].map((y) => [x, y])),
    );
    expect(tile.map(({ h, v }) => [h, v])).toEqual([16, 17, 18].flatMap((h) => [23, 22, 21].map((v) => [h, v])));
    for (const cell of chip) expect(snap(conus, { x: cell.x, y: cell.y }).chip).toEqual(cell);
  });

  it('list the chips of a tile row by row', () => {
    const chips = chipsOfTile(conus, { h: 3, v: 9 });
    expect(chips).toHaveLength(2500);
    expect(chips[0]).toEqual({ h: 150, v: 450, x: -2115585, y: 1964805 });
    expect(chips[51]).toEqual({ h: 151, v: 451, x: -2112585, y: 1961805 });
    expect(new Set(chips.map(({ h, v }) => `${h} ${v}`)).size).toBe(2500);
    for (const { x, y } of chips) expect(snap(conus, { x: x + 1, y: y - 1 }).tile).toMatchObject({ h: 3, v: 9 });
  });

  it('refuse points that are none', () => {
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      expect(() => snap(conus, { x, y: 0 })).toThrow(InputError);
    }
  });
});
