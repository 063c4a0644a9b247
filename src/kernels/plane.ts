import { UnsupportedError } from '../errors.js';
import type { KernelDtype, Kernels } from './memory.js';

/** Sample types that can be placed, in the order the kernels number them. */
const SOURCE_TYPES = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64'] as const;

/** Decoded samples [height][width] in wasm memory. */
export interface PlaneSource {
  ptr: number;
  /** One of u8, i8, u16, i16, u32, i32, f32, f64; others are refused by name. */
  dtype: string;
  width: number;
  height: number;
  nodata: number | null;
}

/** One date of one band of a stack, [height][width] without padding between rows. */
export interface PlaneTarget {
  ptr: number;
  dtype: KernelDtype;
  width: number;
  height: number;
  /** The missing value of u16 and i16; f32 has NaN. */
  nodata: number | null;
}

/** All bands of one date: [nBand][nPx], padded to a multiple of 16 px. */
export interface DateView {
  ptr: number;
  dtype: KernelDtype;
  nBand: number;
  bandStrideBytes: number;
  nPx: number;
  nodata: number | null;
}

/** How source px lie under target px along one axis: source = offset + scale × target − origin, the target counted from `first`. */
export interface PlacedAxis {
  scale: number;
  offset: number;
  /** The target px of the plane's first column (row). */
  first: number;
  /** The source px of the source's first column (row). */
  origin: number;
}

function sourceType(source: PlaneSource): number {
  const type = SOURCE_TYPES.indexOf(source.dtype as (typeof SOURCE_TYPES)[number]);
  if (type < 0) throw new UnsupportedError(`samples of type ${source.dtype} are not composited`);
  return type;
}

/** The missing value as the kernels take it: a flag and a number. */
function missingOf(source: PlaneSource): [has: number, value: number] {
  return source.nodata === null || Number.isNaN(source.nodata) ? [0, 0] : [1, source.nodata];
}

function noneOf(target: PlaneTarget): number {
  return target.dtype === 'f32' ? Number.NaN : (target.nodata ?? 0);
}

function check(code: number, source: PlaneSource, target: PlaneTarget): void {
  if (code !== 0) throw new UnsupportedError(`${source.dtype} samples do not fit a stack of ${target.dtype}`);
}

/**
 * Nearest: target pixel (x, y) takes source pixel (cols[x], rows[y]); i32 maps in wasm memory, −1 = outside = missing. Samples are
 * converted to the target's type, missing ones to its missing value.
 */
export function placeInto(k: Kernels, source: PlaneSource, map: { cols: number; rows: number }, target: PlaneTarget): void {
  const place = { u16: k.exports.place_u16, i16: k.exports.place_i16, f32: k.exports.place_f32 }[target.dtype];
  const { width, height } = target;
  const [has, missing] = missingOf(source);
  const { cols, rows } = map;
  const code = place(sourceType(source), source.ptr, source.width, cols, rows, width, height, has, missing, noneOf(target), target.ptr);
  check(code, source, target);
}

/** Target position (px, fractions allowed) → source position, rounded to 2⁻²⁰ px so that every block sees the same. */
function toSource({ scale, offset, origin }: PlacedAxis, target: number): number {
  return Math.round((offset + target * scale) * 2 ** 20) / 2 ** 20 - origin;
}

/**
 * Bilinear between the four nearest source pixels; missing ones leave their weight to the others (as gdalwarp does), and less than
 * 1e-5 of weight is missing. Integer results round half to even and step off the missing value.
 */
export function placeBilinearInto(
  k: Kernels,
  source: PlaneSource,
  { x, y }: { x: PlacedAxis; y: PlacedAxis },
  target: PlaneTarget,
): void {
  k.scope(() => {
    const cols = bilinearAxis(k, x, target.width, source.width);
    const rows = bilinearAxis(k, y, target.height, source.height);
    const { width, height } = target;
    const [has, missing] = missingOf(source);
    const run = { u16: k.exports.bilinear_u16, i16: k.exports.bilinear_i16, f32: k.exports.bilinear_f32 }[target.dtype];
    const code = run(
      sourceType(source), source.ptr, source.width, source.height, cols.index, cols.weight, rows.index, rows.weight,
      width, height, has, missing, target.nodata === null ? 0 : 1, noneOf(target), target.ptr,
    ); // biome-ignore format: the kernel's arguments in its order
    check(code, source, target);
  });
}

/** Left neighbour i32[n] and weight of the right one f64[n]; a centre outside [0, size) has neighbours that do not exist. */
function bilinearAxis(k: Kernels, axis: PlacedAxis, n: number, size: number): { index: number; weight: number } {
  const index = k.alloc(n * 4);
  const weight = k.alloc(n * 8);
  const [indices, weights] = [k.i32(index, n), k.f64(weight, n)];
  for (let i = 0; i < n; i++) {
    const centre = toSource(axis, axis.first + i + 0.5);
    const at = centre - 0.5;
    indices[i] = centre < 0 || centre >= size ? -9 : Math.floor(at);
    weights[i] = at - Math.floor(at);
  }
  return { index, weight };
}

/** The area-weighted mean of the valid source pixels under each target pixel; missing where there is none. */
export function placeAverageInto(
  k: Kernels,
  source: PlaneSource,
  { x, y }: { x: PlacedAxis; y: PlacedAxis },
  target: PlaneTarget,
): void {
  k.scope(() => {
    const { width, height } = target;
    const cols = edges(k, x, width);
    const rows = edges(k, y, height);
    const [has, missing] = missingOf(source);
    const run = { u16: k.exports.average_u16, i16: k.exports.average_i16, f32: k.exports.average_f32 }[target.dtype];
    const code = run(
      sourceType(source), source.ptr, source.width, source.height, cols, rows,
      width, height, has, missing, target.nodata === null ? 0 : 1, noneOf(target), target.ptr,
    ); // biome-ignore format: the kernel's arguments in its order
    check(code, source, target);
  });
}

function edges(k: Kernels, axis: PlacedAxis, n: number): number {
  const ptr = k.alloc((n + 1) * 8);
  const out = k.f64(ptr, n + 1);
  for (let i = 0; i <= n; i++) out[i] = toSource(axis, axis.first + i);
  return ptr;
}

/** Nearest placing of a mask u8[height][width]; outside counts as masked out. */
export function placeMaskInto(
  k: Kernels,
  source: { ptr: number; width: number; height: number },
  map: { cols: number; rows: number },
  target: { ptr: number; width: number; height: number },
): void {
  k.exports.place_mask(source.ptr, source.width, map.cols, map.rows, target.width, target.height, target.ptr);
}

/** Makes missing what u8[nPx] at `mask` marks, in all bands. */
export function maskPlanesInto(k: Kernels, mask: number, planes: DateView): void {
  const { ptr, dtype, nBand, bandStrideBytes, nPx, nodata } = planes;
  if (dtype === 'f32') k.exports.mask_planes_f32(mask, nPx, ptr, nBand, bandStrideBytes);
  else k.exports.mask_planes_u16(mask, nPx, ptr, nBand, bandStrideBytes, nodata ?? 0);
}

/** u8[nPx] at `out`: 2 where all bands are valid, 1 where some are, 0 where none is. */
export function statusInto(k: Kernels, planes: DateView, out: number): void {
  const { ptr, dtype, nBand, bandStrideBytes, nPx, nodata } = planes;
  if (dtype === 'f32') k.exports.status_f32(ptr, nBand, nPx, bandStrideBytes, out);
  else {
    const run = dtype === 'u16' ? k.exports.status_u16 : k.exports.status_i16;
    run(ptr, nBand, nPx, bandStrideBytes, nodata === null ? 0 : 1, nodata ?? 0, out);
  }
}

/** Replaces a pixel's whole observation where the source's status is higher, so that one scene decides for all bands together. */
export function fuseInto(k: Kernels, target: DateView, targetStatus: number, source: DateView, sourceStatus: number): void {
  const run = target.dtype === 'f32' ? k.exports.fuse_f32 : k.exports.fuse_u16;
  const { nBand, nPx } = target;
  run(target.ptr, target.bandStrideBytes, targetStatus, source.ptr, source.bandStrideBytes, sourceStatus, nBand, nPx);
}
