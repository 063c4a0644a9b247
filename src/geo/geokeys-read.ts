import {
  ELLIPSOID_BY_EPSG,
  type Ellipsoid,
  ellipsoidOfGeographic,
  type ParameterName,
  type Projection,
  projOfProjection,
  utm,
} from './projection.js';

/** GeoKeys by numeric id (3072 = ProjectedCRS, …): shorts and doubles as numbers or arrays, ASCII as strings. */
export type GeoKeys = Readonly<Record<number, number | string | readonly number[]>>;

/** Ids of the GeoKeys that are read and written here. */
export const KEY = {
  modelType: 1024,
  rasterType: 1025,
  geographic: 2048,
  datum: 2050,
  ellipsoid: 2056,
  semiMajor: 2057,
  semiMinor: 2058,
  inverseFlattening: 2059,
  projected: 3072,
  projection: 3074,
  method: 3075,
  linearUnit: 3076,
  linearUnitSize: 3077,
  firstParallel: 3078,
  secondParallel: 3079,
  originLongitude: 3080,
  originLatitude: 3081,
  falseEasting: 3082,
  falseNorthing: 3083,
  falseOriginLongitude: 3084,
  falseOriginLatitude: 3085,
  falseOriginEasting: 3086,
  falseOriginNorthing: 3087,
  centerLongitude: 3088,
  centerLatitude: 3089,
  scaleAtOrigin: 3092,
  poleLongitude: 3095,
} as const;

export const USER_DEFINED = 32767;

/** m by code of GeoKey 3076. */
export const LINEAR_UNITS: ReadonlyMap<number, number> = new Map([
  [9001, 1],
  [9002, 0.3048],
  [9003, 1200 / 3937],
  [9036, 1000],
]);

/**
 * The projections that GeoKeys can say and that are understood here: code of GeoKey 3075, and the keys that hold each parameter. The
 * first key is the one that GDAL writes; the others are read as well, because writers differ.
 */
export const METHODS: readonly {
  code: number;
  method: string;
  keys: Partial<Record<ParameterName, readonly number[]>>;
}[] = (() => {
  const lon = [KEY.originLongitude, KEY.centerLongitude, KEY.falseOriginLongitude];
  const lat = [KEY.originLatitude, KEY.centerLatitude, KEY.falseOriginLatitude];
  const center = { lon_0: [KEY.centerLongitude, ...lon], lat_0: [KEY.centerLatitude, ...lat] };
  const origin = { lon_0: lon, lat_0: lat };
  const shift = {
    x_0: [KEY.falseEasting, KEY.falseOriginEasting],
    y_0: [KEY.falseNorthing, KEY.falseOriginNorthing],
  };
  const k_0 = [KEY.scaleAtOrigin];
  const parallels = { lat_1: [KEY.firstParallel], lat_2: [KEY.secondParallel] };
  const conic = {
    lon_0: [KEY.falseOriginLongitude, ...lon],
    lat_0: [KEY.falseOriginLatitude, ...lat],
    x_0: [KEY.falseOriginEasting, KEY.falseEasting],
    y_0: [KEY.falseOriginNorthing, KEY.falseNorthing],
  };
  return [
    { code: 1, method: 'tmerc', keys: { ...origin, k_0, ...shift } },
    { code: 7, method: 'merc', keys: { lon_0: lon, lat_ts: [KEY.firstParallel], k_0, ...shift } },
    { code: 8, method: 'lcc', keys: { ...conic, ...parallels } },
    { code: 9, method: 'lcc', keys: { ...origin, k_0, ...shift } },
    { code: 10, method: 'laea', keys: { ...center, ...shift } },
    { code: 11, method: 'aea', keys: { ...origin, ...parallels, ...shift } },
    { code: 13, method: 'eqdc', keys: { ...origin, ...parallels, ...shift } },
    { code: 15, method: 'stere', keys: { lon_0: [KEY.poleLongitude, ...lon], lat_ts: lat, k_0, ...shift } },
    { code: 17, method: 'eqc', keys: { ...center, lat_ts: [KEY.firstParallel], ...shift } },
    { code: 24, method: 'sinu', keys: { lon_0: [KEY.centerLongitude, ...lon], ...shift } },
    { code: 28, method: 'cea', keys: { lon_0: lon, lat_ts: [KEY.firstParallel], ...shift } },
  ];
})();

export function numberOf(keys: GeoKeys, id: number): number | null {
  const value = keys[id];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'number' && Number.isFinite(first) ? first : null;
}

export function codeOf(keys: GeoKeys, id: number): number | null {
  const code = numberOf(keys, id);
  return code === null || code === 0 || code === USER_DEFINED ? null : code;
}

function geographicOf(keys: GeoKeys): { geographicEpsg: number | null; ellipsoid: Ellipsoid } | null {
  const geographic = codeOf(keys, KEY.geographic);
  // Datums of EPSG carry the number of their geographic CRS plus 2000 (6326 → 4326) as far as the old ones go.
  const datum = codeOf(keys, KEY.datum);
  const geographicEpsg = geographic ?? (datum !== null && datum >= 6001 && datum <= 6999 ? datum - 2000 : null);
  const a = numberOf(keys, KEY.semiMajor);
  const b = numberOf(keys, KEY.semiMinor);
  const rf = numberOf(keys, KEY.inverseFlattening) ?? (a !== null && b !== null ? (a === b ? 0 : a / (a - b)) : null);
  const written = a !== null && rf !== null ? { a, rf } : null;
  const code = codeOf(keys, KEY.ellipsoid);
  const ellipsoid =
    (geographicEpsg === null ? null : ellipsoidOfGeographic(geographicEpsg)) ??
    written ??
    (code === null ? null : (ELLIPSOID_BY_EPSG.get(code) ?? null));
  return ellipsoid && { geographicEpsg, ellipsoid };
}

/** Fills what the methods leave open, so that each is complete in PROJ's terms. */
function completed(method: string, code: number, given: Projection['parameters']): Projection['parameters'] {
  const p = { ...given };
  if (code === 9) p.lat_1 = p.lat_0 ?? 0; // one parallel, the latitude of origin
  if (method === 'stere') {
    const scaleAt = p.lat_ts ?? 90;
    p.lat_0 = scaleAt < 0 ? -90 : 90;
    if (scaleAt === p.lat_0) delete p.lat_ts;
  }
  return p;
}

/** The user-defined projection of a GeoTIFF's keys; null when they name an EPSG code instead, or a method that is not known here. */
export function projectionOfGeoKeys(keys: GeoKeys): Projection | null {
  const geographic = geographicOf(keys);
  if (!geographic) return null;
  if (numberOf(keys, KEY.modelType) === 2) return { method: 'longlat', parameters: {}, ...geographic, unitMetres: 1 };
  const unitCode = codeOf(keys, KEY.linearUnit);
  const unitMetres = numberOf(keys, KEY.linearUnitSize) ?? (unitCode === null ? 1 : LINEAR_UNITS.get(unitCode));
  if (unitMetres === undefined) return null;
  const zone = codeOf(keys, KEY.projection); // 16001–16060: UTM north, 16101–16160: south
  if (zone !== null && zone % 100 >= 1 && zone % 100 <= 60 && (zone < 16100 ? zone > 16000 : zone < 16200))
    return { ...utm(zone % 100, zone > 16100), ...geographic, unitMetres };
  const code = numberOf(keys, KEY.method);
  const known = METHODS.find((entry) => entry.code === code);
  if (!known) return null;
  const given: Projection['parameters'] = {};
  for (const [name, ids] of Object.entries(known.keys) as [ParameterName, readonly number[]][]) {
    const id = ids.find((candidate) => numberOf(keys, candidate) !== null);
    if (id === undefined) continue;
    given[name] = numberOf(keys, id)! * (name === 'x_0' || name === 'y_0' ? unitMetres : 1);
  }
  return { method: known.method, parameters: completed(known.method, known.code, given), ...geographic, unitMetres };
}

/** The same as a PROJ string. */
export function projOfGeoKeys(keys: GeoKeys): string | null {
  const projection = projectionOfGeoKeys(keys);
  return projection && projOfProjection(projection);
}
