import { describe, expect, it } from 'vitest';
import { LON_LAT, parseCrs } from '../../build/geo/crs.js';
import { type Grid, targetGrid } from '../../build/geo/grid.js';
import { insideMask, parseBbox, regionOfBbox, regionOfGeoJson } from '../../build/geo/region.js';

const UTM31 = parseCrs('EPSG:32631');
const grid = (size: number, x: number, y: number, n = 10): Grid => ({
  crs: UTM31,
  affine: [size, 0, x, 0, -size, y],
  width: n,
  height: n,
});

describe('regions', () => {
  it('covers a bbox of degrees, edges bent as they must', async () => {
    // PROJ 9.5.1, 21 points an edge: the northern edge bulges beyond its corners.
    const { bounds, lonLatBounds } = await regionOfBbox([2, 50, 4, 51], { crs: UTM31 });
    expect(bounds.west).toBeCloseTo(428333.55, 0);
    expect(bounds.east).toBeCloseTo(571666.45, 0);
    expect(bounds.south).toBeCloseTo(5538630.7, 0);
    expect(lonLatBounds).toEqual([2, 50, 4, 51]);
  });

  it('needs no transform in the same CRS, even an unknown code', async () => {
    const crs = parseCrs('EPSG:27700');
    const region = await regionOfBbox([1, 2, 3, 4], { crs, from: crs });
    expect(region).toMatchObject({ bounds: { west: 1, south: 2, east: 3, north: 4 }, lonLatBounds: null });
  });

  it.each([
    ['10,0,5,1', /across the antimeridian, over 355°: is its east given as its west/],
    ['1,2,1,4', /empty/],
    ['500000,0,600000,1', /not in degrees, and no CRS/],
  ])('refuses the bbox %s', async (text, message) => {
    await expect(regionOfBbox(parseBbox(text), { crs: UTM31 })).rejects.toThrow(message);
  });

  it('covers areas across the antimeridian, in degrees beyond 180', async () => {
    const box = [179, -1, -178, 1] as const;
    const degrees = await regionOfBbox(box, { crs: LON_LAT });
    expect(degrees.bounds).toEqual({ west: 179, south: -1, east: 182, north: 1 });
    expect(degrees.lonLatBounds).toEqual(box);
    const rectangle = (west: number, east: number) => [
      [west, -1],
      [east, -1],
      [east, 1],
      [west, 1],
      [west, -1],
    ];
    const coordinates = [[rectangle(-180, -178)], [rectangle(179, 180)]];
    const parts = await regionOfGeoJson({ type: 'MultiPolygon', coordinates }, { crs: LON_LAT });
    expect(parts.bounds).toEqual(degrees.bounds);
    expect(parts.lonLatBounds).toEqual(box);
    expect(parts.polygons!.map(([ring]) => ring![0]![0])).toEqual([180, 179]);
    // UTM zone 1 begins at 180°, and goes on to the west of it.
    const utm = await regionOfBbox(box, { crs: parseCrs('EPSG:32601') });
    expect(utm.bounds.east - utm.bounds.west).toBeCloseTo(334_000, -3);
    expect(utm.lonLatBounds).toEqual(box);
    await expect(regionOfBbox(box, { crs: parseCrs('EPSG:3857') })).rejects.toThrow('both edges of EPSG:3857');
  });

  it('cuts by pixel centre: holes, several polygons, rings unclosed', async () => {
    const square = (a: number, b: number) => [
      [a, a],
      [b, a],
      [b, b],
      [a, b],
    ];
    const document = {
      type: 'Feature',
      geometry: { type: 'MultiPolygon', coordinates: [[square(1, 7), square(3, 5)], [square(7.6, 9)]] },
    };
    const region = await regionOfGeoJson(document, { crs: LON_LAT });
    const target: Grid = { crs: LON_LAT, affine: [1, 0, 0, 0, -1, 10], width: 10, height: 10 };
    const mask = insideMask(region, target, { col: 0, row: 0, width: 10, height: 10 });
    const inside = (x: number, y: number) =>
      (x > 1 && x < 7 && y > 1 && y < 7 && !(x > 3 && x < 5 && y > 3 && y < 5)) ||
      (x > 7.6 && x < 9 && y > 7.6 && y < 9);
    for (let row = 0; row < 10; row++)
      for (let col = 0; col < 10; col++)
        expect(mask[row * 10 + col], `${col},${row}`).toBe(inside(col + 0.5, 9.5 - row) ? 1 : 0);
    const part = insideMask(region, target, { col: 2, row: 3, width: 4, height: 5 });
    for (let row = 0; row < 5; row++)
      for (let col = 0; col < 4; col++) expect(part[row * 4 + col]).toBe(mask[(row + 3) * 10 + col + 2]);
  });

  it.each([
    [{ type: 'Point', coordinates: [1, 2] }, /Polygon/],
    [{ type: 'FeatureCollection', features: [] }, /no polygon/],
    [{ type: 'Polygon', coordinates: [[[1, 2]]] }, /fewer than 4/],
    [
      {
        type: 'Polygon',
        coordinates: [
          [
            [1, 2],
            [3, 'x'],
            [1, 2],
            [1, 2],
          ],
        ],
      },
      /pair of numbers/,
    ],
    [
      {
        type: 'Polygon',
        coordinates: [
          [
            [179, 0],
            [-179, 0],
            [-179, 1],
            [179, 1],
          ],
        ],
      },
      /cut in two, as GeoJSON has it/,
    ],
  ])('refuses the geometry %j', async (document, message) => {
    await expect(regionOfGeoJson(document, { crs: UTM31 })).rejects.toThrow(message);
  });
});

describe('targetGrid', () => {
  it('is the finest grid over the union', () => {
    const target = targetGrid({
      grids: [grid(20, 500_000, 5_600_000), grid(10, 500_000, 5_600_000), grid(10, 500_100, 5_600_050)],
    });
    expect(target).toEqual({ crs: UTM31, affine: [10, 0, 500_000, 0, -10, 5_600_050], width: 20, height: 25 });
  });
  it('snaps a region outward, without dust', () => {
    const target = targetGrid({
      grids: [grid(30, 284_985, 15)],
      bounds: { west: 284_985.000001, south: -31, east: 285_016, north: 16 },
    });
    expect(target).toMatchObject({ affine: [30, 0, 284_985, 0, -30, 45], width: 2, height: 3 });
  });
  it('anchors another resolution where the native lattice meets the origin', () => {
    const grids = [grid(30, 284_985, 15)];
    expect(targetGrid({ grids, resolution: [30, 30] })).toEqual(targetGrid({ grids }));
    expect(targetGrid({ grids, resolution: [60, 60] }).affine[2] % 60).toBe(15);
  });
  it('refuses what cannot be made', () => {
    const grids = [grid(10, 0, 0)];
    expect(() =>
      targetGrid({ grids, resolution: [1e-4, 1e-4], bounds: { west: 0, south: 0, east: 1e6, north: 1e6 } }),
    ).toThrow(/too large/);
    expect(() => targetGrid({ grids, resolution: [-10, 10] })).toThrow(/positive/);
    expect(() => targetGrid({ grids: [] })).toThrow(/--like/);
    expect(() => targetGrid({ grids, crs: LON_LAT })).toThrow(/metres.*EPSG:4326.*--res/);
  });
});
