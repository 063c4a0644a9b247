import { UnsupportedError } from '../errors.js';
import { type Affine, pixelToGround } from './affine.js';
import type { Crs } from './crs.js';

/** A raster's frame: what it covers and how finely. */
export interface Grid {
  crs: Crs;
  affine: Affine;
  /** px */
  width: number;
  /** px */
  height: number;
}

/** A rectangle of pixels inside a grid; may reach outside it where that is said. */
export interface Window {
  col: number;
  row: number;
  width: number;
  height: number;
}

/** Ground rectangle in units of a CRS. */
export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** The ground rectangle around a grid (around its corners when it is rotated). */
export function gridBounds(grid: Grid): Bounds {
  const corners = [
    [0, 0],
    [grid.width, 0],
    [0, grid.height],
    [grid.width, grid.height],
  ].map(([col, row]) => pixelToGround(grid.affine, col!, row!));
  const xs = corners.map((p) => p[0]);
  const ys = corners.map((p) => p[1]);
  return { west: Math.min(...xs), south: Math.min(...ys), east: Math.max(...xs), north: Math.max(...ys) };
}

/** The grid of a window of another grid. */
export function windowGrid(grid: Grid, window: Window): Grid {
  const [a, b, , d, e] = grid.affine;
  const [x, y] = pixelToGround(grid.affine, window.col, window.row);
  return { crs: grid.crs, affine: [a, b, x, d, e, y], width: window.width, height: window.height };
}

/** The part that two windows share, or null. */
export function intersect(p: Window, q: Window): Window | null {
  const col = Math.max(p.col, q.col);
  const row = Math.max(p.row, q.row);
  const width = Math.min(p.col + p.width, q.col + q.width) - col;
  const height = Math.min(p.row + p.height, q.row + q.height) - row;
  return width > 0 && height > 0 ? { col, row, width, height } : null;
}

/** What a target grid is made from; `bounds` and `resolution` are in units of the grids' CRS. */
export interface TargetRequest {
  /** The grids of the requested bands of all scenes. */
  grids: readonly Grid[];
  /** The area asked for; default: the union of the grids. */
  bounds?: Bounds | null;
  /** Taken as it is. */
  like?: Grid | null;
  /** [x, y] px size, both positive. */
  resolution?: readonly [number, number] | null;
  /** Must be that of the grids. */
  crs?: Crs | null;
}

export function targetGrid(_request: TargetRequest): Grid {
  throw new UnsupportedError('being written');
}
