// The items of results, wherever they lie, and the files that belong to them.
import { InputError, StoreError } from '../../errors.js';
import { fileName, folderOf, isInside, resolveHref, schemeOf } from '../../io/href.js';
import { mapFew } from '../../io/map-few.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Store } from '../../io/store.js';

/** Where the item of a result is, and what it is called: of a hundred thousand of them no more is held. */
export interface ResultItemFile {
  url: string;
  /** From the folder that was searched. */
  path: string;
  id: string;
  /** `properties.title`, else the id. */
  title: string;
  /** Names of its assets and of their bands. */
  names: readonly string[];
}

/** The same with the item itself. */
export interface ResultItem extends ResultItemFile {
  item: Json;
}

/** A document that should have been one. */
export interface BrokenItem {
  url: string;
  path: string;
  reason: string;
}

const AT_ONCE = 16;
/** Limits against hostile or mistaken folders. */
const MAX_DEPTH = 16;
const MAX_FILES = 1_000_000;
const MAX_ITEM_BYTES = 16 * 2 ** 20;
const JSON_NAME = /\.(geo)?json$/i;

interface Reading {
  store: Store;
  signal?: AbortSignal | undefined;
}

const optionsOf = ({ signal }: Reading) => (signal ? { signal } : {});

/** All documents of a folder and below, by path. */
async function documentsUnder(folder: string, reading: Reading, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) throw new InputError(`folders nested deeper than ${MAX_DEPTH}: ${folder}`, { url: folder });
  const names = await reading.store.list(folder, optionsOf(reading));
  const visible = names.filter((name) => !name.startsWith('.'));
  const nested = await mapFew(visible, AT_ONCE, async (name) => {
    if (name.endsWith('/')) return documentsUnder(folder + name, reading, depth + 1);
    return JSON_NAME.test(name) ? [folder + name] : [];
  });
  const files = nested.flat();
  if (files.length > MAX_FILES) throw new InputError(`more than ${MAX_FILES} documents in ${folder}`, { url: folder });
  return files;
}

/** The whole of a small file; null where there is none. */
export async function readIfThere(url: string, mostBytes: number, reading: Reading): Promise<Uint8Array | null> {
  try {
    const { bytes } = await reading.store.stat(url, optionsOf(reading));
    if (bytes > mostBytes) throw new InputError(`${url} has ${bytes} bytes: the limit is ${mostBytes}`, { url });
    return await reading.store.read(url, undefined, optionsOf(reading));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Whether a store said that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof StoreError && ['ENOENT', 'ENOTDIR', 404, 410].includes(error.facts.status as never);
}

/** Null for a document that is something else. */
async function itemAt(url: string, root: string, reading: Reading): Promise<ResultItem | BrokenItem | null> {
  const path = url.slice(root.length);
  const broken = (reason: string) => ({ url, path, reason });
  let item: unknown;
  try {
    const bytes = await readIfThere(url, MAX_ITEM_BYTES, reading);
    if (bytes === null) return broken('it is not there');
    item = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    reading.signal?.throwIfAborted();
    return broken((error as Error).message);
  }
  if (!isObject(item) || item.type !== 'Feature' || !isObject(item.assets)) return null;
  const { id, properties } = item;
  if (typeof id !== 'string' || id === '') return broken('it has no id');
  const title = isObject(properties) && typeof properties.title === 'string' ? properties.title : id;
  return { url, path, id, title, names: namesIn(item.assets), item };
}

/** Keys of assets and names of their bands. */
function namesIn(assets: Json): string[] {
  return Object.entries(assets).flatMap(([key, asset]) => {
    const bands: unknown[] = isObject(asset) && Array.isArray(asset.bands) ? asset.bands : [];
    return [key, ...bands.flatMap((band) => (isObject(band) && typeof band.name === 'string' ? [band.name] : []))];
  });
}

/** The item of a file that was found before, read anew. */
export async function readItem({ url, path }: ResultItemFile, reading: Reading): Promise<ResultItem | BrokenItem> {
  const item = await itemAt(url, url.slice(0, url.length - path.length), reading);
  return item ?? { url, path, reason: 'it is no item any more' };
}

/**
 * The items of a folder and below (of the disk or a bucket), by path; of an item's own address, that one.
 * @throws InputError where there is none
 */
export async function resultItems(source: string, reading: Reading): Promise<(ResultItemFile | BrokenItem)[]> {
  const isDocument = JSON_NAME.test(source.replace(/[?#].*$/, ''));
  if (!isDocument && schemeOf(source)?.startsWith('http'))
    throw new InputError(`servers do not list their folders: give the address of an item, not ${source}`, {
      url: source,
    });
  const root = isDocument ? folderOf(source) : source.endsWith('/') ? source : `${source}/`;
  const urls = isDocument ? [source] : await documentsUnder(root, reading);
  const found = await mapFew(urls, AT_ONCE, async (url) => {
    const one = await itemAt(url, root, reading);
    if (one === null || !('item' in one)) return one;
    const { item, ...file } = one;
    return file;
  });
  const items = found.filter((one) => one !== null);
  if (items.length === 0) throw new InputError(`no items of results in ${source}`, { url: source });
  return items;
}

/** Names as a path's parts, undone as servers undo them, so that nothing hides in `%2e`. */
function partsOf(href: string): string[] {
  let text = href;
  for (let turn = 0; turn < 3; turn++) {
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  }
  return text.split(/[\\/]/);
}

/** Where an href of a document leads, as long as that is in the document's own folder or below; else null. */
export function fileBeside(document: string, href: unknown): string | null {
  if (typeof href !== 'string' || href === '' || href.includes('\\')) return null;
  if (schemeOf(href) !== null || /^(\/|[A-Za-z]:)/.test(href) || href.includes('\0')) return null;
  if (partsOf(href).some((part, i) => part === '..' || (i === 0 && part === '' && href.length > 1))) return null;
  const url = resolveHref(href, document);
  return isInside(url, folderOf(document)) ? url : null;
}

/** The path or address of a file that is called as an item is, with another ending. */
export function siblingOf({ url }: ResultItemFile, ending: string): string {
  return folderOf(url) + fileName(url).replace(/(\.stac-item)?\.(geo)?json$/i, '') + ending;
}
