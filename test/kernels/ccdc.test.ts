import { describe, expect, it } from 'vitest';
import { kernels } from '../../build/kernels/memory.js';
import { toJSON } from '../../build/stats/change-json.js';
import { changeThresholds } from '../../build/stats/change-thresholds.js';
import { detect } from '../../build/stats/detect.js';
import { pixelSeries } from '../fixture/pixel-series.ts';
import { seeded } from '../random.ts';
import { detectOf, type Series } from '../reference/ccdc.ts';

const NAMES = ['blue', 'green', 'red', 'nir', 'swir1', 'swir2', 'thermal'];

const run = ({ dates, bands, qa }: Series) =>
  detect({ dates, qa, bands: Object.fromEntries(NAMES.map((n, i) => [n, bands[i]!])), qaScheme: 'fmask' });

/** Relative difference where numbers are large, absolute where they are small. */
const far = (a: number, b: number, unit: number) => Math.abs(a - b) / Math.max(Math.abs(b), unit);

describe('sine and cosine', () => {
  const k = kernels();
  const at = (x: number) =>
    k.scope(() => {
      const ptr = k.alloc(16);
      k.exports.cosine_sine(x, ptr);
      return [...k.f64(ptr, 2)] as [number, number];
    });

  it('are those of the engine to an ulp', () => {
    const random = seeded(1);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      const x = i < 1000 ? (i - 500) * (Math.PI / 4) : (random() - 0.3) * 10 ** (6 * random());
      const [cosine, sine] = at(x);
      most = Math.max(most, Math.abs(cosine - Math.cos(x)), Math.abs(sine - Math.sin(x)));
    }
    expect(most).toBeLessThanOrEqual(2 ** -52);
  });

  it('know where they begin and end', () => {
    expect(at(0)).toEqual([1, 0]);
    expect(at(Number.POSITIVE_INFINITY)).toEqual([Number.NaN, Number.NaN]);
    expect(at(2e6)).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('change detection against the plain steps', () => {
  const { change } = changeThresholds(5, 6);

  it.each([
    ['16 days', { stepDays: 16, years: 20 }],
    ['8 days', {}],
    ['4 days, dense', { stepDays: 4, years: 6, cloudy: 0.2 }],
    ['cloudy', { cloudy: 0.78, years: 20 }],
    ['snowy', { cloudy: 0.1, snowy: 0.8 }],
    ['short', { years: 2, stepDays: 16 }],
  ])('%s', (_, options) => {
    let nSegment = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const series = pixelSeries(seed, options);
      const got = toJSON(run(series));
      const want = detectOf(series, (peek) => change[peek]!);
      expect(got.processing_mask).toEqual(want.mask);
      expect(got.cloud_prob).toBe(want.cloud);
      expect(
        got.change_models.map((m) => [
          m.start_day,
          m.end_day,
          m.break_day,
          m.observation_count,
          m.change_probability,
          m.curve_qa,
        ]),
      ).toEqual(want.segments.map(({ head }) => head));
      nSegment += want.segments.length;
      got.change_models.forEach((model, i) => {
        NAMES.forEach((name, b) => {
          const band = model[name];
          if (typeof band !== 'object') throw new Error(`no band ${name}`);
          const { models, magnitudes } = want.segments[i]!;
          const { coefficients, rmse, intercept } = models[b]!;
          const harmonic = Math.max(...coefficients.slice(1).map(Math.abs), 1);
          expect(far(band.rmse, rmse, 1e-3)).toBeLessThan(1e-9);
          expect(far(band.magnitude, magnitudes[b]!, 1e-3)).toBeLessThan(1e-9);
          expect(far(band.intercept, intercept, 1)).toBeLessThan(1e-8);
          expect(Math.abs(band.coefficients[0]! - coefficients[0]!)).toBeLessThan(1e-9);
          for (let j = 1; j < 7; j++) {
            expect(far(band.coefficients[j]!, coefficients[j]!, harmonic)).toBeLessThan(1e-6);
          }
        });
      });
    }
    expect(nSegment).toBeGreaterThan(5);
  });

  it('has the same bits on every engine', () => {
    // FNV-1a over the bits of all numbers; in Chromium this test compares with what Node found.
    let hash = 0x811c9dc5;
    for (let seed = 1; seed <= 40; seed++) {
      const { segments, processingMask } = run(pixelSeries(seed));
      for (const { buffer } of [
        segments.coefficients,
        segments.intercept,
        segments.rmse,
        segments.magnitude,
        segments.breakDay,
        processingMask,
      ]) {
        for (const byte of new Uint8Array(buffer)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
      }
    }
    expect(hash.toString(16)).toMatchInlineSnapshot(`"a449530e"`);
  });
});
