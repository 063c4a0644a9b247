import { describe, expect, it } from 'vitest';
import { type KernelDtype, Kernels, type StackView } from '../../build/kernels/memory.js';
import { countAllInto, firstInto, gatherInto, lastInto } from '../../build/kernels/pick.js';
import { seeded } from '../random.ts';

const k = new Kernels();

/** A stack [nBand][nTime][nPx] with gaps between rows, and its values. */
function stackOf(
  { dtype, nodata }: { dtype: KernelDtype; nodata: number | null },
  { nBand, nTime, nPx }: { nBand: number; nTime: number; nPx: number },
  random: () => number,
): { view: StackView; values: number[][][] } {
  const timeStrideBytes = nPx * (dtype === 'f32' ? 4 : 2) + 64;
  const bandStrideBytes = nTime * timeStrideBytes + 128;
  const ptr = k.alloc(nBand * bandStrideBytes + 64);
  const missing = dtype === 'f32' ? Number.NaN : nodata;
  const values = Array.from({ length: nBand }, (_, b) =>
    Array.from({ length: nTime }, (_, t) => {
      const row = Array.from({ length: nPx }, (_, x) =>
        missing !== null && (x % 16 === 5 || random() < 0.4) ? missing : 1 + Math.floor(random() * 30000),
      );
      k[dtype](ptr + b * bandStrideBytes + t * timeStrideBytes, nPx).set(row);
      return row;
    }),
  );
  return { view: { ptr, dtype, nBand, nTime, nPx, timeStrideBytes, bandStrideBytes, nodata }, values };
}

describe('whole observations out of a stack', () => {
  for (const [dtype, nodata] of [
    ['u16', 0],
    ['u16', 65535],
    ['i16', -999],
    ['i16', 32767],
    ['f32', null],
    ['u16', null],
  ] as const) {
    it(`${dtype}, missing ${dtype === 'f32' ? 'NaN' : nodata}: first, last, their values, and the count`, () => {
      const random = seeded(41);
      for (const nPx of [64, 128]) {
        for (const nTime of [0, 1, 2, 3, 5, 7, 140, 300]) {
          for (const nBand of [1, 2, 6]) k.scope(() => check(nTime, nBand, nPx));
        }
      }

      function check(nTime: number, nBand: number, nPx: number): void {
        const { view, values } = stackOf({ dtype, nodata }, { nBand, nTime, nPx }, random);
        const dates = Array.from({ length: nPx }, (_, x) =>
          Array.from({ length: nTime }, (_, t) => t).filter((t) =>
            values.every((band) => (nodata === null ? !Number.isNaN(band[t]![x]) : band[t]![x] !== nodata)),
          ),
        );
        const [index, count, out] = [k.alloc(nPx * 4), k.alloc(nPx * 2), k.alloc(nBand * nPx * 4)];
        for (const [into, wanted] of [
          [firstInto, 0],
          [lastInto, -1],
        ] as const) {
          into(k, view, index);
          const want = dates.map((d) => d.at(wanted) ?? -1);
          expect(Array.from(k.i32(index, nPx))).toEqual(want);
          gatherInto(k, view, index, out, nodata ?? 0);
          const none = dtype === 'f32' ? Number.NaN : (nodata ?? 0);
          expect(Array.from(k[dtype](out, nBand * nPx))).toEqual(
            values.flatMap((band) => want.map((t, x) => (t < 0 ? none : band[t]![x]!))),
          );
        }
        countAllInto(k, view, count);
        expect(Array.from(k.u16(count, nPx))).toEqual(dates.map((d) => d.length));
      }
    });
  }
});
