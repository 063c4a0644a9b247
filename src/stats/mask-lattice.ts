import { invert, pixelToGround } from '../geo/affine.js';
import { isGeographic, sameCrs } from '../geo/crs.js';
import type { DatumShift } from '../geo/datum-shift.js';
import { type Grid, type Window, windowAround } from '../geo/grid.js';
import { middleLongitudeOf } from '../geo/longitude.js';
import { type Placement, placeAcross, placeAlong } from './placement.js';
import type { SourceFile } from './source.js';

/** Mask files whose pixels are the same squares of the ground, so that filters go from one to the next. */
export interface Lattice {
  /** How a frame around all files lies under the target. */
  placement: Placement;
  /** Each with its place in that frame, px. */
  files: { file: SourceFile; frame: Window }[];
}

/** The grid of a run, and what leads to its datum. */
interface Target {
  grid: Grid;
  datumShift?: DatumShift | undefined;
}

/** Sorts the mask files of a day by the lattice they lie on; both in order of time. */
export function latticesOf(files: readonly SourceFile[], target: Target): Promise<Lattice[]> {
  const groups: SourceFile[][] = [];
  for (const file of files) {
    const own = groups.find(([first]) => shiftBetween(first!.placement, file.placement) !== null);
    if (own) own.push(file);
    else groups.push([file]);
  }
  return Promise.all(groups.map((group) => latticeOf(group, target)));
}

async function latticeOf(files: readonly SourceFile[], { grid, datumShift }: Target): Promise<Lattice> {
  const first = files[0]!.placement;
  const frames = files.map(({ placement }): Window => {
    const { dx, dy } = shiftBetween(first, placement)!;
    return { col: dx, row: dy, width: placement.own.width, height: placement.own.height };
  });
  if (files.length === 1) return { placement: first, files: [{ file: files[0]!, frame: frames[0]! }] };
  const { col, row, width, height } = windowAround(frames);
  const [a, b, , d, e] = first.own.affine;
  const [x, y] = pixelToGround(first.own.affine, col, row);
  const around: Grid = { crs: first.own.crs, affine: [a, b, x, d, e, y], width, height };
  return {
    placement: first.kind === 'axes' ? placeAlong(around, grid) : await placeAcross(around, grid, { datumShift }),
    files: files.map((file, i) => {
      const frame = frames[i]!;
      return { file, frame: { ...frame, col: frame.col - col, row: frame.row - row } };
    }),
  };
}

/** Whole pixels from one level's first pixel to another's on the same lattice; null between others. */
function shiftBetween(p: Placement, q: Placement): { dx: number; dy: number } | null {
  if (p.kind !== q.kind || !sameCrs(p.own.crs, q.own.crs)) return null;
  if (p.own.affine.some((step, i) => i % 3 !== 2 && step !== q.own.affine[i])) return null;
  const turned = isGeographic(p.own.crs) ? Math.round((middleLongitudeOf(p.own) - middleLongitudeOf(q.own)) / 360) : 0;
  const [dx, dy] = pixelToGround(invert(p.own.affine), q.own.affine[2] + 360 * turned, q.own.affine[5]);
  const off = (value: number) => Math.abs(value - Math.round(value)) > 1e-6;
  return off(dx) || off(dy) ? null : { dx: Math.round(dx), dy: Math.round(dy) };
}
