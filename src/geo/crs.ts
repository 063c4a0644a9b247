import { UnsupportedError } from '../errors.js';

/** A coordinate reference system as the files and items name it; compare with `sameCrs`, never by identity. */
export interface Crs {
  /** EPSG code, or null for a system that has none. */
  epsg: number | null;
  /** WKT (1 or 2) or a PROJ string where that is how it was given, else null. */
  definition: string | null;
  /** GeoTIFF keys (GeoKeyDirectory by id) where it came from a GeoTIFF, to be written again as they are; else null. */
  geoKeys: GeoKeys | null;
}

/** GeoKeys by numeric id (3072 = ProjectedCRS, …): shorts and doubles as numbers or arrays, ASCII as strings. */
export type GeoKeys = Readonly<Record<number, number | string | readonly number[]>>;

/** GeoKeys to write for a CRS: its own where it has them, else from its EPSG code. Interim: the full one comes with src/geo. */
export function geoKeysFromCrs(crs: Crs): GeoKeys {
  if (crs.geoKeys) return crs.geoKeys;
  if (crs.epsg === null) throw new UnsupportedError('the CRS has neither an EPSG code nor GeoKeys to write');
  const geographic = crs.epsg >= 4000 && crs.epsg < 5000;
  return geographic ? { 1024: 2, 1025: 1, 2048: crs.epsg } : { 1024: 1, 1025: 1, 3072: crs.epsg };
}
