// Fewer corners for outlines of cells. Polygons only grow, and only into cells beside set ones, so that nothing is left out; no two
// lines may run through one cell, so that rings stay apart.
import { type CellPart, type CellRing, type Cells, isSet } from './cell-outline.js';

/** Corners that one line may stand for. */
const MAX_CORNERS = 128;
/** Corners in a row to which no line leads, after which none is looked for. */
const PATIENCE = 12;
/** Of the cell beside one that is set, no point is further from it: √2 cells, squared. */
const MAX_DISTANCE_2 = 2;

type Point = readonly [x: number, y: number];

/** A line from one corner to a later one, and the corners from the one to the other. */
interface Chord {
  from: Point;
  to: Point;
  chain: readonly Point[];
}

/** How far a point lies on the right of a line, times the line's length. */
function rightOf({ from, to }: Chord, [x, y]: Point): number {
  return (to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0]);
}

/** Whether all corners between lie beside the line, on the side of the set cells, and near. */
function isOutside(chord: Chord): boolean {
  const { from, to, chain } = chord;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length2 = dx * dx + dy * dy;
  return chain.every((point) => {
    const right = rightOf(chord, point);
    const along = dx * (point[0] - from[0]) + dy * (point[1] - from[1]);
    return right >= 0 && right * right <= MAX_DISTANCE_2 * length2 && along >= 0 && along <= length2;
  });
}

/** Whether the line goes through the inside of a cell. */
function crosses({ from, to }: Chord, [left, top, right, bottom]: readonly [number, number, number, number]): boolean {
  let [begin, end] = [0, 1];
  const sides = [
    [from[0], to[0] - from[0], left, right],
    [from[1], to[1] - from[1], top, bottom],
  ] as const;
  for (const [start, step, low, high] of sides) {
    if (step === 0) {
      if (start <= low || start >= high) return false;
      continue;
    }
    const [p, q] = [(low - start) / step, (high - start) / step];
    begin = Math.max(begin, Math.min(p, q));
    end = Math.min(end, Math.max(p, q));
  }
  return end - begin > 1e-9;
}

/** Whether a point lies between the line and the corners that it stands for. */
function isBetween({ chain }: Chord, [x, y]: Point): boolean {
  let inside = false;
  chain.forEach(([x0, y0], i) => {
    const [x1, y1] = chain[(i + 1) % chain.length]!;
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}

/** Cells that lines have grown into, and how many rings have a corner at each vertex. */
interface Ground {
  cells: Cells;
  taken: Uint8Array;
  corners: Uint8Array;
  /** Where a vertex lies: the last column and row of cells may be narrower. */
  place(col: number, row: number): Point;
}

const same = (p: Point, q: Point) => p[0] === q[0] && p[1] === q[1];

/** Cells that may lie between a line and its corners: along the line, three either way, which is more than the distance allows. */
function* cellsAlong({ from, to, chain }: Chord): Generator<[col: number, row: number]> {
  const across = (axis: 0 | 1): [first: number, end: number] => {
    const values = chain.map((point) => point[axis]);
    return [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
  };
  const major = Math.abs(to[1] - from[1]) > Math.abs(to[0] - from[0]) ? 1 : 0;
  const minor = major === 1 ? 0 : 1;
  const slope = (to[minor] - from[minor]) / (to[major] - from[major]);
  const [begin, end] = across(major);
  const [low, high] = across(minor);
  for (let i = begin; i < end; i++) {
    const middle = from[minor] + slope * (i - from[major]);
    for (let k = Math.max(low, Math.floor(middle) - 3); k < Math.min(high, Math.ceil(middle) + 4); k++)
      yield major === 1 ? [k, i] : [i, k];
  }
}

function hasSetNeighbour(cells: Cells, col: number, row: number): boolean {
  for (let r = row - 1; r <= row + 1; r++) for (let c = col - 1; c <= col + 1; c++) if (isSet(cells, c, r)) return true;
  return false;
}

/** Whether a line along edges of cells has a set or taken one on its outer side: another ring may run there. */
function runsAlongAnother({ cells, taken }: Ground, { from, to }: Chord): boolean {
  const [dx, dy] = [Math.sign(to[0] - from[0]), Math.sign(to[1] - from[1])];
  if (dx !== 0 && dy !== 0) return false;
  const axis = dx !== 0 ? 0 : 1;
  const line = Math.ceil(from[1 - axis]!) - (dx > 0 || dy < 0 ? 1 : 0);
  const end = Math.ceil(Math.max(from[axis], to[axis]));
  for (let i = Math.floor(Math.min(from[axis], to[axis])); i < end; i++) {
    const [col, row] = axis === 0 ? [i, line] : [line, i];
    const isInside = col >= 0 && row >= 0 && col < cells.width && row < cells.height;
    if (isInside && (isSet(cells, col, row) || taken[row * cells.width + col])) return true;
  }
  return false;
}

/** Whether a line goes through a corner of a cell where another ring has one. */
function meetsAnother({ cells, corners, place }: Ground, chord: Chord, [col, row]: readonly [number, number]): boolean {
  for (let r = row; r <= row + 1; r++) {
    for (let c = col; c <= col + 1; c++) {
      const point = place(c, r);
      if (Math.abs(rightOf(chord, point)) > 1e-9 || same(point, chord.from) || same(point, chord.to)) continue;
      const own = chord.chain.some((corner) => same(corner, point)) ? 1 : 0;
      if (corners[r * (cells.width + 1) + c]! > own) return true;
    }
  }
  return false;
}

/** Cells between a line and its corners, or null where the line may not run. */
function cellsBetween(ground: Ground, chord: Chord): number[] | null {
  const { cells, taken, place } = ground;
  const found: number[] = [];
  if (runsAlongAnother(ground, chord)) return null;
  for (const [col, row] of cellsAlong(chord)) {
    const [x0, y0] = place(col, row);
    const [x1, y1] = place(col + 1, row + 1);
    if (!crosses(chord, [x0, y0, x1, y1]) && !isBetween(chord, [(x0 + x1) / 2, (y0 + y1) / 2])) continue;
    const cell = row * cells.width + col;
    if (isSet(cells, col, row) || taken[cell] || !hasSetNeighbour(cells, col, row)) return null;
    if (meetsAnother(ground, chord, [col, row])) return null;
    found.push(cell);
  }
  return found;
}

/** The ring with lines for chains of corners, each the longest from where the last one ends. */
function shortened(ground: Ground, ring: CellRing): CellRing {
  const closed = [...ring, ring[0]!];
  const points = closed.map(([col, row]) => ground.place(col, row));
  const kept: CellRing = [];
  for (let i = 0; i < ring.length; ) {
    kept.push(ring[i]!);
    let next = i + 1;
    let grown: number[] = [];
    let misses = 0;
    for (let k = i + 2; k <= Math.min(ring.length, i + MAX_CORNERS) && misses < PATIENCE; k++) {
      const chord: Chord = { from: points[i]!, to: points[k]!, chain: points.slice(i, k + 1) };
      // Two corners are no ring.
      if (kept.length + ring.length - k < 3) break;
      if (!isOutside(chord)) {
        misses++;
        continue;
      }
      const between = cellsBetween(ground, chord);
      if (!between) break;
      [next, grown, misses] = [k, between, 0];
    }
    for (const cell of grown) ground.taken[cell] = 1;
    i = next;
  }
  return kept;
}

/**
 * Outlines of cells with fewer corners: they hold all set cells, and beyond them only parts of cells that touch one.
 * @param place where a vertex of the lattice lies, in cells
 */
export function shortenOutlines(
  cells: Cells,
  parts: readonly CellPart[],
  place: (col: number, row: number) => Point,
): CellPart[] {
  const corners = new Uint8Array((cells.width + 1) * (cells.height + 1));
  for (const { outer, holes } of parts)
    for (const ring of [outer, ...holes]) for (const [col, row] of ring) corners[row * (cells.width + 1) + col]!++;
  const ground: Ground = { cells, taken: new Uint8Array(cells.width * cells.height), corners, place };
  return parts.map(({ outer, holes }) => ({
    outer: shortened(ground, outer),
    holes: holes.map((hole) => shortened(ground, hole)),
  }));
}
