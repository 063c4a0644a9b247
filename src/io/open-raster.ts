import { openByteSource } from './byte-source.js';
import { openCog } from './cog.js';
import { openJp2 } from './jp2.js';
import { isJpeg2000 } from './jp2-boxes.js';
import type { Raster } from './raster.js';
import type { Store } from './store.js';
import { storeFor } from './stores.js';

/** Opens a raster by its URL, whatever its store, and whatever its format by its first bytes; throws as the reader of its format does. */
export async function openRaster(
  url: string,
  { store = storeFor(url), signal }: { store?: Store; signal?: AbortSignal } = {},
): Promise<Raster> {
  const source = await openByteSource(url, store, signal);
  return (await isJpeg2000(source))
    ? openJp2(source, signal)
    : openCog(url, { store, source, ...(signal && { signal }) });
}
