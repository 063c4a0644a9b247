import { InputError } from '../errors.js';
import { LON_LAT } from '../geo/crs.js';
import { parseBbox, regionOfBbox, regionOfGeoJson } from '../geo/region.js';
import { type Interval, parseInterval } from '../geo/time.js';
import { type ArchiveName, type Found, searchArchive } from '../io/archive.js';
import type { Scene } from '../io/scene.js';
import { itemOfScene } from '../io/scene-item.js';
import { readScenes } from '../io/stac.js';
import { type Json, sceneOfItem } from '../io/stac-item.js';
import { type StacSearchOptions, searchStac } from '../io/stac-search.js';
import type { Store } from '../io/store.js';
import { selectScenes } from '../stats/select.js';

/** Where scenes are looked for, and which: one place (`stac`, `bucket` or `sources`) and any restrictions. */
export interface SearchOptions {
  /** Address of a STAC API, or its name: earth-search, planetary-computer, usgs, dea, cdse. */
  stac?: string | undefined;
  collections?: readonly string[] | undefined;
  ids?: readonly string[] | undefined;
  /** Of the API's query extension. */
  query?: Json | undefined;
  /** CQL2 as JSON, passed to the API as it is. */
  filter?: Json | undefined;
  /** Which of an asset's addresses: `s3`, `https`, … */
  alternate?: string | undefined;
  /** An archive without an index: sentinel-s2-l1c, sentinel-s2-l2a, sentinel-cogs, usgs-landsat. */
  bucket?: string | undefined;
  tile?: string | undefined;
  pathRow?: string | undefined;
  /** Another bucket of the archive's layout. */
  mirror?: string | undefined;
  /** Every processing of an acquisition in an archive, not only the newest. Default false. */
  allProcessings?: boolean | undefined;
  /** Folders, items, catalogues: all that `readScenes` reads. */
  sources?: string | readonly string[] | undefined;
  datetime?: string | undefined;
  /** West, south, east, north in degrees. */
  bbox?: readonly number[] | undefined;
  /** GeoJSON in degrees. */
  geometry?: unknown;
  maxCloudPercent?: number | undefined;
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
  onNote?: ((text: string) => void) | undefined;
  /** Where buckets and folders are read from; default: by address. */
  store?: Store | undefined;
  /** How the API is asked. */
  http?: Pick<StacSearchOptions, 'fetch' | 'retry' | 'headers' | 'pageItems'> | undefined;
}

export interface SearchResult {
  /** By time, then id. */
  scenes: Scene[];
  /** The same as STAC items, in the same order. */
  items: Json[];
  /** That were sent; 0 for folders. */
  requests: number;
  /** Where was looked. */
  searched: string;
}

/** Well-known APIs by name. */
export const APIS: Readonly<Record<string, string>> = {
  'earth-search': 'https://earth-search.aws.element84.com/v1',
  'planetary-computer': 'https://planetarycomputer.microsoft.com/api/stac/v1',
  usgs: 'https://landsatlook.usgs.gov/stac-server',
  dea: 'https://explorer.dea.ga.gov.au/stac',
  cdse: 'https://stac.dataspace.copernicus.eu/v1',
};

async function inApi(api: string, options: SearchOptions, interval: Interval | null): Promise<Found> {
  const { collections, ids, query, filter, bbox, geometry, limit, signal, alternate, http } = options;
  if (!collections?.length && !ids?.length)
    throw new InputError('a search of a STAC API wants --collections (or --ids): else it finds anything', {
      option: 'collections',
    });
  return searchStac(
    Object.hasOwn(APIS, api) ? APIS[api]! : api,
    {
      ...(collections && { collections }),
      ...(ids && { ids }),
      ...(bbox && { bbox }),
      ...(geometry !== undefined && { intersects: plainGeometry(geometry) }),
      ...(interval && { interval }),
      ...(query && { query }),
      ...(filter && { filter }),
      // What is filtered here afterwards must not be counted by the server.
      ...(limit !== undefined && options.maxCloudPercent === undefined && { limit }),
    },
    { ...http, alternate, signal },
  );
}

/** APIs take a geometry alone. */
export function plainGeometry(given: unknown): Json {
  const value = given as { type?: string; geometry?: unknown; features?: unknown[] };
  if (value.type === 'Feature') return value.geometry as Json;
  if (value.type !== 'FeatureCollection') return value as Json;
  const geometries = (value.features ?? []).map((feature) => (feature as { geometry: unknown }).geometry);
  return (geometries.length === 1 ? geometries[0] : { type: 'GeometryCollection', geometries }) as Json;
}

async function inFolders(options: SearchOptions): Promise<Found> {
  const { signal, store } = options;
  const sources = options.sources!;
  const scenes = await readScenes(sources, { ...(signal && { signal }), ...(store && { store }) });
  return { items: scenes.map(itemOfScene), requests: 0, searched: [sources].flat().join(', '), notes: [] };
}

/** Options that say something in one kind of place only, by what the command calls them. */
const OF_STAC = {
  collections: 'collections',
  ids: 'ids',
  query: 'query',
  filter: 'filter',
  alternate: 'prefer',
} as const;
const OF_BUCKETS = { tile: 'tile', pathRow: 'path-row', mirror: 'mirror' } as const;

/** @throws InputError for an option that would be passed over: the result would hold more than was asked for */
export function refuseForeign(options: SearchOptions): void {
  const foreign = {
    ...(options.stac === undefined && OF_STAC),
    ...(options.bucket === undefined && OF_BUCKETS),
  };
  for (const [key, option] of Object.entries(foreign)) {
    if (options[key as keyof SearchOptions] === undefined) continue;
    const place = Object.hasOwn(OF_STAC, key) ? 'a STAC API (--stac)' : 'an archive (--bucket)';
    throw new InputError(`it belongs to the search of ${place}, which is not given`, { option });
  }
}

async function find(options: SearchOptions, interval: Interval | null): Promise<Found> {
  const { stac, bucket, tile, pathRow, mirror, sources, store, signal } = options;
  const places = [stac, bucket, sources && sources.length > 0 ? sources : undefined].filter((p) => p !== undefined);
  if (places.length !== 1)
    throw new InputError('search one place: --stac, or --bucket with --tile or --path-row, or folders and catalogues');
  refuseForeign(options);
  if (stac !== undefined) return inApi(stac, options, interval);
  if (bucket === undefined) return inFolders(options);
  if (!interval) throw new InputError('a bucket is searched by time: give --datetime', { option: 'datetime' });
  return searchArchive(bucket as ArchiveName, {
    ...(tile !== undefined && { tile }),
    ...(pathRow !== undefined && { pathRow }),
    ...(mirror !== undefined && { bucket: mirror }),
    ...(options.allProcessings && { allProcessings: true }),
    ...(store && { store }),
    ...(signal && { signal }),
    interval,
  });
}

type LonLatBounds = readonly [west: number, south: number, east: number, north: number];

/** The area's bounds in degrees, west > east across the antimeridian; null: anywhere. */
async function boundsOf({ bbox, geometry }: SearchOptions): Promise<LonLatBounds | null> {
  if (geometry !== undefined) return (await regionOfGeoJson(geometry, { crs: LON_LAT })).lonLatBounds;
  if (!bbox) return null;
  const [west, south, east, north] = parseBbox(bbox.join(','));
  // Across the antimeridian a search may go over more than half of the globe.
  await regionOfBbox([west, south, west > east ? 180 : east, north], { crs: LON_LAT });
  return [west, south, east, north];
}

/**
 * Finds scenes in a STAC API, in an archive's bucket without an index, or in folders and catalogues.
 * @throws InputError when none is found, with what was searched and how many requests that took
 */
export async function searchScenes(options: SearchOptions): Promise<SearchResult> {
  const { datetime, bbox, geometry, maxCloudPercent, limit, onNote } = options;
  if (bbox && geometry !== undefined) throw new InputError('give one area, not both --bbox and --geometry');
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
    throw new InputError(`a limit is a whole number of 1 or more, and got ${limit}`, { option: 'limit' });
  const interval = datetime === undefined ? null : parseInterval(datetime);
  const bounds = await boundsOf(options);
  const found = await find(options, interval);
  for (const note of found.notes) onNote?.(note);
  const took = found.requests > 0 ? ` (${found.requests} requests)` : '';
  if (found.items.length === 0) throw new InputError(`no scenes: 0 found in ${found.searched}${took}`);
  const byScene = new Map(found.items.map((item, i) => [sceneOfItem(item, null, i), item]));
  const scenes = [...byScene.keys()];
  const selected = selectScenes(scenes, {
    interval,
    maxCloudPercent: maxCloudPercent ?? null,
    limit: limit ?? null,
    lonLatBounds: bounds,
    source: `${found.searched}${took}`,
  });
  for (const note of selected.notes) onNote?.(note);
  // Twins were merged into scenes of their own.
  const items = selected.scenes.map((scene) => byScene.get(scene) ?? itemOfScene(scene));
  return { scenes: selected.scenes, items, requests: found.requests, searched: found.searched };
}
