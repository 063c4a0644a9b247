// Short, dense, unsorted and empty series, and input that is none. What is expected is what PyCCD gives, where it gives an answer.
import { describe, expect, it } from 'vitest';
import {
  type DetectChipInput,
  type DetectInput,
  detect,
  detectChip,
  fromJSON,
  InputError,
  PYCCD_BANDS,
  type PyccdResult,
  predict,
  toJSON,
} from '../../build/index.js';
import { seeded } from '../random.ts';

/** Seven bands with a season and some noise on these days, all clear. */
function clear(days: readonly number[]): DetectInput {
  const random = seeded(1);
  const levels = [400, 700, 600, 2500, 1800, 900, 2900];
  const bands = PYCCD_BANDS.map((name, b): [string, number[]] => {
    const level = levels[b]!;
    const value = (day: number) => {
      const phase = ((day % 365.25) / 365.25) * 2 - 1;
      return Math.round(level + 0.1 * level * phase * phase + 0.03 * level * (random() - 0.5));
    };
    return [name, days.map(value)];
  });
  return { dates: days, qa: days.map(() => 0), bands: Object.fromEntries(bands), qaScheme: 'fmask' };
}

const every = (step: number, n: number, first = 730_000) => Array.from({ length: n }, (_, i) => first + i * step);

/** Days, counts and codes of the segments, and the mask. */
function structureOf(input: DetectInput): [string[], string] {
  const { change_models, processing_mask } = toJSON(detect(input));
  const heads = change_models.map((m) =>
    [m.start_day, m.end_day, m.break_day, m.observation_count, m.change_probability, m.curve_qa].join(' '),
  );
  return [heads, processing_mask.join('')];
}

/** The observations at these places, in this order. */
function pick({ dates, qa, bands, ...rest }: DetectInput, places: readonly number[]): DetectInput {
  const at = (values: ArrayLike<number>) => places.map((i) => values[i]!);
  const picked = Object.entries(bands).map(([name, values]) => [name, at(values)]);
  return { ...rest, dates: at(dates), qa: at(qa), bands: Object.fromEntries(picked) };
}

describe('series at the edge', () => {
  it.each([
    [0, []],
    [1, []],
    [11, []],
    [12, []],
    [13, ['730000 730192 730192 13 0 24']],
    [24, ['730000 730368 730368 24 0 24']],
    [25, ['730000 730384 730384 25 0 24']],
    [37, ['730000 730576 730576 37 0 24']],
  ])('%i clear observations', (n, heads) => {
    expect(structureOf(clear(every(16, n)))).toEqual([heads, '1'.repeat(n)]);
  });

  it('nothing but fill', () => {
    const input = clear(every(16, 40));
    const found = toJSON(detect({ ...input, qa: every(0, 40, 255) }));
    expect(found).toEqual({
      algorithm: 'lcmap-pyccd:2018.10.17',
      processing_mask: every(0, 40, 0),
      change_models: [],
      cloud_prob: null,
      snow_prob: 0,
      water_prob: 0,
    });
  });

  it('unsorted and duplicate dates: the earlier place wins among equals', () => {
    const usual = clear(every(16, 60));
    const [heads, mask] = structureOf(usual);
    expect(heads).toEqual(['730000 730864 730864 55 0 8']);
    const rest = every(1, 60, 0);
    expect(structureOf(pick(usual, [...rest].reverse()))).toEqual([heads, mask]);
    const evenFirst = [...rest.filter((i) => i % 2 === 0), ...rest.filter((i) => i % 2 === 1)];
    const shuffled = pick(usual, evenFirst);
    expect(toJSON(detect(shuffled))).toEqual(toJSON(detect(usual)));
    // All twice, the second ones far off: they are left out, and nothing else changes.
    const twice = pick(usual, [...evenFirst, ...rest]);
    const far = Object.entries(twice.bands).map(([name, v]) => [name, Array.from(v, (x, i) => (i < 60 ? x : x + 900))]);
    const [twiceHeads, twiceMask] = structureOf({ ...twice, bands: Object.fromEntries(far) });
    expect([twiceHeads, twiceMask]).toEqual([heads, '10'.repeat(60)]);
  });

  it('all within 30 days, where no lag reaches further: neighbours are compared', () => {
    expect(structureOf(clear(every(1, 31)))).toEqual([[], '1'.repeat(31)]);
    const params = { MEOW_SIZE: 5, PEEK_SIZE: 2 };
    expect(structureOf({ ...clear(every(5, 7)), params })).toEqual([['730000 730030 730030 7 0 24'], '1111111']);
  });

  it('a first window of exactly 365 days, where two pairs of Tmask’s columns are equal', () => {
    const days = [...every(33, 11), 730_365, ...every(33, 40, 730_398)];
    const input = clear(days);
    expect(structureOf(input)).toEqual([['730000 731520 731520 47 0 8'], '1'.repeat(52)]);
    // A cloud that QA missed: the window without it has 11 observations, grows by one, and spans more than a year.
    const green = (input.bands.green as number[]).map((v, i) => (i === 5 ? v + 3000 : v));
    const cloudy = { ...input, bands: { ...input.bands, green } };
    const mask = days.map((_, i) => Number(i !== 5)).join('');
    expect(structureOf(cloudy)).toEqual([['730000 731520 731520 46 0 8'], mask]);
    // Of 13 observations in 365 days Tmask itself takes it out.
    const more = [730_000, 730_010, ...every(33, 10, 730_033), 730_365, ...every(33, 40, 730_398)];
    const dense = clear(more);
    const green13 = (dense.bands.green as number[]).map((v, i) => (i === 5 ? v + 3000 : v));
    const found = structureOf({ ...dense, bands: { ...dense.bands, green: green13 } });
    expect(found).toEqual([['730000 731520 731520 47 0 8'], more.map((_, i) => Number(i !== 5)).join('')]);
  });
});

describe('input that is refused in one line', () => {
  const input = clear(every(16, 30));
  const refused = (more: object, message: string) => {
    const work = () => detect({ ...input, ...more });
    expect(work).toThrow(InputError);
    expect(work).toThrow(message);
    expect(() => detect({ ...input, ...more })).toThrow(/^[^\n]+$/);
  };
  const band = (name: string, values: unknown) => ({ bands: { ...input.bands, [name]: values } });

  it('lengths that differ', () => {
    refused({ dates: every(16, 29) }, 'band blue must have 29 values, one a date, got 30');
    refused({ qa: every(0, 31, 0) }, 'qa must have 30 values, got 31');
    refused(band('red', every(16, 3, 1)), 'band red must have 30 values, one a date, got 3');
    refused(band('red', undefined), 'band red must have 30 values, one a date, got undefined');
  });

  it('bands that are not known or not numbers', () => {
    refused(
      band('nri', input.bands.nir),
      'unknown band "nri": give blue, green, red, nir, swir1, swir2, thermal, or say',
    );
    refused(
      band('red', new BigInt64Array(30)),
      'a typed array of numbers is wanted in band red at 0, got BigInt64Array',
    );
  });

  it('dates that are no ordinals', () => {
    const dated = (day: number) => ({ dates: every(16, 30).map((d, i) => (i === 4 ? day : d)) });
    const wanted = 'dates must be whole ordinals from 1 to 3652059, got';
    for (const day of [730_000.5, Number.NaN, Number.POSITIVE_INFINITY, 0, -5, 3_652_060]) {
      refused(dated(day), `${wanted} ${day} at 4`);
    }
    refused({ dates: new Float64Array(70_000) }, 'change detection takes at most 65535 dates, got 70000');
  });

  it('NaN', () => {
    const floats = Float64Array.from({ length: 30 }, (_, i) => (i === 7 ? Number.NaN : 500));
    refused(band('red', floats), 'values must be finite, got NaN in band red at 7');
    refused(band('red', [...floats]), 'band red must hold 16-bit integers');
    refused({ qa: [...floats] }, 'qa must be whole numbers, got NaN at 7');
    refused({ params: { T_CONST: Number.NaN } }, 'T_CONST must be a number from 0 to 1000000000');
  });

  it('parameters without a meaning', () => {
    refused(
      { params: { CURVE_QA: { STRAT: 14 } } },
      'CURVE_QA must be PERSIST_SNOW, INSUF_CLEAR, START, END, got "STRAT"',
    );
    refused({ params: { AVG_DAYS_YR: 7 } }, 'AVG_DAYS_YR must be a number from 50 to 100000, got 7');
    refused({ params: { BLUE_IDX: 2 } }, 'BLUE_IDX must be 0, as in PyCCD, got 2');
    refused({ params: { MEOW_SIZE: 4 } }, 'MEOW_SIZE must be a whole number from 5');
    refused(
      { params: { MEOW_SIZE: 8, NUM_OBS_FACTOR: 1 } },
      'MEOW_SIZE must be above 8 for models of 8 coefficients, got 8',
    );
    // What PyCCD's own table holds besides may stand there.
    const whole = { THERMAL_IDX: 6, QA_IDX: 7, CLEAR_OBSERVATION_THRESHOLD: 3, MEOW_SIZE: 12 };
    expect(detect({ ...input, params: whole })).toEqual(detect(input));
  });

  it('chips', () => {
    const data = new Int16Array(7 * 4);
    const chip = { dates: [730_000], data, qa: [0, 0, 0, 0], rows: 2, cols: 2, qaScheme: 'fmask' as const };
    const chipRefused = (more: object, message: string) => {
      expect(() => detectChip({ ...chip, ...more } as DetectChipInput)).toThrow(InputError);
      expect(() => detectChip({ ...chip, ...more } as DetectChipInput)).toThrow(message);
    };
    chipRefused({ data: [...data] }, 'a typed array of numbers is wanted in data at 0, got Array');
    chipRefused({ data: new Float32Array(28).fill(Number.NaN) }, 'values must be finite, got NaN in data at 0');
    chipRefused({ qa: [0] }, 'qa must have 4 values, got 1');
    chipRefused({ bands: ['blue'] }, 'no band "green"');
    // The results of so many pixels would take memory, though there is no date.
    const none = { dates: [], data: new Int16Array(0), qa: [] };
    chipRefused({ ...none, rows: 32_768, cols: 32_768 }, 'a chip takes at most 33554432 px, got 32768 × 32768');
    expect(detectChip(chip).segments.startDay.length).toBe(0);
  });

  it('days and results', () => {
    const found = detect(input);
    for (const day of [0, 3_652_061, 1e9, Number.NaN]) {
      expect(() => predict(found.segments, day)).toThrow(`an ordinal day from 1 to 3652059 is wanted, got ${day}`);
    }
    expect(() => fromJSON(toJSON(found), { avgDaysYr: 0 })).toThrow(
      'avgDaysYr must be a number from 50 to 100000, got 0',
    );
    const broken = { ...toJSON(found), change_models: [null] } as unknown as PyccdResult;
    expect(() => fromJSON(broken)).toThrow('pixel 0, model 0: start_day must be a number, got undefined');
  });
});

it('the median filter of mostly cloudy pixels takes out what is bright', () => {
  const input = clear(every(16, 100));
  const qa = every(1, 100, 0).map((i) => (i % 5 === 0 ? 0 : 4));
  const bright = (input.bands.green as number[]).map((v, i) => (i === 10 || i === 50 ? v + 600 : v));
  const [heads, mask] = structureOf({ ...input, qa, bands: { ...input.bands, green: bright } });
  expect(heads).toEqual(['730000 731584 731584 18 0 44']);
  expect(mask).toBe(qa.map((q, i) => Number(q === 0 && i !== 10 && i !== 50)).join(''));
});
