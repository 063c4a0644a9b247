// Models: LASSO fits of a window, their residuals and RMSE.
import { descend } from './lasso';
import { centre, correlate, sumWindow } from './moments';
import { BAND_MEAN, BLOCK_BYTES, FEATURE_BYTES, Fit, INTERCEPT, Pixel, RMSE, rowAt } from './state';

/** What the model of a block says for a row. */
// @ts-ignore: decorator
@inline
export function predicted(block: usize, row: usize, nFeature: i32): v128 {
  let sum = f64x2.add(v128.load(block, INTERCEPT), f64x2.mul(v128.load(block), v128.load64_splat(row, 8)));
  sum = f64x2.add(sum, f64x2.mul(v128.load(block, 16), v128.load64_splat(row, 16)));
  sum = f64x2.add(sum, f64x2.mul(v128.load(block, 32), v128.load64_splat(row, 24)));
  if (nFeature > 3) {
    sum = f64x2.add(sum, f64x2.mul(v128.load(block, 48), v128.load64_splat(row, 32)));
    sum = f64x2.add(sum, f64x2.mul(v128.load(block, 64), v128.load64_splat(row, 40)));
    if (nFeature > 5) {
      sum = f64x2.add(sum, f64x2.mul(v128.load(block, 80), v128.load64_splat(row, 48)));
      sum = f64x2.add(sum, f64x2.mul(v128.load(block, 96), v128.load64_splat(row, 56)));
    }
  }
  return sum;
}

/** Observed less predicted of vector v. */
// @ts-ignore: decorator
@inline
export function residual(fit: Fit, row: usize, v: i32): v128 {
  return f64x2.sub(v128.load(row + FEATURE_BYTES + (v << 4)), predicted(fit.blocks + v * BLOCK_BYTES, row, fit.nFeature));
}

/** Intercepts and RMSE of the vectors [from, until), and the residuals of those of the detection bands. */
function finish(pixel: Pixel, from: i32, until: i32): void {
  const fit = pixel.fit, n = fit.count, nFeature = fit.nFeature, nKept = pixel.chip.nDetectionVec;
  for (let v = from; v < until; v++) {
    const block = fit.blocks + v * BLOCK_BYTES;
    let intercept = v128.load(block, BAND_MEAN);
    for (let j = 0; j < nFeature; j++) {
      intercept = f64x2.sub(intercept, f64x2.mul(v128.load(block + (j << 4)), v128.load64_splat(fit.means + (j << 3))));
    }
    v128.store(block, intercept, INTERCEPT);
    let squares = f64x2.splat(0);
    for (let i = 0, to = fit.residuals + (v << 4); i < n; i++, to += nKept << 4) {
      const r = residual(fit, rowAt(pixel, fit.from + i), v);
      squares = f64x2.add(squares, f64x2.mul(r, r));
      if (v < nKept) v128.store(to, r);
    }
    v128.store(block, f64x2.sqrt(f64x2.div(squares, f64x2.splat(<f64>(n - fit.nCoefficient)))), RMSE);
  }
}

/**
 * Fits the detection bands on the window [from, until), whose sums stand in the fit. The same window with as many coefficients is
 * not fitted again.
 */
export function fitDetection(pixel: Pixel, from: i32, until: i32, nCoefficient: i32): void {
  const fit = pixel.fit, chip = pixel.chip, count = until - from;
  const firstRow = load<i32>(pixel.live + (from << 2)), lastRow = load<i32>(pixel.live + ((until - 1) << 2));
  fit.from = from;
  if (fit.count == count && fit.firstRow == firstRow && fit.lastRow == lastRow && fit.nCoefficient == nCoefficient) return;
  fit.count = count;
  fit.firstRow = firstRow;
  fit.lastRow = lastRow;
  fit.nCoefficient = nCoefficient;
  fit.nFeature = nCoefficient - 1;
  centre(pixel, from, until);
  descend(fit, 0, chip.nDetectionVec, count, chip.alpha, chip.lassoMaxIter);
  finish(pixel, 0, chip.nDetectionVec);
}

/** Fits the other bands as the detection bands were fitted last: for a model that is reported. */
export function fitOthers(pixel: Pixel): void {
  const fit = pixel.fit, chip = pixel.chip;
  if (chip.nVec == chip.nDetectionVec) return;
  for (let v = chip.nDetectionVec; v < chip.nVec; v++) correlate(pixel, v);
  descend(fit, chip.nDetectionVec, chip.nVec, fit.count, chip.alpha, chip.lassoMaxIter);
  finish(pixel, chip.nDetectionVec, chip.nVec);
}

/** Fits all bands on a window of its own. The sums are then those of this window. */
export function fitAll(pixel: Pixel, from: i32, until: i32, nCoefficient: i32): void {
  sumWindow(pixel, from, until);
  fitDetection(pixel, from, until, nCoefficient);
  fitOthers(pixel);
}
