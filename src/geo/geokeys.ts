import { UnsupportedError } from '../errors.js';
import { type Crs, describeCrs, type GeoKeys, projectionOf } from './crs.js';
import { isGeographicEpsg } from './epsg.js';
import { codeOf, KEY, LINEAR_UNITS, METHODS, numberOf, USER_DEFINED } from './geokeys-read.js';
import type { ParameterName, Projection } from './projection.js';

export { projOfGeoKeys } from './geokeys-read.js';

function geographicKeys({ geographicEpsg, ellipsoid }: Projection): Record<number, number> {
  if (geographicEpsg !== null) return { [KEY.geographic]: geographicEpsg };
  return {
    [KEY.geographic]: USER_DEFINED,
    [KEY.datum]: USER_DEFINED,
    [KEY.ellipsoid]: USER_DEFINED,
    [KEY.semiMajor]: ellipsoid.a,
    [ellipsoid.rf === 0 ? KEY.semiMinor : KEY.inverseFlattening]: ellipsoid.rf === 0 ? ellipsoid.a : ellipsoid.rf,
  };
}

function userDefinedKeys(crs: Crs, projection: Projection): GeoKeys {
  const { method, parameters, unitMetres } = projection;
  const onePole = method === 'lcc' && parameters.lat_2 === undefined;
  const known = METHODS.find(
    (entry) => entry.method === method && (method !== 'lcc' || (entry.code === 9) === onePole),
  );
  if (!known)
    throw new UnsupportedError(`GeoTIFF keys cannot say this CRS: ${describeCrs(crs)} (projection ${method})`);
  const unit = [...LINEAR_UNITS].find(([, metres]) => Math.abs(metres - unitMetres) < 1e-12);
  const keys: Record<number, number> = {
    [KEY.modelType]: 1,
    [KEY.rasterType]: 1,
    ...geographicKeys(projection),
    [KEY.projected]: USER_DEFINED,
    [KEY.projection]: USER_DEFINED,
    [KEY.method]: known.code,
    [KEY.linearUnit]: unit ? unit[0] : USER_DEFINED,
  };
  if (!unit) keys[KEY.linearUnitSize] = unitMetres;
  const written: Projection['parameters'] = { lon_0: 0, x_0: 0, y_0: 0, ...parameters };
  if (method === 'stere')
    written.lat_ts ??= parameters.lat_0 ?? 90; // the pole itself when the scale is given instead
  else if (known.keys.lat_0) written.lat_0 ??= 0;
  if (known.keys.k_0 && written.lat_ts === undefined) written.k_0 ??= 1;
  if (known.keys.lat_2) written.lat_2 ??= written.lat_1 ?? 0;
  for (const [name, value] of Object.entries(written) as [ParameterName, number][]) {
    const id = known.keys[name]?.[0];
    if (id !== undefined) keys[id] = name === 'x_0' || name === 'y_0' ? value / unitMetres : value;
  }
  return keys;
}

/**
 * GeoKeys to write: those the CRS came with, else its EPSG code, else user-defined keys of its projection. What keys cannot say is
 * an `UnsupportedError` that names it; an unknown CRS gives the raster type alone.
 */
export function geoKeysFromCrs(crs: Crs): GeoKeys {
  if (crs.geoKeys) return crs.geoKeys;
  if (crs.epsg !== null) {
    const geographic = isGeographicEpsg(crs.epsg);
    return {
      [KEY.modelType]: geographic ? 2 : 1,
      [KEY.rasterType]: 1,
      [geographic ? KEY.geographic : KEY.projected]: crs.epsg,
    };
  }
  if (crs.definition === null) return { [KEY.rasterType]: 1 };
  const projection = projectionOf(crs);
  if (!projection) throw new UnsupportedError(`GeoTIFF keys cannot say this CRS: ${describeCrs(crs)}`);
  if (projection.method === 'longlat')
    return { [KEY.modelType]: 2, [KEY.rasterType]: 1, ...geographicKeys(projection), 2054: 9102 };
  return userDefinedKeys(crs, projection);
}

/** The CRS of a GeoTIFF: its EPSG code where the keys name one, and the keys themselves, to be written again as they are. */
export function crsOfGeoKeys(keys: GeoKeys): Crs {
  const geographicModel = numberOf(keys, KEY.modelType) === 2;
  const epsg = geographicModel ? codeOf(keys, KEY.geographic) : codeOf(keys, KEY.projected);
  return { epsg, definition: null, geoKeys: keys };
}
