import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inPeriod, parsePeriod, periodLabel } from '../../build/geo/period.js';

const iso = (ms: number) => new Date(ms).toISOString();
const lastOf = (text: string, compat: 'odc' | null = null) => iso(parsePeriod(text, compat).endMs);

/** The calendar day by day, without arithmetic on months. */
function* days(from: string): Generator<{ date: string; year: number; month: number; day: number }> {
  for (let ms = Date.parse(`${from}T00:00:00Z`); ; ms += 86_400_000) {
    const date = iso(ms).slice(0, 10);
    const [year, month, day] = date.split('-').map(Number) as [number, number, number];
    yield { date, year, month, day };
  }
}

/** The first day that is no more part of N months from a day: the same day of a later month, or that month's last. */
function naiveEnd(from: string, months: number): string {
  const day = Number(from.slice(8));
  let [passed, last] = [0, ''];
  let month = Number(from.slice(5, 7));
  for (const now of days(from)) {
    if (now.month !== month) {
      // The month before had no such day.
      if (passed === months) return last;
      passed++;
      month = now.month;
    }
    if (passed === months && now.day === day) return now.date;
    last = now.date;
  }
  return '';
}

describe('parsePeriod', () => {
  it.each([
    ['2019--P1Y', '2019-01-01', '2019-12-31'],
    ['2019-03--P3M', '2019-03-01', '2019-05-31'],
    ['2019-12--P3M', '2019-12-01', '2020-02-29'],
    ['2019-03-07--P1M', '2019-03-07', '2019-04-06'],
    ['2019-01-30--P1M', '2019-01-30', '2019-02-27'],
    ['2015-07--P1Y', '2015-07-01', '2016-06-30'],
    ['2019-03-07--P10D', '2019-03-07', '2019-03-16'],
    ['2019-03-07--P2W', '2019-03-07', '2019-03-20'],
    ['1986--P38Y', '1986-01-01', '2023-12-31'],
    ['2016-02-29--P1Y', '2016-02-29', '2017-02-27'],
  ])('%s is %s to %s', (text, first, last) => {
    const { startMs, endMs } = parsePeriod(text);
    expect([iso(startMs), iso(endMs)]).toEqual([`${first}T00:00:00.000Z`, `${last}T23:59:59.999Z`]);
  });

  it('ends as odc-stats does where that is asked for', () => {
    expect(lastOf('2019-01-30--P1M', 'odc')).toBe('2019-03-01T23:59:59.999Z');
    expect(lastOf('2015-07--P1Y', 'odc')).toBe('2016-06-29T23:59:59.999Z');
    expect(lastOf('2019-03-07--P1M', 'odc')).toBe('2019-04-06T23:59:59.999Z');
    expect(lastOf('2019--P1Y', 'odc')).toBe('2019-12-31T23:59:59.999Z');
  });

  it('agrees with a walk over the calendar', () => {
    const date = fc.date({ min: new Date('1896-01-01'), max: new Date('2104-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(date, fc.integer({ min: 1, max: 40 }), (when, months) => {
        const from = iso(when.getTime()).slice(0, 10);
        const period = parsePeriod(`${from}--P${months}M`);
        expect(iso(period.endMs + 1).slice(0, 10)).toBe(naiveEnd(from, months));
        expect(inPeriod(period.startMs, period) && inPeriod(period.endMs, period)).toBe(true);
        expect(inPeriod(period.startMs - 1, period) || inPeriod(period.endMs + 1, period)).toBe(false);
        expect(parsePeriod(periodLabel(period))).toEqual(period);
      }),
      { numRuns: 200 },
    );
  });

  it('writes the short form', () => {
    for (const text of ['2019--P1Y', '2019-03--P3M', '2014-07-01--P1Y', '2019-03-07--P1M', '2019-01-01--P10D'])
      expect(periodLabel(parsePeriod(text))).toBe(text);
    expect(periodLabel(parsePeriod('2014-07--P1Y'))).toBe('2014-07-01--P1Y');
    expect(periodLabel(parsePeriod('2019-01-01--P1Y'))).toBe('2019--P1Y');
  });

  it.each([
    ['2019', /not a period: "2019"; wanted START--P<N><unit>/],
    ['2019--P1', /not a period/],
    ['2019--P1X', /no unit is called X/],
    ['2019--P0Y', /a period is not empty/],
    ['2019-02-30--P1M', /not a date of the calendar/],
    ['2019-13--P1M', /not a date of the calendar/],
    ['2019--P999999Y', /1 to 1000 years, not 999999/],
    ['2019--P-1Y', /not a period/],
    ['', /not a period/],
  ])('refuses %j in one line', (text, message) => {
    expect(() => parsePeriod(text)).toThrow(message);
    expect(() => parsePeriod(text)).toThrow(/^[^\n]+$/);
  });
});
