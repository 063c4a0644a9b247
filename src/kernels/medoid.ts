// Medoids: whole observations that lie most central among the others.
import { KernelError } from '../errors.js';
import { type Kernels, kernels, type StackView } from './memory.js';
import { checkShape, forEachStrip, kernelSeries, type PixelArray } from './strip.js';

/**
 * Writes the medoid of each pixel to `outIndex`, i32[nPx]: the index of the date whose observation has the smallest sum of
 * Euclidean distances to all others, −1 where there is none. An observation counts when all bands are valid (f32: finite);
 * ties (sums within 1e-12 relative) go to the earliest. Takes nTime² × nBand steps a pixel.
 * @throws KernelError when the rows are not padded to 64 px.
 */
export function medoidInto(k: Kernels, stack: StackView, outIndex: number): void {
  const { ptr, dtype, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata } = stack;
  if (nPx % 64 !== 0) throw new KernelError(`a stack's rows must be padded to a multiple of 64 px, got ${nPx}`);
  k.scope(() => {
    const scratch = k.alloc(k.exports.medoid_scratch(nBand, nTime) >>> 0);
    if (dtype === 'f32') {
      k.exports.medoid_f32(ptr, bandStrideBytes, timeStrideBytes, nBand, nTime, nPx, scratch, outIndex);
      return;
    }
    const run = dtype === 'u16' ? k.exports.medoid_u16 : k.exports.medoid_i16;
    const hasNodata = nodata !== null;
    run(ptr, bandStrideBytes, timeStrideBytes, nBand, nTime, nPx, nodata ?? 0, hasNodata, scratch, outIndex);
  });
}

/** What {@link medoid} takes besides the data, [nBand][nTime][nPx]. */
export interface MedoidOptions {
  /** 1 when not given. */
  nBand?: number;
  nTime: number;
  /** Pixels of a date. */
  nPx: number;
  /** The value that stands for missing; NaN and infinities are always missing. */
  nodata?: number | null;
}

/**
 * The medoid of each pixel of [nBand][nTime][nPx], as the index of its date in i32[nPx]; −1 where no date is valid in all bands.
 * See {@link medoidInto}.
 * @throws InputError when sizes and data do not fit.
 */
export function medoid(data: PixelArray, options: MedoidOptions): Int32Array<ArrayBuffer> {
  checkShape(data, options);
  const k = kernels();
  const out = new Int32Array(options.nPx);
  forEachStrip(k, kernelSeries(data, options), options, (strip, start, count) => {
    const ptr = k.alloc(strip.nPx * 4);
    medoidInto(k, strip, ptr);
    out.set(k.i32(ptr, count), start);
  });
  return out;
}
