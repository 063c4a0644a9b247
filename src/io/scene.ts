import type { Geometry } from 'geojson';
import type { Crs } from '../geo/crs.js';
import type { Grid } from '../geo/grid.js';
import type { Dtype } from './raster.js';

/** Where one band of a scene lies, and what the item says of it (the file's header wins over it). */
export interface SceneBand {
  /** Absolute. */
  href: string;
  /** 0-based in the file. */
  bandIndex: number;
  /** What the item's band list calls it (B02), where its key says something else (blue); or null. */
  name: string | null;
  /** STAC's eo common name (red, nir08, …), or null. */
  commonName: string | null;
  dtype: Dtype | null;
  /** Null: the item says that there is none; undefined: it says nothing. */
  nodata: number | null | undefined;
  scale: number | null;
  offset: number | null;
  /** From proj:transform and proj:shape, or null. */
  grid: Grid | null;
}

/** What tells how Sentinel-2's stored numbers become reflectance. */
export interface SceneRadiometry {
  /** ESA's processing baseline: `04.00`. */
  baseline: string;
  /** Whether the offset of newer baselines is in the numbers already, as the archive says; null: it does not say. */
  offsetApplied: boolean | null;
}

/** One acquisition: plain data, JSON all through. */
export interface Scene {
  id: string;
  collection: string | null;
  /** ms UTC */
  timeMs: number;
  /** 0–100 */
  cloudCoverPercent: number | null;
  /** West, south, east, north in degrees; west > east across the antimeridian. */
  bbox: [number, number, number, number] | null;
  /** In lon/lat, as the item says. */
  geometry: Geometry | null;
  crs: Crs | null;
  platform: string | null;
  /** By asset key (single-band assets) or band name (multi-band assets). */
  bands: Record<string, SceneBand>;
  /** Of products of Sentinel-2; others lack it. */
  radiometry?: SceneRadiometry;
  /** Of the item itself, for derived_from. */
  href: string | null;
}
