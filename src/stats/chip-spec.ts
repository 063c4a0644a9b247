import type { Grid } from '../geo/grid.js';
import type { StoreMeter } from '../io/meter.js';
import type { Dtype, Level } from '../io/raster.js';

/** Where the coordinate's pixel lies in the chip: in its middle, or at its first sample (as an older extractor had it). */
export type ChipAnchor = 'centre' | 'topleft';

/** Which raster wins where several have a valid sample of one date and band; nearest-centre: that whose centre is nearest to the point. */
export type ChipOverlap = 'first' | 'last' | 'mean' | 'nearest-centre';

/** One file that chips are cut from, and where its bands go. A plane of a chip is one date and band: date × nBand + band. */
export interface ChipImage {
  /** What labels call it: the scene's id, or the file. */
  name: string;
  href: string;
  grid: Grid;
  level: Level;
  dtype: Dtype;
  /** Bands of the file, 0-based. */
  bands: readonly number[];
  /** The plane of each of these bands. */
  planes: readonly number[];
  /** The missing value of each of these bands. */
  nodata: readonly (number | null)[];
  /** What is added to the valid samples of each of these bands. */
  shifts: readonly number[];
}

/** What a thread needs to cut chips, plain data but for the target's memory. */
export interface ChipSpec {
  images: readonly ChipImage[];
  dtype: Dtype;
  /** px: 2 × size + 1 */
  side: number;
  nPlane: number;
  /** Memory that all threads write chips to, [nChip][nPlane][side][side]; null: each job brings parts of its own. */
  target: { data: ArrayBufferLike; mask: ArrayBufferLike } | null;
}

/** Blocks of one image, and the chips that touch them: one thread's work. */
export interface ChipJob {
  image: number;
  /** Tile row × tilesAcross + tile column, ascending. */
  tiles: readonly number[];
  /** The place of each chip in the result. */
  chips: Int32Array;
  /** First column and row of each chip's window in px of the image; may lie outside it. */
  cols: Int32Array;
  rows: Int32Array;
  /** 1 where other images have the same samples of the chip, so that they are to be merged. */
  merged: Uint8Array;
}

/** Samples of one image for one chip, as far as a job's blocks hold them. */
export interface ChipPart {
  chip: number;
  image: number;
  /** Whether other images have the same samples. */
  merged: boolean;
  /** [planes of the image][side][side] of the dtype, as bytes */
  data: ArrayBuffer;
  /** 1 where data holds a valid sample */
  mask: ArrayBuffer;
}

export interface ChipJobResult {
  /** Of chips that could not be written to the target. */
  parts: ChipPart[];
  blocksDecoded: number;
  network: StoreMeter;
}
