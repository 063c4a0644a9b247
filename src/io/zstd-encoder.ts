import { compress, init } from '@bokuweb/zstd-wasm';

let ready: Promise<void> | null = null;

/** Compresses to one zstd frame in WebAssembly, level 1–22; the encoder (250 kB) is loaded at the first call. */
export async function zstdEncode(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  ready ??= init();
  await ready;
  return compress(bytes, level);
}
