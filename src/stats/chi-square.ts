// Quantiles of the chi-square distribution, in f64 without any function of Math that engines differ in.
import { InputError } from '../errors.js';

/** ln 2 in two parts, so that multiples of the first are exact. */
const LN2_HEAD = 0.6931471803691238;
const LN2_TAIL = 1.9082149292705877e-10;
const SQRT_PI = 1.772453850905516;
/** More terms than any of the sums below needs. */
const MOST_TERMS = 10_000;

/** e to the power of −x for x ≥ 0: halved k times what remains after k ln 2 is taken out. */
export function expOfMinus(x: number): number {
  if (x > 746) return 0;
  const halvings = Math.floor(x / LN2_HEAD + 0.5);
  const rest = halvings * LN2_TAIL - (x - halvings * LN2_HEAD);
  let sum = 1;
  for (let n = 18; n >= 1; n--) sum = 1 + (rest * sum) / n;
  for (let i = 0; i < halvings; i++) sum *= 0.5;
  return sum;
}

/** e^−y · y^a / Γ(a) for a = dof/2, factor by factor so that nothing overflows on the way. */
function prefactor(y: number, dof: number): number {
  let value = expOfMinus(y);
  const isOdd = dof % 2 === 1;
  if (isOdd) value *= Math.sqrt(y) / SQRT_PI;
  else value *= y;
  for (let a = isOdd ? 0.5 : 1; a < dof / 2; a++) value *= y / a;
  return value;
}

/** Probability that a chi-square variable of `dof` degrees of freedom exceeds x. */
export function chiSquareTail(x: number, dof: number): number {
  const a = dof / 2;
  const y = x / 2;
  if (y <= 0) return 1;
  const scale = prefactor(y, dof);
  if (y < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MOST_TERMS && term > sum * 1e-17; n++) {
      term *= y / (a + n);
      sum += term;
    }
    return 1 - scale * sum;
  }
  // Lentz's continued fraction.
  let b = y + 1 - a;
  let d = 1 / b;
  let c = 1e300;
  let fraction = d;
  for (let n = 1; n < MOST_TERMS; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return scale * fraction;
}

/**
 * The value that a chi-square variable of `dof` degrees of freedom exceeds with probability `tail`; by bisection until two
 * neighbouring numbers are left.
 * @throws InputError unless 0 < tail < 1 and dof is a whole number from 1 to 200.
 */
export function chiSquareQuantile(tail: number, dof: number): number {
  if (!(tail > 0 && tail < 1)) throw new InputError(`a probability between 0 and 1 is wanted, got ${tail}`);
  if (!(Number.isInteger(dof) && dof >= 1 && dof <= 200)) {
    throw new InputError(`chi-square takes 1 to 200 degrees of freedom, got ${dof}`);
  }
  let low = 0;
  let high = 2 * dof + 100;
  while (chiSquareTail(high, dof) > tail && high < 1400) high += 100;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (chiSquareTail(middle, dof) > tail) low = middle;
    else high = middle;
  }
}
