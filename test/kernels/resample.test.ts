import { describe, expect, it } from 'vitest';
import { ARRAY_OF } from '../../build/io/tile-collector.js';
import { type KernelDtype, Kernels } from '../../build/kernels/memory.js';
import { placeAverageInto, placeBilinearInto } from '../../build/kernels/plane.js';
import { seeded } from '../random.ts';
import { type Axis, averagePlane, bilinearPlane, integerOf } from '../reference/plane.ts';

type SourceDtype = keyof typeof ARRAY_OF;
const RANGES = { u16: [0, 65535], i16: [-32768, 32767] } as const;
const PAIRS: readonly [SourceDtype, KernelDtype][] = [
  ['u8', 'u16'],
  ['u16', 'u16'],
  ['u8', 'i16'],
  ['i8', 'i16'],
  ['i16', 'i16'],
  ...(Object.keys(ARRAY_OF) as SourceDtype[]).map((dtype): [SourceDtype, KernelDtype] => [dtype, 'f32']),
];
const k = new Kernels();

interface Image {
  dtype: SourceDtype;
  data: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;
  width: number;
  height: number;
  nodata: number | null;
}

interface Target {
  dtype: KernelDtype;
  width: number;
  height: number;
  nodata: number | null;
}

/** A kernel, and its rule in plain numbers. */
const BILINEAR = { place: placeBilinearInto, plane: bilinearPlane };
const AVERAGE = { place: placeAverageInto, plane: averagePlane };
type Method = typeof BILINEAR;
type Axes = Parameters<Method['plane']>[1];

/** The kernel's plane; the bytes on both sides of it must stay. */
function placed({ place }: Method, source: Image, axes: Axes, target: Target): number[] {
  return k.scope(() => {
    const bytes = target.width * target.height * (target.dtype === 'f32' ? 4 : 2);
    const [ptr, around] = [k.alloc(source.data.byteLength), k.alloc(bytes + 128)];
    k.u8(ptr, source.data.byteLength).set(new Uint8Array(source.data.buffer));
    k.u8(around, bytes + 128).fill(77);
    place(k, { ...source, ptr }, axes, { ...target, ptr: around + 64 });
    const guards = [...k.u8(around, 64), ...k.u8(around + 64 + bytes, 64)];
    expect(guards.every((byte) => byte === 77)).toBe(true);
    return Array.from(k[target.dtype](around + 64, target.width * target.height));
  });
}

function expected({ plane }: Method, source: Image, axes: Axes, target: Target): number[] {
  const { dtype, width, height, nodata } = target;
  return plane(source, axes, width, height).map((value) => {
    if (dtype === 'f32') return Math.fround(value);
    return Number.isNaN(value) ? (nodata ?? 0) : integerOf(value, RANGES[dtype], nodata) + 0;
  });
}

/** Equal to the bit, zeros' signs included; all NaN are one. */
function expectSame(got: readonly number[], want: readonly number[], what: unknown): void {
  const at = got.findIndex((value, i) => !Object.is(value, want[i]));
  if (at >= 0 || got.length !== want.length) {
    expect.fail(`${got[at]} instead of ${want[at]} at ${at} of ${want.length}: ${JSON.stringify(what)}`);
  }
}

type Random = () => number;
const whole = (random: Random, n: number) => Math.floor(random() * n);
const pick = <T>(random: Random, values: readonly T[]): T => values[whole(random, values.length)]!;
const FLOATS = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 0, 3e38, 1e-310];

/** The ends of a type's range, small numbers that make ties, any; `gaps` of them missing. */
function image(dtype: SourceDtype, [width, height]: readonly [number, number], gaps: number, random: Random): Image {
  const bits = Number(dtype.slice(1));
  const least = dtype[0] === 'i' ? -(2 ** (bits - 1)) : 0;
  const sample = () => {
    if (dtype[0] === 'f') return random() < 0.03 ? pick(random, FLOATS) : (random() - 0.5) * 10 ** whole(random, 9);
    const kind = whole(random, 3);
    if (kind === 0) return least + whole(random, 4);
    return kind === 1 ? least + 2 ** bits - 1 - whole(random, 4) : least + whole(random, 2 ** bits);
  };
  const data = new ARRAY_OF[dtype](width * height).map(sample as () => never);
  const nodata = pick(random, [null, data[whole(random, data.length)]!, 0]);
  for (let i = 0; i < data.length; i++) if (random() < gaps) data[i] = nodata ?? data[i]!;
  return { dtype, data, width, height, nodata };
}

/** Finer by whole factors and others, equal, coarser, turned round. */
const ANY = [0.5, 1 / 3, 1 / 6, 0.25, 0.37, 1, 2, 2.5, -0.5, -1];

/** All phases, from before the source to behind it. */
function axis(random: Random, scales: readonly number[]): Axis {
  const scale = pick(random, scales);
  const offset = pick(random, [0, 0, 0.5, -1, -1.5, 0.25, random() * 6 - 3]) + (scale < 0 ? 20 : 0);
  return { scale, offset, first: whole(random, 4), origin: pick(random, [0, 0, 1, -2]) };
}

describe.each([
  { name: 'placeBilinearInto', method: BILINEAR, usual: [0.5] },
  { name: 'placeAverageInto', method: AVERAGE, usual: [2, 3, -2] },
])('$name, to the bit', ({ method, usual }) => {
  it.each(PAIRS)('%s into %s', (from, to) => {
    const random = seeded(from.charCodeAt(0) + from.length * 7 + to.charCodeAt(0));
    for (let i = 0; i < 160; i++) {
      const size = [1 + whole(random, pick(random, [4, 40, 160])), 1 + whole(random, 8)] as const;
      const source = image(from, size, pick(random, [0, 0, 0.02, 0.4, 1]), random);
      const scales = i % 2 ? usual : ANY;
      const axes = { x: axis(random, scales), y: axis(random, scales) };
      const nodata = to === 'f32' ? null : pick(random, [source.nodata, source.data[0]!, null]);
      const [width, height] = [1 + whole(random, pick(random, [9, 40, 320])), 1 + whole(random, 9)];
      const target = { dtype: to, width, height, nodata };
      const what = { i, size, axes, target, missing: source.nodata };
      expectSame(placed(method, source, axes, target), expected(method, source, axes, target), what);
    }
  });
});

describe('placeBilinearInto', () => {
  /** Every sixteenth of even and odd numbers, at the ends of the type and around 0 and the middle. */
  it.each([
    ['u16', 'u16'],
    ['i16', 'i16'],
    ['u16', 'f32'],
  ] as const)('whole sixteenths of %s round to %s as f64 does', (from, to) => {
    const random = seeded(29);
    const [least, most] = RANGES[from];
    const near = (value: number) => Math.min(most, Math.max(least, value + whole(random, 9) - 4));
    const middles = [least, -20, 0, 20, 32767, most];
    const [width, height] = [400, 6];
    const data = new ARRAY_OF[from](width * height).map((_, i) => near(middles[Math.floor(i / 66) % middles.length]!));
    const axes = (down: number) => ({
      x: { scale: 0.5, offset: 0, first: 0, origin: 0 },
      y: { scale: 1, offset: down, first: 0, origin: 0 },
    });
    const seen = new Set<number>();
    for (const down of [0, 0.25, 0.5, 0.75]) {
      for (const nodata of to === 'f32' ? [null] : [null, least, most, 0, 20]) {
        const source: Image = { dtype: from, data, width, height, nodata: null };
        const target = { dtype: to, width: 2 * width, height, nodata };
        expectSame(placed(BILINEAR, source, axes(down), target), expected(BILINEAR, source, axes(down), target), {
          down,
          nodata,
        });
      }
      const exact = { data: Array.from(data), width, height, nodata: null };
      for (const value of bilinearPlane(exact, axes(down), 2 * width, height))
        seen.add((((value * 16) % 32) + 32) % 32);
    }
    seen.delete(Number.NaN);
    expect(seen.size).toBe(32);
  });

  it('keeps -0 and infinite samples as they are where a weight is 0', () => {
    const data = Float32Array.of(-0, Number.POSITIVE_INFINITY, -0, -0, 5, Number.NEGATIVE_INFINITY);
    const source: Image = { dtype: 'f32', data, width: 3, height: 2, nodata: null };
    for (const [right, down] of [
      [0, 0],
      [0.5, 0],
      [0, 0.5],
      [0.25, 0.25],
    ] as const) {
      const axes = {
        x: { scale: 1, offset: right, first: 0, origin: 0 },
        y: { scale: 1, offset: down, first: 0, origin: 0 },
      };
      const target = { dtype: 'f32', width: 3, height: 2, nodata: null } as const;
      expectSame(placed(BILINEAR, source, axes, target), expected(BILINEAR, source, axes, target), { right, down });
    }
  });

  it.each([
    ['u16', 'u16', 0.5],
    ['i16', 'f32', 0.5],
    ['u16', 'u16', 1 / 3],
    ['f64', 'f32', -0.37],
  ] as const)('%s into %s, × %f: the same whatever the block and the strip', (from, to, scale) => {
    const random = seeded(31);
    const source = image(from, [330, 12], 0.01, random);
    const frame = {
      x: { scale, offset: scale < 0 ? 200 : 1, first: 0, origin: 0 },
      y: { scale, offset: scale < 0 ? 8 : 1, first: 0, origin: 0 },
    };
    const [width, height] = [560, 20];
    const nodata = to === 'f32' ? null : 7;
    const all = placed(BILINEAR, source, frame, { dtype: to, width, height, nodata });
    let compared = 0;
    for (let i = 0; i < 60; i++) {
      const [col, row] = [whole(random, width), whole(random, height)];
      const [w, h] = [1 + whole(random, width - col), 1 + whole(random, height - row)];
      // The window of the source under the block, with a pixel around.
      const [left, right] = windowOf(frame.x, [col, col + w], source.width);
      const [top, bottom] = windowOf(frame.y, [row, row + h], source.height);
      if (right <= left || bottom <= top) continue;
      const cut = source.data.filter((_: number, p: number) => {
        const [x, y] = [p % source.width, Math.floor(p / source.width)];
        return x >= left && x < right && y >= top && y < bottom;
      });
      const part = { ...source, data: cut, width: right - left, height: bottom - top };
      const axes = { x: { ...frame.x, first: col, origin: left }, y: { ...frame.y, first: row, origin: top } };
      const want = Array.from({ length: w * h }, (_, p) => all[(row + Math.floor(p / w)) * width + col + (p % w)]!);
      expectSame(placed(BILINEAR, part, axes, { dtype: to, width: w, height: h, nodata }), want, { col, row, w, h });
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  });

  function windowOf({ scale, offset }: Axis, [from, to]: readonly [number, number], size: number): [number, number] {
    const ends = [offset + from * scale, offset + to * scale];
    return [Math.max(0, Math.floor(Math.min(...ends)) - 1), Math.min(size, Math.ceil(Math.max(...ends)) + 1)];
  }
});
