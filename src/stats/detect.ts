// Change detection (CCDC) as PyCCD does it, for a pixel or a chip of pixels.
import { InputError } from '../errors.js';
import { type CcdcChip, type CcdcPixels, CcdcRun, type CcdcSettings, valueBytes } from '../kernels/ccdc.js';
import { type Kernels, kernels } from '../kernels/memory.js';
import type { Changes } from './change.js';
import { type ChangeBandOptions, PYCCD_BANDS, type ResolvedBands, resolveBands } from './change-bands.js';
import { type ChipData, chipValues, type PixelSeries, pixelChip, qaValues, sortedDates } from './change-input.js';
import { type PyccdParameters, pyccdParameters } from './change-parameters.js';
import { type QaScheme, qaCodes, unclassedValue } from './change-qa.js';
import { changeThresholds } from './change-thresholds.js';
import { ChangeTable, type FoundPixel, type PixelSink } from './found-pixel.js';

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

function kernelChip({ days, order, bands }: Omit<Prepared, 'pixels' | 'nPx'>, options: DetectOptions): CcdcChip {
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
  pixels: CcdcPixels;
  order: Uint32Array;
  days: Int32Array;
  nPx: number;
  bands: ResolvedBands;
}

/** Runs strip after strip, and hands out pixel after pixel. */
function runStrips(session: CcdcRun, { pixels, days, nPx, bands }: Prepared, wraps: boolean, sink: PixelSink): void {
  const bytesPerPx = days.length * bands.nBand * valueBytes(pixels);
  const step = Math.min(nPx, Math.max(32, Math.floor(STRIP_BYTES / bytesPerPx)));
  const found = nothingFound();
  session.reserve(step, pixels, wraps);
  for (let from = 0; from < nPx; from += step) {
    const count = Math.min(step, nPx - from);
    session.load(pixels, { from, count, nPx });
    for (let i = 0; i < count; i++) {
      const counts = session.detect(i);
      if (typeof counts === 'number') {
        sink.failed(`QA value ${counts} has no class`);
        continue;
      }
      const { nSegment, nData, nCloud, nSnow, nClear, nWater } = counts;
      found.nSegment = nSegment;
      found.cloud = nCloud / nData;
      found.snow = nSnow / (nClear + nWater + nSnow + 0.01);
      found.water = nWater / (nClear + nWater + 0.01);
      found.mask = session.mask();
      found.records = session.records(nSegment);
      sink.found(found);
    }
  }
}

/** Without dates nothing is seen: PyCCD's answer is the same as for fill alone. */
function nothingFound(): FoundPixel {
  const [mask, records] = [new Uint8Array(0), new Float64Array(0)];
  return { nSegment: 0, cloud: Number.NaN, snow: 0, water: 0, mask, records };
}

/** What the pixels of a chip share. */
export interface ChipFacts {
  bandNames: readonly string[];
  avgDaysYr: number;
  /** Ascending ordinals. */
  dates: Int32Array;
}

/** Runs all pixels into a sink. No closure a chip: what engines compile of one may be lost with it. */
function runInto(k: Kernels, prepared: Prepared, options: DetectOptions, sink: PixelSink): void {
  const { days, nPx } = prepared;
  const chip = kernelChip(prepared, options);
  if (days.length === 0) {
    const found = nothingFound();
    for (let px = 0; px < nPx; px++) sink.found(found);
    return;
  }
  const before = k.exports.mark();
  try {
    runStrips(new CcdcRun(k, chip), prepared, !(options.wideInt ?? false), sink);
  } finally {
    k.exports.release(before);
  }
}

function factsOf({ bands, days }: Prepared, { params = {} }: DetectOptions): ChipFacts {
  return { bandNames: bands.names, avgDaysYr: pyccdParameters(params).AVG_DAYS_YR, dates: days };
}

/** Runs all pixels into a table. */
function run(prepared: Prepared, options: DetectOptions): Changes {
  const table = new ChangeTable(prepared.nPx, factsOf(prepared, options));
  runInto(kernels(), prepared, options, table);
  return table.changes();
}

/** Pixels in the kernels' memory: i16 of [nTime][nBand][nPx], and QA as u16 of [nTime][nPx]. */
export interface HeldChip extends DetectOptions {
  valuesPtr: number;
  qaPtr: number;
  nPx: number;
  /** Ordinals in any order, [nTime]. */
  dates: ArrayLike<number>;
  /** Names of the bands in their order. */
  bands: readonly string[];
}

/**
 * {@link detectChip} for who takes the pixels one by one, so that a chip leaves no garbage of its size.
 * @throws InputError as detectChip.
 */
export function detectHeld(k: Kernels, chip: HeldChip, sink: PixelSink): ChipFacts {
  const { valuesPtr, qaPtr, nPx } = chip;
  const bands = resolveBands(chip.bands, chip, chip.params);
  const prepared = { pixels: { valuesPtr, qaPtr }, ...sortedDates(chip.dates), nPx, bands };
  runInto(k, prepared, chip, sink);
  return factsOf(prepared, chip);
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
  const changes = run({ pixels: { values, qa }, order, days, nPx: 1, bands }, input);
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
  return run({ pixels: { values, qa }, order, days, nPx: rows * cols, bands }, input);
}
