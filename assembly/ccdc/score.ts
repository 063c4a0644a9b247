// How far an observation lies from the models, in units of noise.
import { residual } from './model';
import { Pixel, rowAt } from './state';

/** The sum of the two lanes. */
// @ts-ignore: decorator
@inline
export function bothLanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/**
 * Sum over the detection bands of (residual / noise)². The noise is the larger of variogram and comparison RMSE, or the variogram
 * alone: never less than the score proper.
 */
// @ts-ignore: decorator
@inline
function sumOfSquares(pixel: Pixel, i: i32, compares: bool): f64 {
  const row = rowAt(pixel, i), fit = pixel.fit, nVec = pixel.chip.nDetectionVec;
  let sum = f64x2.splat(0);
  for (let v = 0; v < nVec; v++) {
    let noise = v128.load(pixel.noise + (v << 4));
    if (compares) noise = f64x2.pmax(noise, v128.load(pixel.comparison + (v << 4)));
    const z = f64x2.div(residual(fit, row, v), noise);
    sum = f64x2.add(sum, f64x2.mul(z, z));
  }
  return bothLanes(sum);
}

export function scoreBound(pixel: Pixel, i: i32): f64 {
  return sumOfSquares(pixel, i, false);
}

export function score(pixel: Pixel, i: i32): f64 {
  return sumOfSquares(pixel, i, true);
}
