// Whole observations out of a stack [nBand][nTime][nPx]: the first or last date on which all bands are valid, and its values.
// nPx is a multiple of 16.

/** i32[nPx]: the first (or with `fromEnd` the last) date on which no band has the 16-bit missing value, −1 where there is none. */
export function pick_u16(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize,
  missing: i32, fromEnd: i32, out: usize,
): void {
  const none = i16x8.splat(<i16>missing);
  for (let i: i32 = 0; i < nPx; i += 8) {
    let index = i16x8.splat(-1);
    for (let n: i32 = 0; n < nTime; n++) {
      const t = fromEnd ? nTime - 1 - n : n;
      let p = src + (<usize>i << 1) + <usize>t * timeStride;
      // Dates are below 2¹⁵, so a negative index has not been found yet.
      let open = i16x8.shr_s(index, 15);
      for (let b: i32 = 0; b < nBand; b++, p += bandStride) open = v128.and(open, i16x8.ne(v128.load(p), none));
      index = v128.bitselect(i16x8.splat(<i16>t), index, open);
      if (i16x8.bitmask(index) == 0) break;
    }
    v128.store(out + (<usize>i << 2), i32x4.extend_low_i16x8_s(index));
    v128.store(out + (<usize>i << 2), i32x4.extend_high_i16x8_s(index), 16);
  }
}

/** The same of f32, where missing is NaN. */
export function pick_f32(
  src: usize, nBand: i32, nTime: i32, nPx: i32, bandStride: usize, timeStride: usize, fromEnd: i32, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i += 4) {
    let index = i32x4.splat(-1);
    for (let n: i32 = 0; n < nTime; n++) {
      const t = fromEnd ? nTime - 1 - n : n;
      let p = src + (<usize>i << 2) + <usize>t * timeStride;
      let open = i32x4.shr_s(index, 31);
      for (let b: i32 = 0; b < nBand; b++, p += bandStride) {
        const v = v128.load(p);
        open = v128.and(open, f32x4.eq(v, v));
      }
      index = v128.bitselect(i32x4.splat(t), index, open);
      if (i32x4.bitmask(index) == 0) break;
    }
    v128.store(out + (<usize>i << 2), index);
  }
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
