import { InputError, messageOf, UnsupportedError } from '../errors.js';
import { isGeographicEpsg, projectionOfEpsg } from './epsg.js';
import { type GeoKeys, projectionOfGeoKeys } from './geokeys-read.js';
import { type Projection, projectionOfProj, projOfProjection, sameProjection } from './projection.js';
import { readProjJson } from './projjson.js';
import { readWkt } from './wkt.js';
import { writeWkt2 } from './wkt-write.js';

/** A coordinate reference system as the files and items name it; compare with `sameCrs`, never by identity. */
export interface Crs {
  /** EPSG code, or null for a system that has none. */
  epsg: number | null;
  /** WKT (1 or 2), PROJJSON text or a PROJ string where that is how it was given, else null. */
  definition: string | null;
  /** GeoTIFF keys (GeoKeyDirectory by id) where it came from a GeoTIFF, to be written again as they are; else null. */
  geoKeys: GeoKeys | null;
}

export type { GeoKeys } from './geokeys-read.js';

/** Turns one point; an `InputError` where the projection has no such point. */
export type PointTransform = (x: number, y: number) => [number, number];

export const UNKNOWN_CRS: Crs = { epsg: null, definition: null, geoKeys: null };
/** WGS 84, longitude first. */
export const LON_LAT: Crs = { epsg: 4326, definition: null, geoKeys: null };

function ofEpsg(code: number): Crs {
  return { epsg: code, definition: null, geoKeys: null };
}

interface Reading {
  epsg: number | null;
  name: string | null;
  projection: Projection | null;
}

/** What a definition says, in whatever notation. Throws a `FormatError` for broken WKT. */
function readDefinition(text: string): Reading {
  if (text.startsWith('{')) return readProjJson(text);
  if (text.startsWith('+')) return { epsg: null, name: null, projection: projectionOfProj(text) };
  return readWkt(text);
}

/**
 * "EPSG:32631", "32631", an OGC URN or URL, WKT 1 or 2, PROJJSON or a PROJ string. A WKT that carries an EPSG code is that code. An
 * `InputError` when it is none of them; a projection that is not known here is fine as long as nothing has to be transformed.
 */
export function parseCrs(text: string): Crs {
  const trimmed = text.trim();
  const code =
    /^(?:(?:epsg|urn:ogc:def:crs:epsg:[^:]*):{1,2}|https?:\/\/www\.opengis\.net\/def\/crs\/epsg\/[^/]+\/)?(\d{4,6})$/i.exec(
      trimmed,
    );
  if (code) return ofEpsg(Number(code[1]));
  if (/^(urn:ogc:def:crs:)?ogc:[^:]*:?crs84$/i.test(trimmed)) return LON_LAT;
  const known = /^[{+]/.test(trimmed) || /^[A-Za-z_]+\s*[[(]/.test(trimmed);
  if (!known)
    throw new InputError(
      `not a CRS: ${JSON.stringify(trimmed.slice(0, 60))}; give an EPSG code like EPSG:32631, WKT or a PROJ string`,
    );
  let reading: Reading;
  try {
    reading = readDefinition(trimmed);
  } catch (error) {
    throw new InputError(`not a CRS: ${messageOf(error)}`, {}, { cause: error });
  }
  if (trimmed.startsWith('+') && !/\+proj=/.test(trimmed))
    throw new InputError(`a PROJ string without +proj: ${trimmed.slice(0, 60)}`);
  return reading.epsg === null ? { epsg: null, definition: trimmed, geoKeys: null } : ofEpsg(reading.epsg);
}

/** The projection behind a CRS, or null when it is not known here. */
export function projectionOf(crs: Crs): Projection | null {
  if (crs.epsg !== null) return projectionOfEpsg(crs.epsg);
  if (crs.definition !== null) {
    try {
      const { epsg, projection } = readDefinition(crs.definition);
      return projection ?? (epsg === null ? null : projectionOfEpsg(epsg));
    } catch {
      return null;
    }
  }
  return crs.geoKeys && projectionOfGeoKeys(crs.geoKeys);
}

function isUnknown(crs: Crs): boolean {
  return crs.epsg === null && crs.definition === null && projectionOf(crs) === null;
}

/**
 * Whether coordinates mean the same: equal EPSG codes, else equal projections by their parameters whatever notation they came in, else
 * equal text. Unknown ones equal only each other.
 */
export function sameCrs(a: Crs, b: Crs): boolean {
  if (a.epsg !== null && b.epsg !== null) return a.epsg === b.epsg;
  if (a.definition !== null && a.definition === b.definition) return true;
  if (isUnknown(a) || isUnknown(b)) return isUnknown(a) && isUnknown(b);
  const [p, q] = [projectionOf(a), projectionOf(b)];
  if (p && q) return sameProjection(p, q);
  const squeeze = (text: string | null) => text?.replace(/\s+/g, '') ?? null;
  return a.definition !== null && squeeze(a.definition) === squeeze(b.definition);
}

/** For messages: "EPSG:32631", a WKT's name, or the PROJ string. */
export function describeCrs(crs: Crs): string {
  if (crs.epsg !== null) return `EPSG:${crs.epsg}`;
  const projection = projectionOf(crs);
  if (crs.definition !== null && !crs.definition.startsWith('+')) {
    try {
      const { name } = readDefinition(crs.definition);
      if (name) return projection ? `${name} (${projection.method})` : name;
    } catch {
      return 'a broken CRS definition';
    }
  }
  return projection ? projOfProjection(projection) : (crs.definition ?? 'an unknown CRS');
}

/** Whether coordinates are degrees. */
export function isGeographic(crs: Crs): boolean {
  const projection = projectionOf(crs);
  return projection ? projection.method === 'longlat' : crs.epsg !== null && isGeographicEpsg(crs.epsg);
}

/** The unit of a CRS's coordinates, for people: `degrees`, `metres` or `units of 0.3048 m`; metres where that is not known. */
export function unitOf(crs: Crs): string {
  if (isGeographic(crs)) return 'degrees';
  const metres = projectionOf(crs)?.unitMetres ?? 1;
  return metres === 1 ? 'metres' : `units of ${metres} m`;
}

/** EPSG code of the geographic CRS under a CRS, which stands for its datum; null where that is not known. */
export function datumOf(crs: Crs): number | null {
  return projectionOf(crs)?.geographicEpsg ?? null;
}

/** What to say of a step from one CRS to another whose datum differs, or null when it is the same as far as is known. */
export function datumNote(from: Crs, to: Crs): string | null {
  const [p, q] = [projectionOf(from), projectionOf(to)];
  if (!p || !q) return null;
  const stated = p.geographicEpsg !== null && q.geographicEpsg !== null;
  const same = stated ? p.geographicEpsg === q.geographicEpsg : p.ellipsoid.a === q.ellipsoid.a;
  if (same) return null;
  const size =
    'within 2 m between WGS 84, ETRS89, NAD83, GDA94, GDA2020 and NZGD2000, hundreds of metres for older datums';
  return `${describeCrs(from)} and ${describeCrs(to)} are on different datums, and no shift is applied (${size})`;
}

async function converter(crs: Crs) {
  const projection = projectionOf(crs);
  // proj4 reads more WKT methods than are named here.
  const definition = projection ? projOfProjection(projection) : crs.definition;
  if (definition === null)
    throw new UnsupportedError(
      `cannot transform coordinates: ${describeCrs(crs)} has no definition here; give it as WKT`,
    );
  const { default: proj4 } = await import('proj4');
  try {
    return proj4(definition);
  } catch (error) {
    throw new UnsupportedError(`cannot transform coordinates: ${describeCrs(crs)}`, {}, { cause: error });
  }
}

function guarded(crs: Crs, step: (point: [number, number]) => number[]): PointTransform {
  return (x, y) => {
    let result: number[];
    try {
      result = step([x, y]);
    } catch (error) {
      throw new InputError(`the point ${x}, ${y} lies outside ${describeCrs(crs)}`, {}, { cause: error });
    }
    if (!Number.isFinite(result[0]) || !Number.isFinite(result[1]))
      throw new InputError(`the point ${x}, ${y} lies outside ${describeCrs(crs)}`);
    return [result[0]!, result[1]!];
  };
}

/**
 * From longitude and latitude (degrees) to the CRS. Datums are taken as one (no shift): within 2 m between WGS 84 and its modern kin
 * (ETRS89, NAD83, GDA), hundreds of metres for old ones. `UnsupportedError` for a code or method without a definition here.
 */
export async function lonLatToCrs(crs: Crs): Promise<PointTransform> {
  if (isGeographic(crs)) return (x, y) => [x, y];
  const { forward } = await converter(crs);
  return guarded(crs, forward);
}

/** The inverse of {@link lonLatToCrs}. */
export async function crsToLonLat(crs: Crs): Promise<PointTransform> {
  if (isGeographic(crs)) return (x, y) => [x, y];
  const { inverse } = await converter(crs);
  return guarded(crs, inverse);
}

/** Methods whose coordinates agree with PROJ's to a millimetre. */
const WARPED = ['longlat', 'tmerc', 'aea', 'eqdc', 'lcc', 'laea', 'stere', 'merc', 'sinu', 'eqc', 'cea'];
/** Methods whose plane goes on where the Earth ends, and whose inverse gives the points on the other side there. */
const ENDING = ['aea', 'eqdc', 'lcc', 'merc', 'sinu', 'eqc', 'cea'];

/** Coordinates of a CRS to longitude and latitude in radians and back, in place and without errors: NaN where there is no such point. */
export interface Projector {
  toRadians(point: Point): void;
  fromRadians(point: Point): void;
}

interface Point {
  x: number;
  y: number;
}

const RADIAN = Math.PI / 180;

/** Degrees; a latitude beyond a pole is nowhere. */
const DEGREES: Projector = {
  toRadians(p) {
    p.x *= RADIAN;
    p.y = Math.abs(p.y) <= 90 ? p.y * RADIAN : Number.NaN;
  },
  fromRadians(p) {
    p.x /= RADIAN;
    p.y /= RADIAN;
  },
};

/**
 * The projection of a CRS for many points, as fast as can be. Datums are taken as one.
 * @throws UnsupportedError that names a CRS without a definition here, or the method of one that is not transformed
 */
export async function projector(crs: Crs): Promise<Projector> {
  const projection = projectionOf(crs);
  if (!projection)
    throw new UnsupportedError(
      `cannot resample from or to ${describeCrs(crs)}: its projection is not known here, or its ellipsoid; known projections are ${WARPED.join(', ')}`,
    );
  const { method, unitMetres } = projection;
  if (!WARPED.includes(method))
    throw new UnsupportedError(
      `cannot resample from or to ${describeCrs(crs)}: the projection ${method} is not supported; known are ${WARPED.join(', ')}`,
    );
  if (method === 'longlat') return DEGREES;
  const { default: proj4 } = await import('proj4');
  let own: { forward: Step; inverse: Step };
  try {
    own = new proj4.Proj(projOfProjection(projection));
  } catch (error) {
    throw new UnsupportedError(`cannot resample from or to ${describeCrs(crs)}`, {}, { cause: error });
  }
  const [forward, inverse] = [inPlace(own.forward.bind(own)), inPlace(own.inverse.bind(own))];
  const ends = ENDING.includes(method);
  return {
    toRadians(p) {
      p.x *= unitMetres;
      p.y *= unitMetres;
      const { x, y } = p;
      inverse(p);
      if (!ends) return;
      const back = { x: p.x, y: p.y };
      forward(back);
      if (!(Math.abs(back.x - x) < 1 && Math.abs(back.y - y) < 1)) p.x = Number.NaN;
    },
    fromRadians(p) {
      forward(p);
      p.x /= unitMetres;
      p.y /= unitMetres;
    },
  };
}

type Step = (point: Point) => Point | null | undefined;

/** A step of a projection that moves the point it is given, as most do; those that say or throw that there is no such point give NaN. */
function inPlace(step: Step): (p: Point) => void {
  return (p) => {
    let moved: Point | null | undefined;
    try {
      moved = step(p);
    } catch {
      moved = null;
    }
    if (moved === p) return;
    p.x = moved?.x ?? Number.NaN;
    p.y = moved?.y ?? Number.NaN;
  };
}

/** Members of a STAC item's projection extension: `proj:code`, with `proj:wkt2` where there is no code; empty when nothing is known. */
export function projMembers(crs: Crs): Record<string, string | null> {
  if (crs.epsg !== null) return { 'proj:code': `EPSG:${crs.epsg}` };
  if (crs.definition !== null && /^(PROJ|GEOG|GEOD|BOUND|COMPOUND)[A-Z]*CRS/i.test(crs.definition))
    return { 'proj:code': null, 'proj:wkt2': crs.definition };
  const projection = projectionOf(crs);
  const wkt2 = projection && writeWkt2(projection);
  return wkt2 ? { 'proj:code': null, 'proj:wkt2': wkt2 } : {};
}
