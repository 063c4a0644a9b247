export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  return n === 0 ? Number.NaN : (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
}

/** The most frequent value; of equally frequent ones the smallest. */
function modeOf(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0]![0];
}

/** Spans between dates `lag` apart. */
const spansOf = (days: readonly number[], lag: number) => days.slice(lag).map((day, i) => day - days[i]!);

/** The lag of PyCCD's adjusted variogram; 0 when no lag's spans are mostly beyond 30 days. */
export function lagOf(days: readonly number[]): number {
  for (let lag = 1; lag < days.length; lag++) if (modeOf(spansOf(days, lag)) > 30) return lag;
  return 0;
}

export function variogramOf(days: readonly number[], y: readonly number[]): number {
  const lag = lagOf(days);
  if (lag === 0) return medianOf(y.slice(1).map((v, i) => Math.abs(v - y[i]!)));
  const spans = spansOf(days, lag);
  return medianOf(
    y
      .slice(lag)
      .map((v, i) => Math.abs(v - y[i]!))
      .filter((_, i) => spans[i]! > 30),
  );
}

export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down === 0.5) return down % 2 === 0 ? down : down + 1;
  return Math.round(x);
}

export function peekOf(days: readonly number[], peekSize = 6): number {
  return Math.max(peekSize, roundHalfEven((peekSize * 16) / medianOf(spansOf(days, 1))));
}

/** Indices of the `count` days closest in day of year to the reference, as PyCCD ranks them; earlier ones first among equals. */
export function closestOf(days: readonly number[], reference: number, count = 24): number[] {
  const key = (day: number) => {
    const x = day - reference;
    return Math.abs(roundHalfEven(x / 365.25) * 365.25 - x);
  };
  return days
    .map((day, i) => [key(day), i] as const)
    .sort(([a, i], [b, j]) => a - b || i - j)
    .slice(0, count)
    .map(([, i]) => i);
}
