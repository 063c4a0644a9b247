// The first stable window of a segment, and its extension into the past.
import { compareModels } from './closest';
import { fitDetection } from './model';
import { addRow, dropRow, sumWindow } from './moments';
import { bothLanes, score, scoreBound } from './score';
import { BLOCK_BYTES, dayAt, Pixel, remove, RMSE } from './state';
import { tmask } from './tmask';

/** Coefficients of the models that are checked for stability: PyCCD takes these, whatever COEFFICIENT_MIN says. */
const N_COEFFICIENT: i32 = 4;

/** Whether the models' slopes and first and last residuals of the window [from, until) are small against the noise. */
function isStable(pixel: Pixel, from: i32, until: i32): bool {
  const fit = pixel.fit, nVec = pixel.chip.nDetectionVec, span = f64x2.splat(<f64>(dayAt(pixel, until - 1) - dayAt(pixel, from)));
  const last = fit.residuals + (((fit.count - 1) * nVec) << 4);
  let sum = f64x2.splat(0);
  for (let v = 0; v < nVec; v++) {
    const block = fit.blocks + v * BLOCK_BYTES, noise = f64x2.pmax(v128.load(pixel.noise + (v << 4)), v128.load(block, RMSE));
    const drift = f64x2.abs(f64x2.mul(v128.load(block), span));
    const ends = f64x2.add(f64x2.abs(v128.load(fit.residuals + (v << 4))), f64x2.abs(v128.load(last + (v << 4))));
    const z = f64x2.div(f64x2.add(drift, ends), noise);
    sum = f64x2.add(sum, f64x2.mul(z, z));
  }
  return bothLanes(sum) < pixel.threshold;
}

/** Days between the first and the last observation of [from, until) that is not flagged; at least one is not. */
function spanUnflagged(pixel: Pixel, from: i32, until: i32): i32 {
  let first = from, last = until - 1;
  while (load<u8>(pixel.flags + (first - from))) first++;
  while (load<u8>(pixel.flags + (last - from))) last--;
  return dayAt(pixel, last) - dayAt(pixel, first);
}

/**
 * Moves and grows the window [pixel.from, pixel.until) until it spans a year, is clean and stable: then its models stand in the
 * fit and the sums are those of the window. What Tmask finds on the way is removed, also when no window is stable (false).
 */
export function initialize(pixel: Pixel): bool {
  const chip = pixel.chip, least = chip.meowSize;
  let from = pixel.from, until = pixel.until;
  sumWindow(pixel, from, until);
  while (until + least < pixel.n) {
    const n = until - from;
    let nFlagged = 0;
    let isWhole = dayAt(pixel, until - 1) - dayAt(pixel, from) >= chip.dayDelta;
    if (isWhole) {
      nFlagged = tmask(pixel, from, until);
      isWhole = n - nFlagged >= least && spanUnflagged(pixel, from, until) >= chip.dayDelta;
    }
    if (!isWhole) {
      addRow(pixel, until++);
      continue;
    }
    for (let i = n - 1; i >= 0 && nFlagged > 0; i--) {
      if (!load<u8>(pixel.flags + i)) continue;
      dropRow(pixel, from + i);
      remove(pixel, from + i);
      until--;
    }
    fitDetection(pixel, from, until, N_COEFFICIENT);
    if (isStable(pixel, from, until)) {
      pixel.from = from;
      pixel.until = until;
      return true;
    }
    addRow(pixel, until++);
    dropRow(pixel, from++);
  }
  return false;
}

/** The peek into the past has this many observations before `from`. One less than the future's: kept as it is in PyCCD. */
function backwardCount(pixel: Pixel, from: i32, previous: i32): i32 {
  if (from - previous > pixel.peek) return pixel.peek - 1;
  return from - pixel.peek <= 0 ? from : from - previous;
}

/** Whether all of the `count` observations before `from` exceed the threshold; the first is known to. */
function allExceed(pixel: Pixel, from: i32, count: i32): bool {
  for (let i = 1; i < count; i++) if (!(score(pixel, from - 1 - i) > pixel.threshold)) return false;
  return true;
}

/** Takes earlier observations into the window, with its models as they are, until a change or the segment before (at `previous`). */
export function lookBack(pixel: Pixel, previous: i32): void {
  const most = min(pixel.threshold, pixel.chip.outlierThreshold);
  compareModels(pixel);
  while (pixel.from > previous) {
    const first = pixel.from - 1;
    if (!(scoreBound(pixel, first) <= most)) {
      const z = score(pixel, first), count = backwardCount(pixel, pixel.from, previous);
      if (z > pixel.threshold && allExceed(pixel, pixel.from, count)) return;
      if (z > pixel.chip.outlierThreshold) {
        remove(pixel, first);
        pixel.from--;
        pixel.until--;
        pixel.fit.from--;
        continue;
      }
    }
    addRow(pixel, first);
    pixel.from--;
  }
}
