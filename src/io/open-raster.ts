import { FormatError } from '../errors.js';
import { type ByteSource, openByteSource } from './byte-source.js';
import { openCog } from './cog.js';
import { openJp2 } from './jp2.js';
import { isJpeg2000 } from './jp2-boxes.js';
import { JPEG_2000_NAME } from './jp2-header.js';
import type { Raster } from './raster.js';
import type { Store } from './store.js';
import { storeFor } from './stores.js';

/** Opens a raster by its URL, whatever its store, and whatever its format by its first bytes; throws as the reader of its format does. */
export async function openRaster(
  url: string,
  { store = storeFor(url), signal }: { store?: Store; signal?: AbortSignal } = {},
): Promise<Raster> {
  const source = await openByteSource(url, store, signal);
  if (await isJpeg2000(source)) return openJp2(source, signal);
  try {
    return await openCog(url, { store, source, ...(signal && { signal }) });
  } catch (error) {
    // Of a file that is called so, only that it is no TIFF either would be a riddle.
    if (!(error instanceof FormatError && JPEG_2000_NAME.test(url)) || (await isTiff(source))) throw error;
    throw new FormatError(`${url}: neither JPEG 2000, as its name says, nor TIFF: ${source.fileBytes} bytes`, { url });
  }
}

async function isTiff(source: ByteSource): Promise<boolean> {
  if (source.fileBytes < 4) return false;
  const mark = (await source.view({ offset: 0, length: 2 })).getUint16(0);
  return mark === 0x4949 || mark === 0x4d4d;
}
