// The noise of each band from differences of neighbours in time, and how many observations confirm a change.
import { medianOf } from '../select';
import { Chip, dayAt, FEATURE_BYTES, Pixel, rowAt } from './state';

/** Pairs count whose dates lie further apart than this, in days. */
const LAG_DAYS: i32 = 30;
/** The step for which PEEK_SIZE is meant, in days. */
const USUAL_STEP_DAYS: f64 = 16;

/** Whether most frequent of the spans between live observations `lag` apart (of equally frequent ones the shortest) is beyond 30 days. */
function isFarApart(pixel: Pixel, lag: i32): bool {
  const nPair = pixel.n - lag, spans = pixel.spans;
  for (let i = 0; i < nPair; i++) {
    const at = spans + ((dayAt(pixel, i + lag) - dayAt(pixel, i)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let mostNear: u32 = 0, mostFar: u32 = 0;
  for (let span = 0; span <= LAG_DAYS && span < pixel.nSpan; span++) mostNear = max(mostNear, load<u32>(spans + (span << 2)));
  for (let i = 0; i < nPair; i++) {
    const span = dayAt(pixel, i + lag) - dayAt(pixel, i), at = spans + (span << 2);
    if (span > LAG_DAYS) mostFar = max(mostFar, load<u32>(at));
  }
  for (let i = 0; i < nPair; i++) store<u32>(spans + ((dayAt(pixel, i + lag) - dayAt(pixel, i)) << 2), 0);
  return mostFar > mostNear;
}

/** The first lag whose pairs lie far apart; 0 when there is none. */
function farLag(pixel: Pixel): i32 {
  for (let lag = 1; lag < pixel.n; lag++) if (isFarApart(pixel, lag)) return lag;
  return 0;
}

/** Median |difference| of the column over pairs `lag` apart: those beyond 30 days, or all for lag 0 (neighbours). */
function typicalDifference(pixel: Pixel, column: i32, lag: i32): f64 {
  const step = lag ? lag : 1, to = pixel.scratch;
  let n = 0;
  for (let i = 0; i + step < pixel.n; i++) {
    if (lag && dayAt(pixel, i + step) - dayAt(pixel, i) <= LAG_DAYS) continue;
    store<f64>(to + (n << 3), abs(load<f64>(rowAt(pixel, i + step) + column) - load<f64>(rowAt(pixel, i) + column)));
    n++;
  }
  return medianOf(to, n);
}

/** Noise of the bands: of those that are detected in or masked by, or of all. Padding lanes have 1. Returns the lag, 0 for neighbours. */
export function variogram(pixel: Pixel, ofAll: bool): i32 {
  const chip = pixel.chip, lag = farLag(pixel);
  for (let i = 0; i < chip.nVec * 2; i++) store<f64>(pixel.noise + (i << 3), 1);
  for (let band = 0; band < chip.nBand; band++) {
    const column = load<i32>(chip.columns + (band << 2));
    let isWanted = ofAll || column < FEATURE_BYTES + (chip.nDetectionVec << 4);
    for (let i = 0; i < chip.nTmask; i++) isWanted = isWanted || load<i32>(chip.tmaskColumns + (i << 2)) == column;
    if (isWanted) store<f64>(pixel.noise + (column - FEATURE_BYTES), typicalDifference(pixel, column, lag));
  }
  return lag;
}

/** How many observations are peeked at when their dates lie `stepDays` apart. */
export function peekOfStep(chip: Chip, stepDays: f64): i32 {
  return max(chip.peekSize, <i32>nearest(<f64>chip.peekSize * USUAL_STEP_DAYS / stepDays));
}

/** Sets the pixel's peek and threshold by the median step of its dates. At least two observations. */
export function adjustPeek(pixel: Pixel): void {
  const to = pixel.scratch, n = pixel.n - 1;
  for (let i = 0; i < n; i++) store<f64>(to + (i << 3), <f64>(dayAt(pixel, i + 1) - dayAt(pixel, i)));
  pixel.peek = peekOfStep(pixel.chip, medianOf(to, n));
  pixel.threshold = load<f64>(pixel.chip.thresholds + (pixel.peek << 3));
}
