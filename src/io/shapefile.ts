// Polygons of ESRI's shapefiles (.shp), by ESRI's description of the format (July 1998).
import type { Position } from 'geojson';
import { FormatError, UnsupportedError } from '../errors.js';

/** Rings of a polygon, its outer one first. */
export type ShapePolygon = Position[][];

const HEADER_BYTES = 100;
const FILE_CODE = 9994;
/** Limit against files that fill the memory. */
const MAX_POINTS = 8_000_000;
/** A polygon of one part and no point has so many bytes. */
const LEAST_POLYGON_BYTES = 44;

const KINDS: Readonly<Record<number, string>> = {
  1: 'points',
  3: 'lines',
  8: 'points',
  11: 'points',
  13: 'lines',
  18: 'points',
  21: 'points',
  23: 'lines',
  28: 'points',
  31: 'surfaces',
};
/** Plain, with heights, with measures: what follows the points is not needed. */
const POLYGONS = [5, 15, 25];

/** Twice the area that a ring runs around, positive anticlockwise. */
function turning(ring: readonly Position[]): number {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) sum += ring[i]![0]! * ring[i + 1]![1]! - ring[i + 1]![0]! * ring[i]![1]!;
  return sum;
}

function holds(ring: readonly Position[], [x, y]: Position): boolean {
  let inside = false;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x0, y0, x1, y1] = [ring[i]![0]!, ring[i]![1]!, ring[i + 1]![0]!, ring[i + 1]![1]!];
    if (y0 > y! !== y1 > y! && x! < x0 + ((y! - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  }
  return inside;
}

type Box = readonly [west: number, south: number, east: number, north: number];

function boxOf(ring: readonly Position[]): Box {
  const start: Box = [Infinity, Infinity, -Infinity, -Infinity];
  return ring.reduce<Box>(
    ([w, s, e, n], [x, y]) => [Math.min(w, x!), Math.min(s, y!), Math.max(e, x!), Math.max(n, y!)],
    start,
  );
}

/** Outer rings run clockwise; each hole goes to the outer ring around it, and counts as one itself where there is none. */
function polygonsOf(rings: readonly Position[][]): ShapePolygon[] {
  const outer = rings.filter((ring) => turning(ring) < 0).map((ring): ShapePolygon => [ring]);
  if (outer.length === 0) return rings.map((ring) => [ring]);
  const boxes = outer.map(([ring]) => boxOf(ring!));
  for (const hole of rings.filter((ring) => turning(ring) > 0)) {
    const [x, y] = hole[0] as [number, number];
    const isNear = ([w, s, e, n]: Box) => x >= w && x <= e && y >= s && y <= n;
    const around = outer.length === 1 ? 0 : boxes.findIndex((box, i) => isNear(box) && holds(outer[i]![0]!, hole[0]!));
    if (around >= 0) outer[around]!.push(hole);
    else outer.push([hole]);
  }
  return outer;
}

/** One record's rings, of so many points at most; those without area are left out. */
function readRings(view: DataView, mostPoints: number, wrong: (what: string) => FormatError): Position[][] {
  if (view.byteLength < LEAST_POLYGON_BYTES) throw wrong(`has ${view.byteLength} bytes`);
  const [nPart, nPoint] = [view.getInt32(36, true), view.getInt32(40, true)];
  if (nPart < 0 || nPoint < 0 || LEAST_POLYGON_BYTES + 4 * nPart + 16 * nPoint > view.byteLength)
    throw wrong(`promises ${nPart} parts of ${nPoint} points in ${view.byteLength} bytes`);
  // Before room is made for them.
  if (Math.max(nPart, nPoint) > mostPoints) throw wrong(`takes the file beyond ${MAX_POINTS} points`);
  const starts = Array.from({ length: nPart }, (_, i) => view.getInt32(44 + 4 * i, true));
  const base = 44 + 4 * nPart;
  const rings: Position[][] = [];
  for (const [i, start] of starts.entries()) {
    const end = starts[i + 1] ?? nPoint;
    if (start < 0 || end < start || end > nPoint) throw wrong(`has a part of points ${start} to ${end} of ${nPoint}`);
    const ring: Position[] = [];
    for (let k = start; k < end; k++) {
      const [x, y] = [view.getFloat64(base + 16 * k, true), view.getFloat64(base + 16 * k + 8, true)];
      if (!Number.isFinite(x) || !Number.isFinite(y)) throw wrong(`has a point at ${x}, ${y}`);
      ring.push([x, y]);
    }
    if (ring.length < 3) continue;
    const [first, last] = [ring[0]!, ring.at(-1)!];
    if (first[0] !== last[0] || first[1] !== last[1]) ring.push([first[0]!, first[1]!]);
    if (turning(ring) !== 0) rings.push(ring);
  }
  return rings;
}

/**
 * The polygons of each record in order; null for records without a shape.
 * @throws FormatError for bytes that are no shapefile or lie, UnsupportedError for points, lines and surfaces
 */
export function parseShapes(bytes: Uint8Array, url: string): (ShapePolygon[] | null)[] {
  const wrong = (what: string) => new FormatError(`${url}: ${what}`, { url });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getInt32(0) !== FILE_CODE || view.getInt32(28, true) !== 1000)
    throw wrong('it is no shapefile');
  const stated = view.getInt32(24) * 2;
  if (stated !== bytes.length) throw wrong(`it should have ${stated} bytes, and has ${bytes.length}`);
  const kind = view.getInt32(32, true);
  if (kind !== 0 && !POLYGONS.includes(kind))
    throw new UnsupportedError(`${url} holds ${KINDS[kind] ?? `shapes of type ${kind}`}: polygons are wanted`, { url });
  const shapes: (ShapePolygon[] | null)[] = [];
  let nPoint = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const record = `record ${shapes.length + 1}`;
    if (at + 12 > bytes.length) throw wrong(`${record} is cut off`);
    const length = view.getInt32(at + 4) * 2;
    if (length < 4 || at + 8 + length > bytes.length) throw wrong(`${record} of ${length} bytes does not fit the file`);
    const content = new DataView(bytes.buffer, bytes.byteOffset + at + 8, length);
    const type = content.getInt32(0, true);
    if (type !== 0 && type !== kind) throw wrong(`${record} is of type ${type}, and the file of type ${kind}`);
    const rings = type === 0 ? null : readRings(content, MAX_POINTS - nPoint, (what) => wrong(`${record} ${what}`));
    nPoint += rings?.reduce((sum, ring) => sum + ring.length, 0) ?? 0;
    shapes.push(rings && polygonsOf(rings));
    at += 8 + length;
  }
  return shapes;
}
