import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a generator in plain JavaScript
import { MIDDLE_SIZES } from '../../assembly/gen/median.mjs';
import { InputError } from '../../build/errors.js';
import { kernels } from '../../build/kernels/memory.js';
import { median, percentile, quantilesInto } from '../../build/kernels/order.js';
import { seeded } from '../random.ts';
import { halfToEven, linearPercentile, medianOf, nearestPercentile, validSorted } from '../reference/order.ts';

type Values =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

const LENGTHS = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 40, 41, 64, 65, 80, 81, 97, 127, 128, 129, 254, 255, 300, 508, 509,
];
const PERCENTS = [0, 10, 25, 33.3, 50, 90, 99, 100];

const seriesOf = (data: Values, nTime: number, nPx: number, x: number) =>
  Array.from({ length: nTime }, (_, t) => data[t * nPx + x]!);

/** −0 equals 0, NaN equals NaN. */
function same(got: number, want: number, where: string): void {
  if (got !== want && !(Number.isNaN(got) && Number.isNaN(want))) expect.fail(`${where}: got ${got}, want ${want}`);
}

function check(data: Values, nTime: number, nPx: number, nodata: number | null, percents = PERCENTS): void {
  const exact = median(data, { nTime, nPx, nodata, dtype: 'float32' });
  const own = median(data, { nTime, nPx, nodata });
  const linear = percentile(data, { nTime, nPx, nodata, percent: percents });
  const nearest = percentile(data, { nTime, nPx, nodata, percent: percents, rule: 'nearest-rank' });
  expect(own.constructor).toBe(data.constructor);
  const isInteger = !(data instanceof Float32Array || data instanceof Float64Array);
  for (let x = 0; x < nPx; x++) {
    const sorted = validSorted(seriesOf(data, nTime, nPx, x), nodata);
    const where = `${data.constructor.name} ${nTime} dates, px ${x} of ${nPx}`;
    const middle = medianOf(sorted);
    same(exact[x]!, Math.fround(middle), `median of ${where}`);
    const none = isInteger ? (nodata ?? 0) : Number.NaN;
    const rounded = isInteger ? halfToEven(middle) : Math.fround(middle);
    same(own[x]!, sorted.length ? rounded : none, `own median of ${where}`);
    percents.forEach((percent, p) => {
      same(linear[p * nPx + x]!, Math.fround(linearPercentile(sorted, percent)), `p${percent} of ${where}`);
      same(nearest[p * nPx + x]!, Math.fround(nearestPercentile(sorted, percent)), `nearest p${percent} of ${where}`);
    });
  }
}

/** Values with ties and extremes, some of them missing. */
function filled<T extends Values>(
  data: T,
  random: () => number,
  values: readonly number[],
  missing: number,
  share: number,
): T {
  const [low, high] = [values[0]!, values[1]!];
  for (let i = 0; i < data.length; i++) {
    const pick = random();
    if (random() < share) data[i] = missing;
    else if (pick < 0.3) data[i] = values[Math.floor(random() * values.length)]!;
    else data[i] = low + Math.floor(random() * (high - low + 1));
  }
  return data;
}

describe('median and percentiles over time', () => {
  for (const nPx of [1, 3, 63, 64, 65]) {
    it(`every length and share of missing values, ${nPx} px`, () => {
      const random = seeded(nPx);
      for (const nTime of nPx > 3 ? LENGTHS.filter((n) => n % 2 || n > 100) : LENGTHS) {
        for (const share of nPx > 3 ? [0, 0.35] : [0, 0.35, 0.9, 1]) {
          const length = nTime * nPx;
          check(filled(new Uint16Array(length), random, [0, 65535, 0, 1, 9], 0, share), nTime, nPx, 0);
          check(filled(new Uint16Array(length), random, [100, 110, 65535], 65535, share), nTime, nPx, 65535);
          check(filled(new Int16Array(length), random, [-32768, 32767, -1, 0], -999, share), nTime, nPx, -999);
          const floats = filled(
            new Float32Array(length),
            random,
            [-9, 9, 3e38, -3e38, 0, -0, 1e-45],
            Number.NaN,
            share,
          );
          check(
            floats.map((v) => (Math.abs(v) === 5 ? v * random() : v)),
            nTime,
            nPx,
            null,
          );
        }
      }
    });
  }

  it('takes every typed array, with nodata or without', () => {
    const random = seeded(11);
    for (const nTime of [4, 9, 130]) {
      const length = nTime * 5;
      check(filled(new Uint8Array(length), random, [0, 255, 7], 255, 0.3), nTime, 5, 255);
      check(filled(new Int8Array(length), random, [-128, 127, 0], -128, 0.3), nTime, 5, -128);
      check(filled(new Uint32Array(length), random, [0, 1e6], 0, 0.3), nTime, 5, 0);
      check(filled(new Int32Array(length), random, [-1e6, 1e6], -9999, 0.3), nTime, 5, -9999);
      check(filled(new Float32Array(length), random, [-3, 3], Math.fround(-0.1), 0.3), nTime, 5, Math.fround(-0.1));
      check(filled(new Float64Array(length), random, [-3, 3], -9999, 0.3), nTime, 5, -9999);
      check(filled(new Uint16Array(length), random, [0, 3], 0, 0.3), nTime, 5, null);
      check(filled(new Int16Array(length), random, [-2, 2], 0, 0.3), nTime, 5, null);
    }
    check(filled(new Uint16Array(50), random, [0, 3], 0, 0.3), 10, 5, -9999);
    const nearTenth = Float32Array.of(0.1, 5, 0.1);
    expect(median(nearTenth, { nTime: 3, nPx: 1, nodata: 0.1 })[0]).toBe(5);
  });

  it('rounds halves of integers to even', () => {
    const pairs = Int16Array.of(0, 1, 2, -1, -3, -32768, 32767, 1, 2, 3, -2, -4, -32767, 32766);
    expect([...median(pairs, { nTime: 2, nPx: 7 })]).toEqual([0, 2, 2, -2, -4, -32768, 32766]);
    const exact = median(pairs, { nTime: 2, nPx: 7, dtype: 'float32' });
    expect([...exact]).toEqual([0.5, 1.5, 2.5, -1.5, -3.5, -32767.5, 32766.5]);
  });

  it('knows infinities', () => {
    const { POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down, NaN: none } = Number;
    const series = [
      [up, up, none, none],
      [down, down, none, none],
      [down, up, 5, none],
      [up, 1, 2, none],
      [none, none, none, none],
      [down, 1, 2, up],
    ];
    for (const pad of [0, 140]) {
      const nTime = 4 + pad;
      const data = new Float32Array(nTime * 6).fill(none);
      for (let i = 0; i < 24; i++) data[i] = series[i % 6]![Math.floor(i / 6)]!;
      expect([...median(data, { nTime, nPx: 6 })]).toEqual([up, down, 5, 2, none, 1.5]);
      expect([...percentile(data, { nTime, nPx: 6, percent: 100 })]).toEqual([up, down, up, up, none, up]);
    }
  });

  it('gives none for no dates, and nothing for no pixels', () => {
    expect([...median(new Int16Array(0), { nTime: 0, nPx: 2, nodata: -9 })]).toEqual([-9, -9]);
    expect([...median(new Float32Array(0), { nTime: 0, nPx: 2 })]).toEqual([Number.NaN, Number.NaN]);
    expect([...percentile(new Uint16Array(0), { nTime: 0, nPx: 1, percent: [1, 2] })]).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
    expect(median(new Uint16Array(0), { nTime: 5, nPx: 0 }).length).toBe(0);
  });

  it('does not depend on neighbours, position or strip', () => {
    const random = seeded(3);
    for (const nTime of [13, 100, 200]) {
      const nPx = 1000;
      const wide = filled(new Uint16Array(nTime * nPx), random, [0, 3000, 7], 0, 0.4);
      const floats = Float32Array.from(wide, (v) => (v === 0 ? Number.NaN : v / 7));
      const all = median(floats, { nTime, nPx });
      const p25 = percentile(floats, { nTime, nPx, percent: 25 });
      for (const x of [0, 1, 63, 64, 517, 999]) {
        const alone = Float32Array.from(seriesOf(floats, nTime, nPx, x));
        expect(median(alone, { nTime, nPx: 1 })[0]).toBe(all[x]);
        expect(percentile(alone, { nTime, nPx: 1, percent: 25 })[0]).toBe(p25[x]);
        const own = Uint16Array.from(seriesOf(wide, nTime, nPx, x));
        expect(median(own, { nTime, nPx: 1, nodata: 0 })[0]).toBe(median(wide, { nTime, nPx, nodata: 0 })[x]);
      }
    }
  });

  it('takes up to thousands of dates', () => {
    const random = seeded(5);
    for (const nTime of [1000, 4096]) {
      check(filled(new Uint16Array(nTime * 3), random, [0, 65535], 0, 0.5), nTime, 3, 0);
      check(filled(new Int16Array(nTime * 3), random, [-50, 50], 0, 0.5), nTime, 3, null);
      const floats = Float32Array.from({ length: nTime * 3 }, () => (random() < 0.5 ? Number.NaN : random() - 0.5));
      check(floats, nTime, 3, null);
    }
  });

  it('selects in the compiled networks by the 0-1 principle', () => {
    const random = seeded(17);
    for (const nTime of MIDDLE_SIZES.u16) {
      const nPx = 8 * (nTime + 1);
      const data = new Uint16Array(nTime * nPx);
      for (let x = 0; x < nPx; x++) {
        const ones = x % (nTime + 1);
        const keys = Array.from({ length: nTime }, () => random());
        const order = keys.map((_, t) => t).sort((a, b) => keys[a]! - keys[b]!);
        for (const t of order.slice(0, ones)) data[t * nPx + x] = 2;
      }
      check(data, nTime, nPx, null, [0, 50, 100]);
      check(Float32Array.from(data), nTime, nPx, null, [0, 50, 100]);
    }
  });

  it('agrees with a naive reference on any series', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constant(0), fc.integer({ min: 0, max: 4 }));
    const anySeries = fc.array(value, { minLength: 1, maxLength: 140 });
    const percent = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.double({ min: 0, max: 100, noNaN: true }));
    const options = { seed: 20, numRuns: 300 };
    fc.assert(
      fc.property(anySeries, fc.array(percent, { minLength: 1, maxLength: 3 }), (values, percents) => {
        check(Uint16Array.from(values), values.length, 1, 0, percents);
        check(Int16Array.from(values), values.length, 1, -1, percents);
      }),
      options,
    );
    fc.assert(
      fc.property(fc.array(fc.float({ noDefaultInfinity: true }), { minLength: 1, maxLength: 140 }), (values) => {
        check(Float32Array.from(values), values.length, 1, null);
      }),
      options,
    );
  });
});

describe("odc's percentile rule", () => {
  it('holds its golden vectors', () => {
    const data = Uint16Array.of(10, 20, 30, 40, 50, 60);
    const request = { percent: [10, 50, 90], rule: 'nearest-rank' } as const;
    expect([...percentile(data, { nTime: 6, nPx: 1, ...request })]).toEqual([10, 30, 50]);
    const two = Uint16Array.of(10, 20, 0, 0);
    expect([...percentile(two, { nTime: 4, nPx: 1, nodata: 0, ...request })]).toEqual(Array(3).fill(Number.NaN));
  });
});

describe('what order statistics refuse', () => {
  const data = new Uint16Array(6);
  it.each([-0.1, 100.5, Number.NaN])('a percentile of %d', (percent) => {
    expect(() => percentile(data, { nTime: 6, nPx: 1, percent })).toThrow(InputError);
  });

  it('data that do not fit the sizes, and fractions that are none', () => {
    expect(() => median(data, { nTime: 4, nPx: 1 })).toThrow(/4 dates × 1 px.*got 6/);
    expect(() => median(data, { nTime: 2.5, nPx: 1 })).toThrow(InputError);
    expect(() => median(new Uint16Array(40000), { nTime: 40000, nPx: 1 })).toThrow(/at most 32767 dates/);
    const column = { ptr: 0, dtype: 'u16', nTime: 1, nPx: 64, timeStrideBytes: 128, nodata: 0 } as const;
    expect(() => quantilesInto(kernels(), column, { fractions: [25], rule: 'linear' }, 0)).toThrow(InputError);
  });
});
