import zlib from 'node:zlib';
import { FormatError } from '../errors.js';

/** Inflates a zlib stream to at most `rawBytes`; a shorter stream gives a shorter array. */
export function inflate(bytes: Uint8Array, rawBytes: number): Uint8Array {
  // A little more room than data: zlib takes a second buffer when the first one is filled to the brim.
  const chunkSize = rawBytes + 64;
  try {
    const out = zlib.inflateSync(bytes, { chunkSize, maxOutputLength: chunkSize });
    return out.length > rawBytes ? out.subarray(0, rawBytes) : out;
  } catch (cause) {
    // More data than a block holds is cut off; only so much of it is looked at.
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      try {
        return zlib.inflateSync(bytes, { maxOutputLength: 4 * chunkSize + (1 << 20) }).subarray(0, rawBytes);
      } catch {
        throw new FormatError(`deflate data holds far more than the ${rawBytes} bytes that are wanted`, {}, { cause });
      }
    }
    throw new FormatError(`deflate data is corrupt: ${(cause as Error).message}`, {}, { cause });
  }
}

/** Deflates to a zlib stream on a pool thread: level 0–9, or 'runs' to look for nothing but repetitions of the last byte. */
export function deflate(bytes: Uint8Array, level: number | 'runs'): Promise<Uint8Array> {
  const options: zlib.ZlibOptions = {
    ...(level === 'runs' ? { strategy: zlib.constants.Z_RLE } : { level }),
    chunkSize: Math.min(1 << 20, Math.max(1 << 14, bytes.length >> 1)),
    memLevel: 9,
  };
  return new Promise((resolve, reject) => {
    zlib.deflate(bytes, options, (error, out) => (error ? reject(error) : resolve(out)));
  });
}

/** The part of newer `node:zlib`s (22.15, 23.8) that the oldest supported one lacks. */
interface ZstdZlib {
  constants: { ZSTD_c_compressionLevel: number };
  zstdCompress?(
    bytes: Uint8Array,
    options: { params: Record<number, number> },
    done: (error: Error | null, out: Uint8Array) => void,
  ): void;
}

/** Compresses to one zstd frame, level 1–22: by node:zlib on a pool thread where it can, else by the wasm encoder. */
export async function zstdCompress(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const { zstdCompress: native, constants } = zlib as unknown as ZstdZlib;
  if (!native) return (await import('./zstd-encoder.js')).zstdEncode(bytes, level);
  return new Promise((resolve, reject) => {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    native(bytes, { params }, (error, out) => (error ? reject(error) : resolve(out)));
  });
}
