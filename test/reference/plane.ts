// Placing and resampling one plane in naive lines of f64.

export interface Source {
  data: ArrayLike<number>;
  width: number;
  height: number;
  nodata: number | null;
}

/** A sample, or NaN where it is missing or lies outside. */
export function sampleOf({ data, width, height, nodata }: Source, col: number, row: number): number {
  if (col < 0 || col >= width || row < 0 || row >= height) return Number.NaN;
  const value = data[row * width + col]!;
  return value === nodata ? Number.NaN : value;
}

/** Bilinear at a position in px from the outer edges, gdalwarp's way; NaN = missing. */
export function bilinearOf(source: Source, x: number, y: number): number {
  if (x < 0 || x >= source.width || y < 0 || y >= source.height) return Number.NaN;
  const [col, row] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [fx, fy] = [x - 0.5 - col, y - 0.5 - row];
  return weightedMean(
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ].map(([i, j]) => ({
      value: sampleOf(source, col + i!, row + j!),
      weight: (i ? fx : 1 - fx) * (j ? fy : 1 - fy),
    })),
    1e-5,
  );
}

/** The mean of what lies under a rectangle, by area. */
export function averageOf(
  source: Source,
  [x0, x1]: readonly [number, number],
  [y0, y1]: readonly [number, number],
): number {
  const overlap = (i: number, a: number, b: number) =>
    Math.max(0, Math.min(i + 1, Math.max(a, b)) - Math.max(i, Math.min(a, b)));
  const parts = [];
  for (let row = 0; row < source.height; row++) {
    for (let col = 0; col < source.width; col++) {
      parts.push({ value: sampleOf(source, col, row), weight: overlap(col, x0, x1) * overlap(row, y0, y1) });
    }
  }
  return weightedMean(parts, Number.MIN_VALUE);
}

function weightedMean(parts: readonly { value: number; weight: number }[], least: number): number {
  const valid = parts.filter(({ value, weight }) => weight > 0 && !Number.isNaN(value));
  const weight = valid.reduce((sum, part) => sum + part.weight, 0);
  return weight < least ? Number.NaN : valid.reduce((sum, part) => sum + part.weight * part.value, 0) / weight;
}

/** Half to even. */
export function roundedOf(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** A valid result as an integer plane stores it: never its missing value. */
export function integerOf(value: number, [least, most]: readonly [number, number], nodata: number | null): number {
  const whole = Math.min(most, Math.max(least, roundedOf(value)));
  if (whole !== nodata) return whole;
  return whole === least ? whole + 1 : whole - 1;
}
