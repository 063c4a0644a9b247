import type { Geometry } from 'geojson';
import { InputError, messageOf } from '../errors.js';
import type { Affine } from '../geo/affine.js';
import { type Crs, parseCrs, UNKNOWN_CRS } from '../geo/crs.js';
import type { Grid } from '../geo/grid.js';
import { parseDatetime } from '../geo/time.js';
import { isReflectance, processingBaseline } from './baseline.js';
import { resolveHref } from './href.js';
import { dtypeOfName } from './raster.js';
import type { Scene, SceneBand, SceneRadiometry } from './scene.js';

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where a value stands, for messages. */
interface Place {
  id: string;
  url: string | null;
}

function wrong(place: Place, field: string, wanted: string, got: unknown): InputError {
  // Not the whole of it: hostile documents nest deeper than JSON can be written.
  const whole = Array.isArray(got) ? 'a list' : isObject(got) ? 'an object' : JSON.stringify(got)?.slice(0, 60);
  const shown = got === undefined ? 'missing' : whole;
  const where = place.url ? ` (${place.url})` : '';
  return new InputError(`item ${place.id}: ${field} must be ${wanted}, not ${shown}${where}`, {
    items: [place.id],
    ...(place.url && { url: place.url }),
  });
}

function optionalString(place: Place, object: Json, field: string): string | null {
  const value = object[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw wrong(place, field, 'text', value);
  return value;
}

function optionalNumber(place: Place, object: Json, field: string): number | null {
  const value = object[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(place, field, 'a number', value);
  return value;
}

function numbers(place: Place, object: Json, field: string, lengths: readonly number[]): number[] | null {
  const value = object[field];
  if (value === undefined || value === null) return null;
  const good = Array.isArray(value) && lengths.includes(value.length) && value.every((v) => Number.isFinite(v));
  if (!good) throw wrong(place, field, `${lengths.join(' or ')} numbers`, value);
  return value as number[];
}

/** The CRS that an item or asset states, null when it states none. `proj:code` of another authority than EPSG needs a definition. */
function readCrs(place: Place, object: Json): Crs | null {
  const code = optionalString(place, object, 'proj:code');
  const epsg = optionalNumber(place, object, 'proj:epsg');
  const wkt = optionalString(place, object, 'proj:wkt2');
  const projjson = object['proj:projjson'];
  if (code !== null && /^epsg:\d+$/i.test(code)) return parseCrs(code);
  if (epsg !== null) {
    if (!Number.isInteger(epsg) || epsg <= 0) throw wrong(place, 'proj:epsg', 'an EPSG code', epsg);
    return parseCrs(String(epsg));
  }
  const definition = wkt ?? (isObject(projjson) ? JSON.stringify(projjson) : null);
  if (definition === null) return null;
  try {
    return parseCrs(definition);
  } catch (error) {
    const reason = messageOf(error);
    throw new InputError(`item ${place.id}: ${wkt ? 'proj:wkt2' : 'proj:projjson'}: ${reason}`, { items: [place.id] });
  }
}

/** The grid from proj:shape and proj:transform (or proj:bbox), each of the first object that has it. */
function readGrid(place: Place, sources: readonly Json[], crs: Crs | null): Grid | null {
  const find = (field: string, lengths: readonly number[]) => {
    for (const source of sources) {
      const value = numbers(place, source, field, lengths);
      if (value) return value;
    }
    return null;
  };
  const shape = find('proj:shape', [2]);
  const transform = find('proj:transform', [6, 9]);
  const bbox = find('proj:bbox', [4]);
  if (!shape || (!transform && !bbox)) return null;
  const [height, width] = shape as [number, number];
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < 1 || width < 1)
    throw wrong(place, 'proj:shape', '[height, width] in px', shape);
  const [west, south, east, north] = bbox ?? [0, 0, 0, 0];
  const affine = transform
    ? (transform.slice(0, 6) as unknown as Affine)
    : ([(east! - west!) / width, 0, west!, 0, (south! - north!) / height, north!] as const);
  if (affine[0] * affine[4] - affine[1] * affine[3] === 0) throw wrong(place, 'proj:transform', 'invertible', affine);
  return { crs: crs ?? UNKNOWN_CRS, affine, width, height };
}

const NOT_DATA = new Set(['thumbnail', 'overview', 'visual', 'metadata', 'index', 'rendered_preview', 'preview']);
const RASTER_TYPE = /tiff|geotiff|jp2|jpeg2000/i;
const RASTER_NAME = /\.(tiff?|jp2|j2k|j2c|jpc|jpx)$/i;

/** Whether an asset holds bands to compute with: no previews, pictures, metadata. */
function isData(key: string, asset: Json): boolean {
  const roles = Array.isArray(asset.roles) ? asset.roles : [];
  if (NOT_DATA.has(key) || (!roles.includes('data') && roles.some((role) => NOT_DATA.has(String(role))))) return false;
  if (roles.includes('visual') || roles.includes('thumbnail') || roles.includes('overview')) return false;
  if (typeof asset.type === 'string' && asset.type !== '') return RASTER_TYPE.test(asset.type);
  return RASTER_NAME.test(String(asset.href).replace(/[?#].*$/, ''));
}

/** Per band what the item says: STAC 1.1 `bands`, 1.0 `eo:bands` and `raster:bands` side by side, 0.x indices into the item's. First what counts first. */
function bandObjects(place: Place, asset: Json, properties: Json): Json[][] {
  const list = (field: string): Json[] => {
    const value = asset[field];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw wrong(place, `assets: ${field}`, 'a list', value);
    const shared = Array.isArray(properties['eo:bands']) ? properties['eo:bands'] : [];
    return value.map((entry) => {
      const band: unknown = typeof entry === 'number' ? shared[entry] : entry;
      if (!isObject(band)) throw wrong(place, `assets: ${field}`, 'a list of objects', entry);
      return band;
    });
  };
  const [bands, eo, raster] = [list('bands'), list('eo:bands'), list('raster:bands')];
  const count = Math.max(bands.length, eo.length, raster.length, 1);
  return Array.from({ length: count }, (_, i) =>
    [bands[i], eo[i], raster[i]].filter((said): said is Json => said !== undefined),
  );
}

function readNodata(place: Place, sources: readonly Json[]): number | null | undefined {
  for (const { nodata } of sources) {
    if (nodata === undefined) continue;
    if (nodata === null || typeof nodata === 'number') return nodata;
    const named = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY };
    const value = typeof nodata === 'string' ? named[nodata.toLowerCase() as keyof typeof named] : undefined;
    if (value === undefined) throw wrong(place, 'nodata', 'a number, "nan", "inf" or "-inf"', nodata);
    return value;
  }
  return undefined;
}

/** A field of the first object that has it, or null. */
function firstOf<T>(
  place: Place,
  sources: readonly Json[],
  field: string,
  read: (place: Place, source: Json, field: string) => T | null,
): T | null {
  for (const source of sources) {
    const value = read(place, source, field);
    if (value !== null) return value;
  }
  return null;
}

function readAsset(
  place: Place,
  key: string,
  asset: Json,
  item: { properties: Json; crs: Crs | null },
): [string, SceneBand][] {
  if (typeof asset.href !== 'string' || asset.href === '') throw wrong(place, `assets.${key}.href`, 'text', asset.href);
  const href = resolveHref(asset.href, place.url);
  const crs = readCrs(place, asset) ?? item.crs;
  const bands = bandObjects(place, asset, item.properties);
  const label = key.replace(RASTER_NAME, '');
  return bands.map((said, bandIndex) => {
    const from = [...said, asset];
    const text = (field: string) => firstOf(place, said, field, optionalString);
    const number = (field: string) => firstOf(place, from, field, optionalNumber);
    const name = text('name') ?? text('id');
    const dataType = firstOf(place, from, 'data_type', optionalString);
    return [
      bands.length === 1 ? label : (name ?? `${label}_b${bandIndex + 1}`),
      {
        href,
        bandIndex,
        name,
        commonName: text('common_name') ?? text('eo:common_name'),
        dtype: dtypeOfName(dataType ?? ''),
        nodata: readNodata(place, from),
        scale: number('scale') ?? number('raster:scale'),
        offset: number('offset') ?? number('raster:offset'),
        grid: readGrid(place, [...from, item.properties], crs),
      },
    ];
  });
}

/** The baseline of a product of Sentinel-2, and whether its offset is said to be in its numbers; null for all else. */
function readRadiometry(properties: Json, id: string): SceneRadiometry | null {
  const baseline = processingBaseline(properties, id);
  if (baseline === null) return null;
  const flags = ['earthsearch:boa_offset_applied', 'sentinel:boa_offset_applied'].map((name) => properties[name]);
  const offsetApplied = flags.find((flag): flag is boolean => typeof flag === 'boolean') ?? null;
  return { baseline, offsetApplied };
}

function readTime(place: Place, properties: Json): number {
  const text = optionalString(place, properties, 'datetime') ?? optionalString(place, properties, 'start_datetime');
  if (text === null) throw wrong(place, 'properties.datetime', 'a date and time', properties.datetime);
  try {
    return parseDatetime(text);
  } catch {
    throw wrong(place, 'properties.datetime', 'a date and time', text);
  }
}

/** `href`: where the item lies, or the document it is part of; its relative hrefs start there. Throws an `InputError` naming the field. */
export function sceneOfItem(item: unknown, href: string | null, index = 0): Scene {
  const nameless = { id: `number ${index + 1}`, url: href };
  if (!isObject(item)) throw wrong(nameless, 'it', 'a GeoJSON Feature', item);
  const { id, properties, assets, geometry } = item;
  if (typeof id !== 'string' || id === '') throw wrong(nameless, 'id', 'text', id);
  const place = { id, url: href };
  if (!isObject(properties)) throw wrong(place, 'properties', 'an object', properties);
  if (!isObject(assets)) throw wrong(place, 'assets', 'an object', assets);
  if (geometry !== null && geometry !== undefined && !(isObject(geometry) && typeof geometry.type === 'string'))
    throw wrong(place, 'geometry', 'a GeoJSON geometry', geometry);
  const itemCrs = readCrs(place, properties);
  // Names come from data: no prototype, so that "__proto__" is a name like any other.
  const bands: Record<string, SceneBand> = Object.create(null);
  for (const [key, asset] of Object.entries(assets)) {
    if (!isObject(asset)) throw wrong(place, `assets.${key}`, 'an object', asset);
    if (!isData(key, asset)) continue;
    for (const [name, band] of readAsset(place, key, asset, { properties, crs: itemCrs }))
      bands[name in bands ? `${key}_${name}` : name] = band;
  }
  const box = numbers(place, item, 'bbox', [4, 6]);
  const radiometry = readRadiometry(properties, id);
  // Of Sentinel-2 everybody knows it, so that not all archives say it; with an offset added it would be a number like any other.
  if (radiometry)
    for (const [key, band] of Object.entries(bands))
      if (band.nodata === undefined && band.dtype !== 'f32' && band.dtype !== 'f64' && isReflectance(key, band))
        band.nodata = 0;
  const self = Array.isArray(item.links) ? item.links.find((link) => isObject(link) && link.rel === 'self') : undefined;
  return {
    id,
    collection: optionalString(place, item, 'collection'),
    timeMs: readTime(place, properties),
    cloudCoverPercent: optionalNumber(place, properties, 'eo:cloud_cover'),
    bbox: box && (box.length === 4 ? [box[0]!, box[1]!, box[2]!, box[3]!] : [box[0]!, box[1]!, box[3]!, box[4]!]),
    geometry: (geometry as Geometry | null | undefined) ?? null,
    crs: itemCrs ?? Object.values(bands).find((band) => band.grid)?.grid?.crs ?? null,
    platform: optionalString(place, properties, 'platform') ?? optionalString(place, properties, 'eo:platform'),
    bands,
    ...(radiometry && { radiometry }),
    href: typeof self?.href === 'string' ? self.href : href,
  };
}
