import { InputError, UnsupportedError } from '../errors.js';
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
    throw new InputError(`not a CRS: ${error instanceof Error ? error.message : String(error)}`, {}, { cause: error });
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

/** Members of a STAC item's projection extension: `proj:code`, with `proj:wkt2` where there is no code; empty when nothing is known. */
export function projMembers(crs: Crs): Record<string, string | null> {
  if (crs.epsg !== null) return { 'proj:code': `EPSG:${crs.epsg}` };
  if (crs.definition !== null && /^(PROJ|GEOG|GEOD|BOUND|COMPOUND)[A-Z]*CRS/i.test(crs.definition))
    return { 'proj:code': null, 'proj:wkt2': crs.definition };
  const projection = projectionOf(crs);
  const wkt2 = projection && writeWkt2(projection);
  return wkt2 ? { 'proj:code': null, 'proj:wkt2': wkt2 } : {};
}
