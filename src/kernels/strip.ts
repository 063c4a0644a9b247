// How plain typed arrays come into wasm memory: as one of the kernels' three pixel types, a strip of pixels at a time.
import { InputError } from '../errors.js';
import { dateStrideBytes, type KernelDtype, type Kernels, type StackView } from './memory.js';

/** The typed arrays that the public functions take. */
export type PixelArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Sizes of plain data in the layout [nBand][nTime][nPx]. */
export interface SeriesShape {
  /** 1 when not given. */
  nBand?: number;
  nTime: number;
  nPx: number;
}

/** Plain data with the pixel type and the missing value under which the kernels see it. */
export interface KernelSeries {
  data: PixelArray;
  dtype: KernelDtype;
  /** For u16 and i16; null when every value counts. f32 has NaN. */
  nodata: number | null;
  /** What is turned into NaN on the way to f32, as the source array holds it; null for nothing. */
  nanFrom: number | null;
}

/** Strips are this large, so that they stay in the second-level cache; they are larger only to reach MIN_STRIP_PX. */
const STRIP_BYTES = 2 ** 20;
const MIN_STRIP_PX = 512;
const MAX_STRIP_BYTES = 32 * 2 ** 20;

/** px of a row in wasm memory that holds `nPx` pixels. */
export function paddedPx(nPx: number): number {
  return Math.ceil(nPx / 64) * 64;
}

export function bytesOf(dtype: KernelDtype): 2 | 4 {
  return dtype === 'f32' ? 4 : 2;
}

/** Throws InputError unless the sizes are whole and not negative, and `data` has nBand × nTime × nPx values. */
export function checkShape(data: PixelArray, { nBand = 1, nTime, nPx }: SeriesShape): void {
  for (const [name, value] of Object.entries({ nBand, nTime, nPx })) {
    if (!Number.isInteger(value) || value < 0) {
      throw new InputError(`${name} must be a whole number that is not negative, got ${value}`, { option: name });
    }
  }
  if (data.length !== nBand * nTime * nPx) {
    const sizes = `${nBand} bands × ${nTime} dates × ${nPx} px`;
    throw new InputError(`data must have ${nBand * nTime * nPx} values (${sizes}), got ${data.length}`, {
      option: 'data',
    });
  }
}

/**
 * Decides how the kernels see `data`: u8 (widened) and u16 as u16, i16 as i16, all else as f32 with NaN for missing (integers
 * beyond ±2^24 are rounded). A nodata value that the type cannot hold never occurs, and counts as none.
 */
export function kernelSeries(data: PixelArray, { nodata = null }: { nodata?: number | null } = {}): KernelSeries {
  if (data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Int16Array) {
    const dtype = data instanceof Int16Array ? 'i16' : 'u16';
    const holds = nodata !== null && holdable(data, nodata);
    // A u8 nodata of 255 stays 255 in u16.
    return { data, dtype, nodata: holds ? nodata : null, nanFrom: null };
  }
  const inArray = nodata !== null && data instanceof Float32Array ? Math.fround(nodata) : nodata;
  return { data, dtype: 'f32', nodata: null, nanFrom: Number.isNaN(inArray) ? null : inArray };
}

/** Whether an array of this type can hold `value` unchanged. */
export function holdable(like: PixelArray, value: number): boolean {
  if (like instanceof Float64Array) return true;
  const Held = like.constructor as new (values: number[]) => PixelArray;
  return Object.is(new Held([value])[0], value + 0);
}

/**
 * Copies the pixels [start, start + count) of `rows` rows of `nPx` px to wasm rows of paddedPx(count) px, `strideBytes` apart. The
 * padding holds missing values (0 where the type has none).
 */
export function copyStrip(
  k: Kernels,
  series: KernelSeries,
  { rows, nPx, start, count }: { rows: number; nPx: number; start: number; count: number },
  { ptr, strideBytes }: { ptr: number; strideBytes: number },
): void {
  const { data, dtype, nanFrom } = series;
  const width = paddedPx(count);
  const stride = strideBytes / bytesOf(dtype);
  const target = dtype === 'f32' ? k.f32(ptr, rows * stride) : k[dtype](ptr, rows * stride);
  const padding = dtype === 'f32' ? Number.NaN : (series.nodata ?? 0);
  for (let row = 0; row < rows; row++) {
    const from = row * nPx + start;
    const to = row * stride;
    if (nanFrom === null) target.set(data.subarray(from, from + count), to);
    else {
      for (let i = 0; i < count; i++) {
        const value = data[from + i]!;
        target[to + i] = value === nanFrom ? Number.NaN : value;
      }
    }
    if (width > count) target.fill(padding, to + count, to + width);
  }
}

/**
 * Takes plain data through wasm memory in strips of pixels: `work` gets the strip as a stack with the first pixel and the
 * number of pixels it holds (its rows are padded to paddedPx). All that it allocates in the arena is freed after each strip.
 */
export function forEachStrip(
  k: Kernels,
  series: KernelSeries,
  { nBand = 1, nTime, nPx }: SeriesShape,
  work: (strip: StackView, start: number, count: number) => void,
): void {
  const rows = nBand * nTime;
  const bytesPerPx = Math.max(1, rows * bytesOf(series.dtype));
  const wide = Math.max(Math.floor(STRIP_BYTES / bytesPerPx), MIN_STRIP_PX);
  const step = Math.max(64, Math.floor(Math.min(wide, MAX_STRIP_BYTES / bytesPerPx) / 64) * 64);
  for (let start = 0; start < nPx; start += step) {
    const count = Math.min(step, nPx - start);
    k.scope(() => {
      const width = paddedPx(count);
      const timeStrideBytes = dateStrideBytes(width * bytesOf(series.dtype));
      const ptr = k.alloc(Math.max(1, rows * timeStrideBytes));
      copyStrip(k, series, { rows, nPx, start, count }, { ptr, strideBytes: timeStrideBytes });
      const { dtype, nodata } = series;
      const bandStrideBytes = nTime * timeStrideBytes;
      work({ ptr, dtype, nBand, nTime, nPx: width, timeStrideBytes, bandStrideBytes, nodata }, start, count);
    });
  }
}
