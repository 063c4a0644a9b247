import { describe, expect, it } from 'vitest';
import type { Raster, SampleArray } from '../../build/io/raster.js';
import { readWindow } from '../../build/io/window.js';
import { copyTile } from '../fixture/copy-tile.js';

/** What every raster must do, whatever its format. `truth` gives the value of a pixel of full resolution. */
export function rasterSuite(
  name: string,
  open: () => Promise<Raster>,
  truth: (band: number, col: number, row: number) => number,
): void {
  describe(`${name}: the contract of a raster`, () => {
    it('has consistent levels, from fine to coarse', async () => {
      const { header } = await open();
      expect(header.levels[0]).toMatchObject({ width: header.width, height: header.height });
      header.levels.forEach((level, i) => {
        expect(level.tilesAcross).toBe(Math.ceil(level.width / level.tileWidth));
        expect(level.tilesDown).toBe(Math.ceil(level.height / level.tileHeight));
        if (i > 0) expect(level.width).toBeLessThan(header.levels[i - 1]!.width);
      });
    });

    it('gives whole tiles of the dtype, the same each time', async () => {
      const raster = await open();
      const { tileWidth, tileHeight } = raster.header.levels[0]!;
      const [first] = await copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
      expect(first).toHaveLength(tileWidth * tileHeight);
      const [again] = await copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
      expect(again).toEqual(first);
    });

    it('lends the right tile to each of many who read at once', async () => {
      const raster = await open();
      const { tilesAcross, tilesDown } = raster.header.levels[0]!;
      const refs = Array.from({ length: Math.min(40, tilesAcross * tilesDown) }, (_, i) => {
        return { level: 0, col: i % tilesAcross, row: Math.floor(i / tilesAcross) };
      });
      const all = raster.header.bands.map((_, i) => i);
      const alone: SampleArray[][] = [];
      for (const ref of refs) alone.push(await copyTile(raster, ref, all));
      expect(await Promise.all(refs.map((ref) => copyTile(raster, ref, all)))).toEqual(alone);
    });

    it('throws what the taker throws, as it is', async () => {
      const raster = await open();
      const own = new Error('the taker failed');
      const take = () => {
        throw own;
      };
      await expect(raster.readTile({ level: 0, col: 0, row: 0 }, [0], take)).rejects.toBe(own);
    });

    it('gives bands in the order asked for, also twice the same', async () => {
      const raster = await open();
      const last = raster.header.bands.length - 1;
      const [p, q, r] = await copyTile(raster, { level: 0, col: 0, row: 0 }, [last, 0, last]);
      expect(Number(p![0])).toBe(truth(last, 0, 0));
      expect(Number(q![0])).toBe(truth(0, 0, 0));
      expect(r).toEqual(p);
    });

    it('reads windows inside, across the edge and outside', async () => {
      const raster = await open();
      const { width, height, bands } = raster.header;
      const all = bands.map((_, i) => i);
      for (const window of [
        { col: 0, row: 0, width, height },
        { col: 1, row: 1, width: 2, height: 1 },
        { col: -2, row: height - 2, width: 5, height: 4 },
        { col: width + 1, row: 0, width: 2, height: 2 },
      ]) {
        const arrays = await readWindow(raster, { level: 0, window, bands: all });
        for (const band of all) {
          for (let i = 0; i < window.width * window.height; i++) {
            const col = window.col + (i % window.width);
            const row = window.row + Math.floor(i / window.width);
            const inside = col >= 0 && row >= 0 && col < width && row < height;
            expect(Number(arrays[band]![i])).toBe(inside ? truth(band, col, row) : (bands[band]!.nodata ?? 0));
          }
        }
      }
    });

    it('refuses tiles, levels and bands that are not there, and stops when told', async () => {
      const raster = await open();
      const wrong = { name: 'InputError' };
      await expect(copyTile(raster, { level: 99, col: 0, row: 0 }, [0])).rejects.toMatchObject(wrong);
      await expect(copyTile(raster, { level: 0, col: -1, row: 0 }, [0])).rejects.toMatchObject(wrong);
      await expect(copyTile(raster, { level: 0, col: 0, row: 99999 }, [0])).rejects.toMatchObject(wrong);
      await expect(copyTile(raster, { level: 0, col: 0, row: 0 }, [99])).rejects.toMatchObject(wrong);
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(copyTile(raster, { level: 0, col: 0, row: 0 }, [0], { signal })).rejects.toThrow('enough');
    });

    it('knows how many bytes a tile has', async () => {
      expect(await (await open()).tileBytes({ level: 0, col: 0, row: 0 }, 0)).toBeGreaterThan(0);
    });
  });
}
