import { UnsupportedError } from '../errors.js';
import type { KernelDtype, Kernels } from './memory.js';

/** Sample types that can be placed, in the order the kernels number them. */
export const SOURCE_TYPES = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64'] as const;
type SourceDtype = (typeof SOURCE_TYPES)[number];

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
  /**
   * Of bilinear: how many pixels each source pixel stands for, all of one value, so that blending happens around their common edge only;
   * default 1.
   */
  sharpness?: number;
}

/** What a stack's type can hold without loss; f32 takes all, rounding u32, i32 and f64 to 24 bits. */
const FITS: Record<KernelDtype, readonly SourceDtype[]> = {
  u16: ['u8', 'u16'],
  i16: ['u8', 'i8', 'i16'],
  f32: SOURCE_TYPES,
};

/** The kernels' number of the source's type. */
export function sourceType({ dtype }: PlaneSource, target: Pick<PlaneTarget, 'dtype'>): number {
  const type = SOURCE_TYPES.indexOf(dtype as SourceDtype);
  if (type < 0) throw new UnsupportedError(`samples of type ${dtype} are not composited`);
  if (!FITS[target.dtype].includes(dtype as SourceDtype)) {
    throw new UnsupportedError(`${dtype} samples do not fit a stack of ${target.dtype}`);
  }
  return type;
}

/** The missing value as the kernels take it: a flag and a number. One that the type cannot hold is never met. */
export function missingOf({ dtype, nodata }: PlaneSource): [has: number, value: number] {
  if (nodata === null || Number.isNaN(nodata)) return [0, 0];
  if (dtype === 'f64') return [1, nodata];
  if (dtype === 'f32') return [1, Math.fround(nodata)];
  const bits = Number(dtype.slice(1));
  const least = dtype[0] === 'i' ? -(2 ** (bits - 1)) : 0;
  return Number.isInteger(nodata) && nodata >= least && nodata < least + 2 ** bits ? [1, nodata] : [0, 0];
}

/**
 * Nearest: target pixel (x, y) takes source pixel (cols[x], rows[y]); i32 maps in wasm memory, −1 = outside = missing. Samples are
 * converted to the target's type, missing ones to its missing value (an integer target without one has no pixels outside).
 */
export function placeInto(
  k: Kernels,
  source: PlaneSource,
  map: { cols: number; rows: number },
  target: PlaneTarget,
): void {
  const type = sourceType(source, target);
  const { width, height, ptr } = target;
  const [has, missing] = missingOf(source);
  const { cols, rows } = map;
  if (target.dtype === 'f32') {
    k.exports.place_f32(type, source.ptr, source.width, cols, rows, width, height, has, missing, ptr);
  } else {
    const place = target.dtype === 'u16' ? k.exports.place_u16 : k.exports.place_i16;
    place(type, source.ptr, source.width, cols, rows, width, height, has, missing, target.nodata ?? 0, ptr);
  }
}

/** Missing-value and type arguments of the resampling kernels, which work in f64. */
function resampled(source: PlaneSource, target: PlaneTarget) {
  const [has, missing] = missingOf(source);
  const integer = target.dtype !== 'f32';
  return {
    from: [sourceType(source, target), source.ptr, source.width, source.height, has, missing] as const,
    to: [
      SOURCE_TYPES.indexOf(target.dtype),
      integer && target.nodata !== null ? 1 : 0,
      integer ? (target.nodata ?? 0) : 0,
    ] as const,
  };
}

/**
 * Bilinear between the four nearest source pixels, for grids as fine as the source or finer (a coarser one sees no more than four);
 * missing ones leave their weight to the others, and a pixel is missing where the nearest of the four is or less than 1e-5 of weight
 * is left, all as in gdalwarp. Integer results round half to even; one that would be the missing value becomes the next lower value, or the next higher at the type's end, as in GDAL.
 */
export function placeBilinearInto(
  k: Kernels,
  source: PlaneSource,
  { x, y }: { x: PlacedAxis; y: PlacedAxis },
  target: PlaneTarget,
): void {
  const { from, to } = resampled(source, target);
  k.scope(() => {
    const { width, height, ptr } = target;
    const cols = bilinearAxis(k, x, width, source.width);
    const rows = bilinearAxis(k, y, height, source.height);
    const scratch = k.alloc(8 * k.exports.bilinear_scratch(source.width));
    const axes = [cols.index, cols.weight, rows.index, rows.weight] as const;
    k.exports.resample_bilinear(...from, ...axes, width, height, ...to, scratch, ptr);
  });
}

/** Left neighbour i32[n] and weight of the right one f64[n]; a centre outside [0, size) has neighbours that do not exist. */
function bilinearAxis(k: Kernels, axis: PlacedAxis, n: number, size: number): { index: number; weight: number } {
  const index = k.alloc(n * 4);
  const weight = positions(k, axis, { from: 0.5, n });
  k.exports.axis_neighbours(n, size, axis.sharpness ?? 1, index, weight);
  return { index, weight };
}

/** Source positions f64[n] of the target positions `from`, `from` + 1 … of a plane. */
function positions(k: Kernels, axis: PlacedAxis, { from, n }: { from: number; n: number }): number {
  const ptr = k.alloc(n * 8);
  k.exports.axis_positions(axis.scale, axis.offset, axis.origin, axis.first + from, n, ptr);
  return ptr;
}

/** The area-weighted mean of the valid source pixels under each target pixel; missing where there is none. Integers as in bilinear. */
export function placeAverageInto(
  k: Kernels,
  source: PlaneSource,
  { x, y }: { x: PlacedAxis; y: PlacedAxis },
  target: PlaneTarget,
): void {
  const { from, to } = resampled(source, target);
  k.scope(() => {
    const { width, height, ptr } = target;
    const scratch = k.alloc(8 * k.exports.average_scratch(source.width, width));
    const edges = [positions(k, x, { from: 0, n: width + 1 }), positions(k, y, { from: 0, n: height + 1 })] as const;
    k.exports.resample_average(...from, ...edges, width, height, ...to, scratch, ptr);
  });
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
  else if (nodata === null) k.u8(out, nPx).fill(2);
  else k.exports.status_u16(ptr, nBand, nPx, bandStrideBytes, nodata, out);
}

/** Replaces a pixel's whole observation where the source's status is higher, so that one scene decides for all bands together. */
export function fuseInto(
  k: Kernels,
  target: DateView,
  targetStatus: number,
  source: DateView,
  sourceStatus: number,
): void {
  const run = target.dtype === 'f32' ? k.exports.fuse_f32 : k.exports.fuse_u16;
  const { nBand, nPx } = target;
  run(target.ptr, target.bandStrideBytes, targetStatus, source.ptr, source.bandStrideBytes, sourceStatus, nBand, nPx);
}
