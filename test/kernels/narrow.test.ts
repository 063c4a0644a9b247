import { describe, expect, it } from 'vitest';
import { Kernels } from '../../build/kernels/memory.js';
import { type NarrowDtype, narrowInto } from '../../build/kernels/narrow.js';
import { seeded } from '../random.ts';
import { roundedOf } from '../reference/plane.ts';

const ARRAYS = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array };
const k = new Kernels();

function narrowed(
  values: readonly number[],
  dtype: NarrowDtype,
  rounding: 'half-even' | 'truncate',
  nodata: number,
): number[] {
  return k.scope(() => {
    const n = values.length;
    const [source, ptr] = [k.alloc(n * 4), k.alloc(n * 4 + 64)];
    k.f32(source, n).set(values);
    k.u8(ptr, n * 4 + 64).fill(55);
    narrowInto(k, source, n, { ptr, dtype }, { rounding, nodata });
    const size = Number(dtype.slice(1)) / 8;
    expect(Array.from(k.u8(ptr + n * size, 64))).toEqual(new Array(64).fill(55));
    return Array.from(new ARRAYS[dtype](k.exports.memory.buffer, ptr, n));
  });
}

describe('narrowInto', () => {
  for (const dtype of Object.keys(ARRAYS) as NarrowDtype[]) {
    const bits = Number(dtype.slice(1));
    const least = dtype[0] === 'i' ? -(2 ** (bits - 1)) : 0;
    const most = least + 2 ** bits - 1;
    it(`${dtype}: rounds half to even or truncates, clamps, NaN to the missing value; every length`, () => {
      const random = seeded(bits);
      for (const n of [0, 1, 3, 7, 8, 9, 63, 64, 65, 200]) {
        const values = Array.from({ length: n }, (_, i) => {
          if (i % 9 === 4) return Number.NaN;
          const wide = [1, 4, 300, 2 ** bits * 1.5][i % 4]!;
          const value = (random() - (dtype[0] === 'i' ? 0.5 : 0.1)) * wide;
          return Math.fround(i % 3 === 0 ? Math.floor(value) + 0.5 : value);
        });
        const clamped = (v: number) => Math.min(most, Math.max(least, v)) + 0;
        expect(narrowed(values, dtype, 'half-even', 3)).toEqual(
          values.map((v) => (Number.isNaN(v) ? 3 : clamped(roundedOf(v)))),
        );
        expect(narrowed(values, dtype, 'truncate', most)).toEqual(
          values.map((v) => (Number.isNaN(v) ? most : clamped(Math.trunc(v)))),
        );
      }
    });
    it(`${dtype}: infinities and the ends of the range`, () => {
      const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, 1.5, 2.5, -0.5, -0];
      const low = least === 0 ? 0 : least;
      for (const copies of [1, 4]) {
        const all = Array.from({ length: copies }, () => values).flat();
        const want = Array.from({ length: copies }, () => [most, low, 0, 2, 2, 0, 0]).flat();
        expect(narrowed(all, dtype, 'half-even', 7)).toEqual(want);
      }
    });
  }
});
