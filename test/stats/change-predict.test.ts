import { describe, expect, it } from 'vitest';
import { predict, type Segments } from '../../build/index.js';
import { segmentAt, syntheticImage } from '../../build/stats/change-predict.js';
import { changeRasters, productNames } from '../../build/stats/change-rasters.js';
import { someChanges } from '../fixture/results.js';

/** One pixel with one segment of constant values a band; the second pixel has none. */
function constant(values: Record<string, number>, curveQa = 8): Segments {
  const names = Object.keys(values);
  const n = names.length;
  return {
    bandNames: names,
    avgDaysYr: 365.2425,
    offsets: Uint32Array.of(0, 1, 1),
    startDay: Int32Array.of(730_000),
    endDay: Int32Array.of(731_000),
    breakDay: Int32Array.of(731_000),
    observationCount: Int32Array.of(20),
    changeProbability: Float64Array.of(0),
    curveQa: Uint8Array.of(curveQa),
    magnitude: new Float64Array(n),
    rmse: new Float64Array(n),
    intercept: Float64Array.from(Object.values(values)),
    coefficients: new Float64Array(7 * n),
  };
}

const valuesAt = (segments: Segments, names: readonly string[]) =>
  syntheticImage(segments, 730_500, names).map((plane) => Array.from(plane));

describe('the synthetic image', () => {
  it('has the input’s units, also for temperature', () => {
    // 26.85 °C, as hundredths of a degree, and as kelvin × 10 in segments of the simple procedures.
    expect(valuesAt(constant({ red: 812.4, thermal: 2685 }), ['red', 'thermal'])).toEqual([
      [812, -9999],
      [3000, -9999],
    ]);
    for (const qa of [44, 54]) expect(valuesAt(constant({ thermal: 3000 }, qa), ['thermal'])[0]).toEqual([3000, -9999]);
    expect(valuesAt(constant({ thermal: 2685 }, 24), ['thermal'])[0]![0]).toBe(3000);
  });

  it('keeps within 16 bits, and apart from nodata', () => {
    const values = { a: 1e9, b: -1e9, c: -9999.2, d: -9998.5, e: 0.5, f: -0.5 };
    const planes = valuesAt(constant(values), Object.keys(values));
    expect(planes.map(([value]) => value)).toEqual([32_767, -32_768, -9998, -9998, 1, 0]);
    expect(valuesAt(constant({ red: 1 }), ['blue'])).toEqual([[-9999, -9999]]);
  });

  it('is what the models say, rounded, for each pixel and band', () => {
    const { segments } = someChanges(200, { seed: 5 });
    for (let i = 0; i < segments.coefficients.length; i++) segments.coefficients[i]! /= i % 7 === 0 ? 1e9 : 1e4;
    for (const day of [719_000, 725_000, 733_000]) {
      const values = predict(segments, day);
      const planes = syntheticImage(segments, day, ['band2', 'band0']);
      for (let px = 0; px < 200; px++) {
        const isEmpty = segmentAt(segments, px, day) < 0;
        const clamped = (band: number) => Math.min(32_767, Math.max(-32_768, Math.round(values[3 * px + band]!)));
        expect([planes[0]![px], planes[1]![px]]).toEqual(isEmpty ? [-9999, -9999] : [clamped(2), clamped(0)]);
      }
    }
  });
});

describe('rasters of changes', () => {
  it('tell failed pixels from those without a change', () => {
    const changes = someChanges(9, { seed: 2, failed: [4] });
    const [time, magnitude, quality] = changeRasters(changes, {
      day: 725_000,
      products: ['SCTIME', 'SCMAG', 'SCMQA'],
      bands: [],
      magnitudeBands: ['band1'],
    }).map(([plane]) => Array.from(plane!));
    expect([time![4], magnitude![4], quality![4]]).toEqual([65_535, Number.NaN, 255]);
    expect(time!.filter((value) => value === 65_535)).toHaveLength(1);
    expect(magnitude!.filter(Number.isNaN)).toHaveLength(1);
  });

  it('are asked for by names in any case', () => {
    expect(productNames(['sctime', 'SCMAG ', 'SCTIME'])).toEqual(['SCTIME', 'SCMAG']);
    expect(() => productNames(['__proto__'])).toThrow('there is no product');
  });
});
