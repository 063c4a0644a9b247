import { describe, expect, it } from 'vitest';
import { formatDay, inInterval, parseDatetime, parseInterval, parseMonths, solarDay } from '../../build/geo/time.js';

const utc = (text: string) => new Date(text).getTime();

describe('parseDatetime', () => {
  it('reads RFC 3339', () => {
    expect(parseDatetime('2020-02-19T11:34:25.405000Z')).toBe(utc('2020-02-19T11:34:25.405Z'));
    expect(parseDatetime('2020-02-19T11:34:25+05:30')).toBe(utc('2020-02-19T06:04:25Z'));
    expect(parseDatetime('2020-10-31')).toBe(utc('2020-10-31T00:00:00Z'));
    expect(parseDatetime('2020-10-31T10:00:00')).toBe(utc('2020-10-31T10:00:00Z'));
  });
  it.each(['', 'today', '2020-13-01', '2021-02-29', '2020-01-01T25:00:00Z', '20200101', '1.6e9'])(
    'refuses %j',
    (text) => {
      expect(() => parseDatetime(text)).toThrow(/not a date/);
    },
  );
});

describe('parseInterval', () => {
  it('includes whole days at both ends', () => {
    const may = parseInterval('2020-05-01/2020-05-31');
    expect(inInterval(utc('2020-05-31T23:59:59Z'), may)).toBe(true);
    expect(inInterval(utc('2020-06-01T00:00:00Z'), may)).toBe(false);
    expect(parseInterval('2020-05')).toEqual(may);
    expect(parseInterval('2020').endMs).toBe(utc('2020-12-31T23:59:59.999Z'));
    expect(inInterval(utc('2020-05-09T12:00:00Z'), parseInterval('2020-05-09'))).toBe(true);
  });
  it('may be open on one side', () => {
    expect(parseInterval('../2020-05-01').startMs).toBeNull();
    expect(parseInterval('2020-05-01/..').endMs).toBeNull();
    for (const bad of ['../..', '2020-05-02/2020-05-01', 'a/b/c', '..']) expect(() => parseInterval(bad)).toThrow();
  });
});

it('reads lists of months', () => {
  expect(parseMonths('6-8,12')).toEqual([6, 7, 8, 12]);
  expect(parseMonths('11-2')).toEqual([1, 2, 11, 12]);
  for (const bad of ['', '0', '13', '6-', 'june']) expect(() => parseMonths(bad)).toThrow(/months/);
});

it('finds the solar day like odc-stats: int(lon / 15 + 0.5) hours', () => {
  const night = utc('2020-05-09T23:30:00Z');
  expect(formatDay(solarDay(night, 15))).toBe('2020-05-10');
  expect(formatDay(solarDay(night, 7.4))).toBe('2020-05-09');
  expect(formatDay(solarDay(utc('2020-05-09T00:30:00Z'), -15))).toBe('2020-05-09'); // int(−0.5) is 0, towards zero
  expect(formatDay(solarDay(utc('2020-05-09T00:30:00Z'), -23))).toBe('2020-05-08');
});
