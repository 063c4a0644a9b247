import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openCog } from '../../build/io/cog.js';
import { memoryStore } from '../../build/io/memory.js';
import type { Store } from '../../build/io/store.js';
import { readWindow } from '../../build/io/window.js';
import { copyTile } from '../fixture/copy-tile.js';
import { seeded } from '../random.js';
import { rasterSuite } from './raster-suite.js';
import { type BuiltTiff, buildTiff } from './tiff-builder.js';

const random = seeded(17);

/** Values that a sample of so many bits and format can have. */
function values(n: number, bits: number, format: number): number[] {
  return Array.from({ length: n }, () => {
    if (format === 3) return bits === 32 ? Math.fround((random() - 0.5) * 1e6) : (random() - 0.5) * 1e6;
    const range = 2 ** Math.min(bits, 50);
    return Math.floor(random() * range) - (format === 2 ? range / 2 : 0);
  });
}

const open = (bytes: Uint8Array) => openCog('a.tif', { store: memoryStore(new Map([['a.tif', bytes]])) });

async function readAll(bytes: Uint8Array): Promise<number[][]> {
  const raster = await open(bytes);
  const { width, height, bands } = raster.header;
  const all = bands.map((_, i) => i);
  const arrays = await readWindow(raster, { level: 0, window: { col: 0, row: 0, width, height }, bands: all });
  return arrays.map((a) => Array.from(a as ArrayLike<number | bigint>, Number));
}

const [width, height] = [21, 19];

describe('every way to store samples', () => {
  for (const [bits, format] of [
    [8, 1],
    [8, 2],
    [16, 1],
    [16, 2],
    [32, 1],
    [32, 2],
    [64, 1],
    [64, 2],
    [32, 3],
    [64, 3],
  ] as const) {
    for (const predictor of format === 3 ? ([1, 2, 3] as const) : ([1, 2] as const)) {
      it(`${bits} bits, format ${format}, predictor ${predictor}: both byte orders, chunky and planar, tiles and strips`, async () => {
        for (const nBand of [1, 2, 5]) {
          const bands = Array.from({ length: nBand }, () => values(width * height, bits, format));
          for (const little of [true, false]) {
            for (const planar of [false, true]) {
              for (const tile of [[16, 16], [7]] as [number, number][]) {
                const form: BuiltTiff = { width, height, bands, bits, format, little, planar, predictor, tile };
                expect(await readAll(buildTiff({ ...form, compression: 8, big: nBand === 2 }))).toEqual(bands);
              }
            }
          }
        }
      });
    }
  }

  it('odd bit depths come in the next wider integer', async () => {
    for (let bits = 1; bits < 32; bits++) {
      if (bits === 8 || bits === 16 || bits === 24) continue;
      const bands = [0, 1, 2].map(() => values(width * height, bits, 1));
      for (const planar of [false, true]) {
        const bytes = buildTiff({ width, height, bands, bits, planar, tile: [5] });
        expect(await readAll(bytes), `${bits} bits`).toEqual(bands);
        expect((await open(bytes)).header.bands[0]!.dtype).toBe(bits <= 8 ? 'u8' : bits <= 16 ? 'u16' : 'u32');
      }
    }
  });

  it('rows longer than a piece of work, and one pixel', async () => {
    for (const [w, h] of [
      [33_001, 2],
      [1, 1],
    ] as const) {
      const bands = [0, 1].map(() => values(w * h, 32, 1));
      expect(await readAll(buildTiff({ width: w, height: h, bands, bits: 32, predictor: 2, compression: 8 }))).toEqual(
        bands,
      );
    }
  });
});

const suiteBands = [0, 1, 2].map(() => values(width * height, 16, 1));
for (const planar of [false, true]) {
  const bytes = buildTiff({
    width,
    height,
    bands: suiteBands,
    bits: 16,
    planar,
    predictor: 2,
    compression: 8,
    tile: [16, 16],
    tags: [[42113, 2, '7']],
  });
  rasterSuite(
    planar ? 'planar TIFF' : 'chunky TIFF',
    () => open(bytes),
    (band, col, row) => suiteBands[band]![row * width + col]!,
  );
}

describe('the header', () => {
  const bands = [[1, 2, 3, 4]];
  const tiff = (tags: BuiltTiff['tags'], more: Partial<BuiltTiff> = {}) =>
    buildTiff({ width: 2, height: 2, bands, tags: tags ?? [], ...more });

  it('finds the grid from scale and tie point, and shifts pixels that are points', async () => {
    const tags: BuiltTiff['tags'] = [
      [33550, 12, [10, 20, 0]],
      [33922, 12, [0, 0, 0, 1000, 2000, 0]],
      [34735, 3, [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32631]],
    ];
    const { grid } = (await open(tiff(tags))).header;
    expect(grid?.affine).toEqual([10, 0, 1000, 0, -20, 2000]);
    expect(grid?.crs.epsg).toBe(32631);
    expect(grid?.crs.geoKeys).toEqual({ 1024: 1, 3072: 32631 });
    const keys = [1, 1, 0, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326];
    const point = (await open(tiff([...tags.slice(0, 2), [34735, 3, keys]]))).header.grid;
    expect(point?.affine).toEqual([10, 0, 995, 0, -20, 2010]);
    expect(point?.crs.epsg).toBe(4326);
  });

  it('finds the grid from the matrix, and none from ground control points', async () => {
    const matrix = [3, 1, 0, 100, 2, -4, 0, 200, 0, 0, 0, 0, 0, 0, 0, 1];
    expect((await open(tiff([[34264, 12, matrix]]))).header.grid?.affine).toEqual([3, 1, 100, 2, -4, 200]);
    const points = [0, 0, 0, 1, 2, 0, 1, 0, 0, 3, 2, 0, 1, 1, 0, 3, 4, 0];
    expect((await open(tiff([[33922, 12, points]]))).header.grid).toBeNull();
  });

  it('reads names, scales and offsets', async () => {
    const xml =
      '<GDALMetadata><Item name="DESCRIPTION" sample="0" role="description">red &amp;amp; more</Item>' +
      '<Item name="OFFSET" sample="0" role="offset">-0.2</Item><Item name="SCALE" sample="0" role="scale">0.0001</Item></GDALMetadata>';
    expect((await open(tiff([[42112, 2, xml]]))).header.bands).toEqual([
      { dtype: 'u8', nodata: null, scale: 0.0001, offset: -0.2, name: 'red & more' },
    ]);
  });

  it('takes only nodata that samples can have', async () => {
    const of = async (text: string, form: Partial<BuiltTiff> = {}) =>
      (await open(tiff([[42113, 2, text]], form))).header.bands[0]!.nodata;
    expect(await of('255')).toBe(255);
    expect(await of('-9999')).toBeNull();
    expect(await of('0.5')).toBeNull();
    expect(await of('nan')).toBeNull();
    expect(await of('nan', { bits: 32, format: 3 })).toBeNaN();
    expect(await of('-3.4028234663852886e+38', { bits: 32, format: 3 })).toBe(-3.4028234663852886e38);
    expect(await of('1e300', { bits: 32, format: 3 })).toBeNull();
    expect(await of('-32768 ', { bits: 16, format: 2 })).toBe(-32768);
  });

  it('blocks that are not there are nodata, or 0', async () => {
    const all = {
      width: 4,
      height: 2,
      bands: [[1, 2, 3, 4, 5, 6, 7, 8]],
      tile: [2, 2] as [number, number],
      sparse: [1],
    };
    expect(await readAll(buildTiff(all))).toEqual([[1, 2, 0, 0, 5, 6, 0, 0]]);
    expect(await readAll(buildTiff({ ...all, tags: [[42113, 2, '9']] }))).toEqual([[1, 2, 9, 9, 5, 6, 9, 9]]);
  });

  it('takes one read for a small file, and one more for each block', async () => {
    const inner = memoryStore(new Map([['a.tif', tiff([])]]));
    let reads = 0;
    const store: Store = {
      ...inner,
      read: (...all) => {
        reads++;
        return inner.read(...all);
      },
    };
    const raster = await openCog('a.tif', { store });
    expect(reads).toBe(1);
    await copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
    const first = reads;
    await copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
    expect(reads - first).toBe(1);
  });
});

describe('hostile files', () => {
  const plain: BuiltTiff = { width: 4, height: 4, bands: [Array.from({ length: 16 }, (_, i) => i)], compression: 8 };
  const refused = async (bytes: Uint8Array, name: string, text: RegExp) => {
    await expect(readAll(bytes)).rejects.toMatchObject({ name, message: expect.stringMatching(text) });
  };

  it('what is no TIFF, or cut off', async () => {
    await refused(new Uint8Array(0), 'FormatError', /neither TIFF nor/);
    await refused(new TextEncoder().encode('this is no TIFF file'), 'FormatError', /neither TIFF nor/);
    const whole = buildTiff(plain);
    for (let n = 0; n < whole.length - 4; n += 3) {
      await expect(readAll(whole.subarray(0, n)), `${n} bytes`).rejects.toMatchObject({ name: 'FormatError' });
    }
  });

  it('a block that holds less than its size; of one that holds far more, only its own is decompressed', async () => {
    const short = buildTiff(plain);
    const blockAt = 16;
    const bytes = deflateSync(new Uint8Array(3));
    short.set(bytes, blockAt);
    await refused(short, 'FormatError', /strip 0.*3 bytes of data, and 16 are wanted/);
    const bomb = deflateSync(new Uint8Array(64 << 20));
    const file = new Uint8Array(buildTiff(plain).length + bomb.length);
    file.set(
      buildTiff({
        ...plain,
        tags: [
          [273, 4, [buildTiff(plain).length]],
          [279, 4, [bomb.length]],
        ],
      }),
    );
    file.set(bomb, buildTiff(plain).length);
    expect((await readAll(file)).flat()).toEqual(Array.from({ length: 16 }, () => 0));
  });

  it('sizes that would take memory without end', async () => {
    const side = 2 ** 30;
    await refused(
      buildTiff({
        ...plain,
        tags: [
          [256, 4, [side]],
          [257, 4, [side]],
        ],
      }),
      'UnsupportedError',
      /block of/,
    );
    await refused(buildTiff({ ...plain, tags: [[256, 4, [0]]] }), 'FormatError', /width of 0/);
    const many = await open(
      buildTiff({
        ...plain,
        tags: [
          [278, 4, [1]],
          [257, 4, [2 ** 31 - 1]],
        ],
      }),
    );
    await expect(copyTile(many, { level: 0, col: 0, row: 0 }, [0])).rejects.toMatchObject({ name: 'FormatError' });
    await refused(buildTiff({ ...plain, tags: [[277, 3, [0]]] }), 'FormatError', /0 samples/);
  });

  it('kinds that are not read are named', async () => {
    await refused(buildTiff({ ...plain, tags: [[259, 3, [34925]]] }), 'UnsupportedError', /LZMA/);
    await refused(buildTiff({ ...plain, tags: [[259, 3, [4711]]] }), 'UnsupportedError', /compression 4711/);
    await refused(
      buildTiff({
        ...plain,
        tags: [
          [339, 3, [6]],
          [258, 3, [64]],
        ],
      }),
      'UnsupportedError',
      /complex float/,
    );
    await refused(buildTiff({ ...plain, tags: [[317, 3, [3]]] }), 'UnsupportedError', /predictor 3/);
  });
});
