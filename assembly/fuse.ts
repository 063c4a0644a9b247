// Masking planes, and fusing the scenes of one solar day. Planes are [nBand][nPx], bands `bandStride` bytes apart, padded to 16 px.

/** Writes the missing value where u8[nPx] mask is not 0: u16 (or i16 by its bits) planes. */
export function mask_planes_u16(mask: usize, nPx: i32, planes: usize, nBand: i32, bandStride: usize, none: i32): void {
  const zero = i16x8.splat(0);
  const nones = i16x8.splat(<i16>none);
  for (let i: i32 = 0; i < nPx; i += 8) {
    const keep = i16x8.eq(v128.load8x8_u(mask + i), zero);
    if (i8x16.bitmask(keep) == 0xffff) continue;
    let p = planes + (<usize>i << 1);
    for (let b: i32 = 0; b < nBand; b++, p += bandStride) v128.store(p, v128.bitselect(v128.load(p), nones, keep));
  }
}

/** The same for f32 planes; missing is NaN. */
export function mask_planes_f32(mask: usize, nPx: i32, planes: usize, nBand: i32, bandStride: usize): void {
  const zero = i32x4.splat(0);
  const nones = f32x4.splat(NaN);
  for (let i: i32 = 0; i < nPx; i += 4) {
    const flags = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask + i)));
    const keep = i32x4.eq(flags, zero);
    if (i8x16.bitmask(keep) == 0xffff) continue;
    let p = planes + (<usize>i << 2);
    for (let b: i32 = 0; b < nBand; b++, p += bandStride) v128.store(p, v128.bitselect(v128.load(p), nones, keep));
  }
}

// @ts-ignore: decorator
@inline
function valid<T>(v: T, hasMissing: i32, missing: i32): bool {
  if (isFloat<T>()) return v == v;
  return !(hasMissing && <i32>v == missing);
}

// @ts-ignore: decorator
@inline
function status<T>(
  planes: usize, nBand: i32, nPx: i32, bandStride: usize, hasMissing: i32, missing: i32, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    let count: i32 = 0;
    for (let b: i32 = 0; b < nBand; b++) {
      count += i32(valid<T>(load<T>(planes + <usize>b * bandStride + <usize>i * sizeof<T>()), hasMissing, missing));
    }
    store<u8>(out + i, count == nBand ? 2 : count > 0 ? 1 : 0);
  }
}

/** u8[nPx]: 2 where all bands are valid, 1 where some are, 0 where none is. */
export function status_u16(planes: usize, nBand: i32, nPx: i32, bandStride: usize, hasMissing: i32, missing: i32, out: usize): void {
  status<u16>(planes, nBand, nPx, bandStride, hasMissing, missing, out);
}

export function status_i16(planes: usize, nBand: i32, nPx: i32, bandStride: usize, hasMissing: i32, missing: i32, out: usize): void {
  status<i16>(planes, nBand, nPx, bandStride, hasMissing, missing, out);
}

export function status_f32(planes: usize, nBand: i32, nPx: i32, bandStride: usize, out: usize): void {
  status<f32>(planes, nBand, nPx, bandStride, 0, 0, out);
}

// @ts-ignore: decorator
@inline
function fuse<T>(
  target: usize, targetStride: usize, targetStatus: usize, source: usize, sourceStride: usize, sourceStatus: usize,
  nBand: i32, nPx: i32,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const better = load<u8>(sourceStatus + i);
    if (better <= load<u8>(targetStatus + i)) continue;
    store<u8>(targetStatus + i, better);
    const at = <usize>i * sizeof<T>();
    for (let b: i32 = 0; b < nBand; b++) {
      store<T>(target + <usize>b * targetStride + at, load<T>(source + <usize>b * sourceStride + at));
    }
  }
}

/** Takes a pixel's whole observation from the source where its status is higher; 16-bit samples. */
export function fuse_u16(
  target: usize, targetStride: usize, targetStatus: usize, source: usize, sourceStride: usize, sourceStatus: usize,
  nBand: i32, nPx: i32,
): void {
  fuse<u16>(target, targetStride, targetStatus, source, sourceStride, sourceStatus, nBand, nPx);
}

export function fuse_f32(
  target: usize, targetStride: usize, targetStatus: usize, source: usize, sourceStride: usize, sourceStatus: usize,
  nBand: i32, nPx: i32,
): void {
  fuse<f32>(target, targetStride, targetStatus, source, sourceStride, sourceStatus, nBand, nPx);
}
