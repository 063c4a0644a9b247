import type { Geometry, Position } from 'geojson';
import { InputError } from '../errors.js';
import {
  type Crs,
  crsToLonLat,
  isGeographic,
  LON_LAT,
  lonLatToCrs,
  type PointTransform,
  projectionOf,
  sameCrs,
} from './crs.js';
import type { GridSpec, TileIndex } from './gridspec.js';
import { tileSides } from './gridspec.js';
import { clippedByLon, unwrapped } from './tile-outline.js';

/** Which tiles share ground with polygons. */
export interface TileCover {
  /**
   * Of a GeoJSON geometry in degrees (Polygon, MultiPolygon or a collection of them): tiles whose inside it meets, by x, then y.
   * A polygon may go over the antimeridian, split or not.
   * @throws InputError for geometries of other kinds, or too many tiles
   */
  tilesOf(geometry: Geometry): TileIndex[];
}

type Ring = [number, number][];

/** Degrees between points on an edge: in a curved projection the edge leaves the straight line by some 10 m at most. */
const STEP_DEG = 0.25;
/** Limits against hostile or mistaken geometries. */
const MAX_POINTS = 1_000_000;
const MAX_TILES = 1_000_000;

const unusable = (what: string) => new InputError(`a footprint ${what}`);

function ringOf(positions: unknown): Ring {
  if (!Array.isArray(positions) || positions.length < 4) throw unusable('has a ring of fewer than 4 positions');
  if (positions.length > MAX_POINTS) throw unusable(`has more than ${MAX_POINTS} points`);
  const ring = positions.map((position: Position): [number, number] => {
    if (!Number.isFinite(position?.[0]) || !Number.isFinite(position[1]) || Math.abs(position[1]!) > 90.000001)
      throw unusable(`has a position that is no longitude and latitude: ${JSON.stringify(position)?.slice(0, 60)}`);
    return [position[0]!, position[1]!];
  });
  const [first, last] = [ring[0]!, ring.at(-1)!];
  return first[0] === last[0] && first[1] === last[1] ? ring : [...ring, first];
}

function polygonsOf(geometry: Geometry, depth = 0): Ring[][] {
  if (geometry?.type === 'Polygon') return [geometry.coordinates.map(ringOf)];
  if (geometry?.type === 'MultiPolygon') return geometry.coordinates.map((rings) => rings.map(ringOf));
  if (geometry?.type === 'GeometryCollection' && depth < 8)
    return geometry.geometries.flatMap((part) => polygonsOf(part, depth + 1));
  throw unusable(`must be a Polygon or MultiPolygon, not ${JSON.stringify(geometry?.type ?? null)}`);
}

/** A ring around a pole, which ends a turn away from where it began, goes on along the meridian and the pole. */
export function closedOverPole(ring: Ring): Ring {
  const [first, last] = [ring[0]!, ring.at(-1)!];
  if (Math.abs(last[0] - first[0]) < 180) return ring;
  const mean = ring.reduce((sum, [, lat]) => sum + lat, 0) / ring.length;
  const pole = mean < 0 ? -90 : 90;
  return [...ring, [last[0], pole], [first[0], pole], first];
}

/** Puts points on the edges of a closed ring, none farther from the next than `step` in either direction. */
export function densified(ring: Ring, step: number): Ring {
  const points: Ring = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x0, y0] = ring[i]!;
    const [x1, y1] = ring[i + 1]!;
    const n = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)) / step));
    if (points.length + n > MAX_POINTS) throw unusable(`has more than ${MAX_POINTS} points`);
    for (let k = 0; k < n; k++) points.push([x0 + ((x1 - x0) * k) / n, y0 + ((y1 - y0) * k) / n]);
  }
  points.push(ring.at(-1)!);
  return points;
}

/** Whether a segment has a part inside of an open rectangle (Liang and Barsky). */
function crosses([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], box: Box): boolean {
  let [from, to] = [0, 1];
  const sides = [
    [x0 - x1, x0 - box.west],
    [x1 - x0, box.east - x0],
    [y0 - y1, y0 - box.south],
    [y1 - y0, box.north - y0],
  ] as const;
  for (const [slope, room] of sides) {
    if (slope === 0) {
      if (room <= 0) return false;
      continue;
    }
    const at = room / slope;
    if (slope < 0) from = Math.max(from, at);
    else to = Math.min(to, at);
  }
  return from < to;
}

/** One number for a tile; rows within ±2²¹. */
const tileNumber = (x: number, y: number) => x * 2 ** 22 + y;

interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Even–odd over all rings. */
function holds(rings: readonly Ring[], x: number, y: number): boolean {
  let inside = false;
  for (const ring of rings)
    for (let i = 0; i + 1 < ring.length; i++) {
      const [x0, y0] = ring[i]!;
      const [x1, y1] = ring[i + 1]!;
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
    }
  return inside;
}

/**
 * Tiles whose inside a polygon of the grid's CRS meets: those an edge passes through, and those whose middle lies within. `add` is told
 * each once or more.
 */
function coverPolygon(spec: GridSpec, rings: readonly Ring[], add: (x: number, y: number) => void): void {
  const [sideX, sideY] = tileSides(spec);
  const column = (x: number) => (x - spec.originX) / sideX;
  const row = (y: number) => (y - spec.originY) / sideY;
  const tiled = rings.map((ring) => ring.map(([x, y]): [number, number] => [column(x), row(y)]));
  const touched = new Set<number>();
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const ring of tiled) {
    for (const [x, y] of ring) [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  }
  const [first, last, bottom, top] = [Math.floor(x0), Math.ceil(x1), Math.floor(y0), Math.ceil(y1)];
  if (!((last - first) * (top - bottom) <= MAX_TILES)) throw unusable(`covers more than ${MAX_TILES} tiles`);
  for (const ring of tiled)
    for (let i = 0; i + 1 < ring.length; i++) {
      const [p, q] = [ring[i]!, ring[i + 1]!];
      for (let x = Math.floor(Math.min(p[0], q[0])); x <= Math.floor(Math.max(p[0], q[0])); x++)
        for (let y = Math.floor(Math.min(p[1], q[1])); y <= Math.floor(Math.max(p[1], q[1])); y++)
          if (!touched.has(tileNumber(x, y)) && crosses(p, q, { west: x, south: y, east: x + 1, north: y + 1 })) {
            touched.add(tileNumber(x, y));
            add(x, y);
          }
    }
  for (let x = first; x < last; x++)
    for (let y = bottom; y < top; y++) if (!touched.has(tileNumber(x, y)) && holds(tiled, x + 0.5, y + 0.5)) add(x, y);
}

/** The meridian where the grid's projection is whole: its plane is cut half a turn from there. */
function middleMeridian(crs: Crs): number {
  return isGeographic(crs) ? 0 : (projectionOf(crs)?.parameters.lon_0 ?? 0);
}

/**
 * Polygons in degrees, which may go over the antimeridian, as polygons of a CRS, cut where its plane is. What has no place there is left out.
 * @throws UnsupportedError for a CRS without a definition here
 */
export async function groundPolygons(crs: Crs): Promise<(geometry: Geometry) => Ring[][]> {
  const toCrs = await lonLatToCrs(crs);
  const middle = middleMeridian(crs);
  return (geometry) =>
    polygonsOf(geometry).flatMap((rings) =>
      partsAround(rings, middle).flatMap((part) => {
        const placed = projected(
          part.map((ring) => densified(ring, STEP_DEG)),
          toCrs,
        );
        return placed ? [placed] : [];
      }),
    );
}

/** @throws UnsupportedError for a CRS without a definition here */
export async function tileCover(spec: GridSpec): Promise<TileCover> {
  const placed = await groundPolygons(spec.crs);
  return {
    tilesOf(geometry) {
      const found = new Map<number, TileIndex>();
      const add = (x: number, y: number) => found.set(tileNumber(x, y), { x, y });
      for (const rings of placed(geometry)) coverPolygon(spec, rings, add);
      return [...found.values()].sort((a, b) => a.x - b.x || a.y - b.y);
    },
  };
}

/** Latitudes near enough to a pole: some projections have no point there. */
const MOST_LAT = 89.999;

/** Rings in the grid's CRS; null where a point has no place in it, on the other side of the Earth. */
function projected(rings: readonly Ring[], toCrs: PointTransform): Ring[] | null {
  try {
    return rings.map((ring) => ring.map(([lon, lat]) => toCrs(lon, Math.max(-MOST_LAT, Math.min(MOST_LAT, lat)))));
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Rings in degrees, cut where the projection is, each part within half a turn of its middle. */
function partsAround(rings: readonly Ring[], middle: number): Ring[][] {
  const whole = rings.map((ring) => closedOverPole(unwrapped(ring)));
  const lons = whole.flat().map(([lon]) => lon);
  const [west, east] = lons.reduce(([w, e], lon) => [Math.min(w, lon), Math.max(e, lon)], [Infinity, -Infinity]);
  const parts: Ring[][] = [];
  for (let k = Math.floor((west - middle + 180) / 360); k <= Math.floor((east - middle + 180) / 360); k++) {
    const [low, high] = [middle + 360 * k - 180, middle + 360 * k + 180];
    const inside = low <= west && east <= high ? whole : whole.map((ring) => clippedByLon(ring, low, high));
    const part = inside.filter((ring) => ring.length > 3);
    if (part.length > 0)
      parts.push(part.map((ring) => ring.map(([lon, lat]): [number, number] => [lon - 360 * k, lat])));
  }
  return parts;
}

/** Rings of another CRS (a scene's own, say) as a geometry in degrees, points put on their edges every `stepUnits`. */
export async function lonLatRings(crs: Crs, stepUnits: number): Promise<(geometry: Geometry) => Geometry> {
  if (sameCrs(crs, LON_LAT)) return (geometry) => geometry;
  const toLonLat: PointTransform = await crsToLonLat(crs);
  const turned = (rings: Position[][]) =>
    rings.map((ring) =>
      densified(
        ring.map((p): [number, number] => [p[0]!, p[1]!]),
        stepUnits,
      ).map((p) => toLonLat(...p)),
    );
  return (geometry) => {
    if (geometry.type === 'Polygon') return { type: 'Polygon', coordinates: turned(geometry.coordinates) };
    if (geometry.type === 'MultiPolygon')
      return { type: 'MultiPolygon', coordinates: geometry.coordinates.map(turned) };
    throw unusable(`must be a Polygon or MultiPolygon, not ${JSON.stringify(geometry.type)}`);
  };
}
