import { InputError } from '../../errors.js';
import { parseDatetime } from '../../geo/time.js';
import type { FoundItem } from '../../io/stac.js';
import { isObject, type Json, sceneOfItem } from '../../io/stac-item.js';
import { itemUuid, odcUuid } from './odc-uuid.js';
import type { PropertyValue, TaskScene } from './task.js';
import { propertyOf } from './task-property.js';

/** Limits against hostile items: what is longer is no property that anybody inherits or filters by. */
const MAX_TEXT = 500;
const MAX_LIST = 32;
const MAX_PROPERTIES = 200;
/** Said elsewhere in a scene. */
const NOT_KEPT = /^(datetime|created|updated|proj:.*)$/;

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'boolean' || Number.isFinite(value) || (typeof value === 'string' && value.length <= MAX_TEXT);

function plainProperties(properties: Json): Record<string, PropertyValue> {
  const kept = Object.entries(properties).filter(
    ([name, value]) =>
      !NOT_KEPT.test(name) &&
      (isPlain(value) || (Array.isArray(value) && value.length <= MAX_LIST && value.every(isPlain))),
  );
  return Object.fromEntries(kept.slice(0, MAX_PROPERTIES)) as Record<string, PropertyValue>;
}

/** The middle of the span that an item states, ms UTC; null where it states none. */
function middleMs(properties: Json): number | null {
  const [start, end] = [
    properties.start_datetime ?? properties['dtr:start_datetime'],
    properties.end_datetime ?? properties['dtr:end_datetime'],
  ];
  if (typeof start !== 'string' || typeof end !== 'string') return null;
  try {
    const [startMs, endMs] = [parseDatetime(start), parseDatetime(end)];
    return endMs >= startMs ? Math.floor((startMs + endMs) / 2) : null;
  } catch {
    return null;
  }
}

/**
 * When an item shows the Earth, ms UTC: the middle of its span, as Open Data Cube dates datasets, else its datetime; null where it says
 * neither.
 */
export function itemTimeMs(properties: Json): number | null {
  const middle = middleMs(properties);
  if (middle !== null) return middle;
  const text = properties.datetime ?? properties.start_datetime;
  if (typeof text !== 'string') return null;
  try {
    return parseDatetime(text);
  } catch {
    return null;
  }
}

/** What an item says that groups it with others, before more of it is read. */
export interface ItemHead {
  product: string;
  properties: Json;
}

export function headOfItem(item: unknown): ItemHead {
  const properties = isObject(item) && isObject(item.properties) ? item.properties : {};
  const collection = isObject(item) ? item.collection : null;
  const product = typeof collection === 'string' ? collection : properties['odc:product'];
  return { product: typeof product === 'string' && product !== '' ? product : 'items', properties };
}

/** Degrees to a centimetre: more digits only take room. */
function roundedPositions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(roundedPositions);
  if (typeof value === 'number') return Math.round(value * 1e7) / 1e7;
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, roundedPositions(part)]));
  return value;
}

/** @throws InputError for items that are none, naming the field */
export function taskSceneOf({ item, href, index }: FoundItem): TaskScene {
  const scene = sceneOfItem(item, href, index);
  const { product, properties } = headOfItem(item);
  const label = properties['s2:product_uri'] ?? properties['sentinel:product_id'] ?? properties.title;
  const uuid = itemUuid({
    id: scene.id,
    collection: product,
    label: typeof label === 'string' ? label.replace(/\.SAFE$/, '') : null,
  });
  const timeMs = itemTimeMs(properties) ?? scene.timeMs;
  const geometry = roundedPositions(scene.geometry) as TaskScene['geometry'];
  return { ...scene, geometry, timeMs, uuid, product, properties: plainProperties(properties) };
}

/** What says that two scenes show the same place: a cell of the archive's own grid, or null. */
export function regionOf(properties: Json): string | null {
  const region = propertyOf(properties, 'region_code') ?? properties['grid:code'] ?? properties['s2:mgrs_tile'];
  if (typeof region === 'string') return region;
  const [path, row] = [properties['landsat:wrs_path'], properties['landsat:wrs_row']];
  return path === undefined || row === undefined ? null : `${path}/${row}`;
}

/**
 * Scenes of one place and time as one with the bands of all.
 * @throws InputError when two have a band of the same name
 */
export function fuseScenes(parts: readonly TaskScene[]): TaskScene {
  const [first] = parts as [TaskScene];
  const bands: TaskScene['bands'] = Object.create(null);
  for (const part of parts)
    for (const [name, band] of Object.entries(part.bands)) {
      if (name in bands)
        throw new InputError(`${parts.map(({ id }) => id).join(' and ')} cannot be fused: both have a band ${name}`, {
          items: parts.map(({ id }) => id),
        });
      bands[name] = band;
    }
  const common = Object.entries(first.properties).filter(([name, value]) =>
    parts.every(({ properties }) => JSON.stringify(properties[name]) === JSON.stringify(value)),
  );
  const product = `fused__${parts.map((part) => part.product).join('__')}`;
  const uuids = parts.map(({ uuid }) => uuid);
  const uuid = odcUuid({ name: product, version: '0.0.0', sources: uuids });
  return {
    ...first,
    id: uuid,
    uuid,
    product,
    collection: product,
    parts: uuids,
    bands,
    properties: Object.fromEntries(common),
    href: null,
  };
}
