// The mean or the mode of what lies under each px of a target grid in another CRS, weighted by area, cell by cell (see cell.ts). A px
// lies on the source as a quadrilateral; the share of every source px under it is exact: each edge adds, row by row, the area to its
// right, and a running sum over the columns gives the shares.
import { CELL, UNIT, cellCol, cellRow, cellSize, lineOf } from './cell';
import { missingAt, putResult, sampleAt } from './tap';

/** Shares of less than this are the dust of sums. */
const DUST: f64 = 1e-9;

/** f64 values of scratch beside the table of values: two lines, the corners, and a row of shares. */
export function warp_area_scratch(srcWidth: i32): i32 {
  return 8 + 8 + srcWidth + 2;
}

/** Adds the edge from (xa, ya) to (xb, yb) to the shares f64[n + 1] of the row from `top` to `top` + 1; columns begin at 0. */
// @ts-ignore: decorator
@inline
function addEdge(xa: f64, ya: f64, xb: f64, yb: f64, top: f64, shares: usize, n: i32): void {
  const low = max(min(ya, yb), top);
  const high = min(max(ya, yb), top + 1);
  if (high <= low) return;
  const slope = (xb - xa) / (yb - ya);
  const p = xa + (low - ya) * slope;
  const q = xa + (high - ya) * slope;
  const left = min(p, q);
  const right = max(p, q);
  const tall = yb > ya ? high - low : low - high;
  const perX = right > left ? tall / (right - left) : 0;
  const last = min(<i32>floor(right), n - 1);
  for (let col = max(<i32>floor(left), 0); col <= last; col++) {
    const from = max(left, <f64>col);
    const to = min(right, <f64>(col + 1));
    const cover = right > left ? (to - from) * perX : tall;
    const beside = cover * (0.5 * (from + to) - <f64>col);
    const at = shares + (<usize>col << 3);
    store<f64>(at, load<f64>(at) + cover - beside);
    store<f64>(at, load<f64>(at, 8) + beside, 8);
  }
  // What lies left of the first column covers all of them.
  if (left < 0) store<f64>(shares, load<f64>(shares) + (right > 0 ? -left * perX : tall));
}

/** Open addressing over values: f64 values, f64 weights, i32 slots in use; an empty slot has weight 0. */
function addValue(table: usize, bits: i32, used: i32, value: f64, weight: f64): i32 {
  const slots = 1 << bits;
  const raw = reinterpret<u64>(value + 0);
  let slot = <i32>((<u32>(raw ^ (raw >> 32)) * 0x9e3779b1) >> (32 - bits));
  const weights = table + (<usize>slots << 3);
  while (load<f64>(weights + (<usize>slot << 3)) != 0 && load<f64>(table + (<usize>slot << 3)) != value) {
    slot = (slot + 1) & (slots - 1);
  }
  const at = <usize>slot << 3;
  const held = load<f64>(weights + at);
  store<f64>(table + at, value);
  store<f64>(weights + at, held + weight);
  if (held != 0) return used;
  store<i32>(weights + (<usize>slots << 3) + (<usize>used << 2), slot);
  return used + 1;
}

/** The heaviest value, the lowest of equal ones; empties the table. */
function takeMode(table: usize, bits: i32, used: i32): f64 {
  const slots = <usize>1 << bits;
  const weights = table + (slots << 3);
  let best: f64 = NaN;
  let most: f64 = 0;
  for (let i = 0; i < used; i++) {
    const at = <usize>load<i32>(weights + (slots << 3) + (<usize>i << 2)) << 3;
    const weight = load<f64>(weights + at);
    const value = load<f64>(table + at);
    if (weight > most || (weight == most && value < best)) {
      most = weight;
      best = value;
    }
    store<f64>(weights + at, 0);
  }
  return best;
}

// @ts-ignore: decorator
@inline
function cornerOf(line: usize, half: i64, baseCol: i64, baseRow: i64, to: usize): void {
  store<f64>(to, <f64>(load<i64>(line) + load<i64>(line, 8) * half - (baseCol << 32)) * UNIT);
  store<f64>(to, <f64>(load<i64>(line, 16) + load<i64>(line, 24) * half - (baseRow << 32)) * UNIT, 8);
}

/**
 * The value of a px whose corners f64[4][2] lie around its ring, in px from (baseCol, baseRow) of the source. `bits` 0: the mean; else
 * the mode, in a table of 2^bits slots.
 */
function valueUnder(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, baseCol: i32, baseRow: i32,
  ring: usize, shares: usize, table: usize, bits: i32,
): f64 {
  let twice: f64 = 0;
  let left = Infinity;
  let right = -Infinity;
  let top = Infinity;
  let bottom = -Infinity;
  for (let i: usize = 0; i < 4; i++) {
    const p = ring + (i << 4);
    const q = ring + (((i + 1) & 3) << 4);
    twice += load<f64>(p) * load<f64>(q, 8) - load<f64>(q) * load<f64>(p, 8);
    left = min(left, load<f64>(p));
    right = max(right, load<f64>(p));
    top = min(top, load<f64>(p, 8));
    bottom = max(bottom, load<f64>(p, 8));
  }
  if (abs(twice) < DUST) {
    // No quadrilateral but a point, where positions next to each other jump.
    const col = baseCol + <i32>floor(left);
    const row = baseRow + <i32>floor(top);
    if (<u32>col >= <u32>width || <u32>row >= <u32>height) return NaN;
    const v = sampleAt(type, src, row * width + col);
    return missingAt(v, hasMissing, missing) ? NaN : v;
  }
  // Columns and rows of the source under it, counted from the base.
  const firstCol = max(<i32>floor(left), -baseCol);
  const n = min(<i32>ceil(right), width - baseCol) - firstCol;
  const firstRow = max(<i32>floor(top), -baseRow);
  const endRow = min(<i32>ceil(bottom), height - baseRow);
  if (n <= 0) return NaN;
  const sign: f64 = twice < 0 ? 1 : -1;
  let sum: f64 = 0;
  let weight: f64 = 0;
  let used = 0;
  for (let row = firstRow; row < endRow; row++) {
    for (let i: usize = 0; i < 4; i++) {
      const p = ring + (i << 4);
      const q = ring + (((i + 1) & 3) << 4);
      const shift = <f64>firstCol;
      addEdge(load<f64>(p) - shift, load<f64>(p, 8), load<f64>(q) - shift, load<f64>(q, 8), <f64>row, shares, n);
    }
    let cover: f64 = 0;
    for (let i = 0; i < n; i++) {
      const at = shares + (<usize>i << 3);
      cover += load<f64>(at);
      store<f64>(at, 0);
      const w = cover * sign;
      if (w < DUST) continue;
      const v = sampleAt(type, src, (baseRow + row) * width + baseCol + firstCol + i);
      if (missingAt(v, hasMissing, missing)) continue;
      if (bits) {
        used = addValue(table, bits, used, v, w);
        continue;
      }
      sum += w * v;
      weight += w;
    }
    store<f64>(shares + (<usize>n << 3), 0);
  }
  return bits ? takeMode(table, bits, used) : weight > 0 ? sum / weight : NaN;
}

/**
 * The mean (`bits` 0) or the mode (a table of 2^bits slots, more than a px covers: 20 bytes a slot, weights 0) under each px; otherwise as
 * `warp_blend`. `scratch`: f64[`warp_area_scratch`], the shares 0.
 */
export function warp_area(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, originX: f64, originY: f64, hasMissing: i32, missing: f64,
  cells: usize, nCell: i32, col: i32, row: i32, width: i32, height: i32,
  targetType: i32, hasNone: i32, none: f64, bits: i32, scratch: usize, table: usize, out: usize,
): void {
  const upper = scratch;
  const lower = scratch + 32;
  const ring = scratch + 64;
  const shares = scratch + 128;
  for (let cell = cells, last = cells + <usize>nCell * CELL; cell < last; cell += CELL) {
    const firstCol = max(cellCol(cell), col);
    const endCol = min(cellCol(cell) + cellSize(cell), col + width);
    const firstRow = max(cellRow(cell), row);
    const endRow = min(cellRow(cell) + cellSize(cell), row + height);
    for (let y = firstRow; y < endRow; y++) {
      lineOf(cell, 2 * (y - cellRow(cell)), originX, originY, upper);
      lineOf(cell, 2 * (y - cellRow(cell)) + 2, originX, originY, lower);
      for (let x = firstCol; x < endCol; x++) {
        const half = <i64>(2 * (x - cellCol(cell)));
        // Counting from a whole px near by makes the sums the same wherever the source begins.
        const baseCol = (load<i64>(upper) + load<i64>(upper, 8) * half) >> 32;
        const baseRow = (load<i64>(upper, 16) + load<i64>(upper, 24) * half) >> 32;
        cornerOf(upper, half, baseCol, baseRow, ring);
        cornerOf(upper, half + 2, baseCol, baseRow, ring + 16);
        cornerOf(lower, half + 2, baseCol, baseRow, ring + 32);
        cornerOf(lower, half, baseCol, baseRow, ring + 48);
        const value = valueUnder(
          type, src, srcWidth, srcHeight, hasMissing, missing, <i32>baseCol, <i32>baseRow, ring, shares, table, bits,
        );
        putResult(targetType, out, (y - row) * width + x - col, value, hasNone, none);
      }
    }
  }
}
