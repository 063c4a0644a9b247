import { FormatError } from '../errors.js';
import { parseDatetime } from '../geo/time.js';
import { isObject, type Json } from './stac-item.js';
import { parseXml } from './xml.js';

/** A scene's name taken apart: `LC08_L2SP_001062_20201031_20201106_02_T2`. */
export interface LandsatId {
  text: string;
  path: string;
  row: string;
  /** Midnight of the day of acquisition, ms UTC. */
  dayMs: number;
  processed: string;
  tier: string;
  /** The same for all processings of an acquisition. */
  acquisition: string;
}

const ID = /^(L([COTEM])(\d{2}))_(L[12][A-Z]{2})_(\d{3})(\d{3})_(\d{4})(\d{2})(\d{2})_(\d{8})_\d{2}_(T1|T2|RT|A1|A2)$/;

/** A scene's name of Collection 2 in its parts, or null. */
export function landsatId(name: string): LandsatId | null {
  const found = ID.exec(name);
  if (!found) return null;
  const [text, sensor, , , , path, row, year, month, day, processed, tier] = found as unknown as string[];
  return {
    text: text!,
    path: path!,
    row: row!,
    dayMs: Date.UTC(Number(year), Number(month) - 1, Number(day)),
    processed: processed!,
    tier: tier!,
    acquisition: `${sensor}_${path}${row}_${year}${month}${day}`,
  };
}

const OLI = ['coastal', 'blue', 'green', 'red', 'nir08', 'swir16', 'swir22'];
const TM = ['blue', 'green', 'red', 'nir08', 'swir16', null, 'swir22'];
/** Of Collection 2 level 2, by USGS's data format control book. */
const REFLECTANCE = { 'raster:scale': 2.75e-5, 'raster:offset': -0.2 };
const TEMPERATURE = { 'raster:scale': 0.00341802, 'raster:offset': 149 };

/** What is known of a band by its name: `SR_B4`, `ST_B10`, `QA_PIXEL`; bands of level 1 have no prefix. `id`: the scene's name. */
export function bandMember(name: string, id: string): Json | null {
  const isTm = /^L[TE]/.test(id);
  const number = /^(?:SR_)?B(\d)$/.exec(name)?.[1];
  const commonName = number ? (isTm ? TM : OLI)[Number(number) - 1] : null;
  const light = { name, ...(commonName && { 'eo:common_name': commonName }), data_type: 'uint16', nodata: 0 };
  if (/^SR_B\d$/.test(name)) return { ...light, ...REFLECTANCE };
  if (/^[SB]T_B\d+$/.test(name)) return { ...light, ...TEMPERATURE };
  if (/^B\d+$/.test(name)) return light;
  if (name === 'QA_PIXEL') return { name, data_type: 'uint16', nodata: 1 };
  if (/^(QA_RADSAT|SR_ATMOS_OPACITY|SR_CLOUD_QA|SR_QA_AEROSOL|ST_QA)$/.test(name)) return { name };
  return null;
}

/** `SR_B4` from `LC08_…_SR_B4.TIF`; null for other files. */
function bandOfFile(name: string, id: LandsatId): string | null {
  return name.startsWith(`${id.text}_`) ? (/^(\w+)\.TIF$/i.exec(name.slice(id.text.length + 1))?.[1] ?? null) : null;
}

function itemOf(id: LandsatId, properties: Json, assets: readonly (readonly [string, string])[]): Json {
  const { path, row, text, dayMs } = id;
  const level = text.slice(5, 7) === 'L2' ? 'l2' : 'l1';
  return {
    type: 'Feature',
    stac_version: '1.1.0',
    id: text,
    collection: `landsat-c2-${level}`,
    geometry: null,
    properties: {
      datetime: new Date(dayMs).toISOString(),
      platform: `landsat-${Number(text.slice(2, 4))}`,
      'landsat:wrs_path': path,
      'landsat:wrs_row': row,
      ...properties,
    },
    links: [],
    assets: Object.fromEntries(
      assets.map(([name, href]) => [
        name,
        {
          href,
          type: 'image/vnd.stac.geotiff; cloud-optimized=true',
          roles: ['data'],
          bands: [bandMember(name, text)],
        },
      ]),
    ),
  };
}

/** The item of a level 2 scene from its name alone; `url` is its folder. */
export function landsatSceneItem(name: string, url: string): Json {
  const id = landsatId(name)!;
  const isTm = /^L[TE]/.test(name);
  const bands = (isTm ? [1, 2, 3, 4, 5, 7] : [1, 2, 3, 4, 5, 6, 7]).map((n) => `SR_B${n}`);
  return itemOf(
    id,
    {},
    [...bands, 'QA_PIXEL', 'QA_RADSAT'].map((band) => [band, `${url}${name}_${band}.TIF`]),
  );
}

/** Metadata of a scene as names and values: `MTL.json`, `MTL.xml`, or `MTL.txt` (lines of NAME = value). The first of a name counts. */
function readMtl(bytes: Uint8Array, url: string): Map<string, string> {
  const facts = new Map<string, string>();
  const add = (name: string, value: unknown) => {
    if (!facts.has(name) && (typeof value === 'string' || typeof value === 'number')) facts.set(name, String(value));
  };
  if (/\.xml$/i.test(url)) {
    for (const group of parseXml(bytes, url).children) for (const { name, text } of group.children) add(name, text);
    return facts;
  }
  const text = new TextDecoder().decode(bytes);
  if (/\.json$/i.test(url)) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (cause) {
      throw new FormatError(`${url} is not JSON: ${(cause as Error).message}`, { url }, { cause });
    }
    const root = isObject(parsed) ? Object.values(parsed)[0] : null;
    for (const group of Object.values(isObject(root) ? root : {}))
      if (isObject(group)) for (const [name, value] of Object.entries(group)) add(name, value);
    return facts;
  }
  for (const [, name, value] of text.matchAll(/^\s*([A-Z][A-Z0-9_]*)\s*=\s*"?([^"\r\n]*?)"?\s*$/gm)) add(name!, value);
  return facts;
}

/** West, south, east, north of the four corners; null where they are not all there. */
function cornerBox(facts: Map<string, string>): number[] | null {
  const corner = (name: string) => Number(facts.get(`CORNER_${name}_PRODUCT`) ?? Number.NaN);
  const lons = ['UL', 'UR', 'LL', 'LR'].map((c) => corner(`${c}_LON`));
  const lats = ['UL', 'UR', 'LL', 'LR'].map((c) => corner(`${c}_LAT`));
  if (![...lons, ...lats].every(Number.isFinite)) return null;
  const across = Math.max(...lons) - Math.min(...lons) > 180;
  const west = across ? Math.min(...lons.filter((lon) => lon > 0)) : Math.min(...lons);
  const east = across ? Math.max(...lons.filter((lon) => lon <= 0)) : Math.max(...lons);
  return [west, Math.min(...lats), east, Math.max(...lats)];
}

/** UTM scenes are all counted from the equator northward, as USGS delivers them; Antarctica is polar stereographic. */
function epsgOf(facts: Map<string, string>): number | null {
  const zone = Number(facts.get('UTM_ZONE') ?? 0);
  if (facts.get('MAP_PROJECTION') === 'PS') return 3031;
  return facts.get('MAP_PROJECTION') === 'UTM' && zone >= 1 && zone <= 60 ? 32600 + zone : null;
}

/** The metadata file among the names of a product's folder, or null. */
export function mtlOf(names: readonly string[]): string | null {
  for (const form of ['json', 'txt', 'xml']) {
    const found = names.find((name) => new RegExp(`_MTL\\.${form}$`, 'i').test(name));
    if (found) return found;
  }
  return null;
}

/**
 * The item of a product's folder: bands are the files that are there, the time is that of the scene's centre.
 * @throws FormatError when the metadata does not say what it is of
 */
export function landsatFolderItem(
  folder: string,
  names: readonly string[],
  mtl: { name: string; bytes: Uint8Array },
): Json {
  const url = folder + mtl.name;
  const facts = readMtl(mtl.bytes, url);
  const id = landsatId(facts.get('LANDSAT_PRODUCT_ID') ?? mtl.name.replace(/_MTL\.\w+$/i, ''));
  if (!id) throw new FormatError(`${url} names no scene of Landsat Collection 2 (LANDSAT_PRODUCT_ID)`, { url });
  const date = facts.get('DATE_ACQUIRED');
  const time = facts.get('SCENE_CENTER_TIME');
  const cloud = Number(facts.get('CLOUD_COVER') ?? -1);
  const epsg = epsgOf(facts);
  const bbox = cornerBox(facts);
  const assets = names.flatMap((name) => {
    const band = bandOfFile(name, id);
    return band && bandMember(band, id.text) ? [[band, folder + name] as const] : [];
  });
  const item = itemOf(
    id,
    {
      ...(date && time && { datetime: new Date(parseDatetime(`${date}T${time}`)).toISOString() }),
      ...(cloud >= 0 && { 'eo:cloud_cover': cloud }),
      ...(epsg && { 'proj:code': `EPSG:${epsg}` }),
    },
    assets,
  );
  return { ...item, ...(bbox && { bbox }) };
}
