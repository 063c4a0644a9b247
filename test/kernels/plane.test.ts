import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../build/errors.js';
import { type KernelDtype, Kernels } from '../../build/kernels/memory.js';
import {
  fuseInto,
  maskPlanesInto,
  type PlacedAxis,
  placeAverageInto,
  placeBilinearInto,
  placeInto,
  placeMaskInto,
  statusInto,
} from '../../build/kernels/plane.js';
import { seeded } from '../random.ts';
import { averageOf, bilinearOf, integerOf, sampleOf } from '../reference/plane.ts';

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};
type SourceDtype = keyof typeof ARRAYS;
const PAIRS: readonly [SourceDtype, KernelDtype][] = [
  ['u8', 'u16'],
  ['u16', 'u16'],
  ['u8', 'i16'],
  ['i8', 'i16'],
  ['i16', 'i16'],
  ...(Object.keys(ARRAYS) as SourceDtype[]).map((dtype): [SourceDtype, KernelDtype] => [dtype, 'f32']),
];
const RANGES = { u16: [0, 65535], i16: [-32768, 32767] } as const;
const k = new Kernels();

interface Image {
  dtype: SourceDtype;
  data: number[];
  width: number;
  height: number;
  nodata: number | null;
}

/** Small and large numbers of a type, about a quarter of them missing. */
function image(dtype: SourceDtype, width: number, height: number, random: () => number): Image {
  const nodata = { u8: 0, i8: -128, u16: 0, i16: -999, u32: 4294967295, i32: -2147483648, f32: -3.4e38, f64: -9999.25 }[
    dtype
  ];
  const small = dtype === 'u8' || dtype === 'i8' ? 100 : 10000;
  const data = ARRAYS[dtype].from({ length: width * height }, () => {
    if (random() < 0.25) return nodata;
    const sign = dtype[0] === 'u' || random() < 0.5 ? 1 : -1;
    return sign * (dtype[0] === 'f' ? random() * small : Math.floor(random() * small));
  });
  return { dtype, data: Array.from(data), width, height, nodata };
}

/** Copies the source in, lets `work` write a target of width × height at a pointer, gives it back; the bytes behind must stay. */
function onTarget(
  source: Image,
  target: { dtype: KernelDtype; width: number; height: number; nodata: number | null },
  work: (from: Image & { ptr: number }, to: typeof target & { ptr: number }) => void,
): number[] {
  return k.scope(() => {
    const at = new (ARRAYS[source.dtype] as Uint8ArrayConstructor)(source.data);
    const ptr = k.alloc(at.byteLength);
    const n = target.width * target.height;
    const size = target.dtype === 'f32' ? 4 : 2;
    const out = k.alloc(n * size + 64);
    k.u8(ptr, at.byteLength).set(new Uint8Array(at.buffer));
    k.u8(out, n * size + 64).fill(77);
    work({ ...source, ptr }, { ...target, ptr: out });
    expect(Array.from(k.u8(out + n * size, 64))).toEqual(new Array(64).fill(77));
    return Array.from(k[target.dtype](out, n));
  });
}

function maps(cols: readonly number[], rows: readonly number[]): { cols: number; rows: number } {
  const at = { cols: k.alloc(cols.length * 4), rows: k.alloc(rows.length * 4) };
  k.i32(at.cols, cols.length).set(cols);
  k.i32(at.rows, rows.length).set(rows);
  return at;
}

/** Maps of one axis onto `size` source px: runs, doublings of both phases, backwards, thirds, any; with and without an outside. */
function axisMaps(n: number, size: number, random: () => number): number[][] {
  const clip = (map: number[]) => map.map((v) => (v >= 0 && v < size ? v : -1));
  const all = Array.from({ length: n }, (_, i) => i);
  return [
    clip(all),
    clip(all.map((i) => i - 3)),
    clip(all.map((i) => i >> 1)),
    clip(all.map((i) => ((i + 1) >> 1) - 2)),
    clip(all.map((i) => size - 1 - i)),
    clip(all.map((i) => Math.floor(i / 3))),
    clip(all.map((i) => i * 2 + 1)),
    all.map(() => -1),
    clip(all.map(() => Math.floor(random() * (size + 4)) - 2)),
  ];
}

describe('placeInto', () => {
  for (const [from, to] of PAIRS) {
    it(`${from} into ${to}: every pixel and every missing value`, () => {
      const random = seeded(5);
      for (const [width, height, sourceWidth, sourceHeight] of [
        [1, 1, 1, 1],
        [3, 5, 4, 4],
        [65, 4, 40, 3],
        [70, 3, 33, 7],
      ] as const) {
        const source = image(from, sourceWidth, sourceHeight, random);
        const rowMaps = axisMaps(height, sourceHeight, random);
        for (const [i, cols] of axisMaps(width, sourceWidth, random).entries()) {
          const rows = rowMaps[(i * 4) % rowMaps.length]!;
          for (const nodata of to === 'f32' ? [null] : [source.nodata, 1234]) {
            for (const own of [source.nodata, null]) {
              const given = { ...source, nodata: own };
              const got = onTarget(given, { dtype: to, width, height, nodata }, (a, b) =>
                placeInto(k, a, maps(cols, rows), b),
              );
              // A float32 raster's missing value is the nearest float32 of what its header says.
              const seen = { ...given, nodata: own === null || from !== 'f32' ? own : Math.fround(own) };
              const want = rows.flatMap((row) =>
                cols.map((col) => {
                  const value = row < 0 || col < 0 ? Number.NaN : sampleOf(seen, col, row);
                  return to === 'f32' ? Math.fround(value) : Number.isNaN(value) ? nodata! : value;
                }),
              );
              expect(got).toEqual(want);
            }
          }
        }
      }
    });
  }

  it('takes NaN of a float source as missing, and a missing value its type cannot hold as none', () => {
    const float: Image = { dtype: 'f32', data: [1, Number.NaN, 3], width: 3, height: 1, nodata: 3 };
    const target = { dtype: 'f32', width: 3, height: 1, nodata: null } as const;
    const identity = () => maps([0, 1, 2], [0]);
    expect(onTarget(float, target, (a, b) => placeInto(k, a, identity(), b))).toEqual([1, Number.NaN, Number.NaN]);
    for (const nodata of [-1, 256, 0.5, Number.NaN]) {
      const bytes: Image = { dtype: 'u8', data: [0, 255, 1], width: 3, height: 1, nodata };
      expect(onTarget(bytes, target, (a, b) => placeInto(k, a, identity(), b))).toEqual([0, 255, 1]);
    }
  });

  it('refuses by name what does not fit', () => {
    const source = { ptr: 0, dtype: 'u32', width: 1, height: 1, nodata: null };
    const target = { ptr: 0, dtype: 'u16', width: 1, height: 1, nodata: 0 } as const;
    expect(() => placeInto(k, source, { cols: 0, rows: 0 }, target)).toThrow('u32 samples do not fit a stack of u16');
    expect(() => placeInto(k, { ...source, dtype: 'c64' }, { cols: 0, rows: 0 }, target)).toThrow(UnsupportedError);
  });
});

describe('placeMaskInto', () => {
  it('doubles, shifts and counts the outside as masked out', () => {
    const random = seeded(3);
    for (const [n, size] of [
      [1, 1],
      [37, 19],
      [80, 33],
    ] as const) {
      const mask = Uint8Array.from({ length: size * size }, () => (random() < 0.4 ? 1 : 0));
      for (const cols of axisMaps(n, size, random)) {
        for (const rows of axisMaps(5, size, random)) {
          k.scope(() => {
            const [ptr, out] = [k.alloc(mask.length), k.alloc(n * 5)];
            k.u8(ptr, mask.length).set(mask);
            placeMaskInto(k, { ptr, width: size, height: size }, maps(cols, rows), { ptr: out, width: n, height: 5 });
            const want = rows.flatMap((row) => cols.map((col) => (row < 0 || col < 0 ? 1 : mask[row * size + col]!)));
            expect(Array.from(k.u8(out, n * 5))).toEqual(want);
          });
        }
      }
    }
  });
});

/** Finer, equal, shifted, coarser, turned round; all dyadic, so that ties round alike here and there. */
const AXES: readonly Pick<PlacedAxis, 'scale' | 'offset'>[] = [
  { scale: 1, offset: 0 },
  { scale: 0.5, offset: 0 },
  { scale: 0.5, offset: -2.25 },
  { scale: 1, offset: 0.375 },
  { scale: 0.25, offset: 1.125 },
  { scale: 2, offset: 0 },
  { scale: 2.5, offset: -1.5 },
  { scale: -0.5, offset: 6 },
];

describe('placeBilinearInto and placeAverageInto', () => {
  const axisAt = (axis: (typeof AXES)[number]): PlacedAxis => ({ ...axis, first: 0, origin: 0 });
  const expected = (value: number, to: KernelDtype, nodata: number | null) => {
    if (to === 'f32') return Math.fround(value);
    return Number.isNaN(value) ? nodata! : integerOf(value, RANGES[to], nodata);
  };
  for (const [from, to] of PAIRS) {
    it(`${from} into ${to}: as pixel by pixel`, () => {
      const random = seeded(17);
      for (const [width, height, sourceWidth, sourceHeight] of [
        [1, 1, 1, 1],
        [13, 9, 7, 5],
        [5, 21, 11, 8],
      ] as const) {
        const source = image(from, sourceWidth, sourceHeight, random);
        const seen = { ...source, nodata: from === 'f32' ? Math.fround(source.nodata!) : source.nodata };
        for (const [i, ax] of AXES.entries()) {
          const ay = AXES[(i * 3 + 1) % AXES.length]!;
          const target = { dtype: to, width, height, nodata: to === 'f32' ? null : source.nodata };
          const axes = { x: axisAt(ax), y: axisAt(ay) };
          const position = (axis: (typeof AXES)[number], at: number) => axis.offset + axis.scale * at;
          const pixels = Array.from({ length: width * height }, (_, p) => [p % width, Math.floor(p / width)] as const);
          const bilinear = onTarget(source, target, (a, b) => placeBilinearInto(k, a, axes, b));
          const average = onTarget(source, target, (a, b) => placeAverageInto(k, a, axes, b));
          for (const [p, [x, y]] of pixels.entries()) {
            const at = [position(ax, x + 0.5), position(ay, y + 0.5)] as const;
            near(bilinear[p]!, expected(bilinearOf(seen, ...at), to, target.nodata));
            const [xs, ys] = [
              [position(ax, x), position(ax, x + 1)],
              [position(ay, y), position(ay, y + 1)],
            ] as const;
            near(average[p]!, expected(averageOf(seen, [xs[0]!, xs[1]!], [ys[0]!, ys[1]!]), to, target.nodata));
          }
        }
      }
    });
  }

  /** Equal, or of floats within one step of f32: the order of the sums differs. */
  function near(got: number, want: number): void {
    if (Number.isNaN(want) || Number.isInteger(want)) expect(got).toBe(want);
    else expect(Math.abs(got - want)).toBeLessThanOrEqual(Math.abs(want) * 2 ** -22);
  }

  it('gives every pixel the same value whatever the block', () => {
    const random = seeded(23);
    const source = image('u16', 20, 15, random);
    const whole = {
      x: { scale: 0.37, offset: 0.61, first: 0, origin: 0 },
      y: { scale: 0.41, offset: -0.3, first: 0, origin: 0 },
    };
    const target = { dtype: 'f32', width: 31, height: 27, nodata: null } as const;
    for (const place of [placeBilinearInto, placeAverageInto]) {
      const all = onTarget(source, target, (a, b) => place(k, a, whole, b));
      const [col, row, width, height] = [9, 11, 14, 10];
      // The window of the source under the block, with a pixel around.
      const [left, top] = [2, 3];
      const cut = { ...source, width: 8, height: 7 };
      cut.data = Array.from({ length: 56 }, (_, i) => source.data[(Math.floor(i / 8) + top) * 20 + (i % 8) + left]!);
      const axes = { x: { ...whole.x, first: col, origin: left }, y: { ...whole.y, first: row, origin: top } };
      const part = onTarget(cut, { ...target, width, height }, (a, b) => place(k, a, axes, b));
      expect(part).toEqual(
        Array.from({ length: width * height }, (_, i) => all[(Math.floor(i / width) + row) * 31 + (i % width) + col]!),
      );
    }
  });

  it('steps off the missing value as GDAL does', () => {
    const half: Pick<PlacedAxis, 'scale' | 'offset'> = { scale: 2, offset: 0 };
    const axes = { x: axisAt(half), y: axisAt({ scale: 1, offset: 0 }) };
    for (const [data, dtype, nodata, want] of [
      [[1000, 998], 'i16', 999, 998],
      [[1, 0], 'u16', 0, 1],
      [[65535, 65534], 'u16', 65534, 65533],
      [[-32767, -32768], 'i16', -32768, -32767],
    ] as const) {
      const source: Image = { dtype, data: [...data], width: 2, height: 1, nodata: null };
      const target = { dtype, width: 1, height: 1, nodata };
      const got = onTarget(source, target, (a, b) => placeAverageInto(k, a, axes, b));
      expect(got[0]).toBe(integerOf((data[0] + data[1]) / 2, RANGES[dtype], nodata));
      expect(got[0]).toBe(want);
    }
  });

  it('keeps infinite samples from pixels that do not touch them', () => {
    const source: Image = { dtype: 'f32', data: [1, Number.POSITIVE_INFINITY, 5], width: 3, height: 1, nodata: null };
    const axes = { x: axisAt(AXES[0]!), y: axisAt(AXES[0]!) };
    const got = onTarget(source, { dtype: 'f32', width: 3, height: 1, nodata: null }, (a, b) =>
      placeBilinearInto(k, a, axes, b),
    );
    expect(got).toEqual([1, Number.POSITIVE_INFINITY, 5]);
  });
});

/** A date [nBand][nPx] in wasm memory, bands further apart than they need be; `at` is the first sample of a band. */
function date(dtype: KernelDtype, bands: readonly number[][], nodata: number | null) {
  const nPx = bands[0]!.length;
  const bandStrideBytes = nPx * (dtype === 'f32' ? 4 : 2) + 64;
  const view = {
    ptr: k.alloc(bands.length * bandStrideBytes),
    dtype,
    nBand: bands.length,
    bandStrideBytes,
    nPx,
    nodata,
  };
  for (const [b, band] of bands.entries()) k[dtype](view.ptr + b * bandStrideBytes, nPx).set(band);
  return view;
}

function bandsOf(view: ReturnType<typeof date>): number[][] {
  return Array.from({ length: view.nBand }, (_, b) =>
    Array.from(k[view.dtype](view.ptr + b * view.bandStrideBytes, view.nPx)),
  );
}

describe('masking, status and fusing of dates', () => {
  for (const [dtype, nodata] of [
    ['u16', 0],
    ['u16', 65535],
    ['i16', -999],
    ['f32', null],
    ['u16', null],
  ] as const) {
    const missing = nodata ?? (dtype === 'f32' ? Number.NaN : null);
    const isMissing = (v: number) => Object.is(v, missing);
    const bandsAt = (nBand: number, nPx: number, random: () => number) =>
      Array.from({ length: nBand }, () =>
        Array.from({ length: nPx }, () =>
          missing !== null && random() < 0.4 ? missing : 1 + Math.floor(random() * 30000),
        ),
      );
    const statusOf = (bands: number[][], i: number) => {
      const valid = bands.filter((band) => !isMissing(band[i]!)).length;
      return valid === bands.length ? 2 : valid > 0 ? 1 : 0;
    };
    it(`${dtype}, missing ${missing}: first by time with all bands, else first with any`, () => {
      const random = seeded(29);
      for (const nPx of [64, 128, 192]) {
        for (const nBand of [1, 2, 3, 10]) {
          k.scope(() => {
            const [a, b] = [bandsAt(nBand, nPx, random), bandsAt(nBand, nPx, random)];
            const [target, source] = [date(dtype, a, nodata), date(dtype, b, nodata)];
            const [targetStatus, sourceStatus] = [k.alloc(nPx), k.alloc(nPx)];
            statusInto(k, target, targetStatus);
            statusInto(k, source, sourceStatus);
            expect(Array.from(k.u8(targetStatus, nPx))).toEqual(a[0]!.map((_, i) => statusOf(a, i)));
            fuseInto(k, target, targetStatus, source, sourceStatus);
            const better = a[0]!.map((_, i) => statusOf(b, i) > statusOf(a, i));
            expect(bandsOf(target)).toEqual(a.map((band, n) => band.map((v, i) => (better[i] ? b[n]![i]! : v))));
            expect(Array.from(k.u8(targetStatus, nPx))).toEqual(
              a[0]!.map((_, i) => Math.max(statusOf(a, i), statusOf(b, i))),
            );
          });
        }
      }
    });
    if (missing === null) continue;
    it(`${dtype}, missing ${missing}: masked pixels become missing in all bands`, () => {
      const random = seeded(31);
      k.scope(() => {
        const bands = bandsAt(3, 128, random);
        const view = date(dtype, bands, nodata);
        const mask = k.alloc(128);
        const marks = Array.from({ length: 128 }, (_, i) => (i > 40 && random() < 0.3 ? 1 : 0));
        k.u8(mask, 128).set(marks);
        maskPlanesInto(k, mask, view);
        expect(bandsOf(view)).toEqual(bands.map((band) => band.map((v, i) => (marks[i] ? missing! : v))));
      });
    });
  }
});
