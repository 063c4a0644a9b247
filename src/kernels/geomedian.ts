// Geometric medians over time and the medians of absolute deviations from them.
import { InputError, KernelError } from '../errors.js';
import { type Kernels, kernels, type StackView } from './memory.js';
import { checkShape, forEachStrip, type KernelSeries, kernelSeries, type PixelArray } from './strip.js';

/** Counts are u16. */
const MAX_TIMES = 65535;
/** The kernels' stand-in for a stack without nodata. */
const NO_NODATA = 0x7fffffff;

export interface GeomedianSettings {
  /** Accuracy in units of the stack: a pixel is done when its estimated error is below. More than 0. */
  eps: number;
  /** Added to the values for SMAD and BCMAD only (odc-stats: −1 DN). */
  madShift?: number;
}

/** Where geomedianInto writes; 0 or absent is not wanted. NaN where no date is valid in all bands. */
export interface GeomedianOutputs {
  /** f32[nBand][nPx] */
  median?: number;
  /** f32[3][nPx]: EMAD, SMAD, BCMAD. */
  mads?: number;
  /** u16[nPx]: dates on which all bands are valid. */
  count?: number;
}

/**
 * The geometric median of each pixel: the point with the smallest sum of Euclidean distances to the observations that are valid
 * in all bands (f32: finite), found by Weiszfeld's iteration from their mean, with Anderson mixing of memory 2 (Walker and Ni
 * 2011) in f32 around the mean. Pixels near an observation or in a flat valley are finished in f64 by Newton's method with
 * Vardi and Zhang's test (2000) of the nearest observation. Of two observations every point between is a median: the mean is
 * taken; of one band the ordinary median.
 *
 * The MADs are medians over the same observations (an even number: the mean of the middle two), in units of the stack:
 * EMAD of ‖x − m‖, SMAD of 1 − cos(x, m), BCMAD of Σ|x − m| / Σ|x + m|. Where a length or a denominator is 0, the distance of
 * equal vectors is 0 and the cosine of a zero vector with another is 0; so no NaN where count > 0.
 *
 * A pixel's result depends on its own values only. Values up to 1e17 in magnitude.
 * @throws KernelError when the rows are not padded to 64 px; InputError when eps is not positive or there are too many dates.
 */
export function geomedianInto(k: Kernels, stack: StackView, settings: GeomedianSettings, out: GeomedianOutputs): void {
  const { ptr, dtype, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata } = stack;
  const { eps, madShift = 0 } = settings;
  if (nPx % 64 !== 0) throw new KernelError(`a stack's rows must be padded to a multiple of 64 px, got ${nPx}`);
  if (!(eps >= 1e-9 && eps <= 1e9)) {
    throw new InputError(`eps must lie between 1e-9 and 1e9, got ${eps}`, { option: 'eps' });
  }
  if (nBand < 1) throw new InputError('a geometric median needs at least one band', { option: 'nBand' });
  if (nTime > MAX_TIMES) throw new InputError(`a geometric median takes at most ${MAX_TIMES} dates, got ${nTime}`);
  const { median = 0, mads = 0, count = 0 } = out;
  k.scope(() => {
    const scratch = k.alloc(k.exports.geomedian_scratch(nBand, nTime) >>> 0);
    const sizes = [ptr, bandStrideBytes, timeStrideBytes, nBand, nTime, nPx] as const;
    const rest = [eps, madShift, scratch, median, mads, count] as const;
    if (dtype === 'f32') k.exports.geomedian_f32(...sizes, ...rest);
    else k.exports.geomedian_u16(...sizes, nodata ?? NO_NODATA, dtype === 'i16', ...rest);
  });
}

/** What {@link geomedian} takes besides the data, [nBand][nTime][nPx]. */
export interface GeomedianOptions {
  /** 1 to 64 and more; 2 to 12 are fastest. */
  nBand: number;
  /** Dates: 0 to 65535. */
  nTime: number;
  /** Pixels of a date. */
  nPx: number;
  /** The value that stands for missing; NaN and infinities are always missing. */
  nodata?: number | null;
  /** Accuracy in units of the data; 0.1 for integer types and 1e-4 for floats when not given. */
  eps?: number;
  /** Whether the deviations are wanted too; false when not given. */
  mads?: boolean;
  /** Added to the values for SMAD and BCMAD only; 0 when not given. */
  madShift?: number;
}

/** What {@link geomedian} returns; NaN where count is 0. */
export interface Geomedian {
  /** f32[nBand][nPx] */
  median: Float32Array<ArrayBuffer>;
  /** Medians of the Euclidean, spectral and Bray-Curtis distances, f32[nPx]; only with `mads`. */
  emad?: Float32Array<ArrayBuffer>;
  smad?: Float32Array<ArrayBuffer>;
  bcmad?: Float32Array<ArrayBuffer>;
  /** Dates on which all bands are valid. */
  count: Uint16Array<ArrayBuffer>;
}

function defaultEps(series: KernelSeries): number {
  const isFloat = series.data instanceof Float32Array || series.data instanceof Float64Array;
  return isFloat ? 1e-4 : 0.1;
}

/**
 * The geometric median of each pixel of [nBand][nTime][nPx], with its MADs if wanted. Methods and corner cases:
 * {@link geomedianInto}.
 * @throws InputError when sizes and data do not fit, or eps is not positive.
 */
export function geomedian(data: PixelArray, options: GeomedianOptions): Geomedian {
  const { nBand, nTime, nPx, mads: wantsMads = false, madShift = 0 } = options;
  checkShape(data, options);
  const k = kernels();
  const series = kernelSeries(data, options);
  const { eps = defaultEps(series) } = options;
  const median = new Float32Array(nBand * nPx);
  const deviations = wantsMads ? Array.from({ length: 3 }, () => new Float32Array(nPx)) : [];
  const n = new Uint16Array(nPx);
  forEachStrip(k, series, { nBand, nTime, nPx }, (strip, start, count) => {
    const width = strip.nPx;
    const out = {
      median: k.alloc(nBand * width * 4),
      mads: wantsMads ? k.alloc(3 * width * 4) : 0,
      count: k.alloc(width * 2),
    };
    geomedianInto(k, strip, { eps, madShift }, out);
    for (let b = 0; b < nBand; b++) median.set(k.f32(out.median + b * width * 4, count), b * nPx + start);
    deviations.forEach((values, i) => {
      values.set(k.f32(out.mads + i * width * 4, count), start);
    });
    n.set(k.u16(out.count, count), start);
  });
  const [emad, smad, bcmad] = deviations;
  return { median, ...(emad && smad && bcmad && { emad, smad, bcmad }), count: n };
}
