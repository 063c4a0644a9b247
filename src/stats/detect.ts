// Change detection (CCDC) as PyCCD does it, for a pixel or a chip of pixels.
import { InputError } from '../errors.js';
import { type CcdcChip, CcdcRun, type CcdcSettings, type CcdcValues } from '../kernels/ccdc.js';
import { kernels } from '../kernels/memory.js';
import { ALGORITHM, type Changes, SegmentTable } from './change.js';
import { type ChangeBandOptions, PYCCD_BANDS, type ResolvedBands, resolveBands } from './change-bands.js';
import { type ChipData, chipValues, type PixelSeries, pixelChip, qaValues, sortedDates } from './change-input.js';
import { type PyccdParameters, pyccdParameters } from './change-parameters.js';
import { type QaScheme, qaCodes, unclassedValue } from './change-qa.js';
import { changeThresholds } from './change-thresholds.js';

export interface DetectOptions extends ChangeBandOptions {
  /** PyCCD's parameters by their own names, where they differ from its defaults. */
  params?: Partial<PyccdParameters>;
  /** How QA is read; `pyccd` when not given. */
  qaScheme?: QaScheme;
  /**
   * Whether integers are wide: then the thermal band does not wrap at 16 bits where PyCCD on int16 arrays does, and plain arrays may hold
   * any 32-bit integers. False when not given.
   */
  wideInt?: boolean;
  /** Weight of LASSO's penalty; 1, as PyCCD's code has it, when not given. */
  alpha?: number;
}

/** One pixel. All series are of one length, in any order of dates. */
export interface DetectInput extends PixelSeries, DetectOptions {}

/** A chip. */
export interface DetectChipInput extends ChipData, DetectOptions {}

/** Strips of pixels are this large in wasm memory: what a pixel reads of them stays in the second-level cache. */
const STRIP_BYTES = 2 ** 20;

/** The parameters as the kernels take them. */
export function kernelSettings(p: PyccdParameters, own: { outlier: number; alpha: number }): CcdcSettings {
  return {
    meowSize: p.MEOW_SIZE,
    peekSize: p.PEEK_SIZE,
    dayDelta: p.DAY_DELTA,
    avgDaysYr: p.AVG_DAYS_YR,
    coefficientMin: p.COEFFICIENT_MIN,
    coefficientMid: p.COEFFICIENT_MID,
    coefficientMax: p.COEFFICIENT_MAX,
    numObsFactor: p.NUM_OBS_FACTOR,
    outlierThreshold: own.outlier,
    tConst: p.T_CONST,
    clearPctThreshold: p.CLEAR_PCT_THRESHOLD,
    snowPctThreshold: p.SNOW_PCT_THRESHOLD,
    medianGreenFilter: p.MEDIAN_GREEN_FILTER,
    lassoMaxIter: p.LASSO_MAX_ITER,
    alpha: own.alpha,
    curvePersistSnow: p.CURVE_QA.PERSIST_SNOW,
    curveInsufClear: p.CURVE_QA.INSUF_CLEAR,
    curveStart: p.CURVE_QA.START,
    curveEnd: p.CURVE_QA.END,
  };
}

function kernelChip({ days, order, bands }: Omit<Prepared, 'values' | 'qa' | 'nPx'>, options: DetectOptions): CcdcChip {
  const { params = {}, qaScheme = 'pyccd', alpha = 1 } = options;
  const p = pyccdParameters(params);
  if (!(alpha >= 0 && alpha <= 1e9)) {
    throw new InputError(`alpha must be a number from 0 to 1e9, got ${alpha}`, { option: 'alpha' });
  }
  const { change, outlier } = changeThresholds(bands.dof, p.PEEK_SIZE, params);
  const settings = kernelSettings(p, { outlier, alpha });
  return { days, order, bands, qaCodes: qaCodes(qaScheme, p), thresholds: change, settings };
}

/** @throws InputError for options that {@link detect} does not take with bands of these names. */
export function checkDetectOptions(names: readonly string[], options: DetectOptions): void {
  const bands = resolveBands(names, options, options.params);
  kernelChip({ days: new Int32Array(0), order: new Uint32Array(0), bands }, options);
}

function unclassedOf({ qaScheme = 'pyccd', params }: DetectOptions): number | null {
  return unclassedValue(qaScheme, pyccdParameters(params));
}

interface Prepared {
  values: CcdcValues;
  qa: Uint16Array;
  order: Uint32Array;
  days: Int32Array;
  nPx: number;
  bands: ResolvedBands;
}

/** Runs all pixels of [nTime][nBand][nPx]. */
function run(prepared: Prepared, options: DetectOptions): Changes {
  const { values, qa, days, nPx, bands } = prepared;
  const nTime = days.length;
  const chip = kernelChip(prepared, options);
  const table = new SegmentTable(nPx, { bandNames: bands.names, avgDaysYr: chip.settings.avgDaysYr });
  const processingMask = new Uint8Array(nPx * nTime);
  const cloud = new Float64Array(nPx).fill(Number.NaN);
  const snow = new Float64Array(nPx);
  const water = new Float64Array(nPx);
  const failures = new Map<number, string>();
  const k = kernels();
  // Without dates nothing is seen: PyCCD's answer is the same as for fill alone.
  if (nTime === 0) for (let px = 0; px < nPx; px++) table.push(new Float64Array(0));
  else
    k.scope(() => {
      const session = new CcdcRun(k, chip);
      const bytesPerPx = nTime * bands.nBand * values.BYTES_PER_ELEMENT;
      const step = Math.min(nPx, Math.max(32, Math.floor(STRIP_BYTES / bytesPerPx)));
      session.reserve(step, values, !(options.wideInt ?? false));
      for (let from = 0; from < nPx; from += step) {
        const count = Math.min(step, nPx - from);
        session.load(values, qa, { from, count, nPx });
        for (let px = from; px < from + count; px++) {
          const found = session.detect(px - from);
          if (typeof found === 'number') {
            failures.set(px, `QA value ${found} has no class`);
            snow[px] = water[px] = Number.NaN;
            table.push(new Float64Array(0));
            continue;
          }
          const { nSegment, nData, nCloud, nSnow, nClear, nWater } = found;
          cloud[px] = nCloud / nData;
          snow[px] = nSnow / (nClear + nWater + nSnow + 0.01);
          water[px] = nWater / (nClear + nWater + 0.01);
          processingMask.set(session.mask(), px * nTime);
          table.push(session.records(nSegment));
        }
      }
    });
  return {
    algorithm: ALGORITHM,
    nPx,
    dates: days,
    processingMask,
    cloudProbability: cloud,
    snowProbability: snow,
    waterProbability: water,
    failures,
    segments: table.segments(),
  };
}

/**
 * Finds the segments of one pixel's series and the changes between them, with the numbers of PyCCD (lcmap-pyccd 2018.10.17; Zhu and
 * Woodcock 2014): coefficients agree to 1e-9 or better, days and counts are equal.
 *
 * `bands` holds a series by name: blue, green, red, nir, swir1, swir2 (reflectance × 10000) and thermal (kelvin × 10), or others with
 * roles given as options. Typed arrays keep their width, and Int16Array wraps at 16 bits as PyCCD's does when kelvin become
 * hundredths of a degree Celsius; plain arrays count as int16 unless `wideInt`. Of equal dates the first good observation counts.
 * @throws InputError for series of unequal length, a band that is missing or unknown, dates that are no whole ordinals from 1 to
 * 3652059, values that are not finite or too wide, an unknown QA value, or an option out of range.
 */
export function detect(input: DetectInput): Changes {
  const names = Object.keys(input.bands);
  // PyCCD's bands come in its order, whatever order they are given in.
  const ordered = [
    ...PYCCD_BANDS.filter((n) => names.includes(n)),
    ...names.filter((n) => !PYCCD_BANDS.some((p) => p === n)),
  ];
  const bands = resolveBands(ordered, input, input.params);
  const own = { isWide: input.wideInt ?? false, unclassed: unclassedOf(input) };
  const { days, order } = sortedDates(input.dates);
  const { values, qa } = pixelChip(input, ordered, own);
  const changes = run({ values, qa, order, days, nPx: 1, bands }, input);
  const failure = changes.failures.get(0);
  if (failure) throw new InputError(failure, { option: 'qa' });
  return changes;
}

/**
 * {@link detect} for a chip of pixels, [nTime][nBand][rows][cols] with QA [nTime][rows][cols]. `bands` names the bands of the data in their
 * order; PyCCD's seven when not given. A pixel that fails is recorded in `failures`, and the others go on.
 * @throws InputError as detect, except that unknown QA values fail their pixel alone.
 */
export function detectChip(input: DetectChipInput): Changes {
  const { rows, cols, bands: names = PYCCD_BANDS } = input;
  const bands = resolveBands(names, input, input.params);
  const { days, order } = sortedDates(input.dates);
  const shape = { nTime: days.length, nBand: bands.nBand, rows, cols };
  const values = chipValues(input.data, shape);
  const qa = qaValues(input.qa, days.length * rows * cols, unclassedOf(input));
  return run({ values, qa, order, days, nPx: rows * cols, bands }, input);
}
