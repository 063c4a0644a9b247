import zlib from 'node:zlib';

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
