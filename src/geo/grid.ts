import type { Position } from 'geojson';
import { InputError } from '../errors.js';
import { type Affine, isAxisAligned, pixelToGround } from './affine.js';
import { type Crs, describeCrs, sameCrs, unitOf } from './crs.js';

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

/** Rings of polygons in units of a grid's CRS, outer ring first, closed. */
export type GroundPolygons = Position[][][];

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

/** The part that two windows share, or null. */
export function intersect(p: Window, q: Window): Window | null {
  const col = Math.max(p.col, q.col);
  const row = Math.max(p.row, q.row);
  const width = Math.min(p.col + p.width, q.col + q.width) - col;
  const height = Math.min(p.row + p.height, q.row + q.height) - row;
  return width > 0 && height > 0 ? { col, row, width, height } : null;
}

/** The least window around one or more others. */
export function windowAround(windows: readonly Window[]): Window {
  const col = Math.min(...windows.map((w) => w.col));
  const row = Math.min(...windows.map((w) => w.row));
  const width = Math.max(...windows.map((w) => w.col + w.width)) - col;
  const height = Math.max(...windows.map((w) => w.row + w.height)) - row;
  return { col, row, width, height };
}

/**
 * A grid over the same ground in pixels of another size: a copy of a picture that was reduced, or refined, a whole number of times,
 * sizes rounded either way. Null for any other size, which may as well be a part of the picture.
 */
export function gridOfSize(grid: Grid, { width, height }: { width: number; height: number }): Grid | null {
  if (width === grid.width && height === grid.height) return grid;
  const factor = width < grid.width ? Math.round(grid.width / width) : 1 / Math.round(width / grid.width);
  const fits = (whole: number, size: number) => Math.abs(size - whole / factor) < 1;
  if (!fits(grid.width, width) || !fits(grid.height, height)) return null;
  const [a, b, c, d, e, f] = grid.affine;
  const [x, y] = [grid.width / width, grid.height / height];
  return { crs: grid.crs, affine: [a * x, b * y, c, d * x, e * y, f], width, height };
}

/** What a target grid is made from; `bounds`, `extent` and `resolution` are in units of the target's CRS. */
export interface TargetRequest {
  /** The grids of the requested bands of all scenes. */
  grids: readonly Grid[];
  /** The area asked for; default: `extent`. */
  bounds?: Bounds | null;
  /** Around all grids; needed where one is in another CRS than the target. */
  extent?: Bounds | null;
  /** Taken as it is. */
  like?: Grid | null;
  /** [x, y] px size, both positive. */
  resolution?: readonly [number, number] | null;
  /** Of the target; default: of the first grid. */
  crs?: Crs | null;
}

/** px */
const MAX_TARGET_PX = 2 ** 31;
/** Edges within this part of a pixel of a lattice line are on it: floating-point dust must not add a row. */
const SNAP = 1e-6;

/** Where the finest lattice has a line next to the CRS's origin, in [0, step). */
function phase(origin: number, step: number): number {
  const rest = origin - Math.floor(origin / step) * step;
  return step - rest < SNAP * step ? 0 : rest;
}

function union(grids: readonly Grid[]): Bounds {
  const bounds = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const grid of grids) {
    const { west, south, east, north } = gridBounds(grid);
    bounds.west = Math.min(bounds.west, west);
    bounds.south = Math.min(bounds.south, south);
    bounds.east = Math.max(bounds.east, east);
    bounds.north = Math.max(bounds.north, north);
  }
  return bounds;
}

/** Sizes of a pixel along the grid's rows and columns. */
function pixelSizes({ affine: [a, b, , d, e] }: Grid): [x: number, y: number] {
  // Not by squares where it need not be: the size of a pixel is a number that people wrote.
  if (b === 0 && d === 0) return [Math.abs(a), Math.abs(e)];
  return [Math.sqrt(a * a + d * d), Math.sqrt(b * b + e * e)];
}

/** The first of the finest grids. */
function finestOf(grids: readonly Grid[]): Grid | null {
  const cell = (grid: Grid) => pixelSizes(grid).reduce((x, y) => x * y);
  return grids.reduce<Grid | null>((best, grid) => (best && cell(best) <= cell(grid) * (1 + SNAP) ? best : grid), null);
}

/** The pixel size of the finest grid, as long as the target counts in the same unit. */
function nativeStep(grids: readonly Grid[], crs: Crs): [x: number, y: number] {
  const alike = grids.filter((grid) => unitOf(grid.crs) === unitOf(crs));
  if (alike.length < grids.length)
    throw new InputError(
      `pixels of ${unitOf(grids.find((grid) => !alike.includes(grid))!.crs)} do not say how large those in ${describeCrs(crs)} should be: give --res`,
      { option: 'res' },
    );
  return pixelSizes(finestOf(grids)!);
}

/**
 * The grid that a composite is made on, north up: `like` as it is; else the lattice of the finest grid (the first of the finest ones)
 * over `bounds` or the union of all grids, its edges snapped outward to the lattice. With a `resolution` the lattice has that step and
 * is anchored where the finest one has a line next to the CRS's origin (0, 0): the native resolution gives the native grid, and scenes
 * of one kind always give the same lattice. Where no grid lies along the target's CRS the lattice is anchored in its origin.
 */
export function targetGrid({ grids, bounds, extent, like, resolution, crs = grids[0]?.crs }: TargetRequest): Grid {
  if (like) return like;
  if (grids.length === 0 || !crs) throw new InputError('no scene states a grid: give --like');
  const along = grids.filter((grid) => isAxisAligned(grid.affine) && sameCrs(grid.crs, crs));
  const finest = finestOf(along);
  const [stepX, stepY] = resolution ?? nativeStep(grids, crs);
  if (!(stepX > 0 && stepY > 0 && Number.isFinite(stepX) && Number.isFinite(stepY)))
    throw new InputError(`a resolution must be positive, not ${stepX}, ${stepY}`, { option: 'res' });
  const area = bounds ?? extent ?? union(grids);
  const anchorX = finest ? phase(finest.affine[2], Math.abs(finest.affine[0])) : 0;
  const anchorY = finest ? phase(finest.affine[5], Math.abs(finest.affine[4])) : 0;
  const first = (edge: number, anchor: number, step: number) => Math.floor((edge - anchor) / step + SNAP);
  const last = (edge: number, anchor: number, step: number) => Math.ceil((edge - anchor) / step - SNAP);
  const col = first(area.west, anchorX, stepX);
  const row = last(area.north, anchorY, stepY);
  const width = Math.max(1, last(area.east, anchorX, stepX) - col);
  const height = Math.max(1, row - first(area.south, anchorY, stepY));
  if (!(width * height <= MAX_TARGET_PX))
    throw new InputError(
      `a target of ${width} × ${height} px is too large (limit 2^31 px): give --bbox or a coarser --res`,
    );
  return {
    crs: finest?.crs ?? crs,
    affine: [stepX, 0, anchorX + col * stepX, 0, -stepY, anchorY + row * stepY],
    width,
    height,
  };
}
