// Caches of odc-stats as sets of tasks.
import { FormatError, InputError } from '../../errors.js';
import type { NamedPeriod } from '../../geo/frequency.js';
import { type GridSpec, indexDigits, regionCode, tileGrid } from '../../geo/gridspec.js';
import { parsePeriod, periodLabel } from '../../geo/period.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import { type CacheGroup, type DatasetCache, openDatasetCache } from '../../io/dataset-cache.js';
import { resolveHref, schemeOf } from '../../io/href.js';
import { type OdcDataset, odcItems } from '../../io/odc-dataset.js';
import type { FoundItem } from '../../io/stac.js';
import { isObject } from '../../io/stac-item.js';
import type { Store } from '../../io/store.js';
import { byTaskKey, countDays, signed, type Task, type TaskKey, type TaskScene, taskId } from './task.js';
import { taskSceneOf } from './task-scene.js';
import type { TaskSet, TaskSetHead } from './task-set.js';
import type { TaskRow } from './task-table.js';

const isLocal = (url: string) => [null, 'file'].includes(schemeOf(url));

/** Datasets as items, one converter a cache. */
function itemsOfCache(cache: DatasetCache): (dataset: OdcDataset) => Promise<FoundItem> {
  const itemOf = odcItems();
  return async (dataset) => {
    // A cache that came from elsewhere cannot name files of this machine.
    const uris = dataset.uris.slice(0, 1).map((uri) => (isLocal(cache.url) ? uri : resolveHref(uri, cache.url)));
    const item = await itemOf({ ...dataset, uris }, cache.bands.get(dataset.product));
    return { item, href: uris[0] ?? null, index: 0 };
  };
}

/** All datasets of a cache as STAC items. */
export async function* cacheItems(cache: DatasetCache): AsyncGenerator<FoundItem> {
  const itemOf = itemsOfCache(cache);
  for await (const dataset of cache.datasets()) yield await itemOf(dataset);
}

/** The grid that a cache's tasks lie on. */
export function cacheGrid({ config, grids, url }: DatasetCache): GridSpec {
  const name = typeof config?.grid === 'string' ? config.grid : grids.size === 1 ? [...grids.keys()][0]! : '';
  const spec = grids.get(name);
  if (!spec) throw new FormatError(`${url} has no grid ${JSON.stringify(name)}`, { url });
  return spec;
}

/** A cache knows a period by its key alone. */
export function cachePeriod(key: string): NamedPeriod {
  const period = parsePeriod(key);
  return { ...period, key, label: periodLabel(period) };
}

/** Tasks of the cache's own grid by period, x and y. */
export async function cacheGroups(cache: DatasetCache, { name }: GridSpec): Promise<CacheGroup[]> {
  const groups: CacheGroup[] = [];
  for await (const group of cache.groups()) if (group.grid === name) groups.push(group);
  return groups.sort(byTaskKey);
}

function headOf(cache: DatasetCache, gridSpec: GridSpec, groups: readonly CacheGroup[]): TaskSetHead {
  const { config } = cache;
  const query = config?.query as { product?: unknown } | undefined;
  const products = query?.product === undefined ? [...cache.bands.keys()] : [query.product].flat();
  const counts = new Map<string, number>();
  for (const { period } of groups) counts.set(period, (counts.get(period) ?? 0) + 1);
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    inputProducts: products.join('-'),
    gridSpec,
    frequency: text(config?.freq),
    temporalRange: text(config?.temporal_range),
    tasks: groups.length,
    scenes: new Set(groups.flatMap(({ uuids }) => uuids)).size,
    digits: indexDigits(groups),
    periods: [...counts].map(([key, tasks]) => ({ key, label: cachePeriod(key).label, tasks })),
  };
}

const UUID = /^[0-9a-f-]{36}$/i;

/** UUIDs of the datasets that a fused one was made of; of others none. */
function partsOf({ product, metadata }: OdcDataset): string[] {
  if (!product.includes('fused') || !isObject(metadata.lineage)) return [];
  const sources = Object.values(metadata.lineage).flatMap((one) => (isObject(one) ? Object.values(one) : one));
  const ids = sources.map((one) => (isObject(one) ? one.id : one));
  return ids.filter((id): id is string => typeof id === 'string' && UUID.test(id));
}

const byTime = (a: TaskScene, b: TaskScene) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

export async function openCacheSet(
  url: string,
  { store, signal }: { store: Store; signal?: AbortSignal | undefined },
): Promise<TaskSet> {
  const cache = await openDatasetCache(url, { store, signal });
  const gridSpec = cacheGrid(cache);
  const groups = await cacheGroups(cache, gridSpec);
  const head = headOf(cache, gridSpec, groups);
  const outlines = await tileOutlines(gridSpec);
  const itemOf = itemsOfCache(cache);
  const scenesOf = async ({ uuids }: CacheGroup): Promise<TaskScene[]> => {
    const scenes: TaskScene[] = [];
    for (const uuid of new Set(uuids)) {
      const dataset = await cache.dataset(uuid);
      const parts = partsOf(dataset);
      scenes.push({ ...taskSceneOf(await itemOf(dataset)), ...(parts.length > 0 && { parts }) });
    }
    return scenes.sort(byTime);
  };
  return {
    url,
    head,
    async rows(): Promise<TaskRow[]> {
      const times = new Map<string, number>();
      for await (const found of cacheItems(cache)) {
        const { uuid, timeMs } = taskSceneOf(found);
        times.set(uuid, timeMs);
      }
      return groups.map(({ period, x, y, uuids }) => {
        const known = [...new Set(uuids)].map((uuid) => times.get(uuid));
        if (known.includes(undefined))
          throw new FormatError(`${url} lacks datasets of its task ${period}/${x}/${y}`, { url });
        return { period, x, y, datasets: known.length, days: countDays(known as number[], 0) };
      });
    },
    async task(key: TaskKey): Promise<Task> {
      const id = taskId(key);
      const name = `${gridSpec.name}/${key.period}/${signed(key.x)}/${signed(key.y)}`;
      if (!groups.some(({ key: stored }) => stored === name)) throw new InputError(`${url} has no task ${id}`, { url });
      const tile = { x: key.x, y: key.y };
      return {
        id,
        inputProducts: head.inputProducts,
        tile,
        regionCode: regionCode(tile, head.digits),
        gridSpec,
        grid: tileGrid(gridSpec, tile),
        period: cachePeriod(key.period),
        solarOffsetHours: outlines.solarOffsetHours(tile),
        scenes: await scenesOf(await cache.group(name)),
      };
    },
  };
}
