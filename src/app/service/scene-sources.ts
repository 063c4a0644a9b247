// Where the service finds its scenes: sources as `stackwise ccdc` takes them, and searches.
import { readFileSync } from 'node:fs';
import { InputError } from '../../errors.js';
import type { Scene } from '../../io/scene.js';
import { readScenes } from '../../io/stac.js';
import { isObject } from '../../io/stac-item.js';
import { type SearchOptions, searchScenes } from '../../jobs/search.js';

export interface SceneSources {
  /** Items, catalogues, folders, rasters. */
  paths: string[];
  /** Options of a search, as plain data. */
  searches: SearchOptions[];
}

/** What a search may say, by the names of {@link SearchOptions}, and of which type it is. */
const FIELDS: Readonly<Record<string, 'string' | 'number' | 'strings' | 'numbers' | 'object' | 'sources'>> = {
  stac: 'string',
  collections: 'strings',
  ids: 'strings',
  query: 'object',
  filter: 'object',
  alternate: 'string',
  bucket: 'string',
  tile: 'string',
  pathRow: 'string',
  mirror: 'string',
  sources: 'sources',
  datetime: 'string',
  bbox: 'numbers',
  geometry: 'object',
  maxCloudPercent: 'number',
  limit: 'number',
};

function isOf(value: unknown, type: (typeof FIELDS)[string]): boolean {
  const isList = (of: string) => Array.isArray(value) && value.every((one) => typeof one === of);
  if (type === 'strings') return isList('string');
  if (type === 'numbers') return isList('number');
  if (type === 'object') return isObject(value);
  if (type === 'sources') return typeof value === 'string' || isList('string');
  return typeof value === type;
}

function searchOf(document: Record<string, unknown>): SearchOptions {
  for (const [name, value] of Object.entries(document)) {
    if (!Object.hasOwn(FIELDS, name)) throw new InputError(`a search has no "${name}"`, { option: 'scenes' });
    const type = FIELDS[name]!;
    if (!isOf(value, type)) {
      throw new InputError(`"${name}" of a search is of type ${type}, got ${JSON.stringify(value)}`, {
        option: 'scenes',
      });
    }
  }
  return document as SearchOptions;
}

/** A search as JSON text, or a file of it: an object that is nothing of STAC. Null for other sources. */
function searchIn(text: string): SearchOptions | null {
  const isInline = text.trimStart().startsWith('{');
  if (!isInline && !/\.json$/i.test(text)) return null;
  let document: unknown;
  try {
    document = JSON.parse(isInline ? text : readFileSync(text, 'utf8'));
  } catch (cause) {
    if (!isInline) return null; // An address, or a file that is complained of where it is read.
    throw new InputError(`this is no JSON: ${(cause as Error).message}`, { option: 'scenes' }, { cause });
  }
  const isSearch = isObject(document) && ['stac', 'bucket', 'sources'].some((name) => Object.hasOwn(document, name));
  if (isSearch && !Object.hasOwn(document as object, 'type')) return searchOf(document as Record<string, unknown>);
  if (isInline) throw new InputError('a search has "stac", "bucket" or "sources"', { option: 'scenes' });
  return null;
}

/** Tells searches from other sources. */
export function sceneSources(texts: readonly string[]): SceneSources {
  const found: SceneSources = { paths: [], searches: [] };
  for (const text of texts) {
    const search = searchIn(text);
    if (search) found.searches.push(search);
    else found.paths.push(text);
  }
  return found;
}

/** The scenes that there are now. */
export async function findScenes({ paths, searches }: SceneSources, signal: AbortSignal): Promise<Scene[]> {
  const scenes = paths.length > 0 ? await readScenes(paths, { signal }) : [];
  for (const search of searches) scenes.push(...(await searchScenes({ ...search, signal })).scenes);
  return scenes;
}
