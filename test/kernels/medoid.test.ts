import { describe, expect, it } from 'vitest';
import { medoid } from '../../build/kernels/medoid.js';
import { seeded } from '../random.ts';
import { medoidOf } from '../reference/geomedian.ts';

describe('medoid', () => {
  const random = seeded(5);

  it('agrees with the reference in u16, i16 and f32, with missing bands', () => {
    for (const [nBand, nTime, nPx] of [
      [1, 9, 5],
      [2, 1, 1],
      [3, 2, 3],
      [6, 21, 65],
      [11, 5, 64],
    ] as const) {
      const length = nBand * nTime * nPx;
      // Few different values: ties are frequent.
      const u16 = Uint16Array.from({ length }, () => (random() < 0.05 ? 0 : 1 + random() * 6));
      const i16 = Int16Array.from(u16, (v) => (v === 0 ? -9999 : v - 4));
      const f32 = Float32Array.from(u16, (v) => (v === 0 ? Number.NaN : v));
      const shape = { nBand, nTime, nPx };
      const want = Array.from({ length: nPx }, (_, x) => {
        const dates = Array.from({ length: nTime }, (_, t) =>
          Array.from({ length: nBand }, (_, b) => u16[(b * nTime + t) * nPx + x]!),
        );
        const valid = [...dates.keys()].filter((t) => !dates[t]!.includes(0));
        return valid[medoidOf(valid.map((t) => dates[t]!))] ?? -1;
      });
      expect([...medoid(u16, { ...shape, nodata: 0 })]).toEqual(want);
      expect([...medoid(i16, { ...shape, nodata: -9999 })]).toEqual(want);
      expect([...medoid(f32, shape)]).toEqual(want);
    }
  });

  it('takes the earliest of equals, also when their sums are added in another order', () => {
    // The corners of a rectangle, and twins.
    expect([...medoid(Uint16Array.of(1, 8, 8, 1, 3, 3, 10, 10), { nBand: 2, nTime: 4, nPx: 1 })]).toEqual([0]);
    expect([...medoid(Uint16Array.of(9, 5, 5, 1), { nBand: 1, nTime: 4, nPx: 1 })]).toEqual([1]);
    expect([...medoid(Uint16Array.of(0, 9, 1), { nBand: 1, nTime: 3, nPx: 1, nodata: 0 })]).toEqual([1]);
    expect([...medoid(new Uint16Array(3), { nTime: 3, nPx: 1, nodata: 0 })]).toEqual([-1]);
    expect([...medoid(new Uint16Array(0), { nBand: 2, nTime: 0, nPx: 2 })]).toEqual([-1, -1]);
  });
});
