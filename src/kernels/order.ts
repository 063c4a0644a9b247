// Order statistics over time: median and percentiles, of a column in wasm memory or of plain typed arrays.
import { InputError, KernelError } from '../errors.js';
import { type Column, type Kernels, kernels } from './memory.js';
import { checkShape, forEachStrip, holdable, kernelSeries, type PixelArray } from './strip.js';

/**
 * How a percentile falls between two values. `linear` is numpy's: between the ranks around q·(n − 1). `nearest-rank` is odc's: the
 * value of rank round-half-even(q·(n − 1)), and none for fewer than 3 valid values.
 */
export type QuantileRule = 'linear' | 'nearest-rank';

/** Ranks and counts are compared as signed 16-bit integers. */
const MAX_TIMES = 32767;

function checkColumn({ nTime, nPx, timeStrideBytes }: Column): void {
  if (nPx % 64 !== 0) throw new KernelError(`a column's rows must be padded to a multiple of 64 px, got ${nPx}`);
  if (timeStrideBytes % 16 !== 0)
    throw new KernelError(`dates must be a multiple of 16 bytes apart, got ${timeStrideBytes}`);
  if (nTime > MAX_TIMES) throw new InputError(`order statistics take at most ${MAX_TIMES} dates, got ${nTime}`);
}

/** Rounds halves to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The median over the valid dates of each pixel, to `out.ptr`: f32[nPx], exact, NaN where no date is valid; or the column's dtype,
 * [nPx], where integers round half to even and `out.nodata` (the column's nodata if not given, else 0) stands for none.
 */
export function medianInto(
  k: Kernels,
  column: Column,
  out: { ptr: number; dtype: 'same' | 'f32'; nodata?: number | null },
): void {
  checkColumn(column);
  const { ptr, dtype, nTime, nPx, timeStrideBytes, nodata } = column;
  const none = out.nodata ?? nodata ?? 0;
  if (nTime === 0) {
    if (dtype === 'f32' || out.dtype === 'f32') k.f32(out.ptr, nPx).fill(Number.NaN);
    else k[dtype](out.ptr, nPx).fill(none);
    return;
  }
  k.scope(() => {
    const scratch = k.alloc(k.exports.median_scratch(nTime) >>> 0);
    if (dtype === 'f32') {
      k.exports.median_f32(ptr, nTime, nPx, timeStrideBytes, scratch, out.ptr);
      return;
    }
    const run = dtype === 'u16' ? k.exports.median_u16 : k.exports.median_i16;
    const asFloat = out.dtype === 'f32';
    run(ptr, nTime, nPx, timeStrideBytes, nodata ?? 0, nodata !== null, asFloat, none, scratch, out.ptr);
  });
}

/** The rule as data for the kernel: see assembly/quantile.ts. Returns the pointer of the table, in the arena. */
function rankTable(
  k: Kernels,
  nTime: number,
  { fractions, rule }: { fractions: readonly number[]; rule: QuantileRule },
) {
  const entries = fractions.length * (nTime + 1);
  const ptr = k.alloc(entries * 16);
  const ranks = k.i32(ptr, entries * 4);
  const ways = k.f64(ptr, entries * 2);
  fractions.forEach((fraction, f) => {
    for (let n = 0; n <= nTime; n++) {
      const entry = f * (nTime + 1) + n;
      const exact = (n - 1) * fraction;
      const lower = rule === 'linear' ? Math.floor(exact) : roundHalfEven(exact);
      const exists = n >= (rule === 'linear' ? 1 : 3);
      ranks[entry * 4] = exists ? lower : -1;
      ways[entry * 2 + 1] = rule === 'linear' ? exact - lower : 0;
    }
  });
  return ptr;
}

/**
 * Quantiles over the valid dates of each pixel, to f32[nFraction][nPx] at `out`; NaN = none. Fractions are 0 to 1, in any order;
 * all are found in one pass. The linear rule computes in f64 as numpy does.
 */
export function quantilesInto(
  k: Kernels,
  column: Column,
  request: { fractions: readonly number[]; rule: QuantileRule },
  out: number,
): void {
  checkColumn(column);
  const { ptr, dtype, nTime, nPx, timeStrideBytes, nodata } = column;
  const { fractions } = request;
  for (const fraction of fractions) {
    if (!(fraction >= 0 && fraction <= 1)) throw new InputError(`a fraction must be 0 to 1, got ${fraction}`);
  }
  k.scope(() => {
    const ranks = rankTable(k, nTime, request);
    const scratch = k.alloc(k.exports.quantiles_scratch(nTime) >>> 0);
    if (dtype === 'f32') {
      k.exports.quantiles_f32(ptr, nTime, nPx, timeStrideBytes, ranks, fractions.length, scratch, out);
      return;
    }
    const run = dtype === 'u16' ? k.exports.quantiles_u16 : k.exports.quantiles_i16;
    const missing = nodata ?? 0;
    run(ptr, nTime, nPx, timeStrideBytes, missing, nodata !== null, ranks, fractions.length, scratch, out);
  });
}

/** What the public order statistics take besides the data. */
export interface OrderOptions {
  /** Dates: 0 to 32767. */
  nTime: number;
  /** Pixels of a date. */
  nPx: number;
  /** The value that stands for missing; NaN is always missing. */
  nodata?: number | null;
}

function newLike<T extends PixelArray>(data: T, length: number): T {
  const Like = data.constructor as new (length: number) => T;
  return new Like(length);
}

/** f32 medians back to the input's own dtype: integers round half to even, NaN becomes nodata (0 without one). */
function narrow<T extends PixelArray>(values: Float32Array, like: T, nodata: number | null): T {
  const out = newLike(like, values.length);
  const integers = !(like instanceof Float32Array || like instanceof Float64Array);
  values.forEach((value, i) => {
    if (!integers) out[i] = value;
    else out[i] = Number.isNaN(value) ? (nodata ?? 0) : roundHalfEven(value);
  });
  return out;
}

/**
 * The median over time of one band, [nTime][nPx] → [nPx], over the valid values of each pixel; the middle two of an even number
 * are averaged. With `dtype: 'float32'` the result is exact and NaN stands for none; by default it has the input's dtype, where
 * integers round half to even and nodata stands for none (0 if there is no nodata; NaN for floats). u8, u16 and i16 are computed
 * as integers, other types as f32.
 * @throws InputError when sizes and data do not fit.
 */
export function median(data: PixelArray, options: OrderOptions & { dtype: 'float32' }): Float32Array<ArrayBuffer>;
export function median<T extends PixelArray>(data: T, options: OrderOptions & { dtype?: 'input' }): T;
export function median(data: PixelArray, options: OrderOptions & { dtype?: 'input' | 'float32' }): PixelArray {
  const { nTime, nPx, nodata = null, dtype = 'input' } = options;
  checkShape(data, { nTime, nPx });
  const series = kernelSeries(data, { nodata });
  const viaFloat = dtype === 'float32' || series.dtype === 'f32';
  const k = kernels();
  const out = viaFloat ? new Float32Array(nPx) : newLike(data, nPx);
  forEachStrip(k, series, { nTime, nPx }, (strip, start, count) => {
    const ptr = k.alloc(strip.nPx * 4);
    medianInto(k, strip, { ptr, dtype: viaFloat ? 'f32' : 'same' });
    out.set(viaFloat ? k.f32(ptr, count) : k[series.dtype](ptr, count), start);
  });
  if (dtype === 'float32' || data instanceof Float32Array) return out;
  const none = nodata !== null && holdable(data, nodata) ? nodata : null;
  return out instanceof Float32Array ? narrow(out, data, none) : out;
}

/**
 * Percentiles over time of one band, [nTime][nPx] → f32[nPercent][nPx], NaN for none. The linear rule equals numpy's percentile of
 * the valid values in f64, rounded to f32.
 * @throws InputError when a percentage is not 0 to 100, or sizes and data do not fit.
 */
export function percentile(
  data: PixelArray,
  options: OrderOptions & { percent: number | readonly number[]; rule?: QuantileRule },
): Float32Array<ArrayBuffer> {
  const { nTime, nPx, nodata = null, percent, rule = 'linear' } = options;
  checkShape(data, { nTime, nPx });
  const percents = typeof percent === 'number' ? [percent] : percent;
  for (const p of percents) {
    if (!(p >= 0 && p <= 100)) throw new InputError(`a percentile must be 0 to 100, got ${p}`, { option: 'percent' });
  }
  const fractions = percents.map((p) => p / 100);
  const k = kernels();
  const out = new Float32Array(fractions.length * nPx);
  forEachStrip(k, kernelSeries(data, { nodata }), { nTime, nPx }, (strip, start, count) => {
    const ptr = k.alloc(fractions.length * strip.nPx * 4);
    quantilesInto(k, strip, { fractions, rule }, ptr);
    fractions.forEach((_, f) => {
      out.set(k.f32(ptr + f * strip.nPx * 4, count), f * nPx + start);
    });
  });
  return out;
}
