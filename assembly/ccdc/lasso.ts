// LASSO by cyclic coordinate descent on the Gram matrix, with scikit-learn's stopping rule: the iterates and the number of sweeps
// are part of the result. Two bands a vector; a lane that has stopped is frozen.
import { BLOCK_BYTES, CORRELATION, DONE, Fit, PARTIAL, MOST_STEP, MOST_WEIGHT, PADDING, SQUARES } from './state';

const TOLERANCE: f64 = 1e-4;

/** Products of feature k with what the other features leave: less `step` of feature j, by row j of the Gram matrix (0 for j itself). */
// @ts-ignore: decorator
@inline
function lower(block: usize, row: usize, k: usize, step: v128): void {
  const at = block + (k << 4);
  v128.store(at, f64x2.sub(v128.load(at, PARTIAL), f64x2.mul(v128.load64_splat(row + (k << 3)), step)), PARTIAL);
}

/** Minimises over coefficient j of a block's two lanes; `row` is that of the Gram matrix. */
// @ts-ignore: decorator
@inline
function descendOnce(block: usize, row: usize, j: i32, inverse: v128, lambda: v128, nFeature: i32): void {
  const at = block + (j << 4), old = v128.load(at), rho = v128.load(at, PARTIAL);
  const shrunk = f64x2.pmax(f64x2.sub(f64x2.abs(rho), lambda), f64x2.splat(0));
  const free = v128.or(f64x2.mul(shrunk, inverse), v128.and(rho, f64x2.splat(-0.0)));
  const next = v128.bitselect(old, free, v128.load(block, DONE)), step = f64x2.sub(next, old);
  v128.store(at, next);
  v128.store(block, f64x2.pmax(v128.load(block, MOST_STEP), f64x2.abs(step)), MOST_STEP);
  v128.store(block, f64x2.pmax(v128.load(block, MOST_WEIGHT), f64x2.abs(next)), MOST_WEIGHT);
  lower(block, row, 0, step);
  lower(block, row, 1, step);
  lower(block, row, 2, step);
  if (nFeature > 3) {
    lower(block, row, 3, step);
    lower(block, row, 4, step);
    if (nFeature > 5) {
      lower(block, row, 5, step);
      lower(block, row, 6, step);
    }
  }
}

/** Whether the duality gap of the lane at `band` (block + 8 * lane) is small enough to stop. */
function isClosed(fit: Fit, band: usize, lambda: f64): bool {
  const squares = load<f64>(band, SQUARES);
  let most: f64 = 0, l1: f64 = 0, withCorrelation: f64 = 0, withGradient: f64 = 0;
  for (let j = 0, p = band; j < fit.nFeature; j++, p += 16) {
    const w = load<f64>(p), g = load<f64>(p, PARTIAL) - load<f64>(fit.diagonal + (j << 3)) * w;
    most = max(most, abs(g));
    l1 += abs(w);
    withCorrelation += w * load<f64>(p, CORRELATION);
    withGradient += w * g;
  }
  const residual = squares - withCorrelation - withGradient;
  const scale = most > lambda ? lambda / most : 1.0;
  let gap = most > lambda ? 0.5 * (residual + residual * scale * scale) : residual;
  gap += lambda * l1 - scale * (squares - withCorrelation);
  return gap < TOLERANCE * squares;
}

/**
 * Fits the blocks of the vectors [from, until) on the Gram matrix of `n` observations, from zero: minimises
 * |y - Xw|²/2n + alpha |w|₁ until no coefficient moves by 1e-4 of the largest and the duality gap is below 1e-4 y'y.
 */
export function descend(fit: Fit, from: i32, until: i32, n: i32, alpha: f64, maxIter: i32): void {
  const nFeature = fit.nFeature, lambda = <f64>n * alpha, lambdas = f64x2.splat(lambda), zero = f64x2.splat(0);
  let end = fit.active;
  for (let v = from; v < until; v++, end += 4) {
    const block = fit.blocks + v * BLOCK_BYTES;
    memory.fill(block, 0, 112);
    memory.copy(block + PARTIAL, block + CORRELATION, 112);
    // A constant band has no coefficients; without this it would take all sweeps to say so.
    v128.store(block, v128.or(v128.load(block, PADDING), f64x2.le(v128.load(block, SQUARES), zero)), DONE);
    store<u32>(end, <u32>block);
  }
  let sweep = 0;
  while (end > fit.active && sweep < maxIter) {
    sweep++;
    for (let p = fit.active; p < end; p += 4) {
      v128.store(load<u32>(p), zero, MOST_STEP);
      v128.store(load<u32>(p), zero, MOST_WEIGHT);
    }
    for (let j = 0, row = fit.gram; j < nFeature; j++, row += 64) {
      const inverse = v128.load64_splat(fit.inverse + (j << 3));
      for (let p = fit.active; p < end; p += 4) descendOnce(load<u32>(p), row, j, inverse, lambdas, nFeature);
    }
    let kept = fit.active;
    for (let p = fit.active; p < end; p += 4) {
      const block = <usize>load<u32>(p), most = v128.load(block, MOST_WEIGHT);
      // A lane whose coefficients are all zero asks for the gap too.
      const moves = f64x2.ge(f64x2.div(v128.load(block, MOST_STEP), most), f64x2.splat(TOLERANCE));
      const isMoving = v128.and(moves, f64x2.gt(most, zero));
      let done = v128.load(block, DONE);
      const asks = v128.andnot(v128.not(isMoving), done);
      if (v128.any_true(asks)) {
        if (i64x2.extract_lane(asks, 0) && isClosed(fit, block, lambda)) done = i64x2.replace_lane(done, 0, -1);
        if (i64x2.extract_lane(asks, 1) && isClosed(fit, block + 8, lambda)) done = i64x2.replace_lane(done, 1, -1);
        v128.store(block, done, DONE);
      }
      if (!i64x2.all_true(done)) {
        store<u32>(kept, <u32>block);
        kept += 4;
      }
    }
    end = kept;
  }
  fit.nSweep = sweep;
}
