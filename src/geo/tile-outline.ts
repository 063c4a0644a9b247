import type { MultiPolygon, Polygon } from 'geojson';
import { InputError } from '../errors.js';
import { crsToLonLat, type PointTransform } from './crs.js';
import { type GridSpec, type TileIndex, tileGrid, tileSides } from './gridspec.js';

/** Where tiles of a grid lie on the Earth. */
export interface TileOutlines {
  /** West, south, east, north in degrees; west > east across the antimeridian. */
  boundsOf(tile: TileIndex): [number, number, number, number];
  /** In degrees; across the antimeridian its two parts, as RFC 7946 wants. */
  outlineOf(tile: TileIndex): Polygon | MultiPolygon;
  /** Whole hours from UTC to the time by the sun in the tile's middle, truncated towards zero as odc-stats does. */
  solarOffsetHours(tile: TileIndex): number;
}

/** Points along each side. */
const POINTS = 8;
/** Of the way to a point that is off the Earth. */
const HALVINGS = 24;

type Position = [lon: number, lat: number];

/** Longitudes that follow each other without a jump of half the Earth. */
export function unwrapped(ring: readonly (readonly [number, number])[]): Position[] {
  const points: Position[] = [];
  let turn = 0;
  for (const [lon, lat] of ring) {
    const before = points.at(-1)?.[0];
    if (before !== undefined) turn += 360 * Math.round((before - (lon + turn)) / 360);
    points.push([lon + turn, lat]);
  }
  return points;
}

/** The part of a closed ring with west ≤ lon ≤ east (Sutherland and Hodgman); closed, empty where nothing is left. */
export function clippedByLon(ring: readonly Position[], west: number, east: number): Position[] {
  const inside = [
    { edge: west, holds: (lon: number) => lon >= west },
    { edge: east, holds: (lon: number) => lon <= east },
  ];
  let points = ring.slice(0, -1);
  for (const { edge, holds } of inside) {
    const kept: Position[] = [];
    for (const [i, point] of points.entries()) {
      const before = points[(i + points.length - 1) % points.length]!;
      if (holds(before[0]) !== holds(point[0])) {
        const part = (edge - before[0]) / (point[0] - before[0]);
        kept.push([edge, before[1] + part * (point[1] - before[1])]);
      }
      if (holds(point[0])) kept.push(point);
    }
    points = kept;
  }
  return points.length < 3 ? [] : [...points, points[0]!];
}

/** A point of the tile where the plane has one: its middle, else the middle of its upper or lower edge. */
function inner(
  spec: GridSpec,
  tile: TileIndex,
  toLonLat: PointTransform,
): { at: readonly [number, number]; lonLat: Position } {
  const { affine } = tileGrid(spec, tile);
  const [sideX, sideY] = tileSides(spec);
  const places = [0.5, 0.001, 0.999].map((part) => [affine[2] + sideX / 2, affine[5] - sideY * part] as const);
  for (const at of places) {
    try {
      return { at, lonLat: toLonLat(...at) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  throw new InputError(`the tile ${tile.x}, ${tile.y} lies off the Earth`);
}

/** A point's place, or where the way there from a point inside leaves the Earth: planes go on beyond the poles. */
function lastOnEarth(
  from: readonly [number, number],
  to: readonly [number, number],
  toLonLat: PointTransform,
): Position {
  let [low, high] = [0, 1];
  let found: Position | null = null;
  for (let part = 1, step = 0; step < HALVINGS; part = (low + high) / 2, step++) {
    try {
      found = toLonLat(from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part);
      if (part === 1) return found;
      low = part;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      high = part;
    }
  }
  return found ?? toLonLat(...from);
}

function perimeter(spec: GridSpec, tile: TileIndex, toLonLat: PointTransform): Position[] {
  const { affine } = tileGrid(spec, tile);
  const [sideX, sideY] = tileSides(spec);
  const [left, top] = [affine[2], affine[5]];
  const corners = [
    [left, top - sideY],
    [left + sideX, top - sideY],
    [left + sideX, top],
    [left, top],
  ] as const;
  const { at } = inner(spec, tile, toLonLat);
  const ring: Position[] = [];
  for (const [i, [x0, y0]] of corners.entries()) {
    const [x1, y1] = corners[(i + 1) % 4]!;
    for (let k = 0; k < POINTS; k++)
      ring.push(lastOnEarth(at, [x0 + ((x1 - x0) * k) / POINTS, y0 + ((y1 - y0) * k) / POINTS], toLonLat));
  }
  return unwrapped([...ring, ring[0]!]);
}

/** Rounded to 10⁻⁹ degrees, a tenth of a millimetre. */
const tidy = (ring: readonly Position[]): Position[] =>
  ring.map(([lon, lat]) => [Math.round(lon * 1e9) / 1e9, Math.round(lat * 1e9) / 1e9]);

/** The turns of the Earth that a span of longitudes lies in: it meets (−180, 180) + 360 k for k from first to last. */
function turns(west: number, east: number): number[] {
  const first = Math.floor((west + 180) / 360);
  const last = Math.ceil((east + 180) / 360) - 1;
  return Array.from({ length: Math.max(1, last - first + 1) }, (_, i) => first + i);
}

/** @throws UnsupportedError for a CRS without a definition here; InputError for tiles off the Earth */
export async function tileOutlines(spec: GridSpec): Promise<TileOutlines> {
  const toLonLat = await crsToLonLat(spec.crs);
  const spanOf = (ring: readonly Position[]) => {
    const lons = ring.map(([lon]) => lon);
    return [Math.min(...lons), Math.max(...lons)] as const;
  };
  return {
    boundsOf(tile) {
      const ring = perimeter(spec, tile, toLonLat);
      const [west, east] = spanOf(ring);
      const lats = ring.map(([, lat]) => lat);
      const within = (lon: number) => lon - 360 * Math.floor((lon + 180) / 360);
      const across = turns(west, east).length > 1;
      const [w, e] = across
        ? [within(west), within(east)]
        : [west, east].map((lon) => lon - 360 * turns(west, east)[0]!);
      return [w!, Math.min(...lats), e!, Math.max(...lats)];
    },
    outlineOf(tile) {
      const ring = perimeter(spec, tile, toLonLat);
      const parts = turns(...spanOf(ring))
        .map((k) =>
          clippedByLon(ring, 360 * k - 180, 360 * k + 180).map(([lon, lat]): Position => [lon - 360 * k, lat]),
        )
        .filter((part) => part.length > 3)
        .map(tidy);
      if (parts.length === 1) return { type: 'Polygon', coordinates: [parts[0]!] };
      return { type: 'MultiPolygon', coordinates: parts.map((part) => [part]) };
    },
    solarOffsetHours: (tile) => Math.trunc(inner(spec, tile, toLonLat).lonLat[0] / 15 + 0.5),
  };
}
