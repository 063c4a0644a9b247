import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarOf, FREQUENCY_NAMES, type FrequencyOptions, parseFrequency } from '../../build/geo/frequency.js';
import { parsePeriod } from '../../build/geo/period.js';

const utc = (text: string) => Date.parse(`${text}T12:00:00Z`);
const YEARS = { startMs: utc('1996-01-05'), endMs: utc('2031-12-20') };

function keys(
  frequency: string,
  day: string,
  { range, ...options }: FrequencyOptions & { range?: string } = {},
): string[] {
  const calendar = calendarOf(parseFrequency(frequency, options), range ? parsePeriod(range) : null, YEARS);
  return calendar(utc(day)).map(({ key, label }) => (key === label ? key : `${key} as ${label}`));
}

describe('a frequency', () => {
  it.each([
    ['annual', '2019-06-15', '2019--P1Y'],
    ['annual-fy', '2015-06-30', '2014-07--P1Y as 2014-07-01--P1Y'],
    ['annual-fy', '2014-07-01', '2014-07--P1Y as 2014-07-01--P1Y'],
    ['semiannual', '2019-07-01', '2019-07--P6M'],
    ['semiannual', '2019-06-30', '2019-01--P6M'],
    ['seasonal', '2020-02-29', '2019-12--P3M'],
    ['seasonal', '2019-12-01', '2019-12--P3M'],
    ['seasonal', '2020-03-01', '2020-03--P3M'],
    ['quartely', '2019-12-31', '2019-10--P3M'],
    ['quarterly', '2019-12-31', '2019-10--P3M'],
    ['monthly', '2020-02-29', '2020-02--P1M'],
    ['nov-mar', '2020-02-01', '2019-11--P5M'],
    ['nov-mar', '2020-03-31', '2019-11--P5M'],
    ['apr-oct', '2020-10-31', '2020-04--P7M'],
    ['water-year', '2020-09-30', '2019-10--P1Y as 2019-10-01--P1Y'],
    ['all', '2020-09-30', '1996--P36Y'],
    ['dekads', '2020-02-10', '2020-02-01--P10D'],
    ['dekads', '2020-02-20', '2020-02-11--P10D'],
    ['dekads', '2020-02-29', '2020-02-21--P9D'],
    ['dekads', '2019-01-31', '2019-01-21--P11D'],
    ['fortnights', '2019-01-14', '2019-01-01--P14D'],
    ['fortnights', '2019-01-15', '2019-01-15--P14D'],
    ['fortnights', '2019-12-31', '2019-12-31--P1D'],
    ['fortnights', '2020-12-31', '2020-12-30--P2D'],
  ])('%s: %s is in %s', (frequency, day, wanted) => {
    expect(keys(frequency, day)).toEqual([wanted]);
  });

  it('leaves out what no season holds', () => {
    expect(keys('nov-mar', '2020-04-01')).toEqual([]);
    expect(keys('apr-oct', '2020-11-01')).toEqual([]);
  });

  it('begins a water year where it is told to', () => {
    expect(keys('water-year', '2020-03-31', { startMonth: 4 })).toEqual(['2019-04--P1Y as 2019-04-01--P1Y']);
    expect(keys('water-year', '2020-03-31', { startMonth: 1 })).toEqual(['2020--P1Y']);
  });

  it('takes seasons from the month of the range', () => {
    expect(keys('3month-seasons', '2020-01-31', { range: '2019-02--P2Y' })).toEqual(['2019-11--P3M']);
    expect(() => keys('3month-seasons', '2020-01-31')).toThrow(/begin with the month of --temporal-range/);
  });

  it('rolls over the windows that fit into the range', () => {
    const range = '2022-01--P6M';
    expect(keys('rolling-3months', '2022-01-15', { range })).toEqual(['2022-01--P3M']);
    expect(keys('rolling-3months', '2022-03-15', { range })).toEqual(['2022-01--P3M', '2022-02--P3M', '2022-03--P3M']);
    expect(keys('rolling-3months', '2022-06-15', { range })).toEqual(['2022-04--P3M']);
    expect(keys('rolling-3years', '2015-06-15', { range: '2014--P4Y' })).toEqual([
      '2014--P3Y as 2015--P3Y',
      '2015--P3Y as 2016--P3Y',
    ]);
    expect(keys('rolling-3years', '2014-06-15', { range: '2014--P3Y', label: 'start' })).toEqual(['2014--P3Y']);
    expect(keys('rolling-5months', '2022-01-15', { range, label: 'centre' })).toEqual(['2022-01--P5M as 2022-03--P5M']);
    expect(() => keys('rolling-3years', '2022-01-15', { range })).toThrow(
      /no window of 3 years fits into 2022-01--P6M/,
    );
  });

  it('is any list of periods', () => {
    const list = '2019-01--P2M,2019-02--P1M,2020--P1Y';
    expect(keys(list, '2019-02-10')).toEqual(['2019-01--P2M', '2019-02--P1M']);
    expect(keys(list, '2019-05-10')).toEqual([]);
  });

  it.each([
    'annual',
    'annual-fy',
    'semiannual',
    'seasonal',
    'quarterly',
    'monthly',
    'dekads',
    'fortnights',
    'water-year',
  ])('%s puts every day into one period that holds it, and neighbours meet', (name) => {
    const calendar = calendarOf(parseFrequency(name), null, YEARS);
    const day = fc.integer({ min: -25_000, max: 47_000 });
    fc.assert(
      fc.property(day, (days) => {
        const timeMs = days * 864e5;
        const [period, more] = calendar(timeMs);
        expect(more).toBeUndefined();
        expect(period!.startMs <= timeMs && timeMs <= period!.endMs).toBe(true);
        const [next] = calendar(period!.endMs + 1);
        expect(next!.startMs).toBe(period!.endMs + 1);
        expect(next!.key > period!.key).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('says what is known when it is asked for another', () => {
    expect(() => parseFrequency('weekly')).toThrow(
      /no frequency is called "weekly": wanted annual, annual-fy,.*quartely/,
    );
    expect(() => parseFrequency('rolling-0months')).toThrow(/no frequency/);
    expect(() => parseFrequency('annual', { startMonth: 4 })).toThrow(/when a water-year begins/);
    expect(() => parseFrequency('water-year', { startMonth: 13 })).toThrow(/months are 1 to 12, not 13/);
    expect(() => parseFrequency('annual', { label: 'centre' })).toThrow(/of rolling frequencies/);
    expect(FREQUENCY_NAMES.every((name) => parseFrequency(name).kind.length > 0)).toBe(true);
  });
});
