import { InputError } from '../errors.js';
import { invert, pixelToGround } from './affine.js';
import {
  type Crs,
  crsToLonLat,
  describeCrs,
  isGeographic,
  LON_LAT,
  lonLatToCrs,
  type PointTransform,
  sameCrs,
} from './crs.js';
import type { Bounds, Grid, Window } from './grid.js';
import { sidesOf, turnsOf } from './longitude.js';

/** An area in units of a CRS. */
export interface Region {
  crs: Crs;
  bounds: Bounds;
  /** Polygons of rings (outer first) of [x, y] in the CRS; null when the area is the rectangle `bounds` itself. */
  polygons: readonly (readonly Ring[])[] | null;
  /** West, south, east, north in degrees; null when the CRS has no known transform. */
  lonLatBounds: readonly [number, number, number, number] | null;
}

/** Closed: the last point is the first. */
export type Ring = readonly (readonly [x: number, y: number])[];

type Box = readonly [west: number, south: number, east: number, north: number];

/** Points put on each edge, so that straight lines of one CRS bend as they must in another. */
const EDGE_POINTS = 32;
const MAX_POINTS = 1_000_000;

/** `--bbox`: "west,south,east,north". */
export function parseBbox(text: string): [number, number, number, number] {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (parts.length !== 4 || !parts.every(Number.isFinite))
    throw new InputError(`a bbox is "west,south,east,north", not ${JSON.stringify(text.slice(0, 80))}`, {
      option: 'bbox',
    });
  return parts as [number, number, number, number];
}

/** Puts points on the edges of a closed ring. */
function densified(ring: Ring): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x0, y0] = ring[i]!;
    const [x1, y1] = ring[i + 1]!;
    for (let k = 0; k < EDGE_POINTS; k++)
      points.push([x0 + ((x1 - x0) * k) / EDGE_POINTS, y0 + ((y1 - y0) * k) / EDGE_POINTS]);
  }
  points.push([...ring.at(-1)!] as [number, number]);
  return points;
}

function boundsOf(points: Iterable<readonly [number, number]>): Bounds {
  const bounds = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const [x, y] of points) {
    bounds.west = Math.min(bounds.west, x);
    bounds.south = Math.min(bounds.south, y);
    bounds.east = Math.max(bounds.east, x);
    bounds.north = Math.max(bounds.north, y);
  }
  return bounds;
}

/** In degrees, west > east across the antimeridian. */
function lonLatBox(bounds: Bounds): Box {
  const [west, east] = sidesOf(bounds);
  return [west, bounds.south, east, bounds.north];
}

/** Rings from one CRS to another, and their box in degrees. Equal CRSs need no transform, so that any CRS will do. */
async function transformed(
  rings: readonly Ring[],
  from: Crs,
  crs: Crs,
): Promise<{ rings: Ring[]; lonLatBounds: Box | null }> {
  const stays = sameCrs(from, crs);
  const dense = stays ? rings.map((ring) => [...ring]) : rings.map(densified);
  let toLonLat: PointTransform | null = null;
  try {
    toLonLat = await crsToLonLat(from);
  } catch (error) {
    if (!stays) throw error;
  }
  const degrees =
    toLonLat && (stays ? rings.map(densified) : dense).map((ring) => ring.map(([x, y]) => toLonLat(x, y)));
  const lonLatBounds = degrees && lonLatBox(boundsOf(degrees.flat()));
  if (stays) return { rings: dense, lonLatBounds };
  const toCrs = await lonLatToCrs(crs);
  return { rings: degrees!.map((ring) => ring.map(([lon, lat]) => toCrs(lon, lat))), lonLatBounds };
}

/** Where a box in degrees ends: beyond 180 across the antimeridian. */
function eastOf([west, south, east, north]: Box, { isStated }: { isStated: boolean }): number {
  const wrong = (what: string) =>
    new InputError(`bbox ${[west, south, east, north].join(',')} ${what}`, { option: 'bbox' });
  if (Math.max(Math.abs(west), Math.abs(east)) > 180 || Math.max(Math.abs(south), Math.abs(north)) > 90)
    throw wrong(`is not in degrees${isStated ? '' : ', and no CRS of it is given'}`);
  if (west <= east) return east;
  if (east + 360 - west <= 180) return east + 360;
  throw wrong(`goes across the antimeridian, over ${east + 360 - west}°: is its east given as its west?`);
}

/**
 * A rectangle given in `from` (lon/lat by default), as the rectangle of `crs` around it, its edges densified. One in degrees whose west
 * is east of its east goes across the antimeridian, over half of the globe at most; in degrees it then ends beyond 180.
 */
export async function regionOfBbox(bbox: Box, { crs, from }: { crs: Crs; from?: Crs }): Promise<Region> {
  const [west, south, , north] = bbox;
  const isLonLat = isGeographic(from ?? LON_LAT);
  const east = isLonLat ? eastOf(bbox, { isStated: from !== undefined }) : bbox[2];
  if (!(west < east && south < north))
    throw new InputError(`bbox ${bbox.join(',')} is empty: wanted west,south,east,north`, { option: 'bbox' });
  const corners: Ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  const { rings, lonLatBounds } = await transformed([corners], from ?? LON_LAT, crs);
  const bounds = boundsOf(rings[0]!);
  const isTorn = rings[0]!.some(
    ([x], i) => i > 0 && Math.abs(x - rings[0]![i - 1]![0]) > (bounds.east - bounds.west) / 2,
  );
  if (isLonLat && bbox[2] < west && !isGeographic(crs) && isTorn)
    throw new InputError(`bbox ${bbox.join(',')} lies on both edges of ${describeCrs(crs)}: give one area on each`, {
      option: 'bbox',
    });
  return { crs, bounds, polygons: null, lonLatBounds };
}

const wrongGeometry = (what: string) => new InputError(`the GeoJSON area ${what}`, { option: 'geometry' });

function readRing(value: unknown): Ring {
  if (!Array.isArray(value) || value.length < 4) throw wrongGeometry('has a ring of fewer than 4 positions');
  for (const position of value)
    if (!Array.isArray(position) || !Number.isFinite(position[0]) || !Number.isFinite(position[1]))
      throw wrongGeometry(`has a position that is no pair of numbers: ${JSON.stringify(position)?.slice(0, 60)}`);
  const points = value.map((position) => [position[0], position[1]] as const);
  const [first, last] = [points[0]!, points.at(-1)!];
  return first[0] === last[0] && first[1] === last[1] ? points : [...points, first];
}

/** All polygons of a geometry, Feature or FeatureCollection. */
function readPolygons(document: unknown, depth = 0): Ring[][] {
  const object = (typeof document === 'object' && document !== null ? document : {}) as Readonly<
    Record<string, unknown>
  >;
  const { type, coordinates } = object;
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  if (depth > 8) throw wrongGeometry('is nested too deeply');
  if (type === 'FeatureCollection') return list(object.features).flatMap((feature) => readPolygons(feature, depth + 1));
  if (type === 'Feature') return readPolygons(object.geometry, depth + 1);
  if (type === 'GeometryCollection') return list(object.geometries).flatMap((part) => readPolygons(part, depth + 1));
  if (type === 'Polygon') return [list(coordinates).map(readRing)];
  if (type === 'MultiPolygon') return list(coordinates).map((polygon) => list(polygon).map(readRing));
  throw wrongGeometry(`must be a Polygon or MultiPolygon (or features of them), not ${JSON.stringify(type ?? null)}`);
}

const turnedBy = (ring: Ring, circles: number): Ring =>
  circles === 0 ? ring : ring.map(([lon, lat]) => [lon + 360 * circles, lat] as const);

/**
 * Polygons of a GeoJSON document in lon/lat (or `from`), densified and transformed to `crs`. Those on either side of the antimeridian
 * lie side by side.
 */
export async function regionOfGeoJson(
  document: unknown,
  { crs, from = LON_LAT }: { crs: Crs; from?: Crs },
): Promise<Region> {
  const polygons = readPolygons(document).filter((rings) => rings.length > 0);
  if (polygons.length === 0) throw wrongGeometry('holds no polygon');
  const all = polygons.flat();
  if (all.reduce((sum, ring) => sum + ring.length, 0) > MAX_POINTS)
    throw wrongGeometry(`has more than ${MAX_POINTS} points`);
  if (isGeographic(from))
    for (const ring of all)
      for (let i = 0; i < ring.length; i++) {
        const [lon, lat] = ring[i]!;
        if (Math.abs(lon) > 180 || Math.abs(lat) > 90) throw wrongGeometry(`is not in degrees: ${lon}, ${lat}`);
        if (i > 0 && Math.abs(lon - ring[i - 1]![0]) > 180)
          throw wrongGeometry(
            'jumps by more than 180 degrees: at the antimeridian it is to be cut in two, as GeoJSON has it',
          );
      }
  const turns = isGeographic(from) ? turnsOf(polygons.map((polygon) => boundsOf(polygon.flat()))) : [];
  const turned = polygons.flatMap((polygon, i) => polygon.map((ring) => turnedBy(ring, turns[i] ?? 0)));
  const { rings, lonLatBounds } = await transformed(turned, from, crs);
  let next = 0;
  const shaped = polygons.map((polygon) => polygon.map(() => rings[next++]!));
  return { crs, bounds: boundsOf(rings.flat()), polygons: shaped, lonLatBounds };
}

/** Columns where a row of pixel centres enters and leaves a polygon (even–odd, so holes are out), sorted, in px of the window. */
function crossings(
  polygon: readonly Ring[],
  toPixel: (x: number, y: number) => [number, number],
  height: number,
): number[][] {
  const rows: number[][] = Array.from({ length: height }, () => []);
  for (const ring of polygon) {
    const points = ring.map(([x, y]) => toPixel(x, y));
    for (let i = 0; i + 1 < points.length; i++) {
      const [x0, y0] = points[i]!;
      const [x1, y1] = points[i + 1]!;
      const [top, bottom] = y0 < y1 ? [y0, y1] : [y1, y0];
      const last = Math.min(height - 1, Math.ceil(bottom - 0.5) - 1);
      for (let row = Math.max(0, Math.ceil(top - 0.5)); row <= last; row++)
        rows[row]!.push(x0 + ((row + 0.5 - y0) / (y1 - y0)) * (x1 - x0));
    }
  }
  for (const row of rows) row.sort((a, b) => a - b);
  return rows;
}

/** u8[height][width]: 1 where the pixel's centre lies inside the region (in any of its polygons). The grid is in the region's CRS. */
export function insideMask(region: Region, grid: Grid, window: Window): Uint8Array {
  const { width, height } = window;
  const inside = new Uint8Array(width * height);
  const { west, south, east, north } = region.bounds;
  const box: Ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  const inverse = invert(grid.affine);
  const toPixel = (x: number, y: number): [number, number] => {
    const [col, row] = pixelToGround(inverse, x, y);
    return [col - window.col, row - window.row];
  };
  for (const polygon of region.polygons ?? [[box]])
    for (const [row, columns] of crossings(polygon, toPixel, height).entries())
      for (let i = 0; i + 1 < columns.length; i += 2) {
        const first = Math.max(0, Math.ceil(columns[i]! - 0.5));
        const end = Math.min(width, Math.ceil(columns[i + 1]! - 0.5));
        if (first < end) inside.fill(1, row * width + first, row * width + end);
      }
  return inside;
}

/** Whether a segment and a rectangle share a point: the rectangle cuts a part of it off that is not empty (Liang and Barsky). */
function crosses([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], box: Bounds): boolean {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [from, until] = [0, 1];
  for (const [step, room] of [
    [-dx, x0 - box.west],
    [dx, box.east - x0],
    [-dy, y0 - box.south],
    [dy, box.north - y0],
  ] as const) {
    if (step === 0 && room < 0) return false;
    if (step < 0) from = Math.max(from, room / step);
    if (step > 0) until = Math.min(until, room / step);
  }
  return from <= until;
}

/** Whether a point lies in a polygon of rings (even–odd, so holes are out). */
function contains(polygon: readonly Ring[], x: number, y: number): boolean {
  let inside = false;
  for (const ring of polygon) {
    for (let i = 0; i + 1 < ring.length; i++) {
      const [[x0, y0], [x1, y1]] = [ring[i]!, ring[i + 1]!];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
    }
  }
  return inside;
}

/** Whether a region and a rectangle of its CRS touch. */
export function touchesBox({ bounds, polygons }: Region, box: Bounds): boolean {
  const apart =
    bounds.east < box.west || bounds.west > box.east || bounds.north < box.south || bounds.south > box.north;
  if (apart || polygons === null) return !apart;
  const isCut = (ring: Ring) => ring.some((point, i) => i > 0 && crosses(ring[i - 1]!, point, box));
  return polygons.some((polygon) => polygon.some(isCut) || contains(polygon, box.west, box.north));
}
