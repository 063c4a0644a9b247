import { InputError } from '../errors.js';
import { type Crs, parseCrs, UNKNOWN_CRS } from '../geo/crs.js';
import type { PointList } from './points.js';

type Json = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 8;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The `crs` member of GeoJSON's first edition; undefined when there is none, unknown when it is null. */
function statedCrs(document: Json, name: string): Crs | undefined {
  const { crs } = document;
  if (crs === undefined) return undefined;
  if (crs === null) return UNKNOWN_CRS;
  const text = isObject(crs) && isObject(crs.properties) ? crs.properties.name : crs;
  if (typeof text !== 'string') throw new InputError(`${name} has a crs member that names no CRS`);
  return parseCrs(text);
}

interface Feature {
  id: string | number | null;
  properties: Json | null;
}

function addPosition(found: PointList, position: unknown, { id, properties }: Feature, name: string): void {
  const [x, y] = Array.isArray(position) ? position : [];
  if (!Number.isFinite(x) || !Number.isFinite(y)) {
    const text = String(JSON.stringify(position)).slice(0, 60);
    throw new InputError(`${name} has a position that is no pair of numbers, at point ${found.ids.length}: ${text}`);
  }
  found.coordinates.push(x, y);
  found.ids.push(id);
  found.properties.push(properties);
}

function featureOf({ id, properties }: Json): Feature {
  return {
    id: typeof id === 'string' || typeof id === 'number' ? id : null,
    properties: isObject(properties) ? properties : null,
  };
}

/** Adds the points of a geometry, feature or collection. */
function addPoints(
  found: PointList,
  document: unknown,
  own: Feature,
  { name, depth }: { name: string; depth: number },
) {
  if (document === null && depth > 0)
    throw new InputError(
      `${name} has a feature without a geometry, after ${found.ids.length} points: no chip can be there`,
    );
  if (!isObject(document)) throw new InputError(`${name} has a feature or geometry that is no object`);
  if (depth > MAX_DEPTH) throw new InputError(`${name} is nested deeper than ${MAX_DEPTH}`);
  const { type, coordinates } = document;
  const deeper = { name, depth: depth + 1 };
  const list = (key: string): unknown[] => {
    const value = document[key];
    if (!Array.isArray(value)) throw new InputError(`${name} has a ${String(type)} without ${key}`);
    return value;
  };
  if (type === 'FeatureCollection') for (const one of list('features')) addPoints(found, one, own, deeper);
  else if (type === 'Feature') addPoints(found, document.geometry, featureOf(document), deeper);
  else if (type === 'GeometryCollection') for (const one of list('geometries')) addPoints(found, one, own, deeper);
  else if (type === 'Point') addPosition(found, coordinates, own, name);
  else if (type === 'MultiPoint' || (type === undefined && Array.isArray((coordinates as unknown[] | undefined)?.[0])))
    for (const position of list('coordinates')) addPosition(found, position, own, name);
  else if (type === undefined && Array.isArray(coordinates)) addPosition(found, coordinates, own, name);
  else throw new InputError(`${name} holds a ${JSON.stringify(type ?? null)}, and points are wanted`);
}

/** The points of a GeoJSON document in order; `name` is for messages. */
export function pointsOfGeoJson(document: unknown, name: string): PointList {
  const found: PointList = { coordinates: [], ids: [], properties: [] };
  addPoints(found, document, { id: null, properties: null }, { name, depth: 0 });
  const crs = statedCrs(document as Json, name);
  return crs === undefined ? found : { ...found, crs };
}
