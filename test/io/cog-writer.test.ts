import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fromArrayBuffer, type GeoTIFFImage } from 'geotiff';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Grid, Window } from '../../build/geo/grid.js';
import { cogLevels, layoutCog } from '../../build/io/cog-layout.js';
import { type CogOptions, createCog, encodeCog, writeCog } from '../../build/io/cog-writer.js';
import { openRaster } from '../../build/io/open-raster.js';
import type { NumericArray, Planes } from '../../build/io/raster.js';
import { sha1 } from '../../build/io/sha1.js';
import { sha256 } from '../../build/io/sha256.js';
import { ARRAY_OF } from '../../build/io/tile-collector.js';
import { readWindow } from '../../build/io/window.js';
import { seeded } from '../random.ts';

type Name = keyof typeof ARRAY_OF;

function grid(width: number, height: number): Grid {
  const crs = { epsg: 32631, definition: null, geoKeys: null };
  return { crs, affine: [10, 0, 500000, 0, -10, 5600000], width, height };
}

function planes(dtype: Name, width: number, height: number, nBand: number): Planes {
  const random = seeded(width * 31 + height * 7 + nBand);
  const data = Array.from({ length: nBand }, (_, band) =>
    ARRAY_OF[dtype].from(
      Array.from({ length: width * height }, (_, i) => (i % width) + band * 10 + Math.floor(random() * 9)),
    ),
  );
  return { grid: grid(width, height), names: data.map((_, band) => `B${band + 1}`), data, nodata: 3 };
}

async function images(bytes: Uint8Array): Promise<GeoTIFFImage[]> {
  const tiff = await fromArrayBuffer(Uint8Array.from(bytes).buffer);
  const count = await tiff.getImageCount();
  return Promise.all(Array.from({ length: count }, (_, i) => tiff.getImage(i)));
}

async function pixels(image: GeoTIFFImage): Promise<number[][]> {
  return [...((await image.readRasters()) as unknown as NumericArray[])].map((band) => [...band]);
}

function cut({ grid: { width }, data }: Planes, window: Window): NumericArray[] {
  return data.map((plane) => {
    const out = plane.slice(0, window.width * window.height);
    for (let row = 0; row < window.height; row++) {
      const from = (window.row + row) * width + window.col;
      out.set(plane.subarray(from, from + window.width), row * window.width);
    }
    return out;
  });
}

function split(length: number, step: number): [number, number][] {
  const starts = Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
  return starts.map((at) => [at, Math.min(step, length - at)]);
}

function windowsOf({ width, height }: Grid, stepX: number, stepY: number): Window[] {
  return split(height, stepY).flatMap(([row, h]) =>
    split(width, stepX).map(([col, w]) => ({ col, row, width: w, height: h })),
  );
}

const ALL = { tileSize: 32, nodata: 3 } as const;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-cog-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});
const out = (): string => join(folder, 'out.tif');

function optionsFor(source: Planes, dtype: Name, more: Partial<CogOptions> = {}): CogOptions {
  return { grid: source.grid, dtype, bands: source.names.map((name) => ({ name })), ...ALL, ...more };
}

describe('pixels', () => {
  for (const dtype of Object.keys(ARRAY_OF) as Name[]) {
    for (const compression of ['deflate', 'zstd', 'none'] as const) {
      it(`${dtype} ${compression} reads back equal`, async () => {
        const source = planes(dtype, 75, 50, dtype === 'u8' ? 1 : 3);
        const bytes = await encodeCog(source, { compression, tileSize: 32 });
        expect(await pixels((await images(bytes))[0]!)).toEqual(source.data.map((p) => [...p]));
      });
    }
  }

  it.each([
    [1, 1],
    [31, 32],
    [33, 1],
    [64, 64],
    [5, 97],
  ])('%i × %i has overviews that fit, each the halving of the one before', async (width, height) => {
    const source = planes('i16', width, height, 2);
    const levels = await images(await encodeCog(source, { tileSize: 32, overviews: 'nearest' }));
    const sizes = cogLevels({ width, height }, 32, true);
    expect(levels.map((l) => [l.getWidth(), l.getHeight()])).toEqual(sizes.map((l) => [l.width, l.height]));
    for (const [i, level] of levels.entries()) {
      const step = 2 ** i;
      const wanted = source.data.map((plane) =>
        [...plane].filter((_, p) => (p % width) % step === 0 && Math.floor(p / width) % step === 0),
      );
      expect(await pixels(level)).toEqual(wanted);
    }
  });
});

it.each([0, 1, 6, 9])('deflate level %i holds the same pixels', async (level) => {
  const source = planes('f32', 75, 50, 2);
  const bytes = await encodeCog(source, { level, tileSize: 32 });
  expect(await pixels((await images(bytes))[0]!)).toEqual(source.data.map((p) => [...p]));
});

describe('windows', () => {
  it('give the same file in any order and alignment', async () => {
    const source = planes('u16', 150, 110, 3);
    const whole = await writeCog(out(), source, { tileSize: 32 });
    const random = seeded(5);
    for (const [stepX, stepY] of [
      [150, 16],
      [32, 32],
      [47, 29],
    ] as const) {
      const path = join(folder, `${stepX}.tif`);
      const writer = await createCog(path, optionsFor(source, 'u16'));
      const windows = windowsOf(source.grid, stepX, stepY).sort(() => random() - 0.5);
      await Promise.all(windows.map((w) => writer.write(w, cut(source, w))));
      expect(writer.pendingBytes).toBe(0);
      expect(await writer.finish()).toEqual(whole);
      expect(await readFile(path)).toEqual(await readFile(out()));
    }
    expect((await readdir(folder)).sort()).toEqual(['150.tif', '32.tif', '47.tif', 'out.tif']);
  });

  it('hold only the tiles that are not complete', async () => {
    const source = planes('u16', 128, 128, 2);
    const writer = await createCog(out(), optionsFor(source, 'u16'));
    let most = 0;
    for (const window of windowsOf(source.grid, 128, 8)) {
      await writer.write(window, cut(source, window));
      most = Math.max(most, writer.pendingBytes);
    }
    expect(most).toBe(4 * 32 * 32 * 2 * 2);
    await writer.finish();
  });

  const bad: [string, Window, number, string][] = [
    ['outside the grid', { col: 60, row: 0, width: 8, height: 8 }, 2, 'is not inside the grid of 64 × 64'],
    ['with too few bands', { col: 0, row: 0, width: 8, height: 8 }, 1, 'has 1 bands, the file 2'],
  ];
  it.each(bad)('%s are refused and leave nothing', async (_, window, nBand, message) => {
    const writer = await createCog(out(), optionsFor(planes('u16', 64, 64, 2), 'u16'));
    const data = Array.from({ length: nBand }, () => new Uint16Array(64));
    await expect(writer.write(window, data)).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('of another type are refused', async () => {
    const writer = await createCog(out(), optionsFor(planes('u16', 64, 64, 1), 'u16'));
    const window = { col: 0, row: 0, width: 8, height: 8 };
    await expect(writer.write(window, [new Float32Array(64)])).rejects.toThrow('got Float32Array of 64');
  });

  it('given twice are refused', async () => {
    const writer = await createCog(out(), optionsFor(planes('u16', 64, 64, 1), 'u16'));
    const first = { col: 0, row: 0, width: 40, height: 40 };
    await writer.write(first, [new Uint16Array(1600)]);
    const again = { col: 33, row: 33, width: 2, height: 2 };
    await expect(writer.write(again, [new Uint16Array(4)])).rejects.toThrow('was written before');
  });

  it('that are missing at the end are counted', async () => {
    const writer = await createCog(out(), optionsFor(planes('u16', 64, 64, 1), 'u16'));
    await writer.write({ col: 0, row: 0, width: 40, height: 40 }, [new Uint16Array(1600)]);
    await expect(writer.finish()).rejects.toThrow('2496 of 4096 pixels of the COG were never written');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('sparse', () => {
  it('unwritten pixels read as nodata, and tiles without a valid pixel are left out', async () => {
    const writer = await createCog(out(), optionsFor(planes('u16', 96, 64, 1), 'u16', { sparse: true }));
    await writer.write({ col: 0, row: 0, width: 40, height: 40 }, [new Uint16Array(1600).fill(9)]);
    await writer.write({ col: 64, row: 32, width: 32, height: 32 }, [new Uint16Array(1024).fill(3)]);
    const { statistics } = await writer.finish();
    expect(statistics[0]).toEqual({ minimum: 9, maximum: 9, mean: 9, stddev: 0, validPercent: 160000 / 6144 });
    const [full, half] = await images(await readFile(out()));
    const at = (p: number): number => (p % 96 < 40 && p < 40 * 96 ? 9 : 3);
    expect((await pixels(full!))[0]).toEqual(Array.from({ length: 96 * 64 }, (_, p) => at(p)));
    expect((await pixels(half!))[0]!.filter((v) => v === 9)).toHaveLength(400);
    const sizes = [...((await full!.fileDirectory.loadValue('TileByteCounts')) as number[])];
    expect(sizes.map((size) => size > 0)).toEqual([true, true, false, true, true, false]);
  });
});

describe('facts in the file', () => {
  it('statistics are those of the valid pixels', async () => {
    const source = planes('f32', 70, 40, 2);
    source.data[0]![5] = NaN;
    source.data[1]!.fill(3);
    const { statistics, bytes, sha1: short, sha256: digest } = await writeCog(out(), source, { tileSize: 32 });
    const valid = [...source.data[0]!].filter((v) => v !== 3 && !Number.isNaN(v));
    const mean = valid.reduce((p, q) => p + q, 0) / valid.length;
    expect(statistics[0]).toEqual({
      minimum: Math.min(...valid),
      maximum: Math.max(...valid),
      mean: expect.closeTo(mean, 10),
      stddev: expect.closeTo(Math.sqrt(valid.reduce((p, q) => p + (q - mean) ** 2, 0) / valid.length), 10),
      validPercent: (100 * valid.length) / 2800,
    });
    expect(statistics[1]).toEqual({ minimum: NaN, maximum: NaN, mean: NaN, stddev: NaN, validPercent: 0 });
    const file = await readFile(out());
    expect(bytes).toBe(file.length);
    expect(digest).toBe(createHash('sha256').update(file).digest('hex'));
    expect(short).toBe(createHash('sha1').update(file).digest('hex'));
    expect(await encodeCog(source, { tileSize: 32 })).toEqual(Uint8Array.from(file));
  });

  it('GeoKeys are written again as they came, but for pixels as areas', async () => {
    const source = planes('u8', 8, 8, 1);
    const geoKeys = {
      1024: 1,
      1025: 2,
      1026: 'Albers',
      3072: 32767,
      3074: 32767,
      3075: 11,
      3078: 29.5,
      3088: -96,
      3082: 0,
    };
    source.grid = { ...source.grid, crs: { epsg: null, definition: null, geoKeys } };
    const [image] = await images(await encodeCog(source));
    const keys = image!.getGeoKeys() as unknown as Record<string, unknown>;
    expect(keys).toMatchObject({ GTModelTypeGeoKey: 1, GTRasterTypeGeoKey: 1, GTCitationGeoKey: 'Albers' });
    expect(keys).toMatchObject({ ProjCoordTransGeoKey: 11, ProjStdParallel1GeoKey: 29.5, ProjFalseEastingGeoKey: 0 });
  });

  it('a rotated grid gets the full matrix', async () => {
    const source = planes('u8', 8, 8, 1);
    source.grid = { ...source.grid, affine: [8, 6, 500000, 6, -8, 5600000] };
    const [image] = await images(await encodeCog(source));
    const matrix = await image!.fileDirectory.loadValue('ModelTransformation');
    expect([...(matrix as number[])].slice(0, 8)).toEqual([8, 6, 0, 500000, 6, -8, 0, 5600000]);
  });

  it('BigTIFF is chosen by the compressed size, or asked for', async () => {
    const bytes = await encodeCog(planes('u8', 40, 40, 1), { bigTiff: true, tileSize: 16 });
    expect(bytes[2]).toBe(43);
    expect(await pixels((await images(bytes))[0]!)).toEqual([[...planes('u8', 40, 40, 1).data[0]!]]);
    const levels = cogLevels({ width: 64, height: 32 }, 32, false);
    const form = {
      grid: grid(64, 32),
      dtype: 'u8',
      nBand: 1,
      nodata: null,
      tileSize: 32,
      isRgb: false,
      levels,
    } as const;
    const layout = (size: number) =>
      layoutCog({ ...form, compression: 'none', predictor: 1 }, [Float64Array.of(size, size)], '', 'auto');
    expect(layout(2 ** 31 - 400).big).toBe(false);
    expect(layout(2 ** 31).big).toBe(true);
    expect(layout(2 ** 31).totalBytes).toBeGreaterThan(2 ** 32);
  });
});

describe('refusals', () => {
  const one = planes('u16', 8, 8, 1);
  const cases: [string, Partial<CogOptions>, string][] = [
    ['64-bit integers', { dtype: 'u64' }, 'cannot write a COG of u64'],
    ['odd tiles', { tileSize: 100 }, 'tileSize must be a multiple of 16, not 100'],
    ['odd tiles of overviews', { overviewTileSize: 8 }, 'overviewTileSize must be a multiple of 16, not 8'],
    ['predictors of floats', { predictor: 3 }, 'predictor 3 is one of floats'],
    ['unknown predictors', { predictor: 4 as 3 }, 'predictor is 1, 2, 3 or auto, not 4'],
    [
      'compressions not written here',
      { compression: 'lzw' as 'zstd' },
      'with lzw compression: there are none, deflate, zstd',
    ],
    [
      'alpha without colours',
      { alpha: true },
      'alpha is the fourth band of an rgb picture of u8, not of 1 bands of u16',
    ],
    ['impossible nodata', { nodata: -1 }, 'nodata -1 is not a value of u16'],
    ['NaN as nodata of integers', { nodata: NaN }, 'nodata NaN is not a value of u16'],
    ['levels that do not exist', { level: 10 }, 'the level of deflate is a whole number from 0 to 9, not 10'],
  ];
  it.each(cases)('%s', async (_, options, message) => {
    await expect(createCog(out(), optionsFor(one, 'u16', options))).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual([]);
  });

  it('an existing output, unless it may be replaced', async () => {
    await writeFile(out(), 'precious');
    await expect(writeCog(out(), one)).rejects.toMatchObject({ name: 'InputError', facts: { url: out() } });
    expect(await readFile(out(), 'utf8')).toBe('precious');
    await writeCog(out(), one, { overwrite: true });
    expect((await readFile(out()))[0]).toBe(0x49);
  });

  it('a folder that is not there', async () => {
    await expect(writeCog(join(folder, 'no', 'out.tif'), one)).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/^cannot write .*out\.tif: no such folder$/),
    });
  });
});

describe('an end before the end', () => {
  it('where the name is that of a folder leaves nothing behind', async () => {
    await mkdir(out());
    const wrong = { name: 'StoreError', message: expect.stringMatching(/^cannot write .*out\.tif: it is a folder$/) };
    await expect(writeCog(out(), planes('u16', 8, 8, 1), { overwrite: true })).rejects.toMatchObject(wrong);
    expect(await readdir(folder)).toEqual([basename(out())]);
  });

  it('by signal leaves nothing behind', async () => {
    const source = planes('u16', 128, 128, 2);
    const control = new AbortController();
    const writer = await createCog(out(), optionsFor(source, 'u16', { signal: control.signal }));
    for (const window of windowsOf(source.grid, 128, 48).slice(0, 2)) await writer.write(window, cut(source, window));
    expect(await readdir(folder)).not.toEqual([]);
    control.abort(new Error('stop'));
    await expect(writer.finish()).rejects.toThrow('stop');
    expect(await readdir(folder)).toEqual([]);
  });

  it('by signal in mid-work leaves nothing behind', async () => {
    const source = planes('u16', 300, 300, 2);
    for (const delayMs of [0, 1, 3, 8]) {
      const control = new AbortController();
      const work = writeCog(out(), source, { tileSize: 16, signal: control.signal });
      setTimeout(() => control.abort(new Error('stop')), delayMs);
      await expect(work).rejects.toThrow('stop');
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('by abort leaves nothing behind, and the writer says so afterwards', async () => {
    const writer = await createCog(out(), optionsFor(planes('u16', 64, 64, 1), 'u16'));
    await writer.abort();
    await writer.abort();
    expect(await readdir(folder)).toEqual([]);
    await expect(writer.finish()).rejects.toThrow('finished or was given up');
  });

  it.each([1, 3, 8])('by a full disk at write %i is one clear line and leaves nothing behind', async (nth) => {
    const probe = await open(join(folder, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown> };
    await probe.close();
    await rm(join(folder, 'probe'));
    const write = prototype.write;
    let calls = 0;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args) {
      if (++calls >= nth) return Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
      return write.apply(this, args);
    });
    await expect(writeCog(out(), planes('u16', 100, 100, 2), { tileSize: 64 })).rejects.toMatchObject({
      name: 'StoreError',
      message: `cannot write ${out()}: the disk is full`,
      facts: { status: 'ENOSPC' },
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('tiles of overviews', () => {
  const sizes: [number, number, number, number][] = [
    [150, 110, 80, 16],
    [150, 110, 16, 48],
    [97, 131, 48, 32],
    [800, 30, 160, 48],
    [40, 40, 64, 16],
  ];
  it.each(sizes)('%i × %i px in tiles of %i, overviews in tiles of %i', async (width, height, tileSize, side) => {
    const source = planes('u16', width, height, 2);
    const options = { tileSize, overviewTileSize: side, overviews: 'nearest' } as const;
    const levels = await images(await encodeCog(source, options));
    const sizes = cogLevels({ width, height }, tileSize, true, side);
    expect(levels.map((l) => [l.getWidth(), l.getHeight()])).toEqual(sizes.map((l) => [l.width, l.height]));
    expect(levels.map((l) => l.getTileWidth())).toEqual(sizes.map((_, i) => (i === 0 ? tileSize : side)));
    for (const [i, level] of levels.entries()) {
      const step = 2 ** i;
      const wanted = source.data.map((plane) =>
        [...plane].filter((_, p) => (p % width) % step === 0 && Math.floor(p / width) % step === 0),
      );
      expect(await pixels(level)).toEqual(wanted);
    }
  });

  it('leave gaps where full resolution has them', async () => {
    const more = { sparse: true, tileSize: 48, overviewTileSize: 16 };
    const writer = await createCog(out(), optionsFor(planes('u16', 96, 96, 1), 'u16', more));
    await writer.write({ col: 48, row: 48, width: 48, height: 48 }, [new Uint16Array(48 * 48).fill(9)]);
    await writer.finish();
    const [full, half, quarter] = await images(await readFile(out()));
    const quadrant = (side: number) =>
      Array.from({ length: side * side }, (_, p) => ((p % side) * 2 >= side && p * 2 >= side * side ? 9 : 3));
    expect((await pixels(full!))[0]).toEqual(quadrant(96));
    expect((await pixels(half!))[0]).toEqual(quadrant(48));
    expect((await pixels(quarter!))[0]).toEqual(quadrant(24));
    const bytes = [...((await half!.fileDirectory.loadValue('TileByteCounts')) as number[])];
    expect(bytes.map((size) => size > 0)).toEqual([false, false, false, false, true, true, false, true, true]);
  });
});

it.each([
  ['f32', 1],
  ['f32', 2],
  ['f64', 2],
  ['u16', 1],
  ['i32', 1],
] as const)('%s reads back equal by predictor %i', async (dtype, predictor) => {
  const source = planes(dtype, 75, 50, 2);
  const [image] = await images(await encodeCog(source, { predictor, tileSize: 32 }));
  expect((await image!.fileDirectory.loadValue('Predictor')) ?? 1).toBe(predictor);
  const path = out();
  await writeCog(path, source, { predictor, tileSize: 32 });
  const raster = await openRaster(path);
  const window = { col: 0, row: 0, width: 75, height: 50 };
  expect(await readWindow(raster, { level: 0, window, bands: [0, 1] })).toEqual(source.data);
  await raster.close();
});

describe('digests for pages', () => {
  it('agree with the system whatever the pieces', () => {
    const random = seeded(9);
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
      const bytes = Uint8Array.from({ length }, () => random() * 256);
      for (const [name, start] of Object.entries({ sha1, sha256 })) {
        const hash = start();
        for (const [at, n] of split(length, 37)) hash.update(bytes.subarray(at, at + n));
        expect(hash.hex(), `${name} of ${length} bytes`).toBe(createHash(name).update(bytes).digest('hex'));
      }
    }
  });
});
