import { UnsupportedError } from '../errors.js';
import type { Crs, GeoKeys } from './crs.js';

/** GeoKeys to write for a CRS: its own where it has them, else from its EPSG code. Interim, until the whole of src/geo is merged. */
export function geoKeysFromCrs(crs: Crs): GeoKeys {
  if (crs.geoKeys) return crs.geoKeys;
  if (crs.epsg === null) throw new UnsupportedError('the CRS has neither an EPSG code nor GeoKeys to write');
  const geographic = crs.epsg >= 4000 && crs.epsg < 5000;
  return geographic ? { 1024: 2, 1025: 1, 2048: crs.epsg } : { 1024: 1, 1025: 1, 3072: crs.epsg };
}
