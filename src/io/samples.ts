import type { Dtype, SampleArray } from './raster.js';

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** The samples that lie at a place of a buffer. */
export function arrayAt(dtype: Dtype, buffer: ArrayBuffer, at: number, length: number): SampleArray {
  return new ARRAYS[dtype](buffer, at, length);
}

/** Sets the samples from `begin` on to `fill` (null = 0). */
export function fillSamples(array: SampleArray, begin: number, fill: number | null): void {
  if (array instanceof BigUint64Array || array instanceof BigInt64Array) array.fill(BigInt(fill ?? 0), begin);
  else array.fill(fill ?? 0, begin);
}

/** An array of a dtype that holds `fill` (null = 0) throughout. */
export function filledArray(dtype: Dtype, length: number, fill: number | null): SampleArray {
  const array = new ARRAYS[dtype](length);
  if (fill !== null && fill !== 0) fillSamples(array, 0, fill);
  return array;
}
