// Items → the scenes that tasks may be made of, each with its tiles.
import { resolve } from 'node:path';
import type { Geometry } from 'geojson';
import { InputError } from '../../errors.js';
import { type GridSpec, inTileRange, type TileIndex, type TileRange } from '../../geo/gridspec.js';
import { tileCover } from '../../geo/tile-cover.js';
import { type Interval, inInterval } from '../../geo/time.js';
import { filePath } from '../../io/file.js';
import { schemeOf } from '../../io/href.js';
import { type Processing, processingOf } from '../../io/reprocessing.js';
import type { FoundItem } from '../../io/stac.js';
import type { Json } from '../../io/stac-item.js';
import type { ProductList } from './product-list.js';
import { type SceneArena, sceneArena } from './scene-arena.js';
import type { TaskScene } from './task.js';
import { filterNames, type PropertyFilter, passesFilter, propertyOf } from './task-property.js';
import { headOfItem, itemTimeMs, regionOf, taskSceneOf } from './task-scene.js';

/** Which items count, and where. */
export interface CandidateRules {
  gridSpec: GridSpec;
  /** Null: all. */
  products: ProductList | null;
  /** Products whose time says nothing. */
  timeless: ReadonlySet<string>;
  filters: readonly PropertyFilter[];
  /** Most of gqa:iterative_mean_xy; items that do not state it are left out. */
  gqa: number | null;
  /** Of landsat:collection_category, for products of USGS's surface reflectance. */
  usgsCategory: string | null;
  /** 0–100; items that do not state their cloud cover stay. */
  maxCloudPercent: number | null;
  /** Wider than what is asked for by what local time may differ from UTC. */
  interval: Interval | null;
  tiles: TileRange | null;
  /** `x/y` of tiles that an area touches. */
  area: ReadonlySet<string> | null;
  /** Null: as they are. */
  hrefMap: ((href: string) => string) | null;
}

/** A scene, without what only its document needs. */
export interface Candidate {
  /** Its number in the arena. */
  scene: number;
  id: string;
  product: string;
  region: string | null;
  timeMs: number;
  tiles: readonly TileIndex[];
  /** Of Sentinel-2, whose archives hold several of one acquisition. */
  processing: Processing | null;
}

/** How many were left after each step. */
export interface CandidateCounts {
  found: number;
  ofProducts: number;
  passing: number;
  inTime: number;
  onTiles: number;
  /** With an id that came before. */
  twins: number;
  /** Left out because they do not state a property that a filter asks for, by its name. */
  unstated: Map<string, number>;
  /** Of all items: for the message when none is of the products asked for. */
  products: Set<string>;
}

export interface Candidates {
  candidates: Candidate[];
  arena: SceneArena;
  counts: CandidateCounts;
}

/** Products of USGS that have a collection category. */
const USGS_SR = /^ls[5789]_sr$/;
const MAX_CANDIDATES = 500_000;

/** Whether the properties of an item are as asked; what it lacks is counted. */
function passes(
  rules: CandidateRules,
  item: { product: string; properties: Json; timeMs: number },
  counts: CandidateCounts,
): boolean {
  const { product, properties, timeMs } = item;
  const { gqa, usgsCategory, maxCloudPercent, filters } = rules;
  const stated = (name: string) => {
    const value = propertyOf(properties, name);
    if (value === undefined) counts.unstated.set(name, (counts.unstated.get(name) ?? 0) + 1);
    return value;
  };
  if (gqa !== null && !(Number(stated('gqa_iterative_mean_xy') ?? Number.NaN) <= gqa)) return false;
  if (usgsCategory !== null && USGS_SR.test(product) && stated('collection_category') !== usgsCategory) return false;
  if (maxCloudPercent !== null && Number(propertyOf(properties, 'cloud_cover') ?? 0) > maxCloudPercent) return false;
  for (const filter of filters) {
    if (passesFilter(filter, properties, timeMs)) continue;
    for (const name of filterNames(filter)) stated(name);
    return false;
  }
  return true;
}

function boxOf([west, south, east, north]: readonly [number, number, number, number]): Geometry {
  const right = east < west ? east + 360 : east;
  const ring = [
    [west, south],
    [right, south],
    [right, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

function placed(scene: TaskScene): Geometry {
  if (scene.geometry) return scene.geometry;
  if (scene.bbox) return boxOf(scene.bbox);
  throw new InputError(`item ${scene.id} has neither geometry nor bbox: it belongs to no tile`, { items: [scene.id] });
}

/** Files of this machine by their whole path: whoever takes the task works in another folder. */
function wholePath(href: string): string {
  const scheme = schemeOf(href);
  return scheme === null || scheme === 'file' ? resolve(filePath(href)) : href;
}

/** Changes the scene: it belongs to nobody else yet. */
function withHrefs(scene: TaskScene, map: CandidateRules['hrefMap']): TaskScene {
  for (const band of Object.values(scene.bands)) band.href = wholePath(map ? map(band.href) : band.href);
  return scene;
}

/** Some archives split a scene over items of one id: what the first lacks is taken from the others. */
function mergeTwin(first: Candidate, scene: TaskScene, arena: SceneArena): void {
  const own = arena.scene(first.scene);
  if (Object.keys(scene.bands).every((name) => name in own.bands)) return;
  first.scene = arena.add({ ...own, bands: { ...scene.bands, ...own.bands } });
}

export function noCounts(): CandidateCounts {
  const none = { found: 0, ofProducts: 0, passing: 0, inTime: 0, onTiles: 0, twins: 0 };
  return { ...none, unstated: new Map(), products: new Set() };
}

/**
 * Reads items one after the other; of each that counts its JSON stays, packed.
 * @throws InputError for items that are broken or lie nowhere
 */
export async function collectCandidates(
  items: AsyncIterable<FoundItem>,
  rules: CandidateRules,
  { onProgress }: { onProgress?: ((found: number) => void) | undefined } = {},
): Promise<Candidates> {
  const cover = await tileCover(rules.gridSpec);
  const arena = sceneArena();
  const counts = noCounts();
  const candidates: Candidate[] = [];
  const byName = new Map<string, Candidate>();
  const wanted = rules.products && rules.products.folders.length === 0 ? new Set(rules.products.groups.flat()) : null;

  const tilesOf = (scene: TaskScene) => {
    let tiles: TileIndex[];
    try {
      tiles = cover.tilesOf(placed(scene));
    } catch (cause) {
      if (!(cause instanceof InputError)) throw cause;
      throw new InputError(`item ${scene.id}: ${cause.message}`, { items: [scene.id] }, { cause });
    }
    return tiles.filter(
      (tile) =>
        (!rules.tiles || inTileRange(tile, rules.tiles)) && (!rules.area || rules.area.has(`${tile.x}/${tile.y}`)),
    );
  };

  for await (const found of items) {
    counts.found++;
    onProgress?.(counts.found);
    const { product, properties } = headOfItem(found.item);
    counts.products.add(product);
    if (wanted && !wanted.has(product)) continue;
    counts.ofProducts++;
    // What is left out by its properties alone is read no further.
    const timeMs = itemTimeMs(properties) ?? taskSceneOf(found).timeMs;
    if (!passes(rules, { product, properties, timeMs }, counts)) continue;
    counts.passing++;
    if (!rules.timeless.has(product) && rules.interval && !inInterval(timeMs, rules.interval)) continue;
    counts.inTime++;
    const scene = taskSceneOf(found);
    const tiles = tilesOf(scene);
    if (tiles.length === 0) continue;
    counts.onTiles++;
    const name = `${product}\n${scene.id}`;
    const twin = byName.get(name);
    if (twin) {
      counts.twins++;
      mergeTwin(twin, withHrefs(scene, rules.hrefMap), arena);
      continue;
    }
    if (candidates.length >= MAX_CANDIDATES) throw new InputError(`more than ${MAX_CANDIDATES} scenes: ask for less`);
    const candidate: Candidate = {
      scene: arena.add(withHrefs(scene, rules.hrefMap)),
      id: scene.id,
      product,
      region: regionOf(properties),
      timeMs: scene.timeMs,
      tiles,
      processing: scene.radiometry ? processingOf(found.item as Json) : null,
    };
    byName.set(name, candidate);
    candidates.push(candidate);
  }
  return { candidates, arena, counts };
}
