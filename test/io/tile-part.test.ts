import { describe, expect, it } from 'vitest';
import { openCog } from '../../build/io/cog.js';
import { memoryStore } from '../../build/io/memory.js';
import { seeded } from '../random.js';
import { type BuiltTiff, buildTiff } from './tiff-builder.js';

const [width, height] = [23, 19];

function tiff(form: Partial<BuiltTiff>, nBand: number): Uint8Array {
  const random = seeded(nBand + (form.bits ?? 8));
  const most = form.format === 3 ? 1000 : Math.min(2 ** (form.bits ?? 8), 2 ** 31) - 1;
  const bands = Array.from({ length: nBand }, () =>
    Array.from({ length: width * height }, () => Math.floor(random() * most)),
  );
  return buildTiff({ width, height, bands, ...form });
}

const FORMS: [string, Partial<BuiltTiff>, number][] = [
  ['raw strips', { tile: [5] }, 3],
  ['deflated strips', { tile: [1], compression: 8, bits: 32 }, 4],
  ['deflated tiles', { tile: [16, 16], compression: 8, bits: 16 }, 2],
  ['horizontal differences', { tile: [16, 16], compression: 8, bits: 16, predictor: 2 }, 3],
  ['floats with their predictor', { tile: [6], compression: 8, bits: 32, format: 3, predictor: 3 }, 2],
  ['big-endian samples', { tile: [16, 16], compression: 8, bits: 32, little: false }, 2],
  ['planar blocks', { tile: [4], compression: 8, bits: 16, planar: true }, 3],
  ['one band', { tile: [16, 16], compression: 8, bits: 16 }, 1],
  ['odd bits', { tile: [19], bits: 5 }, 1],
];

describe('part of a block', () => {
  it.each(FORMS)('of %s holds the pixels that are wanted', async (_, form, nBand) => {
    const raster = await openCog('f', { store: memoryStore(new Map([['f', tiff(form, nBand)]])) });
    const bands = Array.from({ length: nBand }, (_, b) => b);
    const level = raster.header.levels[0]!;
    for (let row = 0; row < level.tilesDown; row++) {
      const ref = { level: 0, col: level.tilesAcross - 1, row };
      const whole: unknown[][] = [];
      await raster.readTile(ref, bands, (plane, i) => {
        whole[i] = [...plane];
      });
      const { tileWidth: w, tileHeight: h } = level;
      const windows = [
        [0, 0, 1, 1],
        [1, 0, 2, 1],
        [w - 1, h - 1, 1, 1],
        [0, h - 1, w, 1],
        [3, h >> 1, 5, h - (h >> 1)],
        [0, 0, w, h],
      ] as const;
      for (const [col, top, across, down] of windows) {
        const within = { col, row: top, width: across, height: down };
        const cut = (plane: ArrayLike<unknown>) => {
          const out: unknown[] = [];
          // The last rows of a last strip are not in the file.
          for (let y = top; y < Math.min(top + down, level.height - row * h); y++)
            for (let x = col; x < col + across; x++) out.push(plane[y * w + x]);
          return out;
        };
        const seen: unknown[][] = [];
        const take = (plane: ArrayLike<unknown>, i: number) => {
          seen[i] = cut(plane);
        };
        await raster.readTile(ref, bands, take, { within });
        expect(seen).toEqual(whole.map(cut));
      }
    }
  });

  it('that is corrupt is refused where it is looked at', async () => {
    const bytes = tiff({ tile: [19], compression: 8, bits: 32 }, 4);
    const raster = await openCog('f', { store: memoryStore(new Map([['f', bytes]])) });
    bytes.fill(0xff, 16, 400);
    const ref = { level: 0, col: 0, row: 0 };
    await expect(
      raster.readTile(ref, [0], () => {}, { within: { col: 0, row: 0, width: 9, height: 9 } }),
    ).rejects.toThrow(/corrupt|checksum/);
    await expect(raster.readTile(ref, [0], () => {})).rejects.toThrow(/corrupt|checksum/);
  });
});
