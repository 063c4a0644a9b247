// PyCCD's standard procedure and the two simple ones, step by step and without any shortcut.
import { lassoOf, type Model, predictOf } from './lasso.ts';
import { robustOf } from './tmask.ts';
import { closestOf, medianOf, peekOf, variogramOf } from './variogram.ts';

/** A series: bands blue, green, red, nir, swir1, swir2, thermal in their units, QA as fmask classes. */
export interface Series {
  dates: readonly number[];
  bands: readonly (readonly number[])[];
  qa: readonly number[];
}

export interface NaiveSegment {
  /** start, end, break day, observations, change probability, curve QA */
  head: number[];
  models: Model[];
  magnitudes: number[];
}

interface Observation {
  day: number;
  values: number[];
  /** Place among the sorted input. */
  at: number;
}

const DETECTION = [1, 2, 3, 4, 5];
const wrapped = (value: number) => ((value + 32768) & 65535) - 32768;

export function detectOf(series: Series, thresholdOf: (peek: number) => number) {
  const order = [...series.dates.keys()].sort((a, b) => series.dates[a]! - series.dates[b]! || a - b);
  const all = order.map((i, at) => ({
    day: series.dates[i]!,
    values: series.bands.map((band) => band[i]!),
    at,
    qa: series.qa[i]!,
  }));
  const count = (...classes: number[]) => all.filter(({ qa }) => classes.includes(qa)).length;
  const segments: NaiveSegment[] = [];
  let kept: Observation[] = [];

  const isGood = ({ values }: Observation) =>
    values.slice(0, 6).every((v) => v > 0 && v < 10000) && values[6]! > -9320 && values[6]! < 7070;
  const firstOfDays = (list: Observation[]) => list.filter((o, i) => i === 0 || o.day !== list[i - 1]!.day);
  const modelsOf = (list: readonly Observation[], k: number) =>
    series.bands.map((_, b) =>
      lassoOf(
        list.map((o) => o.day),
        list.map((o) => o.values[b]!),
        k,
      ),
    );
  const emit = (head: number[], models: Model[], magnitudes = models.map(() => 0)) =>
    segments.push({ head, models, magnitudes });
  const result = () => ({
    segments,
    mask: all.map(({ at }) => Number(kept.some((o) => o.at === at))),
    cloud: count(4) / (all.length - count(255)),
  });

  if (!((count(0) + count(1)) / (all.length - count(255)) >= 0.25)) {
    const isSnow = count(3) / (count(0) + count(1) + count(3) + 0.01) >= 0.75;
    kept = firstOfDays(all.filter((o) => (o.qa <= 1 && isGood(o)) || (isSnow && o.qa === 3)));
    if (!isSnow) {
      const limit = medianOf(kept.map((o) => o.values[1]!)) + 400;
      kept = kept.filter((o) => o.values[1]! < limit);
    }
    if (kept.length < 12) return result();
    const [first, last] = [all[0]!.day, all.at(-1)!.day];
    emit([first, last, last, kept.length, 0, isSnow ? 54 : 44], modelsOf(kept, 4));
    return result();
  }
  for (const o of all) o.values[6] = wrapped(o.values[6]! * 10 - 27315);
  kept = firstOfDays(all.filter((o) => o.qa <= 1 && isGood(o)));
  if (kept.length <= 12) return result();

  const days = kept.map((o) => o.day);
  const noise = series.bands.map((_, b) =>
    variogramOf(
      days,
      kept.map((o) => o.values[b]!),
    ),
  );
  const peek = peekOf(days);
  const threshold = thresholdOf(peek);
  const remove = (o: Observation) => {
    kept = kept.filter((other) => other !== o);
  };
  const span = (a: number, b: number) => kept[b - 1]!.day - kept[a]!.day;
  const scoresOf = (list: readonly Observation[], models: Model[], k: number, rmse: readonly number[]) =>
    list.map((o) =>
      DETECTION.reduce((sum, b) => {
        const off = o.values[b]! - predictOf(models[b]!, o.day, k);
        return sum + (off / Math.max(noise[b]!, rmse[b]!)) ** 2;
      }, 0),
    );
  const catchUp = (a: number, b: number, curveQa: number) => {
    const breakDay = (kept[b] ?? kept.at(-1)!).day;
    emit([kept[a]!.day, kept[b - 1]!.day, breakDay, b - a, 0, curveQa], modelsOf(kept.slice(a, b), 4));
  };

  const initialize = (a: number, b: number): { a: number; b: number; models: Model[] } | null => {
    while (b + 12 < kept.length) {
      if (span(a, b) < 365) {
        b++;
        continue;
      }
      const window = kept.slice(a, b);
      const fits = [1, 4].map((band) => {
        const value = robustOf(
          window.map((o) => o.day),
          window.map((o) => o.values[band]!),
        );
        return (o: Observation) => Math.abs(o.values[band]! - value(o.day)) > 4.89 * noise[band]!;
      });
      const clean = window.filter((o) => !fits.some((isFar) => isFar(o)));
      if (clean.length < 12 || clean.at(-1)!.day - clean[0]!.day < 365) {
        b++;
        continue;
      }
      for (const o of window) if (!clean.includes(o)) remove(o);
      b = a + clean.length;
      const models = modelsOf(clean, 4);
      const drift = DETECTION.reduce((sum, band) => {
        const { coefficients, residuals, rmse } = models[band]!;
        const ends = Math.abs(residuals[0]!) + Math.abs(residuals.at(-1)!);
        return sum + ((Math.abs(coefficients[0]! * span(a, b)) + ends) / Math.max(noise[band]!, rmse)) ** 2;
      }, 0);
      if (drift < threshold) return { a, b, models };
      a++;
      b++;
    }
    return null;
  };

  let [a, b, previous, isFirst] = [0, 12, 0, true];
  while (b <= kept.length - 12) {
    if (segments.length > 0) isFirst = false;
    const start = initialize(a, b);
    if (!start) break;
    ({ a, b } = start);
    while (a > previous) {
      const from = a - previous > peek ? a - peek + 1 : a - peek <= 0 ? 0 : previous;
      const list = kept.slice(from, a).reverse();
      const scores = scoresOf(
        list,
        start.models,
        4,
        start.models.map((m) => m.rmse),
      );
      if (Math.min(...scores) > threshold) break;
      if (scores[0]! > 35.88818687961042) {
        remove(list[0]!);
        b--;
      }
      a--;
    }
    if (a - previous > peek && isFirst) catchUp(previous, a, 14);
    if (b + peek > kept.length) break;

    let models: Model[] | null = null;
    let fitted: Observation[] = [];
    let [fittedSpan, fittedK, k, isChange, breakDay] = [0, 0, 0, false, 0];
    let magnitudes: number[] = [];
    while (b + peek <= kept.length) {
      const n = b - a;
      k = n / 3 < 6 ? 4 : n / 3 < 8 ? 6 : 8;
      if (!models || n < 24 || span(a, b) >= 1.33 * fittedSpan) {
        fitted = kept.slice(a, b);
        [fittedSpan, fittedK] = [span(a, b), k];
        models = modelsOf(fitted, k);
      }
      const list = kept.slice(b, b + peek);
      let rmse = models.map((m) => m.rmse);
      if (n > 24) {
        const closest = closestOf(
          fitted.map((o) => o.day),
          list.at(-1)!.day,
        );
        rmse = models.map((m) => Math.sqrt(closest.reduce((sum, i) => sum + m.residuals[i]! ** 2, 0)) / 4);
      }
      const scores = scoresOf(list, models, fittedK, rmse);
      magnitudes = models.map((m, band) =>
        medianOf(list.map((o) => Math.abs(o.values[band]! - predictOf(m, o.day, fittedK)))),
      );
      isChange = Math.min(...scores) > threshold;
      breakDay = list[0]!.day;
      if (isChange) break;
      if (scores[0]! > 35.88818687961042) {
        remove(list[0]!);
        breakDay = kept[b]!.day;
      } else b++;
    }
    emit([kept[a]!.day, kept[b - 1]!.day, breakDay, b - a, Number(isChange), k], models!, magnitudes);
    previous = b;
    a = b;
    b = a + 12;
  }
  if (previous + peek < kept.length) catchUp(previous, kept.length, 24);
  return result();
}
