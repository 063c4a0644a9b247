// Selection by bisection, for series too long for a network: finds the value of rank k bit by bit, by counting how many values
// lie below a trial; then the value of rank k + 1. Exact for any number of rows. Input are staged rows (see stage.ts) with
// missing values last; k, lo and hi point to lanes as wide as the values. hi means nothing where k + 1 is past the valid values.
import { ROW_BYTES } from './stage';

/** The largest number of rows, and the largest rank in more than that many rows, that bisection in bytes can count. */
export const MAX_BYTE_ROWS: i32 = 508;
export const MAX_BYTE_RANK: i32 = 254;

/** u16: 8 lanes of the column at p. scratch: rows × 16 bytes. */
export function bisect_u16(p: usize, rows: i32, k: usize, scratch: usize, lo: usize, hi: usize): void {
  const bias = i16x8.splat(-32768), one = i16x8.splat(1);
  const end = scratch + (<usize>rows << 4);
  for (let d = scratch; d < end; d += 16) {
    v128.store(d, v128.xor(v128.load(p), bias));
    p += ROW_BYTES;
  }
  const rank = v128.load(k);
  let found = i16x8.splat(0);
  for (let bit: i32 = 0x8000; bit; bit >>= 1) {
    const trial = v128.or(found, i16x8.splat(<i16>bit)), signed = v128.xor(trial, bias);
    let below = i16x8.splat(0);
    for (let d = scratch; d < end; d += 16) below = i16x8.sub(below, i16x8.gt_s(signed, v128.load(d)));
    found = v128.bitselect(found, trial, i16x8.gt_s(below, rank));
  }
  const signed = v128.xor(found, bias);
  let above = i16x8.splat(0), next = i16x8.splat(0x7fff);
  for (let d = scratch; d < end; d += 16) {
    const v = v128.load(d), greater = i16x8.gt_s(v, signed);
    above = i16x8.sub(above, greater);
    next = v128.bitselect(i16x8.min_s(next, v), next, greater);
  }
  const upTo = i16x8.sub(i16x8.splat(<i16>rows), above);
  const twice = i16x8.gt_s(upTo, i16x8.add(rank, one));
  v128.store(lo, found);
  v128.store(hi, v128.bitselect(found, v128.xor(next, bias), twice));
}

// Counts in 16 byte lanes how many of the signed bytes at [from, end) lie below `trial`; the number of rows is a multiple of 4.
// A count beyond 255 reads 255, which is above every rank.
// @ts-ignore: decorator
@inline
function bytesBelow(trial: v128, from: usize, end: usize): v128 {
  let a = i8x16.splat(0), b = a;
  for (let d = from; d < end; d += 64) {
    a = i8x16.sub(a, i8x16.gt_s(trial, v128.load(d)));
    b = i8x16.sub(b, i8x16.gt_s(trial, v128.load(d, 16)));
    a = i8x16.sub(a, i8x16.gt_s(trial, v128.load(d, 32)));
    b = i8x16.sub(b, i8x16.gt_s(trial, v128.load(d, 48)));
  }
  return i8x16.add_sat_u(a, b);
}

/**
 * u16, rows ≤ MAX_BYTE_ROWS, ranks ≤ MAX_BYTE_RANK: 16 lanes of two columns at p, first the high bytes, then the low bytes of the values that share
 * the high byte found. scratch: (rows + 3) × 32 bytes.
 */
export function bisectBytes_u16(p: usize, rows: i32, k: usize, scratch: usize, lo: usize, hi: usize): void {
  const bias = i8x16.splat(-128), byte = i16x8.splat(255), last = i8x16.splat(127);
  const padded = (rows + 3) & ~3;
  const highs = scratch, lows = scratch + (<usize>padded << 4), end = lows + (<usize>padded << 4);
  let q = p;
  for (let t: i32 = 0; t < padded; t++) {
    const d = <usize>t << 4;
    if (t < rows) {
      const a = v128.load(q), b = v128.load(q, 16);
      const high = i8x16.narrow_i16x8_u(i16x8.shr_u(a, 8), i16x8.shr_u(b, 8));
      const low = i8x16.narrow_i16x8_u(v128.and(a, byte), v128.and(b, byte));
      v128.store(highs + d, v128.xor(high, bias));
      v128.store(lows + d, v128.xor(low, bias));
      q += ROW_BYTES;
    } else {
      v128.store(highs + d, last);
      v128.store(lows + d, last);
    }
  }
  const k0 = v128.load(k), k1 = v128.load(k, 16);
  let rank = i8x16.narrow_i16x8_u(k0, k1);
  let high = i8x16.splat(0), base = high;
  for (let bit: i32 = 128; bit; bit >>= 1) {
    const trial = v128.or(high, i8x16.splat(<i8>bit));
    const below = bytesBelow(v128.xor(trial, bias), highs, lows);
    const take = i8x16.eq(i8x16.max_u(below, rank), rank);
    high = v128.bitselect(trial, high, take);
    base = v128.bitselect(below, base, take);
  }
  rank = i8x16.sub(rank, base);
  // Low bytes outside the bucket come last; they were counted out of the rank already.
  const bucket = v128.xor(high, bias);
  for (let d = highs; d < lows; d += 16) {
    const at = d + (lows - highs);
    v128.store(at, v128.bitselect(v128.load(at), last, i8x16.eq(v128.load(d), bucket)));
  }
  let low = i8x16.splat(0);
  for (let bit: i32 = 128; bit; bit >>= 1) {
    const trial = v128.or(low, i8x16.splat(<i8>bit));
    const below = bytesBelow(v128.xor(trial, bias), lows, end);
    low = v128.bitselect(trial, low, i8x16.eq(i8x16.max_u(below, rank), rank));
  }
  const v0 = v128.or(i16x8.extend_low_i8x16_u(low), i16x8.shl(i16x8.extend_low_i8x16_u(high), 8));
  const v1 = v128.or(i16x8.extend_high_i8x16_u(low), i16x8.shl(i16x8.extend_high_i8x16_u(high), 8));
  v128.store(lo, v0);
  v128.store(lo, v1, 16);
  // Rank k + 1 is the same value if more than k + 1 rows are not above it, else the next larger value.
  const one = i16x8.splat(1), sign = i16x8.splat(-32768);
  const s0 = v128.xor(v0, sign), s1 = v128.xor(v1, sign);
  let next0 = i16x8.splat(0x7fff), next1 = next0;
  let above0 = i16x8.splat(0), above1 = above0;
  for (let t: i32 = 0; t < rows; t++) {
    const a = v128.xor(v128.load(p), sign), b = v128.xor(v128.load(p, 16), sign);
    const ga = i16x8.gt_s(a, s0), gb = i16x8.gt_s(b, s1);
    above0 = i16x8.sub(above0, ga);
    above1 = i16x8.sub(above1, gb);
    next0 = v128.bitselect(i16x8.min_s(next0, a), next0, ga);
    next1 = v128.bitselect(i16x8.min_s(next1, b), next1, gb);
    p += ROW_BYTES;
  }
  const all = i16x8.splat(<i16>rows);
  const twice0 = i16x8.gt_s(i16x8.sub(all, above0), i16x8.add(k0, one));
  const twice1 = i16x8.gt_s(i16x8.sub(all, above1), i16x8.add(k1, one));
  v128.store(hi, v128.bitselect(v0, v128.xor(next0, sign), twice0));
  v128.store(hi, v128.bitselect(v1, v128.xor(next1, sign), twice1), 16);
}

/** Bits of f32 as integers in the same order, and back. */
// @ts-ignore: decorator
@inline
function sortable(bits: v128): v128 {
  return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff)));
}

/** f32 without NaN: 4 lanes of the column at p. scratch: rows × 16 bytes. */
export function bisect_f32(p: usize, rows: i32, k: usize, scratch: usize, lo: usize, hi: usize): void {
  const bias = i32x4.splat(0x80000000), one = i32x4.splat(1);
  const end = scratch + (<usize>rows << 4);
  for (let d = scratch; d < end; d += 16) {
    v128.store(d, sortable(v128.load(p)));
    p += ROW_BYTES;
  }
  const rank = v128.load(k);
  let found = i32x4.splat(0);
  for (let bit: u32 = 0x80000000; bit; bit >>= 1) {
    const trial = v128.or(found, i32x4.splat(bit)), signed = v128.xor(trial, bias);
    let below = i32x4.splat(0);
    for (let d = scratch; d < end; d += 16) below = i32x4.sub(below, i32x4.gt_s(signed, v128.load(d)));
    found = v128.bitselect(found, trial, i32x4.gt_s(below, rank));
  }
  const key = v128.xor(found, bias);
  let above = i32x4.splat(0), next = i32x4.splat(0x7fffffff);
  for (let d = scratch; d < end; d += 16) {
    const v = v128.load(d), greater = i32x4.gt_s(v, key);
    above = i32x4.sub(above, greater);
    next = v128.bitselect(i32x4.min_s(next, v), next, greater);
  }
  const twice = i32x4.gt_s(i32x4.sub(i32x4.splat(rows), above), i32x4.add(rank, one));
  v128.store(lo, sortable(key));
  v128.store(hi, sortable(v128.bitselect(key, next, twice)));
}
