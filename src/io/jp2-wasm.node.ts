import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** The wasm of the JPEG 2000 codec, from its package. */
export async function codecWasm(): Promise<Uint8Array> {
  return readFile(createRequire(import.meta.url).resolve('@cornerstonejs/codec-openjpeg/decodewasm'));
}
