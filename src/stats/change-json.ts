// Results in PyCCD's own JSON schema, and back.
import { FormatError, InputError } from '../errors.js';
import { RECORD_BAND, RECORD_HEAD } from '../kernels/ccdc.js';
import { type Changes, N_COEFFICIENT, SegmentTable } from './change.js';
import { PYCCD_DEFAULTS } from './change-parameters.js';

/** One band of a model. */
export interface PyccdBand {
  magnitude: number;
  /** NaN or infinite, null in JSON, where there are no more observations than coefficients: only with a PEEK_SIZE below 4. */
  rmse: number;
  /** Slope a day, cos and sin of one, two and three cycles a year. */
  coefficients: number[];
  intercept: number;
}

/** A model with one entry for each band beside these. */
export type PyccdModel = {
  start_day: number;
  end_day: number;
  break_day: number;
  observation_count: number;
  change_probability: number;
  curve_qa: number;
} & { [band: string]: number | PyccdBand };

/** What PyCCD's detect() returns; null stands for its NaN. */
export interface PyccdResult {
  algorithm: string;
  processing_mask: number[];
  change_models: PyccdModel[];
  cloud_prob: number | null;
  snow_prob: number | null;
  water_prob: number | null;
}

const HEAD = ['start_day', 'end_day', 'break_day', 'observation_count', 'change_probability', 'curve_qa'] as const;

const orNull = (value: number) => (Number.isNaN(value) ? null : value);

function modelOf({ segments: s }: Changes, i: number): PyccdModel {
  const bands = s.bandNames.map((name, b): [string, PyccdBand] => {
    const at = i * s.bandNames.length + b;
    const coefficients = [...s.coefficients.subarray(at * N_COEFFICIENT, (at + 1) * N_COEFFICIENT)];
    return [name, { magnitude: s.magnitude[at]!, rmse: s.rmse[at]!, coefficients, intercept: s.intercept[at]! }];
  });
  return {
    start_day: s.startDay[i]!,
    end_day: s.endDay[i]!,
    break_day: s.breakDay[i]!,
    observation_count: s.observationCount[i]!,
    change_probability: s.changeProbability[i]!,
    curve_qa: s.curveQa[i]!,
    ...Object.fromEntries(bands),
  };
}

/**
 * The result of one pixel as PyCCD gives it.
 * @throws InputError when there is no such pixel, or it failed.
 */
export function toJSON(changes: Changes, px = 0): PyccdResult {
  const { nPx, dates, failures, segments } = changes;
  if (!(Number.isInteger(px) && px >= 0 && px < nPx)) {
    throw new InputError(`no pixel ${px}: there are ${nPx}`, { option: 'px' });
  }
  const failure = failures.get(px);
  if (failure) throw new InputError(`pixel ${px} failed: ${failure}`, { option: 'px' });
  const models: PyccdModel[] = [];
  for (let i = segments.offsets[px]!; i < segments.offsets[px + 1]!; i++) models.push(modelOf(changes, i));
  return {
    algorithm: changes.algorithm,
    processing_mask: [...changes.processingMask.subarray(px * dates.length, (px + 1) * dates.length)],
    change_models: models,
    cloud_prob: orNull(changes.cloudProbability[px]!),
    snow_prob: orNull(changes.snowProbability[px]!),
    water_prob: orNull(changes.waterProbability[px]!),
  };
}

function numberAt(model: PyccdModel, name: string, where: string): number {
  const value = model?.[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new FormatError(`${where}: ${name} must be a number, got ${JSON.stringify(value)}`);
}

function writeModel(record: Float64Array, model: PyccdModel, bandNames: readonly string[], where: string): void {
  HEAD.forEach((name, i) => {
    record[i] = numberAt(model, name, where);
  });
  bandNames.forEach((name, b) => {
    const band = model[name];
    const numbers =
      typeof band === 'object' && band !== null
        ? [
            band.magnitude,
            band.rmse ?? Number.NaN,
            band.intercept,
            ...(Array.isArray(band.coefficients) ? band.coefficients : []),
          ]
        : [];
    if (
      numbers.length !== RECORD_BAND ||
      !numbers.every((n, i) => typeof n === 'number' && (i === 1 || Number.isFinite(n)))
    ) {
      throw new FormatError(`${where}: band ${name} must have magnitude, rmse, intercept and 7 coefficients`, {
        band: name,
      });
    }
    record.set(numbers, RECORD_HEAD + b * RECORD_BAND);
  });
}

/** What PyCCD's JSON does not say. */
export interface FromJsonOptions {
  /** Ascending ordinals of the dates, one for each place of the processing masks; none when not given. */
  dates?: ArrayLike<number>;
  /** Days of a year of the harmonics; 365.2425 when not given. */
  avgDaysYr?: number;
}

/**
 * Reads results of one or more pixels in PyCCD's schema. The bands are those of the first model, in its order.
 * @throws FormatError when they are not of that schema; InputError for avgDaysYr outside of 50 to 100000.
 */
export function fromJSON(results: PyccdResult | readonly PyccdResult[], options: FromJsonOptions = {}): Changes {
  const { dates, avgDaysYr = PYCCD_DEFAULTS.AVG_DAYS_YR } = options;
  if (!(avgDaysYr >= 50 && avgDaysYr <= 100_000)) {
    throw new InputError(`avgDaysYr must be a number from 50 to 100000, got ${avgDaysYr}`, { option: 'avgDaysYr' });
  }
  const all = (Array.isArray(results) ? results : [results]) as readonly PyccdResult[];
  all.forEach((result, px) => {
    if (!Array.isArray(result?.change_models) || !Array.isArray(result.processing_mask)) {
      throw new FormatError(`pixel ${px}: change_models and processing_mask must be lists`);
    }
  });
  const first = all.find(({ change_models }) => change_models.length > 0)?.change_models[0];
  const bandNames = first ? Object.keys(first).filter((name) => typeof first[name] === 'object') : [];
  const nTime = all[0]?.processing_mask.length ?? 0;
  if (dates && dates.length !== nTime) {
    throw new FormatError(`dates must be ${nTime}, one for each place of the processing mask, got ${dates.length}`);
  }
  const table = new SegmentTable(all.length, { bandNames, avgDaysYr });
  const processingMask = new Uint8Array(all.length * nTime);
  all.forEach(({ change_models, processing_mask }, px) => {
    if (processing_mask.length !== nTime) {
      throw new FormatError(
        `pixel ${px}: a processing mask of ${nTime} dates is wanted, got ${processing_mask.length}`,
      );
    }
    processingMask.set(processing_mask, px * nTime);
    const length = RECORD_HEAD + RECORD_BAND * bandNames.length;
    const records = new Float64Array(change_models.length * length);
    change_models.forEach((model, i) => {
      writeModel(records.subarray(i * length, (i + 1) * length), model, bandNames, `pixel ${px}, model ${i}`);
    });
    table.push(records);
  });
  const numbers = (name: 'cloud_prob' | 'snow_prob' | 'water_prob') =>
    Float64Array.from(all, (result) => result[name] ?? Number.NaN);
  return {
    algorithm: all[0]?.algorithm ?? '',
    nPx: all.length,
    dates: Int32Array.from(dates ?? []),
    processingMask,
    cloudProbability: numbers('cloud_prob'),
    snowProbability: numbers('snow_prob'),
    waterProbability: numbers('water_prob'),
    failures: new Map(),
    segments: table.segments(),
  };
}
