// Outlines of the cells of a lattice that are set, as polygons that are valid: simple rings, each part's inside connected.

/** A lattice of cells, u8[height][width]: 1 = set. */
export interface Cells {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Corners of a ring, [col, row] each, not closed: the set cells lie on its right where rows count downwards. */
export type CellRing = [col: number, row: number][];

/** One part whose cells hang together along edges: its outer ring, and its holes. */
export interface CellPart {
  outer: CellRing;
  holes: CellRing[];
}

/** Steps along edges, clockwise where rows count downwards. */
const EAST = 0;
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
/** Of a vertex, the cell ahead on the right and on the left of each step. */
const AHEAD_RIGHT = [
  [0, 0],
  [-1, 0],
  [-1, -1],
  [0, -1],
] as const;
const AHEAD_LEFT = [
  [0, -1],
  [0, 0],
  [-1, 0],
  [-1, -1],
] as const;

export function isSet({ width, height, data }: Cells, col: number, row: number): boolean {
  return col >= 0 && row >= 0 && col < width && row < height && data[row * width + col] === 1;
}

/** Twice the area, positive for outer rings. */
export function ringArea(ring: readonly (readonly [number, number])[]): number {
  return ring.reduce((sum, [col, row], i) => {
    const [nextCol, nextRow] = ring[(i + 1) % ring.length]!;
    return sum + col * nextRow - nextCol * row;
  }, 0);
}

/** i32[height][width]: the number of each set cell's part, from 1. */
function partsOf({ width, height, data }: Cells): Int32Array {
  const parts = new Int32Array(width * height);
  const waiting: number[] = [];
  let count = 0;
  for (let start = 0; start < parts.length; start++) {
    if (data[start] !== 1 || parts[start] !== 0) continue;
    parts[start] = ++count;
    waiting.push(start);
    for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
      const col = cell % width;
      const beside = [col > 0 ? cell - 1 : -1, col + 1 < width ? cell + 1 : -1, cell - width, cell + width];
      for (const other of beside) {
        if (other < 0 || other >= parts.length || data[other] !== 1 || parts[other] !== 0) continue;
        parts[other] = count;
        waiting.push(other);
      }
    }
  }
  return parts;
}

/** The ring whose first edge is the upper one of a cell; marks the cells whose upper edges are on it. */
function traceFrom(cells: Cells, start: { col: number; row: number }, traced: Uint8Array): CellRing {
  const ring: CellRing = [];
  let { col, row } = start;
  let step = EAST;
  do {
    if (step === EAST) traced[row * cells.width + col] = 1;
    const [dCol, dRow] = STEPS[step]!;
    col += dCol;
    row += dRow;
    const [rightCol, rightRow] = AHEAD_RIGHT[step]!;
    const [leftCol, leftRow] = AHEAD_LEFT[step]!;
    // Round its own cell rather than over to a cell that it meets only in a corner.
    const turn = !isSet(cells, col + rightCol, row + rightRow) ? 1 : isSet(cells, col + leftCol, row + leftRow) ? 3 : 0;
    if (turn !== 0) ring.push([col, row]);
    step = (step + turn) % 4;
  } while (col !== start.col || row !== start.row || step !== EAST);
  return ring;
}

/** A ring that meets itself in corners as several that do not. */
function simpleRings(ring: CellRing, stride: number): CellRing[] {
  const rings: CellRing[] = [];
  const path: CellRing = [];
  const places = new Map<number, number>();
  for (const corner of ring) {
    const key = corner[1] * stride + corner[0];
    const before = places.get(key);
    if (before !== undefined) {
      const loop = path.splice(before);
      for (const [col, row] of loop) places.delete(row * stride + col);
      rings.push(loop);
    }
    places.set(key, path.length);
    path.push(corner);
  }
  return [...rings, path];
}

/** The outlines of all set cells, parts in the order of their first cells. */
export function outlineCells(cells: Cells): CellPart[] {
  const { width, height } = cells;
  const parts = partsOf(cells);
  const traced = new Uint8Array(width * height);
  const found: CellPart[] = [];
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const cell = row * width + col;
      if (parts[cell] === 0 || traced[cell] || isSet(cells, col, row - 1)) continue;
      const index = parts[cell]! - 1;
      found[index] ??= { outer: [], holes: [] };
      for (const ring of simpleRings(traceFrom(cells, { col, row }, traced), width + 1)) {
        if (ringArea(ring) > 0) found[index].outer = ring;
        else found[index].holes.push(ring);
      }
    }
  }
  return found;
}
