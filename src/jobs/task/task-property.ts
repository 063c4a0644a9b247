import { InputError } from '../../errors.js';
import { inPeriod, parsePeriod } from '../../geo/period.js';
import { inInterval, parseDatetime, parseInterval } from '../../geo/time.js';
import { isObject, type Json } from '../../io/stac-item.js';

/** What Open Data Cube calls properties of STAC, where that is not a prefix with an underscore. */
const ODC_NAMES: Readonly<Record<string, readonly string[]>> = {
  dataset_maturity: ['dea:dataset_maturity'],
  cloud_cover: ['eo:cloud_cover'],
  region_code: ['odc:region_code'],
  product_family: ['odc:product_family'],
  platform: ['platform', 'eo:platform'],
  instrument: ['instruments', 'eo:instrument'],
  collection_category: ['landsat:collection_category'],
  collection_number: ['landsat:collection_number'],
  landsat_scene_id: ['landsat:scene_id', 'landsat:landsat_scene_id'],
  landsat_product_id: ['landsat:landsat_product_id'],
  label: ['title'],
};
const PREFIXES = ['gqa', 'fmask', 'eo', 'odc', 'dea', 'landsat', 's2', 'view', 'sar', 'sat'];

/** The names that a property may stand under in an item, the one that was said first. */
function namesOf(name: string): readonly string[] {
  const own = Object.hasOwn(ODC_NAMES, name) ? ODC_NAMES[name]! : [];
  const prefix = PREFIXES.find((word) => name.startsWith(`${word}_`));
  return [name, ...own, ...(prefix ? [`${prefix}:${name.slice(prefix.length + 1)}`] : [])];
}

/** A property by its name in STAC (`gqa:iterative_mean_xy`) or Open Data Cube (`gqa_iterative_mean_xy`); undefined where it is not stated. */
export function propertyOf(properties: Json, name: string): unknown {
  for (const known of namesOf(name)) {
    const value = Object.hasOwn(properties, known) ? properties[known] : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** Any of some sets of conditions, each of which must hold as a whole. */
export interface PropertyFilter {
  alternatives: readonly Json[];
}

/**
 * JSON objects of property → value, joined by `|` where any of them will do: `{"platform":"landsat-5","datetime":"2004--P6Y"}|{…}`. A
 * list of two numbers is a range, of which both ends belong to it; any other list is a choice. `datetime` is a period or an interval.
 * @throws InputError for what is none
 */
export function parsePropertyFilter(given: unknown, option: string): PropertyFilter {
  const wrong = (why: string) =>
    new InputError(`a filter is JSON like {"dataset_maturity":"final"}: ${why}`, { option });
  const parsed = typeof given === 'string' ? jsonList(given, wrong) : Array.isArray(given) ? given : [given];
  if (parsed.length === 0 || !parsed.every(isObject)) throw wrong('not an object');
  for (const [name, value] of parsed.flatMap((one) => Object.entries(one as Json))) {
    if (isObject(value) || value === null) throw wrong(`${name} has no plain value`);
    if (name === 'datetime' || name === 'time') inTime(0, value);
  }
  return { alternatives: parsed as Json[] };
}

function jsonList(text: string, wrong: (why: string) => InputError): unknown[] {
  return text
    .trim()
    .split(/(?<=\})\s*\|\s*(?=\{)/)
    .map((part) => {
      try {
        return JSON.parse(part);
      } catch (cause) {
        throw wrong((cause as Error).message);
      }
    });
}

function inTime(timeMs: number, wanted: unknown): boolean {
  if (typeof wanted === 'string')
    return wanted.includes('--P') ? inPeriod(timeMs, parsePeriod(wanted)) : inInterval(timeMs, parseInterval(wanted));
  if (Array.isArray(wanted) && wanted.length === 2)
    return inInterval(timeMs, { startMs: parseDatetime(String(wanted[0])), endMs: parseDatetime(String(wanted[1])) });
  throw new InputError(`a time is a period like 2004--P6Y or an interval, not ${JSON.stringify(wanted)?.slice(0, 60)}`);
}

function isSame(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(value)) return value.some((one) => isSame(one, wanted));
  if (typeof value === typeof wanted) return value === wanted;
  return String(value) === String(wanted);
}

function holds(value: unknown, wanted: unknown): boolean {
  if (!Array.isArray(wanted)) return isSame(value, wanted);
  const [low, high] = wanted as unknown[];
  if (wanted.length === 2 && typeof low === 'number' && typeof high === 'number')
    return typeof value === 'number' && value >= low && value <= high;
  return wanted.some((one) => isSame(value, one));
}

/** Whether a scene passes; what it does not state does not hold. */
export function passesFilter({ alternatives }: PropertyFilter, properties: Json, timeMs: number): boolean {
  return alternatives.some((conditions) =>
    Object.entries(conditions).every(([name, wanted]) =>
      name === 'datetime' || name === 'time' ? inTime(timeMs, wanted) : holds(propertyOf(properties, name), wanted),
    ),
  );
}

/** Names that a filter asks for, times left out. */
export function filterNames({ alternatives }: PropertyFilter): string[] {
  return [...new Set(alternatives.flatMap(Object.keys))].filter((name) => name !== 'datetime' && name !== 'time');
}
