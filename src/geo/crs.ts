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

/** Turns one point; throws `InputError` where the projection has none. */
export type PointTransform = (x: number, y: number) => [number, number];

export const UNKNOWN_CRS: Crs = { epsg: null, definition: null, geoKeys: null };
export const LON_LAT: Crs = { epsg: 4326, definition: null, geoKeys: null };

/** "EPSG:32631", "32631", an OGC URN, WKT 1 or 2, PROJJSON text or a PROJ string. */
export declare function parseCrs(text: string): Crs;
export declare function sameCrs(a: Crs, b: Crs): boolean;
export declare function describeCrs(crs: Crs): string;
export declare function isGeographic(crs: Crs): boolean;
export declare function lonLatToCrs(crs: Crs): Promise<PointTransform>;
export declare function crsToLonLat(crs: Crs): Promise<PointTransform>;
/** proj:code or proj:wkt2 (and proj:epsg null) for a STAC item. */
export declare function projMembers(crs: Crs): Record<string, string | number | null>;
// src/geo/geokeys.ts: projOfGeoKeys(keys): string | null; geoKeysFromCrs(crs): GeoKeys; crsOfGeoKeys(keys): Crs
