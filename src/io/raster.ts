import type { Grid, Window } from '../geo/grid.js';
import type { Foreseen } from './foreseen.js';

/** Sample types as stored. 64-bit integers come as BigInt arrays; kernels take u16, i16 and f32 (u8 is widened). */
export type Dtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f32' | 'f64';

/** What STAC and numpy call the sample types. */
export const DTYPE_NAMES: Record<Dtype, string> = {
  u8: 'uint8',
  i8: 'int8',
  u16: 'uint16',
  i16: 'int16',
  u32: 'uint32',
  i32: 'int32',
  u64: 'uint64',
  i64: 'int64',
  f32: 'float32',
  f64: 'float64',
};

/** The sample type of such a name, or null. */
export function dtypeOfName(name: string): Dtype | null {
  return (Object.keys(DTYPE_NAMES) as Dtype[]).find((dtype) => DTYPE_NAMES[dtype] === name) ?? null;
}

/** Bytes of a sample. */
export const SAMPLE_BYTES: Record<Dtype, number> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
};

export type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export type SampleArray = NumericArray | BigUint64Array | BigInt64Array;

/** A result: several bands on one grid, of one dtype. */
export interface Planes {
  grid: Grid;
  names: readonly string[];
  /** [height][width] each */
  data: readonly NumericArray[];
  /** The value that means missing; NaN counts as missing for floats whatever this says. */
  nodata: number | null;
}

export interface BandHeader {
  dtype: Dtype;
  nodata: number | null;
  scale: number;
  offset: number;
  /** The band's name (GDAL's description), or null. */
  name: string | null;
}

/** One resolution of a raster: level 0 is full resolution, overviews follow in decreasing size. */
export interface Level {
  width: number;
  height: number;
  /** px; a strip is a tile as wide as the level. */
  tileWidth: number;
  tileHeight: number;
  tilesAcross: number;
  tilesDown: number;
  /** True when each band has tiles of its own (planar), false when one tile holds all bands (chunky). */
  planar: boolean;
}

export interface RasterHeader {
  url: string;
  /** Null when the file carries no usable georeference; crs inside may be unknown. */
  grid: Grid | null;
  width: number;
  height: number;
  bands: BandHeader[];
  levels: Level[];
  /** Bytes of the compressed file, or null if unknown. */
  fileBytes: number | null;
  /** What decoding takes beside the tile itself, where that is much. */
  codec?: RasterCodec;
}

/** A codec with a memory of its own. */
export interface RasterCodec {
  name: 'JPEG 2000';
  /** Bytes a thread, with the decoded tiles that are kept. */
  threadBytes: number;
  /** Times that decoding takes longer than inflating the same pixels. */
  slowdown: number;
}

/** Which tile: level, then tile column and row in that level. */
export interface TileRef {
  level: number;
  col: number;
  row: number;
}

/**
 * Takes the plane of the `i`-th band asked for, [tileHeight][tileWidth] of the band's dtype, to read from before it returns: the
 * array lies where the decoder left it, and the next tile goes there too.
 */
export type TakePlane = (plane: SampleArray, i: number) => void;

export interface ReadTileOptions {
  signal?: AbortSignal;
  /**
   * The rectangle of the tile (px) that is wanted, default all of it. What lies around it may hold anything, and whether the block is
   * intact behind its last pixel is not looked at.
   */
  within?: Window;
}

/** A raster whose tiles are decoded one at a time by the caller, who decides what to keep. One conformance suite for all kinds. */
export interface Raster {
  readonly header: RasterHeader;
  /**
   * Decodes one tile and lends its bands (0-based) to `take`, one after the other in the order asked for: padding included as stored
   * (a last strip is padded below with nodata or 0). A tile that is not in the file (sparse) is all nodata, or 0. What `take` throws
   * is thrown as it is.
   */
  readTile(ref: TileRef, bands: readonly number[], take: TakePlane, options?: ReadTileOptions): Promise<void>;
  /** Compressed bytes of one tile (all bands of a chunky one), 0 when sparse; for the plan's forecast. */
  tileBytes(ref: TileRef, band: number): Promise<number>;
  /**
   * Of files behind a network: the reads that {@link readTile} of this tile and these bands will make, each to be begun before or dropped.
   * Those that depend on what others bring are not among them.
   */
  foresee?(ref: TileRef, bands: readonly number[]): Promise<Foreseen[]>;
  close(): Promise<void>;
}

/** The arrays of `bands` in a window of a level, [height][width] each; outside the raster and in sparse tiles: nodata, or 0. */
export interface WindowRequest {
  level: number;
  window: Window;
  bands: readonly number[];
  signal?: AbortSignal;
}
