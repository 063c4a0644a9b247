import { describe, expect, it } from 'vitest';
import { changeProducts, detect, fromOrdinal, PYCCD_BANDS, type Segments, toOrdinal } from '../../build/index.js';
import { pixelSeries } from '../fixture/pixel-series.ts';
import { seeded } from '../random.ts';
import { changeProductsOf, type Model } from '../reference/change-products.ts';

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

  const one = (rows: Parameters<typeof segmentsOf>[0], date: string) => {
    const p = changeProducts(segmentsOf(rows), toOrdinal(date));
    return {
      time: p.timeOfChange[1],
      last: p.timeSinceChange[1],
      magnitude: p.changeMagnitude[1],
      stability: p.spectralStability[1],
      quality: p.modelQuality[1],
      count: p.changeCount[1],
    };
  };

  it('begin on the day of a start, an end and a break', () => {
    const rows: Parameters<typeof segmentsOf>[0] = [
      ['1985-03-01', '1999-05-02', '1999-06-01', 1, 8],
      ['1999-06-10', '2008-11-30', '2008-12-31', 1, 6],
    ];
    expect(one(rows, '1985-02-28')).toMatchObject({ stability: between('1982-01-01', '1985-02-28'), quality: 0 });
    expect(one(rows, '1985-03-01')).toMatchObject({ stability: 0, quality: 8, count: 0 });
    expect(one(rows, '1999-05-02')).toMatchObject({ stability: between('1985-03-01', '1999-05-02'), quality: 8 });
    expect(one(rows, '1999-05-03')).toMatchObject({ stability: 1, quality: 0 });
    expect(one(rows, '1999-05-31')).toMatchObject({ time: 152, last: 0, magnitude: 5, count: 0 });
    expect(one(rows, '1999-06-01')).toMatchObject({ time: 152, last: 0, count: 1, stability: 30 });
    expect(one(rows, '1999-06-02')).toMatchObject({ last: 1, count: 1 });
    // The day of the second break, long after the first: the nearer one counts.
    expect(one(rows, '2008-12-31')).toMatchObject({ time: 366, last: 0, magnitude: 10, count: 2 });
    expect(one(rows, '2009-01-01')).toMatchObject({ time: 0, last: 1, magnitude: 0, count: 2 });
  });

  it('take the last of several changes in a year, and 366 days of leap years only', () => {
    const rows: Parameters<typeof segmentsOf>[0] = [
      ['1999-01-01', '2000-01-20', '2000-02-29', 1, 4],
      ['2000-03-10', '2000-11-20', '2000-12-31', 1, 4],
      ['2001-02-01', '2001-11-20', '2001-12-31', 1, 4],
    ];
    expect(one(rows, '2000-07-01')).toMatchObject({ time: 366, magnitude: 10, last: 123, count: 1 });
    expect(one(rows.slice(0, 1), '2000-07-01')).toMatchObject({ time: 60, magnitude: 5 });
    expect(one(rows, '2001-07-01')).toMatchObject({ time: 365, magnitude: 15, last: 182, count: 2 });
    expect(one(rows, '1999-12-31')).toMatchObject({ time: 0, magnitude: 0, count: 0 });
  });

  it('take segments before the first and after the last for what they are', () => {
    // A START segment that a full one overlaps, an END segment without a change.
    const rows: Parameters<typeof segmentsOf>[0] = [
      ['1984-01-01', '1985-06-01', '1985-06-01', 0, 14],
      ['1985-05-01', '1999-05-02', '1999-06-01', 1, 8],
      ['1999-06-01', '2001-01-01', '2001-01-01', 0, 24],
    ];
    expect(one(rows, '1984-07-01')).toMatchObject({ quality: 14, stability: 182, count: 0 });
    expect(one(rows, '1985-05-15')).toMatchObject({ quality: 14, stability: 14, time: 0 });
    expect(one(rows, '1985-06-02')).toMatchObject({ quality: 8, stability: 1 });
    expect(one(rows, '2000-07-01')).toMatchObject({ quality: 24, count: 1 });
    expect(one(rows, '2001-07-01')).toMatchObject({ quality: 0, stability: 181, time: 0, count: 1 });
    for (const quality of [44, 54]) {
      const simple: Parameters<typeof segmentsOf>[0] = [['1984-01-01', '2017-12-31', '2017-12-31', 0, quality]];
      expect(one(simple, '2017-07-01')).toMatchObject({ quality, time: 0, last: 0, magnitude: 0, count: 0 });
    }
  });

  it('know nothing before 1982', () => {
    const rows: Parameters<typeof segmentsOf>[0] = [['1972-08-01', '1999-05-02', '1999-06-01', 1, 8]];
    expect(one(rows, '1981-12-31')).toMatchObject({ stability: 0, quality: 8 });
    expect(one(rows, '1982-01-01')).toMatchObject({ stability: 0 });
    expect(one(rows, '1983-01-01')).toMatchObject({ stability: 365 });
    expect(one([], '0001-01-01')).toMatchObject({ stability: 0, time: 0, quality: 0 });
    expect(one([], '9999-12-31')).toMatchObject({ stability: 65_534 });
  });

  it('are those of a naive reader for any segments and days', () => {
    const random = seeded(4);
    const whole = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 400; round++) {
      let day = toOrdinal('1981-06-01') + whole(2000);
      const rows = Array.from({ length: whole(7) }, (): Parameters<typeof segmentsOf>[0][number] => {
        const start = day - whole(40);
        const end = start + whole(400);
        const at = end + whole(60);
        day = at + whole(30);
        const quality = [4, 6, 8, 14, 24, 44, 54][whole(7)]!;
        return [fromOrdinal(start), fromOrdinal(end), fromOrdinal(at), whole(2), quality];
      });
      const segments = segmentsOf(rows);
      const models = rows.map(([start, end, at, probability, curveQa], i): Model => {
        const days = [start, end, at].map(toOrdinal) as [number, number, number];
        return {
          start: days[0],
          end: days[1],
          at: days[2],
          probability,
          curveQa,
          magnitudes: [3 * (i + 1), 4 * (i + 1)],
        };
      });
      const edges = models.flatMap(({ start, end, at }) => [start, end, at].flatMap((d) => [d - 1, d, d + 1]));
      for (const at of [...edges, ...Array.from({ length: 20 }, () => toOrdinal('1981-01-01') + whole(5000))]) {
        const p = changeProducts(segments, at);
        const wanted = changeProductsOf(models, at);
        expect(
          {
            timeOfChange: p.timeOfChange[1],
            timeSinceChange: p.timeSinceChange[1],
            changeMagnitude: p.changeMagnitude[1],
            spectralStability: p.spectralStability[1],
            modelQuality: p.modelQuality[1],
            changeCount: p.changeCount[1],
          },
          `${JSON.stringify(rows)} on ${fromOrdinal(at)}`,
        ).toEqual({ ...wanted, changeMagnitude: Math.fround(wanted.changeMagnitude) });
      }
    }
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
    expect(() => changeProducts(found.segments, day)).toThrow('no band "green" for magnitudes among a, b');
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
