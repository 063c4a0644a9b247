import { isAxisAligned } from './affine.js';
import { isGeographic, sameCrs } from './crs.js';
import type { DatumShift } from './datum-shift.js';
import { type Bounds, type Grid, gridBounds, type Window } from './grid.js';
import { spanOf, turnBetween } from './longitude.js';
import { pixelTransform } from './reproject.js';

/** Points along each side of a grid that is looked at in another CRS. */
const POINTS = 33;
/** Edges within this part of a pixel of a pixel's edge are on it. */
const DUST = 1e-6;

/** Positions of one grid's lattice of points in the pixels of another, those that have one. */
async function pointsUnder(own: Grid, target: Grid, shift?: DatumShift): Promise<{ x: number; y: number }[]> {
  const transform = await pixelTransform(own, target, shift);
  const points: { x: number; y: number }[] = [];
  for (let row = 0; row < POINTS; row++) {
    for (let col = 0; col < POINTS; col++) {
      // The inside counts too: a pole may lie there.
      const p = { x: (own.width * col) / (POINTS - 1), y: (own.height * row) / (POINTS - 1) };
      transform(p);
      if (Number.isFinite(p.x) && Number.isFinite(p.y)) points.push(p);
    }
  }
  return points;
}

/** Whether rows and columns of a grid are those of the target, all of them at once. */
export function liesAlong(own: Grid, target: Grid): boolean {
  const along = isAxisAligned(own.affine) && isAxisAligned(target.affine) && sameCrs(own.crs, target.crs);
  return along && turnBetween(own, target) !== null;
}

/** Where a grid lies on another, in the other's pixels: may reach outside it; null where they cannot meet. Edges may bend a little beyond. */
export async function footprintOf(own: Grid, target: Grid, shift?: DatumShift): Promise<Window | null> {
  const aligned = liesAlong(own, target);
  const points = aligned ? cornersUnder(own, target) : await pointsUnder(own, target, shift);
  if (points.length === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  // Between two points an edge bends by about the square of their distance: an eighth of that of the whole side over POINTS².
  const slack = aligned ? 0 : 1 + Math.ceil(Math.max(right - left, bottom - top) / (4 * POINTS));
  const col = Math.floor(left + DUST) - slack;
  const row = Math.floor(top + DUST) - slack;
  return { col, row, width: Math.ceil(right - DUST) + slack - col, height: Math.ceil(bottom - DUST) + slack - row };
}

function cornersUnder(own: Grid, target: Grid): { x: number; y: number }[] {
  const [a, , c, , e, f] = target.affine;
  const { west, south, east, north } = gridBounds(own);
  const turned = 360 * (turnBetween(own, target) ?? 0);
  return [
    { x: (west + turned - c) / a, y: (north - f) / e },
    { x: (east + turned - c) / a, y: (south - f) / e },
  ];
}

/**
 * The rectangle around a grid in another CRS, its edges followed at {@link POINTS} points each; null where they cannot meet. In degrees it
 * goes on beyond 180 across the antimeridian.
 */
export async function boundsIn(own: Grid, crs: Grid['crs'], shift?: DatumShift): Promise<Bounds | null> {
  if (sameCrs(own.crs, crs)) return gridBounds(own);
  // Pixels of one unit: positions are coordinates.
  const points = await pointsUnder(own, { crs, affine: [1, 0, 0, 0, 1, 0], width: 0, height: 0 }, shift);
  if (points.length === 0) return null;
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const { west, east } = isGeographic(crs) ? spanOf(xs) : { west: Math.min(...xs), east: Math.max(...xs) };
  return { west, south: Math.min(...ys), east, north: Math.max(...ys) };
}
