import { describe, expect, it } from 'vitest';
import { parsePropertyFilter, passesFilter, propertyOf } from '../../../build/jobs/task/task-property.js';

const L5 = {
  'eo:platform': 'landsat-5',
  'gqa:iterative_mean_xy': 0.4,
  'dea:dataset_maturity': 'final',
  instruments: ['tm'],
};
const passes = (filter: unknown, time = '2005-06-01', properties: Record<string, unknown> = L5) =>
  passesFilter(parsePropertyFilter(filter, 'dataset-filter'), properties, Date.parse(time));

describe('propertyOf', () => {
  it('knows names of Open Data Cube', () => {
    expect(propertyOf(L5, 'gqa_iterative_mean_xy')).toBe(0.4);
    expect(propertyOf(L5, 'gqa:iterative_mean_xy')).toBe(0.4);
    expect(propertyOf(L5, 'dataset_maturity')).toBe('final');
    expect(propertyOf(L5, 'platform')).toBe('landsat-5');
    expect(propertyOf(L5, 'instrument')).toEqual(['tm']);
    expect(propertyOf(L5, 'toString')).toBeUndefined();
  });
});

describe('a filter', () => {
  it('wants all conditions of one of its objects', () => {
    const production =
      '{"datetime": "1987-01--P17Y"}|{"datetime": "2004-01--P6Y", "eo:platform": "landsat-5"}|\n  {"eo:platform": "landsat-8"}';
    expect(passes(production)).toBe(true);
    expect(passes(production, '2012-01-01')).toBe(false);
    expect(passes(production, '2003-12-31T23:59:59.999Z', {})).toBe(true);
    expect(passes(production, '2005-06-01', { 'eo:platform': 'landsat-7' })).toBe(false);
    expect(passes(production, '2022-06-01', { platform: 'landsat-8', 'eo:platform': 'landsat-8' })).toBe(true);
  });

  it('compares numbers, ranges, choices and lists', () => {
    expect(passes({ gqa_iterative_mean_xy: [0, 0.4] })).toBe(true);
    expect(passes({ gqa_iterative_mean_xy: [0, 0.3] })).toBe(false);
    expect(passes({ 'eo:platform': ['landsat-7', 'landsat-5'] })).toBe(true);
    expect(passes({ instrument: 'tm' })).toBe(true);
    expect(passes({ 'eo:cloud_cover': [0, 100] })).toBe(false);
  });

  it.each([['{"a":'], ['[]'], ['{"a":{"lt":3}}'], ['{"a":null}'], [7], ['{"datetime":"yesterday"}']])(
    'refuses %j',
    (text) => {
      expect(() => passes(text)).toThrow(/a filter is JSON like|not a date or time/);
    },
  );
});
