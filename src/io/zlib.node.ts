import zlib from 'node:zlib';
import { FormatError } from '../errors.js';

/** Inflates a zlib stream to at most `rawBytes`; a shorter stream gives a shorter array. */
export function inflate(bytes: Uint8Array, rawBytes: number): Uint8Array {
  try {
    return zlib.inflateSync(bytes, { chunkSize: Math.max(64, rawBytes), maxOutputLength: Math.max(64, rawBytes) });
  } catch (cause) {
    throw new FormatError(`deflate data is corrupt: ${(cause as Error).message}`, {}, { cause });
  }
}

/** Deflates to a zlib stream on a pool thread. */
export function deflate(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zlib.deflate(bytes, { level }, (error, out) => (error ? reject(error) : resolve(out)));
  });
}
