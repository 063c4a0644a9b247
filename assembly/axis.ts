// Where target pixels lie in a source of the same CRS, along one axis; f64 source px, rounded to 2⁻²⁰ px so that every block sees the
// same.

const STEPS: f64 = 1048576;

/** Halves go up, as in Math.round. */
// @ts-ignore: decorator
@inline
function roundUp(v: v128): v128 {
  const low = f64x2.floor(v);
  return f64x2.add(low, v128.and(f64x2.ge(f64x2.sub(v, low), f64x2.splat(0.5)), f64x2.splat(1)));
}

/** f64[n] at `out`: offset + scale × target − origin of the targets first, first + 1 … */
export function axis_positions(scale: f64, offset: f64, origin: f64, first: f64, n: i32, out: usize): void {
  const slope = f64x2.splat(scale);
  const shift = f64x2.splat(offset);
  const own = f64x2.splat(origin);
  let target = f64x2.replace_lane(f64x2.splat(first), 1, first + 1);
  for (let i: i32 = 0; i < n; i += 2, target = f64x2.add(target, f64x2.splat(2))) {
    const fine = f64x2.mul(f64x2.add(shift, f64x2.mul(target, slope)), f64x2.splat(STEPS));
    const at = f64x2.sub(f64x2.mul(roundUp(fine), f64x2.splat(1 / STEPS)), own);
    if (i + 1 < n) v128.store(out + (<usize>i << 3), at);
    else v128.store64_lane(out + (<usize>i << 3), at, 0);
  }
}

/**
 * f64[n] centres at `weights` → i32[n] `index`, the left neighbours, and f64[n] `weights` of the right ones. A centre outside of
 * [0, size) has neighbours that do not exist: −2. `sharp`: 1, or as how many pixels of one value each counts (see `sharpened` in warp-blend);
 * positions have few enough digits that 1 changes nothing.
 */
export function axis_neighbours(n: i32, size: i32, sharp: f64, index: usize, weights: usize): void {
  const end = f64x2.splat(<f64>size);
  const half = f64x2.splat(0.5);
  for (let i: i32 = 0; i < n; i += 2) {
    const p = weights + (<usize>i << 3);
    const q = index + (<usize>i << 2);
    const centre = i + 1 < n ? v128.load(p) : v128.load64_zero(p);
    const at = f64x2.sub(centre, f64x2.splat(0.5));
    const low = f64x2.floor(at);
    const outside = v128.or(f64x2.lt(centre, f64x2.splat(0)), f64x2.ge(centre, end));
    const left = i32x4.trunc_sat_f64x2_s_zero(v128.bitselect(f64x2.splat(-2), low, outside));
    const blend = f64x2.add(f64x2.mul(f64x2.sub(f64x2.sub(at, low), half), f64x2.splat(sharp)), half);
    const weight = f64x2.max(f64x2.splat(0), f64x2.min(f64x2.splat(1), blend));
    if (i + 1 < n) {
      v128.store(p, weight);
      v128.store64_lane(q, left, 0);
    } else {
      v128.store64_lane(p, weight, 0);
      v128.store32_lane(q, left, 0);
    }
  }
}
