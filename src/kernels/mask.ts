import { InputError } from '../errors.js';
import type { Kernels } from './memory.js';

/** One filter of a mask: an exact disk dx² + dy² ≤ r², radius in px of the mask band. */
export interface MorphologyStep {
  op: 'dilation' | 'erosion' | 'opening' | 'closing';
  radiusPx: number;
}

export type ClassDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';

/** Which values are masked out: those in the list, those not in the list, or those with any of the listed bits (0 = lowest). */
export interface ClassRule {
  mode: 'drop' | 'keep' | 'anybit';
  values: readonly number[];
}

/**
 * Marks u8[nPx] at `out` (1 = masked out) from class numbers or bit fields at `source`; `or` adds to what is marked already.
 */
export function classMaskInto(
  k: Kernels,
  source: { ptr: number; dtype: ClassDtype; nPx: number },
  rule: ClassRule,
  out: number,
  { combine = 'set' }: { combine?: 'set' | 'or' } = {},
): void {
  const { ptr, dtype, nPx } = source;
  const or = combine === 'or' ? 1 : 0;
  const bits = rule.mode === 'anybit' ? rule.values.reduce((all, bit) => all | (1 << bit), 0) : 0;
  k.scope(() => {
    if (dtype === 'u32' || dtype === 'i32') {
      const values = k.alloc(Math.max(1, rule.values.length) * 4);
      k.i32(values, rule.values.length).set(rule.values.map((v) => v | 0));
      const keep = rule.mode === 'keep' ? 1 : 0;
      k.exports.look_up_i32(ptr, nPx, bits, values, rule.values.length, keep, or, out);
      return;
    }
    const size = dtype === 'u8' || dtype === 'i8' ? 256 : 65536;
    const ptrTable = k.alloc(size);
    const table = k.u8(ptrTable, size);
    if (rule.mode === 'anybit') {
      for (let value = 0; value < size; value++) table[value] = (value & bits) !== 0 ? 1 : 0;
    } else {
      table.fill(rule.mode === 'keep' ? 1 : 0);
      const least = dtype[0] === 'i' ? -size / 2 : 0;
      for (const value of rule.values) {
        if (value >= least && value < least + size) table[value & (size - 1)] = rule.mode === 'keep' ? 0 : 1;
      }
    }
    if (size === 256) k.exports.look_up_u8(ptr, nPx, ptrTable, or, out);
    else k.exports.look_up_u16(ptr, nPx, ptrTable, or, out);
  });
}

/** For each |dy| = 0…floor(r) the greatest whole dx with dx² + dy² ≤ r². */
function halfWidths(radiusPx: number): number[] {
  const limit = radiusPx * radiusPx;
  return Array.from({ length: Math.floor(radiusPx) + 1 }, (_, dy) => {
    let dx = Math.floor(radiusPx);
    while (dx * dx + dy * dy > limit) dx--;
    return dx;
  });
}

/**
 * Filters a mask u8[height][width] (0 = clear) in place: each step by an exact disk, in order, as on an endless clear plane. Radii
 * below 1 px change nothing.
 */
export function morphologyInto(
  k: Kernels,
  mask: { ptr: number; width: number; height: number },
  steps: readonly MorphologyStep[],
): void {
  for (const { op, radiusPx } of steps) {
    if (!(radiusPx >= 0 && radiusPx <= 4096)) {
      throw new InputError(`the radius of ${op} is from 0 to 4096 px, and got ${radiusPx}`, { option: 'mask' });
    }
  }
  const active = steps.filter(({ radiusPx }) => radiusPx >= 1);
  if (active.length === 0 || mask.width === 0 || mask.height === 0) return;
  const simple = active.flatMap(({ op, radiusPx }) => {
    if (op === 'opening') return [{ dilate: false, radiusPx }, { dilate: true, radiusPx }];
    if (op === 'closing') return [{ dilate: true, radiusPx }, { dilate: false, radiusPx }];
    return [{ dilate: op === 'dilation', radiusPx }];
  });
  const reach = simple.reduce((sum, { radiusPx }) => sum + Math.floor(radiusPx), 0);
  const greatest = Math.max(...simple.map(({ radiusPx }) => Math.floor(radiusPx)));
  k.scope(() => {
    const padX = Math.ceil(reach / 16) * 16;
    const height = mask.height + 2 * reach;
    // A guard holds the farthest shift and the word beside it.
    const guard = Math.ceil((greatest / 8 + 24) / 16) * 16;
    const bytes = Math.ceil((mask.width + 2 * padX) / 128) * 16;
    const pitch = bytes + 2 * guard;
    let plane = k.alloc(height * pitch);
    let other = k.alloc(height * pitch);
    const spread = k.alloc(bytes);
    const widths = k.alloc((greatest + 1) * 4);
    k.u8(plane, height * pitch).fill(0);
    k.exports.pack_bits(mask.ptr, mask.width, mask.height, plane, pitch, guard, padX, reach);
    for (const { dilate, radiusPx } of simple) {
      const radius = Math.floor(radiusPx);
      k.i32(widths, radius + 1).set(halfWidths(radiusPx));
      // Erosion is the dilation of what is clear.
      if (!dilate) k.exports.invert_bits(plane, height, pitch, guard);
      k.exports.dilate_bits(plane, height, pitch, guard, widths, radius, spread, other);
      if (!dilate) k.exports.invert_bits(other, height, pitch, guard);
      [plane, other] = [other, plane];
    }
    k.exports.unpack_bits(plane, pitch, guard, padX, reach, mask.ptr, mask.width, mask.height);
  });
}

/** u8[nPx] at `out` |= u8[nPx] at `source`; both hold whole multiples of 16 bytes. */
export function orMaskInto(k: Kernels, source: number, nPx: number, out: number): void {
  k.exports.or_masks(source, nPx, out);
}
