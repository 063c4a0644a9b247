// What is said of a tile as a whole. Its documents name these facts in two ways: as Open Data Cube (eo3) does, and as STAC.
import { UnsupportedError } from '../../errors.js';
import { type Crs, describeCrs, projMembers, unitOf } from '../../geo/crs.js';
import type { Grid } from '../../geo/grid.js';
import type { Json } from '../../io/stac-item.js';
import type { PropertyValue, TaskScene } from '../task/task.js';
import type { TileResult } from './tile-result.js';

/** A property's name in STAC by that in eo3, where they differ. */
const STAC_NAMES: Readonly<Record<string, string>> = {
  'dtr:start_datetime': 'start_datetime',
  'dtr:end_datetime': 'end_datetime',
  'eo:gsd': 'gsd',
  'eo:instrument': 'instruments',
  'eo:platform': 'platform',
  'eo:constellation': 'constellation',
  'eo:off_nadir': 'view:off_nadir',
  'eo:azimuth': 'view:azimuth',
  'eo:sun_azimuth': 'view:sun_azimuth',
  'eo:sun_elevation': 'view:sun_elevation',
  'odc:processing_datetime': 'created',
};
const EO3_NAMES = new Map(Object.entries(STAC_NAMES).map(([eo3, stac]) => [stac, eo3]));

/** What outputs take over of their inputs, as eodatasets3 has it; times and the region are the tile's own. */
const INHERITED: ReadonlySet<string> = new Set([
  'mission',
  ...['cloud_cover', 'constellation', 'gsd', 'sun_azimuth', 'sun_elevation'].map((name) => `eo:${name}`),
  ...['clear', 'cloud', 'cloud_shadow', 'snow', 'water'].map((name) => `fmask:${name}`),
  ...['clear', 'cloud'].map((name) => `s2cloudless:${name}`),
  'gqa:cep90',
  ...['abs_iterative_mean', 'abs', 'iterative_mean', 'iterative_stddev', 'mean', 'stddev'].flatMap((name) =>
    ['x', 'xy', 'y'].map((axis) => `gqa:${name}_${axis}`),
  ),
  ...['collection_category', 'collection_number', 'landsat_product_id', 'landsat_scene_id', 'scene_id'].map(
    (name) => `landsat:${name}`,
  ),
  ...['wrs_path', 'wrs_row', 'rmse', 'rmse_x', 'rmse_y'].map((name) => `landsat:${name}`),
  ...['absolute_orbit', 'anx_datetime', 'orbit_state', 'platform_international_designator', 'relative_orbit'].map(
    (name) => `sat:${name}`,
  ),
  ...['datastrip_id', 'datatake_start_datetime', 'grid_square', 'latitude_band', 'product_name'].map(
    (name) => `sentinel:${name}`,
  ),
  ...['sentinel_tile_id', 'utm_zone'].map((name) => `sentinel:${name}`),
]);

type Properties = Record<string, unknown>;

/** Properties under their names in eo3. */
function eo3Named(properties: Json): Properties {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [EO3_NAMES.get(name) ?? name, value]));
}

const textsOf = (value: unknown, separator: string): string[] =>
  [value]
    .flat()
    .filter((one): one is string => typeof one === 'string')
    .flatMap((text) => text.split(separator))
    .map((text) => text.trim())
    .filter(Boolean);

/** `landsat-8,landsat-9`: those of all inputs, as eodatasets3 writes several. */
function platformOf(scenes: readonly TaskScene[], inputs: readonly Properties[]): string | null {
  const found = scenes.flatMap(({ platform }, i) => textsOf(inputs[i]!['eo:platform'] ?? platform, ','));
  const names = new Set(found.map((name) => name.toLowerCase().replaceAll('_', '-')));
  return names.size === 0 ? null : [...names].sort().join();
}

/** `OLI_TIRS`: those of all inputs. */
function instrumentOf(inputs: readonly Properties[]): string | null {
  const names = new Set(inputs.flatMap((one) => textsOf(one['eo:instrument'], '_')).map((name) => name.toUpperCase()));
  return names.size === 0 ? null : [...names].sort().join('_');
}

/** What all inputs say alike; eodatasets3 takes the first that it meets, which need not hold for the others. */
function inherited(inputs: readonly Properties[], skipped: readonly string[]): Properties {
  const [first = {}] = inputs;
  const passed = new Set(skipped.map((name) => EO3_NAMES.get(name) ?? name));
  const text = (value: unknown) => JSON.stringify(value);
  const names = Object.keys(first).filter(
    (name) => INHERITED.has(name) && !passed.has(name) && inputs.every((one) => text(one[name]) === text(first[name])),
  );
  return Object.fromEntries(names.map((name) => [name, first[name] as PropertyValue]));
}

/** ISO 8601 in UTC; the last millisecond of a period is meant to its end, which eo3 gives in microseconds. */
export function instant(timeMs: number, isEnd = false): string {
  const text = new Date(timeMs).toISOString();
  return isEnd ? text.replace(/(\.999)Z$/, '$1999Z') : text.replace(/\.000Z$/, 'Z');
}

/** The size of a pixel in metres, where the CRS counts in them. */
export function pixelMetres({ crs, affine }: Grid): number | null {
  if (unitOf(crs) !== 'metres') return null;
  return Math.abs(affine[0]) === Math.abs(affine[4]) ? Math.abs(affine[0]) : null;
}

/** Properties of a tile under their names in eo3, sorted: those without a prefix first. What is not known is left out. */
export function tileProperties(result: TileResult): Json {
  const { task, product, grid, regionCode, processedAt, footprint } = result;
  const inputs = task.scenes.map(({ properties }) => eo3Named(properties));
  const own: Properties = {
    'eo:gsd': pixelMetres(grid),
    ...inherited(inputs, product.inheritSkip),
    'eo:platform': platformOf(task.scenes, inputs),
    'eo:instrument': instrumentOf(inputs),
    'odc:file_format': 'GeoTIFF',
    'odc:product_family': product.family,
    'odc:producer': product.producer,
    ...eo3Named(product.properties),
    datetime: instant(task.period.startMs),
    'dtr:start_datetime': instant(task.period.startMs),
    'dtr:end_datetime': instant(task.period.endMs, true),
    'odc:product': product.name,
    'odc:dataset_version': product.version,
    'odc:region_code': regionCode,
    'odc:processing_datetime': processedAt,
    'odc:collection_number': product.collectionNumber,
    'dea:dataset_maturity': product.maturity,
    ...(footprint.length === 0 && { 'stackwise:no_valid_data': true }),
  };
  const place = (name: string) => (name.includes(':') ? `~${name}` : name);
  const known = Object.entries(own).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return Object.fromEntries(known.sort(([a], [b]) => (place(a) < place(b) ? -1 : 1)));
}

/** The same under their names in STAC. */
export function stacProperties(properties: Json): Properties {
  const renamed = Object.entries(properties).map(([name, value]): [string, unknown] => {
    const list =
      name === 'eo:instrument' ? textsOf(value, '_').map((one) => one.replace(/[+-]+$/, '').toLowerCase()) : value;
    return [STAC_NAMES[name] ?? name, list];
  });
  return Object.fromEntries(renamed);
}

/** Conventions of eodatasets3 that put the version into labels. */
const VERSIONED = new Set(['default', 'dea', 'dea_s2', 'dea_versioned', 'dea_s2_versioned']);

/** What eodatasets3 calls a dataset: product, region, the period's first day, maturity; unlike the names of files. */
export function tileLabel({ product, regionCode, task }: TileResult): string {
  const { name, version, maturity, namingConventions } = product;
  const head = VERSIONED.has(namingConventions) ? `${name}-${version.replaceAll('.', '-')}` : name;
  const day = instant(task.period.startMs).slice(0, 10);
  return [head, regionCode, day, ...(maturity === null ? [] : [maturity])].join('_');
}

/**
 * A CRS as documents of Open Data Cube name it: `EPSG:3577`, or WKT.
 * @throws UnsupportedError for one that has neither
 */
export function odcCrs(crs: Crs): string {
  const members = projMembers(crs);
  const name = members['proj:code'] ?? members['proj:wkt2'] ?? null;
  if (name !== null) return name;
  throw new UnsupportedError(`Open Data Cube wants an EPSG code or WKT, and ${describeCrs(crs)} has neither`);
}

/** What Open Data Cube knows the product by, on the web. */
export function productHref({ name, collectionsSite }: TileResult['product']): string {
  return `https://${collectionsSite}/product/${name}`;
}
