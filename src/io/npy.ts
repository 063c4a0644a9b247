// NumPy's file format, version 1.0: a line that describes the array, then its samples.
import { InputError } from '../errors.js';
import type { Dtype } from './raster.js';

const DESCRIPTIONS: Record<Dtype, string> = {
  u8: '|u1',
  i8: '|i1',
  u16: '<u2',
  i16: '<i2',
  u32: '<u4',
  i32: '<i4',
  u64: '<u8',
  i64: '<i8',
  f32: '<f4',
  f64: '<f8',
};

/** The bytes before the samples, which follow in C order and little-endian; a multiple of 64 long. */
export function npyHeader(dtype: Dtype, shape: readonly number[]): Uint8Array {
  const wrong = shape.find((n) => !Number.isInteger(n) || n < 0);
  if (wrong !== undefined) throw new InputError(`an array of ${shape.join(' × ')} cannot be written as NPY`);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${DESCRIPTIONS[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (length - 10) & 0xff, (length - 10) >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[length - 1] = 0x0a;
  return bytes;
}
