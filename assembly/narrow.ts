// f32[n] → integers: rounded (half to even, or toward zero), clamped to the type; NaN → the missing value.

// @ts-ignore: decorator
@inline
function narrowOne<D>(src: usize, i: i32, truncate: i32, least: f64, most: f64, none: i64, out: usize): void {
  const v = <f64>load<f32>(src + (<usize>i << 2));
  const whole = truncate ? Math.trunc(v) : nearest<f64>(v);
  const kept = whole < least ? least : whole > most ? most : whole;
  store<D>(out + <usize>i * sizeof<D>(), v == v ? <D>kept : <D>none);
}

/** Four values, rounded and clamped, as i32 lanes. */
// @ts-ignore: decorator
@inline
function narrowFour(p: usize, truncate: i32, least: v128, most: v128, none: v128): v128 {
  const v = v128.load(p);
  const whole = truncate ? f32x4.trunc(v) : f32x4.nearest(v);
  const kept = i32x4.trunc_sat_f32x4_s(f32x4.pmax(f32x4.pmin(whole, most), least));
  return v128.bitselect(kept, none, f32x4.eq(v, v));
}

/** Types of up to 16 bits, whose range f32 has exactly: eight at a time. */
// @ts-ignore: decorator
@inline
function narrowSmall<D>(src: usize, n: i32, truncate: i32, least: f32, most: f32, none: f64, out: usize): void {
  const low = f32x4.splat(least);
  const high = f32x4.splat(most);
  const missing = i32x4.splat(<i32>none);
  let i: i32 = 0;
  for (; i + 8 <= n; i += 8) {
    const p = src + (<usize>i << 2);
    const a = narrowFour(p, truncate, low, high, missing);
    const b = narrowFour(p + 16, truncate, low, high, missing);
    if (sizeof<D>() == 2) {
      v128.store(out + (<usize>i << 1), isSigned<D>() ? i16x8.narrow_i32x4_s(a, b) : i16x8.narrow_i32x4_u(a, b));
    } else {
      const both = i16x8.narrow_i32x4_s(a, b);
      const bytes = isSigned<D>() ? i8x16.narrow_i16x8_s(both, both) : i8x16.narrow_i16x8_u(both, both);
      v128.store64_lane(out + i, bytes, 0);
    }
  }
  for (; i < n; i++) narrowOne<D>(src, i, truncate, least, most, <i64>none, out);
}

export function narrow_u8(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrowSmall<u8>(src, n, truncate, 0, 255, none, out);
}

export function narrow_i8(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrowSmall<i8>(src, n, truncate, -128, 127, none, out);
}

export function narrow_u16(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrowSmall<u16>(src, n, truncate, 0, 65535, none, out);
}

export function narrow_i16(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrowSmall<i16>(src, n, truncate, -32768, 32767, none, out);
}

export function narrow_u32(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  for (let i: i32 = 0; i < n; i++) narrowOne<u32>(src, i, truncate, 0, 4294967295, <i64>none, out);
}

export function narrow_i32(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  for (let i: i32 = 0; i < n; i++) narrowOne<i32>(src, i, truncate, -2147483648, 2147483647, <i64>none, out);
}
