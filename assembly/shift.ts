// Adds a number to the valid samples of a plane [nPx], padded to 8 px; missing ones stay, and valid ones never become missing.

/** The neighbour of the missing value that a sample takes which would land on it: the next higher one, or at the end the next lower. */
// @ts-ignore: decorator
@inline
function beside(sum: v128, none: v128, missing: v128, isLast: bool): v128 {
  const hit = v128.andnot(i16x8.eq(sum, none), missing);
  return isLast ? i16x8.add(sum, hit) : i16x8.sub(sum, hit);
}

/** u16 in place; sums saturate at 0 and 65535. `has`: whether there is a missing value at all. */
export function shift_u16(planes: usize, nPx: i32, has: i32, nodata: i32, shift: i32): void {
  const none = i16x8.splat(<i16>nodata);
  const by = i16x8.splat(<i16>(shift < 0 ? -shift : shift));
  const isLast = nodata == 0xffff;
  for (let i: i32 = 0; i < nPx; i += 8) {
    const p = planes + (<usize>i << 1);
    const v = v128.load(p);
    const sum = shift < 0 ? i16x8.sub_sat_u(v, by) : i16x8.add_sat_u(v, by);
    if (!has) {
      v128.store(p, sum);
      continue;
    }
    const missing = i16x8.eq(v, none);
    v128.store(p, v128.bitselect(v, beside(sum, none, missing, isLast), missing));
  }
}

/** i16 in place; sums saturate at −32768 and 32767. */
export function shift_i16(planes: usize, nPx: i32, has: i32, nodata: i32, shift: i32): void {
  const none = i16x8.splat(<i16>nodata);
  const by = i16x8.splat(<i16>shift);
  const isLast = nodata == 0x7fff;
  for (let i: i32 = 0; i < nPx; i += 8) {
    const p = planes + (<usize>i << 1);
    const v = v128.load(p);
    const sum = i16x8.add_sat_s(v, by);
    if (!has) {
      v128.store(p, sum);
      continue;
    }
    const missing = i16x8.eq(v, none);
    v128.store(p, v128.bitselect(v, beside(sum, none, missing, isLast), missing));
  }
}

/** f32 in place; NaN stays NaN. */
export function shift_f32(planes: usize, nPx: i32, shift: f32): void {
  const by = f32x4.splat(shift);
  for (let i: i32 = 0; i < nPx; i += 4) {
    const p = planes + (<usize>i << 2);
    v128.store(p, f32x4.add(v128.load(p), by));
  }
}
