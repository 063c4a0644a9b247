import { InputError } from '../errors.js';
import { streamFeatures } from './feature-stream.js';
import { folderOf, isInside, resolveHref, schemeOf } from './href.js';
import { ardItems } from './landsat-ard.js';
import { mapFew } from './map-few.js';
import { itemsOfProductFolder } from './product-folder.js';
import type { Raster } from './raster.js';
import { type OnUnreadable, scenesOfRasters } from './raster-scenes.js';
import type { Scene } from './scene.js';
import { itemOfScene } from './scene-item.js';
import { isObject, type Json, sceneOfItem } from './stac-item.js';
import type { Store } from './store.js';
import { anyStore } from './stores.js';

export interface ReadScenesOptions {
  /** Where sources are read from; default: web servers and, in Node, the disk. */
  store?: Store;
  signal?: AbortSignal;
  /** Opens a raster that has no item; default: by its format. */
  openRaster?: (url: string) => Promise<Raster>;
  /** Of bare rasters: told of scenes that are left out because a file of theirs cannot be opened; default: that is an error. */
  onUnreadable?: OnUnreadable;
}

/** An item as it was found, and the document that its relative hrefs start from. */
export interface FoundItem {
  item: unknown;
  href: string | null;
  /** In its document. */
  index: number;
  /** Of rasters without an item, which `item` was made from. */
  scene?: Scene;
}

const sceneOf = ({ item, href, index, scene }: FoundItem): Scene => scene ?? sceneOfItem(item, href, index);

/** Longer documents are read piece by piece. */
const SMALL_DOCUMENT_BYTES = 4 * 2 ** 20;
/** Limits against hostile or mistaken input. */
const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;
const MAX_SCENES = 500_000;
const MAX_DOCUMENTS = 200_000;
const MAX_DEPTH = 12;
const AT_ONCE = 16;

const RASTER = /\.(tiff?|jp2|j2k|j2c|jpc|jpx)$/i;
const JSON_NAME = /\.(geo)?json$/i;
const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;
const LINES_NAME = /\.(ndjson|jsonl|geojsonl|ndgeojson)$/i;

interface Context {
  store: Store;
  signal?: AbortSignal;
  openRaster: (url: string) => Promise<Raster>;
  onUnreadable?: OnUnreadable;
  /** Documents that were read, so that circular links end. */
  seen: Set<string>;
}

async function readJson(url: string, { store, signal }: Context): Promise<unknown> {
  const { bytes } = await store.stat(url, { ...(signal && { signal }) });
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new InputError(`${url} has ${bytes} bytes: the limit for a document is ${MAX_DOCUMENT_BYTES}`, { url });
  const text = new TextDecoder().decode(await store.read(url, undefined, { ...(signal && { signal }) }));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${url} is not JSON: ${(error as Error).message}`, { url }, { cause: error });
  }
}

/** Items of the documents that a catalogue or collection links to, in link order; all must lie in `root` or below. */
async function itemsOfLinks(
  document: Json,
  url: string,
  context: Context,
  at: { depth: number; root: string },
): Promise<FoundItem[]> {
  if (at.depth >= MAX_DEPTH) throw new InputError(`catalogues nested deeper than ${MAX_DEPTH}: ${url}`, { url });
  const links = Array.isArray(document.links) ? document.links.filter(isObject) : [];
  const targets: string[] = [];
  for (const { rel, href } of links) {
    if ((rel !== 'item' && rel !== 'child') || typeof href !== 'string') continue;
    const target = resolveHref(href, url);
    if (!isInside(target, at.root))
      throw new InputError(`the link ${href} of ${url} leads outside of ${at.root || 'the working directory'}`, {
        url,
      });
    if (context.seen.has(target)) continue;
    context.seen.add(target);
    if (context.seen.size > MAX_DOCUMENTS)
      throw new InputError(`more than ${MAX_DOCUMENTS} documents in ${url}`, { url });
    targets.push(target);
  }
  const nested = await mapFew(targets, AT_ONCE, async (target) =>
    itemsOfDocument(await readJson(target, context), target, context, { depth: at.depth + 1, root: at.root }),
  );
  return nested.flat();
}

async function itemsOfDocument(
  document: unknown,
  url: string | null,
  context: Context,
  at: { depth: number; root: string } = { depth: 0, root: url === null ? '' : folderOf(url) },
): Promise<FoundItem[]> {
  const features = Array.isArray(document) ? document : isObject(document) ? document.features : undefined;
  if (Array.isArray(features)) {
    if (features.length > MAX_SCENES) throw new InputError(`${features.length} items: the limit is ${MAX_SCENES}`);
    return features.map((item, index) => ({ item, href: url, index }));
  }
  if (isObject(document)) {
    if (document.type === 'Feature') return [{ item: document, href: url, index: 0 }];
    const isCatalog = document.type === 'Catalog' || document.type === 'Collection' || Array.isArray(document.links);
    if (isCatalog && url !== null) return itemsOfLinks(document, url, context, at);
    if (isCatalog)
      throw new InputError('a catalogue must be given by its path or URL, so that its links can be followed');
  }
  throw new InputError(`${url ?? 'the object'} is no STAC item, item collection, catalogue or collection`, {
    ...(url && { url }),
  });
}

/** All files of a folder and below, sorted by path. */
async function filesUnder(folder: string, context: Context, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) throw new InputError(`folders nested deeper than ${MAX_DEPTH}: ${folder}`, { url: folder });
  const names = await context.store.list(folder, { ...(context.signal && { signal: context.signal }) });
  const visible = names.filter((name) => !name.startsWith('.'));
  const nested = await mapFew(visible, AT_ONCE, async (name) =>
    name.endsWith('/') ? filesUnder(folder + name, context, depth + 1) : [folder + name],
  );
  const files = nested.flat();
  if (files.length > MAX_DOCUMENTS)
    throw new InputError(`more than ${MAX_DOCUMENTS} files in ${folder}`, { url: folder });
  return files;
}

/** Items of rasters that have none: bands of Landsat ARD by their names, others by their headers too. */
async function itemsOfRasters(rasters: readonly string[], context: Context): Promise<FoundItem[]> {
  const { items, others } = ardItems(rasters);
  const found: FoundItem[] = items.map((item, index) => ({ item, href: null, index }));
  if (others.length === 0) return found;
  const scenes = await scenesOfRasters(others, context.openRaster, context.onUnreadable);
  return [...found, ...scenes.map((scene, index) => ({ item: itemOfScene(scene), href: null, index, scene }))];
}

async function* itemsOfFolder(folder: string, context: Context): AsyncGenerator<FoundItem> {
  const root = folder.endsWith('/') ? folder : `${folder}/`;
  const { store, signal } = context;
  const top = await store.list(root, { ...(signal && { signal }) });
  if (top.includes('items.json')) return yield* itemsOfDocuments([`${root}items.json`], context);
  for (const name of ['catalog.json', 'collection.json']) {
    let isEmpty = true;
    if (top.includes(name))
      for await (const found of itemsOfDocuments([root + name], context)) {
        isEmpty = false;
        yield found;
      }
    if (!isEmpty) return;
  }
  const products = await itemsOfProductFolder(root, top, { store, ...(signal && { signal }) });
  if (products) return yield* products.map((item, index) => ({ item, href: null, index }));
  const files = await filesUnder(root, context);
  const rasters = files.filter((file) => RASTER.test(file));
  // Items that USGS puts beside its bands name them on its servers.
  if (ardItems(rasters).items.length > 0) return yield* await itemsOfRasters(rasters, context);
  let any = false;
  for await (const found of itemsOfFiles(
    files.filter((file) => JSON_NAME.test(file)),
    context,
  )) {
    any = true;
    yield found;
  }
  if (any) return;
  if (rasters.length === 0) {
    const archives = files.filter((file) => ARCHIVE.test(file));
    const packed = archives.length > 0 ? `: unpack its ${archives.length} archives first, like ${archives[0]}` : '';
    throw new InputError(`no scenes in ${folder}: neither STAC items nor rasters${packed}`, { url: folder });
  }
  yield* await itemsOfRasters(rasters, context);
}

/** Those of a folder's documents that are items, in their order. */
async function* itemsOfFiles(files: readonly string[], context: Context): AsyncGenerator<FoundItem> {
  for (let i = 0; i < files.length; i += AT_ONCE) {
    const some = files.slice(i, i + AT_ONCE);
    const documents = await mapFew(some, AT_ONCE, async (file) => ({ file, item: await readJson(file, context) }));
    for (const { file, item } of documents)
      if (isObject(item) && item.type === 'Feature' && isObject(item.assets)) yield { item, href: file, index: 0 };
  }
}

/** The items of a document that is small enough to be taken at once; else null. */
async function itemsOfSmall(url: string, context: Context): Promise<FoundItem[] | null> {
  const { bytes } = await context.store.stat(url, { ...(context.signal && { signal: context.signal }) });
  if (bytes > SMALL_DOCUMENT_BYTES || LINES_NAME.test(url)) return null;
  return itemsOfDocument(await readJson(url, context), url, context);
}

/** Documents in their order; long lists give one item after the other. */
async function* itemsOfDocuments(urls: readonly string[], context: Context): AsyncGenerator<FoundItem> {
  for (let i = 0; i < urls.length; i += AT_ONCE) {
    const some = urls.slice(i, i + AT_ONCE);
    const small = await mapFew(some, AT_ONCE, (url) => itemsOfSmall(url, context));
    for (const [k, url] of some.entries()) yield* small[k] ?? itemsOfLong(url, context);
  }
}

async function* itemsOfLong(url: string, context: Context): AsyncGenerator<FoundItem> {
  const { store, signal } = context;
  const features = streamFeatures(url, { store, signal, lines: LINES_NAME.test(url) });
  for (let index = 0; ; index++) {
    const { done, value } = await features.next();
    if (done && value === true) return;
    if (done) break;
    if (index >= MAX_SCENES) throw new InputError(`${url} has more than ${MAX_SCENES} items`, { url });
    yield { item: value, href: url, index };
  }
  yield* await itemsOfDocument(await readJson(url, context), url, context);
}

/** A glob as a test on whole paths: * and ? stay within a folder, ** does not, [abc] and {a,b} as usual. */
export function globPattern(glob: string): RegExp {
  const parts: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
  const source = glob.replace(/\*\*\/|\*\*|[*?]|\[[^\]/]+\]|\{[^{}]*\}|[\\^$.|+(){}[\]]/g, (token) => {
    if (parts[token]) return parts[token];
    if (token.length > 2 && token.startsWith('[')) return token.replace('[!', '[^').replaceAll('\\', '\\\\');
    if (token.length > 1 && token.startsWith('{'))
      return `(?:${token
        .slice(1, -1)
        .split(',')
        .map((word) => globPattern(word).source.slice(1, -1))
        .join('|')})`;
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}

const isGlob = (source: string) => [null, 's3'].includes(schemeOf(source)) && /[*?[{]/.test(source);

async function expandGlob(glob: string, context: Context): Promise<string[]> {
  const path = glob.replaceAll('\\', '/');
  const folder = folderOf(path.slice(0, path.search(/[*?[{]/)));
  const pattern = globPattern(path);
  const files = await filesUnder(folder === '' ? './' : folder, context);
  const found = files.map((file) => (folder === '' ? file.slice(2) : file)).filter((file) => pattern.test(file));
  if (found.length === 0) throw new InputError(`no file matches ${glob}`, { url: glob });
  return found;
}

async function* itemsOfPaths(paths: readonly string[], context: Context): AsyncGenerator<FoundItem> {
  const isDocument = (path: string) =>
    JSON_NAME.test(path) || LINES_NAME.test(path) || schemeOf(path)?.startsWith('http') === true;
  const rasters = paths.filter((path) => RASTER.test(path));
  const others = paths.filter((path) => !RASTER.test(path));
  const archive = others.find((path) => ARCHIVE.test(path));
  if (archive !== undefined)
    throw new InputError(`${archive} is an archive: unpack it, and give the folder of its files`, { url: archive });
  for (let i = 0; i < others.length; ) {
    const documents = others.slice(i).findIndex((path) => !isDocument(path));
    const end = documents < 0 ? others.length : i + documents;
    if (end > i) yield* itemsOfDocuments(others.slice(i, end), context);
    else yield* itemsOfFolder(others[i]!, context);
    i = Math.max(end, i + 1);
  }
  if (rasters.length > 0) yield* await itemsOfRasters(rasters, context);
}

async function openLazily(url: string, store: Store, signal: AbortSignal | undefined): Promise<Raster> {
  const { openRaster } = await import('./open-raster.js');
  return openRaster(url, { store, ...(signal && { signal }) });
}

async function* found(
  source: string | readonly string[] | object,
  { store = anyStore(), signal, openRaster, onUnreadable }: ReadScenesOptions,
): AsyncGenerator<FoundItem> {
  const context: Context = {
    store,
    ...(signal && { signal }),
    openRaster: openRaster ?? ((url) => openLazily(url, store, signal)),
    ...(onUnreadable && { onUnreadable }),
    seen: new Set(),
  };
  const texts = typeof source === 'string' ? [source] : source;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    return yield* await itemsOfDocument(source, null, context);
  const paths: string[] = [];
  for (const text of texts as string[]) paths.push(...(isGlob(text) ? await expandGlob(text, context) : [text]));
  yield* itemsOfPaths(paths, context);
}

/** The items of any source that {@link readScenes} takes, one after the other: a long collection is never in memory as a whole. */
export function readItems(
  source: string | readonly string[],
  options: ReadScenesOptions = {},
): AsyncGenerator<FoundItem> {
  return found(source, options);
}

/**
 * Scenes of any source: an item collection (also one item a line: .ndjson), one item, a catalogue or collection (its `item` and `child`
 * links, as long as they stay in its folder), a folder, a glob of rasters, several of these, or the parsed documents themselves. A
 * folder is read by its items.json, catalog.json or collection.json (unless that links to none, as products of tiles do); else as a product of ESA or USGS or a folder of them; else by the
 * files of Landsat ARD in it and below; else by the items there; else by its rasters, grouped as `scenesOfRasters` says. Data that is missing or of the wrong type is an
 * `InputError` that names item and field.
 */
export async function readScenes(
  source: string | readonly string[] | object,
  options: ReadScenesOptions = {},
): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for await (const item of found(source, options)) scenes.push(sceneOf(item));
  return scenes;
}

/**
 * The rasters that sources name, in their order, those of a folder or glob by path; null as soon as one of the sources is a document,
 * a folder that holds one, or a product of ESA or USGS.
 */
export async function rasterPaths(
  sources: readonly string[],
  { store = anyStore(), signal }: Pick<ReadScenesOptions, 'store' | 'signal'> = {},
): Promise<string[] | null> {
  const openRaster = (url: string) => openLazily(url, store, signal);
  const context: Context = { store, ...(signal && { signal }), openRaster, seen: new Set() };
  const paths: string[] = [];
  for (const source of sources) {
    if (isGlob(source)) paths.push(...(await expandGlob(source, context)));
    else if (RASTER.test(source)) paths.push(source);
    else if (JSON_NAME.test(source) || schemeOf(source)?.startsWith('http')) return null;
    else {
      const folder = source.endsWith('/') ? source : `${source}/`;
      const top = await store.list(folder, { ...(signal && { signal }) });
      if (await itemsOfProductFolder(folder, top, { store, ...(signal && { signal }) })) return null;
      paths.push(...(await filesUnder(folder, context)));
    }
  }
  if (paths.some((path) => JSON_NAME.test(path))) return null;
  return paths.filter((path) => RASTER.test(path));
}
