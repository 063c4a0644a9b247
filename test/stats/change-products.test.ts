import { describe, expect, it } from 'vitest';
import { changeProducts, detect, fromOrdinal, PYCCD_BANDS, type Segments, toOrdinal } from '../../build/index.js';
import { pixelSeries } from '../fixture/pixel-series.ts';

/** Segments of one pixel: start, end, break, probability, curve QA; magnitudes 3, 4, 0, … of each band. */
function segmentsOf(rows: [string, string, string, number, number][]): Segments {
  const n = rows.length;
  const days = (i: 0 | 1 | 2) => Int32Array.from(rows, (row) => toOrdinal(row[i]));
  return {
    bandNames: [...PYCCD_BANDS],
    avgDaysYr: 365.2425,
    offsets: Uint32Array.of(0, 0, n),
    startDay: days(0),
    endDay: days(1),
    breakDay: days(2),
    observationCount: new Int32Array(n).fill(20),
    changeProbability: Float64Array.from(rows, (row) => row[3]),
    curveQa: Uint8Array.from(rows, (row) => row[4]),
    // green 3, red 4 in the first segment; thermal and blue do not count.
    magnitude: Float64Array.from(
      { length: n * 7 },
      (_, i) => (Math.floor(i / 7) + 1) * [90, 3, 4, 0, 0, 0, 90][i % 7]!,
    ),
    rmse: new Float64Array(n * 7),
    intercept: new Float64Array(n * 7),
    coefficients: new Float64Array(n * 49),
  };
}

describe('change products', () => {
  const segments = segmentsOf([
    ['1985-03-01', '1999-05-02', '1999-06-01', 1, 8],
    ['1999-06-10', '2008-11-30', '2008-12-31', 1, 6],
    ['2009-02-01', '2017-10-01', '2017-10-01', 0, 4],
  ]);
  const at = (date: string) => {
    const p = changeProducts(segments, toOrdinal(date));
    return [
      p.timeOfChange,
      p.timeSinceChange,
      p.changeMagnitude,
      p.spectralStability,
      p.modelQuality,
      p.changeCount,
    ].map((values) => values[1]);
  };
  const between = (a: string, b: string) => toOrdinal(b) - toOrdinal(a);

  it('are those of the day, by the segments around it', () => {
    expect(at('1981-07-01')).toEqual([0, 0, 0, 0, 0, 0]);
    expect(at('1984-07-01')).toEqual([0, 0, 0, between('1982-01-01', '1984-07-01'), 0, 0]);
    expect(at('1990-07-01')).toEqual([0, 0, 0, between('1985-03-01', '1990-07-01'), 8, 0]);
    // In the gap after a change, still in its year.
    expect(at('1999-06-05')).toEqual([152, 4, 5, between('1999-05-02', '1999-06-05'), 0, 1]);
    expect(at('1999-07-01')).toEqual([152, 30, 5, 21, 6, 1]);
    // A change of this year that is still to come counts for the year, not for the days since.
    expect(at('2008-07-01')).toEqual([
      366,
      between('1999-06-01', '2008-07-01'),
      10,
      between('1999-06-10', '2008-07-01'),
      6,
      1,
    ]);
    expect(at('2017-07-01')).toEqual([
      0,
      between('2008-12-31', '2017-07-01'),
      0,
      between('2009-02-01', '2017-07-01'),
      4,
      2,
    ]);
    expect(at('2019-07-01')[3]).toBe(between('2017-10-01', '2019-07-01'));
  });

  it('are 0 where a pixel has no segments, but for the days since 1982', () => {
    const products = changeProducts(segments, toOrdinal('1990-07-01'));
    expect(products.modelQuality[0]).toBe(0);
    expect(products.spectralStability[0]).toBe(between('1982-01-01', '1990-07-01'));
  });

  it('come from what was detected, in bands by name', () => {
    const { dates, bands, qa } = pixelSeries(8);
    const own = { a: bands[1]!, b: bands[3]! };
    const roles = { thermalBand: null, detectionBands: ['a', 'b'], tmaskBands: ['a'], qaScheme: 'fmask' } as const;
    const found = detect({ dates, qa, bands: own, ...roles });
    const day = dates.at(-1)!;
    expect(() => changeProducts(found.segments, day)).toThrow('magnitudeBands: no band "green" among a, b');
    const { changeCount } = changeProducts(found.segments, day, { magnitudeBands: ['a', 'b'] });
    expect(changeCount[0]).toBe(found.segments.changeProbability.reduce((a, b) => a + b, 0));
    expect(() => changeProducts(found.segments, 0.5)).toThrow('ordinals are whole numbers');
  });
});

describe('ordinals', () => {
  it('count days from 0001-01-01', () => {
    // Python: date(…).toordinal()
    const known = {
      '0001-01-01': 1,
      '1970-01-01': 719_163,
      '1982-01-01': 723_546,
      '2014-07-01': 735_415,
      '9999-12-31': 3_652_059,
    };
    for (const [text, ordinal] of Object.entries(known)) {
      expect(toOrdinal(text)).toBe(ordinal);
      expect(fromOrdinal(ordinal)).toBe(text);
    }
    expect(toOrdinal('2014-07-01T23:59:59Z')).toBe(735_415);
    expect(() => toOrdinal('2014-02-30')).toThrow('not a date');
    expect(() => fromOrdinal(0)).toThrow('ordinals are whole numbers');
  });
});
