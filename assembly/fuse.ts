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

/** u8[nPx]: 2 where no band has the 16-bit missing value, 1 where not all have it, 0 where all have. */
export function status_u16(planes: usize, nBand: i32, nPx: i32, bandStride: usize, missing: i32, out: usize): void {
  const none = i16x8.splat(<i16>missing);
  for (let i: i32 = 0; i < nPx; i += 8) {
    let all = i16x8.splat(-1);
    let some = i16x8.splat(0);
    let p = planes + (<usize>i << 1);
    for (let b: i32 = 0; b < nBand; b++, p += bandStride) {
      const valid = i16x8.ne(v128.load(p), none);
      all = v128.and(all, valid);
      some = v128.or(some, valid);
    }
    const status = i16x8.neg(i16x8.add(all, some));
    v128.store64_lane(out + i, i8x16.narrow_i16x8_u(status, status), 0);
  }
}

/** The same of f32, where missing is NaN. */
export function status_f32(planes: usize, nBand: i32, nPx: i32, bandStride: usize, out: usize): void {
  for (let i: i32 = 0; i < nPx; i += 4) {
    let all = i32x4.splat(-1);
    let some = i32x4.splat(0);
    let p = planes + (<usize>i << 2);
    for (let b: i32 = 0; b < nBand; b++, p += bandStride) {
      const v = v128.load(p);
      const valid = f32x4.eq(v, v);
      all = v128.and(all, valid);
      some = v128.or(some, valid);
    }
    const status = i32x4.neg(i32x4.add(all, some));
    const half = i16x8.narrow_i32x4_s(status, status);
    v128.store32_lane(out + i, i8x16.narrow_i16x8_u(half, half), 0);
  }
}

/** Takes a pixel's whole observation from the source where its status is higher; 16-bit samples. */
export function fuse_u16(
  target: usize, targetStride: usize, targetStatus: usize, source: usize, sourceStride: usize, sourceStatus: usize,
  nBand: i32, nPx: i32,
): void {
  for (let i: i32 = 0; i < nPx; i += 8) {
    const own = v128.load64_zero(targetStatus + i);
    const other = v128.load64_zero(sourceStatus + i);
    const better = i8x16.gt_s(other, own);
    if (i8x16.bitmask(better) == 0) continue;
    v128.store64_lane(targetStatus + i, v128.bitselect(other, own, better), 0);
    const take = i16x8.extend_low_i8x16_s(better);
    let p = target + (<usize>i << 1);
    let q = source + (<usize>i << 1);
    for (let b: i32 = 0; b < nBand; b++, p += targetStride, q += sourceStride) {
      v128.store(p, v128.bitselect(v128.load(q), v128.load(p), take));
    }
  }
}

/** The same of f32. */
export function fuse_f32(
  target: usize, targetStride: usize, targetStatus: usize, source: usize, sourceStride: usize, sourceStatus: usize,
  nBand: i32, nPx: i32,
): void {
  for (let i: i32 = 0; i < nPx; i += 4) {
    const own = v128.load32_zero(targetStatus + i);
    const other = v128.load32_zero(sourceStatus + i);
    const better = i8x16.gt_s(other, own);
    if (i8x16.bitmask(better) == 0) continue;
    v128.store32_lane(targetStatus + i, v128.bitselect(other, own, better), 0);
    const take = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(better));
    let p = target + (<usize>i << 2);
    let q = source + (<usize>i << 2);
    for (let b: i32 = 0; b < nBand; b++, p += targetStride, q += sourceStride) {
      v128.store(p, v128.bitselect(v128.load(q), v128.load(p), take));
    }
  }
}
