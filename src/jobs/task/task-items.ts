// Where the scenes of tasks are looked for: as `search` does, but one item after the other, and in caches of odc-stats.
import { InputError } from '../../errors.js';
import type { Interval } from '../../geo/time.js';
import { type ArchiveName, searchArchive } from '../../io/archive.js';
import { type DatasetCache, openDatasetCache } from '../../io/dataset-cache.js';
import { type FoundItem, readItems } from '../../io/stac.js';
import { describeSearch, stacPages } from '../../io/stac-search.js';
import type { Store } from '../../io/store.js';
import { storeFor } from '../../io/stores.js';
import { APIS, type SearchOptions } from '../search.js';
import type { ProductList } from './product-list.js';
import { cacheItems } from './task-cache.js';

/** What restricts a search where the place itself can. */
export interface ItemsWanted {
  timeless: ReadonlySet<string>;
  interval: Interval | null;
  /** West, south, east, north in degrees, west > east across the antimeridian; null: anywhere. */
  bounds: readonly [number, number, number, number] | null;
}

export type ItemPlace = Pick<
  SearchOptions,
  | 'stac'
  | 'collections'
  | 'query'
  | 'filter'
  | 'alternate'
  | 'bucket'
  | 'tile'
  | 'pathRow'
  | 'mirror'
  | 'allProcessings'
  | 'sources'
  | 'store'
  | 'http'
> & { signal?: AbortSignal | undefined };

/** Items as they arrive, and where they come from, for messages. */
export interface ItemSource {
  items(wanted: ItemsWanted): AsyncIterable<FoundItem>;
  searched: string;
  /** Where the place is one cache, whose tasks may be taken as they are. */
  cache: DatasetCache | null;
}

const isCache = (source: string) => /\.db$/i.test(source);

async function* inApi(
  place: ItemPlace,
  collections: readonly string[],
  { timeless, interval, bounds }: ItemsWanted,
): AsyncGenerator<FoundItem> {
  if (collections.length === 0)
    throw new InputError('a search of a STAC API wants --input-products (or --collections): else it finds anything', {
      option: 'input-products',
    });
  const dated = collections.filter((name) => !timeless.has(name));
  const undated = collections.filter((name) => timeless.has(name));
  const { query, filter, alternate, signal, http } = place;
  for (const [names, within] of [
    [dated, interval],
    [undated, null],
  ] as const) {
    if (names.length === 0) continue;
    const asked = {
      collections: names,
      ...(bounds && { bbox: bounds }),
      ...(within && { interval: within }),
      ...(query && { query }),
      ...(filter && { filter }),
    };
    for await (const { items } of stacPages(addressOf(place.stac!), asked, { ...http, alternate, signal }))
      for (const [index, item] of items.entries()) yield { item, href: null, index };
  }
}

const addressOf = (api: string) => (Object.hasOwn(APIS, api) ? APIS[api]! : api);

async function* inArchive(place: ItemPlace, { interval }: ItemsWanted): AsyncGenerator<FoundItem> {
  const { tile, pathRow, mirror, allProcessings, store, signal } = place;
  if (!interval)
    throw new InputError('a bucket is searched by time: give --temporal-range', { option: 'temporal-range' });
  const { items } = await searchArchive(place.bucket as ArchiveName, {
    ...(tile !== undefined && { tile }),
    ...(pathRow !== undefined && { pathRow }),
    ...(mirror !== undefined && { bucket: mirror }),
    ...(allProcessings && { allProcessings }),
    ...(store && { store }),
    ...(signal && { signal }),
    interval,
  });
  for (const [index, item] of items.entries()) yield { item, href: null, index };
}

async function* inSources(
  sources: readonly string[],
  caches: readonly DatasetCache[],
  place: ItemPlace,
): AsyncGenerator<FoundItem> {
  const { store, signal } = place;
  const others = sources.filter((source) => !isCache(source));
  if (others.length > 0) yield* readItems(others, { ...(store && { store }), ...(signal && { signal }) });
  for (const cache of caches) yield* cacheItems(cache);
}

/**
 * Opens one place: an API (`stac`), an archive (`bucket`), or files, folders and caches (`sources`).
 * @throws InputError for none or several of them
 */
export async function openItems(place: ItemPlace, products: ProductList | null): Promise<ItemSource> {
  const { stac, bucket, store, signal } = place;
  const folders = (products?.folders ?? []).map((folder) => `${folder}*/*/*/*.stac-item.json`);
  const sources = [...[place.sources ?? []].flat(), ...folders];
  const places = [stac, bucket, sources.length > 0 ? sources : undefined].filter((one) => one !== undefined);
  if (places.length !== 1)
    throw new InputError(
      'scenes come from one place: --stac, or --bucket with --tile or --path-row, or folders, items and caches',
    );
  if (stac !== undefined) {
    const collections = place.collections ?? products?.groups.flat() ?? [];
    const searched = describeSearch(addressOf(stac), { collections });
    return { items: (wanted) => inApi(place, collections, wanted), searched, cache: null };
  }
  if (bucket !== undefined) return { items: (wanted) => inArchive(place, wanted), searched: bucket, cache: null };
  const caches: DatasetCache[] = [];
  const open = (url: string, own: Store = store ?? storeFor(url)) => openDatasetCache(url, { store: own, signal });
  for (const url of sources.filter(isCache)) caches.push(await open(url));
  const only = sources.length === 1 && caches.length === 1 ? caches[0]! : null;
  return { items: () => inSources(sources, caches, place), searched: sources.join(', ').slice(0, 300), cache: only };
}
