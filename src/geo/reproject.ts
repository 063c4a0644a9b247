import { type Affine, invert } from './affine.js';
import { type Crs, isGeographic, projector, sameCrs } from './crs.js';
import { type DatumShift, datumTurn } from './datum-shift.js';
import type { Grid, Window } from './grid.js';
import { middleLongitudeOf } from './longitude.js';

/** A place that a transform moves: px of a grid, or coordinates of a CRS. */
export interface Position {
  x: number;
  y: number;
}

/** Moves a position from one grid's pixels to another's, in px from the outer edge; NaN where there is no such place. */
export type PixelTransform = (position: Position) => void;

function apply(p: Position, [a, b, c, d, e, f]: Affine): void {
  const { x, y } = p;
  p.x = a * x + b * y + c;
  p.y = d * x + e * y + f;
}

/** Turns longitudes by whole circles, to within 180° of the middle of the grid. */
function nearMiddle(grid: Grid): (p: Position) => void {
  const middle = middleLongitudeOf(grid);
  return (p) => {
    const circles = Math.round((p.x - middle) / 360);
    // Degrees that are on this side already stay as they are, to the last bit.
    if (circles !== 0) p.x -= 360 * circles;
  };
}

/** Places farther than 180° from the middle of a grid are nowhere: each point of the Earth is on it once. */
function onceRound(grid: Grid): (p: Position) => void {
  const middle = middleLongitudeOf(grid);
  return (p) => {
    if (Math.abs(p.x - middle) > 180) p.x = Number.NaN;
  };
}

/**
 * From pixels of one grid to those of another. Datums are taken as one, unless `shift` is an operation between the two. Longitudes have
 * no seam but the one opposite to the middle of their grid.
 * @throws UnsupportedError that names the CRS, where one cannot be transformed.
 */
export async function pixelTransform(from: Grid, to: Grid, shift?: DatumShift): Promise<PixelTransform> {
  const toGrid = invert(to.affine);
  const once = isGeographic(from.crs) ? onceRound(from) : null;
  const wrap = isGeographic(to.crs) ? nearMiddle(to) : null;
  const turn = sameCrs(from.crs, to.crs) ? null : await crsTransform(from.crs, to.crs, shift);
  return (p) => {
    apply(p, from.affine);
    once?.(p);
    turn?.(p);
    wrap?.(p);
    apply(p, toGrid);
  };
}

/** From coordinates of one CRS to those of another; NaN where there is no such place. */
async function crsTransform(from: Crs, to: Crs, shift?: DatumShift): Promise<(p: Position) => void> {
  const [source, target] = await Promise.all([projector(from), projector(to)]);
  const turn = shift ? datumTurn(shift, from, to) : null;
  return (p) => {
    source.toRadians(p);
    turn?.(p);
    target.fromRadians(p);
  };
}

/** px a side of the squares that target pixels are transformed in; they hang on the target's first pixel, whatever the block. */
const CELL_PX = 32;
/** f64 values of a cell: col, row, size, then x and y of the upper left, upper right, lower left and lower right corner. */
export const CELL_VALUES = 11;
/** How far from the exact position one between a cell's corners may be, px: a quarter of this where that costs no more transforms. */
export const CELL_TOLERANCE_PX = 0.001;
/** The most that the sides of a px may bend, as a part of its size, to be one with straight sides. */
const MOST_BEND = 1 / 8;
/** Positions farther out than this are nowhere, px: the kernels' fixed point ends there. */
const FARTHEST_PX = 2 ** 28;

/** Squares of target pixels, f64[n][CELL_VALUES]: positions inside one are bilinear between those of its corners. */
export type Cells = Float64Array;

/** A position rounded to 2⁻²⁰ px, the same on every engine; NaN when it is nowhere. */
function rounded(value: number): number {
  return Math.abs(value) < FARTHEST_PX ? Math.round(value * 2 ** 20) / 2 ** 20 : Number.NaN;
}

/** Exact positions of a square's corners, the middles of its edges and its own, row by row: x and y of nine points. */
type Nine = Float64Array;

/** The largest distance from the exact position, along x or y, where bilinear positions are worst: NaN with a point that is nowhere. */
function worst(nine: Nine): number {
  const at = (i: number) => nine[i]!;
  let most = 0;
  for (let axis = 0; axis < 2; axis++) {
    const [p, q, r, s] = [at(axis), at(4 + axis), at(12 + axis), at(16 + axis)];
    most = Math.max(
      most,
      Math.abs(at(2 + axis) - (p + q) / 2),
      Math.abs(at(6 + axis) - (p + r) / 2),
      Math.abs(at(8 + axis) - (p + q + r + s) / 4),
      Math.abs(at(10 + axis) - (q + s) / 2),
      Math.abs(at(14 + axis) - (r + s) / 2),
    );
  }
  return most;
}

/** The corners of nine points, their least and largest coordinate along an axis. */
function reach(nine: Nine, axis: number): { low: number; high: number } {
  const corners = [0, 4, 12, 16].map((i) => nine[i + axis]!);
  return { low: Math.min(...corners), high: Math.max(...corners) };
}

/**
 * Whether the corners of the px at (col, row) tell what of the source lies under it: its sides bend, but little against its size, and
 * the middle of that part leads back to it. It does not where a seam or a pole lies in it, or where a projection has long lost its way.
 */
function isQuadrilateral(
  nine: Nine,
  { error, col, row }: { error: number; col: number; row: number },
  source: { width: number; height: number },
  back: PixelTransform,
): boolean {
  const [x, y] = [reach(nine, 0), reach(nine, 1)];
  if (!(error <= MOST_BEND * Math.max(x.high - x.low, y.high - y.low))) return false;
  const middle = ({ low, high }: typeof x, size: number) => (Math.max(low, 0) + Math.min(high, size)) / 2;
  const point: Position = { x: middle(x, source.width), y: middle(y, source.height) };
  back(point);
  return Math.abs(point.x - col - 0.5) <= 1.5 && Math.abs(point.y - row - 0.5) <= 1.5;
}

/** Whether a square surely lies outside the source: its nine points do, with as much around them as they are apart. */
function isOutside(nine: Nine, { width, height }: { width: number; height: number }): boolean {
  const beyond = (axis: number, size: number) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < 18; i += 2) {
      low = Math.min(low, nine[i]!);
      high = Math.max(high, nine[i]!);
    }
    return high + (high - low) < -1 || low - (high - low) > size + 1;
  };
  return beyond(0, width) || beyond(1, height);
}

/**
 * The cells of a window of the target that meet a source of width × height px. Squares of {@link CELL_PX} are halved until the middles
 * of their edges and their own middle, where the error of bilinear positions is largest, are within {@link CELL_TOLERANCE_PX} of the
 * exact positions; a single pixel that is not takes its exact middle. Pixels without a place in the source are in no cell. Where
 * what lies under pixels is wanted, not under their middles, `back` is the transform from the source: a single pixel then keeps its
 * exact corners.
 */
export function cellsUnder(
  transform: PixelTransform,
  window: Window,
  source: { width: number; height: number },
  back: PixelTransform | null = null,
): Cells {
  const cells: number[] = [];
  const point: Position = { x: 0, y: 0 };
  const fill = (nine: Nine, col: number, row: number, size: number) => {
    for (let i = 0; i < 9; i++) {
      point.x = col + ((i % 3) * size) / 2;
      point.y = row + (Math.floor(i / 3) * size) / 2;
      transform(point);
      nine[2 * i] = rounded(point.x);
      nine[2 * i + 1] = rounded(point.y);
    }
  };
  const keep = (nine: Nine, corners: readonly number[], col: number, row: number, size: number) => {
    cells.push(col, row, size);
    for (const corner of corners) cells.push(nine[2 * corner]!, nine[2 * corner + 1]!);
  };
  const add = (nine: Nine, col: number, row: number, size: number): void => {
    const error = worst(nine);
    if (!Number.isNaN(error) && isOutside(nine, source)) return;
    if (error <= CELL_TOLERANCE_PX / 4 || (size === 1 && error <= CELL_TOLERANCE_PX)) {
      keep(nine, [0, 2, 6, 8], col, row, size);
      return;
    }
    if (size === 1) {
      if (back && isQuadrilateral(nine, { error, col, row }, source, back)) keep(nine, [0, 2, 6, 8], col, row, 1);
      else if (!Number.isNaN(nine[8]! + nine[9]!)) keep(nine, [4, 4, 4, 4], col, row, 1);
      return;
    }
    const half = size / 2;
    const part = new Float64Array(18);
    for (let i = 0; i < 4; i++) {
      const [x, y] = [i & 1, i >> 1];
      const [left, top] = [col + x * half, row + y * half];
      if (!meets(window, left, top, half)) continue;
      const corner = x + 3 * y;
      // A quarter of the square errs by a quarter as much, and its corners are known.
      if (error <= CELL_TOLERANCE_PX) keep(nine, [corner, corner + 1, corner + 3, corner + 4], left, top, half);
      else {
        fill(part, left, top, half);
        add(part, left, top, half);
      }
    }
  };
  forEachSquare(transform, window, add);
  return Float64Array.from(cells);
}

function meets(window: Window, col: number, row: number, size: number): boolean {
  const { width, height } = window;
  return col < window.col + width && col + size > window.col && row < window.row + height && row + size > window.row;
}

/** The nine points of every square under a window, each point transformed once. */
function forEachSquare(
  transform: PixelTransform,
  window: Window,
  take: (nine: Nine, col: number, row: number, size: number) => void,
): void {
  const firstCol = Math.floor(window.col / CELL_PX) * CELL_PX;
  const firstRow = Math.floor(window.row / CELL_PX) * CELL_PX;
  const across = Math.ceil((window.col + window.width - firstCol) / CELL_PX);
  const down = Math.ceil((window.row + window.height - firstRow) / CELL_PX);
  const perLine = 2 * (2 * across + 1);
  const line = (row: number): Float64Array => {
    const out = new Float64Array(perLine);
    const point: Position = { x: 0, y: 0 };
    for (let i = 0; i < perLine; i += 2) {
      point.x = firstCol + (i * CELL_PX) / 4;
      point.y = row;
      transform(point);
      out[i] = rounded(point.x);
      out[i + 1] = rounded(point.y);
    }
    return out;
  };
  const nine = new Float64Array(18);
  let top = line(firstRow);
  for (let y = 0; y < down; y++) {
    const row = firstRow + y * CELL_PX;
    const lines = [top, line(row + CELL_PX / 2), line(row + CELL_PX)] as const;
    for (let x = 0; x < across; x++) {
      for (const [i, points] of lines.entries()) nine.set(points.subarray(4 * x, 4 * x + 6), 6 * i);
      take(nine, firstCol + x * CELL_PX, row, CELL_PX);
    }
    top = lines[2];
  }
}

/** The source px that cells of a window of the target reach, [left, right) × [top, bottom), fractions kept; null without any. */
export function cellBounds(
  cells: Cells,
  window: Window,
): { left: number; top: number; right: number; bottom: number } | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < cells.length; at += CELL_VALUES) {
    if (!meets(window, cells[at]!, cells[at + 1]!, cells[at + 2]!)) continue;
    for (let i = at + 3; i < at + CELL_VALUES; i += 2) {
      left = Math.min(left, cells[i]!);
      right = Math.max(right, cells[i]!);
      top = Math.min(top, cells[i + 1]!);
      bottom = Math.max(bottom, cells[i + 1]!);
    }
  }
  return left <= right ? { left, top, right, bottom } : null;
}

/** Those of a window's cells that meet a part of it. */
export function cellsOf(cells: Cells, part: Window): Cells {
  const own: number[] = [];
  for (let at = 0; at < cells.length; at += CELL_VALUES) {
    if (meets(part, cells[at]!, cells[at + 1]!, cells[at + 2]!)) own.push(at);
  }
  const out = new Float64Array(own.length * CELL_VALUES);
  for (const [i, at] of own.entries()) out.set(cells.subarray(at, at + CELL_VALUES), i * CELL_VALUES);
  return out;
}

/** How one grid's pixels lie under another's at one place: source px a target px, as [dx/dcol, dx/drow, dy/dcol, dy/drow]. */
export type Steps = readonly [number, number, number, number];

/** {@link Steps} around a target position, to 2⁻²⁰; null where there is no such place. */
export function stepsAt(transform: PixelTransform, { x, y }: Position): Steps | null {
  const at = (dx: number, dy: number) => {
    const p = { x: x + dx, y: y + dy };
    transform(p);
    return p;
  };
  const [left, right, above, below] = [at(-0.5, 0), at(0.5, 0), at(0, -0.5), at(0, 0.5)];
  const steps = [right.x - left.x, below.x - above.x, right.y - left.y, below.y - above.y].map(rounded);
  return steps.some(Number.isNaN) ? null : (steps as unknown as Steps);
}
