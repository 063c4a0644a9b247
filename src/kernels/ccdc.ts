// Change detection in wasm memory: the tables of a chip, strips of its pixels, and one pixel after the other.
import { KernelError } from '../errors.js';
import { type Kernels, kernels } from './memory.js';

/** Numbers in the order in which the kernels read them (assembly/ccdc/chip.ts); PyCCD's names in camel case. */
export interface CcdcSettings {
  meowSize: number;
  peekSize: number;
  dayDelta: number;
  avgDaysYr: number;
  coefficientMin: number;
  coefficientMid: number;
  coefficientMax: number;
  numObsFactor: number;
  outlierThreshold: number;
  tConst: number;
  clearPctThreshold: number;
  snowPctThreshold: number;
  medianGreenFilter: number;
  lassoMaxIter: number;
  alpha: number;
  curvePersistSnow: number;
  curveInsufClear: number;
  curveStart: number;
  curveEnd: number;
}

const SETTINGS = [
  'meowSize',
  'peekSize',
  'dayDelta',
  'avgDaysYr',
  'coefficientMin',
  'coefficientMid',
  'coefficientMax',
  'numObsFactor',
  'outlierThreshold',
  'tConst',
  'clearPctThreshold',
  'snowPctThreshold',
  'medianGreenFilter',
  'lassoMaxIter',
  'alpha',
  'curvePersistSnow',
  'curveInsufClear',
  'curveStart',
  'curveEnd',
] as const satisfies readonly (keyof CcdcSettings)[];

/** What the bands of a chip are for: indices into its bands. */
export interface CcdcBands {
  nBand: number;
  detection: readonly number[];
  tmask: readonly number[];
  /** Bands whose values must lie between 0 and 10000. */
  reflectance: readonly number[];
  thermal: number | null;
  /** Band of the filter for insufficiently clear pixels. */
  green: number | null;
}

export interface CcdcChip {
  /** Ascending ordinals (0001-01-01 is 1); at least one. */
  days: Int32Array;
  /** Where each of them stands in the data. */
  order: Uint32Array;
  bands: CcdcBands;
  /** u8[65536]: class of each QA value, see assembly/ccdc/state.ts. */
  qaCodes: Uint8Array;
  settings: CcdcSettings;
  /** Change threshold for each number of peeked observations, [16 × peekSize + 1]. */
  thresholds: Float64Array;
}

/** Pixel types that change detection reads, and how the kernels number them. */
export type CcdcValues = Int16Array | Int32Array | Float64Array;

/**
 * A chip's values [nTime][nBand][nPx] and QA [nTime][nPx]: arrays, or pointers to i16 and u16 in the kernels' memory, which are copied
 * without a view a row.
 */
export type CcdcPixels = { values: CcdcValues; qa: Uint16Array } | { valuesPtr: number; qaPtr: number };

/** Bytes of a value. */
export function valueBytes(pixels: CcdcPixels): number {
  return 'values' in pixels ? pixels.values.BYTES_PER_ELEMENT : 2;
}

/** Values of a record before those of its bands, and of each band: see {@link CcdcRun.records}. */
export const RECORD_HEAD = 6;
export const RECORD_BAND = 10;

/** What {@link CcdcRun.detect} counts. */
export interface CcdcCounts {
  nSegment: number;
  /** Observations that are not fill, and those of a class. */
  nData: number;
  nCloud: number;
  nSnow: number;
  nClear: number;
  nWater: number;
}

/** The lanes of the bands: detection bands first, the others from the next even lane on. */
function lanesOf({ nBand, detection }: CcdcBands): Int32Array {
  const others = Array.from({ length: nBand }, (_, i) => i).filter((i) => !detection.includes(i));
  const lanes = new Int32Array(nBand);
  detection.forEach((band, i) => {
    lanes[band] = i;
  });
  others.forEach((band, i) => {
    lanes[band] = detection.length + (detection.length % 2) + i;
  });
  return lanes;
}

/** The pixels [from, from + count) of [rows][nPx], for a strip [rows][width]. */
interface Cut {
  rows: number;
  nPx: number;
  from: number;
  count: number;
  width: number;
}

/** Copies pixels to a strip. */
function copyPixels(
  source: CcdcValues | Uint16Array,
  target: CcdcValues | Uint16Array,
  { rows, nPx, from, count, width }: Cut,
): void {
  if (count === nPx && count === width) {
    target.set(source);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const start = row * nPx + from;
    target.set(source.subarray(start, start + count), row * width);
  }
}

/**
 * A chip being worked on. All it allocates lies in the arena: use it within `k.scope`.
 * @throws KernelError when memory ends.
 */
export class CcdcRun {
  private readonly k: Kernels;
  /** The kernels' pixel, for their single steps. */
  readonly ptr: number;
  readonly nTime: number;
  private readonly nBand: number;
  private readonly countsPtr: number;
  private readonly maskPtr: number;
  private stripPtr = 0;
  private qaPtr = 0;
  private stripPx = 0;
  /** What the last pixel gave, and where it lies; the views are made anew when memory has grown. */
  private readonly counts: CcdcCounts = { nSegment: 0, nData: 0, nCloud: 0, nSnow: 0, nClear: 0, nWater: 0 };
  private countsView: Int32Array = new Int32Array(0);
  private maskView: Uint8Array = new Uint8Array(0);

  constructor(k: Kernels, { days, order, bands, qaCodes, settings, thresholds }: CcdcChip) {
    this.k = k;
    this.nTime = days.length;
    this.nBand = bands.nBand;
    const isReflectance = Uint8Array.from({ length: bands.nBand }, (_, i) => Number(bands.reflectance.includes(i)));
    const numbers = Float64Array.from(SETTINGS, (name) => settings[name]);
    this.countsPtr = k.alloc(20);
    this.maskPtr = k.alloc(days.length);
    this.ptr =
      k.exports.ccdc_create(
        days.length,
        bands.nBand,
        bands.detection.length,
        bands.tmask.length,
        this.keep(days),
        this.keep(order),
        this.keep(qaCodes),
        this.keep(lanesOf(bands)),
        this.keep(isReflectance),
        this.keep(Int32Array.from(bands.tmask)),
        bands.thermal ?? -1,
        bands.green ?? -1,
        this.keep(numbers),
        this.keep(thresholds),
      ) >>> 0;
    if (this.ptr === 0) throw new KernelError(`a chip of ${days.length} dates does not fit into WebAssembly memory`);
  }

  private keep(values: Uint8Array | Int32Array | Uint32Array | Float64Array): number {
    const ptr = this.k.alloc(values.byteLength);
    this.k.u8(ptr, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return ptr;
  }

  /** Reserves room for strips of up to `nPx` of the pixels; `wraps`: whether i16 stays 16 bits wide when it is converted. */
  reserve(nPx: number, pixels: CcdcPixels, wraps: boolean): void {
    const { k, nTime, nBand } = this;
    const bytes = valueBytes(pixels);
    const dtype = bytes === 2 ? 0 : bytes === 4 ? 1 : 2;
    this.stripPx = nPx;
    this.stripPtr = k.alloc(nTime * nBand * nPx * bytes);
    this.qaPtr = k.alloc(nTime * nPx * 2);
    k.exports.ccdc_strip(this.ptr, this.stripPtr, dtype, wraps, nBand * nPx * bytes, nPx * bytes, this.qaPtr, nPx * 2);
  }

  /** Copies the pixels [from, from + count) of `nPx` into the strip. */
  load(pixels: CcdcPixels, { from, count, nPx }: { from: number; count: number; nPx: number }): void {
    const { nTime, nBand, stripPx } = this;
    const cut = { nPx, from, count, width: stripPx };
    if ('values' in pixels) {
      copyPixels(pixels.values, this.strip(pixels.values), { ...cut, rows: nTime * nBand });
      copyPixels(pixels.qa, this.k.u16(this.qaPtr, nTime * stripPx), { ...cut, rows: nTime });
    } else {
      this.copy(pixels.valuesPtr, this.stripPtr, { ...cut, rows: nTime * nBand });
      this.copy(pixels.qaPtr, this.qaPtr, { ...cut, rows: nTime });
    }
  }

  /** The strip as an array of the values' type. */
  private strip(like: CcdcValues): CcdcValues {
    const { k, stripPtr } = this;
    const length = this.nTime * this.nBand * this.stripPx;
    if (like instanceof Float64Array) return k.f64(stripPtr, length);
    return like instanceof Int16Array ? k.i16(stripPtr, length) : k.i32(stripPtr, length);
  }

  /** Copies 16-bit values within the kernels' memory. */
  private copy(source: number, target: number, { rows, nPx, from, count, width }: Cut): void {
    this.k.exports.copy_rows(source + 2 * from, 2 * nPx, rows, 2 * count, target, 2 * width);
  }

  /** Runs pixel `px` of the strip; a number is the QA value for which it failed. The counts are lent until the next pixel. */
  detect(px: number): CcdcCounts | number {
    const nSegment = this.k.exports.ccdc_detect(this.ptr, px, this.countsPtr, this.maskPtr);
    if (nSegment < 0) return -1 - nSegment;
    this.renewViews();
    const { counts, countsView } = this;
    counts.nSegment = nSegment;
    counts.nData = countsView[0]!;
    counts.nCloud = countsView[1]!;
    counts.nSnow = countsView[2]!;
    counts.nClear = countsView[3]!;
    counts.nWater = countsView[4]!;
    return counts;
  }

  private renewViews(): void {
    if (this.countsView.buffer === this.k.exports.memory.buffer) return;
    this.countsView = this.k.i32(this.countsPtr, 5);
    this.maskView = this.k.u8(this.maskPtr, this.nTime);
  }

  /** Which dates the last pixel used, u8[nTime]: a view that the next pixel overwrites. */
  mask(): Uint8Array {
    return this.maskView;
  }

  /**
   * The last pixel's segments, f64[nSegment][6 + 10 nBand]: start, end, break day, observations, change probability, curve QA; then for
   * each band magnitude, RMSE, intercept and 7 coefficients. A view that the next pixel overwrites.
   */
  records(nSegment: number): Float64Array {
    const ptr = this.k.exports.ccdc_segments(this.ptr) >>> 0;
    return this.k.f64(ptr, nSegment * (RECORD_HEAD + RECORD_BAND * this.nBand));
  }
}

/**
 * The features of a model at an ordinal day: the day, cos and sin of one, two and three cycles a year of `avgDaysYr` days, f64[7]. Our own
 * sine and cosine, the same on every engine.
 */
export function featuresAt(day: number, avgDaysYr: number): Float64Array {
  const k = kernels();
  return k.scope(() => {
    const ptr = k.alloc(16);
    const features = new Float64Array(7);
    const angle = ((2 * Math.PI) / avgDaysYr) * day;
    features[0] = day;
    for (let i = 1; i <= 3; i++) {
      k.exports.cosine_sine(i * angle, ptr);
      features.set(k.f64(ptr, 2), 2 * i - 1);
    }
    return features;
  });
}
