// How results of change detection are compared with those of PyCCD: structure exactly, numbers within the vectors' tolerances.
import type { PyccdBand, PyccdModel, PyccdResult } from '../../build/index.js';

/** Largest allowed differences, in the measures of the vectors' README. */
export type Limits = Record<keyof ReturnType<typeof differences>, number>;
export const LIMITS: Limits = { rmse: 1e-9, magnitude: 1e-9, intercept: 1e-8, slope: 1e-9, harmonics: 1e-6 };

/** A result as the vectors have it, or as PyCCD gives it. */
export type PyccdAnswer = Omit<PyccdResult, 'processing_mask'> & { processing_mask: string | number[] };

/** The largest differences of two bands. */
export function differences(got: PyccdBand, want: PyccdBand) {
  const relative = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(b), 1e-9);
  const harmonic = Math.max(...want.coefficients.slice(1).map(Math.abs), 1e-9);
  return {
    rmse: relative(got.rmse, want.rmse),
    magnitude: relative(got.magnitude, want.magnitude),
    intercept: relative(got.intercept, want.intercept),
    slope: Math.abs(got.coefficients[0]! - want.coefficients[0]!),
    harmonics: Math.max(...want.coefficients.slice(1).map((c, j) => Math.abs(got.coefficients[j + 1]! - c))) / harmonic,
  };
}

const headOf = (m: PyccdModel) =>
  [m.start_day, m.end_day, m.break_day, m.observation_count, m.change_probability, m.curve_qa].join(' ');
const maskOf = ({ processing_mask: mask }: PyccdAnswer) => (typeof mask === 'string' ? mask : mask.join(''));
const isBand = (value: number | PyccdBand | undefined): value is PyccdBand => typeof value === 'object';

/** What differs in days, counts, codes, probabilities and masks: none when the results have one structure. */
export function structureDifferences(got: PyccdAnswer, want: PyccdAnswer): string[] {
  const found: string[] = [];
  const [gotHeads, wantHeads] = [got.change_models.map(headOf), want.change_models.map(headOf)];
  for (let i = 0; i < Math.max(gotHeads.length, wantHeads.length); i++) {
    if (gotHeads[i] !== wantHeads[i]) found.push(`segment ${i} is ${gotHeads[i]}, not ${wantHeads[i]}`);
  }
  if (maskOf(got) !== maskOf(want)) found.push(`the mask is ${maskOf(got)}, not ${maskOf(want)}`);
  for (const name of ['cloud_prob', 'snow_prob', 'water_prob'] as const) {
    const off = Math.abs((got[name] ?? -1) - (want[name] ?? -1));
    if (!(off <= 1e-14)) found.push(`${name} is ${got[name]}, not ${want[name]}`);
  }
  return found;
}

/** What differs: none when the results agree. The differences of all bands are added to `seen`. */
export function resultDifferences(
  got: PyccdAnswer,
  want: PyccdAnswer,
  { limits = LIMITS, seen = [] }: { limits?: Limits; seen?: Limits[] } = {},
): string[] {
  const found = structureDifferences(got, want);
  if (found.length > 0) return found;
  for (const [i, model] of want.change_models.entries()) {
    for (const [name, band] of Object.entries(model)) {
      if (!isBand(band)) continue;
      const own = got.change_models[i]![name];
      if (!isBand(own)) {
        found.push(`segment ${i} has no band ${name}`);
        continue;
      }
      const off = differences(own, band);
      seen.push(off);
      for (const [measure, limit] of Object.entries(limits)) {
        const value = off[measure as keyof Limits];
        if (!(value <= limit)) found.push(`segment ${i}, ${name}: ${measure} is off by ${value}`);
      }
    }
  }
  return found;
}
