import { isGeographic } from './crs.js';
import type { Grid } from './grid.js';

/** A span of longitudes in degrees: from west eastward to east ≥ west, which is beyond 180 across the antimeridian. */
export interface Span {
  west: number;
  east: number;
}

/** A longitude turned by whole circles into −180 to 180; those that are there stay as they are, to the last bit. */
export function withinCircle(lon: number): number {
  return Math.abs(lon) <= 180 ? lon : lon - 360 * Math.round(lon / 360);
}

/** The longitude in the middle of a grid in degrees. */
export function middleLongitudeOf({ affine: [a, b, c], width, height }: Grid): number {
  return c + (a * width + b * height) / 2;
}

/** West and east of a span within −180 to 180: west > east across the antimeridian. */
export function sidesOf({ west, east }: Span): [west: number, east: number] {
  return east - west >= 360 ? [-180, 180] : [withinCircle(west), withinCircle(east)];
}

/** The middle longitude of a box in degrees, whose west is east of its east across the antimeridian. */
export function middleOfBox([west, , east]: readonly [number, number, number, number]): number {
  return withinCircle((west + (west <= east ? east : east + 360)) / 2);
}

/** Around longitudes of one place, −180 to 180 each: across the antimeridian where less than half of the globe holds them so. */
export function spanOf(lons: readonly number[]): Span {
  const plain = around(lons);
  if (plain.east - plain.west <= 180) return plain;
  const across = around(lons.map((lon) => (lon < 0 ? lon + 360 : lon)));
  return across.east - across.west < 180 ? across : plain;
}

function around(lons: readonly number[]): Span {
  let [west, east] = [Infinity, -Infinity];
  for (const lon of lons) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
  }
  return { west, east };
}

/**
 * The circles that spans are to be turned by so that they lie side by side. None, but where that brings what is farther apart than
 * half of the globe into a half of it: then the westernmost begins within −180 to 180, and others may be beyond.
 */
export function turnsOf(spans: readonly Span[]): number[] {
  const stay = spans.map(() => 0);
  let best = { turns: stay, width: widthOf(spans, stay) };
  if (best.width <= 180) return stay;
  for (const first of spans) {
    const west = withinCircle(first.west);
    const turns = spans.map((span) => Math.ceil((west - span.west) / 360 - DUST));
    const width = widthOf(spans, turns);
    if (width < best.width) best = { turns, width };
  }
  return best.width <= 180 ? best.turns : stay;
}

/** Of a circle: edges that close are one. */
const DUST = 1e-12;

function widthOf(spans: readonly Span[], turns: readonly number[]): number {
  const west = Math.min(...spans.map((span, i) => span.west + 360 * turns[i]!));
  return Math.max(...spans.map((span, i) => span.east + 360 * turns[i]!)) - west;
}

/**
 * The circles by which a grid in degrees is turned to lie under another; 0 for other units. Null where one will not do, because the grid
 * lies under the other's two sides: one goes round the globe, or nearly.
 */
export function turnBetween(own: Grid, target: Grid): number | null {
  if (!isGeographic(own.crs) || !isGeographic(target.crs)) return 0;
  const circles = Math.round((middleLongitudeOf(target) - middleLongitudeOf(own)) / 360);
  const [p, q] = [own, target].map(spanOfGrid) as [Span, Span];
  const dust = 1e-6 * Math.abs(own.affine[0]);
  const meets = (turn: number) => p.west + 360 * turn < q.east - dust && p.east + 360 * turn > q.west + dust;
  const others = [circles - 1, circles + 1].some(meets);
  return others ? null : circles + 0;
}

function spanOfGrid({ affine: [a, b, c], width, height }: Grid): Span {
  return around([c, c + a * width, c + b * height, c + a * width + b * height]);
}
