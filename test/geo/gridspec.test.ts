import { describe, expect, it } from 'vitest';
import { gridBounds } from '../../build/geo/grid.js';
import {
  GRID_NAMES,
  inTileRange,
  parseGridSpec,
  parseTileRange,
  regionCode,
  tileAt,
  tileGrid,
} from '../../build/geo/gridspec.js';
import { tileOutlines } from '../../build/geo/tile-outline.js';

describe('named grids', () => {
  it('are those of odc-stats', () => {
    expect(parseGridSpec('au_extended_30')).toEqual({
      name: 'au_extended_30',
      crs: { epsg: 3577, definition: null, geoKeys: null },
      originX: -4_416_000,
      originY: -6_912_000,
      resolutionX: 30,
      resolutionY: 30,
      width: 3200,
      height: 3200,
    });
    expect(parseGridSpec('albers_au_25')).toMatchObject({ originX: 0, resolutionX: 25, width: 4000 });
    expect(parseGridSpec('africa_10')).toMatchObject({ originX: -17_376_000, originY: -7_392_000, width: 9600 });
    expect(
      GRID_NAMES.map((name) => parseGridSpec(name)).every(({ width, resolutionX }) =>
        [96_000, 100_000].includes(width * resolutionX),
      ),
    ).toBe(true);
  });

  it('keep the spelling they were given', () => {
    expect(parseGridSpec('au-30')).toEqual({ ...parseGridSpec('au_30'), name: 'au-30' });
  });

  it('count rows upward: au_extended lies 18 tiles to the west and 15 to the south of au', () => {
    const [au, wide] = [parseGridSpec('au_30'), parseGridSpec('au_extended_30')];
    expect(tileGrid(wide, { x: 18 + 6, y: 15 + 25 })).toEqual(tileGrid(au, { x: 6, y: 25 }));
    const { west, south, east, north } = gridBounds(tileGrid(au, { x: 6, y: 25 }));
    expect([west, south]).toEqual([-2_688_000 + 6 * 96_000, -5_472_000 + 25 * 96_000]);
    expect([east - west, north - south]).toEqual([96_000, 96_000]);
    expect(tileAt(au, west + 1, south + 1)).toEqual({ x: 6, y: 25 });
    expect(tileAt(au, west - 1, north)).toEqual({ x: 5, y: 26 });
  });
});

describe('other grids', () => {
  it('are written as crs;resolution;pixels', () => {
    const grid = parseGridSpec('epsg:6933;10;9600');
    expect(grid).toMatchObject({ name: 'epsg:6933_10_9600', originX: 0, originY: 0, resolutionX: 10, width: 9600 });
    expect(parseGridSpec('epsg:6933;-10x20;9600x4800')).toMatchObject({
      resolutionY: 10,
      resolutionX: 20,
      height: 9600,
      width: 4800,
    });
  });

  it('or as JSON', () => {
    const text = JSON.stringify({
      name: 'mine',
      crs: 'EPSG:32631',
      resolution: [-10, 10],
      shape: [100, 200],
      origin: [5, 7],
    });
    expect(parseGridSpec(text)).toEqual({
      name: 'mine',
      crs: { epsg: 32631, definition: null, geoKeys: null },
      originX: 7,
      originY: 5,
      resolutionX: 10,
      resolutionY: 10,
      width: 200,
      height: 100,
    });
  });

  it.each([
    ['au_15', /no grid is called "au_15": wanted au, au_extended/],
    ['epsg:6933;0;100', /positive resolution/],
    ['epsg:6933;10;1e9', /1 to 65536 px/],
    ['epsg:6933;10;abc', /1 to 65536 px/],
    ['nothing;10;100', /not a CRS/],
    ['{"crs":', /not JSON/],
    ['{"resolution":1}', /needs "crs"/],
  ])('refuses %j', (text, message) => {
    expect(() => parseGridSpec(text)).toThrow(message);
  });
});

describe('tile ranges', () => {
  it('are half-open', () => {
    const range = parseTileRange('5:7,-2:0');
    expect(
      [
        { x: 5, y: -2 },
        { x: 6, y: -1 },
        { x: 7, y: -1 },
        { x: 5, y: 0 },
      ].map((tile) => inTileRange(tile, range)),
    ).toEqual([true, true, false, false]);
    expect(parseTileRange('5,6')).toEqual({ x0: 5, x1: 6, y0: 6, y1: 7 });
  });
  it.each(['', '1:2', '1:2,3:4,5:6', '2:1,0:1', 'a:b,0:1', '1:1,0:1'])('refuses %j', (text) => {
    expect(() => parseTileRange(text)).toThrow(/tiles/);
  });
  it('have codes as theirs', () => {
    expect(regionCode({ x: 7, y: 28 }, 2)).toBe('x07y28');
    expect(regionCode({ x: -7, y: 28 }, 3)).toBe('x-07y028');
  });
});

describe('outlines of tiles', () => {
  it('say the hours from UTC as odc-stats', async () => {
    const hours = async (name: string, x: number, y: number) =>
      (await tileOutlines(parseGridSpec(name))).solarOffsetHours({ x, y });
    expect(await hours('au_30', 28, 30)).toBe(9);
    expect(await hours('au_30', 6, 25)).toBe(7);
    // Truncated towards zero: 100° W is −6.67 h + 0.5.
    expect(await hours('epsg:6933;1000;100', -97, 0)).toBe(-6);
  });

  it('end at the pole where the plane goes on', async () => {
    const outlines = await tileOutlines(parseGridSpec('global_10'));
    const tile = { x: 181, y: 0 };
    const [, south, , north] = outlines.boundsOf(tile);
    expect([Math.round(south), Math.round(north)]).toEqual([-90, -84]);
    expect([outlines.outlineOf(tile).type, outlines.solarOffsetHours(tile)]).toEqual(['Polygon', 0]);
  });

  it('are two across the antimeridian', async () => {
    const outlines = await tileOutlines(parseGridSpec('pacific_10'));
    const tile = { x: 66, y: 40 };
    const { type, coordinates } = outlines.outlineOf(tile);
    expect(type).toBe('MultiPolygon');
    const lons = (coordinates as number[][][][]).map((part) => part[0]!.map(([lon]) => lon!));
    expect(lons.flat().every((lon) => lon >= -180 && lon <= 180)).toBe(true);
    expect(lons.map((part) => Math.max(...part) - Math.min(...part)).every((span) => span < 1)).toBe(true);
    const [west, , east] = outlines.boundsOf(tile);
    expect(west).toBeGreaterThan(179);
    expect(east).toBeLessThan(-179);
    expect(outlines.outlineOf({ x: 60, y: 40 }).type).toBe('Polygon');
  });
});
