import { parseDatetime } from '../geo/time.js';
import { processingBaseline, textOf } from './baseline.js';
import { isObject, type Json } from './stac-item.js';

/** Sensing times of one acquisition differ by less than this between its processings, ms. */
const SAME_SENSING_MS = 1500;
const DAY_MS = 86_400_000;

/** When the satellite began the strip, as its id says (`…_S20190826T190914_…`), ms UTC. */
function stripStartMs(properties: Json): number | null {
  const id = textOf(properties, 's2:datastrip_id', 'sentinel:datastrip_id');
  const found = id && /_S(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})/.exec(id);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number) as [number, ...number[]];
  return Date.UTC(year, month! - 1, day, hour, minute, second);
}

/** What tells one processing of an acquisition from another. */
export interface Processing {
  id: string;
  /** Tile and satellite: processings of one acquisition share them. */
  place: string;
  timeMs: number;
  stripMs: number | null;
  /** What makes one processing newer: baseline, time of processing, number. Compared in this order. */
  age: readonly [string, string, number];
}

export function processingOf(item: Json): Processing {
  const properties = isObject(item.properties) ? item.properties : {};
  const id = String(item.id);
  const product = textOf(properties, 's2:product_uri', 'sentinel:product_id') ?? id;
  return {
    id,
    place: `${textOf(properties, 'grid:code', 's2:mgrs_tile') ?? /\d{1,2}[A-Z]{3}/.exec(id)?.[0] ?? ''} ${textOf(properties, 'platform') ?? ''}`,
    timeMs: parseDatetime(String(properties.datetime)),
    stripMs: stripStartMs(properties),
    age: [
      processingBaseline(properties, id) ?? '',
      /_(\d{8}T\d{6})(?:\.SAFE)?$/.exec(product)?.[1] ?? '',
      Number(textOf(properties, 's2:sequence', 'sentinel:sequence') ?? 0),
    ],
  };
}

function isNewer(a: Processing, b: Processing): boolean {
  for (const [i, value] of a.age.entries()) if (value !== b.age[i]) return value > b.age[i]!;
  return a.id > b.id;
}

function isSameSensing(a: Processing, b: Processing): boolean {
  if (a.place !== b.place || Math.abs(a.timeMs - b.timeMs) > SAME_SENSING_MS) return false;
  // Two strips of one pass show different parts of the tile, however near in time.
  return a.stripMs === null || b.stripMs === null || Math.abs(a.stripMs - b.stripMs) <= SAME_SENSING_MS;
}

/**
 * The newest processing of each acquisition by time: the highest baseline, then the latest made. Strips of one pass over a tile
 * complement each other, so both stay.
 */
export function newestOf<P extends Processing>(processings: readonly P[]): { kept: P[]; replaced: P[] } {
  const byPlace = new Map<string, P[]>();
  const replaced: P[] = [];
  for (const next of [...processings].sort((a, b) => a.timeMs - b.timeMs)) {
    const kept = byPlace.get(next.place) ?? [];
    byPlace.set(next.place, kept);
    // Those before lie farther back than any that may be the same.
    let at = kept.length - 1;
    while (at >= 0 && !isSameSensing(kept[at]!, next)) at = next.timeMs - kept[at]!.timeMs > DAY_MS ? -1 : at - 1;
    if (at < 0) {
      kept.push(next);
      continue;
    }
    const newer = isNewer(next, kept[at]!);
    replaced.push(newer ? kept[at]! : next);
    if (newer) kept[at] = next;
  }
  return { kept: [...byPlace.values()].flat().sort((a, b) => a.timeMs - b.timeMs), replaced };
}

/** Items of Sentinel-2, the newest processing of each acquisition; `replaced` names what is left out. */
export function newestProcessings(items: readonly Json[]): { items: Json[]; replaced: string[] } {
  const { kept, replaced } = newestOf(items.map((item) => ({ ...processingOf(item), item })));
  return { items: kept.map(({ item }) => item), replaced: replaced.map(({ id }) => id) };
}
