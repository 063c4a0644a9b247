// Median over time: T[nTime][nPx] → T[nPx] (integers: half to even) or f32[nPx] (exact). nPx is a multiple of 64; missing values
// are `nodata` (integers, if hasNodata) or NaN. Up to 128 dates by selection networks, beyond by bisection.
import { middle_f32, middle_u16, middleSize_f32, middleSize_u16 } from '../build/gen/median';
import { bisect_f32, bisect_u16, bisectBytes_u16, MAX_BYTE_ROWS } from './bisect';
import {
  highest, isMissing, nodataVector, padAlternating, pxPerRow, rebias, ROW_BYTES, stageAlternating, stageComplete, stageLast,
} from './stage';

// The scratch memory: single rows of 128 bytes, then the staged rows, then the bisection's copy of a column.
const ODD: usize = 0; // −1 where the lower middle value alone is the median
const EMPTY: usize = 128; // −1 where no value is valid
const COUNT: usize = 256;
const RANK: usize = 384;
const LOW: usize = 512;
const HIGH: usize = 640;
const ROWS: usize = 768;

/** Bytes of scratch memory that the median of a series of nTime dates needs. */
export function median_scratch(nTime: i32): usize {
  return ROWS + <usize>max(nTime, 128) * ROW_BYTES + (<usize>nTime + 4) * 32;
}

// @ts-ignore: decorator
@inline
function middleSize<T>(rows: i32): i32 {
  return isFloat<T>() ? middleSize_f32(rows) : middleSize_u16(rows);
}

// Lanes that look like (smallest, largest) in the middle may have no valid value at all: looks at the source again.
function findEmpty<T>(src: usize, nTime: i32, strideBytes: usize, nodata: v128, candidates: v128): v128 {
  for (let t: i32 = 0; t < nTime; t++) {
    candidates = v128.and(candidates, isMissing<T>(rebias<T>(v128.load(src)), nodata));
    src += strideBytes;
  }
  return candidates;
}

// Writes the middle values to the rows at `low` and `low + 128` by the network for `size` rows, and which lanes are empty.
function middleByNetwork<T>(
  src: usize, nTime: i32, strideBytes: usize, nodata: v128, checked: bool, scratch: usize, size: i32,
): usize {
  const rows = scratch + ROWS, low = rows + (<usize>(size >> 1) - 1) * ROW_BYTES;
  if (isFloat<T>()) middle_f32(rows, size);
  else middle_u16(rows, size);
  const smallest = isFloat<T>() ? f32x4.splat(-Infinity) : i32x4.splat(0);
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    const a = v128.load(low + c), b = v128.load(low + c, 128);
    let empty = i32x4.splat(0);
    if (checked) {
      // Bits are compared: NaN does not occur, and −0 is not 0.
      const suspect = isFloat<T>()
        ? v128.and(f32x4.eq(a, smallest), f32x4.eq(b, highest<T>()))
        : v128.and(i16x8.eq(a, smallest), i16x8.eq(b, highest<T>()));
      empty = v128.andnot(suspect, v128.load(scratch + ODD + c));
      if (i8x16.bitmask(empty)) empty = findEmpty<T>(src + c, nTime, strideBytes, nodata, empty);
    }
    v128.store(scratch + EMPTY + c, empty);
  }
  return low;
}

// The same for series longer than any network.
function middleByBisection<T>(
  src: usize, nTime: i32, strideBytes: usize, nodata: v128, checked: bool, scratch: usize,
): usize {
  const p = scratch + ROWS, low = scratch + LOW, high = scratch + HIGH;
  const rows = stageLast<T>(src, nTime, strideBytes, nodata, checked, p, scratch + COUNT);
  const column = p + <usize>rows * ROW_BYTES;
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    const n = v128.load(scratch + COUNT + c), at = scratch + c;
    // The lower middle has rank (n − 1) / 2; what an empty lane finds does not matter.
    if (isFloat<T>()) {
      v128.store(at, i32x4.shr_s(i32x4.sub(n, i32x4.splat(1)), 1), RANK);
      v128.store(at, i32x4.eq(v128.and(n, i32x4.splat(1)), i32x4.splat(1)), ODD);
      v128.store(at, i32x4.eq(n, i32x4.splat(0)), EMPTY);
    } else {
      v128.store(at, i16x8.shr_s(i16x8.sub(n, i16x8.splat(1)), 1), RANK);
      v128.store(at, i16x8.eq(v128.and(n, i16x8.splat(1)), i16x8.splat(1)), ODD);
      v128.store(at, i16x8.eq(n, i16x8.splat(0)), EMPTY);
    }
  }
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    const k = scratch + RANK + c;
    if (isFloat<T>()) bisect_f32(p + c, rows, k, column, low + c, high + c);
    else if (rows > MAX_BYTE_ROWS) bisect_u16(p + c, rows, k, column, low + c, high + c);
    else {
      bisectBytes_u16(p + c, rows, k, column, low + c, high + c);
      c += 16;
    }
  }
  return low;
}

// Eight middle pairs (four of f32) → the output dtype, at `out`.
// @ts-ignore: decorator
@inline
function storeSame<T>(low: v128, high: v128, odd: v128, empty: v128, none: v128, out: usize): void {
  const one = i16x8.splat(1);
  const differ = v128.xor(low, high), floor = i16x8.add(v128.and(low, high), i16x8.shr_u(differ, 1));
  // A half goes to the even neighbour: floor is odd and the sum was odd. The bias of i16 is even and changes nothing.
  const mean = i16x8.add(floor, v128.and(v128.and(differ, floor), one));
  v128.store(out, v128.bitselect(none, rebias<T>(v128.bitselect(low, mean, odd)), empty));
}

// @ts-ignore: decorator
@inline
function halfOf<T>(sum: v128, empty: v128): v128 {
  const unbiased = isSigned<T>() ? i32x4.sub(sum, i32x4.splat(0x10000)) : sum;
  return v128.or(f32x4.mul(f32x4.convert_i32x4_s(unbiased), f32x4.splat(0.5)), empty);
}

// @ts-ignore: decorator
@inline
function storeFloats<T>(low: v128, high: v128, odd: v128, empty: v128, out: usize): void {
  const upper = v128.bitselect(low, high, odd);
  if (isFloat<T>()) {
    // In f64, so that the sum neither overflows nor rounds.
    const half = f64x2.splat(0.5);
    const a = f64x2.mul(f64x2.add(f64x2.promote_low_f32x4(low), f64x2.promote_low_f32x4(upper)), half);
    const low2 = i8x16.shuffle(low, low, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    const upper2 = i8x16.shuffle(upper, upper, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    const b = f64x2.mul(f64x2.add(f64x2.promote_low_f32x4(low2), f64x2.promote_low_f32x4(upper2)), half);
    const a32 = f32x4.demote_f64x2_zero(a), b32 = f32x4.demote_f64x2_zero(b);
    const both = i8x16.shuffle(a32, b32, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    v128.store(out, v128.or(both, empty)); // all bits set is a NaN
  } else {
    const a = i32x4.add(i32x4.extend_low_i16x8_u(low), i32x4.extend_low_i16x8_u(upper));
    const b = i32x4.add(i32x4.extend_high_i16x8_u(low), i32x4.extend_high_i16x8_u(upper));
    v128.store(out, halfOf<T>(a, i32x4.extend_low_i16x8_s(empty)));
    v128.store(out, halfOf<T>(b, i32x4.extend_high_i16x8_s(empty)), 16);
  }
}

// Stages one chunk and finds its middle values; returns the row of the lower ones, the upper ones are in the next row.
function middleOfChunk<T>(
  src: usize, nTime: i32, strideBytes: usize, nodata: v128, checked: bool, complete: bool, scratch: usize,
): usize {
  const p = scratch + ROWS, odd = scratch + ODD;
  let rows = nTime;
  if ((complete || !checked) && stageComplete<T>(src, nTime, strideBytes, nodata, checked, p)) {
    memory.fill(odd, 0, ROW_BYTES);
    checked = false;
  } else {
    rows = stageAlternating<T>(src, nTime, strideBytes, nodata, p, odd);
    if (rows == 0) {
      memory.fill(scratch + EMPTY, 0xff, ROW_BYTES);
      return p;
    }
  }
  const size = middleSize<T>(rows);
  if (!size) return middleByBisection<T>(src, nTime, strideBytes, nodata, checked, scratch);
  padAlternating<T>(p, rows, size, odd);
  return middleByNetwork<T>(src, nTime, strideBytes, nodata, checked, scratch, size);
}

// @ts-ignore: decorator
@inline
function median<T>(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  asFloat: bool, nodataOut: i32, scratch: usize, out: usize,
): void {
  const missing = nodataVector<T>(nodata), none = i16x8.splat(<i16>nodataOut);
  const checked = isFloat<T>() || hasNodata;
  let complete = true;
  for (let x: i32 = 0; x < nPx; x += pxPerRow<T>()) {
    const low = middleOfChunk<T>(src, nTime, strideBytes, missing, checked, complete, scratch);
    let some = i32x4.splat(0), all = i32x4.splat(-1);
    for (let c: usize = 0; c < ROW_BYTES; c += 16) {
      const odd = v128.load(scratch + ODD + c), empty = v128.load(scratch + EMPTY + c);
      const a = v128.load(low + c), b = v128.load(low + c, 128);
      if (isFloat<T>()) storeFloats<T>(a, b, odd, empty, out + c);
      else if (asFloat) storeFloats<T>(a, b, odd, empty, out + (c << 1));
      else storeSame<T>(a, b, odd, empty, none, out + c);
      some = v128.or(some, odd);
      all = v128.and(all, odd);
    }
    // A guess that only saves time: if all lanes lack an even number, or all an odd one, the next chunk may lack nothing.
    complete = i8x16.bitmask(some) == 0 || i8x16.bitmask(all) == 0xffff;
    src += ROW_BYTES;
    out += asFloat && !isFloat<T>() ? 2 * ROW_BYTES : ROW_BYTES;
  }
}

export function median_u16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  asFloat: bool, nodataOut: i32, scratch: usize, out: usize,
): void {
  median<u16>(src, nTime, nPx, strideBytes, nodata, hasNodata, asFloat, nodataOut, scratch, out);
}

export function median_i16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  asFloat: bool, nodataOut: i32, scratch: usize, out: usize,
): void {
  median<i16>(src, nTime, nPx, strideBytes, nodata, hasNodata, asFloat, nodataOut, scratch, out);
}

export function median_f32(src: usize, nTime: i32, nPx: i32, strideBytes: usize, scratch: usize, out: usize): void {
  median<f32>(src, nTime, nPx, strideBytes, 0, true, true, 0, scratch, out);
}
