import { InputError } from '../errors.js';
import type { Dtype } from '../io/raster.js';
import { suggestion } from './suggest.js';

/** What a statistic is called on the command line. */
export type StatisticKind =
  | 'median'
  | 'percentile'
  | 'geomedian'
  | 'mads'
  | 'mean'
  | 'min'
  | 'max'
  | 'std'
  | 'count'
  | 'medoid'
  | 'first'
  | 'last';

/** One statistic asked for; `percent` (0–100) belongs to percentiles only. */
export interface Statistic {
  kind: StatisticKind;
  /** Names the file: `median`, `p25`. */
  key: string;
  percent: number | null;
}

interface StatisticFacts {
  /** Bands of the result: one for each input band, or these. */
  bands: 'input' | readonly string[];
  /** Sample type unless the user says otherwise: that of the input, or this. */
  dtype: 'input' | Dtype;
  /** Uses only dates on which all bands are valid. */
  wholeObservations: boolean;
}

/** Adding a statistic is one line here and one in `evaluate.ts`. */
const FACTS: Record<StatisticKind, StatisticFacts> = {
  median: { bands: 'input', dtype: 'input', wholeObservations: false },
  percentile: { bands: 'input', dtype: 'input', wholeObservations: false },
  geomedian: { bands: 'input', dtype: 'input', wholeObservations: true },
  mads: { bands: ['emad', 'smad', 'bcmad'], dtype: 'f32', wholeObservations: true },
  mean: { bands: 'input', dtype: 'f32', wholeObservations: false },
  min: { bands: 'input', dtype: 'input', wholeObservations: false },
  max: { bands: 'input', dtype: 'input', wholeObservations: false },
  std: { bands: 'input', dtype: 'f32', wholeObservations: false },
  count: { bands: ['count'], dtype: 'u16', wholeObservations: true },
  medoid: { bands: 'input', dtype: 'input', wholeObservations: true },
  first: { bands: 'input', dtype: 'input', wholeObservations: true },
  last: { bands: 'input', dtype: 'input', wholeObservations: true },
};

export const STATISTIC_KINDS = Object.keys(FACTS) as StatisticKind[];

export function statisticFacts(kind: StatisticKind): StatisticFacts {
  return FACTS[kind];
}

/**
 * Parses `median,percentile:25,geomedian` (or a list of such words).
 * @throws InputError for an unknown name, a percentile outside 0–100 or a statistic given twice.
 */
export function parseStatistics(text: string | readonly string[]): Statistic[] {
  const words = (typeof text === 'string' ? text.split(',') : [...text]).map((w) => w.trim()).filter(Boolean);
  if (words.length === 0) throw new InputError('no statistic is given', { option: 'stat' });
  const statistics = words.map(parseStatistic);
  const seen = new Set<string>();
  for (const { key } of statistics) {
    if (seen.has(key)) throw new InputError(`the statistic ${key} is given twice`, { option: 'stat' });
    seen.add(key);
  }
  return statistics;
}

function parseStatistic(word: string): Statistic {
  const [name = '', ...rest] = word.split(':');
  const argument = rest.length > 0 ? rest.join(':') : undefined;
  if (!Object.hasOwn(FACTS, name)) {
    const known = STATISTIC_KINDS.map((k) => (k === 'percentile' ? 'percentile:N' : k)).join(', ');
    throw new InputError(`there is no statistic "${name}"${suggestion(name, STATISTIC_KINDS)}: give some of ${known}`, {
      option: 'stat',
    });
  }
  const kind = name as StatisticKind;
  if (kind !== 'percentile') {
    if (argument !== undefined)
      throw new InputError(`${kind} takes no argument, and got "${argument}"`, { option: 'stat' });
    return { kind, key: kind, percent: null };
  }
  const percent = argument === undefined || argument.trim() === '' ? Number.NaN : Number(argument);
  if (!(percent >= 0 && percent <= 100)) {
    throw new InputError(`a percentile is a number from 0 to 100, and "${word}" is not`, { option: 'stat' });
  }
  return { kind, key: `p${percent}`, percent };
}

/** One output raster: a statistic's bands, sample type and missing value. */
export interface StatisticOutput {
  statistic: Statistic;
  bands: readonly string[];
  dtype: Dtype;
  /** NaN for floats; null when every value is a value (counts). */
  nodata: number | null;
}

/** What the inputs are, as far as outputs depend on it. */
export interface InputKind {
  bands: readonly string[];
  /** The common sample type of the bands, or f32 where they differ. */
  dtype: Dtype;
  /** The common missing value of integer bands, or null. */
  nodata: number | null;
}

const FLOATS = new Set<Dtype>(['f32', 'f64']);

/** The missing value of an integer result whose input has none: the least value for signed types, 0 for unsigned ones. */
function defaultNodata(dtype: Dtype): number {
  return { u8: 0, u16: 0, u32: 0, u64: 0, i8: -128, i16: -32768, i32: -(2 ** 31), i64: 0, f32: NaN, f64: NaN }[dtype];
}

/** True when an integer type can hold `value`. */
export function holds(dtype: Dtype, value: number): boolean {
  if (FLOATS.has(dtype)) return true;
  const bits = Number(dtype.slice(1));
  const [least, most] = dtype[0] === 'u' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Bands, types and missing values of the results. `dtype` overrides the types of all but the count. */
export function statisticOutputs(
  statistics: readonly Statistic[],
  input: InputKind,
  options: { dtype?: Dtype | null; compat?: 'odc' | null } = {},
): StatisticOutput[] {
  return statistics.map((statistic) => {
    const facts = FACTS[statistic.kind];
    const natural = facts.dtype === 'input' ? input.dtype : facts.dtype;
    const dtype = statistic.kind === 'count' ? natural : (options.dtype ?? natural);
    const odcOrder = options.compat === 'odc' && statistic.kind === 'mads';
    const bands = facts.bands === 'input' ? input.bands : odcOrder ? ['smad', 'emad', 'bcmad'] : facts.bands;
    if (statistic.kind === 'count') return { statistic, bands, dtype, nodata: null };
    if (FLOATS.has(dtype)) return { statistic, bands, dtype, nodata: Number.NaN };
    const nodata = input.nodata !== null && holds(dtype, input.nodata) ? input.nodata : defaultNodata(dtype);
    return { statistic, bands, dtype, nodata };
  });
}
