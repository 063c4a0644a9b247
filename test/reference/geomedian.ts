// Naive f64 references: slow, short, and written from the definitions.

/** Euclidean distance. */
export const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, v, i) => sum + (v - (b[i] as number)) ** 2, 0));

/** What the geometric median minimises: the sum of distances to the points. */
export const sumOfDistances = (points: readonly number[][], y: readonly number[]): number =>
  points.reduce((sum, p) => sum + distance(p, y), 0);

/** Geometric median by Weiszfeld's iteration with Vardi and Zhang's test of each point (PNAS 2000); points[n][nBand], n > 0. */
export function geomedianOf(points: readonly number[][], steps = 200_000): number[] {
  const mean = (points[0] as number[]).map((_, b) => points.reduce((s, p) => s + (p[b] as number), 0) / points.length);
  const pull = (y: readonly number[]) => {
    const others = points.filter((p) => distance(p, y) > 0);
    const weight = others.reduce((s, p) => s + 1 / distance(p, y), 0);
    const force = mean.map((_, b) => others.reduce((s, p) => s + ((p[b] as number) - (y[b] as number)) / distance(p, y), 0));
    return { force, weight, here: points.length - others.length };
  };
  const norm = (v: number[]) => Math.sqrt(v.reduce((s, x) => s + x * x, 0));
  for (const p of points) {
    const { force, here } = pull(p);
    if (norm(force) <= here) return [...p];
  }
  let y = mean;
  for (let step = 0; step < steps; step++) {
    const { force, weight, here } = pull(y);
    const share = here ? Math.max(0, 1 - here / norm(force)) : 1;
    const next = y.map((v, b) => v + (share * (force[b] as number)) / weight);
    if (distance(next, y) <= 1e-13 * (norm(y) + 1)) return next;
    y = next;
  }
  return y;
}

const middle = (values: number[]): number => {
  const v = values.toSorted((a, b) => a - b);
  return ((v[(v.length - 1) >> 1] as number) + (v[v.length >> 1] as number)) / 2;
};

/** Medians of the Euclidean, cosine and Bray-Curtis distances of points[n][nBand] to m. */
export function madsOf(points: readonly number[][], m: readonly number[], shift = 0): [number, number, number] {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((s, v, i) => s + v * (b[i] as number), 0);
  const g = m.map((v) => v + shift);
  const xs = points.map((p) => p.map((v) => v + shift));
  const cosine = xs.map((x) => {
    const lengths = Math.sqrt(dot(x, x) * dot(g, g));
    return lengths > 0 ? 1 - dot(x, g) / lengths : Number(dot(x, x) !== dot(g, g));
  });
  const brayCurtis = xs.map((x) => {
    const apart = x.reduce((s, v, b) => s + Math.abs(v - (g[b] as number)), 0);
    return apart === 0 ? 0 : apart / x.reduce((s, v, b) => s + Math.abs(v + (g[b] as number)), 0);
  });
  return [middle(points.map((p) => distance(p, m))), middle(cosine), middle(brayCurtis)];
}

/** The first point whose sum of distances to all others is smallest (up to rounding); −1 when there is none. */
export function medoidOf(points: readonly number[][]): number {
  const sums = points.map((p) => sumOfDistances(points, p));
  return sums.findIndex((s) => s <= Math.min(...sums) * (1 + 1e-12));
}
