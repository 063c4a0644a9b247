import { StoreError } from '../errors.js';

/** The wasm of the JPEG 2000 codec, which bundlers put beside the code. */
export async function codecWasm(): Promise<Uint8Array> {
  const { href: url } = new URL('@cornerstonejs/codec-openjpeg/decodewasm', import.meta.url);
  const response = await fetch(url);
  if (!response.ok)
    throw new StoreError(`${url}: the JPEG 2000 codec cannot be loaded: ${response.status}`, {
      url,
      status: response.status,
    });
  return new Uint8Array(await response.arrayBuffer());
}
