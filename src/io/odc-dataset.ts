import type { Geometry } from 'geojson';
import { FormatError } from '../errors.js';
import { type Crs, parseCrs, projMembers } from '../geo/crs.js';
import { lonLatRings } from '../geo/tile-cover.js';
import { resolveHref } from './href.js';
import { isObject, type Json } from './stac-item.js';

/** A dataset of Open Data Cube as caches hold it: an eo3 document and where it came from. */
export interface OdcDataset {
  id: string;
  product: string;
  uris: readonly string[];
  metadata: Json;
}

/** Bands of a product by name, as its definition lists them: `{ name, dtype, nodata }`. */
export type ProductBands = ReadonlyMap<string, Json>;

/** Footprints in metres get a point every so often on their way to degrees; those in degrees none. */
const STEP_M = 25_000;
/** Of one file. */
const MAX_BANDS = 1000;

function gridMembers(grids: unknown, name: unknown): Json {
  const grid = isObject(grids) ? grids[typeof name === 'string' ? name : 'default'] : undefined;
  if (!isObject(grid) || !Array.isArray(grid.shape) || !Array.isArray(grid.transform)) return {};
  return { 'proj:shape': grid.shape, 'proj:transform': grid.transform };
}

/** A band as STAC says it. */
function bandMember(name: string, facts: Json | undefined): Json {
  const nodata = facts?.nodata;
  return {
    name,
    ...(typeof facts?.dtype === 'string' && { data_type: facts.dtype }),
    ...(nodata !== undefined && { nodata: typeof nodata === 'string' ? nodata.toLowerCase() : nodata }),
  };
}

/** Measurements by file: those of one file are bands of one asset, at their places in it. */
function assetsOf(metadata: Json, uri: string, bands: ProductBands | undefined): Json {
  const measurements = isObject(metadata.measurements) ? metadata.measurements : {};
  const properties = isObject(metadata.properties) ? metadata.properties : {};
  const type = /jp2|jpeg ?2000/i.test(String(properties['odc:file_format'] ?? ''))
    ? 'image/jp2'
    : 'image/tiff; application=geotiff';
  const files = new Map<string, { key: string; grid: Json; list: Json[] }>();
  for (const [key, measurement] of Object.entries(measurements)) {
    if (!isObject(measurement) || typeof measurement.path !== 'string') continue;
    const { path, band, grid } = measurement;
    const file = files.get(path) ?? { key, grid: gridMembers(metadata.grids, grid), list: [] };
    const index = Number.isInteger(band) && Number(band) >= 1 && Number(band) <= MAX_BANDS ? Number(band) - 1 : 0;
    file.list[index] = bandMember(key, bands?.get(key));
    files.set(path, file);
  }
  const assets = [...files].map(([path, { key, grid, list }]) => {
    const own = Array.from(list, (band) => band ?? {});
    return [key, { href: resolveHref(path, uri), type, roles: ['data'], ...grid, bands: own }];
  });
  return Object.fromEntries(assets);
}

/** Footprint in the dataset's own CRS: the valid data, else the document's geometry. */
function footprint(metadata: Json): Geometry | null {
  const spatial = isObject(metadata.grid_spatial) ? metadata.grid_spatial : {};
  const projection = isObject(spatial.projection) ? spatial.projection : {};
  const shape = projection.valid_data ?? metadata.geometry;
  return isObject(shape) && typeof shape.type === 'string' ? (shape as unknown as Geometry) : null;
}

function boundsOf(extent: unknown): number[] | null {
  const of = (axis: unknown) => (isObject(axis) ? [axis.begin, axis.end] : []);
  const { lon, lat } = isObject(extent) ? extent : {};
  const bbox = [of(lon)[0], of(lat)[0], of(lon)[1], of(lat)[1]];
  return bbox.every((value) => typeof value === 'number' && Number.isFinite(value)) ? (bbox as number[]) : null;
}

/** Datasets of Open Data Cube as STAC items; what depends on a CRS is made once for each. */
export function odcItems(): (dataset: OdcDataset, bands?: ProductBands) => Promise<Json> {
  const systems = new Map<string, Promise<{ crs: Crs; toLonLat: (geometry: Geometry) => Geometry }>>();
  const systemOf = async (text: string) => {
    const crs = parseCrs(text);
    return { crs, toLonLat: await lonLatRings(crs, STEP_M) };
  };
  return async ({ id, product, uris, metadata }, bands) => {
    const wrong = (what: string) => new FormatError(`dataset ${id}: ${what}`, { items: [id] });
    if (!isObject(metadata) || !isObject(metadata.properties)) throw wrong('its document has no properties');
    if (typeof metadata.crs !== 'string') throw wrong('its document names no crs');
    if (!isObject(metadata.grids)) throw wrong('it is no eo3 document: grids are missing');
    if (!systems.has(metadata.crs)) systems.set(metadata.crs, systemOf(metadata.crs));
    const { crs, toLonLat } = await systems.get(metadata.crs)!;
    const shape = footprint(metadata);
    const bbox = boundsOf(metadata.extent);
    const uri = uris[0] ?? '';
    return {
      type: 'Feature',
      stac_version: '1.1.0',
      id,
      collection: product,
      geometry: shape && toLonLat(shape),
      ...(bbox && { bbox }),
      properties: {
        ...(typeof metadata.label === 'string' && { title: metadata.label }),
        ...metadata.properties,
        ...projMembers(crs),
      },
      links: uri === '' ? [] : [{ rel: 'self', href: uri }],
      assets: assetsOf(metadata, uri, bands),
    };
  };
}
