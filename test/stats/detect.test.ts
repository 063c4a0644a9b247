import { describe, expect, it } from 'vitest';
import {
  type Changes,
  countPixels,
  type DetectInput,
  detect,
  detectChip,
  fromCollection2,
  fromJSON,
  InputError,
  PYCCD_BANDS,
  type PyccdBand,
  type PyccdResult,
  predict,
  toJSON,
} from '../../build/index.js';
import { segmentAt } from '../../build/stats/change-predict.js';
import { pixelSeries } from '../fixture/pixel-series.ts';
import { seeded } from '../random.ts';
import type { Series } from '../reference/ccdc.ts';

const input = ({ dates, bands, qa }: Series, more: Partial<DetectInput> = {}): DetectInput => ({
  dates,
  qa,
  bands: Object.fromEntries(PYCCD_BANDS.map((name, b) => [name, bands[b]!])),
  qaScheme: 'fmask',
  ...more,
});
const pick = (series: Series, places: number[]): Series => ({
  dates: places.map((i) => series.dates[i]!),
  qa: places.map((i) => series.qa[i]!),
  bands: series.bands.map((band) => places.map((i) => band[i]!)),
});

/** The same values on these days: seven bands with a season and some noise, all clear. */
function clear(days: number[], seed = 1): Series {
  const random = seeded(seed);
  const bands = [400, 700, 600, 2500, 1800, 900, 2900].map((v) =>
    days.map((day) => Math.round(v + 0.1 * v * Math.cos((day / 365.25) * 2 * Math.PI) + 0.03 * v * (random() - 0.5))),
  );
  return { dates: days, qa: days.map(() => 0), bands };
}
const every = (step: number, n: number, first = 730_000) => Array.from({ length: n }, (_, i) => first + i * step);

describe('detect', () => {
  const series = pixelSeries(3);
  const usual = detect(input(series));

  it('does not depend on the order of dates, nor on that of bands', () => {
    const random = seeded(9);
    const shuffled = series.dates.map((_, i) => [random(), i] as const).sort(([a], [b]) => a - b);
    expect(usual.segments.startDay.length).toBeGreaterThan(0);
    expect(
      detect(
        input(
          pick(
            series,
            shuffled.map(([, i]) => i),
          ),
        ),
      ),
    ).toEqual(usual);
    const { bands } = input(series);
    expect(detect(input(series, { bands: Object.fromEntries(Object.entries(bands).reverse()) }))).toEqual(usual);
  });

  it('takes the first good one of equal dates', () => {
    const [n] = [series.dates.length];
    const bad = { ...series, bands: series.bands.map((band) => band.map((v) => v + 500)) };
    const first = pick(series, [...series.dates.keys()]);
    const twice = {
      dates: [...first.dates, ...bad.dates],
      qa: [...first.qa, ...bad.qa],
      bands: first.bands.map((band, b) => [...band, ...bad.bands[b]!]),
    };
    const got = detect(input(twice));
    expect(got.segments).toEqual(usual.segments);
    expect(got.processingMask.filter((_, i) => i % 2 === 0)).toEqual(usual.processingMask);
    expect(got.processingMask.length).toBe(2 * n);
    // A cloudy first lets the second in.
    const cloudy = { ...twice, qa: [...first.qa.map(() => 4), ...bad.qa] };
    expect(
      detect(input(cloudy))
        .processingMask.filter((_, i) => i % 2 === 1)
        .some(Boolean),
    ).toBe(true);
  });

  it('has nothing to say of nothing, of fill, of clouds, of 12 observations', () => {
    for (const empty of [input(pick(series, [])), input({ ...series, qa: series.qa.map(() => 255) })]) {
      const result = toJSON(detect(empty));
      expect(result).toMatchObject({ change_models: [], cloud_prob: null, snow_prob: 0, water_prob: 0 });
      expect(result.processing_mask.every((m) => m === 0)).toBe(true);
    }
    const cloudy = toJSON(detect(input({ ...series, qa: series.qa.map(() => 4) })));
    expect(cloudy).toMatchObject({ change_models: [], cloud_prob: 1 });
    const twelve = toJSON(detect(input(clear(every(16, 12)))));
    expect(twelve.change_models).toEqual([]);
    expect(twelve.processing_mask).toEqual(new Array(12).fill(1));
    const [model, ...rest] = toJSON(detect(input(clear(every(16, 13))))).change_models;
    expect([model!.curve_qa, model!.observation_count, rest.length]).toEqual([24, 13, 0]);
  });

  it('goes on where PyCCD fails: a series within 30 days', () => {
    // 20 dates a day apart peek at 96, of which there are not so many; with a small peek the rest is one END model.
    expect(toJSON(detect(input(clear(every(1, 20))))).change_models).toEqual([]);
    const params = { PEEK_SIZE: 2, CHANGE_THRESHOLD: 15 };
    const short = toJSON(detect(input(clear(every(2, 14)), { params: { ...params, MEOW_SIZE: 9 } })));
    expect(short.change_models.map((m) => m.curve_qa)).toEqual([]);
    const dense = toJSON(detect(input(clear([...every(2, 13), 730_030]), { params })));
    expect(dense.processing_mask.filter(Boolean).length).toBe(14);
  });

  it('fits windows of exactly 365 days, where two pairs of columns are equal', () => {
    // 12 observations from day 0 to 365: the first window of the Tmask.
    const days = [...every(33, 11), 730_365, ...every(33, 40, 730_398)];
    const found = detect(input(clear(days)));
    const { segments } = found;
    expect(segments.startDay[0]).toBe(730_000);
    expect([...segments.coefficients, ...segments.rmse].every(Number.isFinite)).toBe(true);
    expect(Math.max(...segments.rmse.slice(0, 6))).toBeLessThan(200);
    expect(found.processingMask.reduce((a, b) => a + b)).toBeGreaterThan(days.length - 4);
  });

  it('looks for a stable start with 4 coefficients, as PyCCD does, whatever COEFFICIENT_MIN says', () => {
    const params = { COEFFICIENT_MIN: 8, COEFFICIENT_MID: 8 };
    const starts = (more: Partial<DetectInput>) =>
      Array.from({ length: 60 }, (_, seed) => {
        const series = pixelSeries(seed, { stepDays: 4, cloudy: 0.3 });
        const [first] = detect(input(series, more)).segments.startDay;
        return first;
      });
    expect(starts({ params })).toEqual(starts({}));
  });

  it('wraps the thermal band of 16 bits as PyCCD does, unless it is wide', () => {
    const filled = { ...series, bands: [...series.bands.slice(0, 6), series.bands[6]!.map(() => -9999)] };
    const used = (changes: Changes) => changes.processingMask.reduce((a, b) => a + b, 0);
    expect(used(detect(input(filled)))).toBeGreaterThan(0);
    expect(used(detect(input(filled, { wideInt: true })))).toBe(0);
    // Integers keep their width.
    const { bands } = input(filled);
    const as = (Type: Int16ArrayConstructor | Int32ArrayConstructor | Float32ArrayConstructor) =>
      Object.fromEntries(Object.entries(bands).map(([name, values]) => [name, Type.from(values)]));
    expect(detect(input(filled, { bands: as(Int16Array) }))).toEqual(detect(input(filled)));
    expect(used(detect(input(filled, { bands: as(Int32Array) })))).toBe(0);
    expect(used(detect(input(filled, { bands: as(Float32Array) })))).toBe(0);
    expect(detect(input(series, { bands: as(Int32Array), thermalBand: null })).segments.bandNames.length).toBe(7);
  });

  it('reads QA as classes or as bits by PyCCD’s parameters, of any width', () => {
    const params = {
      QA_BITPACKED: false,
      QA_FILL: 255,
      QA_CLEAR: 0,
      QA_WATER: 1,
      QA_SHADOW: 2,
      QA_SNOW: 3,
      QA_CLOUD: 4,
    };
    expect(detect(input(series, { qaScheme: 'pyccd', params }))).toEqual(usual);
    // A value that is no class is seen, but is neither clear nor cloud; -9999 is one.
    const [foreign, negative] = [7, -9999].map((value) =>
      detect(input(series, { qa: Int16Array.from(series.qa, (q, i) => (i % 10 === 0 ? value : q)) })),
    );
    expect(negative).toEqual(foreign);
    expect(foreign).not.toEqual(usual);
    // Of bits the low 16 count, whatever the sign: 2 is clear, 2 - 65536 too.
    const bits = series.qa.map((q) => ({ 0: 2, 1: 4, 3: 16, 4: 32, 255: 1 })[q]!);
    expect(detect(input(series, { qaScheme: 'pyccd', qa: bits }))).toEqual(usual);
    expect(detect(input(series, { qaScheme: 'pyccd', qa: bits.map((q) => q - 65_536) }))).toEqual(usual);
  });

  it('refuses what it cannot take, in one line', () => {
    const refuse = (more: Partial<DetectInput>, message: RegExp) => {
      expect(() => detect(input(series, more))).toThrow(InputError);
      expect(() => detect(input(series, more))).toThrow(message);
    };
    const { bands } = input(series);
    const changed = (name: string, values: ArrayLike<number>) => ({ bands: { ...bands, [name]: values } });
    const n = series.dates.length;
    const withOne = (values: readonly number[], value: number) => values.map((v, i) => (i === 2 ? value : v));
    refuse({ dates: series.dates.slice(1) }, /band blue must have \d+ values, one a date, got/);
    refuse({ qa: series.qa.slice(1) }, /qa must have \d+ values, got/);
    refuse({ dates: withOne(series.dates, 730_000.5) }, /whole ordinals from 1 to 3652059, got 730000.5 at 2/);
    refuse({ dates: withOne(series.dates, Number.NaN) }, /got NaN at 2/);
    refuse({ dates: withOne(series.dates, 0) }, /got 0 at 2/);
    refuse({ qa: withOne(series.qa, 0.5) }, /qa must be whole numbers, got 0.5 at 2/);
    refuse({ qa: new Array(n).fill(0), qaScheme: 'pyccd' }, /QA value 0 has no class/);
    refuse({ qaScheme: 'fmsk' as 'fmask' }, /qaScheme must be pyccd, fmask or landsat-c2, got "fmsk"/);
    refuse(changed('red', new Array(n).fill(40_000)), /band red must hold 16-bit integers .* got 40000 at 0/);
    refuse(changed('red', new Array(n).fill(Number.NaN)), /band red must hold 16-bit integers/);
    refuse(changed('red', new Float32Array(n).fill(Number.NaN)), /finite, got NaN in band red at 0/);
    refuse({ detectionBands: ['gren'] }, /detectionBands: no band "gren" among .*did you mean "green"/);
    refuse({ detectionBands: [] }, /detectionBands is empty/);
    refuse({ tmaskBands: ['red', 'red'] }, /tmaskBands names a band twice/);
    const { thermal, swir1, ...five } = bands;
    refuse({ bands: { ...five, swir1: swir1! } }, /no band "thermal" among .* or say thermalBand: null/);
    refuse({ bands: { ...five, thermal: thermal! } }, /no band "swir1" among .* or say detectionBands/);
    refuse({ bands: { ...five, swir_1: swir1!, thermal: thermal! } }, /unknown band "swir_1"; did you mean "swir1"/);
    refuse({ bands: { red: swir1! }, detectionBands: ['red'], tmaskBands: [] }, /no band "thermal"/);
    refuse({ bands: { a: swir1! }, thermalBand: null, detectionBands: ['a'] }, /tmaskBands is needed: .* "green"/);
    refuse({ params: { PEEK: 6 } as object }, /params has no "PEEK"/);
    refuse({ params: { PEEK_SIZE: 1.5 } }, /PEEK_SIZE must be a whole number from 2 to 100, got 1.5/);
    refuse({ params: { COEFFICIENT_MIN: 5 } }, /COEFFICIENT_MIN must be 4, 6 or 8/);
    refuse({ params: { DETECTION_BANDS: [7] } }, /DETECTION_BANDS must be a list of band indices/);
    refuse({ alpha: -1 }, /alpha must be/);
  });
});

describe('bands beyond PyCCD', () => {
  const series = pixelSeries(5);

  it('does without a thermal band', () => {
    const { bands, ...rest } = input(series);
    const { thermal: _, ...six } = bands;
    const without = detect({ ...rest, bands: six, thermalBand: null });
    // It may have another name.
    const other = toJSON(detect({ ...rest, bands: { ...six, ST_B10: bands.thermal! }, thermalBand: 'ST_B10' }));
    const usual = toJSON(detect({ ...rest, bands })).change_models;
    expect(other.change_models.map(({ ST_B10, ...model }) => ({ ...model, thermal: ST_B10 }))).toEqual(usual);
    // Where the thermal band rejects nothing the others have the same models.
    const warm = detect({ ...rest, bands: { ...six, thermal: series.dates.map(() => 2900) } });
    expect(without.processingMask).toEqual(warm.processingMask);
    const models = toJSON(warm).change_models.map(({ thermal: _, ...model }) => model);
    expect(toJSON(without).change_models).toEqual(models);
    expect(models.length).toBeGreaterThan(0);
  });

  it('takes other bands, and thresholds for as many as are detected in', () => {
    const { dates, qa } = series;
    const [, , red, nir, swir1] = series.bands;
    const ndvi = Int16Array.from(dates, (_, i) => Math.round((10_000 * (nir![i]! - red![i]!)) / (nir![i]! + red![i]!)));
    const own = { dates, qa, qaScheme: 'fmask', thermalBand: null, tmaskBands: ['short'] } as const;
    const bands = { ndvi, short: swir1! };
    const found = detect({ ...own, bands, detectionBands: ['ndvi'] });
    expect(found.segments.bandNames).toEqual(['ndvi', 'short']);
    // One degree of freedom: 6.635; given, it is the same.
    const params = { CHANGE_THRESHOLD: 6.634896601021217, OUTLIER_THRESHOLD: 23.928126976934827 };
    expect(detect({ ...own, bands, detectionBands: ['ndvi'], params })).toEqual(found);
    expect(detect({ ...own, bands, detectionBands: ['short'] })).not.toEqual(found);
    // A strict Tmask finds more, and none finds nothing.
    const strict = { ...own, bands, detectionBands: ['ndvi'], params: { T_CONST: 0.5 } };
    const used = (changes: Changes) => changes.processingMask.reduce((a, b) => a + b, 0);
    expect(used(detect(strict))).toBeLessThan(used(found));
    expect(used(detect({ ...strict, tmaskBands: [] }))).toBeGreaterThanOrEqual(used(found));
  });

  it('takes the same models for a band whatever stands beside it', () => {
    const { bands, ...rest } = input(series);
    const usual = toJSON(detect({ ...rest, bands }));
    const roles = { detectionBands: PYCCD_BANDS.slice(1, 6) };
    const more = toJSON(detect({ ...rest, ...roles, bands: { ...bands, extra: bands.nir!, other: bands.blue! } }));
    expect(more.processing_mask).toEqual(usual.processing_mask);
    for (const [i, model] of usual.change_models.entries()) {
      expect(more.change_models[i]).toMatchObject(model);
      expect(more.change_models[i]!.other).toEqual(model.blue);
    }
  });
});

/** Three rows of two pixels, of which the fifth has a QA value without a class. */
function chip() {
  const all = [1, 2, 3, 4, 5, 6].map((seed) => pixelSeries(seed, { years: 6 }));
  const nTime = Math.min(...all.map(({ dates }) => dates.length));
  const { dates } = all[0]!;
  const data = new Int16Array(nTime * 7 * 6);
  const qa = new Uint16Array(nTime * 6);
  all.forEach((series, px) => {
    for (let t = 0; t < nTime; t++) {
      series.bands.forEach((band, b) => {
        data[(t * 7 + b) * 6 + px] = band[t]!;
      });
      qa[t * 6 + px] = { 0: 2, 1: 4, 3: 16, 4: 32, 255: 1 }[series.qa[t]!]!;
    }
  });
  qa[5 * 6 + 4] = 256;
  return { dates: dates.slice(0, nTime), data, qa, rows: 3, cols: 2 };
}

describe('detectChip', () => {
  it('records a pixel that fails, and goes on; each pixel is as it is alone', () => {
    const given = chip();
    const found = detectChip(given);
    expect([...found.failures]).toEqual([[4, 'QA value 256 has no class']]);
    expect(countPixels(found)).toEqual({ withSegments: 5, empty: 0, failed: 1 });
    expect(() => toJSON(found, 4)).toThrow('pixel 4 failed: QA value 256 has no class');
    expect(() => toJSON(found, 6)).toThrow('no pixel 6: there are 6');
    expect(found.cloudProbability[4]).toBeNaN();
    for (const px of [0, 1, 2, 3, 5]) {
      const bands = Object.fromEntries(
        PYCCD_BANDS.map((name, b) => [name, given.dates.map((_, t) => given.data[(t * 7 + b) * 6 + px]!)]),
      );
      const alone = detect({ dates: given.dates, bands, qa: given.dates.map((_, t) => given.qa[t * 6 + px]!) });
      expect(toJSON(alone)).toEqual(toJSON(found, px));
    }
  });

  it('takes dates in any order, and chips without pixels or dates', () => {
    const given = chip();
    const n = given.dates.length;
    const reversed = {
      ...given,
      dates: [...given.dates].reverse(),
      data: given.data.map((_, i) => given.data[(n - 1 - Math.floor(i / 42)) * 42 + (i % 42)]!),
      qa: given.qa.map((_, i) => given.qa[(n - 1 - Math.floor(i / 6)) * 6 + (i % 6)]!),
    };
    expect(detectChip(reversed)).toEqual(detectChip(given));
    const none = detectChip({ ...given, data: new Int16Array(0), qa: [], rows: 0 });
    expect(none).toMatchObject({ nPx: 0 });
    const dateless = detectChip({ dates: [], data: new Int16Array(0), qa: [], rows: 2, cols: 2 });
    expect(countPixels(dateless)).toEqual({ withSegments: 0, empty: 4, failed: 0 });
    expect(() => detectChip({ ...given, rows: 2 })).toThrow(
      /data must have \d+ values \(\d+ dates × 7 bands × 2 rows × 2 cols\)/,
    );
    expect(() => detectChip({ ...given, rows: 2 ** 20, cols: 2 ** 20 })).toThrow(/at most/);
    expect(() => detectChip({ ...given, cols: 1.5 })).toThrow('cols must be a whole number');
  });
});

describe('JSON', () => {
  it('is PyCCD’s, and comes back as it was', () => {
    const found = detect(input(pixelSeries(3)));
    const json: PyccdResult = JSON.parse(JSON.stringify(toJSON(found)));
    expect(Object.keys(json).sort()).toEqual(
      ['algorithm', 'change_models', 'cloud_prob', 'processing_mask', 'snow_prob', 'water_prob'].sort(),
    );
    expect(json.algorithm).toBe('lcmap-pyccd:2018.10.17');
    const [model] = json.change_models;
    expect(Object.keys(model!).slice(0, 6)).toEqual([
      'start_day',
      'end_day',
      'break_day',
      'observation_count',
      'change_probability',
      'curve_qa',
    ]);
    expect(Object.keys(model!).slice(6)).toEqual([...PYCCD_BANDS]);
    expect((model!.nir as PyccdBand).coefficients.length).toBe(7);
    const back = fromJSON(json, { dates: found.dates });
    // JSON has no -0.
    expect(JSON.stringify(toJSON(back))).toBe(JSON.stringify(json));
    expect(back.segments.startDay).toEqual(found.segments.startDay);
    expect(back.segments.intercept).toEqual(found.segments.intercept);
    expect(fromJSON([json, json]).segments.offsets.length).toBe(3);
    expect(fromJSON([])).toMatchObject({ nPx: 0 });
    // Without degrees of freedom there is no RMSE.
    (model!.red as { rmse: number | null }).rmse = null;
    expect(fromJSON(json).segments.rmse[2]).toBeNaN();
  });

  it('refuses what is not of that schema', () => {
    const json = toJSON(detect(input(pixelSeries(3))));
    const broken = (change: (copy: PyccdResult) => void) => {
      const copy: PyccdResult = JSON.parse(JSON.stringify(json));
      change(copy);
      return () => fromJSON(copy);
    };
    expect(broken((c) => Object.assign(c, { change_models: 3 }))).toThrow('change_models and processing_mask must be');
    expect(broken((c) => Object.assign(c.change_models[0]!, { start_day: 'x' }))).toThrow(
      'pixel 0, model 0: start_day must be a number, got "x"',
    );
    expect(broken((c) => (c.change_models[0]!.red as PyccdBand).coefficients.pop())).toThrow('band red must have');
    expect(() => fromJSON(json, { dates: [1] })).toThrow('dates must be');
    expect(() => fromJSON(null as unknown as PyccdResult)).toThrow('pixel 0: change_models and');
  });
});

describe('predict', () => {
  const changes = detect(input(pixelSeries(4)));
  const { segments } = changes;

  it('gives the value of the model, with intercept, slope and harmonics', () => {
    const day = segments.startDay[0]! + 100;
    const w = (2 * Math.PI * day) / 365.2425;
    const features = [day, ...[1, 2, 3].flatMap((i) => [Math.cos(i * w), Math.sin(i * w)])];
    const values = predict(segments, day);
    expect(values.length).toBe(7);
    values.forEach((value, b) => {
      const own = features.reduce((sum, x, j) => sum + x * segments.coefficients[b * 7 + j]!, segments.intercept[b]!);
      expect(Math.abs(value - own)).toBeLessThan(1e-6);
    });
    expect(() => predict(segments, Number.NaN)).toThrow('an ordinal day from 1 to 3652059 is wanted');
  });

  it('takes the segment of the day, and the nearest outside of segments', () => {
    const two = {
      ...segments,
      offsets: Uint32Array.of(0, 0, 2),
      startDay: Int32Array.of(100, 300),
      endDay: Int32Array.of(200, 400),
      breakDay: Int32Array.of(240, 400),
    };
    expect([50, 100, 200, 239, 240, 300, 400, 900].map((day) => segmentAt(two, 1, day))).toEqual([
      0, 0, 0, 0, 1, 1, 1, 1,
    ]);
    expect(segmentAt(two, 0, 150)).toBe(-1);
    const none = predict({ ...segments, offsets: Uint32Array.of(0, 0) }, 730_000);
    expect([...none]).toEqual(new Array(7).fill(Number.NaN));
  });
});

describe('Landsat Collection 2', () => {
  it('comes into the units of Collection 1', () => {
    const reflectance = fromCollection2(Uint16Array.of(0, 1, 7273, 43_636, 65_535), 'reflectance');
    expect([...reflectance]).toEqual([-9999, -2000, 0, 10_000, 16_022]);
    const temperature = fromCollection2(Uint16Array.of(0, 1, 40_000, 65_535), 'temperature');
    expect([...temperature]).toEqual([-9999, 1490, 2857, 3730]);
    for (const dn of [293, 11_111, 31_622]) {
      expect(fromCollection2(Uint16Array.of(dn), 'reflectance')[0]! / 1e4).toBeCloseTo(2.75e-5 * dn - 0.2, 4);
      expect(fromCollection2(Uint16Array.of(dn), 'temperature')[0]! / 10).toBeCloseTo(0.00341802 * dn + 149, 1);
    }
    expect(() => fromCollection2(new Uint16Array(1), 'radiance' as 'reflectance')).toThrow('got "radiance"');
  });

  it('has its QA_PIXEL values read', () => {
    // As in USGS's table of QA_PIXEL values, and what each stands for here.
    const values = {
      1: 255,
      21824: 0,
      21826: 4,
      21888: 1,
      21952: 1,
      22080: 0,
      22144: 1,
      22280: 4,
      23888: 2,
      23952: 2,
      30048: 3,
      54596: 0,
      54852: 0,
      55052: 4,
      56856: 4,
    };
    const codes = Object.keys(values).map(Number);
    const series = pixelSeries(7);
    const random = seeded(2);
    const qa = series.qa.map((q) => {
      const wanted = codes.filter((c) => values[c as keyof typeof values] === q);
      return wanted[Math.floor(random() * wanted.length)]!;
    });
    expect(detect(input(series, { qa, qaScheme: 'landsat-c2' }))).toEqual(detect(input(series)));
    const unknown = () => detect(input(series, { qa: qa.map(() => 4096), qaScheme: 'landsat-c2' }));
    expect(unknown).toThrow('QA value 4096 has no class');
  });
});
