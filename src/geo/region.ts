import { UnsupportedError } from '../errors.js';
import type { Crs } from './crs.js';
import type { Bounds, Grid, Window } from './grid.js';

/** An area in units of a CRS. */
export interface Region {
  crs: Crs;
  bounds: Bounds;
  /** Polygons of rings (outer first) of [x, y] in the CRS; null when the area is the rectangle `bounds` itself. */
  polygons: readonly (readonly Ring[])[] | null;
  /** West, south, east, north in degrees; null when the CRS has no known transform. */
  lonLatBounds: readonly [number, number, number, number] | null;
}

/** Closed: the last point is the first. */
export type Ring = readonly (readonly [x: number, y: number])[];

/** `--bbox`: "west,south,east,north". */
export function parseBbox(_text: string): [number, number, number, number] {
  throw new UnsupportedError('being written');
}

/** A rectangle given in `from` (lon/lat by default), as the rectangle of `crs` around it, its edges densified. */
export async function regionOfBbox(
  _bbox: readonly [number, number, number, number],
  _options: { crs: Crs; from?: Crs },
): Promise<Region> {
  throw new UnsupportedError('being written');
}

/** Polygons of a GeoJSON document in lon/lat (or `from`), densified and transformed to `crs`. */
export async function regionOfGeoJson(_document: unknown, _options: { crs: Crs; from?: Crs }): Promise<Region> {
  throw new UnsupportedError('being written');
}

/** u8[height][width]: 1 where the pixel's centre lies inside the region. */
export function insideMask(_region: Region, _grid: Grid, _window: Window): Uint8Array {
  throw new UnsupportedError('being written');
}
