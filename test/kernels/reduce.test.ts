import { describe, expect, it } from 'vitest';
import { InputError } from '../../build/errors.js';
import { count, max, mean, min, std } from '../../build/kernels/reduce.js';
import { seeded } from '../random.ts';
import { maxOf, meanOf, minOf, stdOf } from '../reference/reduce.ts';

type Values = Uint16Array | Int16Array | Uint8Array | Int32Array | Float32Array | Float64Array;

function check(data: Values, nTime: number, nPx: number, nodata: number | null): void {
  const options = { nTime, nPx, nodata };
  const got = { mean: mean(data, options), std: std(data, options), n: count(data, options) };
  const least = min(data, options);
  const most = max(data, options);
  for (let x = 0; x < nPx; x++) {
    const values = Array.from({ length: nTime }, (_, t) => data[t * nPx + x]!).filter(
      (v) => v !== nodata && !Number.isNaN(v),
    );
    expect(got.n[x]).toBe(values.length);
    expect(least[x]).toBe(Math.fround(minOf(values)));
    expect(most[x]).toBe(Math.fround(maxOf(values)));
    near(got.mean[x]!, meanOf(values));
    near(got.std[x]!, stdOf(values));
  }
}

/** Within 1e-6 relative, NaN equal to NaN. */
function near(got: number, want: number): void {
  if (Number.isNaN(want)) expect(got).toBeNaN();
  else expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-6 * Math.abs(want));
}

describe('mean, std, min, max and count over time', () => {
  const random = seeded(7);
  for (const nPx of [1, 3, 63, 64, 65]) {
    it(`u16, i16, u8, i32, f32 and f64 of ${nPx} px, 1 to 300 dates`, () => {
      for (const nTime of [1, 2, 3, 4, 5, 7, 16, 17, 300]) {
        const length = nTime * nPx;
        const missing = () => random() < 0.3;
        check(
          Uint16Array.from({ length }, () => (missing() ? 0 : random() * 65536)),
          nTime,
          nPx,
          0,
        );
        check(
          Int16Array.from({ length }, () => (missing() ? -999 : random() * 65536 - 32768)),
          nTime,
          nPx,
          -999,
        );
        check(
          Uint8Array.from({ length }, () => (missing() ? 255 : random() * 256)),
          nTime,
          nPx,
          255,
        );
        check(
          Int32Array.from({ length }, () => (missing() ? -1 : random() * 1e6)),
          nTime,
          nPx,
          -1,
        );
        check(
          Float32Array.from({ length }, () => (missing() ? Number.NaN : random() * 3000)),
          nTime,
          nPx,
          null,
        );
        check(
          Float32Array.from({ length }, () => (missing() ? -9999 : random())),
          nTime,
          nPx,
          -9999,
        );
      }
    });
  }

  it('keeps 1e-6 where the deviation is small beside the mean', () => {
    const nTime = 200;
    check(
      Float32Array.from({ length: nTime }, () => 60000 + random()),
      nTime,
      1,
      null,
    );
    check(
      Uint16Array.from({ length: nTime }, () => 65533 + random() * 3),
      nTime,
      1,
      null,
    );
    check(
      Int16Array.from({ length: nTime }, () => -32768 + random() * 3),
      nTime,
      1,
      null,
    );
  });

  it('is exact at the ends of the ranges and of the number of dates', () => {
    const all = new Uint16Array(65535).fill(65535);
    expect(mean(all, { nTime: 65535, nPx: 1 })[0]).toBe(65535);
    expect(std(all, { nTime: 65535, nPx: 1 })[0]).toBe(0);
    expect(count(all, { nTime: 65535, nPx: 1 })[0]).toBe(65535);
    const halves = Int16Array.from({ length: 4096 }, (_, t) => (t % 2 ? 32767 : -32768));
    expect(mean(halves, { nTime: 4096, nPx: 1 })[0]).toBe(-0.5);
    expect(std(halves, { nTime: 4096, nPx: 1 })[0]).toBe(32767.5);
  });

  it('gives NaN and 0 where nothing is valid, and for no dates', () => {
    const none = { nTime: 3, nPx: 2, nodata: 0 };
    expect([...mean(new Uint16Array(6), none), ...std(new Uint16Array(6), none)]).toEqual(Array(4).fill(Number.NaN));
    expect([...min(new Int16Array(6), none), ...max(new Float32Array(6), none)]).toEqual(Array(4).fill(Number.NaN));
    expect([...count(new Uint16Array(6), none)]).toEqual([0, 0]);
    expect([...count(new Uint16Array(6), { nTime: 3, nPx: 2 })]).toEqual([3, 3]);
    expect([...mean(new Uint16Array(0), { nTime: 0, nPx: 2 })]).toEqual([Number.NaN, Number.NaN]);
    expect(mean(new Uint16Array(0), { nTime: 4, nPx: 0 }).length).toBe(0);
  });

  it('knows infinities', () => {
    const data = Float32Array.of(1, Number.POSITIVE_INFINITY, Number.NaN);
    expect(mean(data, { nTime: 3, nPx: 1 })[0]).toBe(Number.POSITIVE_INFINITY);
    expect(max(data, { nTime: 3, nPx: 1 })[0]).toBe(Number.POSITIVE_INFINITY);
    expect(min(data, { nTime: 3, nPx: 1 })[0]).toBe(1);
  });

  it('refuses sizes that do not fit', () => {
    expect(() => mean(new Uint16Array(5), { nTime: 2, nPx: 3 })).toThrow(InputError);
    expect(() => count(new Uint16Array(5), { nTime: 1, nPx: -5 })).toThrow(/nPx must be/);
    expect(() => std(new Uint16Array(65536), { nTime: 65536, nPx: 1 })).toThrow(/at most 65535 dates/);
  });
});
