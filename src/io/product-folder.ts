import { FormatError } from '../errors.js';
import { fileName } from './href.js';
import { landsatFolderItem, landsatId, mtlOf } from './landsat-product.js';
import { safeItems, safeMetadataOf } from './safe-product.js';
import { isObject, type Json } from './stac-item.js';
import type { Store } from './store.js';

interface Reader {
  store: Store;
  signal?: AbortSignal;
}

const MAX_BYTES = 16 * 2 ** 20;

const STAC_NAME = /^(L\w{3}_L[12]\w{2}_\d{6}_\d{8}_\d{8}_\d{2}_\w{2})_(?:(?:SR|ST)_)?stac\.json$/;

/** A scene of Landsat that has only its items: their facts, and the files that are there. */
async function landsatStacItem(folder: string, names: readonly string[], reader: Reader): Promise<Json | null> {
  const documents = names.filter((name) => STAC_NAME.test(name)).sort();
  const assets: Record<string, unknown> = Object.create(null);
  let item: Json | null = null;
  for (const name of documents) {
    const bytes = await read(folder + name, reader);
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new FormatError(
        `${folder}${name} is not JSON: ${(cause as Error).message}`,
        { url: folder + name },
        { cause },
      );
    }
    if (!isObject(parsed)) continue;
    item ??= parsed;
    for (const [key, asset] of Object.entries(isObject(parsed.assets) ? parsed.assets : {})) {
      const file = isObject(asset) && typeof asset.href === 'string' ? fileName(asset.href) : '';
      if (names.includes(file)) assets[key] = { ...(asset as Json), href: folder + file };
    }
  }
  return item && { ...item, id: STAC_NAME.exec(documents[0]!)![1], assets };
}

async function read(url: string, { store, signal }: Reader): Promise<Uint8Array> {
  const bytes = await store.read(url, { offset: 0, length: MAX_BYTES }, { ...(signal && { signal }) });
  if (bytes.length >= MAX_BYTES) throw new FormatError(`${url} has more than ${MAX_BYTES} bytes`, { url });
  return bytes;
}

async function itemsOfProduct(folder: string, names: readonly string[], reader: Reader): Promise<Json[] | null> {
  const safe = safeMetadataOf(names);
  if (safe) return safeItems(folder, safe, reader);
  const name = mtlOf(names);
  if (name) return [landsatFolderItem(folder, names, { name, bytes: await read(folder + name, reader) })];
  const item = await landsatStacItem(folder, names, reader);
  return item && [item];
}

/**
 * Items of a folder that is a product as its agency delivers it (Sentinel-2 `….SAFE`, Landsat Collection 2), or that holds such folders;
 * null where it is neither. `names` are the folder's entries.
 */
export async function itemsOfProductFolder(
  folder: string,
  names: readonly string[],
  reader: Reader,
): Promise<Json[] | null> {
  const own = await itemsOfProduct(folder, names, reader);
  if (own) return own;
  const inner = names.filter((name) => /\.SAFE\/$/.test(name) || (name.endsWith('/') && landsatId(name.slice(0, -1))));
  if (inner.length === 0) return null;
  const items: Json[] = [];
  for (const name of inner) {
    const path = folder + name;
    const entries = await reader.store.list(path, { ...(reader.signal && { signal: reader.signal }) });
    const found = await itemsOfProduct(path, entries, reader);
    if (!found) throw new FormatError(`${path} holds no product metadata (MTD_MSIL*.xml, *_MTL.txt)`, { url: path });
    items.push(...found);
  }
  return items;
}
