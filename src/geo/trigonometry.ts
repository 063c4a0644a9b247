// Sine, cosine and arc tangent of nothing but +, −, ×, ÷ and square roots, which are the same to the last bit on every engine. Math's
// are not: each engine has its own. All are within 4 units in the last place of 1.

const HALF_PI = Math.PI / 2;
/** What π/2 has beyond a double's digits. */
const HALF_PI_TAIL = 6.123233995736766e-17;

/** A power series in x², its first coefficient first. */
function series(coefficients: readonly number[], square: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * square + coefficient, 0);
}

/** 1/n! of every second n, with signs that change. */
function factorials(first: 0 | 1): number[] {
  const out = [1];
  for (let n = first + 2; n <= 18; n += 2) out.push(-out.at(-1)! / (n * (n - 1)));
  return out;
}

const SINE = factorials(1);
const COSINE = factorials(0);
const ARC_TANGENT = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 1 : -1) / (2 * i + 1));

/** Sine and cosine of an angle of a few turns at most, rad; NaN of what is none. */
export function sineCosine(angle: number): [sine: number, cosine: number] {
  const quarters = Math.round(angle / HALF_PI);
  const rest = angle - quarters * HALF_PI - quarters * HALF_PI_TAIL;
  const [sine, cosine] = [rest * series(SINE, rest * rest), series(COSINE, rest * rest)];
  const turned = ((quarters % 4) + 4) % 4;
  if (turned === 1) return [cosine, -sine];
  if (turned === 2) return [-sine, -cosine];
  return turned === 3 ? [-cosine, sine] : [sine, cosine];
}

/** The angle of a vector, −π to π; 0 without a direction. */
export function angleOf(x: number, y: number): number {
  const [wide, high] = [Math.abs(x), Math.abs(y)];
  if (wide === 0 && high === 0) return 0;
  // Half of an angle twice: below a fifth, the series is short.
  const half = (tangent: number) => tangent / (1 + Math.sqrt(1 + tangent * tangent));
  const tangent = half(half(Math.min(wide, high) / Math.max(wide, high)));
  const within = 4 * tangent * series(ARC_TANGENT, tangent * tangent);
  const quadrant = high > wide ? HALF_PI - within : within;
  const angle = x < 0 ? Math.PI - quadrant : quadrant;
  return y < 0 ? -angle : angle;
}
