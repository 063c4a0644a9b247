// Staging: a chunk of a column, T[nTime][px], is copied to rows of 128 bytes: 64 px of u16 or i16, 32 px of f32. Rows in which
// every pixel is missing are left out. i16 is biased by 0x8000, so that order statistics know only u16 and f32.
// Missing values become the largest or smallest value, so that a rank is the same row in every lane.

export const ROW_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
export function pxPerRow<T>(): i32 {
  return <i32>(ROW_BYTES / sizeof<T>());
}

/** i16 to u16 in the same order, and back. */
// @ts-ignore: decorator
@inline
export function rebias<T>(v: v128): v128 {
  if (isInteger<T>() && isSigned<T>()) return v128.xor(v, i16x8.splat(-32768));
  return v;
}

/** The missing value as staged rows would hold it; f32 has NaN and ignores it. */
// @ts-ignore: decorator
@inline
export function nodataVector<T>(nodata: i32): v128 {
  return rebias<T>(i16x8.splat(<i16>nodata));
}

// @ts-ignore: decorator
@inline
export function isMissing<T>(v: v128, nodata: v128): v128 {
  if (isFloat<T>()) return f32x4.ne(v, v);
  return i16x8.eq(v, nodata);
}

/** The largest value: missing values that come last in order. */
// @ts-ignore: decorator
@inline
export function highest<T>(): v128 {
  if (isFloat<T>()) return f32x4.splat(Infinity);
  return i16x8.splat(-1);
}

/** v, with the largest (where odd is 0) or the smallest value (where odd is −1) in the lanes of `missing`. */
// @ts-ignore: decorator
@inline
function fill<T>(v: v128, missing: v128, odd: v128): v128 {
  if (isFloat<T>()) {
    const extreme = v128.xor(f32x4.splat(Infinity), v128.and(odd, i32x4.splat(0x80000000)));
    return v128.bitselect(extreme, v, missing);
  }
  return v128.xor(v128.or(v, missing), v128.and(missing, odd));
}

// @ts-ignore: decorator
@inline
function fillLast<T>(v: v128, missing: v128): v128 {
  if (isFloat<T>()) return v128.bitselect(f32x4.splat(Infinity), v, missing);
  return v128.or(v, missing);
}

/** Copies the chunk; returns false as soon as a value is missing. `checked` is false for integers without nodata. */
export function stageComplete<T>(src: usize, nTime: i32, strideBytes: usize, nodata: v128, checked: bool, p: usize): bool {
  for (let t: i32 = 0; t < nTime; t++) {
    const v0 = rebias<T>(v128.load(src)), v1 = rebias<T>(v128.load(src, 16));
    const v2 = rebias<T>(v128.load(src, 32)), v3 = rebias<T>(v128.load(src, 48));
    const v4 = rebias<T>(v128.load(src, 64)), v5 = rebias<T>(v128.load(src, 80));
    const v6 = rebias<T>(v128.load(src, 96)), v7 = rebias<T>(v128.load(src, 112));
    if (checked) {
      const m0 = v128.or(isMissing<T>(v0, nodata), isMissing<T>(v1, nodata));
      const m1 = v128.or(isMissing<T>(v2, nodata), isMissing<T>(v3, nodata));
      const m2 = v128.or(isMissing<T>(v4, nodata), isMissing<T>(v5, nodata));
      const m3 = v128.or(isMissing<T>(v6, nodata), isMissing<T>(v7, nodata));
      if (i8x16.bitmask(v128.or(v128.or(m0, m1), v128.or(m2, m3)))) return false;
    }
    v128.store(p, v0);
    v128.store(p, v1, 16);
    v128.store(p, v2, 32);
    v128.store(p, v3, 48);
    v128.store(p, v4, 64);
    v128.store(p, v5, 80);
    v128.store(p, v6, 96);
    v128.store(p, v7, 112);
    src += strideBytes;
    p += ROW_BYTES;
  }
  return true;
}

function isEmptyRow<T>(src: usize, nodata: v128): bool {
  let all = i32x4.splat(-1);
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    all = v128.and(all, isMissing<T>(rebias<T>(v128.load(src + c)), nodata));
  }
  return i8x16.bitmask(all) == 0xffff;
}

/**
 * Copies the chunk, with missing values replaced alternately by the largest and the smallest value, so that the middle ranks of
 * what remains stay in the middle. Returns the number of rows; `odd` gets a row of masks: −1 where an odd number was replaced.
 */
export function stageAlternating<T>(src: usize, nTime: i32, strideBytes: usize, nodata: v128, p: usize, odd: usize): i32 {
  const start = p;
  const ones = i32x4.splat(-1);
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (let t: i32 = 0; t < nTime; t++) {
    let v = rebias<T>(v128.load(src)), m = isMissing<T>(v, nodata);
    const first = i8x16.bitmask(m);
    v128.store(p, fill<T>(v, m, s0)); s0 = v128.xor(s0, m);
    v = rebias<T>(v128.load(src, 16)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s1), 16); s1 = v128.xor(s1, m);
    v = rebias<T>(v128.load(src, 32)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s2), 32); s2 = v128.xor(s2, m);
    v = rebias<T>(v128.load(src, 48)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s3), 48); s3 = v128.xor(s3, m);
    v = rebias<T>(v128.load(src, 64)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s4), 64); s4 = v128.xor(s4, m);
    v = rebias<T>(v128.load(src, 80)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s5), 80); s5 = v128.xor(s5, m);
    v = rebias<T>(v128.load(src, 96)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s6), 96); s6 = v128.xor(s6, m);
    v = rebias<T>(v128.load(src, 112)); m = isMissing<T>(v, nodata);
    v128.store(p, fill<T>(v, m, s7), 112); s7 = v128.xor(s7, m);
    p += ROW_BYTES;
    if (first == 0xffff && isEmptyRow<T>(src, nodata)) { // The row is left out: its replacements do not count.
      p -= ROW_BYTES;
      s0 = v128.xor(s0, ones); s1 = v128.xor(s1, ones); s2 = v128.xor(s2, ones); s3 = v128.xor(s3, ones);
      s4 = v128.xor(s4, ones); s5 = v128.xor(s5, ones); s6 = v128.xor(s6, ones); s7 = v128.xor(s7, ones);
    }
    src += strideBytes;
  }
  v128.store(odd, s0); v128.store(odd, s1, 16); v128.store(odd, s2, 32); v128.store(odd, s3, 48);
  v128.store(odd, s4, 64); v128.store(odd, s5, 80); v128.store(odd, s6, 96); v128.store(odd, s7, 112);
  return <i32>((p - start) / ROW_BYTES);
}

/** Adds rows up to `size` as if all their pixels were missing. */
export function padAlternating<T>(p: usize, rows: i32, size: i32, odd: usize): void {
  const zero = i32x4.splat(0), ones = i32x4.splat(-1);
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    let s = v128.load(odd + c);
    for (let row = rows; row < size; row++) {
      v128.store(p + <usize>row * ROW_BYTES + c, fill<T>(zero, ones, s));
      s = v128.not(s);
    }
    v128.store(odd + c, s);
  }
}

/**
 * Copies the chunk, with missing values replaced by the largest, so that rank r of the valid ones is rank r of all. Returns the
 * number of rows; `counts` gets the number of valid values as a row of lanes as wide as T.
 */
export function stageLast<T>(src: usize, nTime: i32, strideBytes: usize, nodata: v128, checked: bool, p: usize, counts: usize): i32 {
  const start = p;
  for (let c: usize = 0; c < ROW_BYTES; c += 16) {
    v128.store(counts + c, isFloat<T>() ? i32x4.splat(nTime) : i16x8.splat(<i16>nTime));
  }
  for (let t: i32 = 0; t < nTime; t++) {
    let all = i32x4.splat(-1);
    for (let c: usize = 0; c < ROW_BYTES; c += 16) {
      const v = rebias<T>(v128.load(src + c));
      const m = checked ? isMissing<T>(v, nodata) : i32x4.splat(0);
      const n = v128.load(counts + c);
      v128.store(counts + c, isFloat<T>() ? i32x4.add(n, m) : i16x8.add(n, m));
      v128.store(p + c, fillLast<T>(v, m));
      all = v128.and(all, m);
    }
    src += strideBytes;
    if (i8x16.bitmask(all) != 0xffff) p += ROW_BYTES;
  }
  return <i32>((p - start) / ROW_BYTES);
}

/** Adds rows up to `size` that come last in order. */
export function padLast<T>(p: usize, rows: i32, size: i32): void {
  const end = p + <usize>size * ROW_BYTES;
  for (p += <usize>rows * ROW_BYTES; p < end; p += 16) v128.store(p, highest<T>());
}
