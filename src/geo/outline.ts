import type { Geometry } from 'geojson';
import { InputError, UnsupportedError } from '../errors.js';
import { pixelToGround } from './affine.js';
import { crsToLonLat } from './crs.js';
import type { Grid } from './grid.js';
import { sidesOf, withinCircle } from './longitude.js';

/** Where a grid lies in longitude and latitude; nulls where its CRS has no known transform. */
export interface Frame {
  /** −180 to 180, as GeoJSON wants it. */
  geometry: Geometry | null;
  /** West, south, east, north in degrees; west > east across the antimeridian. */
  bbox: [number, number, number, number] | null;
}

/** Closed, counter-clockwise. */
type Ring = (readonly [lon: number, lat: number])[];

/** Points on each edge of an outline: straight lines of one CRS bend in another. */
const EDGE_POINTS = 8;

/** 1e-7° is a centimetre. */
const rounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7;

const rectangle = (west: number, south: number, east: number, north: number): Ring => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];

/** Points along the edges of a grid, whose longitudes go on beyond ±180 rather than jump; null where a corner has no place. */
async function ringAround({ crs, affine, width, height }: Grid): Promise<Ring | null> {
  const corners = [
    [0, height],
    [width, height],
    [width, 0],
    [0, 0],
    [0, height],
  ] as const;
  const ring: [number, number][] = [];
  try {
    const toLonLat = await crsToLonLat(crs);
    for (let k = 0; k <= 4 * EDGE_POINTS; k++) {
      const corner = Math.min(3, Math.floor(k / EDGE_POINTS));
      const part = k / EDGE_POINTS - corner;
      const [c0, r0] = corners[corner]!;
      const [c1, r1] = corners[corner + 1]!;
      const [lon, lat] = toLonLat(...pixelToGround(affine, c0 + (c1 - c0) * part, r0 + (r1 - r0) * part));
      const before = ring.at(-1)?.[0] ?? lon;
      ring.push([lon + 360 * Math.round((before - lon) / 360), lat]);
    }
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof InputError) return null;
    throw error;
  }
  return ring;
}

/** The part of a ring on one side of a meridian, turned by a circle where it is beyond. */
function sideOf(ring: Ring, meridian: number, side: 'west' | 'east'): Ring {
  const isOn = (lon: number) => (side === 'west' ? lon <= meridian : lon >= meridian);
  const turned = side === 'west' ? 0 : 360;
  const part: Ring = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [[lon, lat], [nextLon, nextLat]] = [ring[i]!, ring[i + 1]!];
    if (isOn(lon)) part.push([lon - turned, lat]);
    if (isOn(lon) !== isOn(nextLon) && lon !== meridian && nextLon !== meridian)
      part.push([meridian - turned, lat + ((meridian - lon) / (nextLon - lon)) * (nextLat - lat)]);
  }
  return [...part, part[0]!];
}

const polygonOf = (ring: Ring) => [ring.map(([lon, lat]) => [rounded(lon), rounded(lat)])];

/**
 * The outline of a grid: a polygon with some points on each edge, counter-clockwise; two polygons across the antimeridian (RFC 7946
 * §3.1.9). Around a pole, and all round the globe, it is the rectangle from −180 to 180.
 */
export async function frameOfGrid(grid: Grid): Promise<Frame> {
  const ring = await ringAround(grid);
  if (!ring) return { geometry: null, bbox: null };
  const [lons, lats] = [ring.map(([lon]) => lon), ring.map(([, lat]) => lat)];
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  const aroundPole = Math.abs(ring.at(-1)![0] - ring[0]![0]) > 180;
  const pole = aroundPole ? Math.sign(lats.reduce((sum, lat) => sum + lat)) * 90 : lats[0]!;
  const [south, north] = [Math.min(...lats, pole), Math.max(...lats, pole)].map(rounded) as [number, number];
  if (aroundPole || east - west >= 360)
    return {
      geometry: { type: 'Polygon', coordinates: polygonOf(rectangle(-180, south, 180, north)) },
      bbox: [-180, south, 180, north],
    };
  const first = withinCircle(west) === 180 ? -180 : withinCircle(west);
  const turned: Ring = ring.map(([lon, lat]) => [lon + first - west, lat]);
  if (east + first - west <= 180)
    return {
      geometry: { type: 'Polygon', coordinates: polygonOf(turned) },
      bbox: [rounded(first), south, rounded(east + first - west), north],
    };
  const [w, e] = sidesOf({ west: first, east: east + first - west });
  const coordinates = [polygonOf(sideOf(turned, 180, 'west')), polygonOf(sideOf(turned, 180, 'east'))];
  return { geometry: { type: 'MultiPolygon', coordinates }, bbox: [rounded(w), south, rounded(e), north] };
}
