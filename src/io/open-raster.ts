import { openCog } from './cog.js';
import type { Raster } from './raster.js';
import type { Store } from './store.js';
import { storeFor } from './stores.js';

/** Opens a raster by its URL, whatever its format and store; throws as the reader of its format does. */
export function openRaster(url: string, options: { store?: Store; signal?: AbortSignal } = {}): Promise<Raster> {
  return openCog(url, { store: storeFor(url), ...options });
}
