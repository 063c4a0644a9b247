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

/** Class numbers or bit fields [nPx] in wasm memory. */
export interface ClassSource {
  ptr: number;
  dtype: ClassDtype;
  nPx: number;
}

/**
 * Marks u8[nPx] at `out` (1 = masked out) from class numbers or bit fields at `source`; `or` adds to what is marked already.
 */
export function classMaskInto(
  k: Kernels,
  source: ClassSource,
  rule: ClassRule,
  out: number,
  { combine = 'set' }: { combine?: 'set' | 'or' } = {},
): void {
  const or = combine === 'or' ? 1 : 0;
  if (rule.mode === 'anybit') bitMask(k, source, rule.values, or, out);
  else classMask(k, source, rule, or, out);
}

/** The kernels' names of integers: by their bits, so signed types need no kernel of their own. */
const BITS = { u8: 8, i8: 8, u16: 16, i16: 16, u32: 32, i32: 32 } as const;

function classMask(k: Kernels, { ptr, dtype, nPx }: ClassSource, rule: ClassRule, or: number, out: number): void {
  const bits = BITS[dtype];
  const least = dtype[0] === 'i' ? -(2 ** (bits - 1)) : 0;
  const keep = rule.mode === 'keep' ? 1 : 0;
  // Values that the type cannot hold are never met.
  const values = rule.values.filter((v) => Number.isInteger(v) && v >= least && v < least + 2 ** bits);
  k.scope(() => {
    if (bits === 32) {
      const list = k.alloc(Math.max(1, values.length) * 4);
      k.i32(list, values.length).set(values.map((v) => v | 0));
      k.exports.class_mask_i32(ptr, nPx, list, values.length, keep, or, out);
    } else if (bits === 16) {
      const table = k.alloc(2 ** 16);
      const marks = k.u8(table, 2 ** 16).fill(keep);
      for (const value of values) marks[value & 0xffff] = 1 - keep;
      k.exports.class_mask_u16(ptr, nPx, table, or, out);
    } else {
      const set = k.alloc(32);
      const bytes = k.u8(set, 32).fill(keep ? 255 : 0);
      for (const value of new Set(values)) bytes[(value & 255) >> 3]! ^= 1 << (value & 7);
      k.exports.class_mask_u8(ptr, nPx, set, or, out);
    }
  });
}

function bitMask(
  k: Kernels,
  { ptr, dtype, nPx }: ClassSource,
  positions: readonly number[],
  or: number,
  out: number,
): void {
  const wrong = positions.find((bit) => !Number.isInteger(bit) || bit < 0 || bit > 31);
  if (wrong !== undefined) throw new InputError(`bits are numbered 0 to 31, and got ${wrong}`, { option: 'mask' });
  const bits = positions.reduce((all, bit) => all | (1 << bit), 0);
  if (BITS[dtype] === 32) k.exports.bit_mask_u32(ptr, nPx, bits, or, out);
  else if (BITS[dtype] === 16) k.exports.bit_mask_u16(ptr, nPx, bits & 0xffff, or, out);
  else {
    const values = Array.from({ length: 256 }, (_, value) => value).filter((value) => (value & bits) !== 0);
    classMask(k, { ptr, dtype: 'u8', nPx }, { mode: 'drop', values }, or, out);
  }
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
    if (op === 'opening')
      return [
        { dilate: false, radiusPx },
        { dilate: true, radiusPx },
      ];
    if (op === 'closing')
      return [
        { dilate: true, radiusPx },
        { dilate: false, radiusPx },
      ];
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
