import { KernelError } from '../errors.js';
import type { KernelDtype, Kernels } from './memory.js';

/**
 * Adds a whole number to the valid samples of a plane in wasm memory, nPx a multiple of 8. Missing samples stay missing; a valid one
 * that would leave the type's range stops at its end, and one that would become the missing value takes the value beside it.
 */
export function shiftInto(
  k: Kernels,
  plane: { ptr: number; dtype: KernelDtype; nPx: number; nodata: number | null },
  shift: number,
): void {
  const { ptr, dtype, nPx, nodata } = plane;
  if (!Number.isInteger(shift) || Math.abs(shift) > 32767 || nPx % 8 !== 0)
    throw new KernelError(`a plane of ${nPx} px cannot be shifted by ${shift}`);
  if (dtype === 'f32') k.exports.shift_f32(ptr, nPx, shift);
  else k.exports[`shift_${dtype}`](ptr, nPx, nodata === null ? 0 : 1, nodata ?? 0, shift);
}
