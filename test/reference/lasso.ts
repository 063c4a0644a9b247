/** Features of PyCCD's models at an ordinal day: the day, cos and sin of one, two, three cycles a year. */
export function featuresOf(day: number, nCoefficient = 8, year = 365.2425): number[] {
  const w = ((2 * Math.PI) / year) * day;
  const all = [day, Math.cos(w), Math.sin(w), Math.cos(2 * w), Math.sin(2 * w), Math.cos(3 * w), Math.sin(3 * w)];
  return all.map((x, i) => (i < nCoefficient - 1 ? x : 0));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const meanOf = (a: readonly number[]) => a.reduce((sum, x) => sum + x, 0) / a.length;

export interface Model {
  coefficients: number[];
  intercept: number;
  rmse: number;
  residuals: number[];
  sweeps: number;
}

export function predictOf(model: Model, day: number, nCoefficient: number): number {
  return model.intercept + dot(model.coefficients, featuresOf(day, nCoefficient));
}

/** scikit-learn's Lasso with alpha 1 on residuals, sweep by sweep. */
export function lassoOf(days: readonly number[], y: readonly number[], nCoefficient: number, maxIter = 1000): Model {
  const rows = days.map((day) => featuresOf(day, nCoefficient));
  const columns = Array.from({ length: 7 }, (_, j) => rows.map((row) => row[j]!));
  const means = columns.map(meanOf);
  const x = columns.map((column, j) => column.map((value) => value - means[j]!));
  const yMean = meanOf(y);
  const centred = y.map((value) => value - yMean);
  const residual = [...centred];
  const n = y.length;
  const w = new Array<number>(7).fill(0);
  let sweeps = 0;
  while (sweeps < maxIter) {
    sweeps++;
    let mostStep = 0;
    let most = 0;
    for (let j = 0; j < 7; j++) {
      const square = dot(x[j]!, x[j]!);
      if (square === 0) continue;
      const old = w[j]!;
      const rho = dot(x[j]!, residual) + square * old;
      w[j] = (Math.sign(rho) * Math.max(Math.abs(rho) - n, 0)) / square;
      for (let i = 0; i < n; i++) residual[i]! += (old - w[j]!) * x[j]![i]!;
      mostStep = Math.max(mostStep, Math.abs(w[j]! - old));
      most = Math.max(most, Math.abs(w[j]!));
    }
    if (most !== 0 && mostStep / most >= 1e-4) continue;
    const gradient = Math.max(...x.map((column) => Math.abs(dot(column, residual))));
    const squares = dot(residual, residual);
    const scale = gradient > n ? n / gradient : 1;
    let gap = gradient > n ? 0.5 * (squares + squares * scale ** 2) : squares;
    gap += n * w.reduce((sum, value) => sum + Math.abs(value), 0) - scale * dot(residual, centred);
    if (gap < 1e-4 * dot(centred, centred)) break;
  }
  const intercept = yMean - dot(means, w);
  const residuals = days.map((day, i) => y[i]! - intercept - dot(w, featuresOf(day, nCoefficient)));
  const rmse = Math.sqrt(dot(residuals, residuals) / (n - nCoefficient));
  return { coefficients: w, intercept, rmse, residuals, sweeps };
}
