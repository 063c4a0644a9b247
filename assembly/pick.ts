// Whole observations out of a stack [nBand][nTime][nPx]: the first or last date on which all bands are valid, and its values.

// @ts-ignore: decorator
@inline
function allValid<T>(p: usize, nBand: i32, bandStride: usize, hasMissing: i32, missing: i32): bool {
  for (let b: i32 = 0; b < nBand; b++) {
    const v = load<T>(p + <usize>b * bandStride);
    if (isFloat<T>() ? v != v : hasMissing && <i32>v == missing) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function pick<T>(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize,
  hasMissing: i32, missing: i32, fromEnd: i32, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const p = src + <usize>i * sizeof<T>();
    let found: i32 = -1;
    for (let n: i32 = 0; n < nTime; n++) {
      const t = fromEnd ? nTime - 1 - n : n;
      if (allValid<T>(p + <usize>t * timeStride, nBand, bandStride, hasMissing, missing)) {
        found = t;
        break;
      }
    }
    store<i32>(out + (<usize>i << 2), found);
  }
}

/** i32[nPx]: the first (or with `fromEnd` the last) date on which all bands are valid, −1 where there is none. */
export function pick_u16(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize,
  hasMissing: i32, missing: i32, fromEnd: i32, out: usize,
): void {
  pick<u16>(src, nBand, nTime, nPx, bandStride, timeStride, hasMissing, missing, fromEnd, out);
}

export function pick_f32(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize, fromEnd: i32, out: usize,
): void {
  pick<f32>(src, nBand, nTime, nPx, bandStride, timeStride, 0, 0, fromEnd, out);
}

// @ts-ignore: decorator
@inline
function gather<T>(
  src: usize, nBand: i32, nPx: i32, bandStride: usize, timeStride: usize, index: usize, none: T, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const t = load<i32>(index + (<usize>i << 2));
    const at = <usize>i * sizeof<T>();
    for (let b: i32 = 0; b < nBand; b++) {
      const from = src + <usize>b * bandStride + <usize>max(t, 0) * timeStride + at;
      store<T>(out + <usize>b * nPx * sizeof<T>() + at, t < 0 ? none : load<T>(from));
    }
  }
}

/** [nBand][nPx]: the values of the date that i32[nPx] `index` names; 16-bit samples. */
export function gather_u16(
  src: usize, nBand: i32, nPx: i32, bandStride: usize, timeStride: usize, index: usize, none: i32, out: usize,
): void {
  gather<u16>(src, nBand, nPx, bandStride, timeStride, index, <u16>none, out);
}

export function gather_f32(
  src: usize, nBand: i32, nPx: i32, bandStride: usize, timeStride: usize, index: usize, none: f32, out: usize,
): void {
  gather<f32>(src, nBand, nPx, bandStride, timeStride, index, none, out);
}

/** u16[nPx]: dates on which no band has the 16-bit missing value. */
export function count_all_u16(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize, missing: i32, out: usize,
): void {
  const none = i16x8.splat(<i16>missing);
  for (let i: i32 = 0; i < nPx; i += 8) {
    let count = i16x8.splat(0);
    for (let t: i32 = 0; t < nTime; t++) {
      let p = src + (<usize>i << 1) + <usize>t * timeStride;
      let bad = i16x8.splat(0);
      for (let b: i32 = 0; b < nBand; b++, p += bandStride) bad = v128.or(bad, i16x8.eq(v128.load(p), none));
      count = i16x8.add(count, i16x8.add(bad, i16x8.splat(1)));
    }
    v128.store(out + (<usize>i << 1), count);
  }
}

/** u16[nPx]: dates on which no band is NaN. */
export function count_all_f32(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i += 4) {
    let count = i32x4.splat(0);
    for (let t: i32 = 0; t < nTime; t++) {
      let p = src + (<usize>i << 2) + <usize>t * timeStride;
      let ok = i32x4.splat(-1);
      for (let b: i32 = 0; b < nBand; b++, p += bandStride) {
        const v = v128.load(p);
        ok = v128.and(ok, f32x4.eq(v, v));
      }
      count = i32x4.sub(count, ok);
    }
    v128.store64_lane(out + (<usize>i << 1), i16x8.narrow_i32x4_u(count, count), 0);
  }
}
