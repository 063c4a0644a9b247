// Results f64 of a resampling → the target's type D: u16, i16 or f32. Integers round half to even, stay in range, and step off the
// missing value as GDAL does: down, or up from the least value.

// @ts-ignore: decorator
@inline
export function putInteger<D>(to: usize, value: f64, least: f64, most: f64, hasNone: i32, none: f64): void {
  let whole = nearest<f64>(value);
  whole = whole < least ? least : whole > most ? most : whole;
  if (hasNone && whole == none) whole += whole == least ? 1 : -1;
  store<D>(to, <D>whole);
}

/** What is stored where a result is missing: 8 integers or 4 floats. */
// @ts-ignore: decorator
@inline
export function noneOf<D>(none: f64): v128 {
  return isFloat<D>() ? f32x4.splat(NaN) : i16x8.splat(<i16><i32>none);
}

/** What is added to integers that would be the missing value; 0 where there is none, or none that the type holds. */
// @ts-ignore: decorator
@inline
export function stepOf<D>(hasNone: i32, none: f64): v128 {
  if (isFloat<D>()) return i16x8.splat(0);
  const least: f64 = isSigned<D>() ? -32768 : 0;
  const held = hasNone != 0 && none >= least && none <= least + 65535 && none == floor(none);
  return i16x8.splat(held ? (none == least ? 1 : -1) : 0);
}

// @ts-ignore: decorator
@inline
export function stepOff(v: v128, none: v128, step: v128): v128 {
  return i16x8.add(v, v128.and(i16x8.eq(v, none), step));
}

/**
 * Four results as i32, rounded half to even: the sum with 1.5 × 2⁵² has no bits for a fraction and the whole number in its lower
 * half. Good below 2³¹: integer targets have sources of 16 bits at most.
 */
// @ts-ignore: decorator
@inline
export function roundFour(a: v128, b: v128): v128 {
  const shift = f64x2.splat(6755399441055744);
  return i32x4.shuffle(f64x2.add(a, shift), f64x2.add(b, shift), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
export function floatFour(a: v128, b: v128): v128 {
  return i64x2.shuffle(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 2);
}

/** i32 lanes → D's, saturating. */
// @ts-ignore: decorator
@inline
export function narrowEight<D>(a: v128, b: v128): v128 {
  return isSigned<D>() ? i16x8.narrow_i32x4_s(a, b) : i16x8.narrow_i32x4_u(a, b);
}

/** Stores eight valid results, two a vector. */
// @ts-ignore: decorator
@inline
export function putEight<D>(a: v128, b: v128, c: v128, d: v128, none: v128, step: v128, to: usize): void {
  if (isFloat<D>()) {
    v128.store(to, floatFour(a, b));
    v128.store(to, floatFour(c, d), 16);
  } else v128.store(to, stepOff(narrowEight<D>(roundFour(a, b), roundFour(c, d)), none, step));
}

/** Two sums over their weights; what has less than the least weight is to be told by `enough`. */
// @ts-ignore: decorator
@inline
function quotient(sums: usize, weights: usize): v128 {
  return f64x2.div(v128.load(sums), v128.load(weights));
}

/** i64 masks of the four weights from a pointer on that are not below the least, as i32. */
// @ts-ignore: decorator
@inline
function enough(weights: usize, least: v128): v128 {
  return i32x4.shuffle(f64x2.ge(v128.load(weights), least), f64x2.ge(v128.load(weights, 16), least), 0, 2, 4, 6);
}

/** f64[n] sums and weights, readable to a multiple of 8 → D[n]; missing below the `least` weight. `spare`: 32 bytes. */
export function putRow<D>(
  sums: usize, weights: usize, n: i32, least: f64, hasNone: i32, none: f64, spare: usize, out: usize,
): void {
  const nothing = noneOf<D>(none);
  const step = stepOf<D>(hasNone, none);
  const low = f64x2.splat(least);
  for (let x: i32 = 0; x < n; x += 8) {
    const s = sums + (<usize>x << 3);
    const w = weights + (<usize>x << 3);
    const own = out + <usize>x * sizeof<D>();
    const to = n - x < 8 ? spare : own;
    const someAb = enough(w, low);
    const someCd = enough(w + 32, low);
    const a = quotient(s, w);
    const b = quotient(s + 16, w + 16);
    const c = quotient(s + 32, w + 32);
    const d = quotient(s + 48, w + 48);
    if (isFloat<D>()) {
      v128.store(to, v128.bitselect(floatFour(a, b), nothing, someAb));
      v128.store(to, v128.bitselect(floatFour(c, d), nothing, someCd), 16);
    } else {
      const whole = stepOff(narrowEight<D>(roundFour(a, b), roundFour(c, d)), nothing, step);
      v128.store(to, v128.bitselect(whole, nothing, i16x8.narrow_i32x4_s(someAb, someCd)));
    }
    if (n - x < 8) memory.copy(own, spare, <usize>(n - x) * sizeof<D>());
  }
}
