// Simple statistics over time: T[nTime][nPx] → f32[nPx] mean, standard deviation (ddof 0), minimum, maximum (NaN = none) and
// u16[nPx] count. An output at 0 is not wanted. nPx is a multiple of 64, nTime at most 65535. The order of summation is that of
// the dates. Integers are summed exactly; f32 in f64, the deviation in a second pass.
import { isMissing, nodataVector, rebias } from './stage';

// Scratch memory: the sums of one vector of pixels.
const SUM: usize = 0; // u32[8], or f64[4]
const SQUARES: usize = 32; // u64[8], or f64[4]
const COUNT: usize = 96; // u16[8], or i32[4]

/** Bytes of scratch memory that the reductions need. */
export function reduce_scratch(): usize {
  return 128;
}

// @ts-ignore: decorator
@inline
function storeU16(out: usize, v: v128, empty: v128, bias: v128): void {
  const low = f32x4.convert_i32x4_s(i32x4.sub(i32x4.extend_low_i16x8_u(v), bias));
  const high = f32x4.convert_i32x4_s(i32x4.sub(i32x4.extend_high_i16x8_u(v), bias));
  v128.store(out, v128.or(low, i32x4.extend_low_i16x8_s(empty)));
  v128.store(out, v128.or(high, i32x4.extend_high_i16x8_s(empty)), 16);
}

// @ts-ignore: decorator
@inline
function reduceIntegers<T>(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  scratch: usize, mean: usize, std: usize, min: usize, max: usize, count: usize,
): void {
  const missing = nodataVector<T>(nodata), zero = i32x4.splat(0);
  const checked = hasNodata ? i32x4.splat(-1) : zero;
  const shift = isSigned<T>() ? 0x8000 : 0, bias = i32x4.splat(shift);
  for (let x: usize = 0; x < <usize>nPx; x += 8) {
    let n = zero, least = i32x4.splat(-1), most = zero, sum0 = zero, sum1 = zero;
    let q0 = zero, q1 = zero, q2 = zero, q3 = zero;
    let p = src + (x << 1);
    for (let t: i32 = 0; t < nTime; t++) {
      const v = rebias<T>(v128.load(p)), m = v128.and(isMissing<T>(v, missing), checked);
      const w = v128.andnot(v, m);
      n = i16x8.sub(n, v128.not(m));
      least = i16x8.min_u(least, v128.or(v, m));
      most = i16x8.max_u(most, w);
      sum0 = i32x4.add(sum0, i32x4.extend_low_i16x8_u(w));
      sum1 = i32x4.add(sum1, i32x4.extend_high_i16x8_u(w));
      if (std) {
        const s0 = i32x4.extmul_low_i16x8_u(w, w), s1 = i32x4.extmul_high_i16x8_u(w, w);
        q0 = i64x2.add(q0, i64x2.extend_low_i32x4_u(s0));
        q1 = i64x2.add(q1, i64x2.extend_high_i32x4_u(s0));
        q2 = i64x2.add(q2, i64x2.extend_low_i32x4_u(s1));
        q3 = i64x2.add(q3, i64x2.extend_high_i32x4_u(s1));
      }
      p += strideBytes;
    }
    const empty = i16x8.eq(n, zero);
    if (count) v128.store(count + (x << 1), n);
    if (min) storeU16(min + (x << 2), least, empty, bias);
    if (max) storeU16(max + (x << 2), most, empty, bias);
    if (!mean && !std) continue;
    v128.store(scratch, sum0, SUM);
    v128.store(scratch, sum1, SUM + 16);
    v128.store(scratch, q0, SQUARES);
    v128.store(scratch, q1, SQUARES + 16);
    v128.store(scratch, q2, SQUARES + 32);
    v128.store(scratch, q3, SQUARES + 48);
    v128.store(scratch, n, COUNT);
    for (let lane: usize = 0; lane < 8; lane++) {
      const values = <u64>load<u16>(scratch + (lane << 1), COUNT);
      const sum = <u64>load<u32>(scratch + (lane << 2), SUM), squares = load<u64>(scratch + (lane << 3), SQUARES);
      const to = (x + lane) << 2, size = <f64>values; // 0 / 0 is the NaN of an empty series
      if (mean) store<f32>(mean + to, <f32>(<f64>sum / size - <f64>shift));
      // n Σx² − (Σx)² is exact: below 2^64 for up to 65535 values.
      if (std) store<f32>(std + to, <f32>(sqrt<f64>(<f64>(values * squares - sum * sum)) / size));
    }
  }
}

// The sum of squared differences from the mean, of four pixels, to SQUARES.
function squaresAround(p: usize, nTime: i32, strideBytes: usize, mean0: v128, mean1: v128, scratch: usize): void {
  let q0 = f64x2.splat(0), q1 = q0;
  for (let t: i32 = 0; t < nTime; t++) {
    const v = v128.load(p), valid = f32x4.eq(v, v);
    const d0 = f64x2.sub(f64x2.promote_low_f32x4(v), mean0);
    const d1 = f64x2.sub(f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)), mean1);
    q0 = f64x2.add(q0, v128.and(f64x2.mul(d0, d0), i64x2.extend_low_i32x4_s(valid)));
    q1 = f64x2.add(q1, v128.and(f64x2.mul(d1, d1), i64x2.extend_high_i32x4_s(valid)));
    p += strideBytes;
  }
  v128.store(scratch, q0, SQUARES);
  v128.store(scratch, q1, SQUARES + 16);
}

export function reduce_f32(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize,
  scratch: usize, mean: usize, std: usize, min: usize, max: usize, count: usize,
): void {
  for (let x: usize = 0; x < <usize>nPx; x += 4) {
    let n = i32x4.splat(0), least = f32x4.splat(Infinity), most = f32x4.splat(-Infinity);
    let sum0 = f64x2.splat(0), sum1 = sum0;
    let p = src + (x << 2);
    for (let t: i32 = 0; t < nTime; t++) {
      const v = v128.load(p), valid = f32x4.eq(v, v), w = v128.and(v, valid);
      n = i32x4.sub(n, valid);
      least = f32x4.pmin(least, v); // NaN is not smaller
      most = f32x4.pmax(most, v);
      sum0 = f64x2.add(sum0, f64x2.promote_low_f32x4(w));
      sum1 = f64x2.add(sum1, f64x2.promote_low_f32x4(i8x16.shuffle(w, w, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
      p += strideBytes;
    }
    const empty = i32x4.eq(n, i32x4.splat(0));
    if (count) store<i64>(count + (x << 1), i64x2.extract_lane(i16x8.narrow_i32x4_u(n, n), 0));
    if (min) v128.store(min + (x << 2), v128.or(least, empty));
    if (max) v128.store(max + (x << 2), v128.or(most, empty));
    if (!mean && !std) continue;
    const mean0 = f64x2.div(sum0, f64x2.convert_low_i32x4_s(n));
    const mean1 = f64x2.div(sum1, f64x2.convert_low_i32x4_s(i8x16.shuffle(n, n, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
    v128.store(scratch, mean0, SUM);
    v128.store(scratch, mean1, SUM + 16);
    v128.store(scratch, n, COUNT);
    if (std) squaresAround(src + (x << 2), nTime, strideBytes, mean0, mean1, scratch);
    for (let lane: usize = 0; lane < 4; lane++) {
      const to = (x + lane) << 2, size = <f64>load<i32>(scratch + (lane << 2), COUNT);
      if (mean) store<f32>(mean + to, <f32>load<f64>(scratch + (lane << 3), SUM));
      if (std) store<f32>(std + to, <f32>sqrt<f64>(load<f64>(scratch + (lane << 3), SQUARES) / size));
    }
  }
}

export function reduce_u16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  scratch: usize, mean: usize, std: usize, min: usize, max: usize, count: usize,
): void {
  reduceIntegers<u16>(src, nTime, nPx, strideBytes, nodata, hasNodata, scratch, mean, std, min, max, count);
}

export function reduce_i16(
  src: usize, nTime: i32, nPx: i32, strideBytes: usize, nodata: i32, hasNodata: bool,
  scratch: usize, mean: usize, std: usize, min: usize, max: usize, count: usize,
): void {
  reduceIntegers<i16>(src, nTime, nPx, strideBytes, nodata, hasNodata, scratch, mean, std, min, max, count);
}
