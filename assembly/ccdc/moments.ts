// Sums of products over a window of observations, kept up to date as the window moves, and the centred Gram matrix that they give.
import { BAND_MEAN, BLOCK_BYTES, CORRELATION, FEATURE_BYTES, Fit, Pixel, rowAt, SQUARES } from './state';

/** After so many rows were taken out the sums are formed anew: each removal leaves a rounding error behind. */
const MOST_DROPPED: i32 = 64;

/** Adds the row to the sums (sign 1) or takes it out (sign -1). */
function accumulate(pixel: Pixel, row: usize, sign: f64): void {
  const fit = pixel.fit, nVec = pixel.chip.nDetectionVec;
  const days = f64x2.replace_lane(f64x2.splat(0), 1, fit.origin);
  const f0 = f64x2.sub(v128.load(row), days), f1 = v128.load(row, 16), f2 = v128.load(row, 32), f3 = v128.load(row, 48);
  let to = fit.featureSums, bands = fit.bandSums;
  for (let i = 0; i < 8; i++, to += 64) {
    const value = i == 1 ? load<f64>(row, 8) - fit.origin : load<f64>(row + (i << 3));
    const x = f64x2.splat(sign * value);
    v128.store(to, f64x2.add(v128.load(to), f64x2.mul(x, f0)));
    v128.store(to, f64x2.add(v128.load(to, 16), f64x2.mul(x, f1)), 16);
    v128.store(to, f64x2.add(v128.load(to, 32), f64x2.mul(x, f2)), 32);
    v128.store(to, f64x2.add(v128.load(to, 48), f64x2.mul(x, f3)), 48);
    for (let v = 0, y = row + FEATURE_BYTES; v < nVec; v++, y += 16, bands += 16) {
      v128.store(bands, f64x2.add(v128.load(bands), f64x2.mul(x, v128.load(y))));
    }
  }
  const signs = f64x2.splat(sign);
  for (let v = 0, y = row + FEATURE_BYTES, squares = fit.squareSums; v < nVec; v++, y += 16, squares += 16) {
    const value = v128.load(y);
    v128.store(squares, f64x2.add(v128.load(squares), f64x2.mul(signs, f64x2.mul(value, value))));
  }
}

/** Forms the sums of the window [from, until) anew. */
export function sumWindow(pixel: Pixel, from: i32, until: i32): void {
  const fit = pixel.fit, nVec = pixel.chip.nDetectionVec;
  memory.fill(fit.featureSums, 0, 512);
  memory.fill(fit.bandSums, 0, nVec << 7);
  memory.fill(fit.squareSums, 0, nVec << 4);
  fit.origin = load<f64>(rowAt(pixel, from), 8);
  fit.nDropped = 0;
  for (let i = from; i < until; i++) accumulate(pixel, rowAt(pixel, i), 1);
}

export function addRow(pixel: Pixel, i: i32): void {
  accumulate(pixel, rowAt(pixel, i), 1);
}

export function dropRow(pixel: Pixel, i: i32): void {
  accumulate(pixel, rowAt(pixel, i), -1);
  pixel.fit.nDropped++;
}

/** The Gram matrix of the centred features, and the blocks' products with the detection bands. The sums are those of [from, until). */
export function centre(pixel: Pixel, from: i32, until: i32): void {
  const fit = pixel.fit, nVec = pixel.chip.nDetectionVec, n = <f64>(until - from);
  if (fit.nDropped > MOST_DROPPED) sumWindow(pixel, from, until);
  const sums = fit.featureSums, nFeature = fit.nFeature;
  for (let j = 0; j < nFeature; j++) {
    const sum = load<f64>(sums + ((j + 1) << 3)), mean = sum / n;
    store<f64>(fit.means + (j << 3), j == 0 ? fit.origin + mean : mean);
    for (let k = 0; k <= j; k++) {
      const product = load<f64>(sums + ((j + 1) << 6) + ((k + 1) << 3)) - mean * load<f64>(sums + ((k + 1) << 3));
      store<f64>(fit.gram + (j << 6) + (k << 3), product);
      store<f64>(fit.gram + (k << 6) + (j << 3), product);
    }
    const square = load<f64>(fit.gram + (j << 6) + (j << 3));
    store<f64>(fit.gram + (j << 6) + (j << 3), 0);
    store<f64>(fit.diagonal + (j << 3), square);
    store<f64>(fit.inverse + (j << 3), square > 0 ? 1.0 / square : 0);
  }
  for (let v = 0; v < nVec; v++) {
    const block = fit.blocks + v * BLOCK_BYTES, sum = v128.load(fit.bandSums + (v << 4));
    const mean = f64x2.div(sum, f64x2.splat(n));
    v128.store(block, mean, BAND_MEAN);
    v128.store(block, f64x2.sub(v128.load(fit.squareSums + (v << 4)), f64x2.mul(sum, mean)), SQUARES);
    for (let j = 0; j < nFeature; j++) {
      const products = v128.load(fit.bandSums + (((j + 1) * nVec + v) << 4));
      v128.store(block + (j << 4), f64x2.sub(products, f64x2.mul(v128.load64_splat(sums + ((j + 1) << 3)), mean)), CORRELATION);
    }
  }
}

/** Products of the window's centred features with the bands of a vector that has no sums of its own. The Gram matrix stands. */
export function correlate(pixel: Pixel, v: i32): void {
  const fit = pixel.fit, block = fit.blocks + v * BLOCK_BYTES, n = fit.count, nFeature = fit.nFeature;
  const column = FEATURE_BYTES + (v << 4);
  let sum = f64x2.splat(0);
  for (let i = 0; i < n; i++) sum = f64x2.add(sum, v128.load(rowAt(pixel, fit.from + i) + column));
  const mean = f64x2.div(sum, f64x2.splat(<f64>n));
  let squares = f64x2.splat(0);
  memory.fill(block + CORRELATION, 0, 112);
  for (let i = 0; i < n; i++) {
    const row = rowAt(pixel, fit.from + i), y = f64x2.sub(v128.load(row + column), mean);
    squares = f64x2.add(squares, f64x2.mul(y, y));
    for (let j = 0; j < nFeature; j++) {
      const x = f64x2.splat(load<f64>(row + ((j + 1) << 3)) - load<f64>(fit.means + (j << 3)));
      const at = block + (j << 4);
      v128.store(at, f64x2.add(v128.load(at, CORRELATION), f64x2.mul(x, y)), CORRELATION);
    }
  }
  v128.store(block, mean, BAND_MEAN);
  v128.store(block, squares, SQUARES);
}
