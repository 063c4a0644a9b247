// Thresholds of change and outliers for a number of detection bands and of observations that confirm a change.

import { PYCCD_DEFAULTS, type PyccdParameters } from './change-parameters.js';
import { chiSquareQuantile, expOfMinus } from './chi-square.js';

const LN_100 = 4.605170185988091;
/** Probabilities that what has not changed exceeds them. */
const CHANGE_TAIL = 0.01;
const OUTLIER_TAIL = 1e-6;
const PYCCD_DOF = 5;
/** Dates a day apart peek at so many times as many observations as dates 16 days apart. */
const MOST_GROWTH = 16;

/** Tables made before. */
const MOST_KNOWN = 16;
const known = new Map<string, Float64Array>();

/** The threshold for each number of peeked observations from peekSize on: the quantile of 1 − 0.01^(peekSize / peek). */
function grownThresholds(dof: number, peekSize: number): Float64Array {
  const key = `${dof} ${peekSize}`;
  const found = known.get(key);
  if (found) return found;
  const table = new Float64Array(MOST_GROWTH * peekSize + 1).fill(Number.NaN);
  for (let peek = peekSize + 1; peek < table.length; peek++) {
    table[peek] = chiSquareQuantile(expOfMinus((LN_100 * peekSize) / peek), dof);
  }
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, table);
  return table;
}

/**
 * PyCCD's thresholds for 5 detection bands, and the same quantiles of chi-square for others; what `given` says stands.
 * `change` is indexed by the number of peeked observations.
 */
export function changeThresholds(
  dof: number,
  peekSize: number,
  given: Partial<PyccdParameters> = {},
): { change: Float64Array; outlier: number } {
  const isUsual = dof === PYCCD_DOF;
  const change = grownThresholds(dof, peekSize).slice();
  change[peekSize] =
    given.CHANGE_THRESHOLD ?? (isUsual ? PYCCD_DEFAULTS.CHANGE_THRESHOLD : chiSquareQuantile(CHANGE_TAIL, dof));
  const outlier =
    given.OUTLIER_THRESHOLD ?? (isUsual ? PYCCD_DEFAULTS.OUTLIER_THRESHOLD : chiSquareQuantile(OUTLIER_TAIL, dof));
  return { change, outlier };
}
