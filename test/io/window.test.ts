import { describe, expect, it } from 'vitest';
import type { Raster, RasterHeader } from '../../build/io/raster.js';
import { chooseLevel, readWindow } from '../../build/io/window.js';
import { rasterSuite } from './raster-suite.js';

const crs = { epsg: 32631, definition: null, geoKeys: null };

/** A raster without a file: a pixel is 100 × row + col + band. */
function madeUp(): { raster: Raster; decoded: string[] } {
  const [width, height, tile] = [23, 10, 4];
  const level = { width, height, tileWidth: tile, tileHeight: tile, tilesAcross: 6, tilesDown: 3, planar: false };
  const band = { dtype: 'i32' as const, nodata: -1, scale: 1, offset: 0, name: null };
  const header: RasterHeader = {
    url: 'made-up',
    grid: null,
    width,
    height,
    bands: [band, band],
    levels: [level],
    fileBytes: null,
  };
  const decoded: string[] = [];
  const raster: Raster = {
    header,
    async readTile({ level, col, row }, bands, take, { signal } = {}) {
      signal?.throwIfAborted();
      const wrong = level !== 0 || col < 0 || row < 0 || col > 5 || row > 2 || bands.some((b) => b > 1);
      if (wrong) throw Object.assign(new Error('no such tile'), { name: 'InputError' });
      decoded.push(`${col},${row}`);
      for (const [at, b] of bands.entries()) {
        const plane = Int32Array.from({ length: tile * tile }, (_, i) => {
          return 100 * (row * tile + Math.floor(i / tile)) + col * tile + (i % tile) + b;
        });
        take(plane, at);
      }
    },
    tileBytes: async () => 1,
    close: async () => {},
  };
  return { raster, decoded };
}

rasterSuite(
  'a raster in memory',
  async () => madeUp().raster,
  (band, col, row) => 100 * row + col + band,
);

describe('windows', () => {
  it('decode each tile once, and only those they touch', async () => {
    const { raster, decoded } = madeUp();
    await readWindow(raster, { level: 0, window: { col: 3, row: 4, width: 6, height: 4 }, bands: [0, 1] });
    expect(decoded).toEqual(['0,1', '1,1', '2,1']);
  });

  it('that are nothing, or not of whole pixels, are refused', async () => {
    const { raster } = madeUp();
    for (const window of [
      { col: 0, row: 0, width: 0, height: 1 },
      { col: 0.5, row: 0, width: 1, height: 1 },
      { col: 0, row: 0, width: 2 ** 20, height: 2 ** 20 },
    ]) {
      await expect(readWindow(raster, { level: 0, window, bands: [0] })).rejects.toMatchObject({ name: 'InputError' });
    }
  });
});

describe('the choice of a level', () => {
  const sizes = [1001, 501, 251, 126];
  const header = {
    ...madeUp().raster.header,
    width: 1001,
    height: 1001,
    grid: { crs, affine: [10, 0, 0, 0, -10, 0], width: 1001, height: 1001 } as const,
    levels: sizes.map((n) => ({
      width: n,
      height: n,
      tileWidth: 64,
      tileHeight: 64,
      tilesAcross: 1,
      tilesDown: 1,
      planar: false,
    })),
  };

  it('is the coarsest that is as fine as the target', () => {
    const of = (resolution: number) => chooseLevel(header, [resolution, resolution]);
    expect([5, 10, 19, 20, 39, 40, 75, 80, 1000].map(of)).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
    expect(chooseLevel(header, [80, 10])).toBe(0);
  });

  it('is full resolution without a place on the ground', () => {
    expect(chooseLevel({ ...header, grid: null }, [80, 80])).toBe(0);
  });
});
