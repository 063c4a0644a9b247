// Medians over rows of f32x4 in which some lanes are missing, by selection networks, or by bisection when there are too many.
import { MOST_ROWS, networkSize, selectMiddle } from '../build/gen/middle';

// @ts-ignore: decorator
@inline
const SIGN: i32 = -0x80000000;

/** Missing lanes hold +Infinity and -Infinity in turn, which keeps the middle in the middle: the first is +Infinity. */
export function firstFill(): v128 {
  return f32x4.splat(Infinity);
}

/** The fill that follows `fill` in the lanes that used it. */
// @ts-ignore: decorator
@inline
export function nextFill(fill: v128, valid: v128): v128 {
  return v128.xor(fill, v128.andnot(i32x4.splat(SIGN), valid));
}

// rows f32x4[nRow], room for 128 and destroyed; missing lanes filled in turn, `fill` is the next; nValid f32x4 -> the median
// (of the roots, when `ofRoots`)
export function medianOfRows(rows: usize, nRow: i32, fill: v128, nValid: v128, ofRoots: bool): v128 {
  if (nRow > MOST_ROWS) return bisect(rows, nRow, nValid, ofRoots);
  const size = networkSize(nRow);
  for (let i = nRow; i < size; i++) {
    v128.store(rows + (<usize>i << 4), fill);
    fill = v128.xor(fill, i32x4.splat(SIGN));
  }
  selectMiddle(rows, size);
  let low = v128.load(rows + (<usize>(size / 2 - 1) << 4)), high = v128.load(rows + (<usize>(size / 2) << 4));
  if (ofRoots) {
    low = f32x4.sqrt(low);
    high = f32x4.sqrt(high);
  }
  // After an odd number of fills there is one more above than below: the middle is the lower of the two.
  return v128.bitselect(mean(low, high), low, f32x4.gt(fill, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function mean(a: v128, b: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), f32x4.splat(0.5)));
}

/** Floats as integers of the same order. Its own inverse. */
// @ts-ignore: decorator
@inline
function ordered(x: v128): v128 {
  return v128.xor(x, i32x4.shr_u(i32x4.shr_s(x, 31), 1));
}

/** The median by halving the range of bit patterns; missing lanes become +Infinity first, above every rank that is asked for. */
function bisect(rows: usize, nRow: i32, nValid: v128, ofRoots: bool): v128 {
  const infinity = ordered(f32x4.splat(Infinity)), end = rows + (<usize>nRow << 4);
  const n = i32x4.trunc_sat_f32x4_s(nValid), rank = i32x4.shr_s(i32x4.sub(n, i32x4.splat(1)), 1);
  let low = i32x4.splat(i32.MAX_VALUE), high = i32x4.splat(i32.MIN_VALUE);
  for (let p = rows; p < end; p += 16) {
    let x = ordered(v128.load(p));
    x = v128.bitselect(infinity, x, i32x4.le_s(x, ordered(f32x4.splat(-Infinity))));
    v128.store(p, x);
    low = i32x4.min_s(low, x);
    high = i32x4.max_s(high, v128.bitselect(low, x, i32x4.eq(x, infinity)));
  }
  // The smallest key with more than `rank` values at or below it.
  while (i8x16.bitmask(i32x4.lt_s(low, high))) {
    // floor((low + high) / 2) without overflow
    const middle = i32x4.add(v128.and(low, high), i32x4.shr_s(v128.xor(low, high), 1));
    let above = n;
    for (let p = rows; p < end; p += 16) above = i32x4.add(above, i32x4.le_s(v128.load(p), middle));
    const enough = i32x4.lt_s(above, i32x4.sub(n, rank));
    high = v128.bitselect(middle, high, enough);
    low = v128.bitselect(low, i32x4.add(middle, i32x4.splat(1)), enough);
  }
  let upTo = i32x4.splat(0), following = infinity;
  for (let p = rows; p < end; p += 16) {
    const x = v128.load(p), over = i32x4.gt_s(x, low);
    upTo = i32x4.sub(upTo, i32x4.le_s(x, low));
    following = v128.bitselect(i32x4.min_s(following, x), following, over);
  }
  // An even number: the mean with the next rank, which is the same key when it occurs often enough.
  const isEven = i32x4.eq(v128.and(n, i32x4.splat(1)), i32x4.splat(0));
  const repeats = i32x4.gt_s(upTo, i32x4.add(rank, i32x4.splat(1)));
  let value = ordered(low), next = ordered(following);
  if (ofRoots) {
    value = f32x4.sqrt(value);
    next = f32x4.sqrt(next);
  }
  return v128.bitselect(mean(value, next), value, v128.andnot(isEven, repeats));
}
