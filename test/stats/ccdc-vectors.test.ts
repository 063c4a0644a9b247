import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detect, PYCCD_BANDS, toJSON } from '../../build/index.js';
import { CcdcRun } from '../../build/kernels/ccdc.js';
import { kernels } from '../../build/kernels/memory.js';
import { resolveBands } from '../../build/stats/change-bands.js';
import { PYCCD_DEFAULTS } from '../../build/stats/change-parameters.js';
import { qaCodes } from '../../build/stats/change-qa.js';
import { changeThresholds } from '../../build/stats/change-thresholds.js';
import { kernelSettings } from '../../build/stats/detect.js';
import {
  CHIP_FILES,
  type ChipVector,
  chipDifferences,
  npyNumbers,
  runChip,
  runWay,
  waysOf,
} from '../fixture/ccdc-vectors.ts';
import { lassoOf } from '../reference/lasso.ts';
import { differences, resultDifferences } from '../reference/pyccd.ts';
import { robustOf } from '../reference/tmask.ts';
import { closestOf, lagOf, peekOf, variogramOf } from '../reference/variogram.ts';

const folder = join(process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data'), 'ccdc');
const present = existsSync(join(folder, 'pixels.json'));
const bytesOf = (name: string) => readFileSync(join(folder, name));
const read = (name: string) => JSON.parse(bytesOf(name).toString());

describe.skipIf(!present)('the pixels that PyCCD ran (skipped without STACKWISE_DATA)', () => {
  const ways = waysOf(present ? read('pixels.json').pixels : []);

  it.each(ways)('$name', (way) => {
    const got = toJSON(runWay(way));
    expect(got.algorithm).toBe(way.expected.algorithm);
    expect(resultDifferences(got, way.expected)).toEqual([]);
  });
});

describe.skipIf(!present)('the units of PyCCD (skipped without STACKWISE_DATA)', () => {
  const units = present ? read('units.json') : null;
  const k = kernels();
  const bands = resolveBands(PYCCD_BANDS, {});

  /** A pixel of the kernels that holds these days and values (blue when not named), all clear and in range. */
  function step<T>(days: number[], values: Record<number, number[]>, work: (run: CcdcRun) => T): T {
    return k.scope(() => {
      const settings = kernelSettings(PYCCD_DEFAULTS, { outlier: 0, alpha: 1 });
      const { change } = changeThresholds(5, 6);
      const run = new CcdcRun(k, {
        days: Int32Array.from(days),
        order: Uint32Array.from(days.keys()),
        bands: { ...bands, reflectance: [], thermal: null },
        qaCodes: qaCodes('fmask', PYCCD_DEFAULTS),
        settings,
        thresholds: change,
      });
      const data = Float64Array.from({ length: days.length * 7 }, (_, i) => values[i % 7]?.[Math.floor(i / 7)] ?? 0);
      const pixels = { values: data, qa: new Uint16Array(days.length) };
      run.reserve(1, pixels, false);
      run.load(pixels, { from: 0, count: 1, nPx: 1 });
      expect(k.exports.ccdc_observe(run.ptr, 0, 0)).toBe(days.length);
      return work(run);
    });
  }

  it('LASSO: coefficients, RMSE and sweeps, and of the plain steps', () => {
    expect(units.lasso.length).toBeGreaterThan(40);
    for (const u of units.lasso) {
      const { dates, y, n_coefs, coefficients, intercept, rmse, n_iter } = u;
      const naive = lassoOf(dates, y, n_coefs);
      const found = step(dates, { 0: y, 1: y, 2: y, 3: y, 4: y, 5: y, 6: y }, (run) => {
        const sweeps = k.exports.ccdc_fit(run.ptr, 0, dates.length, n_coefs);
        const at = 6 + 10 * 1;
        return { sweeps, numbers: [...run.records(1).subarray(at, at + 10)] };
      });
      const want = { magnitude: 0, rmse, intercept, coefficients };
      const [, gotRmse, gotIntercept, ...gotCoefficients] = found.numbers;
      const got = { magnitude: 0, rmse: gotRmse!, intercept: gotIntercept!, coefficients: gotCoefficients };
      for (const model of [got, { ...naive, magnitude: 0 }]) {
        const off = differences(model, want);
        expect(off.rmse).toBeLessThan(1e-10);
        expect(off.harmonics).toBeLessThan(1e-9);
        expect(off.slope).toBeLessThan(1e-10);
      }
      expect(naive.sweeps).toBe(n_iter);
      // scikit-learn sweeps on over a constant that it cannot fit any better.
      if (new Set(y).size > 1) expect(found.sweeps).toBe(n_iter);
    }
  });

  it('Tmask: the coefficients after each re-weighting, and the observations far from them', () => {
    expect(units.tmask.length).toBeGreaterThan(10);
    for (const { dates, green, swir1, variogram_green, variogram_swir1, t_const, fits, outliers } of units.tmask) {
      const predicted = step(dates, { 1: green, 4: swir1 }, (run) => {
        for (const [i, name] of ['green', 'swir1'].entries()) {
          for (const { maxiter, coef } of fits[name]) {
            const ptr = k.exports.ccdc_robust(run.ptr, 0, dates.length, 1, 4, maxiter - 1) >>> 0;
            const [constant, ...rest] = [...k.f64(ptr, 10)].filter((_, j) => j % 2 === i);
            const most = Math.max(...coef.map(Math.abs));
            [...rest, constant!].forEach((c, j) => {
              expect(Math.abs(c - coef[j]) / most).toBeLessThan(1e-9);
            });
          }
        }
      });
      expect(predicted).toBeUndefined();
      const [fitGreen, fitSwir1] = [robustOf(dates, green), robustOf(dates, swir1)];
      const naive = dates.map((day: number, i: number) => {
        const isFar = (y: number[], value: (day: number) => number, noise: number) =>
          Math.abs(y[i]! - value(day)) > t_const * noise;
        return Number(isFar(green, fitGreen, variogram_green) || isFar(swir1, fitSwir1, variogram_swir1));
      });
      expect(naive).toEqual(outliers.map(Number));
    }
  });

  it('variogram and its lag', () => {
    for (const { dates, bands: values, adjusted, lag } of units.variogram) {
      const found = step(dates, values, (run) => {
        const out = k.alloc(9 * 8);
        return [k.exports.ccdc_variogram(run.ptr, out), ...k.f64(out, 9)];
      });
      expect(found[0]).toBe(lag);
      expect(found[1]).toBe(peekOf(dates));
      expect(found.slice(3)).toEqual(adjusted);
      expect(lagOf(dates)).toBe(lag);
      expect(values.map((y: number[]) => variogramOf(dates, y))).toEqual(adjusted);
    }
  });

  it('peek by the median step, threshold by the peek', () => {
    for (const { median_step, peek } of units.peek_by_step) {
      const days = Array.from({ length: 21 }, (_, i) => 730_000 + Math.floor(i * median_step));
      const found = step(days, {}, (run) => {
        const out = k.alloc(9 * 8);
        k.exports.ccdc_variogram(run.ptr, out);
        return k.f64(out, 2).slice();
      });
      expect([found[0], peekOf(days)]).toEqual([peek, peek]);
      const { threshold } = units.change_threshold_by_peek.find((t: { peek: number }) => t.peek === peek) ?? {};
      if (threshold) expect(Math.abs(found[1]! / threshold - 1)).toBeLessThan(1e-12);
    }
    for (const { peek, threshold } of units.change_threshold_by_peek) {
      expect(Math.abs(changeThresholds(5, 6).change[peek]! / threshold - 1)).toBeLessThan(1e-12);
    }
  });

  it('the closest days of the year, with ties', () => {
    expect(units.closest_doy.some((u: { tie_at_boundary: boolean }) => u.tie_at_boundary)).toBe(true);
    for (const { dates, ref_day, closest } of units.closest_doy) {
      const days = dates.includes(ref_day) ? dates : [...dates, ref_day].sort((a: number, b: number) => a - b);
      const flags = step(days, {}, (run) => {
        const ptr = k.alloc(days.length);
        k.exports.ccdc_closest(run.ptr, 0, dates.length, days.indexOf(ref_day), ptr);
        return [...k.u8(ptr, dates.length)];
      });
      const want = [...closest].sort((a: number, b: number) => a - b);
      expect(flags.flatMap((flag, i) => (flag ? [i] : []))).toEqual(want);
      expect(closestOf(dates, ref_day).sort((a, b) => a - b)).toEqual(want);
    }
  });

  it('the class of each packed QA value', () => {
    const codes = qaCodes('pyccd', PYCCD_DEFAULTS);
    const want = units.qa_class_by_packed_value_0_2047.map((code: number) => (code < 0 ? 255 : code));
    expect([...codes.subarray(0, 2048)]).toEqual(want);
    expect([...codes.subarray(6 * 2048, 7 * 2048)]).toEqual(want);
  });
});

describe.skipIf(!present)('chip20 that PyCCD ran (skipped without STACKWISE_DATA)', () => {
  const chip: () => ChipVector = () => ({
    files: Object.fromEntries(
      CHIP_FILES.map((name) => [name, npyNumbers(bytesOf(`chip20_${name}.npy`))]),
    ) as ChipVector['files'],
    probabilities: read('chip20_info.json').probs,
  });

  it('has the same segments, masks and probabilities, and numbers within the tolerances', () => {
    const vector = chip();
    const found = runChip(vector);
    expect(found.failures.size).toBe(0);
    expect(found.segments.startDay.length).toBe(vector.files.expected_segments.length / 9);
    expect(chipDifferences(found, vector)).toEqual([]);
  });

  it('strips and neighbours change nothing: a pixel alone has the same bits', () => {
    const { files } = chip();
    const { dates, bands: data, qa } = files;
    const { segments } = runChip({ files, probabilities: [] });
    const px = 237;
    const alone = detect({
      dates,
      qa: Array.from(dates, (_, t) => qa[t * 400 + px]!),
      bands: Object.fromEntries(
        PYCCD_BANDS.map((name, b) => [name, Array.from(dates, (_, t) => data[(t * 7 + b) * 400 + px]!)]),
      ),
      qaScheme: 'fmask',
    });
    const [from, until] = [segments.offsets[px]!, segments.offsets[px + 1]!];
    expect(alone.segments.coefficients).toEqual(segments.coefficients.slice(from * 49, until * 49));
  });
});
