import { FormatError } from '../errors.js';
import type { Projection } from './projection.js';
import { readWkt } from './wkt.js';

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const text = (value: unknown, otherwise = 'unknown') =>
  typeof value === 'string' ? value.replaceAll('"', '') : otherwise;

/** `"degree"` and `"metre"`, or an object with a conversion factor. */
function unitOf(value: unknown, keyword: string, otherwise: number): string {
  const factor = object(value).conversion_factor;
  const known = value === 'degree' ? 0.0174532925199433 : value === 'metre' || value === 'unity' ? 1 : otherwise;
  return `${keyword}["unit",${typeof factor === 'number' ? factor : known}]`;
}

function idOf(value: unknown): string {
  const { authority, code } = object(value);
  return authority === 'EPSG' && Number.isInteger(Number(code)) ? `,ID["EPSG",${Number(code)}]` : '';
}

function geographicText(crs: Json, keyword: string): string {
  const datum = object(crs.datum ?? crs.datum_ensemble);
  const shape = object(datum.ellipsoid);
  const a = Number(object(shape.semi_major_axis).value ?? shape.semi_major_axis ?? shape.radius);
  const b = Number(shape.semi_minor_axis);
  const rf = Number(shape.inverse_flattening ?? (Number.isFinite(b) && b !== a ? a / (a - b) : 0));
  const meridian = Number(object(datum.prime_meridian).longitude ?? 0);
  return `${keyword}["${text(crs.name)}",DATUM["${text(datum.name)}",ELLIPSOID["${text(shape.name)}",${a},${rf}]],PRIMEM["p",${meridian}]${idOf(crs.id)}]`;
}

/** What a PROJJSON text says; it has the structure of WKT 2, so it is written as that and read by one reader. */
export function readProjJson(json: string): { epsg: number | null; name: string; projection: Projection | null } {
  let crs: Json;
  try {
    crs = object(JSON.parse(json));
  } catch (error) {
    throw new FormatError('PROJJSON is not JSON', {}, { cause: error });
  }
  while (crs.type === 'BoundCRS' || crs.type === 'CompoundCRS')
    crs = object(crs.type === 'BoundCRS' ? crs.source_crs : (crs.components as unknown[] | undefined)?.[0]);
  if (crs.type === 'GeographicCRS' || crs.type === 'GeodeticCRS') return readWkt(geographicText(crs, 'GEOGCRS'));
  if (crs.type !== 'ProjectedCRS') throw new FormatError(`PROJJSON of a kind that is no map's CRS: ${text(crs.type)}`);
  const conversion = object(crs.conversion);
  const parameters = Array.isArray(conversion.parameters) ? conversion.parameters.map(object) : [];
  const words = parameters.map((p) => {
    const keyword = p.unit === 'metre' ? 'LENGTHUNIT' : p.unit === 'unity' ? 'SCALEUNIT' : 'ANGLEUNIT';
    const kind = object(p.unit).type === 'LinearUnit' ? 'LENGTHUNIT' : keyword;
    return `PARAMETER["${text(p.name)}",${Number(p.value)},${unitOf(p.unit, kind, 1)}]`;
  });
  const axis = object((object(crs.coordinate_system).axis as unknown[] | undefined)?.[0]);
  const method = `CONVERSION["c",METHOD["${text(object(conversion.method).name)}"],${words.join(',')}]`;
  const base = geographicText(object(crs.base_crs), 'BASEGEOGCRS');
  return readWkt(
    `PROJCRS["${text(crs.name)}",${base},${method},AXIS["e",east,${unitOf(axis.unit, 'LENGTHUNIT', 1)}]${idOf(crs.id)}]`,
  );
}
