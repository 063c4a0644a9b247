import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rgbaOf } from '../../build/stats/rgba.js';

it('is what Python gives for integers', () => {
  // (min(max(x, 1), 3000) - 1) * 255 // 2999
  const x = Int16Array.of(-999, -5, 0, 1, 2, 13, 500, 1500, 2999, 3000, 3001, 32767);
  const wanted = [0, 0, 0, 0, 0, 1, 42, 127, 254, 255, 255, 255];
  const [red, green, blue, alpha] = rgbaOf([x, x, x], { nodata: [-999, -999, -999], clamp: [1, 3000] });
  for (const colour of [red, green, blue]) expect([...colour]).toEqual(wanted);
  expect([...alpha]).toEqual([0, ...new Array<number>(11).fill(255)]);
});

it('is opaque where red has a value, whatever the others have', () => {
  const [red, green, blue, alpha] = rgbaOf(
    [Uint16Array.of(0, 9, 5), Uint16Array.of(9, 65535, 5), Uint16Array.of(9, 9, 65535)],
    { nodata: [0, 65535, 65535], clamp: [0, 10] },
  );
  expect([[...red], [...green], [...blue], [...alpha]]).toEqual([
    [0, 229, 127],
    [229, 0, 127],
    [229, 229, 0],
    [0, 255, 255],
  ]);
});

it('takes NaN for missing in floats, and infinities for very much', () => {
  const values = Float32Array.of(Number.NaN, -1, 0.25, 0.5, Number.POSITIVE_INFINITY);
  const [red, , , alpha] = rgbaOf([values, values, values], { nodata: [null, null, null], clamp: [0, 0.5] });
  expect([[...red], [...alpha]]).toEqual([
    [0, 0, 127, 255, 255],
    [0, 255, 255, 255, 255],
  ]);
});

it('is the floor of the exact quotient', () => {
  const whole = fc.integer({ min: -32768, max: 65535 });
  fc.assert(
    fc.property(whole, whole, whole, (p, q, x) => {
      const [low, high] = [Math.min(p, q), Math.max(p, q) + 1];
      const [red] = rgbaOf([Int32Array.of(x), Int32Array.of(x), Int32Array.of(x)], {
        nodata: [null, null, null],
        clamp: [low, high],
      });
      const clipped = BigInt(Math.min(Math.max(x, low), high));
      expect(BigInt(red[0]!)).toBe(((clipped - BigInt(low)) * 255n) / BigInt(high - low));
    }),
  );
});

it.each([
  [3000, 1],
  [5, 5],
  [Number.NaN, 1],
  [0, Number.POSITIVE_INFINITY],
])('refuses the clamp %d to %d', (low, high) => {
  const plane = Uint8Array.of(1);
  expect(() => rgbaOf([plane, plane, plane], { nodata: [null, null, null], clamp: [low, high] })).toThrow(
    expect.objectContaining({ name: 'InputError', message: expect.stringContaining('from a low to a higher value') }),
  );
});
