// Tmask: a robust fit of a window in the chosen bands, and the observations that lie far from it.
import { cosine_sine } from '../sine';
import { robustFit, robustScratch, writeResiduals } from './robust';
import { Chip, dayAt, FEATURE_BYTES, Pixel, rowAt } from './state';

/** statsmodels counts its 5 iterations from 1. */
const MOST_ROUNDS: i32 = 4;

/** Bytes of scratch: f64[n][4] design, v128[n] values, v128[5] coefficients, and what the fit takes. */
export function tmaskScratch(nTime: usize): usize {
  return nTime * 48 + 80 + robustScratch(nTime);
}

/** The table of the cycle of `years` years, of which NaN entries are not computed yet; 0 when there is none of so long a cycle. */
function slowCycle(chip: Chip, years: i32): usize {
  if (years >= chip.nSlow) return 0;
  const table = chip.slow + (<usize>(years * chip.nTime) << 4);
  if (!load<u8>(chip.slowReady + years)) {
    memory.fill(table, 0xff, <usize>chip.nTime << 4);
    store<u8>(chip.slowReady + years, 1);
  }
  return table;
}

/** The design of the window: cos and sin of a year, of the slow cycle (0 when that is a year too). */
function writeDesign(pixel: Pixel, from: i32, until: i32, years: i32, design: usize): void {
  const table = years > 1 ? slowCycle(pixel.chip, years) : 0;
  const cycle = 6.283185307179586 / pixel.chip.avgDaysYr / <f64>years;
  for (let i = from, to = design; i < until; i++, to += 32) {
    v128.store(to, v128.load(rowAt(pixel, i), 16));
    if (years == 1) {
      v128.store(to, f64x2.splat(0), 16);
      continue;
    }
    const kept = table ? table + (load<i32>(pixel.dates + (load<i32>(pixel.live + (i << 2)) << 2)) << 4) : to + 16;
    if (!table || isNaN(load<f64>(kept))) cosine_sine(cycle * <f64>dayAt(pixel, i), kept);
    v128.store(to, v128.load(kept), 16);
  }
}

/** Years of the slow cycle of the window [from, until): its span in whole years, rounded up. */
function slowYears(pixel: Pixel, from: i32, until: i32): i32 {
  return max(1, <i32>ceil(<f64>(dayAt(pixel, until - 1) - dayAt(pixel, from)) / pixel.chip.avgDaysYr));
}

/**
 * The robust fit of the window in two columns of its rows -> v128[5] coefficients (constant, yearly cos and sin, slow cos and sin),
 * followed by scratch. A window of at most one year has two equal pairs of columns: the second is left zero.
 */
export function fitPair(pixel: Pixel, from: i32, until: i32, columnA: i32, columnB: i32, nRounds: i32): usize {
  const n = until - from, design = pixel.scratch, values = design + (n << 5), beta = values + (n << 4);
  const years = slowYears(pixel, from, until);
  writeDesign(pixel, from, until, years, design);
  for (let i = 0; i < n; i++) {
    const row = rowAt(pixel, from + i);
    store<f64>(values + (i << 4), load<f64>(row + columnA));
    store<f64>(values + (i << 4), load<f64>(row + columnB), 8);
  }
  robustFit(design, values, n, nRounds, years == 1 ? 0.5 : 1, beta + 80, beta);
  return beta;
}

/**
 * Flags (u8[until - from]) the observations of the window that lie more than T_CONST times a band's noise from its robust fit;
 * returns their number.
 */
export function tmask(pixel: Pixel, from: i32, until: i32): i32 {
  const chip = pixel.chip, n = until - from, flags = pixel.flags, noise = pixel.noise - FEATURE_BYTES;
  memory.fill(flags, 0, n);
  for (let band = 0; band < chip.nTmask; band += 2) {
    const columnA = load<i32>(chip.tmaskColumns + (band << 2));
    const columnB = band + 1 < chip.nTmask ? load<i32>(chip.tmaskColumns + (band << 2), 4) : columnA;
    const beta = fitPair(pixel, from, until, columnA, columnB, MOST_ROUNDS), residuals = beta + 80;
    const both = f64x2.replace_lane(f64x2.splat(load<f64>(noise + columnA)), 1, load<f64>(noise + columnB));
    const limit = f64x2.mul(both, f64x2.splat(chip.tConst));
    writeResiduals(pixel.scratch, pixel.scratch + (n << 5), n, beta, residuals);
    for (let i = 0; i < n; i++) {
      if (v128.any_true(f64x2.gt(v128.load(residuals + (i << 4)), limit))) store<u8>(flags + i, 1);
    }
  }
  let nFlagged = 0;
  for (let i = 0; i < n; i++) nFlagged += load<u8>(flags + i);
  return nFlagged;
}
