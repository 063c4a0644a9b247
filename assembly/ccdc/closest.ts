// The observations of the fitted window that are closest in day of year to another, and the RMSE of the model at those.
import { BLOCK_BYTES, Pixel, RMSE } from './state';

/** How many are taken, and by what the root of their squares is divided: sqrt(24 - 8). */
const N_CLOSEST: i32 = 24;
const DIVISOR: f64 = 4;
/** Quarter days of 365.25 days, in which the distance on the circle of the year is whole. */
const YEAR_QUARTERS: i32 = 1461;
export const N_KEY: i32 = 731;

/**
 * Writes u16[count] keys of the live observations from `from` (distance in quarter days to live observation `reference` on the
 * circle of the year) and finds the largest key that is taken; returns how many are taken of those that have it, first ones first.
 */
function rank(pixel: Pixel, from: i32, count: i32, reference: i32, cut: usize): i32 {
  const phases = pixel.chip.phases, histogram = pixel.histogram, keys = pixel.keys;
  const own = <i32>load<u16>(phases + (load<i32>(pixel.dates + (load<i32>(pixel.live + (reference << 2)) << 2)) << 1));
  memory.fill(histogram, 0, N_KEY << 1);
  for (let i = 0; i < count; i++) {
    const date = load<i32>(pixel.dates + (load<i32>(pixel.live + ((from + i) << 2)) << 2));
    const apart = abs(<i32>load<u16>(phases + (date << 1)) - own), key = min(apart, YEAR_QUARTERS - apart);
    store<u16>(keys + (i << 1), <u16>key);
    const at = histogram + (key << 1);
    store<u16>(at, load<u16>(at) + 1);
  }
  const wanted = min(N_CLOSEST, count);
  let below = 0, key = 0;
  for (;;) {
    const here = <i32>load<u16>(histogram + (key << 1));
    if (below + here >= wanted) break;
    below += here;
    key++;
  }
  store<i32>(cut, key);
  return wanted - below;
}

/** Whether the observation with this key is taken; `left` counts down those at the cut. */
// @ts-ignore: decorator
@inline
function isTaken(key: i32, cut: i32, left: i32): bool {
  return key < cut || (key == cut && left > 0);
}

// u8[count] flags of the closest 24 of live observations [from, from + count) to observation `reference`
export function flagClosest(pixel: Pixel, from: i32, count: i32, reference: i32, flags: usize): void {
  let left = rank(pixel, from, count, reference, pixel.scratch);
  const cut = load<i32>(pixel.scratch);
  for (let i = 0; i < count; i++) {
    const key = <i32>load<u16>(pixel.keys + (i << 1)), taken = isTaken(key, cut, left);
    if (taken && key == cut) left--;
    store<u8>(flags + i, <u8>taken);
  }
}

/** Writes the comparison RMSE of the detection bands for a peek whose last observation is `reference`. */
export function compareClosest(pixel: Pixel, reference: i32): void {
  const fit = pixel.fit, nVec = pixel.chip.nDetectionVec, to = pixel.comparison;
  let left = rank(pixel, fit.from, fit.count, reference, pixel.scratch);
  const cut = load<i32>(pixel.scratch);
  memory.fill(to, 0, nVec << 4);
  for (let i = 0; i < fit.count; i++) {
    const key = <i32>load<u16>(pixel.keys + (i << 1));
    if (!isTaken(key, cut, left)) continue;
    if (key == cut) left--;
    for (let v = 0; v < nVec; v++) {
      const r = v128.load(fit.residuals + ((i * nVec + v) << 4));
      v128.store(to + (v << 4), f64x2.add(v128.load(to + (v << 4)), f64x2.mul(r, r)));
    }
  }
  for (let v = 0; v < nVec; v++) {
    v128.store(to + (v << 4), f64x2.div(f64x2.sqrt(v128.load(to + (v << 4))), f64x2.splat(DIVISOR)));
  }
}

/** Takes the models' own RMSE for comparison. */
export function compareModels(pixel: Pixel): void {
  for (let v = 0; v < pixel.chip.nDetectionVec; v++) v128.store(pixel.comparison + (v << 4), v128.load(pixel.fit.blocks + v * BLOCK_BYTES, RMSE));
}
