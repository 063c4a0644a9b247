import { medianOf } from './variogram.ts';

/** Solves least squares by Householder's reflections: [coefficients, rows of the orthonormal basis]. */
function leastSquares(rows: readonly number[][], y: readonly number[]): { beta: number[]; leverage: number[] } {
  const n = rows.length;
  const p = rows[0]!.length;
  // Modified Gram-Schmidt, twice, is as good and shorter.
  const q = Array.from({ length: p }, (_, j) => rows.map((row) => row[j]!));
  const r = Array.from({ length: p }, () => new Array<number>(p).fill(0));
  for (let j = 0; j < p; j++) {
    for (const _ of [1, 2]) {
      for (let k = 0; k < j; k++) {
        const part = q[k]!.reduce((sum, v, i) => sum + v * q[j]![i]!, 0);
        r[k]![j]! += part;
        q[j] = q[j]!.map((v, i) => v - part * q[k]![i]!);
      }
    }
    const norm = Math.sqrt(q[j]!.reduce((sum, v) => sum + v * v, 0));
    r[j]![j] = norm;
    q[j] = q[j]!.map((v) => v / norm);
  }
  const beta = new Array<number>(p).fill(0);
  for (let j = p - 1; j >= 0; j--) {
    let b = q[j]!.reduce((sum, v, i) => sum + v * y[i]!, 0);
    for (let k = j + 1; k < p; k++) b -= r[j]![k]! * beta[k]!;
    beta[j] = b / r[j]![j]!;
  }
  const leverage = Array.from({ length: n }, (_, i) => q.reduce((sum, column) => sum + column[i]! ** 2, 0));
  return { beta, leverage };
}

function deviationOf(residuals: readonly number[]): number {
  const sorted = residuals.map(Math.abs).sort((a, b) => a - b);
  return medianOf(sorted.slice(4)) / 0.6745;
}

/** The robust fit of statsmodels' RLM as PyCCD has it: columns cos, sin of a year, cos, sin of a slow cycle, 1. */
export function robustOf(days: readonly number[], y: readonly number[], year = 365.2425): (day: number) => number {
  const w1 = (2 * Math.PI) / year;
  const w2 = w1 / Math.ceil((days.at(-1)! - days[0]!) / year);
  const rowOf = (day: number) => [Math.cos(w1 * day), Math.sin(w1 * day), Math.cos(w2 * day), Math.sin(w2 * day), 1];
  const rows = days.map(rowOf);
  const off = (beta: readonly number[]) => y.map((v, i) => v - rows[i]!.reduce((s, x, j) => s + x * beta[j]!, 0));
  let { beta, leverage } = leastSquares(rows, y);
  const scales = leverage.map((h) => 1 / Math.sqrt(1 - Math.min(h, 0.9999)));
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  const spread = Math.sqrt(y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length);
  for (let round = 0; round < 4 && deviationOf(off(beta)) >= 2 ** -52; round++) {
    const residuals = off(beta).map((r, i) => r * scales[i]!);
    const s = Math.max(2 ** -52 * spread, deviationOf(residuals));
    const roots = residuals.map((r) => (Math.abs(r / s) < 4.685 ? 1 - (r / s / 4.685) ** 2 : 0));
    const weighted = rows.map((row, i) => row.map((x) => x * roots[i]!));
    const next = leastSquares(
      weighted,
      y.map((v, i) => v * roots[i]!),
    ).beta;
    const grows = next.some((b, j) => b - beta[j]! > 1e-8);
    beta = next;
    if (!grows) break;
  }
  return (day) => rowOf(day).reduce((sum, x, j) => sum + x * beta[j]!, 0);
}
