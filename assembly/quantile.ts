// Quantiles over time: T[nTime][nPx] → f32[nFraction][nPx], NaN = none. nPx is a multiple of 64. `ranks` is a table
// [nFraction][nTime + 1] with an entry of 16 bytes for each number n of valid values: the rank of the lower neighbour (i32 at 0; −1
// for none) and the way to the next rank (f64 at 8, in [0, 1)). So the kernel knows no rule. Short series are sorted once for all
// fractions, long ones bisected.
import { sort_f32, sort_u16, sortSize_f32, sortSize_u16 } from '../build/gen/median';
import { bisect_f32, bisect_u16, bisectBytes_u16, MAX_BYTE_RANK } from './bisect';
import { nodataVector, padLast, pxPerRow, ROW_BYTES, stageLast } from './stage';

const COUNT: usize = 0;
const RANK: usize = 128;
const LOW: usize = 256;
const HIGH: usize = 384;
const ROWS: usize = 512;

/** Bytes of scratch memory that quantiles of a series of nTime dates need. */
export function quantiles_scratch(nTime: i32): usize {
  return ROWS + <usize>max(nTime, 128) * ROW_BYTES + (<usize>nTime + 4) * 32;
}

// @ts-ignore: decorator
@inline
function loadCount<T>(scratch: usize, lane: usize): i32 {
  return isFloat<T>() ? load<i32>(scratch + (lane << 2), COUNT) : load<u16>(scratch + (lane << 1), COUNT);
}

// @ts-ignore: decorator
@inline
function loadValue<T>(p: usize): f64 {
  if (isFloat<T>()) return <f64>load<f32>(p);
  return <f64>(<i32>load<u16>(p) - (isSigned<T>() ? 0x8000 : 0));
}

// numpy's lerp: from the nearer end. Equal neighbours (both infinite, too) are the result themselves. Without branches, as the
// number of valid values, and so the way, is different in each pixel.
// @ts-ignore: decorator
@inline
function between(a: f64, b: f64, way: f64): f32 {
  const step = b - a;
  const value = select<f64>(b - step * (1 - way), a + step * way, way >= 0.5);
  return <f32>select<f64>(a, value, i32(way == 0) | i32(a == b));
}

// One fraction of a chunk whose rows are sorted. The row behind the last rank may be read: it is there, and is not used.
function fromSorted<T>(table: usize, scratch: usize, out: usize): void {
  for (let lane: usize = 0; lane < <usize>pxPerRow<T>(); lane++) {
    const entry = table + (<usize>loadCount<T>(scratch, lane) << 4);
    const rank = load<i32>(entry);
    const at = scratch + ROWS + <usize>max(rank, 0) * ROW_BYTES + lane * sizeof<T>();
    const value = between(loadValue<T>(at), loadValue<T>(at + ROW_BYTES), load<f64>(entry, 8));
    store<f32>(out + (lane << 2), select<f32>(NaN, value, rank < 0));
  }
}

// One fraction of a chunk of `rows` staged rows, by bisection: in bytes where any rank is small enough for it.
function fromBisection<T>(rows: i32, table: usize, scratch: usize, out: usize): void {
  const p = scratch + ROWS, column = p + <usize>rows * ROW_BYTES;
  const rank = scratch + RANK, low = scratch + LOW, high = scratch + HIGH;
  for (let lane: usize = 0; lane < <usize>pxPerRow<T>(); lane++) {
    const k = load<i32>(table + (<usize>loadCount<T>(scratch, lane) << 4));
    if (isFloat<T>()) store<i32>(rank + (lane << 2), k);
    else store<i16>(rank + (lane << 1), <i16>k);
  }
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    if (isFloat<T>()) bisect_f32(p + c, rows, rank + c, column, low + c, high + c);
    else if (rows > MAX_BYTE_RANK) bisect_u16(p + c, rows, rank + c, column, low + c, high + c);
    else {
      bisectBytes_u16(p + c, rows, rank + c, column, low + c, high + c);
      c += 16;
    }
  }
  for (let lane: usize = 0; lane < <usize>pxPerRow<T>(); lane++) {
    const entry = table + (<usize>loadCount<T>(scratch, lane) << 4), at = lane * sizeof<T>();
    const value = between(loadValue<T>(low + at), loadValue<T>(high + at), load<f64>(entry, 8));
    store<f32>(out + (lane << 2), load<i32>(entry) < 0 ? NaN : value);
  }
}

// @ts-ignore: decorator
@inline
function quantiles<T>(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  ranks: usize, nFraction: i32, scratch: usize, out: usize,
): void {
  const missing = nodataVector<T>(nodata), p = scratch + ROWS;
  for (let x: i32 = 0; x < nPx; x += pxPerRow<T>()) {
    const rows = stageLast<T>(src, nTime, strideBytes, missing, isFloat<T>() || hasNodata, p, scratch + COUNT);
    const size = isFloat<T>() ? sortSize_f32(rows) : sortSize_u16(rows);
    if (size) {
      padLast<T>(p, rows, size);
      if (isFloat<T>()) sort_f32(p, size);
      else sort_u16(p, size);
    }
    for (let f: i32 = 0; f < nFraction; f++) {
      const table = ranks + ((<usize>f * <usize>(nTime + 1)) << 4);
      const to = out + ((<usize>f * <usize>nPx + <usize>x) << 2);
      if (size) fromSorted<T>(table, scratch, to);
      else fromBisection<T>(rows, table, scratch, to);
    }
    src += ROW_BYTES;
  }
}

export function quantiles_u16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  ranks: usize, nFraction: i32, scratch: usize, out: usize,
): void {
  quantiles<u16>(src, nTime, nPx, strideBytes, nodata, hasNodata, ranks, nFraction, scratch, out);
}

export function quantiles_i16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  ranks: usize, nFraction: i32, scratch: usize, out: usize,
): void {
  quantiles<i16>(src, nTime, nPx, strideBytes, nodata, hasNodata, ranks, nFraction, scratch, out);
}

export function quantiles_f32(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, ranks: usize, nFraction: i32, scratch: usize, out: usize,
): void {
  quantiles<f32>(src, nTime, nPx, strideBytes, 0, true, ranks, nFraction, scratch, out);
}
