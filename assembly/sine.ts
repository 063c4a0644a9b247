// Sine and cosine in f64, below 1 ulp of error for |x| up to 2^20 π/2: the argument is reduced by π/2 in three parts, then come the
// polynomials of fdlibm. No engine's own functions, so the same bits everywhere.

/** π/2 in parts of 33 bits, each with what is missing behind it. */
const PART_1: f64 = 1.57079632673412561417, PART_2: f64 = 6.07710050630396597660e-11, REST_2: f64 = 2.02226624879595063154e-21;
const TWO_OVER_PI: f64 = 0.63661977236758134308;

/** sin(x + tail) for |x| <= π/4. */
// @ts-ignore: decorator
@inline
function sineOfSmall(x: f64, tail: f64): f64 {
  const z = x * x, v = z * x;
  const r = 8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 + z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)));
  return x - ((z * (0.5 * tail - v * r) - tail) - v * -1.66666666666666324348e-1);
}

/** cos(x + tail) for |x| <= π/4. */
// @ts-ignore: decorator
@inline
function cosineOfSmall(x: f64, tail: f64): f64 {
  const z = x * x, w = z * z, half = 0.5 * z, head = 1.0 - half;
  const r = z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5))
    + w * w * (-2.75573143513906633035e-7 + z * (2.08757232129817482790e-9 + z * -1.13596475577881948265e-11));
  return head + (((1.0 - head) - half) + (z * r - x * tail));
}

// x -> f64[2]: cos x, sin x; NaN beyond ±1 647 099
export function cosine_sine(x: f64, out: usize): void {
  const quarters = nearest(x * TWO_OVER_PI);
  if (!(abs(quarters) < 1048576.0)) {
    store<f64>(out, NaN);
    store<f64>(out, NaN, 8);
    return;
  }
  const t = x - quarters * PART_1;
  let w = quarters * PART_2;
  const r = t - w;
  w = quarters * REST_2 - ((t - r) - w);
  const head = r - w, tail = (r - head) - w;
  const sine = sineOfSmall(head, tail), cosine = cosineOfSmall(head, tail);
  const quadrant = <i32>quarters & 3;
  store<f64>(out, quadrant == 0 ? cosine : quadrant == 1 ? -sine : quadrant == 2 ? -cosine : sine);
  store<f64>(out, quadrant == 0 ? sine : quadrant == 1 ? cosine : quadrant == 2 ? -sine : -cosine, 8);
}
