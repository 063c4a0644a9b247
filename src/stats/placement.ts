import type { DatumShift } from '../geo/datum-shift.js';
import type { Grid, Window } from '../geo/grid.js';
import { turnBetween } from '../geo/longitude.js';
import {
  type Cells,
  cellBounds,
  cellsUnder,
  type PixelTransform,
  type Position,
  pixelTransform,
  type Steps,
  stepsAt,
} from '../geo/reproject.js';
import { warpMargin } from '../kernels/warp.js';
import type { Resampling } from './spec.js';

/** How source pixels lie under a target grid along one axis: source = offset + scale × target, both in px from the outer edge. */
export interface AxisMap {
  scale: number;
  offset: number;
}

/** A level of a file under a target grid whose rows and columns are its own: an axis at a time. */
export interface AxisPlacement {
  kind: 'axes';
  /** The level's own frame. */
  own: Grid;
  x: AxisMap;
  y: AxisMap;
  steps: Steps;
  /** Where the level's first pixel lies, in target px. */
  origin: Position;
}

/** Any other level of a file: cell by cell of the target. */
export interface CellPlacement {
  kind: 'cells';
  own: Grid;
  /** The cells of a window of the target that meet the level. */
  cells(window: Window): Cells;
  /** In the middle of the level, or of the part that meets the target: see `stepsOf`. */
  steps: Steps;
  origin: Position;
  /** Bytes of the cells of a target px, in the middle of the level. */
  cellBytes: number;
}

export type Placement = AxisPlacement | CellPlacement;

/** Source px a target px along x and y of the source. */
export function ratiosOf({ steps: [xx, xy, yx, yy] }: Pick<Placement, 'steps'>): { x: number; y: number } {
  return { x: Math.sqrt(xx * xx + xy * xy), y: Math.sqrt(yx * yx + yy * yy) };
}

/** An axis at a time, by the grids alone; degrees turned to where the target has them. */
export function placeAlong(own: Grid, target: Grid): AxisPlacement {
  const [a, , west, , e, f] = own.affine;
  const c = west + 360 * (turnBetween(own, target) ?? 0);
  const x = { scale: target.affine[0] / a, offset: (target.affine[2] - c) / a };
  const y = { scale: target.affine[4] / e, offset: (target.affine[5] - f) / e };
  const origin = { x: -x.offset / x.scale, y: -y.offset / y.scale };
  return { kind: 'axes', own, x, y, steps: [x.scale, 0, 0, y.scale], origin };
}

/** The transforms of a run's target grid, by what they lead to: scenes of one tile share theirs, and its cells. */
const known = new WeakMap<Grid, Map<string, Promise<CellPlacement>>>();
const MAX_KNOWN = 256;

interface AcrossOptions {
  /** For resamplings of all that lies under a pixel, which is not where its middle lies alone. */
  byArea?: boolean;
  datumShift?: DatumShift | undefined;
}

/** Cell by cell; the same object for the same two grids. */
export function placeAcross(own: Grid, target: Grid, options: AcrossOptions = {}): Promise<CellPlacement> {
  const { byArea = false, datumShift } = options;
  const all = known.get(target) ?? new Map<string, Promise<CellPlacement>>();
  known.set(target, all);
  const { crs, affine, width, height } = own;
  const key = JSON.stringify([crs.epsg ?? crs, affine, width, height, byArea, datumShift?.code]);
  let found = all.get(key);
  if (!found) {
    if (all.size >= MAX_KNOWN) all.delete(all.keys().next().value!);
    found = across(own, target, { byArea, datumShift });
    all.set(key, found);
    found.catch(() => all.delete(key));
  }
  return found;
}

async function across(own: Grid, target: Grid, { byArea, datumShift }: AcrossOptions): Promise<CellPlacement> {
  const [toSource, toTarget] = await Promise.all([
    pixelTransform(target, own, datumShift),
    pixelTransform(own, target, datumShift),
  ]);
  const middle = { x: own.width / 2, y: own.height / 2 };
  toTarget(middle);
  const origin = { x: 0, y: 0 };
  toTarget(origin);
  if (!Number.isFinite(origin.x + origin.y)) Object.assign(origin, { x: 0, y: 0 });
  const steps = stepsOf(toSource, { own, target, middle });
  const cells = lastCells(toSource, own, byArea ? toTarget : null);
  return { kind: 'cells', own, cells, steps, origin, cellBytes: cellBytes(cells, middle, target) };
}

/**
 * Steps in the middle of a level; those where it meets the target where their ratios differ by more than a twentieth: the middle of a
 * raster of the globe tells nothing of its poles. So the many targets that a scene is cut into share one ratio.
 */
function stepsOf(
  toSource: PixelTransform,
  { own, target, middle }: { own: Grid; target: Grid; middle: Position },
): Steps {
  const usual = stepsAt(toSource, middle);
  const there = stepsWhereTheyMeet(toSource, own, target);
  if (!usual) return there ?? stepsAt(toSource, { x: target.width / 2, y: target.height / 2 }) ?? NO_STEPS;
  if (!there) return usual;
  const [p, q] = [ratiosOf({ steps: usual }), ratiosOf({ steps: there })];
  const alike = (a: number, b: number) => Math.abs(a - b) <= Math.max(a, b) / 20;
  return alike(p.x, q.x) && alike(p.y, q.y) ? usual : there;
}

/** Positions along each side of a target that are looked at. */
const LOOKS = 9;

/** Of the steps at positions of a target that lie in the source, those with the middle area; null where none does. */
function stepsWhereTheyMeet(toSource: PixelTransform, { width, height }: Grid, target: Grid): Steps | null {
  const found: { steps: Steps; area: number }[] = [];
  for (let i = 0; i < LOOKS * LOOKS; i++) {
    const at = {
      x: (((i % LOOKS) + 0.5) * target.width) / LOOKS,
      y: ((Math.floor(i / LOOKS) + 0.5) * target.height) / LOOKS,
    };
    const steps = stepsAt(toSource, at);
    toSource(at);
    if (!steps || !(at.x >= 0 && at.x < width && at.y >= 0 && at.y < height)) continue;
    const { x, y } = ratiosOf({ steps });
    found.push({ steps, area: x * y });
  }
  found.sort((p, q) => p.area - q.area);
  return found[found.length >> 1]?.steps ?? null;
}

/** Looks at a few squares around a position of the target. */
function cellBytes(cells: (window: Window) => Cells, { x, y }: Position, target: Grid): number {
  const near = (at: number, size: number) => Math.max(0, Math.min(size - SAMPLE_PX, Math.floor(at - SAMPLE_PX / 2)));
  const col = near(Number.isFinite(x) ? x : 0, target.width);
  const row = near(Number.isFinite(y) ? y : 0, target.height);
  const sample = { col, row, width: Math.min(SAMPLE_PX, target.width), height: Math.min(SAMPLE_PX, target.height) };
  return (cells(sample).length * 8) / (sample.width * sample.height);
}

const SAMPLE_PX = 64;

/** For grids that meet nowhere. */
const NO_STEPS: Steps = [1, 0, 0, 1];

/** Keeps the cells of the last window: all dates and bands of a tile ask for the same block. */
function lastCells(toSource: PixelTransform, own: Grid, back: PixelTransform | null): (window: Window) => Cells {
  let last: { key: string; cells: Cells } | null = null;
  return ({ col, row, width, height }) => {
    const key = `${col} ${row} ${width} ${height}`;
    if (last?.key !== key) last = { key, cells: cellsUnder(toSource, { col, row, width, height }, own, back) };
    return last.cells;
  };
}

/** Source coordinate (px from the outer edge) of the centre of a target pixel. Rounded to 2⁻²⁰ px, the same in every block. */
export function sourceCoordinate({ scale, offset }: AxisMap, target: number): number {
  return Math.round((offset + (target + 0.5) * scale) * 2 ** 20) / 2 ** 20;
}

/** The source pixels under target pixels [begin, begin + count) along an axis, with `margin` px around, clipped to [0, size). */
export function sourceSpan(
  axis: AxisMap,
  { begin, count, margin, size }: { begin: number; count: number; margin: number; size: number },
): { begin: number; count: number } {
  const p = Math.floor(sourceCoordinate(axis, begin));
  const q = Math.floor(sourceCoordinate(axis, begin + count - 1));
  return clipped(Math.min(p, q) - margin, Math.max(p, q) + 1 + margin, size);
}

function clipped(begin: number, end: number, size: number): { begin: number; count: number } {
  const from = Math.max(0, begin);
  return { begin: from, count: Math.max(0, Math.min(size, end) - from) };
}

/**
 * Whether the pixels of an axis are those of the target, or whole numbers of them for which each stands at least: then there is nothing
 * to blend.
 */
function isCopied({ scale, offset }: AxisMap, sharpness: number): boolean {
  const parts = Math.round(1 / Math.abs(scale));
  const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 2 ** -20;
  return parts >= 1 && parts <= sharpness && Math.abs(scale) * parts === 1 && isWhole(offset * parts);
}

/** Whether all resamplings give a level's pixels as they are. */
export const isCopiedPixels = ({ x, y }: AxisPlacement, sharpness: number): boolean =>
  isCopied(x, sharpness) && isCopied(y, sharpness);

/** Source px that a resampling looks at around the nearest one, along x and y. */
export function resamplingMargin(
  resampling: Resampling,
  placement: Placement,
  sharpness = 1,
): { x: number; y: number } {
  const ratio = ratiosOf(placement);
  if (placement.kind === 'cells') return { x: warpMargin(resampling, ratio.x), y: warpMargin(resampling, ratio.y) };
  const margin = (axis: AxisMap, ratio: number) => {
    if (resampling === 'nearest' || isCopied(axis, sharpness)) return 0;
    // The four around a position are the nearest and its neighbours.
    if (resampling === 'bilinear') return 1;
    return Math.ceil(Math.max(1, ratio) / 2) + 1;
  };
  return { x: margin(placement.x, ratio.x), y: margin(placement.y, ratio.y) };
}

/**
 * The window of a file's level that a target window needs, with `margin` px around; null where they do not meet. `block`: the window
 * whose cells are at hand, when the target is a strip of it.
 */
export function sourceWindow(
  placement: Placement,
  target: Window,
  margin: { x: number; y: number },
  block: Window = target,
): Window | null {
  const { width, height } = placement.own;
  if (placement.kind === 'axes') {
    const x = sourceSpan(placement.x, { begin: target.col, count: target.width, margin: margin.x, size: width });
    const y = sourceSpan(placement.y, { begin: target.row, count: target.height, margin: margin.y, size: height });
    return windowOf(x, y);
  }
  const bounds = cellBounds(placement.cells(block), target);
  if (!bounds) return null;
  const x = clipped(Math.floor(bounds.left) - margin.x, Math.ceil(bounds.right) + margin.x, width);
  const y = clipped(Math.floor(bounds.top) - margin.y, Math.ceil(bounds.bottom) + margin.y, height);
  return windowOf(x, y);
}

type Span = ReturnType<typeof clipped>;

function windowOf(x: Span, y: Span): Window | null {
  return x.count > 0 && y.count > 0 ? { col: x.begin, row: y.begin, width: x.count, height: y.count } : null;
}
