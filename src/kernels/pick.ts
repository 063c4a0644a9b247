import type { Kernels, StackView } from './memory.js';

function pickInto(k: Kernels, stack: StackView, fromEnd: number, outIndex: number): void {
  const { ptr, dtype, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata } = stack;
  if (dtype === 'f32') {
    k.exports.pick_f32(ptr, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, fromEnd, outIndex);
  } else if (nodata === null) {
    k.i32(outIndex, nPx).fill(fromEnd || nTime === 0 ? nTime - 1 : 0);
  } else {
    k.exports.pick_u16(ptr, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata, fromEnd, outIndex);
  }
}

/** i32[nPx] at `outIndex`: the first date on which all bands are valid, −1 where there is none. */
export function firstInto(k: Kernels, stack: StackView, outIndex: number): void {
  pickInto(k, stack, 0, outIndex);
}

/** i32[nPx] at `outIndex`: the last date on which all bands are valid, −1 where there is none. */
export function lastInto(k: Kernels, stack: StackView, outIndex: number): void {
  pickInto(k, stack, 1, outIndex);
}

/** [nBand][nPx] of the stack's type at `out`: the values of the dates that i32[nPx] at `index` names, `nodataOut` where −1 (f32: NaN). */
export function gatherInto(k: Kernels, stack: StackView, index: number, out: number, nodataOut: number): void {
  const { ptr, dtype, nBand, nPx, bandStrideBytes, timeStrideBytes } = stack;
  if (dtype === 'f32') k.exports.gather_f32(ptr, nBand, nPx, bandStrideBytes, timeStrideBytes, index, Number.NaN, out);
  else k.exports.gather_u16(ptr, nBand, nPx, bandStrideBytes, timeStrideBytes, index, nodataOut, out);
}

/** u16[nPx] at `out`: dates on which all bands are valid. */
export function countAllInto(k: Kernels, stack: StackView, out: number): void {
  const { ptr, dtype, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata } = stack;
  if (dtype === 'f32') k.exports.count_all_f32(ptr, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, out);
  else if (nodata === null) k.u16(out, nPx).fill(nTime);
  else k.exports.count_all_u16(ptr, nBand, nTime, nPx, bandStrideBytes, timeStrideBytes, nodata, out);
}
