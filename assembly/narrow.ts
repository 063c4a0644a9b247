// f32[n] → integers: scaled, rounded (half to even, or toward zero), clamped; NaN → the missing value.

// @ts-ignore: decorator
@inline
function narrow<D>(src: usize, n: i32, truncate: i32, least: f64, most: f64, none: f64, out: usize): void {
  for (let i: i32 = 0; i < n; i++) {
    const v = <f64>load<f32>(src + (<usize>i << 2));
    let whole = truncate ? Math.trunc(v) : nearest<f64>(v);
    whole = v == v ? Math.min(Math.max(whole, least), most) : none;
    store<D>(out + <usize>i * sizeof<D>(), <D>whole);
  }
}

export function narrow_u8(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<u8>(src, n, truncate, 0, 255, none, out);
}

export function narrow_i8(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<i8>(src, n, truncate, -128, 127, none, out);
}

export function narrow_u16(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<u16>(src, n, truncate, 0, 65535, none, out);
}

export function narrow_i16(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<i16>(src, n, truncate, -32768, 32767, none, out);
}

export function narrow_u32(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<u32>(src, n, truncate, 0, 4294967295, none, out);
}

export function narrow_i32(src: usize, n: i32, truncate: i32, none: f64, out: usize): void {
  narrow<i32>(src, n, truncate, -2147483648, 2147483647, none, out);
}
