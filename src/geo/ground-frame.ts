import type { Geometry, Position } from 'geojson';
import { InputError } from '../errors.js';
import { type Crs, crsToLonLat } from './crs.js';
import { sidesOf, turnsOf } from './longitude.js';
import type { Frame } from './outline.js';
import { closedOverPole, densified } from './tile-cover.js';
import { clippedByLon, unwrapped } from './tile-outline.js';

type Ring = [lon: number, lat: number][];

/** Points along the longer side of the box around everything: straight lines of one CRS bend in another. */
const POINTS = 16;
/** 1e-7° is a centimetre. */
const rounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7;

const spanOf = (ring: Ring) =>
  ring.reduce((span, [lon]) => ({ west: Math.min(span.west, lon), east: Math.max(span.east, lon) }), {
    west: Infinity,
    east: -Infinity,
  });

/** By the shoelace, positive counter-clockwise. */
const areaOf = (ring: Ring) =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + (ring[i]![0] * y - x * ring[i]![1]) / 2, 0);

const turned = (ring: Ring, circles: number): Ring => ring.map(([lon, lat]) => [lon + 360 * circles, lat]);

/** Right-handed as RFC 7946 wants: outer rings counter-clockwise, holes clockwise. */
function wound(ring: Ring, isHole: boolean): Ring {
  return areaOf(ring) < 0 === isHole ? ring : [...ring].reverse();
}

/** A polygon's parts between −180 and 180. */
function partsOf([outer, ...holes]: Ring[]): Ring[][] {
  const { west, east } = spanOf(outer!);
  const beside = holes.map((hole) => {
    const own = spanOf(hole);
    return turned(hole, Math.round((west + east - own.west - own.east) / 720));
  });
  const parts: Ring[][] = [];
  for (let k = Math.floor((west + 180) / 360); 360 * k - 180 < east; k++) {
    const cut = [outer!, ...beside].map((ring) => turned(clippedByLon(ring, 360 * k - 180, 360 * k + 180), -k));
    if (cut[0]!.length <= 3) continue;
    parts.push(cut.filter((ring) => ring.length > 3).map((ring, i) => wound(ring, i > 0)));
  }
  return parts;
}

/** A box around polygons that may lie on both sides of the antimeridian: west > east then. */
function boxOf(polygons: readonly Ring[][]): [number, number, number, number] {
  const spans = polygons.map(([outer]) => spanOf(outer!));
  const turns = turnsOf(spans);
  const lats = polygons.flatMap(([outer]) => outer!.map(([, lat]) => lat));
  const [west, east] = sidesOf({
    west: Math.min(...spans.map((span, i) => span.west + 360 * turns[i]!)),
    east: Math.max(...spans.map((span, i) => span.east + 360 * turns[i]!)),
  });
  const [south, north] = lats.reduce(([s, n], lat) => [Math.min(s, lat), Math.max(n, lat)], [Infinity, -Infinity]);
  return [rounded(west), rounded(south), rounded(east), rounded(north)];
}

/** Points on edges, none farther from the next than a part of the whole's longer side. */
function densifiedRings(polygons: readonly Position[][][]): Ring[][] {
  const flat = polygons.flat(2);
  const sides = [0, 1].map((axis) => {
    const [low, high] = flat.reduce<[number, number]>(
      ([a, b], p) => [Math.min(a, p[axis]!), Math.max(b, p[axis]!)],
      [Infinity, -Infinity],
    );
    return high - low;
  });
  const step = Math.max(...sides) / POINTS || 1;
  return polygons.map((rings) =>
    rings.map((ring) =>
      densified(
        ring.map((p): [number, number] => [p[0]!, p[1]!]),
        step,
      ),
    ),
  );
}

/**
 * Polygons of a CRS (outer ring first, closed) in longitude and latitude: points put on their longer edges, cut at the antimeridian,
 * right-handed. Nulls where there are none, and where one has a point that is off the Earth.
 * @throws UnsupportedError for a CRS without a definition here, InputError for more than a million points
 */
export async function groundFrame(polygons: readonly Position[][][], crs: Crs): Promise<Frame> {
  const toLonLat = await crsToLonLat(crs);
  const dense = densifiedRings(polygons);
  let whole: Ring[][];
  try {
    whole = dense.map((rings) => rings.map((ring) => closedOverPole(unwrapped(ring.map((p) => toLonLat(...p))))));
  } catch (error) {
    if (error instanceof InputError) return { geometry: null, bbox: null };
    throw error;
  }
  const parts = whole.flatMap(partsOf);
  if (parts.length === 0) return { geometry: null, bbox: null };
  const coordinates = parts.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [rounded(lon), rounded(lat)])));
  const [only] = coordinates;
  const geometry: Geometry =
    coordinates.length === 1 ? { type: 'Polygon', coordinates: only! } : { type: 'MultiPolygon', coordinates };
  return { geometry, bbox: boxOf(parts) };
}
