// PyCCD's parameters under their own names, with their defaults (lcmap-pyccd 2018.10.17).
import { InputError } from '../errors.js';
import { suggestion } from './suggest.js';

/** What `params` of {@link detect} may override: PyCCD's names and meanings. */
export interface PyccdParameters {
  /** Fewest observations of a window. */
  MEOW_SIZE: number;
  /** Consecutive observations that confirm a change; more when the dates lie closer than 16 days. */
  PEEK_SIZE: number;
  /** Fewest days that an initial window spans. */
  DAY_DELTA: number;
  /** Days of a year: the period of the harmonics. */
  AVG_DAYS_YR: number;
  /** Coefficients of a model with few, more and many observations: 4, 6 or 8 each. */
  COEFFICIENT_MIN: number;
  COEFFICIENT_MID: number;
  COEFFICIENT_MAX: number;
  NUM_OBS_FACTOR: number;
  /** Indices into blue, green, red, nir, swir1, swir2, thermal. */
  DETECTION_BANDS: readonly number[];
  TMASK_BANDS: readonly number[];
  /** Whether QA holds bits at the places below, or the classes themselves. */
  QA_BITPACKED: boolean;
  QA_FILL: number;
  QA_CLEAR: number;
  QA_WATER: number;
  QA_SHADOW: number;
  QA_SNOW: number;
  QA_CLOUD: number;
  QA_CIRRUS1: number;
  QA_CIRRUS2: number;
  QA_OCCLUSION: number;
  CURVE_QA: { PERSIST_SNOW: number; INSUF_CLEAR: number; START: number; END: number };
  CLEAR_PCT_THRESHOLD: number;
  SNOW_PCT_THRESHOLD: number;
  OUTLIER_THRESHOLD: number;
  CHANGE_THRESHOLD: number;
  T_CONST: number;
  MEDIAN_GREEN_FILTER: number;
  LASSO_MAX_ITER: number;
}

export const PYCCD_DEFAULTS: PyccdParameters = {
  MEOW_SIZE: 12,
  PEEK_SIZE: 6,
  DAY_DELTA: 365,
  AVG_DAYS_YR: 365.2425,
  COEFFICIENT_MIN: 4,
  COEFFICIENT_MID: 6,
  COEFFICIENT_MAX: 8,
  NUM_OBS_FACTOR: 3,
  DETECTION_BANDS: [1, 2, 3, 4, 5],
  TMASK_BANDS: [1, 4],
  QA_BITPACKED: true,
  QA_FILL: 0,
  QA_CLEAR: 1,
  QA_WATER: 2,
  QA_SHADOW: 3,
  QA_SNOW: 4,
  QA_CLOUD: 5,
  QA_CIRRUS1: 8,
  QA_CIRRUS2: 9,
  QA_OCCLUSION: 10,
  CURVE_QA: { PERSIST_SNOW: 54, INSUF_CLEAR: 44, START: 14, END: 24 },
  CLEAR_PCT_THRESHOLD: 0.25,
  SNOW_PCT_THRESHOLD: 0.75,
  OUTLIER_THRESHOLD: 35.888186879610423,
  CHANGE_THRESHOLD: 15.086272469388987,
  T_CONST: 4.89,
  MEDIAN_GREEN_FILTER: 400,
  LASSO_MAX_ITER: 1000,
};

/** What else PyCCD's own table has, so that it can be given whole: bands go by name here, and so these have one value. */
const FIXED: Readonly<Record<string, unknown>> = {
  BLUE_IDX: 0,
  GREEN_IDX: 1,
  RED_IDX: 2,
  NIR_IDX: 3,
  SWIR1_IDX: 4,
  SWIR2_IDX: 5,
  THERMAL_IDX: 6,
  QA_IDX: 7,
  FITTER_FN: 'ccd.models.lasso.fitted_model',
};
/** PyCCD's code does not look at it. */
const IGNORED = 'CLEAR_OBSERVATION_THRESHOLD';

/** Ranges of what is a single number: [least, most, whole]. */
const RANGES: Partial<Record<keyof PyccdParameters, readonly [least: number, most: number, isWhole: boolean]>> = {
  // Tmask's fit has 5 coefficients.
  MEOW_SIZE: [5, 10_000, true],
  PEEK_SIZE: [2, 100, true],
  DAY_DELTA: [1, 100_000, true],
  // Three cycles of a shorter year up to the last ordinal are beyond what our sine is good for.
  AVG_DAYS_YR: [50, 100_000, false],
  NUM_OBS_FACTOR: [0.1, 1000, false],
  CLEAR_PCT_THRESHOLD: [0, 1, false],
  SNOW_PCT_THRESHOLD: [0, 1, false],
  OUTLIER_THRESHOLD: [0, 1e9, false],
  CHANGE_THRESHOLD: [0, 1e9, false],
  T_CONST: [0, 1e9, false],
  MEDIAN_GREEN_FILTER: [-1e9, 1e9, false],
  LASSO_MAX_ITER: [1, 1_000_000, true],
};
const COEFFICIENTS = ['COEFFICIENT_MIN', 'COEFFICIENT_MID', 'COEFFICIENT_MAX'] as const;
export const QA_NAMES = [
  'QA_FILL',
  'QA_CLEAR',
  'QA_WATER',
  'QA_SHADOW',
  'QA_SNOW',
  'QA_CLOUD',
  'QA_CIRRUS1',
  'QA_CIRRUS2',
  'QA_OCCLUSION',
] as const;

function wrong(name: string, wanted: string, got: unknown): InputError {
  return new InputError(`${name} must be ${wanted}, got ${JSON.stringify(got)}`, { option: name });
}

function checkNumbers(all: PyccdParameters): void {
  for (const [name, [least, most, isWhole]] of Object.entries(RANGES)) {
    const value = all[name as keyof PyccdParameters];
    const fits = typeof value === 'number' && value >= least && value <= most && (!isWhole || Number.isInteger(value));
    if (!fits) throw wrong(name, `a ${isWhole ? 'whole number' : 'number'} from ${least} to ${most}`, value);
  }
  for (const name of COEFFICIENTS) if (![4, 6, 8].includes(all[name])) throw wrong(name, '4, 6 or 8', all[name]);
  const most = all.QA_BITPACKED ? 15 : 65535;
  for (const name of QA_NAMES) {
    const value = all[name];
    if (!(Number.isInteger(value) && value >= 0 && value <= most)) {
      throw wrong(name, `a whole number from 0 to ${most}`, value);
    }
  }
  // Else the RMSE of a model has nothing left to be divided by.
  for (let n = all.MEOW_SIZE; n <= all.COEFFICIENT_MAX; n++) {
    const { COEFFICIENT_MIN: least, COEFFICIENT_MID: mid, COEFFICIENT_MAX: most } = all;
    const each = n / all.NUM_OBS_FACTOR;
    const nCoefficient = each < mid ? least : each < most ? mid : most;
    if (nCoefficient >= n)
      throw wrong('MEOW_SIZE', `above ${n} for models of ${nCoefficient} coefficients`, all.MEOW_SIZE);
  }
  for (const [name, value] of Object.entries(all.CURVE_QA)) {
    if (!(name in PYCCD_DEFAULTS.CURVE_QA))
      throw wrong('CURVE_QA', Object.keys(PYCCD_DEFAULTS.CURVE_QA).join(', '), name);
    if (!(Number.isInteger(value) && value >= 0 && value <= 255)) throw wrong(`CURVE_QA ${name}`, '0 to 255', value);
  }
}

/**
 * PyCCD's defaults with what `given` overrides.
 * @throws InputError for an unknown name or a value out of range.
 */
export function pyccdParameters(given: Partial<PyccdParameters> = {}): PyccdParameters {
  const known = Object.keys(PYCCD_DEFAULTS);
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === IGNORED) continue;
    if (Object.hasOwn(FIXED, name)) {
      if (value !== FIXED[name]) throw wrong(name, `${FIXED[name]}, as in PyCCD`, value);
      continue;
    }
    if (!known.includes(name)) {
      throw new InputError(`params has no "${name}"${suggestion(name, known)}`, { option: name });
    }
    own[name] = value;
  }
  const all: PyccdParameters = { ...PYCCD_DEFAULTS, ...own };
  if (typeof all.QA_BITPACKED !== 'boolean') throw wrong('QA_BITPACKED', 'true or false', all.QA_BITPACKED);
  for (const name of ['DETECTION_BANDS', 'TMASK_BANDS'] as const) {
    const value = all[name];
    if (!Array.isArray(value) || !value.every((i) => Number.isInteger(i) && i >= 0 && i <= 6)) {
      throw wrong(name, 'a list of band indices from 0 to 6', value);
    }
  }
  all.CURVE_QA = { ...PYCCD_DEFAULTS.CURVE_QA, ...given.CURVE_QA };
  checkNumbers(all);
  return all;
}
