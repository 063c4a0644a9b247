import { InputError } from '../errors.js';
import { parseTileId } from '../geo/mgrs.js';
import { type Interval, inInterval, parseDatetime } from '../geo/time.js';
import type { Finding } from './archive-listing.js';
import { findLandsat } from './landsat-archive.js';
import { storeMeter, withMeter } from './meter.js';
import { newestProcessings } from './reprocessing.js';
import { findSentinelCogs } from './sentinel-cogs.js';
import { findSentinelTiles } from './sentinel-tiles.js';
import { isObject, type Json } from './stac-item.js';
import type { Store } from './store.js';
import { anyStore } from './stores.js';

/** Buckets without an index whose layout is known. */
export const ARCHIVES = ['sentinel-s2-l1c', 'sentinel-s2-l2a', 'sentinel-cogs', 'usgs-landsat'] as const;
export type ArchiveName = (typeof ARCHIVES)[number];

export interface ArchiveQuery {
  /** `10UDV`: for the archives of Sentinel-2. */
  tile?: string;
  /** `001/062`: for that of Landsat. */
  pathRow?: string;
  /** Times of acquisition. */
  interval: Interval;
  /** Another bucket of the same layout: a mirror. */
  bucket?: string;
  /** Every processing of an acquisition, not only the newest. Default false. */
  allProcessings?: boolean;
  store?: Store;
  signal?: AbortSignal;
}

/** Items, and what it took to find them. */
export interface Found {
  /** STAC items by time of acquisition. */
  items: Json[];
  /** Requests that were sent: lists and documents. */
  requests: number;
  /** Where was looked, for people. */
  searched: string;
  notes: string[];
}

interface Layout {
  place: 'tile' | 'pathRow';
  /** First acquisition, ms UTC. */
  beginsMs: number;
  find(finding: Finding, place: string): Promise<Json[]>;
}

const LAYOUTS: Record<ArchiveName, Layout> = {
  'sentinel-s2-l1c': {
    place: 'tile',
    beginsMs: Date.UTC(2015, 5, 1),
    find: (finding, tile) => findSentinelTiles(finding, parseTileId(tile), 'L1C'),
  },
  'sentinel-s2-l2a': {
    place: 'tile',
    beginsMs: Date.UTC(2015, 5, 1),
    find: (finding, tile) => findSentinelTiles(finding, parseTileId(tile), 'L2A'),
  },
  'sentinel-cogs': {
    place: 'tile',
    beginsMs: Date.UTC(2015, 5, 1),
    find: (finding, tile) => findSentinelCogs(finding, parseTileId(tile)),
  },
  'usgs-landsat': { place: 'pathRow', beginsMs: Date.UTC(1982, 7, 1), find: findLandsat },
};

/**
 * Finds the scenes of a tile (or path and row) acquired in an interval, by listing folders whose names are dates: a request a month
 * and one more a day that matches, and a small document a scene. Times are those of the documents, never of the upload. Only the newest
 * processing of an acquisition stays.
 */
export async function searchArchive(name: ArchiveName, query: ArchiveQuery): Promise<Found> {
  const layout = Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name] : null;
  if (!layout)
    throw new InputError(`there is no archive "${name}": give one of ${ARCHIVES.join(', ')}`, { option: 'bucket' });
  const place = query[layout.place];
  if (place === undefined) {
    const wanted = layout.place === 'tile' ? '--tile like 10UDV' : '--path-row like 001/062';
    throw new InputError(`${name} is searched by ${wanted}`, { option: layout.place === 'tile' ? 'tile' : 'path-row' });
  }
  const other = layout.place === 'tile' ? ('pathRow' as const) : ('tile' as const);
  if (query[other] !== undefined)
    throw new InputError(`${name} is not searched by it`, { option: other === 'tile' ? 'tile' : 'path-row' });
  const { bucket = name, interval, store = anyStore(), signal } = query;
  const startMs = Math.max(interval.startMs ?? layout.beginsMs, layout.beginsMs);
  const endMs = Math.min(interval.endMs ?? Date.now(), Date.now());
  const meter = storeMeter();
  const finding = { bucket, startMs, endMs, store: withMeter(store, meter), ...(signal && { signal }) };
  const all = startMs <= endMs ? await layout.find(finding, place) : [];
  const inTime = all.filter((item) => inInterval(acquiredMs(item), interval));
  const { items, replaced } =
    layout.place === 'tile' && !query.allProcessings ? newestProcessings(inTime) : { items: inTime, replaced: [] };
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return {
    items,
    requests: meter.requests,
    searched: `s3://${bucket} for ${layout.place === 'tile' ? 'tile' : 'path/row'} ${place} from ${day(startMs)} to ${day(Math.max(startMs, endMs))}`,
    notes:
      replaced.length > 0
        ? [`${replaced.length} older processings are left out: ${replaced.slice(0, 5).join(', ')}`]
        : [],
  };
}

function acquiredMs(item: Json): number {
  return parseDatetime(String(isObject(item.properties) ? item.properties.datetime : ''));
}
