// Which polygons of a lattice share ground with others: areas, not edges that touch.

/** Closed or not: the last point is joined to the first. */
export type PlaneRing = readonly (readonly [x: number, y: number])[];
/** Rings of one polygon, even–odd. */
export type PlanePolygon = readonly PlaneRing[];

interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Thinner than this part of a tile's side is an edge that is shared. */
const THIN = 1e-9;
/** Lines tried at first: most tiles that overlap do so widely. */
const FIRST_LINES = 16;

function boxOf(polygons: readonly PlanePolygon[]): Box {
  const box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const polygon of polygons)
    for (const ring of polygon)
      for (const [x, y] of ring) {
        box.west = Math.min(box.west, x);
        box.east = Math.max(box.east, x);
        box.south = Math.min(box.south, y);
        box.north = Math.max(box.north, y);
      }
  return box;
}

const apart = (a: Box, b: Box) => a.east <= b.west || a.west >= b.east || a.north <= b.south || a.south >= b.north;
const within = (a: Box, b: Box) => a.west >= b.west && a.east <= b.east && a.south >= b.south && a.north <= b.north;

/** The part of a ring on one side of a line along an axis (Sutherland and Hodgman); what lies on it has no area. */
function cutRing(ring: PlaneRing, axis: 0 | 1, edge: number, sign: 1 | -1): PlaneRing {
  const kept: [number, number][] = [];
  for (const [i, point] of ring.entries()) {
    const before = ring[(i + ring.length - 1) % ring.length]!;
    const [wasIn, isIn] = [sign * (before[axis] - edge) >= 0, sign * (point[axis] - edge) >= 0];
    if (wasIn !== isIn) {
      const part = (edge - before[axis]) / (point[axis] - before[axis]);
      const other = axis === 0 ? 1 : 0;
      const along = before[other] + part * (point[other] - before[other]);
      kept.push(axis === 0 ? [edge, along] : [along, edge]);
    }
    if (isIn) kept.push([point[0], point[1]]);
  }
  return kept.length < 3 ? [] : kept;
}

/** What lies in a box of polygons. */
function cutToBox(polygons: readonly PlanePolygon[], box: Box): PlanePolygon[] {
  const cut: PlanePolygon[] = [];
  for (const polygon of polygons) {
    const own = boxOf([polygon]);
    if (apart(own, box)) continue;
    if (within(own, box)) {
      cut.push(polygon);
      continue;
    }
    const rings = polygon
      .map((ring) => {
        const sides = [
          [0, box.west, 1],
          [0, box.east, -1],
          [1, box.south, 1],
          [1, box.north, -1],
        ] as const;
        return sides.reduce<PlaneRing>((left, [axis, edge, sign]) => cutRing(left, axis, edge, sign), ring);
      })
      .filter((ring) => ring.length > 0);
    if (rings.length > 0) cut.push(rings);
  }
  return cut;
}

type Edge = readonly [x0: number, y0: number, x1: number, y1: number];

function edgesOf(polygon: PlanePolygon): Edge[] {
  return polygon.flatMap((ring) =>
    ring.map(([x, y], i): Edge => {
      const [bx, by] = ring[(i + ring.length - 1) % ring.length]!;
      return [bx, by, x, y];
    }),
  );
}

/** Where a level line is inside, even–odd: pairs of enter and leave. */
function spansAt(edges: readonly Edge[], y: number): number[] {
  const xs: number[] = [];
  for (const [x0, y0, x1, y1] of edges) if (y0 > y !== y1 > y) xs.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  return xs.sort((a, b) => a - b);
}

/** Whether two polygons share more than `thin` of a level line. */
function shareLine(a: readonly Edge[], b: readonly Edge[], y: number, thin: number): boolean {
  const [own, other] = [spansAt(a, y), spansAt(b, y)];
  for (let i = 0, k = 0; i + 1 < own.length && k + 1 < other.length; ) {
    const [from, to] = [Math.max(own[i]!, other[k]!), Math.min(own[i + 1]!, other[k + 1]!)];
    if (to - from > thin) return true;
    if (own[i + 1]! < other[k + 1]!) i += 2;
    else k += 2;
  }
  return false;
}

/** The height at which two edges cross, or null. */
function crossing([ax, ay, bx, by]: Edge, [cx, cy, dx, dy]: Edge): number | null {
  const det = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx);
  if (det === 0) return null;
  const s = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / det;
  const t = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / det;
  return s >= 0 && s <= 1 && t >= 0 && t <= 1 ? ay + s * (by - ay) : null;
}

/** Whether two polygons share ground: between heights where corners are and edges cross, one level line tells of all. */
function sharesGround(a: PlanePolygon, b: PlanePolygon, box: Box): boolean {
  const [own, other] = [edgesOf(a), edgesOf(b)];
  const [thin, low] = [THIN * (box.east - box.west), THIN * (box.north - box.south)];
  for (let i = 0; i < FIRST_LINES; i++)
    if (shareLine(own, other, box.south + ((i + 0.5) / FIRST_LINES) * (box.north - box.south), thin)) return true;
  const heights = [...own, ...other].map(([, y]) => y);
  for (const p of own)
    for (const q of other) {
      const y = crossing(p, q);
      if (y !== null) heights.push(y);
    }
  heights.sort((p, q) => p - q);
  for (let i = 0; i + 1 < heights.length; i++) {
    const [from, to] = [heights[i]!, heights[i + 1]!];
    if (to - from > low && shareLine(own, other, (from + to) / 2, thin)) return true;
  }
  return false;
}

/**
 * Indices of the tiles (each some polygons) that share ground with any of `extents`, all in one plane. Extents are cut to ever smaller
 * groups of tiles, so that an edge is looked at by few of them.
 */
export function overlappingTiles(
  tiles: readonly (readonly PlanePolygon[])[],
  extents: readonly PlanePolygon[],
): number[] {
  const found: number[] = [];
  const boxes = tiles.map(boxOf);
  const look = (indices: readonly number[], polygons: readonly PlanePolygon[]): void => {
    if (indices.length === 0 || polygons.length === 0) return;
    const around = indices.reduce<Box>(
      (box, i) => ({
        west: Math.min(box.west, boxes[i]!.west),
        south: Math.min(box.south, boxes[i]!.south),
        east: Math.max(box.east, boxes[i]!.east),
        north: Math.max(box.north, boxes[i]!.north),
      }),
      { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity },
    );
    const here = cutToBox(polygons, around);
    if (here.length === 0) return;
    if (indices.length === 1) {
      const [index] = indices as [number];
      if (tiles[index]!.some((tile) => here.some((extent) => sharesGround(tile, extent, boxes[index]!))))
        found.push(index);
      return;
    }
    const wide = around.east - around.west > around.north - around.south;
    const middle = (i: number) => (wide ? boxes[i]!.west + boxes[i]!.east : boxes[i]!.south + boxes[i]!.north);
    const sorted = [...indices].sort((p, q) => middle(p) - middle(q));
    const half = sorted.length >> 1;
    look(sorted.slice(0, half), here);
    look(sorted.slice(half), here);
  };
  look(
    tiles.map((_, i) => i),
    extents,
  );
  return found.sort((a, b) => a - b);
}
