// Files of odc-dscache (`.db`), which odc-stats keeps its tasks in.
import { FormatError } from '../errors.js';
import { parseCrs } from '../geo/crs.js';
import { checkGridSpec, type GridSpec } from '../geo/gridspec.js';
import { openLmdb } from './lmdb-pages.js';
import type { OdcDataset, ProductBands } from './odc-dataset.js';
import { isObject, type Json } from './stac-item.js';
import type { Store } from './store.js';

/** Datasets, and which of them belong to which task. */
export interface DatasetCache {
  url: string;
  /** What the tasks were made with: `{ grid, freq, temporal_range, query, tiles }`; null where the file does not say. */
  config: Json | null;
  /** By name. */
  grids: ReadonlyMap<string, GridSpec>;
  /** By product. */
  bands: ReadonlyMap<string, ProductBands>;
  groups(): AsyncGenerator<CacheGroup>;
  /** @throws FormatError when there is none */
  group(key: string): Promise<CacheGroup>;
  datasets(): AsyncGenerator<OdcDataset>;
  /** @throws FormatError when there is none */
  dataset(uuid: string): Promise<OdcDataset>;
}

/** A task of the file: `<grid>/<period>/<x>/<y>`, and UUIDs of its datasets. */
export interface CacheGroup {
  key: string;
  grid: string;
  period: string;
  x: number;
  y: number;
  uuids: string[];
}

const VERSION = '0001';
/** Limits against hostile files. */
const MAX_DOCUMENT_BYTES = 16 * 2 ** 20;
const MAX_DICTIONARY_BYTES = 2 ** 20;
const MAX_GROUP_BYTES = 16 * 500_000;

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function uuidOf(bytes: Uint8Array): string {
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}

function uuidBytes(uuid: string): Uint8Array {
  return Uint8Array.from(uuid.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function gridOf(name: string, stored: Json): GridSpec {
  const two = (value: unknown): [number, number] =>
    Array.isArray(value) && value.length === 2 ? [Number(value[0]), Number(value[1])] : [Number.NaN, Number.NaN];
  const [tileY, tileX] = two(stored.tile_size);
  const [resolutionY, resolutionX] = two(stored.resolution).map(Math.abs) as [number, number];
  const [originY, originX] = two(stored.origin);
  const [width, height] = [Math.round(tileX / resolutionX), Math.round(tileY / resolutionY)];
  return checkGridSpec({
    name,
    crs: parseCrs(String(stored.crs)),
    originX,
    originY,
    resolutionX,
    resolutionY,
    width,
    height,
  });
}

function bandsOf(product: Json): ProductBands {
  const list = Array.isArray(product.measurements) ? product.measurements.filter(isObject) : [];
  return new Map(list.map((band) => [String(band.name), band]));
}

function groupOf(key: string, value: Uint8Array, url: string): CacheGroup {
  const [grid, period, x, y, ...more] = key.split('/');
  if (!grid || !period || more.length > 0 || !/^[+-]\d{1,7}$/.test(x ?? '') || !/^[+-]\d{1,7}$/.test(y ?? ''))
    throw new FormatError(`${url}: a task has the key ${JSON.stringify(key.slice(0, 80))}`, { url });
  if (value.length % 16 !== 0 || value.length > MAX_GROUP_BYTES)
    throw new FormatError(`${url}: the datasets of ${key} take ${value.length} bytes, and 16 each are wanted`, { url });
  const uuids = Array.from({ length: value.length / 16 }, (_, i) => uuidOf(value.subarray(16 * i, 16 * i + 16)));
  return { key, grid, period, x: Number(x), y: Number(y), uuids };
}

/**
 * Opens a cache for reading, wherever it lies.
 * @throws FormatError for files that are none, or of another version
 */
export async function openDatasetCache(
  url: string,
  { store, signal }: { store: Store; signal?: AbortSignal | undefined },
): Promise<DatasetCache> {
  const { unzstdWith } = await import('./zstd-encoder.js');
  const file = await openLmdb(url, { store, signal });
  const text = new TextDecoder();
  const encoded = new TextEncoder();
  const raw = (key: string) => file.get('info', encoded.encode(key));
  const version = await raw('version');
  if (!version) throw new FormatError(`${url} is no cache of tasks: it holds no version`, { url });
  if (text.decode(version) !== VERSION)
    throw new FormatError(`${url} has version ${text.decode(version.subarray(0, 20))}, and ${VERSION} is read`, {
      url,
    });
  const dictionary = Uint8Array.from((await raw('zdict')) ?? []);
  if (dictionary.length > MAX_DICTIONARY_BYTES)
    throw new FormatError(`${url}: a dictionary of ${dictionary.length} bytes`, { url });

  async function document(value: Uint8Array, what: string): Promise<Json> {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text.decode(await unzstdWith(dictionary, value, MAX_DOCUMENT_BYTES)));
    } catch (cause) {
      throw new FormatError(`${url}: ${what} cannot be read: ${(cause as Error).message}`, { url }, { cause });
    }
    if (!isObject(parsed)) throw new FormatError(`${url}: ${what} is no JSON object`, { url });
    return parsed;
  }
  async function datasetOf(uuid: string, value: Uint8Array): Promise<OdcDataset> {
    const { product, uris, metadata } = await document(value, `dataset ${uuid}`);
    const list = Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
    if (typeof product !== 'string' || !isObject(metadata))
      throw new FormatError(`${url}: dataset ${uuid} has no product or metadata`, { url });
    return { id: uuid, product, uris: list, metadata };
  }

  const grids = new Map<string, GridSpec>();
  const bands = new Map<string, ProductBands>();
  let config: Json | null = null;
  for await (const { key, value } of file.entries('info')) {
    const [kind, ...rest] = text.decode(key).split('/');
    const name = rest.join('/');
    if (kind === 'grid') grids.set(name, gridOf(name, await document(value, `grid ${name}`)));
    if (kind === 'product') bands.set(name, bandsOf(await document(value, `product ${name}`)));
    if (kind === 'stats' && name === 'config') config = await document(value, 'the configuration of its tasks');
  }
  return {
    url,
    config,
    grids,
    bands,
    async *groups() {
      for await (const { key, value } of file.entries('groups')) yield groupOf(text.decode(key), value, url);
    },
    async group(key) {
      const value = await file.get('groups', encoded.encode(key));
      if (!value) throw new FormatError(`${url} has no task ${key}`, { url });
      return groupOf(key, value, url);
    },
    async *datasets() {
      for await (const { key, value } of file.entries('ds')) {
        if (key.length !== 16) throw new FormatError(`${url}: a dataset has a key of ${key.length} bytes`, { url });
        yield await datasetOf(uuidOf(key), value);
      }
    },
    async dataset(uuid) {
      const value = await file.get('ds', uuidBytes(uuid));
      if (!value) throw new FormatError(`${url} has no dataset ${uuid}`, { url });
      return datasetOf(uuid, value);
    },
  };
}
