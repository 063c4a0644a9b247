// Robust regression on five columns (a constant and four of a design): iteratively re-weighted least squares with Tukey's bisquare,
// step by step as statsmodels' RLM with its residuals scaled for leverage. Two bands a vector.
import { select } from '../select';

const EPSILON: f64 = 2.220446049250313e-16;
const BISQUARE: f64 = 4.685, NORMAL_MAD: f64 = 0.6745;
const MOST_LEVERAGE: f64 = 0.9999, CONVERGED: f64 = 1e-8;
/** The smallest residuals are left out of the deviation: as many as there are coefficients, but one. */
const LEFT_OUT: i32 = 4;
/** A pivot below this part of its diagonal makes its column a combination of those before. */
const LEAST_PIVOT: f64 = 1e-13;

/** Scratch after which comes nothing else: scales, residuals, weights v128[n], f64[n] to select in, the normal equations. */
export function robustScratch(n: usize): usize {
  return n * 56 + 1024;
}

/**
 * Normal equations of the weighted rows (scale factors squared), solved by Cholesky's method. system: v128[15] lower triangle by rows
 * (columns 1, then the design's), v128[5] right side and then the solution, v128[5] inverse pivots.
 */
function solveNormal(design: usize, values: usize, weights: usize, n: i32, system: usize): void {
  const zero = f64x2.splat(0);
  let m00 = zero, m10 = zero, m11 = zero, m20 = zero, m21 = zero, m22 = zero, m30 = zero, m31 = zero, m32 = zero, m33 = zero;
  for (let i = 0, x = design, w = weights; i < n; i++, x += 32, w += 16) {
    const weight = v128.load(w);
    const x1 = v128.load64_splat(x), x2 = v128.load64_splat(x, 8), x3 = v128.load64_splat(x, 16);
    const w1 = f64x2.mul(weight, x1), w2 = f64x2.mul(weight, x2), w3 = f64x2.mul(weight, x3);
    m00 = f64x2.add(m00, weight);
    m10 = f64x2.add(m10, w1);
    m11 = f64x2.add(m11, f64x2.mul(w1, x1));
    m20 = f64x2.add(m20, w2);
    m21 = f64x2.add(m21, f64x2.mul(w2, x1));
    m22 = f64x2.add(m22, f64x2.mul(w2, x2));
    m30 = f64x2.add(m30, w3);
    m31 = f64x2.add(m31, f64x2.mul(w3, x1));
    m32 = f64x2.add(m32, f64x2.mul(w3, x2));
    m33 = f64x2.add(m33, f64x2.mul(w3, x3));
  }
  v128.store(system, m00);
  v128.store(system, m10, 16);
  v128.store(system, m11, 32);
  v128.store(system, m20, 48);
  v128.store(system, m21, 64);
  v128.store(system, m22, 80);
  v128.store(system, m30, 96);
  v128.store(system, m31, 112);
  v128.store(system, m32, 128);
  v128.store(system, m33, 144);
  let m40 = zero, m41 = zero, m42 = zero, m43 = zero, m44 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero;
  for (let i = 0, x = design, w = weights, y = values; i < n; i++, x += 32, w += 16, y += 16) {
    const weight = v128.load(w), x1 = v128.load64_splat(x), x2 = v128.load64_splat(x, 8), x3 = v128.load64_splat(x, 16), x4 = v128.load64_splat(x, 24);
    const w4 = f64x2.mul(weight, x4), wy = f64x2.mul(weight, v128.load(y));
    m40 = f64x2.add(m40, w4);
    m41 = f64x2.add(m41, f64x2.mul(w4, x1));
    m42 = f64x2.add(m42, f64x2.mul(w4, x2));
    m43 = f64x2.add(m43, f64x2.mul(w4, x3));
    m44 = f64x2.add(m44, f64x2.mul(w4, x4));
    b0 = f64x2.add(b0, wy);
    b1 = f64x2.add(b1, f64x2.mul(wy, x1));
    b2 = f64x2.add(b2, f64x2.mul(wy, x2));
    b3 = f64x2.add(b3, f64x2.mul(wy, x3));
    b4 = f64x2.add(b4, f64x2.mul(wy, x4));
  }
  v128.store(system, m40, 160);
  v128.store(system, m41, 176);
  v128.store(system, m42, 192);
  v128.store(system, m43, 208);
  v128.store(system, m44, 224);
  v128.store(system, b0, 240);
  v128.store(system, b1, 256);
  v128.store(system, b2, 272);
  v128.store(system, b3, 288);
  v128.store(system, b4, 304);
  factor(system);
}

/** Row i of a lower triangle of vectors. */
// @ts-ignore: decorator
@inline
function triangle(system: usize, i: i32): usize {
  return system + (((i * (i + 1)) >> 1) << 4);
}

/** Factors the triangle in place and solves for the right side. A dependent column gets the coefficient 0. */
function factor(system: usize): void {
  const right = system + 240, pivots = system + 320, zero = f64x2.splat(0), one = f64x2.splat(1);
  for (let j = 0; j < 5; j++) {
    const rowJ = triangle(system, j), whole = v128.load(rowJ + (j << 4));
    let pivot = whole;
    for (let k = 0; k < j; k++) {
      const l = v128.load(rowJ + (k << 4));
      pivot = f64x2.sub(pivot, f64x2.mul(l, l));
    }
    const isFree = v128.and(f64x2.gt(pivot, f64x2.mul(whole, f64x2.splat(LEAST_PIVOT))), f64x2.gt(pivot, zero));
    const inverse = v128.and(f64x2.div(one, f64x2.sqrt(pivot)), isFree);
    v128.store(pivots + (j << 4), inverse);
    for (let i = j + 1; i < 5; i++) {
      const rowI = triangle(system, i);
      let sum = v128.load(rowI + (j << 4));
      for (let k = 0; k < j; k++) sum = f64x2.sub(sum, f64x2.mul(v128.load(rowI + (k << 4)), v128.load(rowJ + (k << 4))));
      v128.store(rowI + (j << 4), f64x2.mul(sum, inverse));
    }
    let b = v128.load(right + (j << 4));
    for (let k = 0; k < j; k++) b = f64x2.sub(b, f64x2.mul(v128.load(rowJ + (k << 4)), v128.load(right + (k << 4))));
    v128.store(right + (j << 4), f64x2.mul(b, inverse));
  }
  for (let j = 4; j >= 0; j--) {
    let b = v128.load(right + (j << 4));
    for (let i = j + 1; i < 5; i++) b = f64x2.sub(b, f64x2.mul(v128.load(triangle(system, i) + (j << 4)), v128.load(right + (i << 4))));
    v128.store(right + (j << 4), f64x2.mul(b, v128.load(pivots + (j << 4))));
  }
}

/** What each row is multiplied by for its leverage, 1/sqrt(1 - h): h from the factor of the unweighted normal equations. */
function writeScales(design: usize, n: i32, system: usize, scales: usize): void {
  const pivots = system + 320;
  for (let i = 0, x = design; i < n; i++, x += 32) {
    const z0 = load<f64>(pivots);
    const z1 = (load<f64>(x) - load<f64>(system, 16) * z0) * load<f64>(pivots, 16);
    const z2 = (load<f64>(x, 8) - load<f64>(system, 48) * z0 - load<f64>(system, 64) * z1) * load<f64>(pivots, 32);
    const z3 = (load<f64>(x, 16) - load<f64>(system, 96) * z0 - load<f64>(system, 112) * z1 - load<f64>(system, 128) * z2) * load<f64>(pivots, 48);
    const z4 = (load<f64>(x, 24) - load<f64>(system, 160) * z0 - load<f64>(system, 176) * z1 - load<f64>(system, 192) * z2 - load<f64>(system, 208) * z3) * load<f64>(pivots, 64);
    const leverage = z0 * z0 + z1 * z1 + z2 * z2 + z3 * z3 + z4 * z4;
    v128.store(scales + (i << 4), f64x2.splat(1.0 / sqrt(1.0 - min(leverage, MOST_LEVERAGE))));
  }
}

/** |residuals| from the solution v128[5] at `beta`. */
export function writeResiduals(design: usize, values: usize, n: i32, beta: usize, residuals: usize): void {
  const b0 = v128.load(beta), b1 = v128.load(beta, 16), b2 = v128.load(beta, 32), b3 = v128.load(beta, 48), b4 = v128.load(beta, 64);
  for (let i = 0, x = design, y = values, to = residuals; i < n; i++, x += 32, y += 16, to += 16) {
    const yearly = f64x2.add(f64x2.mul(b1, v128.load64_splat(x)), f64x2.mul(b2, v128.load64_splat(x, 8)));
    const slow = f64x2.add(f64x2.mul(b3, v128.load64_splat(x, 16)), f64x2.mul(b4, v128.load64_splat(x, 24)));
    v128.store(to, f64x2.abs(f64x2.sub(v128.load(y), f64x2.add(f64x2.add(yearly, slow), b0))));
  }
}

/** Up to so many values every one is compared with every other, two lanes at once: that is faster than to part them. */
const FEW: i32 = 48;

/** The values of the two ranks of each lane of v128[n], their mean. Of equal values the earlier has the lower rank. */
function meanOfRanks(values: usize, n: i32, low: i32, high: i32): v128 {
  const end = values + (n << 4), lowRank = i64x2.splat(low), highRank = i64x2.splat(high);
  let lower = f64x2.splat(0), upper = lower;
  for (let p = values; p < end; p += 16) {
    const value = v128.load(p);
    let rank = i64x2.splat(0);
    // A comparison that holds is -1.
    for (let q = values; q < p; q += 16) rank = i64x2.sub(rank, f64x2.le(v128.load(q), value));
    for (let q = p + 16; q < end; q += 16) rank = i64x2.sub(rank, f64x2.lt(v128.load(q), value));
    lower = v128.bitselect(value, lower, i64x2.eq(rank, lowRank));
    upper = v128.bitselect(value, upper, i64x2.eq(rank, highRank));
  }
  return f64x2.mul(f64x2.splat(0.5), f64x2.add(lower, upper));
}

/** The same for one lane of many values, parted in f64[n] at `sorted`. */
function meanOfRanksParted(values: usize, n: i32, low: i32, high: i32, sorted: usize): f64 {
  for (let i = 0; i < n; i++) store<f64>(sorted + (i << 3), load<f64>(values + (i << 4)));
  const upper = select(sorted, n, high);
  let lower = low == high ? upper : load<f64>(sorted);
  if (low < high) for (let i = 1; i < high; i++) lower = max(lower, load<f64>(sorted + (i << 3)));
  return 0.5 * (lower + upper);
}

/** The deviation of each lane of |r| v128[n]: the median without the smallest four, over 0.6745. */
function deviation(residuals: usize, n: i32, sorted: usize): v128 {
  const high = LEFT_OUT + ((n - LEFT_OUT) >> 1), low = LEFT_OUT + ((n - LEFT_OUT - 1) >> 1), scale = f64x2.splat(NORMAL_MAD);
  if (n <= FEW) return f64x2.div(meanOfRanks(residuals, n, low, high), scale);
  const first = meanOfRanksParted(residuals, n, low, high, sorted), second = meanOfRanksParted(residuals + 8, n, low, high, sorted);
  return f64x2.div(f64x2.replace_lane(f64x2.splat(first), 1, second), scale);
}

/** The population standard deviation of each lane of v128[n]. */
function spread(values: usize, n: i32): v128 {
  const count = f64x2.splat(<f64>n);
  let sum = f64x2.splat(0), squares = sum;
  for (let i = 0; i < n; i++) sum = f64x2.add(sum, v128.load(values + (i << 4)));
  const mean = f64x2.div(sum, count);
  for (let i = 0; i < n; i++) {
    const off = f64x2.sub(v128.load(values + (i << 4)), mean);
    squares = f64x2.add(squares, f64x2.mul(off, off));
  }
  return f64x2.sqrt(f64x2.div(squares, count));
}

/** Tukey's weights of scaled |r| / s. */
function writeWeights(residuals: usize, n: i32, s: v128, weights: usize): void {
  const one = f64x2.splat(1), unit = f64x2.mul(s, f64x2.splat(BISQUARE));
  for (let i = 0; i < n; i++) {
    const u = f64x2.div(v128.load(residuals + (i << 4)), unit), rest = f64x2.sub(one, f64x2.mul(u, u));
    v128.store(weights + (i << 4), v128.and(f64x2.mul(rest, rest), f64x2.lt(u, one)));
  }
}

/**
 * f64[n][4] design, v128[n] values -> v128[5] coefficients: constant, design. At most `nRounds` re-weightings; a lane is done when no
 * coefficient grew by more than 1e-8 (one that fell does not count: statsmodels' test is signed). `share` is the part of the growth of
 * the first two columns that counts: a half when they stand for two equal pairs, of which the second is left zero.
 */
export function robustFit(design: usize, values: usize, n: i32, nRounds: i32, share: f64, scratch: usize, beta: usize): void {
  const scales = scratch, residuals = scales + (n << 4), weights = residuals + (n << 4), sorted = weights + (n << 4);
  const system = (sorted + (n << 3) + 15) & ~15, solution = system + 240;
  for (let i = 0; i < n; i++) v128.store(weights + (i << 4), f64x2.splat(1));
  solveNormal(design, values, weights, n, system);
  memory.copy(beta, solution, 80);
  writeScales(design, n, system, scales);
  writeResiduals(design, values, n, beta, residuals);
  let done = f64x2.lt(deviation(residuals, n, sorted), f64x2.splat(EPSILON));
  const least = f64x2.mul(spread(values, n), f64x2.splat(EPSILON));
  for (let round = 0; round < nRounds && !i64x2.all_true(done); round++) {
    for (let p = residuals, q = scales; p < weights; p += 16, q += 16) v128.store(p, f64x2.mul(v128.load(p), v128.load(q)));
    const s = f64x2.pmax(least, deviation(residuals, n, sorted));
    writeWeights(residuals, n, s, weights);
    solveNormal(design, values, weights, n, system);
    let grows = f64x2.splat(0);
    for (let j = 0; j < 80; j += 16) {
      const old = v128.load(beta + j), next = v128.load(solution + j);
      const counted = j == 16 || j == 32 ? share : 1;
      grows = v128.or(grows, f64x2.gt(f64x2.mul(f64x2.sub(next, old), f64x2.splat(counted)), f64x2.splat(CONVERGED)));
      v128.store(beta + j, v128.bitselect(old, next, done));
    }
    done = v128.or(done, v128.not(grows));
    if (round + 1 < nRounds) writeResiduals(design, values, n, beta, residuals);
  }
}
