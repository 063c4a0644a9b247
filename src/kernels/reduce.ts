// Simple statistics over time: mean, standard deviation, minimum, maximum and count of each pixel's valid dates.
import { InputError, KernelError } from '../errors.js';
import { type Column, type Kernels, kernels } from './memory.js';
import { checkShape, forEachStrip, kernelSeries, type PixelArray } from './strip.js';

/** Counts are u16, and sums of u16 values exact up to here. */
const MAX_TIMES = 65535;

/** Where reduceInto writes: pointers of f32[nPx] (NaN = none), and of u16[nPx] for the count; 0 or absent is not wanted. */
export interface ReduceOutputs {
  mean?: number;
  /** Standard deviation with ddof 0. */
  std?: number;
  min?: number;
  max?: number;
  count?: number;
}

/**
 * Reduces the valid dates of each pixel. Sums of integers are exact and those of f32 are f64, in the order of the dates; the
 * deviation is around the mean (f32 in a second pass). Results are rounded once, to f32.
 */
export function reduceInto(k: Kernels, column: Column, out: ReduceOutputs): void {
  const { ptr, dtype, nTime, nPx, timeStrideBytes, nodata } = column;
  if (nPx % 64 !== 0) throw new KernelError(`a column's rows must be padded to a multiple of 64 px, got ${nPx}`);
  if (nTime > MAX_TIMES) throw new InputError(`statistics over time take at most ${MAX_TIMES} dates, got ${nTime}`);
  const { mean = 0, std = 0, min = 0, max = 0, count = 0 } = out;
  k.scope(() => {
    const scratch = k.alloc(k.exports.reduce_scratch() >>> 0);
    if (dtype === 'f32') {
      k.exports.reduce_f32(ptr, nTime, nPx, timeStrideBytes, scratch, mean, std, min, max, count);
      return;
    }
    const run = dtype === 'u16' ? k.exports.reduce_u16 : k.exports.reduce_i16;
    run(ptr, nTime, nPx, timeStrideBytes, nodata ?? 0, nodata !== null, scratch, mean, std, min, max, count);
  });
}

/** What the public reductions take besides the data. */
export interface ReduceOptions {
  /** Dates: 0 to 65535. */
  nTime: number;
  /** Pixels of a date. */
  nPx: number;
  /** The value that stands for missing; NaN is always missing. */
  nodata?: number | null;
}

function reduced(data: PixelArray, options: ReduceOptions, statistic: 'mean' | 'std' | 'min' | 'max') {
  checkShape(data, options);
  const out = new Float32Array(options.nPx);
  eachReduced(data, options, statistic, (k, ptr, start, nPx) => out.set(k.f32(ptr, nPx), start));
  return out;
}

function eachReduced(
  data: PixelArray,
  { nTime, nPx, nodata = null }: ReduceOptions,
  statistic: keyof ReduceOutputs,
  take: (k: Kernels, ptr: number, start: number, nPx: number) => void,
): void {
  const k = kernels();
  forEachStrip(k, kernelSeries(data, { nodata }), { nTime, nPx }, (strip, start, count) => {
    const ptr = k.alloc(strip.nPx * 4);
    reduceInto(k, strip, { [statistic]: ptr });
    take(k, ptr, start, count);
  });
}

/**
 * The mean over time of one band, [nTime][nPx] → f32[nPx]; NaN where no date is valid.
 * @throws InputError when sizes and data do not fit.
 */
export function mean(data: PixelArray, options: ReduceOptions): Float32Array<ArrayBuffer> {
  return reduced(data, options, 'mean');
}

/**
 * The standard deviation over time (ddof 0) of one band, [nTime][nPx] → f32[nPx]; NaN where no date is valid.
 * @throws InputError when sizes and data do not fit.
 */
export function std(data: PixelArray, options: ReduceOptions): Float32Array<ArrayBuffer> {
  return reduced(data, options, 'std');
}

/**
 * The smallest value over time of one band, [nTime][nPx] → f32[nPx]; NaN where no date is valid.
 * @throws InputError when sizes and data do not fit.
 */
export function min(data: PixelArray, options: ReduceOptions): Float32Array<ArrayBuffer> {
  return reduced(data, options, 'min');
}

/**
 * The largest value over time of one band, [nTime][nPx] → f32[nPx]; NaN where no date is valid.
 * @throws InputError when sizes and data do not fit.
 */
export function max(data: PixelArray, options: ReduceOptions): Float32Array<ArrayBuffer> {
  return reduced(data, options, 'max');
}

/**
 * The number of valid dates of each pixel of one band, [nTime][nPx] → u16[nPx].
 * @throws InputError when sizes and data do not fit.
 */
export function count(data: PixelArray, options: ReduceOptions): Uint16Array<ArrayBuffer> {
  checkShape(data, options);
  const out = new Uint16Array(options.nPx);
  eachReduced(data, options, 'count', (k, ptr, start, nPx) => out.set(k.u16(ptr, nPx), start));
  return out;
}
