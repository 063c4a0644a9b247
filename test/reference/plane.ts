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

/** Bilinear at a position in px from the outer edges, gdalwarp's way: missing (NaN) where the pixel there is. */
export function bilinearOf(source: Source, x: number, y: number): number {
  if (x < 0 || x >= source.width || y < 0 || y >= source.height) return Number.NaN;
  if (Number.isNaN(sampleOf(source, Math.floor(x), Math.floor(y)))) return Number.NaN;
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

/** One axis of a placing: source = offset + scale × target − origin, the target counted from `first`. */
export interface Axis {
  scale: number;
  offset: number;
  first: number;
  origin: number;
}

/** Target px → source px, to 2⁻²⁰ px. */
function sourceAt({ scale, offset, first, origin }: Axis, target: number): number {
  return Math.round((offset + (first + target) * scale) * 2 ** 20) / 2 ** 20 - origin;
}

/** Left neighbour and weight of the right one of each of n target px; neighbours that do not exist for a centre outside. */
function neighboursOf(axis: Axis, n: number, size: number): [left: number, weight: number][] {
  return Array.from({ length: n }, (_, i) => {
    const centre = sourceAt(axis, i + 0.5);
    const left = Math.floor(centre - 0.5);
    return [centre < 0 || centre >= size ? -2 : left, centre - 0.5 - left];
  });
}

/** Bilinear by the axes in f64 with the order of every sum as the kernels keep it: what they give is this to the bit. */
export function bilinearPlane(source: Source, { x, y }: { x: Axis; y: Axis }, width: number, height: number): number[] {
  const cols = neighboursOf(x, width, source.width);
  return neighboursOf(y, height, source.height).flatMap(([row, down]) =>
    cols.map(([col, right]) => {
      const [upper, lower] = [row, row + 1].map((at) => {
        const [a, b] = [sampleOf(source, col, at), sampleOf(source, col + 1, at)];
        const hasA = !Number.isNaN(a);
        // Without weight it has no say, not even when it is infinite.
        const hasB = !Number.isNaN(b) && right > 0;
        return {
          sum: (hasA ? a * (1 - right) : 0) + (hasB ? b * right : 0),
          weight: (hasA ? 1 - right : 0) + (hasB ? right : 0),
          near: right < 0.5 ? hasA : hasB,
        };
      }) as [Line, Line];
      const mix = (part: 'sum' | 'weight') =>
        down > 0 ? upper[part] * (1 - down) + lower[part] * down : upper[part] * (1 - down);
      const near = down < 0.5 ? upper.near : lower.near;
      return near && mix('weight') >= 1e-5 ? mix('sum') / mix('weight') : Number.NaN;
    }),
  );
}

interface Line {
  sum: number;
  weight: number;
  near: boolean;
}

/** The source px under each of n target px, with the part of each that is under it. */
function partsOf(axis: Axis, n: number, size: number): [at: number, part: number][][] {
  return Array.from({ length: n }, (_, i) => {
    const edges = [sourceAt(axis, i), sourceAt(axis, i + 1)];
    const [from, to] = [Math.max(0, Math.min(...edges)), Math.min(size, Math.max(...edges))];
    const under = Array.from({ length: Math.max(0, Math.ceil(to) - Math.floor(from)) }, (_, j) => Math.floor(from) + j);
    return under.map((at) => [at, Math.min(at + 1, to) - Math.max(at, from)]);
  });
}

/** Averages by the axes, as `bilinearPlane` to the bit. */
export function averagePlane(source: Source, { x, y }: { x: Axis; y: Axis }, width: number, height: number): number[] {
  const cols = partsOf(x, width, source.width);
  return partsOf(y, height, source.height).flatMap((rows) =>
    cols.map((under) => {
      const all = { sum: 0, weight: 0 };
      for (const [row, down] of rows) {
        const own = { sum: 0, weight: 0 };
        for (const [col, right] of under) {
          const value = sampleOf(source, col, row);
          if (Number.isNaN(value)) continue;
          own.sum += right * value;
          own.weight += right;
        }
        all.sum += down * own.sum;
        all.weight += down * own.weight;
      }
      return all.weight >= 2 ** -1022 ? all.sum / all.weight : Number.NaN;
    }),
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
