// What is asked of a set of tasks, as values.
import type { Geometry } from 'geojson';
import { InputError } from '../../errors.js';
import { isGeographic, parseCrs } from '../../geo/crs.js';
import type { FrequencyOptions } from '../../geo/frequency.js';
import { type GridSpec, parseTileRange, type TileRange } from '../../geo/gridspec.js';
import { type Period, type PeriodCompat, parsePeriod } from '../../geo/period.js';
import { lonLatRings, tileCover } from '../../geo/tile-cover.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import type { Interval } from '../../geo/time.js';
import { hrefMap } from '../../io/href-map.js';
import { isObject } from '../../io/stac-item.js';
import type { ProductList } from './product-list.js';
import type { CandidateRules } from './task-candidates.js';
import type { ItemPlace } from './task-items.js';
import { parsePropertyFilter } from './task-property.js';

/** Which tasks a set has; names as odc-stats calls them. What is not given does not restrict. */
export interface SaveTasksOptions extends Omit<ItemPlace, 'sources'> {
  /** Where the set goes: a folder or `s3://bucket/prefix`. Default: products and range. */
  out?: string | undefined;
  /** See `parseGridSpec`; needed unless the source is a cache, whose own tasks are taken then. */
  grid?: string | undefined;
  /** Default `annual`. */
  frequency?: string | undefined;
  startMonth?: FrequencyOptions['startMonth'];
  periodLabel?: FrequencyOptions['label'];
  /** `2019--P1Y` */
  temporalRange?: string | undefined;
  inputProducts?: string | undefined;
  optionalProducts?: readonly string[] | undefined;
  /** Products whose time says nothing, like elevation. */
  ignoreTime?: readonly string[] | undefined;
  /** `x0:x1,y0:y1` */
  tiles?: string | undefined;
  /** GeoJSON in degrees: tiles that it touches. */
  geometry?: unknown;
  /** Of a collection only its first feature counts. Default false: all do. */
  firstFeature?: boolean | undefined;
  gqa?: number | undefined;
  usgsCollectionCategory?: string | undefined;
  /** JSON text or an object, see `parsePropertyFilter`. */
  datasetFilter?: unknown;
  maxCloudPercent?: number | undefined;
  /** `s3://bucket/=DIR` */
  hrefMap?: readonly string[] | undefined;
  compat?: PeriodCompat | undefined;
  overwrite?: boolean | undefined;
  /** Whether a set without tasks is a result. Default false. */
  allowEmpty?: boolean | undefined;
  /** Items read so far; then tasks written and how many there are. */
  onProgress?: ((done: number, total: number | null) => void) | undefined;
  onNote?: ((text: string) => void) | undefined;
}

/** Local time differs from UTC by so much at most: 12 hours by the sun, and half an hour of rounding. */
const MOST_OFFSET_MS = 12.5 * 3_600_000;

/** All options as values. */
export interface TaskRules {
  rules: CandidateRules;
  products: ProductList | null;
  range: Period | null;
}

/** Between points on edges of an area in metres. */
const AREA_STEP = 25_000;

const padded = ({ startMs, endMs }: Period): Interval => ({
  startMs: startMs - MOST_OFFSET_MS,
  endMs: endMs + MOST_OFFSET_MS,
});

/** What turns a document's geometries into degrees: the CRS of its old `crs` member, which odc-stats wants, where there is one. */
async function degreesOf(document: unknown): Promise<(geometry: Geometry) => Geometry> {
  const member = isObject(document) && isObject(document.crs) ? document.crs : {};
  const name = isObject(member.properties) ? member.properties.name : undefined;
  if (typeof name !== 'string') return (geometry) => geometry;
  const crs = parseCrs(name);
  return isGeographic(crs) ? (geometry) => geometry : lonLatRings(crs, AREA_STEP);
}

/** Tiles that polygons touch, as `x/y`. */
async function tilesOfArea(gridSpec: GridSpec, given: unknown, firstFeature: boolean): Promise<ReadonlySet<string>> {
  const { tilesOf } = await tileCover(gridSpec);
  const geometries = (value: unknown): Geometry[] => {
    if (!isObject(value)) return [];
    if (value.type === 'FeatureCollection') {
      const features = Array.isArray(value.features) ? value.features : [];
      return (firstFeature ? features.slice(0, 1) : features).flatMap(geometries);
    }
    return value.type === 'Feature' ? geometries(value.geometry) : [value as unknown as Geometry];
  };
  const all = geometries(given);
  if (all.length === 0) throw new InputError('the GeoJSON holds no polygon', { option: 'geometry' });
  try {
    const inDegrees = await degreesOf(given);
    return new Set(all.flatMap((geometry) => tilesOf(inDegrees(geometry))).map(({ x, y }) => `${x}/${y}`));
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new InputError(`the GeoJSON area: ${cause.message}`, { option: 'geometry' }, { cause });
  }
}

/** The box around a range of tiles in degrees; null where they go around the Earth or off it. */
export async function boundsOfTiles(gridSpec: GridSpec, { x0, x1, y0, y1 }: TileRange) {
  if ((x1 - x0) * (y1 - y0) > 10_000) return null;
  const { boundsOf } = await tileOutlines(gridSpec);
  const [first, ...rest] = Array.from({ length: x1 - x0 }, (_, i) => i).flatMap((i) =>
    Array.from({ length: y1 - y0 }, (_, j) => boundsOf({ x: x0 + i, y: y0 + j })),
  ) as [ReturnType<typeof boundsOf>, ...ReturnType<typeof boundsOf>[]];
  let [west, south, east, north] = first;
  const [middle] = [west];
  if (east < west) east += 360;
  for (const [w, s, e, n] of rest) {
    // As near to the first tile as a turn brings it.
    const turn = 360 * Math.round((middle - w) / 360);
    west = Math.min(west, w + turn);
    east = Math.max(east, (e < w ? e + 360 : e) + turn);
    south = Math.min(south, s);
    north = Math.max(north, n);
  }
  if (east - west >= 350) return null;
  const within = (lon: number) => lon - 360 * Math.floor((lon + 180) / 360);
  const box = west < -180 || east > 180 ? [within(west), south, within(east), north] : [west, south, east, north];
  return box as [number, number, number, number];
}

/** @throws InputError for options that say nothing that can be done */
export async function taskRules(
  options: SaveTasksOptions,
  gridSpec: GridSpec,
  products: ProductList | null,
): Promise<TaskRules> {
  const { temporalRange, ignoreTime, tiles, geometry, firstFeature, gqa, datasetFilter } = options;
  const known = products?.groups.flat() ?? [];
  for (const [option, names] of [
    ['ignore-time', ignoreTime],
    ['optional-products', options.optionalProducts],
  ] as const)
    for (const name of names ?? [])
      if (!known.includes(name))
        throw new InputError(`${name} is none of the input products ${known.join(', ') || '(none are named)'}`, {
          option,
        });
  const range = temporalRange === undefined ? null : parsePeriod(temporalRange, options.compat ?? null);
  const rules: CandidateRules = {
    gridSpec,
    products,
    timeless: new Set(ignoreTime ?? []),
    filters: datasetFilter === undefined ? [] : [parsePropertyFilter(datasetFilter, 'dataset-filter')],
    gqa: gqa ?? null,
    usgsCategory: options.usgsCollectionCategory ?? null,
    maxCloudPercent: options.maxCloudPercent ?? null,
    interval: range && padded(range),
    tiles: tiles === undefined ? null : parseTileRange(tiles),
    area: geometry === undefined ? null : await tilesOfArea(gridSpec, geometry, firstFeature ?? false),
    hrefMap: options.hrefMap?.length ? hrefMap(options.hrefMap) : null,
  };
  return { rules, products, range };
}
