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
