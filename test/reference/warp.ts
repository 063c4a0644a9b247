import { type Source, sampleOf } from './plane.ts';

type Point = readonly [x: number, y: number];

/** As gdalwarp takes ratios of pixel sizes. */
export function kernelRatioOf(ratio: number): number {
  if (ratio <= 1 / 0.95) return 1;
  return Math.abs(ratio - Math.round(ratio)) < 0.05 ? Math.round(ratio) : ratio;
}

export function nearestOf(source: Source, [x, y]: Point): number {
  return sampleOf(source, Math.floor(x), Math.floor(y));
}

const triangle = (d: number) => Math.max(0, 1 - Math.abs(d));

/** Keys' cubic convolution with a = −0.5. */
function catmullRom(distance: number): number {
  const [a, d] = [-0.5, Math.abs(distance)];
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

/** The weighted mean of all valid pixels under a separable kernel. */
function convolved(source: Source, [x, y]: Point, kernel: (d: number) => number, [rx, ry]: Point): number {
  let [sum, weight] = [0, 0];
  for (let row = Math.floor(y - 3 * ry); row <= y + 3 * ry; row++) {
    for (let col = Math.floor(x - 3 * rx); col <= x + 3 * rx; col++) {
      const value = sampleOf(source, col, row);
      const w = kernel((col + 0.5 - x) / rx) * kernel((row + 0.5 - y) / ry);
      if (w === 0 || Number.isNaN(value)) continue;
      sum += w * value;
      weight += w;
    }
  }
  return weight < 1e-6 ? Number.NaN : sum / weight;
}

/** Whether all of the 4 × 4 pixels around a position are valid. */
function isWhole(source: Source, [x, y]: Point): boolean {
  const [col, row] = [Math.floor(x - 0.5) - 1, Math.floor(y - 0.5) - 1];
  return Array.from({ length: 16 }, (_, i) => sampleOf(source, col + (i % 4), row + (i >> 2))).every(
    (value) => !Number.isNaN(value),
  );
}

/** Bilinear and cubic as gdalwarp does them: nothing where the nearest is missing; a cubic that lacks a pixel is bilinear. */
export function blendOf(source: Source, at: Point, { cubic, ratio }: { cubic: boolean; ratio: Point }): number {
  if (Number.isNaN(nearestOf(source, at))) return Number.NaN;
  const wide = ratio[0] > 1 || ratio[1] > 1;
  return convolved(source, at, cubic && (wide || isWhole(source, at)) ? catmullRom : triangle, ratio);
}

/** What is left of a polygon on one side of a line: where axis × sign ≤ limit × sign. */
function clipped(polygon: readonly Point[], axis: 0 | 1, sign: 1 | -1, limit: number): Point[] {
  const out: Point[] = [];
  for (const [i, p] of polygon.entries()) {
    const q = polygon[(i + 1) % polygon.length]!;
    const [dp, dq] = [(limit - p[axis]) * sign, (limit - q[axis]) * sign];
    if (dp >= 0) out.push(p);
    if (dp * dq < 0) out.push([p[0] + ((q[0] - p[0]) * dp) / (dp - dq), p[1] + ((q[1] - p[1]) * dp) / (dp - dq)]);
  }
  return out;
}

function areaOf(polygon: readonly Point[]): number {
  let twice = 0;
  for (const [i, p] of polygon.entries()) {
    const q = polygon[(i + 1) % polygon.length]!;
    twice += p[0] * q[1] - q[0] * p[1];
  }
  return Math.abs(twice) / 2;
}

/** Every valid pixel under a quadrilateral with its share of the area. */
function partsUnder(source: Source, ring: readonly Point[]): { value: number; area: number }[] {
  const parts = [];
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)];
  for (let row = Math.floor(Math.min(...ys)); row < Math.max(...ys); row++) {
    for (let col = Math.floor(Math.min(...xs)); col < Math.max(...xs); col++) {
      const left = clipped(clipped(ring, 0, -1, col), 0, 1, col + 1);
      const area = areaOf(clipped(clipped(left, 1, -1, row), 1, 1, row + 1));
      const value = sampleOf(source, col, row);
      if (area >= 1e-9 && !Number.isNaN(value)) parts.push({ value, area });
    }
  }
  return parts;
}

export function meanUnder(source: Source, ring: readonly Point[]): number {
  const parts = partsUnder(source, ring);
  const area = parts.reduce((sum, part) => sum + part.area, 0);
  return parts.length === 0 ? Number.NaN : parts.reduce((sum, part) => sum + part.area * part.value, 0) / area;
}

/** The values with the largest area: several where that is a matter of rounding. */
export function modesUnder(source: Source, ring: readonly Point[]): number[] {
  const areas = new Map<number, number>();
  for (const { value, area } of partsUnder(source, ring)) areas.set(value, (areas.get(value) ?? 0) + area);
  const most = Math.max(...areas.values());
  return [...areas].filter(([, area]) => area > most - 1e-6).map(([value]) => value);
}
