// What change detection works on: a chip's tables, a pixel's observations, the model that was fitted last. Plain layouts over linear
// memory, without a runtime.

/** Features of an observation: 1, days since the chip's first date, cos and sin of one, two and three cycles a year. */
export const FEATURE_BYTES: i32 = 64;
/** Values of `Chip.dtype`. */
export const I16: i32 = 0, I32: i32 = 1, F64: i32 = 2;
/** Values of the QA table. */
export const FILL: u8 = 0, CLEAR: u8 = 1, WATER: u8 = 2, SNOW: u8 = 4, CLOUD: u8 = 5, UNKNOWN: u8 = 255;

/** What all pixels share. "Lanes" are the bands in working order: detection bands, padding to an even number, the others, padding. */
@unmanaged
export class Chip {
  nTime: i32; nBand: i32; nDetection: i32; nTmask: i32;
  /** Vectors of two lanes: of the detection bands, of all. */
  nDetectionVec: i32; nVec: i32;
  rowBytes: i32;
  /** i32[nTime] ascending ordinals; u32[nTime] the place of each in the strip; u16[nTime] quarter days within 365.25 days; f64[nTime][8] features. */
  days: usize; order: usize; phases: usize; features: usize;
  /** f64[nSlow][nTime][2] cos, sin of a cycle of that many years, with u8[nSlow] that says which are computed. */
  slow: usize; slowReady: usize; nSlow: i32;
  /** u8[65536] class of each QA value. */
  qaCodes: usize;
  /** i32[nBand] place of each band in a row, in bytes; u8[nBand] whether it is reflectance; i32[nTmask] places of Tmask's bands. */
  columns: usize; isReflectance: usize; tmaskColumns: usize;
  /** Band indices, -1 for none. */
  thermal: i32; green: i32;
  /** f64[16 * peekSize + 1] change threshold for each number of peeked observations. */
  thresholds: usize;
  // Parameters, by PyCCD's names.
  meowSize: i32; peekSize: i32; dayDelta: i32; avgDaysYr: f64;
  coefficientMin: i32; coefficientMid: i32; coefficientMax: i32; numObsFactor: f64;
  outlierThreshold: f64; tConst: f64; clearPct: f64; snowPct: f64; medianGreenFilter: f64;
  lassoMaxIter: i32; alpha: f64;
  curveSnow: i32; curveInsufficient: i32; curveStart: i32; curveEnd: i32;
  /** The strip of pixels at hand: values [nTime][nBand][px] of dtype and u16 QA [nTime][px], strides in bytes. */
  values: usize; dtype: i32; wraps: bool; timeStride: usize; bandStride: usize;
  qa: usize; qaStride: usize;
}

/** One pixel. Its observations are rows of features and lanes; `live` lists those not removed, in order of time. */
@unmanaged
export class Pixel {
  chip: Chip;
  fit: Fit;
  /** f64 rows; i32[nTime] date of each row; i32[nTime] the rows in use. */
  rows: usize; dates: usize; live: usize; n: i32;
  /** Observations that confirm a change, the threshold that they must exceed, noise of each lane (variogram), f64[2 * nVec]. */
  peek: i32; threshold: f64; noise: usize;
  /** Counts by class: all but fill, cloud, snow, clear, water. */
  nData: i32; nCloud: i32; nSnow: i32; nClear: i32; nWater: i32;
  /** u8[nTime] flags of Tmask; f64 scratch; u32 histogram of spans (all zero between calls); u16 histogram of phase distances. */
  flags: usize; scratch: usize; spans: usize; nSpan: i32; keys: usize; histogram: usize;
  /** v128[nDetectionVec] comparison RMSE. */
  comparison: usize;
  /** The window [from, until) of live rows that is being worked on. */
  from: i32; until: i32;
  /** The value of QA that has no class, when the pixel failed. */
  badQa: i32;
  segments: usize; nSegment: i32; maxSegments: i32;
}

/**
 * The moments of a window and the model fitted to it. A vector's block holds two lanes of everything that belongs to a band:
 * see the offsets below.
 */
@unmanaged
export class Fit {
  /** Sums over the window: f64[8][8] of products of features (days since `origin`), v128[8][nDetectionVec] of features and bands, v128[nDetectionVec] of squares. */
  featureSums: usize; bandSums: usize; squareSums: usize; origin: f64; nDropped: i32;
  /** f64[7][8] centred Gram matrix with 0 on its diagonal, f64[8] the diagonal, f64[8] one over it, f64[8] means of features (days since the chip's first date). */
  gram: usize; diagonal: usize; inverse: usize; means: usize;
  /** nVec blocks, and u32[nVec] pointers to the blocks that descend. */
  blocks: usize; active: usize;
  /** f64[window][2 * nDetectionVec] residuals. */
  residuals: usize;
  nFeature: i32; nCoefficient: i32;
  /** The window: live positions at the time of the fit, rows of its ends, number of observations. */
  from: i32; count: i32; firstRow: i32; lastRow: i32;
  /** Sweeps of the last descent, for tests. */
  nSweep: i32;
}

/**
 * A block: coefficients v128[7], intercept (at day 0 of the chip), X'y v128[7], the same of what the other features leave v128[7],
 * and single vectors.
 */
export const BLOCK_BYTES: i32 = 512;
export const INTERCEPT: usize = 112, CORRELATION: usize = 128, PARTIAL: usize = 256, SQUARES: usize = 368, DONE: usize = 384;
export const MOST_STEP: usize = 400, MOST_WEIGHT: usize = 416, BAND_MEAN: usize = 432, RMSE: usize = 448, MAGNITUDE: usize = 464, PADDING: usize = 480;

// @ts-ignore: decorator
@inline
export function rowAt(pixel: Pixel, i: i32): usize {
  return pixel.rows + <usize>(load<i32>(pixel.live + (i << 2)) * pixel.chip.rowBytes);
}

// @ts-ignore: decorator
@inline
export function dayAt(pixel: Pixel, i: i32): i32 {
  const date = load<i32>(pixel.dates + (load<i32>(pixel.live + (i << 2)) << 2));
  return load<i32>(pixel.chip.days + (date << 2));
}

/** Takes the live observation i out for good. */
export function remove(pixel: Pixel, i: i32): void {
  const at = pixel.live + (i << 2);
  memory.copy(at, at + 4, (pixel.n - i - 1) << 2);
  pixel.n--;
}
