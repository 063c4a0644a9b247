import { describe, expect, it } from 'vitest';
import { openByteSource } from '../../build/io/byte-source.js';
import { readCodestream } from '../../build/io/codestream.js';
import { tileIndex } from '../../build/io/codestream-index.js';
import { leadingPackets, lendTile } from '../../build/io/codestream-tile.js';
import { codecMeter } from '../../build/io/jp2-codec.js';
import { openRaster } from '../../build/io/open-raster.js';
import { chooseLevel, readWindow } from '../../build/io/window.js';
import { copyTile } from '../fixture/copy-tile.js';
import { HEIGHT, JP2, jp2Bytes, notedStore, openBytes, WIDTH } from '../fixture/jp2.js';
import { halved } from '../reference/wavelet.js';
import { rasterSuite } from './raster-suite.js';

for (const [name, fixture] of Object.entries(JP2)) {
  rasterSuite(`JPEG 2000, ${name} (${fixture.about})`, () => openBytes(jp2Bytes(fixture)), fixture.value);
}

/** Decodes that happen while `work` runs. */
async function decodes(work: () => Promise<unknown>): Promise<number> {
  const before = codecMeter.tiles;
  await work();
  return codecMeter.tiles - before;
}

/** One level of a fixture by the reference, tile by tile, [height][width] of the level. */
function reduced(value: (col: number, row: number) => number, tile: { width: number; height: number }, reduce: number) {
  const rows: number[][] = [];
  for (let top = 0; top < HEIGHT; top += tile.height) {
    const strips: number[][][] = [];
    for (let left = 0; left < WIDTH; left += tile.width) {
      let pixels = Array.from({ length: Math.min(tile.height, HEIGHT - top) }, (_, y) =>
        Array.from({ length: Math.min(tile.width, WIDTH - left) }, (_, x) => value(left + x, top + y)),
      );
      for (let i = 0; i < reduce; i++) pixels = halved(pixels);
      strips.push(pixels);
    }
    rows.push(...strips[0]!.map((_, y) => strips.flatMap((pixels) => pixels[y]!)));
  }
  return rows;
}

describe('the header of JPEG 2000', () => {
  it.each(Object.entries(JP2))('has size, type and levels: %s', async (_, fixture) => {
    const { header } = await openBytes(jp2Bytes(fixture));
    expect(header).toMatchObject({ width: WIDTH, height: HEIGHT, codec: { name: 'JPEG 2000' } });
    expect(header.bands.map(({ dtype }) => dtype)).toEqual(Array(fixture.bands).fill(fixture.dtype));
    expect(header.levels.map(({ width, height }) => [width, height])).toEqual([
      [72, 50],
      [36, 25],
      [18, 13],
    ]);
  });

  it('places the picture by GeoJP2, and not where there is none', async () => {
    const { header } = await openBytes(jp2Bytes(JP2.index));
    expect(header.grid).toMatchObject({ affine: [10, 0, 600_000, 0, -10, 5_600_000], width: WIDTH, height: HEIGHT });
    expect(header.grid!.crs.epsg).toBe(32631);
    expect(chooseLevel(header, [20, 20])).toBe(1);
    expect((await openBytes(jp2Bytes(JP2.bytes))).header.grid).toBeNull();
  });

  it('takes one read, and a tile one more', async () => {
    const { store, reads } = notedStore(jp2Bytes(JP2.index));
    const raster = await openRaster('memory.jp2', { store });
    expect(reads).toHaveLength(1);
    await copyTile(raster, { level: 0, col: 2, row: 1 }, [0]);
    expect(reads).toHaveLength(2);
  });
});

describe('tiles of JPEG 2000', () => {
  it('are decoded as many as a window touches, and once', async () => {
    const raster = await openBytes(jp2Bytes(JP2.lengths));
    const read = (col: number, row: number, width: number, height: number) =>
      decodes(() => readWindow(raster, { level: 0, window: { col, row, width, height }, bands: [0] }));
    expect(await read(1, 1, 4, 4)).toBe(1);
    expect(await read(30, 30, 4, 4)).toBe(3);
    expect(await read(0, 0, WIDTH, HEIGHT)).toBe(2);
    expect(await read(0, 0, WIDTH, HEIGHT)).toBe(0);
  });

  it('are decoded once for all who wait', async () => {
    const raster = await openBytes(jp2Bytes(JP2.colours));
    const ref = { level: 0, col: 1, row: 0 };
    expect(await decodes(() => Promise.all([0, 1, 2, 0].map((band) => copyTile(raster, ref, [band]))))).toBe(1);
  });

  it('are forgotten when the raster is closed', async () => {
    const raster = await openBytes(jp2Bytes(JP2.bytes));
    const read = () => copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
    expect(await decodes(read)).toBe(1);
    await raster.close();
    expect(await decodes(read)).toBe(1);
  });

  it('are found by the index without a look at the others, else by a walk that stops', async () => {
    const read = async (bytes: Uint8Array, col: number, row: number) => {
      const { store, reads } = notedStore(bytes);
      const raster = await openRaster('memory.jp2', { store });
      const begin = reads.length;
      await copyTile(raster, { level: 0, col, row }, [0]);
      return reads.slice(begin);
    };
    expect(await read(jp2Bytes(JP2.index), 2, 1)).toHaveLength(1);
    // The head was dropped when the file was open: one look ahead shows all parts, as they are short.
    expect((await read(jp2Bytes(JP2.lengths), 2, 1)).length).toBeLessThanOrEqual(3);
  });

  it('are found by a walk where the index is wrong', async () => {
    const bytes = jp2Bytes(JP2.index);
    const at = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0x55);
    bytes.fill(0xee, at + 6, at + 10);
    const raster = await openBytes(bytes);
    const [tile] = await copyTile(raster, { level: 0, col: 1, row: 1 }, [0]);
    expect(tile![0]).toBe(JP2.index.value(0, 32, 32));
  });
});

describe('reduced resolutions of JPEG 2000', () => {
  it.each(Object.entries(JP2))('are those of the wavelet: %s', async (_, fixture) => {
    const raster = await openBytes(jp2Bytes(fixture));
    const tile = fixture === JP2.signed ? { width: WIDTH, height: HEIGHT } : { width: 32, height: 32 };
    // The colour transform is undone before the reference can see its low band.
    if (fixture === JP2.colours) return;
    for (const level of [1, 2]) {
      const { width, height } = raster.header.levels[level]!;
      const [got] = await readWindow(raster, { level, window: { col: 0, row: 0, width, height }, bands: [0] });
      const shift = fixture.dtype.startsWith('u')
        ? 2 ** (fixture === JP2.bytes ? 7 : fixture === JP2.lengths ? 14 : 15)
        : 0;
      const want = reduced((col, row) => fixture.value(0, col, row) - shift, tile, level);
      expect(Array.from(got as Uint16Array)).toEqual(want.flat().map((value) => value + shift));
    }
  });

  it('are cut out with fewer bytes where lengths of packets are known', async () => {
    const cut = async (bytes: Uint8Array, at: number, reduce: number): Promise<number> => {
      const source = await openByteSource('memory.jp2', notedStore(bytes).store);
      const codestream = await readCodestream(source, { offset: at, length: bytes.length - at });
      const parts = await tileIndex(source, codestream).partsOf(0);
      let sum = 0;
      const use = async (pieces: readonly Uint8Array[]) => {
        sum = pieces.reduce((total, { length }) => total + length, 0);
      };
      await lendTile(source, codestream, { tile: 0, parts, reduce }, { use });
      return sum;
    };
    const [whole, half, quarter] = await Promise.all([0, 1, 2].map((reduce) => cut(jp2Bytes(JP2.lengths), 85, reduce)));
    expect(half!).toBeLessThan(whole! - 20);
    expect(quarter!).toBeLessThan(half!);
    const plain = await Promise.all([0, 1].map((reduce) => cut(jp2Bytes(JP2.bytes), 85, reduce)));
    expect(plain[1]).toBe(plain[0]);
  });

  it('have as many packets before them as the standard counts', async () => {
    const bytes = jp2Bytes(JP2.lengths);
    const { store } = notedStore(bytes);
    const source = await openByteSource('memory.jp2', store);
    const codestream = await readCodestream(source, { offset: 85, length: bytes.length - 85 });
    // 32 px in precincts of 8: 16 at full resolution, 4 at half, 1 at a quarter.
    expect([2, 1, 0].map((reduce) => leadingPackets(codestream, 0, reduce))).toEqual([1, 5, 21]);
    // The last tile is 8 × 18 px.
    expect([2, 1, 0].map((reduce) => leadingPackets(codestream, 5, reduce))).toEqual([1, 3, 6]);
    const layered = { ...codestream, coding: { ...codestream.coding, layers: 2 } };
    expect(leadingPackets(layered, 0, 1)).toBeNull();
    const ordered = { ...codestream, coding: { ...codestream.coding, layers: 2, progression: 'RLCP' as const } };
    expect(leadingPackets(ordered, 0, 1)).toBe(10);
  });
});
