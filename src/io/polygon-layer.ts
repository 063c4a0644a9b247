// Polygons with attributes: GeoJSON, or a shapefile with what lies beside it.
import type { Position } from 'geojson';
import { InputError, StoreError } from '../errors.js';
import { type Crs, LON_LAT, parseCrs } from '../geo/crs.js';
import { parseDbf } from './dbf.js';
import { parseShapes } from './shapefile.js';
import { isObject, type Json } from './stac-item.js';
import type { Store } from './store.js';

export interface PolygonFeature {
  properties: Json;
  /** Rings of polygons in the layer's CRS, closed, outer ring first. */
  polygons: Position[][][];
}

export interface PolygonLayer {
  url: string;
  crs: Crs;
  /** Names of attributes. */
  fields: string[];
  features: PolygonFeature[];
  /** Features without a shape. */
  empty: number;
}

interface Reading {
  store: Store;
  signal?: AbortSignal | undefined;
}

const MAX_FILE_BYTES = 256 * 2 ** 20;
const MAX_SMALL_BYTES = 65_536;
const MAX_DEPTH = 8;

async function readFile(url: string, mostBytes: number, { store, signal }: Reading): Promise<Uint8Array> {
  const options = signal ? { signal } : {};
  const { bytes } = await store.stat(url, options);
  if (bytes > mostBytes) throw new InputError(`${url} has ${bytes} bytes: the limit is ${mostBytes}`, { url });
  return store.read(url, undefined, options);
}

/** A file beside a shapefile, in its own case of letters or small ones; null where there is none. */
async function readBeside(
  shp: string,
  ending: string,
  mostBytes: number,
  reading: Reading,
): Promise<Uint8Array | null> {
  const own = /\.SHP$/.test(shp) ? ending.toUpperCase() : ending;
  for (const one of new Set([own, ending, ending.toUpperCase()])) {
    try {
      return await readFile(shp.replace(/\.shp$/i, one), mostBytes, reading);
    } catch (error) {
      if (!(error instanceof StoreError) || !['ENOENT', 404].includes(error.facts.status as never)) throw error;
    }
  }
  return null;
}

function inDegrees(polygons: readonly Position[][][]): boolean {
  return polygons.every((rings) =>
    rings.every((ring) => ring.every(([x, y]) => Math.abs(x!) <= 360 && Math.abs(y!) <= 90.000001)),
  );
}

async function readShapefile(url: string, reading: Reading): Promise<PolygonLayer> {
  const shapes = parseShapes(await readFile(url, MAX_FILE_BYTES, reading), url);
  const [dbf, prj, cpg] = [
    await readBeside(url, '.dbf', MAX_FILE_BYTES, reading),
    await readBeside(url, '.prj', MAX_SMALL_BYTES, reading),
    await readBeside(url, '.cpg', MAX_SMALL_BYTES, reading),
  ];
  const decoder = new TextDecoder();
  const dbfUrl = url.replace(/\.shp$/i, '.dbf');
  const table = dbf && parseDbf(dbf, { url: dbfUrl, encoding: cpg && decoder.decode(cpg) });
  if (table && table.rows.length !== shapes.length)
    throw new InputError(`${url} has ${shapes.length} shapes, and its table ${table.rows.length} records`, { url });
  const features = shapes.flatMap((polygons, i) => {
    const properties = table ? table.rows[i]! : {};
    return properties === null ? [] : [{ properties, polygons: polygons ?? [] }];
  });
  if (!prj && !inDegrees(features.flatMap(({ polygons }) => polygons)))
    throw new InputError(`${url} has no .prj beside it, and its coordinates are no degrees`, { url });
  const whole = features.filter(({ polygons }) => polygons.length > 0);
  return {
    url,
    crs: prj ? parseCrs(decoder.decode(prj)) : LON_LAT,
    fields: table?.fields ?? [],
    features: whole,
    empty: features.length - whole.length,
  };
}

function ringOf(given: unknown, wrong: (what: string) => InputError): Position[] {
  if (!Array.isArray(given) || given.length < 3) throw wrong('has a ring of fewer than 3 positions');
  const ring = given.map((position: unknown): Position => {
    const [x, y] = Array.isArray(position) ? (position as unknown[]) : [];
    if (Number.isFinite(x) && Number.isFinite(y)) return [x as number, y as number];
    throw wrong('has a position that is no pair of numbers');
  });
  const [first, last] = [ring[0]!, ring.at(-1)!];
  return first[0] === last[0] && first[1] === last[1] ? ring : [...ring, [...first]];
}

function polygonsOf(geometry: unknown, wrong: (what: string) => InputError, depth = 0): Position[][][] {
  if (geometry === null || geometry === undefined) return [];
  const { type, coordinates, geometries } = isObject(geometry) ? geometry : {};
  const list = (value: unknown): unknown[] => {
    if (Array.isArray(value)) return value;
    throw wrong('has no list of coordinates');
  };
  const rings = (value: unknown) => list(value).map((ring) => ringOf(ring, wrong));
  if (type === 'Polygon') return [rings(coordinates)];
  if (type === 'MultiPolygon') return list(coordinates).map(rings);
  if (type === 'GeometryCollection' && depth < MAX_DEPTH)
    return list(geometries).flatMap((part) => polygonsOf(part, wrong, depth + 1));
  throw wrong(
    `is a ${typeof type === 'string' ? JSON.stringify(type.slice(0, 40)) : 'shape without a type'}: polygons are wanted`,
  );
}

/** GeoJSON is in degrees, but for the `crs` that was once part of it. */
function crsOf(document: Json): Crs {
  const name = isObject(document.crs) && isObject(document.crs.properties) ? document.crs.properties.name : undefined;
  return typeof name === 'string' ? parseCrs(name) : LON_LAT;
}

function layerOfGeoJson(document: unknown, url: string): PolygonLayer {
  const wrong = (what: string) => new InputError(`${url} ${what}`, { url });
  if (!isObject(document)) throw wrong('is no GeoJSON');
  const list =
    document.type === 'FeatureCollection'
      ? document.features
      : document.type === 'Feature'
        ? [document]
        : [{ type: 'Feature', properties: {}, geometry: document }];
  if (!Array.isArray(list)) throw wrong('has no features');
  const features = list.map((feature: unknown, i): PolygonFeature => {
    if (!isObject(feature)) throw wrong(`has a feature ${i + 1} that is none`);
    const properties = isObject(feature.properties) ? feature.properties : {};
    return { properties, polygons: polygonsOf(feature.geometry, (what) => wrong(`feature ${i + 1} ${what}`)) };
  });
  const fields = new Set<string>();
  for (const { properties } of features) for (const name of Object.keys(properties)) fields.add(name);
  const whole = features.filter(({ polygons }) => polygons.length > 0);
  const crs = crsOf(document);
  if (crs === LON_LAT && !inDegrees(whole.flatMap(({ polygons }) => polygons)))
    throw wrong('has no "crs", and its coordinates are no degrees');
  return { url, crs, fields: [...fields], features: whole, empty: features.length - whole.length };
}

/**
 * Polygons of a GeoJSON file, or of a shapefile with its `.prj` (without one, in degrees), `.dbf` and `.cpg`.
 * @throws InputError, FormatError, UnsupportedError, StoreError: what was wanted, what came
 */
export async function readPolygonLayer(url: string, reading: Reading): Promise<PolygonLayer> {
  if (/\.shp$/i.test(url)) return readShapefile(url, reading);
  if (/\.(zip|gpkg|kml|fgb|gdb)$/i.test(url))
    throw new InputError(`${url}: GeoJSON or a shapefile (.shp, unpacked) is wanted`, { url });
  const text = new TextDecoder().decode(await readFile(url, MAX_FILE_BYTES, reading));
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new InputError(
      `${url} is neither a shapefile (.shp) nor GeoJSON: ${(cause as Error).message}`,
      { url },
      { cause },
    );
  }
  return layerOfGeoJson(document, url);
}
