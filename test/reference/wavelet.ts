/** The low half of one reversible 5/3 lifting step (T.800, F.3) of a signal that begins at an even place. */
function low(signal: readonly number[]): number[] {
  const n = signal.length;
  if (n === 1) return [...signal];
  const at = (i: number) => signal[i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i]!;
  const high = (k: number) => at(2 * k + 1) - Math.floor((at(2 * k) + at(2 * k + 2)) / 2);
  return Array.from({ length: Math.ceil(n / 2) }, (_, k) => {
    const [before, after] = [k === 0 ? high(0) : high(k - 1), 2 * k + 1 < n ? high(k) : high(k - 1)];
    return at(2 * k) + Math.floor((before + after + 2) / 4);
  });
}

/** A tile [height][width], both halved once: columns first, as encoders do. */
export function halved(rows: readonly (readonly number[])[]): number[][] {
  const columns = rows[0]!.map((_, col) => low(rows.map((row) => row[col]!)));
  return columns[0]!.map((_, row) => low(columns.map((column) => column[row]!)));
}
