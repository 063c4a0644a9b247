// Source samples of any type → f64 with NaN for missing.

/** Two samples. */
// @ts-ignore: decorator
@inline
function pair<S>(at: usize): v128 {
  if (sizeof<S>() == 8) return v128.load(at);
  if (isFloat<S>()) return f64x2.promote_low_f32x4(v128.load64_zero(at));
  if (sizeof<S>() == 4) {
    const two = v128.load64_zero(at);
    return isSigned<S>() ? f64x2.convert_low_i32x4_s(two) : f64x2.convert_low_i32x4_u(two);
  }
  if (sizeof<S>() == 2) {
    const two = v128.load32_zero(at);
    return f64x2.convert_low_i32x4_s(isSigned<S>() ? v128.extend_low<i16>(two) : v128.extend_low<u16>(two));
  }
  const two = i16x8.splat(load<i16>(at));
  return f64x2.convert_low_i32x4_s(
    isSigned<S>() ? v128.extend_low<i16>(v128.extend_low<i8>(two)) : v128.extend_low<u16>(v128.extend_low<u8>(two)),
  );
}

/** n samples; whether one is missing. `gap` is the missing value, or NaN when there is none. */
// @ts-ignore: decorator
@inline
function widen<S>(from: usize, n: i32, gap: f64, to: usize): bool {
  const gaps = f64x2.splat(gap);
  let bad = i64x2.splat(0);
  let i: i32 = 0;
  for (; i + 2 <= n; i += 2) {
    const v = pair<S>(from + <usize>i * sizeof<S>());
    // All bits set are a NaN too.
    const kept = v128.or(v, f64x2.eq(v, gaps));
    bad = v128.or(bad, f64x2.ne(kept, kept));
    v128.store(to + (<usize>i << 3), kept);
  }
  let some: bool = v128.any_true(bad);
  if (i < n) {
    const v = <f64>load<S>(from + <usize>i * sizeof<S>());
    const none = v != v || v == gap;
    store<f64>(to + (<usize>i << 3), none ? NaN : v);
    some = some || none;
  }
  return some;
}

/** n samples of `type` (0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64), the first being sample `at`; whether one is missing. */
export function widenSamples(type: i32, src: usize, at: usize, n: i32, gap: f64, to: usize): bool {
  switch (type) {
    case 0: return widen<u8>(src + at, n, gap, to);
    case 1: return widen<i8>(src + at, n, gap, to);
    case 2: return widen<u16>(src + (at << 1), n, gap, to);
    case 3: return widen<i16>(src + (at << 1), n, gap, to);
    case 4: return widen<u32>(src + (at << 2), n, gap, to);
    case 5: return widen<i32>(src + (at << 2), n, gap, to);
    case 6: return widen<f32>(src + (at << 2), n, gap, to);
    default: return widen<f64>(src + (at << 3), n, gap, to);
  }
}
