import { InputError } from '../errors.js';
import { type Crs, isGeographic, LON_LAT, parseCrs, sameCrs, UNKNOWN_CRS } from '../geo/crs.js';
import { pointsOfCsv } from './points-csv.js';
import { pointsOfGeoJson } from './points-geojson.js';
import type { Store } from './store.js';
import { anyStore } from './stores.js';

/** Places on the ground, in the order in which they were given; the same place may stand there twice. */
export interface Points {
  crs: Crs;
  /** In units of the CRS: longitudes for lon/lat. */
  x: Float64Array;
  y: Float64Array;
  /** What the source calls them, or null. */
  ids: readonly (string | number | null)[];
  /** What else the source says of them (labels), or null. */
  properties: readonly (Readonly<Record<string, unknown>> | null)[];
}

/** Points as they stand in a document: `crs` is what it says of them, undefined when it says nothing. */
export interface PointList {
  crs?: Crs;
  /** [x, y] one after the other */
  coordinates: number[];
  ids: (string | number | null)[];
  properties: (Readonly<Record<string, unknown>> | null)[];
}

export interface ReadPointsOptions {
  /** Of the coordinates: EPSG code, WKT or PROJ string; default: what the document says, else lon/lat. */
  crs?: string | undefined;
  store?: Store | undefined;
  signal?: AbortSignal | undefined;
}

/** A file, a GeoJSON object, a list of [x, y], or points that were read before. */
export type PointsInput = string | Points | object | readonly (readonly number[])[];

export const MAX_POINTS = 20_000_000;
const MAX_DOCUMENT_BYTES = 512 * 2 ** 20;

function isPoints(source: object): source is Points {
  return 'x' in source && source.x instanceof Float64Array && 'y' in source && source.y instanceof Float64Array;
}

function pointsOfArray(list: readonly unknown[]): PointList {
  const found: PointList = { coordinates: [], ids: [], properties: [] };
  for (const [i, pair] of list.entries()) {
    const [x, y] = Array.isArray(pair) ? pair : [];
    if (!Number.isFinite(x) || !Number.isFinite(y))
      throw new InputError(`point ${i} is no pair of numbers [x, y]: ${String(JSON.stringify(pair)).slice(0, 60)}`);
    found.coordinates.push(x, y);
    found.ids.push(null);
    found.properties.push(null);
  }
  return found;
}

async function readDocument(url: string, { store = anyStore(), signal }: ReadPointsOptions): Promise<PointList> {
  if (!/\.(geojson|json|csv|tsv|txt)$/i.test(url.replace(/[?#].*$/, '')))
    throw new InputError(`points come from .geojson, .json, .csv, .tsv or .txt files, not from ${url}`, { url });
  const options = signal ? { signal } : {};
  const { bytes } = await store.stat(url, options);
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new InputError(`${url} has ${bytes} bytes: the limit for points is ${MAX_DOCUMENT_BYTES}`, { url });
  const text = new TextDecoder().decode(await store.read(url, undefined, options));
  if (!/^\s*[{[]/.test(text)) return pointsOfCsv(text, url);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${url} is not JSON: ${(cause as Error).message}`, { url }, { cause });
  }
  return Array.isArray(document) ? pointsOfArray(document) : pointsOfGeoJson(document, url);
}

function settled({ crs, coordinates, ids, properties }: PointList, given: Crs | null, name: string): Points {
  const nPoint = ids.length;
  if (nPoint === 0) throw new InputError(`${name} holds no points`);
  if (nPoint > MAX_POINTS) throw new InputError(`${name} holds ${nPoint} points: the limit is ${MAX_POINTS}`);
  const own = given ?? crs ?? LON_LAT;
  const needed = 'say in which CRS they are (--points-crs)';
  if (sameCrs(own, UNKNOWN_CRS))
    throw new InputError(`${name} says that the CRS of its points is not known: ${needed}`);
  const x = Float64Array.from({ length: nPoint }, (_, i) => coordinates[2 * i]!);
  const y = Float64Array.from({ length: nPoint }, (_, i) => coordinates[2 * i + 1]!);
  if (isGeographic(own)) {
    const i = x.findIndex((lon, at) => !(Math.abs(lon) <= 360 && Math.abs(y[at]!) <= 90));
    if (i >= 0)
      throw new InputError(`point ${i} of ${name} (${x[i]}, ${y[i]}) is no longitude and latitude: ${needed}`);
  }
  return { crs: own, x, y, ids, properties };
}

/**
 * Points of a file (GeoJSON, a JSON list of [x, y], or CSV with a header), a GeoJSON object (Point, MultiPoint, features of them, or a
 * bare object with `coordinates`), or a list of [x, y]. Without a CRS they are lon/lat; coordinates that cannot be that are an
 * `InputError`, and so is a position that is no pair of finite numbers. A Z is dropped.
 */
export async function readPoints(source: PointsInput, options: ReadPointsOptions = {}): Promise<Points> {
  const given = options.crs === undefined ? null : parseCrs(options.crs);
  if (typeof source === 'string') return settled(await readDocument(source, options), given, source);
  if (Array.isArray(source)) return settled(pointsOfArray(source), given, 'the list of points');
  if (typeof source !== 'object' || source === null) throw new InputError('points are a file, GeoJSON or a list');
  if (isPoints(source)) return given ? { ...source, crs: given } : source;
  return settled(pointsOfGeoJson(source, 'the GeoJSON object'), given, 'the GeoJSON object');
}
