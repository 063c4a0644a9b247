// The extension of a segment into the future, until a change or the end of the series.
import { medianOf } from '../select';
import { compareClosest, compareModels } from './closest';
import { fitDetection, fitOthers, residual } from './model';
import { addRow } from './moments';
import { score, scoreBound } from './score';
import { append } from './segment';
import { BLOCK_BYTES, Chip, dayAt, MAGNITUDE, Pixel, remove, rowAt } from './state';

/** Models are fitted at every step below so many observations, and compared with their closest so many above. */
const N_SETTLED: i32 = 24;
/** Otherwise when the span has grown by a third since the last fit. */
const GROWTH: f64 = 1.33;

const ACCEPT: i32 = 0, OUTLIER: i32 = 1, CHANGE: i32 = 2;

export function coefficientsOf(chip: Chip, count: i32): i32 {
  const each = <f64>count / chip.numObsFactor;
  if (each < <f64>chip.coefficientMid) return chip.coefficientMin;
  return each < <f64>chip.coefficientMax ? chip.coefficientMid : chip.coefficientMax;
}

/** What becomes of observation `until`, by the scores of the peek that starts with it. `count` is the size of the window. */
function judge(pixel: Pixel, count: i32): i32 {
  const first = pixel.until, threshold = pixel.threshold, outlier = pixel.chip.outlierThreshold;
  // With the variogram alone the score is never less: mostly this settles it, without a comparison RMSE.
  if (scoreBound(pixel, first) <= min(threshold, outlier)) return ACCEPT;
  if (count > N_SETTLED) compareClosest(pixel, first + pixel.peek - 1);
  else compareModels(pixel);
  const z = score(pixel, first);
  if (z > threshold) {
    let i = 1;
    while (i < pixel.peek && score(pixel, first + i) > threshold) i++;
    if (i == pixel.peek) return CHANGE;
  }
  return z > outlier ? OUTLIER : ACCEPT;
}

/** The median of the absolute residuals over the peek at `until`, of every band. */
function measure(pixel: Pixel): void {
  const fit = pixel.fit, peek = pixel.peek, to = pixel.scratch, other = to + (peek << 3);
  for (let v = 0; v < pixel.chip.nVec; v++) {
    for (let i = 0; i < peek; i++) {
      const r = f64x2.abs(residual(fit, rowAt(pixel, pixel.until + i), v));
      store<f64>(to + (i << 3), f64x2.extract_lane(r, 0));
      store<f64>(other + (i << 3), f64x2.extract_lane(r, 1));
    }
    const block = fit.blocks + v * BLOCK_BYTES;
    store<f64>(block, medianOf(to, peek), MAGNITUDE);
    store<f64>(block, medianOf(other, peek), MAGNITUDE + 8);
  }
}

/**
 * Extends the window [pixel.from, pixel.until), whose sums stand in the fit, as far as it goes and appends its segment. At least
 * one peek fits into the series.
 */
export function lookForward(pixel: Pixel): void {
  const chip = pixel.chip, from = pixel.from, peek = pixel.peek;
  let span = 0, isFitted = false, verdict = ACCEPT, breakAt = 0, nCoefficient = 0;
  while (pixel.until + peek <= pixel.n) {
    const count = pixel.until - from, ownSpan = dayAt(pixel, pixel.until - 1) - dayAt(pixel, from);
    nCoefficient = coefficientsOf(chip, count);
    if (!isFitted || count < N_SETTLED || <f64>ownSpan >= GROWTH * <f64>span) {
      span = ownSpan;
      isFitted = true;
      fitDetection(pixel, from, pixel.until, nCoefficient);
    }
    verdict = judge(pixel, count);
    breakAt = pixel.until;
    const nAfter = pixel.n - (verdict == OUTLIER ? 1 : 0), untilAfter = pixel.until + (verdict == ACCEPT ? 1 : 0);
    if (verdict == CHANGE || untilAfter + peek > nAfter) {
      fitOthers(pixel);
      measure(pixel);
    }
    if (verdict == CHANGE) break;
    if (verdict == OUTLIER) remove(pixel, pixel.until);
    else addRow(pixel, pixel.until++);
  }
  append(
    pixel, dayAt(pixel, from), dayAt(pixel, pixel.until - 1), dayAt(pixel, breakAt), pixel.until - from,
    verdict == CHANGE ? 1 : 0, nCoefficient,
  );
}
