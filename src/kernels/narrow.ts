import type { Kernels } from './memory.js';

export type NarrowDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';

/**
 * f32[n] at `source` → integers: rounded half to even or truncated toward zero, clamped to the type's range; NaN becomes `nodata`.
 * A valid value that rounds to `nodata` stays what it is, as in odc-stats.
 */
export function narrowInto(
  k: Kernels,
  source: number,
  n: number,
  target: { ptr: number; dtype: NarrowDtype },
  { rounding, nodata }: { rounding: 'half-even' | 'truncate'; nodata: number },
): void {
  k.exports[`narrow_${target.dtype}`](source, n, rounding === 'truncate' ? 1 : 0, nodata, target.ptr);
}
