// Geometric medians of stacks, and the three medians of absolute deviations (MADs) from them: stages lines of 64 bytes, then
// works on blocks of 4 pixels with the functions that assembly/gen/geomedian.mjs writes for each band count.
import { AHEAD, deviations, FRAME_BAND, FRAME_HEAD, gather_f32, gather_u16, solve } from '../build/gen/geomedian';
import { MOST_ROWS } from '../build/gen/middle';
import { firstFill, medianOfRows, nextFill } from './mad';
import { finish, finishScratch } from './newton';

/**
 * A chunk of pixels (32 of u16, 16 of f32) is a cache line of each date and band, staged in quarters that lie apart: what a block
 * reads of one, date by date, lies side by side.
 */
const QUARTER: usize = 16, QUARTERS: usize = 4;
/** A stack so small lies in the second-level cache: nothing is gained by reading its lines ahead. */
const NEAR_BYTES: usize = 1 << 20;
/** Stands for "every value counts" where a nodata is wanted. */
const NO_NODATA: i32 = 0x7fffffff;

// @ts-ignore: decorator
@inline
function columnBytes(nTime: usize): usize {
  return (nTime > <usize>MOST_ROWS ? nTime : <usize>MOST_ROWS) << 4;
}

/** Bytes of the rows of a block, with those behind the last that solve() may touch. */
// @ts-ignore: decorator
@inline
function rowsBytes(nBand: usize, nTime: usize): usize {
  return (nTime + AHEAD) * (nBand + 1) * 16;
}

/** Bytes of scratch for geomedian_u16 and geomedian_f32. */
export function geomedian_scratch(nBand: usize, nTime: usize): usize {
  return nTime * (nBand + 1) * QUARTERS * QUARTER + rowsBytes(nBand, nTime) + 3 * columnBytes(nTime) + FRAME_HEAD + nBand * FRAME_BAND + finishScratch(nBand);
}

// u16|i16[nBand][nTime][nPx] with strides in bytes -> median f32[nBand][nPx], mads f32[3][nPx] (emad, smad, bcmad), count u16[nPx]; 0 = not wanted
export function geomedian_u16(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize,
  nodata: i32, isSigned: bool, eps: f32, madShift: f32, scratch: usize, median: usize, mads: usize, count: usize,
): void {
  const raw = scratch, masks = raw + nTime * nBand * QUARTERS * QUARTER, rows = masks + nTime * QUARTERS * QUARTER;
  const columns = rows + rowsBytes(nBand, nTime), frame = columns + 3 * columnBytes(nTime);
  const bias: i16 = isSigned ? -0x8000 : 0, offset: f32 = isSigned ? 32768 : 0;
  const gap = i16x8.splat(<i16>nodata ^ bias), all = i16x8.splat(nodata == NO_NODATA ? -1 : 0);
  const isFar = nBand * nTime * nPx * 2 > NEAR_BYTES;
  for (let x: usize = 0; x < nPx; x += 32) {
    const nUsed = stage_u16(src + (x << 1), bandStride, timeStride, nBand, nTime, i16x8.splat(bias), gap, all, raw, masks);
    for (let i: usize = 0; i < 32; i += 4) {
      if (isFar && x + 32 < nPx) touch(src + ((x + 32) << 1), bandStride, timeStride, nBand, nTime * i / 32, nTime * (i + 4) / 32, frame);
      const at = ((i >> 3) * nTime) << 4, half = (i & 4) << 1;
      const end = gather_u16(raw + at * nBand + half, masks + at + half, nUsed, nBand, rows, frame);
      block(rows, end, columns, nBand, nTime, nPx, x + i, frame, eps, offset, madShift, median, mads, count);
    }
  }
}

// f32[nBand][nTime][nPx] with strides in bytes, NaN and infinities missing; otherwise as geomedian_u16
export function geomedian_f32(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize,
  eps: f32, madShift: f32, scratch: usize, median: usize, mads: usize, count: usize,
): void {
  const raw = scratch, masks = raw + nTime * nBand * QUARTERS * QUARTER, rows = masks + nTime * QUARTERS * QUARTER;
  const columns = rows + rowsBytes(nBand, nTime), frame = columns + 3 * columnBytes(nTime);
  const isFar = nBand * nTime * nPx * 4 > NEAR_BYTES;
  for (let x: usize = 0; x < nPx; x += 16) {
    const nUsed = stage_f32(src + (x << 2), bandStride, timeStride, nBand, nTime, raw, masks);
    for (let i: usize = 0; i < 16; i += 4) {
      if (isFar && x + 16 < nPx) touch(src + ((x + 16) << 2), bandStride, timeStride, nBand, nTime * i / 16, nTime * (i + 4) / 16, frame);
      const at = ((i >> 2) * nTime) << 4;
      const end = gather_f32(raw + at * nBand, masks + at, nUsed, nBand, rows, frame);
      block(rows, end, columns, nBand, nTime, nPx, x + i, frame, eps, 0, madShift, median, mads, count);
    }
  }
}

// u16[nBand][nTime][32] xor bias -> raw u16x8[4][nTime][nBand], masks i16x8[4][nTime] of the dates that are valid on any of the 32 pixels;
// returns their number
function stage_u16(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, bias: v128, gap: v128, all: v128, raw: usize, masks: usize,
): i32 {
  const maskApart = nTime * QUARTER, apart = nBand * maskApart;
  let to = raw, mask = masks;
  for (let t: usize = 0; t < nTime; t++, src += timeStride) {
    let m0 = i16x8.splat(0), m1 = m0, m2 = m0, m3 = m0;
    for (let b: usize = 0, p = src; b < nBand; b++, p += bandStride, to += QUARTER) {
      const x0 = v128.xor(v128.load(p), bias), x1 = v128.xor(v128.load(p, 16), bias);
      const x2 = v128.xor(v128.load(p, 32), bias), x3 = v128.xor(v128.load(p, 48), bias);
      m0 = v128.or(m0, i16x8.eq(x0, gap));
      m1 = v128.or(m1, i16x8.eq(x1, gap));
      m2 = v128.or(m2, i16x8.eq(x2, gap));
      m3 = v128.or(m3, i16x8.eq(x3, gap));
      storeQuarters(to, apart, x0, x1, x2, x3);
    }
    m0 = v128.or(v128.not(m0), all);
    m1 = v128.or(v128.not(m1), all);
    m2 = v128.or(v128.not(m2), all);
    m3 = v128.or(v128.not(m3), all);
    storeQuarters(mask, maskApart, m0, m1, m2, m3);
    if (i8x16.bitmask(v128.or(v128.or(m0, m1), v128.or(m2, m3)))) mask += QUARTER;
    else to -= nBand * QUARTER;
  }
  return <i32>((mask - masks) / QUARTER);
}

// f32[nBand][nTime][16] -> raw f32x4[4][nTime][nBand], masks i32x4[4][nTime], as stage_u16
function stage_f32(src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, raw: usize, masks: usize): i32 {
  const maskApart = nTime * QUARTER, apart = nBand * maskApart;
  let to = raw, mask = masks;
  const zero = f32x4.splat(0);
  for (let t: usize = 0; t < nTime; t++, src += timeStride) {
    // x - x is 0 for a finite x, and NaN stays in the sum.
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    for (let b: usize = 0, p = src; b < nBand; b++, p += bandStride, to += QUARTER) {
      const x0 = v128.load(p), x1 = v128.load(p, 16), x2 = v128.load(p, 32), x3 = v128.load(p, 48);
      s0 = f32x4.add(s0, f32x4.sub(x0, x0));
      s1 = f32x4.add(s1, f32x4.sub(x1, x1));
      s2 = f32x4.add(s2, f32x4.sub(x2, x2));
      s3 = f32x4.add(s3, f32x4.sub(x3, x3));
      storeQuarters(to, apart, x0, x1, x2, x3);
    }
    const m0 = f32x4.eq(s0, zero), m1 = f32x4.eq(s1, zero), m2 = f32x4.eq(s2, zero), m3 = f32x4.eq(s3, zero);
    storeQuarters(mask, maskApart, m0, m1, m2, m3);
    if (i8x16.bitmask(v128.or(v128.or(m0, m1), v128.or(m2, m3)))) mask += QUARTER;
    else to -= nBand * QUARTER;
  }
  return <i32>((mask - masks) / QUARTER);
}

/**
 * Reads of the lines of dates from to until, so that the cache has them when they are staged: lines lie far apart, and
 * the processor does not see them coming. What was read goes where it does no harm, or the compiler would leave it out.
 */
function touch(src: usize, bandStride: usize, timeStride: usize, nBand: usize, from: usize, until: usize, frame: usize): void {
  let bits: u32 = 0;
  for (let t = from; t < until; t++) {
    for (let b: usize = 0, p = src + t * timeStride; b < nBand; b++, p += bandStride) bits ^= load<u32>(p);
  }
  store<u32>(frame, bits, 112);
}

// @ts-ignore: decorator
@inline
function storeQuarters(to: usize, apart: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to + apart, b);
  v128.store(to + 2 * apart, c);
  v128.store(to + 3 * apart, d);
}

/** Solves the gathered 4 pixels at x and writes what is wanted of them. `offset` is what was added to the values in staging. */
function block(
  rows: usize, end: usize, columns: usize, nBand: usize, nTime: usize, nPx: usize, x: usize, frame: usize,
  eps: f32, offset: f32, madShift: f32, median: usize, mads: usize, count: usize,
): void {
  const n = v128.load(frame);
  if (count) {
    const whole = i32x4.trunc_sat_f32x4_s(n);
    v128.store64_lane(count + (x << 1), i16x8.narrow_i32x4_u(whole, whole), 0);
  }
  if (!median && !mads) return;
  if (nBand == 1) solveOneBand(rows, end, columns, frame);
  else finishLanes(solve(rows, end, nBand, columns, frame, eps), rows, end, nBand, frame, eps);
  const has = f32x4.gt(n, f32x4.splat(0)), none = f32x4.splat(NaN);
  if (median) {
    for (let b: usize = 0, own = frame + FRAME_HEAD; b < nBand; b++, own += FRAME_BAND) {
      const y = f32x4.add(f32x4.sub(v128.load(own), f32x4.splat(offset)), v128.load(own, 16));
      v128.store(median + ((b * nPx + x) << 2), v128.bitselect(y, none, has));
    }
  }
  if (!mads) return;
  const bytes = columnBytes(nTime), nRow = <i32>((end - rows) / ((nBand + 1) << 4));
  const fill = deviations(rows, end, nBand, frame, columns, bytes, f32x4.splat(madShift - offset));
  // The first column has squares: roots are taken of the middle ones only.
  for (let i: usize = 0; i < 3; i++) {
    const middle = medianOfRows(columns + i * bytes, nRow, fill, n, i == 0);
    v128.store(mads + ((i * nPx + x) << 2), v128.bitselect(middle, none, has));
  }
}

/** Solves again in f64 the lanes of the bitmask `unsure`, from where f32 left them. */
function finishLanes(unsure: i32, rows: usize, end: usize, nBand: usize, frame: usize, eps: f32): void {
  const y = frame + FRAME_HEAD + nBand * FRAME_BAND;
  for (let lane: usize = 0; unsure; lane++, unsure >>= 1) {
    if (!(unsure & 1)) continue;
    const solution = frame + FRAME_HEAD + 16 + (lane << 2);
    for (let b: usize = 0; b < nBand; b++) store<f64>(y + (b << 3), <f64>load<f32>(solution + b * FRAME_BAND));
    finish(rows + (lane << 2), end, nBand, eps, y);
    for (let b: usize = 0; b < nBand; b++) store<f32>(solution + b * FRAME_BAND, <f32>load<f64>(y + (b << 3)));
  }
}

/** The geometric median of one band is the ordinary one (of the points between the middle two, their mean). */
function solveOneBand(rows: usize, end: usize, column: usize, frame: usize): void {
  const centre = v128.load(frame, FRAME_HEAD), n = v128.load(frame);
  let fill = firstFill(), to = column;
  for (let r = rows; r < end; r += 32, to += 16) {
    const valid = f32x4.gt(v128.load(r, 16), f32x4.splat(0)), d = f32x4.sub(v128.load(r), centre);
    v128.store(r, d);
    v128.store(to, v128.bitselect(d, fill, valid));
    fill = nextFill(fill, valid);
  }
  v128.store(frame, medianOfRows(column, <i32>((to - column) >> 4), fill, n, false), FRAME_HEAD + 16);
}
