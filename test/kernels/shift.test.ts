import { describe, expect, it } from 'vitest';
import { Kernels } from '../../build/kernels/memory.js';
import { shiftInto } from '../../build/kernels/shift.js';

const k = new Kernels();
const RANGES = { u16: [0, 65535], i16: [-32768, 32767] } as const;

/** One sample as the words say it. */
function reference(v: number, shift: number, nodata: number | null, [least, most]: readonly [number, number]): number {
  if (v === nodata) return v;
  const sum = Math.min(most, Math.max(least, v + shift));
  if (sum !== nodata) return sum;
  return nodata === most ? nodata - 1 : nodata + 1;
}

describe('shifting a plane', () => {
  for (const dtype of ['u16', 'i16'] as const)
    for (const nodata of [null, 0, RANGES[dtype][0], RANGES[dtype][1], 1000, 500])
      for (const shift of [-1000, 1000, -1, 1, -32767, 32767])
        it(`${dtype}, missing ${nodata}, by ${shift}: all values`, () => {
          const [least] = RANGES[dtype];
          k.scope(() => {
            const ptr = k.alloc(65536 * 2);
            const values = k[dtype](ptr, 65536);
            const before = Array.from(values.keys(), (i) => i + least);
            values.set(before);
            shiftInto(k, { ptr, dtype, nPx: 65536, nodata }, shift);
            expect(Array.from(k[dtype](ptr, 65536))).toEqual(
              before.map((v) => reference(v, shift, nodata, RANGES[dtype])),
            );
          });
        });

  it('f32: below zero stays, NaN stays', () => {
    k.scope(() => {
      const ptr = k.alloc(64);
      k.f32(ptr, 16).fill(Number.NaN);
      k.f32(ptr, 3).set([500, 1500, 0]);
      shiftInto(k, { ptr, dtype: 'f32', nPx: 16, nodata: null }, -1000);
      expect(Array.from(k.f32(ptr, 4))).toEqual([-500, 500, -1000, Number.NaN]);
    });
  });

  it('refuses what is no whole shift', () => {
    const plane = { ptr: 0, dtype: 'u16', nPx: 8, nodata: 0 } as const;
    for (const shift of [0.5, 40000, Number.NaN]) expect(() => shiftInto(k, plane, shift)).toThrow('cannot be shifted');
    expect(() => shiftInto(k, { ...plane, nPx: 7 }, 1)).toThrow('cannot be shifted');
  });
});
