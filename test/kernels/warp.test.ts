import { describe, expect, it } from 'vitest';
import { KernelError, UnsupportedError } from '../../build/errors.js';
import { ARRAY_OF } from '../../build/io/tile-collector.js';
import { type KernelDtype, Kernels } from '../../build/kernels/memory.js';
import { type WarpCells, type WarpMethod, warpInto, warpMargin, warpMaskInto } from '../../build/kernels/warp.js';
import { seeded } from '../random.ts';
import { blendOf, integerOf, kernelRatioOf, meanUnder, modesUnder, nearestOf, roundedOf } from '../reference.ts';

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
const METHODS: readonly WarpMethod[] = ['nearest', 'bilinear', 'cubic', 'average', 'mode'];
const k = new Kernels();

interface Image {
  dtype: SourceDtype;
  data: number[];
  width: number;
  height: number;
  nodata: number | null;
}

type Point = readonly [x: number, y: number];
interface Window {
  col: number;
  row: number;
  width: number;
  height: number;
}

/** A source lies under the target in squares of `size` px, each with corners of its own. */
interface Lay {
  size: number;
  ratio: Point;
  corner(col: number, row: number): Point;
}

const dyadic = (value: number) => Math.round(value * 2 ** 20) / 2 ** 20;

/** Turned by cos and sin, stretched, moved, and every corner pushed a little to where the squares are no parallelograms. */
function lay([cos, sin]: Point, [sx, sy]: Point, [x0, y0]: Point, size: number): Lay {
  return {
    size,
    ratio: [sx, sy],
    corner: (col, row) => {
      const push = 0.3 * Math.sin(col * 0.7 + row * 1.3);
      return [dyadic(x0 + sx * (cos * col - sin * row) + push), dyadic(y0 + sy * (sin * col + cos * row) - push)];
    },
  };
}

const LAYS: readonly Lay[] = [
  lay([1, 0], [1, 1], [-3.25, 2.5], 32),
  lay([0.8, 0.6], [1, 1], [4, -6], 32),
  lay([0.8, -0.6], [0.45, 0.7], [-2, 9], 16),
  lay([-0.6, 0.8], [1.7, 2.3], [30, 4], 8),
  lay([-1, 0], [-1.99, 1.3], [2, 26], 4),
  lay([0.28, 0.96], [3.4, 0.6], [10, -20], 1),
];

function cellsOver({ size, corner }: Lay, window: Window): Float64Array {
  const cells: number[] = [];
  for (let row = Math.floor(window.row / size) * size; row < window.row + window.height; row += size) {
    for (let col = Math.floor(window.col / size) * size; col < window.col + window.width; col += size) {
      const corners = [
        corner(col, row),
        corner(col + size, row),
        corner(col, row + size),
        corner(col + size, row + size),
      ];
      cells.push(col, row, size, ...corners.flat());
    }
  }
  return Float64Array.from(cells);
}

/** Exact: corners have 20 bits behind the point, and shares of a square 6. */
function positionIn({ size, corner }: Lay, col: number, row: number, [dx, dy]: Point): Point {
  const [left, top] = [Math.floor(col / size) * size, Math.floor(row / size) * size];
  const [tx, ty] = [(col + dx - left) / size, (row + dy - top) / size];
  const [p, q, r, s] = [
    corner(left, top),
    corner(left + size, top),
    corner(left, top + size),
    corner(left + size, top + size),
  ];
  const mix = (i: 0 | 1) => (p[i] * (1 - tx) + q[i] * tx) * (1 - ty) + (r[i] * (1 - tx) + s[i] * tx) * ty;
  return [mix(0), mix(1)];
}

/** Small and large numbers of a type, a few of each value so that modes exist, a part of them missing. */
function image(dtype: SourceDtype, width: number, height: number, random: () => number, gaps = 0.15): Image {
  const nodata = { u8: 0, i8: -128, u16: 0, i16: -999, u32: 4294967295, i32: -2147483648, f32: -9999, f64: -9999.25 }[
    dtype
  ];
  const small = dtype === 'u8' || dtype === 'i8' ? 100 : 10000;
  const values = Array.from({ length: width * height }, () => {
    if (random() < gaps) return nodata;
    const sign = dtype[0] === 'u' || random() < 0.5 ? 1 : -1;
    const value = random() < 0.5 ? 1 + Math.floor(random() * 3) : random() * small;
    return sign * (dtype[0] === 'f' ? value : 1 + Math.floor(value));
  });
  return { dtype, data: Array.from(new ARRAY_OF[dtype](values)), width, height, nodata };
}

interface Target {
  dtype: KernelDtype;
  nodata: number | null;
}

/** Warps the part `cut` of the source onto a window of the target; the bytes behind must stay. */
function warped(
  source: Image,
  { own, window, method, cut }: { own: Lay; window: Window; method: WarpMethod; cut?: Window },
  { dtype, nodata }: Target,
): number[] {
  const part = cut ?? { col: 0, row: 0, width: source.width, height: source.height };
  const rows = Array.from({ length: part.height }, (_, y) =>
    source.data.slice((part.row + y) * source.width + part.col, (part.row + y) * source.width + part.col + part.width),
  );
  return k.scope(() => {
    const data = ARRAY_OF[source.dtype].from(rows.flat());
    const ptr = k.alloc(data.byteLength);
    k.u8(ptr, data.byteLength).set(new Uint8Array(data.buffer));
    const n = window.width * window.height;
    const size = dtype === 'f32' ? 4 : 2;
    const out = k.alloc(n * size + 64);
    k.u8(out + n * size, 64).fill(77);
    k[dtype](out, n).fill(nodata ?? Number.NaN);
    const under: WarpCells = {
      cells: cellsOver(own, window),
      originCol: part.col,
      originRow: part.row,
      firstCol: window.col,
      firstRow: window.row,
      ratioX: own.ratio[0],
      ratioY: own.ratio[1],
    };
    const { width, height } = part;
    warpInto(
      k,
      { ptr, dtype: source.dtype, width, height, nodata: source.nodata },
      { ...under, method },
      { ptr: out, dtype, width: window.width, height: window.height, nodata },
    );
    expect(Array.from(k.u8(out + n * size, 64))).toEqual(new Array(64).fill(77));
    return Array.from(k[dtype](out, n));
  });
}

/** All values that a pixel may have: one, or the two next to a half or the equally frequent ones. */
function expected(source: Image, own: Lay, [col, row]: Point, method: WarpMethod): number[] {
  const at = (dx: number, dy: number) => positionIn(own, col, row, [dx, dy]);
  const ring = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
  if (method === 'nearest') return [nearestOf(source, at(0.5, 0.5))];
  if (method === 'average') return [meanUnder(source, ring)];
  if (method === 'mode') {
    const modes = modesUnder(source, ring);
    return modes.length === 0 ? [Number.NaN] : modes;
  }
  const ratio = [kernelRatioOf(own.ratio[0]), kernelRatioOf(own.ratio[1])] as const;
  return [blendOf(source, at(0.5, 0.5), { cubic: method === 'cubic', ratio })];
}

function fits(got: number, wanted: readonly number[], { dtype, nodata }: Target): boolean {
  return wanted.some((value) => {
    if (Number.isNaN(value)) return dtype === 'f32' ? Number.isNaN(got) : got === nodata;
    if (dtype === 'f32') return Math.abs(got - value) <= 1e-6 * Math.max(1, Math.abs(value));
    const near = Math.abs(value - Math.floor(value) - 0.5) < 1e-6 ? [value - 1e-3, value + 1e-3] : [value];
    return near.some((v) => got === integerOf(v, RANGES[dtype], nodata));
  });
}

describe('warpInto equals the naive reference', () => {
  for (const [from, to] of PAIRS) {
    it(`${from} into ${to}`, () => {
      const random = seeded(29);
      for (const [i, own] of LAYS.entries()) {
        const [width, height] = (
          [
            [23, 19],
            [1, 1],
            [40, 31],
            [17, 3],
          ] as const
        )[i % 4]!;
        const source = image(from, width, height, random, i % 3 === 0 ? 0 : 0.15);
        const target = { dtype: to, nodata: to === 'f32' ? null : source.nodata };
        const window = { col: -5 + 3 * i, row: -7, width: 29, height: 27 };
        for (const method of METHODS) {
          const got = warped(source, { own, window, method }, target);
          const wrong = got.flatMap((value, px) => {
            const at = [window.col + (px % window.width), window.row + Math.floor(px / window.width)] as const;
            const wanted = expected(source, own, at, method);
            return fits(value, wanted, target) ? [] : [{ method, lay: i, at, value, wanted }];
          });
          expect(wrong.slice(0, 3)).toEqual([]);
        }
      }
    });
  }

  it('has valid and missing pixels to compare', () => {
    const source = image('u16', 23, 19, seeded(1));
    const window = { col: -5, row: -7, width: 29, height: 27 };
    for (const method of METHODS) {
      const got = warped(source, { own: LAYS[1]!, window, method }, { dtype: 'u16', nodata: 0 });
      expect(got.some((v) => v === 0) && got.filter((v) => v !== 0).length > 100).toBe(true);
    }
  });
});

describe('warpInto does not depend on how target and source are cut', () => {
  it.each(METHODS)('%s', (method) => {
    const random = seeded(4);
    for (const own of LAYS) {
      for (const dtype of ['u16', 'f32'] as const) {
        const source = image(dtype, 61, 47, random);
        const target = { dtype, nodata: dtype === 'f32' ? null : 0 };
        const whole = { col: 0, row: 0, width: 40, height: 33 };
        const all = warped(source, { own, window: whole, method }, target);
        for (const [width, height] of [
          [40, 1],
          [7, 33],
          [13, 10],
        ] as const) {
          for (let row = 0; row < whole.height; row += height) {
            for (let col = 0; col < whole.width; col += width) {
              const window = { col, row, width: Math.min(width, 40 - col), height: Math.min(height, 33 - row) };
              const got = warped(source, { own, window, method, cut: sourceCut(source, own, window, method) }, target);
              const want = all.filter((_, px) => inside(window, px % 40, Math.floor(px / 40)));
              expect(got).toEqual(want);
            }
          }
        }
      }
    }
  });
});

const inside = ({ col, row, width, height }: Window, x: number, y: number) =>
  x >= col && x < col + width && y >= row && y < row + height;

/** The part of a source that a window of the target needs, as a composite reads it. */
function sourceCut(source: Image, own: Lay, window: Window, method: WarpMethod): Window {
  const cells = cellsOver(own, window);
  const span = (axis: 0 | 1, size: number) => {
    const margin = warpMargin(method, own.ratio[axis]);
    const at = Array.from(cells).filter((_, i) => i % 11 >= 3 && (i % 11) % 2 === 1 - axis);
    const begin = Math.min(size - 1, Math.max(0, Math.floor(Math.min(...at)) - margin));
    return [begin, Math.max(1, Math.min(size, Math.ceil(Math.max(...at)) + margin) - begin)] as const;
  };
  const [col, width] = span(0, source.width);
  const [row, height] = span(1, source.height);
  return { col, row, width, height };
}

describe('warpInto', () => {
  const plain = lay([1, 0], [1, 1], [0, 0], 32);
  const still: Lay = { ...plain, corner: (col, row) => [col, row] };
  const window = { col: 0, row: 0, width: 3, height: 1 };

  it('takes NaN as missing, keeps infinities, and knows no missing value that the type cannot hold', () => {
    const float: Image = { dtype: 'f32', data: [1, Number.NaN, 3], width: 3, height: 1, nodata: 3 };
    for (const method of METHODS) {
      const got = warped(float, { own: still, window, method }, { dtype: 'f32', nodata: null });
      expect(got).toEqual([1, Number.NaN, Number.NaN]);
    }
    const endless: Image = { dtype: 'f32', data: [1, Infinity, 3], width: 3, height: 1, nodata: null };
    for (const method of METHODS) {
      const got = warped(endless, { own: still, window, method }, { dtype: 'f32', nodata: null });
      expect(got).toEqual([1, Infinity, 3]);
    }
    const bytes: Image = { dtype: 'u8', data: [0, 255, 1], width: 3, height: 1, nodata: 256 };
    expect(warped(bytes, { own: still, window, method: 'cubic' }, { dtype: 'f32', nodata: null })).toEqual([0, 255, 1]);
  });

  it('steps off the missing value', () => {
    const source: Image = { dtype: 'u16', data: [9, 11, 11, 9], width: 2, height: 2, nodata: 10 };
    const one = { col: 0, row: 0, width: 1, height: 1 };
    const middle: Lay = { ...still, corner: (col, row) => [0.5 + col, 0.5 + row] };
    for (const method of ['bilinear', 'cubic', 'average'] as const) {
      expect(warped(source, { own: middle, window: one, method }, { dtype: 'u16', nodata: 10 })).toEqual([9]);
    }
  });

  it('takes the lowest of equally frequent values', () => {
    const source: Image = { dtype: 'i16', data: [5, -7, 5, -7], width: 4, height: 1, nodata: null };
    const one = { col: 0, row: 0, width: 1, height: 1 };
    const all: Lay = { ...still, size: 1, corner: (col, row) => [4 * col, row] };
    expect(warped(source, { own: all, window: one, method: 'mode' }, { dtype: 'i16', nodata: null })).toEqual([-7]);
  });

  it('rounds half to even', () => {
    expect(roundedOf(2.5)).toBe(2);
    const source: Image = { dtype: 'u16', data: [2, 3], width: 2, height: 1, nodata: null };
    const one = { col: 0, row: 0, width: 1, height: 1 };
    const both: Lay = { ...still, size: 1, corner: (col, row) => [2 * col, row] };
    expect(warped(source, { own: both, window: one, method: 'average' }, { dtype: 'u16', nodata: 0 })).toEqual([2]);
  });

  it('asks for no more memory than there can be', () => {
    for (const bytes of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 64, 5e9]) expect(() => k.alloc(bytes)).toThrow(KernelError);
  });

  it('refuses by name what does not fit, and a mode over half the Earth', () => {
    const under: WarpCells = {
      cells: cellsOver(still, window),
      originCol: 0,
      originRow: 0,
      firstCol: 0,
      firstRow: 0,
      ratioX: 1,
      ratioY: 1,
    };
    const target = { ptr: 0, dtype: 'u16', width: 1, height: 1, nodata: 0 } as const;
    const source = { ptr: 0, dtype: 'u32', width: 1, height: 1, nodata: null };
    expect(() => warpInto(k, source, { ...under, method: 'nearest' }, target)).toThrow(
      'u32 samples do not fit a stack of u16',
    );
    const huge = { ...source, dtype: 'u16', width: 100_000, height: 100_000 };
    const far = Float64Array.from([0, 0, 1, 0, 0, 1e5, 0, 0, 1e5, 1e5, 1e5]);
    expect(() => warpInto(k, huge, { ...under, cells: far, method: 'mode' }, target)).toThrow(UnsupportedError);
  });
});

describe('warpMaskInto', () => {
  it('takes the nearest pixel and leaves alone what lies outside', () => {
    const random = seeded(8);
    const mask: Image = { ...image('u8', 21, 18, random, 0.5), nodata: null };
    const window = { col: -4, row: 3, width: 33, height: 20 };
    for (const own of LAYS) {
      const got = k.scope(() => {
        const [ptr, out] = [k.alloc(mask.data.length), k.alloc(660)];
        k.u8(ptr, mask.data.length).set(mask.data);
        k.u8(out, 660).fill(201);
        const under = {
          cells: cellsOver(own, window),
          originCol: 0,
          originRow: 0,
          firstCol: -4,
          firstRow: 3,
          ratioX: 1,
          ratioY: 1,
        };
        warpMaskInto(k, { ptr, width: 21, height: 18 }, under, { ptr: out, width: 33, height: 20 });
        return Array.from(k.u8(out, 660));
      });
      const want = got.map((_, px) => {
        const value = nearestOf(mask, positionIn(own, -4 + (px % 33), 3 + Math.floor(px / 33), [0.5, 0.5]));
        return Number.isNaN(value) ? 201 : value;
      });
      expect(got).toEqual(want);
    }
  });
});
