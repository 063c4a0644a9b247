// Order statistics of one series in a few naive lines of f64: what the kernels must equal.

/** A pixel's valid values, sorted. */
export function validSorted(series: ArrayLike<number>, nodata: number | null): number[] {
  return Array.from(series)
    .filter((v) => !Number.isNaN(v) && v !== nodata)
    .sort((a, b) => a - b);
}

/** NaN for no values. */
export function medianOf(sorted: readonly number[]): number {
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  return n % 2 === 1 ? sorted[(n - 1) / 2]! : (sorted[n / 2 - 1]! + sorted[n / 2]!) / 2;
}

export function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(value);
}

/** numpy.percentile, method linear. */
export function linearPercentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const virtual = (sorted.length - 1) * (percent / 100);
  const lower = Math.floor(virtual);
  const t = virtual - lower;
  const a = sorted[lower]!;
  const b = sorted[Math.min(lower + 1, sorted.length - 1)]!;
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

/** odc's percentile: nearest rank, at least 3 values. */
export function nearestPercentile(sorted: readonly number[], percent: number): number {
  if (sorted.length < 3) return Number.NaN;
  return sorted[halfToEven((sorted.length - 1) * (percent / 100))]!;
}
