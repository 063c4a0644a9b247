import { InputError } from '../errors.js';
import { folderOf, isInside, resolveHref, schemeOf } from './href.js';
import { ardItems } from './landsat-ard.js';
import { mapFew } from './map-few.js';
import { itemsOfProductFolder } from './product-folder.js';
import type { Raster } from './raster.js';
import { type OnUnreadable, scenesOfRasters } from './raster-scenes.js';
import type { Scene } from './scene.js';
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

/** Limits against hostile or mistaken input. */
const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;
const MAX_SCENES = 500_000;
const MAX_DOCUMENTS = 200_000;
const MAX_DEPTH = 12;
const AT_ONCE = 16;

const RASTER = /\.(tiff?|jp2|j2k|j2c|jpc|jpx)$/i;
const JSON_NAME = /\.(geo)?json$/i;
const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;

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

/** Scenes of the documents that a catalogue or collection links to, in link order; all must lie in `root` or below. */
async function scenesOfLinks(
  document: Json,
  url: string,
  context: Context,
  at: { depth: number; root: string },
): Promise<Scene[]> {
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
    scenesOfDocument(await readJson(target, context), target, context, { depth: at.depth + 1, root: at.root }),
  );
  return nested.flat();
}

async function scenesOfDocument(
  document: unknown,
  url: string | null,
  context: Context,
  at: { depth: number; root: string } = { depth: 0, root: url === null ? '' : folderOf(url) },
): Promise<Scene[]> {
  const features = Array.isArray(document) ? document : isObject(document) ? document.features : undefined;
  if (Array.isArray(features)) {
    if (features.length > MAX_SCENES) throw new InputError(`${features.length} items: the limit is ${MAX_SCENES}`);
    return features.map((item, index) => sceneOfItem(item, url, index));
  }
  if (isObject(document)) {
    if (document.type === 'Feature') return [sceneOfItem(document, url)];
    const isCatalog = document.type === 'Catalog' || document.type === 'Collection' || Array.isArray(document.links);
    if (isCatalog && url !== null) return scenesOfLinks(document, url, context, at);
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

async function scenesOfFolder(folder: string, context: Context): Promise<Scene[]> {
  const root = folder.endsWith('/') ? folder : `${folder}/`;
  const top = await context.store.list(root, { ...(context.signal && { signal: context.signal }) });
  for (const name of ['items.json', 'catalog.json', 'collection.json'])
    if (top.includes(name)) return scenesOfDocument(await readJson(root + name, context), root + name, context);
  const { store, signal } = context;
  const products = await itemsOfProductFolder(root, top, { store, ...(signal && { signal }) });
  if (products) return products.map((item, index) => sceneOfItem(item, null, index));
  const files = await filesUnder(root, context);
  const rasters = files.filter((file) => RASTER.test(file));
  // Items that USGS puts beside its bands name them on its servers.
  if (ardItems(rasters).items.length > 0) return scenesOfFiles(rasters, context);
  const documents = await mapFew(
    files.filter((file) => JSON_NAME.test(file)),
    AT_ONCE,
    async (file) => ({ file, document: await readJson(file, context) }),
  );
  const items = documents.filter(
    ({ document }) => isObject(document) && document.type === 'Feature' && isObject(document.assets),
  );
  if (items.length > 0) return items.map(({ document, file }) => sceneOfItem(document, file));
  if (rasters.length === 0) {
    const archives = files.filter((file) => ARCHIVE.test(file));
    const packed = archives.length > 0 ? `: unpack its ${archives.length} archives first, like ${archives[0]}` : '';
    throw new InputError(`no scenes in ${folder}: neither STAC items nor rasters${packed}`, { url: folder });
  }
  return scenesOfFiles(rasters, context);
}

/** Scenes of bare files: bands of Landsat ARD by their names, others by their headers too. */
async function scenesOfFiles(rasters: readonly string[], context: Context): Promise<Scene[]> {
  const { items, others } = ardItems(rasters);
  const scenes = items.map((item, index) => sceneOfItem(item, null, index));
  return others.length > 0
    ? [...scenes, ...(await scenesOfRasters(others, context.openRaster, context.onUnreadable))]
    : scenes;
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

async function scenesOfPaths(paths: readonly string[], context: Context): Promise<Scene[]> {
  const rasters = paths.filter((path) => RASTER.test(path));
  const others = paths.filter((path) => !RASTER.test(path));
  const archive = others.find((path) => ARCHIVE.test(path));
  if (archive !== undefined)
    throw new InputError(`${archive} is an archive: unpack it, and give the folder of its files`, { url: archive });
  const scenes = await mapFew(others, AT_ONCE, async (path) =>
    JSON_NAME.test(path) || schemeOf(path)?.startsWith('http')
      ? scenesOfDocument(await readJson(path, context), path, context)
      : scenesOfFolder(path, context),
  );
  if (rasters.length > 0) scenes.push(await scenesOfFiles(rasters, context));
  return scenes.flat();
}

async function openLazily(url: string, store: Store, signal: AbortSignal | undefined): Promise<Raster> {
  const { openRaster } = await import('./open-raster.js');
  return openRaster(url, { store, ...(signal && { signal }) });
}

/**
 * Scenes of any source: an item collection, one item, a catalogue or collection (its `item` and `child` links, as long as they stay in
 * its folder), a folder, a glob of rasters, several of these, or the parsed documents themselves. A folder is read by its items.json,
 * catalog.json or collection.json; else as a product of ESA or USGS or a folder of them; else by the files of Landsat ARD in it and below;
 * else by the items there; else by its rasters, grouped as `scenesOfRasters` says. Data that is missing or of the wrong type is an `InputError` that names item and field.
 */
export async function readScenes(
  source: string | readonly string[] | object,
  { store = anyStore(), signal, openRaster, onUnreadable }: ReadScenesOptions = {},
): Promise<Scene[]> {
  const context: Context = {
    store,
    ...(signal && { signal }),
    openRaster: openRaster ?? ((url) => openLazily(url, store, signal)),
    ...(onUnreadable && { onUnreadable }),
    seen: new Set(),
  };
  const texts = typeof source === 'string' ? [source] : source;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    return scenesOfDocument(source, null, context);
  const paths: string[] = [];
  for (const text of texts as string[]) paths.push(...(isGlob(text) ? await expandGlob(text, context) : [text]));
  return scenesOfPaths(paths, context);
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
