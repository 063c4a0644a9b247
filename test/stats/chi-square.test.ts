import { describe, expect, it } from 'vitest';
import { changeThresholds } from '../../build/stats/change-thresholds.js';
import { chiSquareQuantile, chiSquareTail, expOfMinus } from '../../build/stats/chi-square.js';

/** Probability by Simpson's rule over the density, substituted so that it starts smoothly: x = u². */
function tailOf(x: number, dof: number): number {
  const steps = 20_000;
  const to = Math.sqrt(x);
  const density = (u: number) => (u === 0 && dof > 1 ? 0 : u ** (dof - 1) * Math.exp((-u * u) / 2));
  let [part, whole] = [0, 0];
  const end = 40;
  for (const [a, b] of [
    [0, to],
    [to, end],
  ] as const) {
    let sum = density(a) + density(b);
    for (let i = 1; i < steps; i++) sum += density(a + ((b - a) * i) / steps) * (i % 2 ? 4 : 2);
    sum *= (b - a) / steps / 3;
    whole += sum;
    if (a === to) part = sum;
  }
  return part / whole;
}

describe('chi-square', () => {
  it('has the tail that the density integrates to', () => {
    for (const dof of [1, 2, 3, 5, 6, 10, 13]) {
      for (const x of [0.1, 1, 4, 15, 36, 80]) {
        const [got, want] = [chiSquareTail(x, dof), tailOf(x, dof)];
        expect(Math.abs(got - want)).toBeLessThan(1e-9 * Math.max(want, 1e-4));
      }
    }
    expect(chiSquareTail(0, 3)).toBe(1);
  });

  it('has the quantiles of tables', () => {
    // scipy.stats.chi2.isf (PyCCD’s own 35.88818687961042 is that of 1 − 1e-6 as it is rounded)
    for (const [tail, dof, want] of [
      [0.01, 1, 6.634896601021217],
      [0.01, 5, 15.086272469388987],
      [1e-6, 5, 35.888186879672865],
      [1e-6, 1, 23.928126976934827],
      [0.01, 7, 18.475306906582357],
      [0.5, 10, 9.34181776559197],
      [0.99, 2, 0.020100671707002873],
    ] as const) {
      expect(Math.abs(chiSquareQuantile(tail, dof) / want - 1)).toBeLessThan(1e-12);
    }
    expect(() => chiSquareQuantile(0, 5)).toThrow('between 0 and 1');
    expect(() => chiSquareQuantile(0.1, 0)).toThrow('degrees of freedom');
  });

  it('rests on an exponential of our own', () => {
    for (const x of [0, 1e-9, 0.3, 1, 17.2, 300, 700]) expect(expOfMinus(x) / Math.exp(-x)).toBeCloseTo(1, 14);
    expect(expOfMinus(800)).toBe(0);
  });

  it('gives PyCCD’s thresholds for five bands, and others for others', () => {
    expect(changeThresholds(5, 6).outlier).toBe(35.88818687961042);
    expect(changeThresholds(5, 6).change[6]).toBe(15.086272469388987);
    expect(changeThresholds(1, 6).change[6]).toBeCloseTo(6.634896601021217, 12);
    expect(changeThresholds(1, 6, { CHANGE_THRESHOLD: 3 }).change[6]).toBe(3);
  });
});
