import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../build/errors.js';
import { ARRAY_OF } from '../../build/io/tile-collector.js';
import { type KernelDtype, Kernels } from '../../build/kernels/memory.js';
import {
  type PlacedAxis,
  placeAverageInto,
  placeBilinearInto,
  placeInto,
  placeMaskInto,
} from '../../build/kernels/plane.js';
import { seeded } from '../random.ts';
import { averageOf, bilinearOf, integerOf, sampleOf } from '../reference/plane.ts';

type SourceDtype = keyof typeof ARRAY_OF;
const PAIRS: readonly [SourceDtype, KernelDtype][] = [
  ['u8', 'u16'],
  ['u16', 'u16'],
  ['u8', 'i16'],
  ['i8', 'i16'],
  ['i16', 'i16'],
  ...(Object.keys(ARRAY_OF) as SourceDtype[]).map((dtype): [SourceDtype, KernelDtype] => [dtype, 'f32']),
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
  const values = Array.from({ length: width * height }, () => {
    if (random() < 0.25) return nodata;
    const sign = dtype[0] === 'u' || random() < 0.5 ? 1 : -1;
    return sign * (dtype[0] === 'f' ? random() * small : Math.floor(random() * small));
  });
  return { dtype, data: Array.from(new ARRAY_OF[dtype](values)), width, height, nodata };
}

/** Copies the source in, lets `work` write a target of width × height at a pointer, gives it back; the bytes behind must stay. */
function onTarget(
  source: Image,
  target: { dtype: KernelDtype; width: number; height: number; nodata: number | null },
  work: (from: Image & { ptr: number }, to: typeof target & { ptr: number }) => void,
): number[] {
  return k.scope(() => {
    const at = ARRAY_OF[source.dtype].from(source.data);
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

/** gdalwarp 3.6 -r bilinear|average of the 4 × 3 source below. */
const GDAL = [
  {
    name: 'bilinear',
    scale: 0.5,
    width: 8,
    height: 6,
    values:
      '10 12.5 17.5 20 NaN NaN 48 48 16.5 17.200000762939453 18.923076629638672 18.399999618530273 NaN NaN 35.38461685180664 38 29.5 28.769229888916016 NaN NaN 5.599999904632568 8.307692527770996 15.199999809265137 18 52 52 NaN NaN 10.461538314819336 7.199999809265137 7.692307472229004 8 84 77.5999984741211 61.846153259277344 40 20.799999237060547 12.615385055541992 NaN NaN 100 88 64 43 25 16 NaN NaN',
  },
  { name: 'average', scale: 2.0, width: 2, height: 2, values: '22 20 76 16' },
  {
    name: 'average',
    scale: 1.25,
    width: 4,
    height: 3,
    values:
      '16 17.714284896850586 35.764705657958984 40 60.727272033691406 25 8.421052932739258 8 90.4000015258789 37.599998474121094 16 NaN',
  },
] as const;

describe('resampling beside gdalwarp', () => {
  const data = [10, 20, -9999, 48, 36, -9999, 4, 8, 100, 52, 16, -9999];
  const source: Image = { dtype: 'f32', data, width: 4, height: 3, nodata: -9999 };
  for (const { name, scale, width, height, values } of GDAL) {
    it(`${name}, target pixels of ${scale} source px`, () => {
      const axis: PlacedAxis = { scale, offset: 0, first: 0, origin: 0 };
      const place = name === 'bilinear' ? placeBilinearInto : placeAverageInto;
      const target = { dtype: 'f32', width, height, nodata: null } as const;
      const got = onTarget(source, target, (a, b) => place(k, a, { x: axis, y: axis }, b));
      expect(got).toEqual(values.split(' ').map((v) => Math.fround(Number(v))));
    });
  }
});
