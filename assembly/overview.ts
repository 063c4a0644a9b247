// 2×2 reduction of a plane, and the summary statistics that go beside it. T[height][stride], valid width ≤ stride.
// A sample is missing when it is NaN or, if `hasNodata`, equal to `nodata`.

const NEAREST: i32 = 0;
const AVERAGE: i32 = 1;

// @ts-ignore: decorator
@inline
function isMissing<T>(value: T, hasNodata: i32, nodata: T): bool {
  if (isFloat<T>()) {
    if (value != value) return true;
  }
  return hasNodata != 0 && value == nodata;
}

/** The most frequent of the first n of a, b, c, d; of several the smallest. */
// @ts-ignore: decorator
@inline
function mode<T>(n: i32, a: T, b: T, c: T, d: T): T {
  let best = a;
  let most = 1 + i32(n > 1 && b == a) + i32(n > 2 && c == a) + i32(n > 3 && d == a);
  if (n > 1) {
    const times = 1 + i32(n > 2 && c == b) + i32(n > 3 && d == b);
    if (times > most || (times == most && b < best)) {
      best = b;
      most = times;
    }
  }
  if (n > 2) {
    const times = 1 + i32(n > 3 && d == c);
    if (times > most || (times == most && c < best)) {
      best = c;
      most = times;
    }
  }
  if (n > 3 && most == 1 && d < best) best = d;
  return best;
}

/** Average or mode of up to four samples: `a` always there, `b` right of it, `c` below, `d` below right, if they are. */
// @ts-ignore: decorator
@inline
function reduce<T>(a: T, b: T, c: T, d: T, hasB: bool, hasC: bool, method: i32, hasNodata: i32, nodata: T): T {
  const isA = !isMissing<T>(a, hasNodata, nodata);
  const isB = hasB && !isMissing<T>(b, hasNodata, nodata);
  const isC = hasC && !isMissing<T>(c, hasNodata, nodata);
  const isD = hasB && hasC && !isMissing<T>(d, hasNodata, nodata);
  const n = i32(isA) + i32(isB) + i32(isC) + i32(isD);
  if (n == 0) return hasNodata ? nodata : isFloat<T>() ? <T>NaN : <T>0;
  if (method == AVERAGE) {
    const sum = ((isA ? <f64>a : 0) + (isB ? <f64>b : 0)) + ((isC ? <f64>c : 0) + (isD ? <f64>d : 0));
    const mean = n == 4 ? sum * 0.25 : n == 2 ? sum * 0.5 : n == 1 ? sum : sum / 3;
    return isInteger<T>() ? <T>nearest<f64>(mean) : <T>mean;
  }
  // The valid ones moved to the front.
  let p = a, q = b, r = c, s = d;
  if (!isC) r = s;
  if (!isB) { q = r; r = s; }
  if (!isA) { p = q; q = r; r = s; }
  return mode<T>(n, p, q, r, s);
}

/** in: T[height][strideIn] px, out: T[⌈height/2⌉][strideOut] px. Sums in f64; integers round half to even. */
// @ts-ignore: decorator
@inline
function halve<T>(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: T, out: usize, strideOut: i32,
): void {
  const size = sizeof<T>();
  const outHeight = (height + 1) >> 1;
  for (let row = 0; row < outHeight; row++) {
    let upper = source + <usize>(row * 2) * strideIn * size;
    const hasC = row * 2 + 1 < height;
    let lower = hasC ? upper + <usize>strideIn * size : upper;
    const end = upper + <usize>(width & ~1) * size;
    let to = out + <usize>row * strideOut * size;
    for (; upper < end; upper += 2 * size, lower += 2 * size, to += size) {
      const a = load<T>(upper);
      if (method == NEAREST) store<T>(to, a);
      else {
        const b = load<T>(upper, sizeof<T>());
        const c = load<T>(lower);
        const d = load<T>(lower, sizeof<T>());
        store<T>(to, reduce<T>(a, b, c, d, true, hasC, method, hasNodata, nodata));
      }
    }
    if (width & 1) {
      const a = load<T>(upper);
      if (method == NEAREST) store<T>(to, a);
      else {
        const c = load<T>(lower);
        store<T>(to, reduce<T>(a, a, c, c, false, hasC, method, hasNodata, nodata));
      }
    }
  }
}

/**
 * Count, minimum, maximum, mean and sum of squared deviations of the samples that are not missing → out: f64[5]; two passes.
 */
// @ts-ignore: decorator
@inline
function summarize<T>(source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: T, out: usize): void {
  const size = sizeof<T>();
  let count: f64 = 0, sum: f64 = 0, least: f64 = Infinity, most: f64 = -Infinity;
  for (let row = 0; row < height; row++) {
    let at = source + <usize>row * stride * size;
    const end = at + <usize>width * size;
    for (; at < end; at += size) {
      const value = load<T>(at);
      const known = !isMissing<T>(value, hasNodata, nodata);
      const number = <f64>value;
      count += known ? 1.0 : 0.0;
      sum += known ? number : 0.0;
      least = known && number < least ? number : least;
      most = known && number > most ? number : most;
    }
  }
  const mean = count > 0 ? sum / count : 0;
  let squares: f64 = 0;
  for (let row = 0; row < height; row++) {
    let at = source + <usize>row * stride * size;
    const end = at + <usize>width * size;
    for (; at < end; at += size) {
      const value = load<T>(at);
      const distance = isMissing<T>(value, hasNodata, nodata) ? 0.0 : <f64>value - mean;
      squares += distance * distance;
    }
  }
  store<f64>(out, count);
  store<f64>(out, least, 8);
  store<f64>(out, most, 16);
  store<f64>(out, mean, 24);
  store<f64>(out, squares, 32);
}

export function halve_u8(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<u8>(source, width, height, strideIn, method, hasNodata, <u8>nodata, out, strideOut);
}

export function summarize_u8(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<u8>(source, width, height, stride, hasNodata, <u8>nodata, out);
}

export function halve_i8(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<i8>(source, width, height, strideIn, method, hasNodata, <i8>nodata, out, strideOut);
}

export function summarize_i8(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<i8>(source, width, height, stride, hasNodata, <i8>nodata, out);
}

export function halve_u16(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<u16>(source, width, height, strideIn, method, hasNodata, <u16>nodata, out, strideOut);
}

export function summarize_u16(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<u16>(source, width, height, stride, hasNodata, <u16>nodata, out);
}

export function halve_i16(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<i16>(source, width, height, strideIn, method, hasNodata, <i16>nodata, out, strideOut);
}

export function summarize_i16(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<i16>(source, width, height, stride, hasNodata, <i16>nodata, out);
}

export function halve_u32(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<u32>(source, width, height, strideIn, method, hasNodata, <u32>nodata, out, strideOut);
}

export function summarize_u32(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<u32>(source, width, height, stride, hasNodata, <u32>nodata, out);
}

export function halve_i32(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<i32>(source, width, height, strideIn, method, hasNodata, <i32>nodata, out, strideOut);
}

export function summarize_i32(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<i32>(source, width, height, stride, hasNodata, <i32>nodata, out);
}

export function halve_f32(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<f32>(source, width, height, strideIn, method, hasNodata, <f32>nodata, out, strideOut);
}

export function summarize_f32(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<f32>(source, width, height, stride, hasNodata, <f32>nodata, out);
}

export function halve_f64(
  source: usize, width: i32, height: i32, strideIn: i32, method: i32, hasNodata: i32, nodata: f64, out: usize, strideOut: i32,
): void {
  halve<f64>(source, width, height, strideIn, method, hasNodata, <f64>nodata, out, strideOut);
}

export function summarize_f64(
  source: usize, width: i32, height: i32, stride: i32, hasNodata: i32, nodata: f64, out: usize,
): void {
  summarize<f64>(source, width, height, stride, hasNodata, <f64>nodata, out);
}
