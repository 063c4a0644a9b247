// The geometric median of one pixel in f64, for those which the f32 lanes leave open: Newton steps with a line search, and
// Vardi and Zhang's test (2000) of the nearest observation. Slow and safe.

/** Bytes of scratch for `finish`. */
export function finishScratch(nBand: usize): usize {
  return (nBand * (nBand + 5) + 5) * 8;
}

const MOST_STEPS: i32 = 200, MOST_HALVINGS: i32 = 48;
/** Newton's steps shrink quadratically; the last one is this share of eps. */
const LAST_STEP: f64 = 1e-3;
/** Share of the sum of weights that is added to the Hessian: collinear observations make it singular. */
const RIDGE: f64 = 1e-9;

// rows f32[nRow][nBand + 1][4 lanes] (values, then 1 or 0) from `rows` + lane * 4; y f64[nBand]: the start, then the solution
export function finish(rows: usize, end: usize, nBand: usize, eps: f64, y: usize): void {
  const gradient = y + nBand * 8, step = gradient + nBand * 8, trial = step + nBand * 8, point = trial + nBand * 8;
  const hessian = point + nBand * 8, sums = hessian + nBand * nBand * 8;
  let tested: usize = 0;
  for (let i: i32 = 0; i < MOST_STEPS; i++) {
    const nearest = expand(rows, end, nBand, y, gradient, hessian, sums);
    if (nearest != tested) {
      tested = nearest;
      for (let b: usize = 0; b < nBand; b++) store<f64>(point + (b << 3), <f64>load<f32>(nearest + (b << 4)));
      // The observation itself is the median when the others pull at it no harder than its own multiplicity.
      const force = pull(rows, end, nBand, point, step, sums), own = load<f64>(sums, 8);
      if (force <= own) {
        copy(y, point, nBand);
        return;
      }
      // Otherwise Vardi and Zhang's step leads away from it, out of the kink in which other steps are tiny.
      const share = (1 - own / force) / load<f64>(sums, 16);
      for (let b: usize = 0; b < nBand; b++) {
        store<f64>(trial + (b << 3), load<f64>(point + (b << 3)) + share * load<f64>(step + (b << 3)));
      }
      if (sumOfDistances(rows, end, nBand, trial) < load<f64>(sums)) {
        copy(y, trial, nBand);
        continue;
      }
    }
    const objective = load<f64>(sums), weights = load<f64>(sums, 32);
    if (!descend(nBand, gradient, hessian, weights, step)) copy(step, gradient, nBand, 1 / weights);
    let size = lineSearch(rows, end, nBand, objective, y, step, trial, eps * LAST_STEP * LAST_STEP);
    if (size < 0) {
      copy(step, gradient, nBand, 1 / weights);
      size = lineSearch(rows, end, nBand, objective, y, step, trial, eps * LAST_STEP * LAST_STEP);
    }
    // No step in either direction lowers the objective in f64: this is the minimum.
    if (size < eps * LAST_STEP) return;
  }
}

/** Moves y to the first of y + step, y + step / 2, ... with a lower objective; returns the length moved, or -1 when they are below `least`. */
function lineSearch(
  rows: usize, end: usize, nBand: usize, objective: f64, y: usize, step: usize, trial: usize, least: f64,
): f64 {
  let length = norm(step, nBand), share: f64 = 1;
  for (let i: i32 = 0; i < MOST_HALVINGS && length >= least; i++, share *= 0.5, length *= 0.5) {
    for (let b: usize = 0; b < nBand; b++) {
      store<f64>(trial + (b << 3), load<f64>(y + (b << 3)) + share * load<f64>(step + (b << 3)));
    }
    if (sumOfDistances(rows, end, nBand, trial) < objective) {
      copy(y, trial, nBand);
      return length;
    }
  }
  return -1;
}

function distance(row: usize, nBand: usize, y: usize): f64 {
  let sum: f64 = 0;
  for (let b: usize = 0; b < nBand; b++) {
    const e = <f64>load<f32>(row + (b << 4)) - load<f64>(y + (b << 3));
    sum += e * e;
  }
  return Math.sqrt(sum);
}

function sumOfDistances(rows: usize, end: usize, nBand: usize, y: usize): f64 {
  let sum: f64 = 0;
  for (let r = rows; r < end; r += (nBand + 1) << 4) {
    if (load<f32>(r + (nBand << 4)) > 0) sum += distance(r, nBand, y);
  }
  return sum;
}

/** Sum of the unit vectors from y to the observations elsewhere -> force; its length is returned. sums[1] = observations at y, sums[2] = sum of 1 / distance. */
function pull(rows: usize, end: usize, nBand: usize, y: usize, force: usize, sums: usize): f64 {
  let same: f64 = 0, weights: f64 = 0;
  for (let b: usize = 0; b < nBand; b++) store<f64>(force + (b << 3), 0);
  for (let r = rows; r < end; r += (nBand + 1) << 4) {
    if (!(load<f32>(r + (nBand << 4)) > 0)) continue;
    const d = distance(r, nBand, y);
    if (d == 0) {
      same++;
      continue;
    }
    weights += 1 / d;
    for (let b: usize = 0; b < nBand; b++) {
      add(force + (b << 3), (<f64>load<f32>(r + (b << 4)) - load<f64>(y + (b << 3))) / d);
    }
  }
  store<f64>(sums, same, 8);
  store<f64>(sums, weights, 16);
  return norm(force, nBand);
}

/** Objective, descent direction and Hessian (lower triangle) at y; sums[0] = objective, sums[4] = sum of weights. Returns the nearest row. */
function expand(rows: usize, end: usize, nBand: usize, y: usize, gradient: usize, hessian: usize, sums: usize): usize {
  let objective: f64 = 0, weights: f64 = 0, least: f64 = Infinity, nearest: usize = 0;
  memory.fill(gradient, 0, nBand << 3);
  memory.fill(hessian, 0, (nBand * nBand) << 3);
  for (let r = rows; r < end; r += (nBand + 1) << 4) {
    if (!(load<f32>(r + (nBand << 4)) > 0)) continue;
    const d = distance(r, nBand, y);
    objective += d;
    if (d < least) {
      least = d;
      nearest = r;
    }
    if (d == 0) continue;
    const w = 1 / d, cube = w * w * w;
    weights += w;
    for (let b: usize = 0; b < nBand; b++) {
      const e = <f64>load<f32>(r + (b << 4)) - load<f64>(y + (b << 3));
      add(gradient + (b << 3), w * e);
      const line = hessian + ((b * nBand) << 3);
      add(line + (b << 3), w);
      for (let c: usize = 0; c <= b; c++) {
        add(line + (c << 3), -cube * e * (<f64>load<f32>(r + (c << 4)) - load<f64>(y + (c << 3))));
      }
    }
  }
  store<f64>(sums, objective);
  store<f64>(sums, weights, 32);
  return nearest;
}

/** Solves (hessian + ridge) step = gradient by Cholesky, in place; false when it is not positive definite. */
function descend(n: usize, gradient: usize, hessian: usize, weights: f64, step: usize): bool {
  for (let i: usize = 0; i < n; i++) {
    const row = hessian + ((i * n) << 3);
    for (let j: usize = 0; j <= i; j++) {
      const other = hessian + ((j * n) << 3);
      let sum = load<f64>(row + (j << 3));
      if (i == j) sum += weights * RIDGE;
      for (let k: usize = 0; k < j; k++) sum -= load<f64>(row + (k << 3)) * load<f64>(other + (k << 3));
      if (i == j) {
        if (!(sum > 0)) return false;
        store<f64>(row + (j << 3), Math.sqrt(sum));
      } else store<f64>(row + (j << 3), sum / load<f64>(other + (j << 3)));
    }
  }
  for (let i: usize = 0; i < n; i++) {
    let sum = load<f64>(gradient + (i << 3));
    for (let k: usize = 0; k < i; k++) sum -= load<f64>(hessian + ((i * n + k) << 3)) * load<f64>(step + (k << 3));
    store<f64>(step + (i << 3), sum / load<f64>(hessian + ((i * n + i) << 3)));
  }
  for (let i = <isize>n - 1; i >= 0; i--) {
    let sum = load<f64>(step + (i << 3));
    for (let k = <usize>i + 1; k < n; k++) sum -= load<f64>(hessian + ((k * n + i) << 3)) * load<f64>(step + (k << 3));
    store<f64>(step + (i << 3), sum / load<f64>(hessian + ((i * n + i) << 3)));
  }
  return true;
}

// @ts-ignore: decorator
@inline
function add(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}

function copy(to: usize, from: usize, n: usize, factor: f64 = 1): void {
  for (let b: usize = 0; b < n; b++) store<f64>(to + (b << 3), factor * load<f64>(from + (b << 3)));
}

function norm(v: usize, n: usize): f64 {
  let sum: f64 = 0;
  for (let b: usize = 0; b < n; b++) sum += load<f64>(v + (b << 3)) * load<f64>(v + (b << 3));
  return Math.sqrt(sum);
}
