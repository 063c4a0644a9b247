import type { Kernels } from './memory.js';
import { type PackDtype, SAMPLE_BYTES } from './overview.js';

/** TIFF predictors: none, difference of neighbours (integers), difference of the byte planes (floats). */
export type Predictor = 1 | 2 | 3;

/** Rows of planar bands in wasm memory: [nBand][nRow][width] of one dtype, without gaps. */
export interface PlanarRows {
  ptr: number;
  dtype: PackDtype;
  nBand: number;
  nRow: number;
  /** px */
  width: number;
}

/** Interleaves the bands by pixel and applies the predictor → as many bytes at `out`. */
export function packRows(k: Kernels, rows: PlanarRows, predictor: Predictor, out: number): void {
  const { ptr, dtype, nBand, nRow, width } = rows;
  const bits = (SAMPLE_BYTES[dtype] * 8) as 8 | 16 | 32 | 64;
  if (predictor === 3) {
    const wide = bits === 64 ? k.exports.pack_floats_64 : k.exports.pack_floats_32;
    wide(ptr, nBand, nRow, width, out);
  } else {
    k.exports[`pack_${bits}`](ptr, nBand, nRow, width, predictor === 2 ? 1 : 0, out);
  }
}
