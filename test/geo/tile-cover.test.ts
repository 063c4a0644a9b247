import type { Polygon } from 'geojson';
import { describe, expect, it } from 'vitest';
import { lonLatToCrs } from '../../build/geo/crs.js';
import { type GridSpec, parseGridSpec, tileAt } from '../../build/geo/gridspec.js';
import { tileCover } from '../../build/geo/tile-cover.js';
import { seeded } from '../random.js';

const box = (west: number, south: number, east: number, north: number): Polygon => ({
  type: 'Polygon',
  coordinates: [
    [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  ],
});

/** Tiles that points strewn over a convex polygon fall into. */
async function strewn(spec: GridSpec, corners: [number, number][], count: number): Promise<Set<string>> {
  const toCrs = await lonLatToCrs(spec.crs);
  const random = seeded(7);
  const found = new Set<string>();
  for (let i = 0; i < count; i++) {
    const weights = corners.map(() => -Math.log(1 - random()));
    const sum = weights.reduce((a, b) => a + b);
    const [lon, lat] = [0, 1].map((k) => corners.reduce((at, corner, j) => at + (weights[j]! / sum) * corner[k]!, 0));
    const { x, y } = tileAt(spec, ...toCrs(lon!, lat!));
    found.add(`${x}/${y}`);
  }
  return found;
}

describe('tileCover', () => {
  it('finds all tiles that points of a polygon lie in, and few others', async () => {
    const spec = parseGridSpec('au_30');
    const { tilesOf } = await tileCover(spec);
    const corners: [number, number][] = [
      [130.1, -25.2],
      [132.3, -25.6],
      [133.4, -23.1],
      [131, -22.4],
    ];
    const tiles = tilesOf({ type: 'Polygon', coordinates: [[...corners, corners[0]!]] }).map(({ x, y }) => `${x}/${y}`);
    const expected = await strewn(spec, corners, 200_000);
    expect([...expected].filter((tile) => !tiles.includes(tile))).toEqual([]);
    // Slivers may have been missed by all points.
    expect(tiles.length - expected.size).toBeLessThanOrEqual(2);
  });

  it('counts no tile that is only touched', async () => {
    const { tilesOf } = await tileCover(parseGridSpec('epsg:4326;0.01;100'));
    expect(tilesOf(box(10, 20, 12, 21))).toEqual([
      { x: 10, y: 20 },
      { x: 11, y: 20 },
    ]);
    expect(tilesOf(box(10.2, 20.2, 10.3, 20.3))).toEqual([{ x: 10, y: 20 }]);
  });

  it('leaves out tiles inside of holes', async () => {
    const { tilesOf } = await tileCover(parseGridSpec('epsg:4326;0.01;100'));
    const [outer] = box(0, 0, 5, 5).coordinates;
    const [hole] = box(0.5, 0.5, 4.5, 4.5).coordinates;
    const tiles = tilesOf({ type: 'Polygon', coordinates: [outer!, hole!] });
    expect(tiles.length).toBe(16);
    expect(tiles).not.toContainEqual({ x: 2, y: 2 });
  });

  it.each([
    [
      'split',
      {
        type: 'MultiPolygon' as const,
        coordinates: [box(179, -17, 180, -16).coordinates, box(-180, -17, -179, -16).coordinates],
      },
    ],
    ['beyond 180', box(179, -17, 181, -16)],
    [
      'as it jumps',
      {
        type: 'Polygon' as const,
        coordinates: [
          [
            [179, -17],
            [-179, -17],
            [-179, -16],
            [179, -16],
            [179, -17],
          ],
        ],
      },
    ],
  ])('goes over the antimeridian: %s', async (_, geometry) => {
    const pacific = (await tileCover(parseGridSpec('pacific_10'))).tilesOf(geometry);
    const xs = pacific.map(({ x }) => x);
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([64, 67]);
    expect(pacific.length).toBe(new Set(xs).size * new Set(pacific.map(({ y }) => y)).size);
    // A plane that is cut there has them at both of its ends.
    const world = (await tileCover(parseGridSpec('global_10'))).tilesOf(geometry);
    expect(new Set(world.map(({ x }) => x))).toEqual(new Set([0, 1, 360, 361]));
  });

  it.each([
    [{ type: 'Point', coordinates: [0, 0] }, /Polygon or MultiPolygon, not "Point"/],
    [
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 1],
          ],
        ],
      },
      /fewer than 4/,
    ],
    [
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1, 1],
            [2, 300],
            [0, 0],
          ],
        ],
      },
      /no longitude and latitude/,
    ],
    [box(-179, -80, 179, 80), /more than 1000000 tiles/],
  ])('refuses %j', async (geometry, message) => {
    const { tilesOf } = await tileCover(parseGridSpec('epsg:4326;0.0001;10'));
    expect(() => tilesOf(geometry as never)).toThrow(message);
  });
});
