import { projMembers } from '../geo/crs.js';
import { type Grid, gridBounds } from '../geo/grid.js';
import { type Frame, frameOfGrid } from '../geo/outline.js';
import type { BandStatistics } from './cog-writer.js';
import type { Scene } from './scene.js';

/** One raster of a result. */
export interface ResultAsset {
  /** The statistic: `geomedian`, `p25`. */
  key: string;
  /** Relative to the item. */
  href: string;
  /** As STAC names it: `uint16`. */
  dtype: string;
  nodata: number | null;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  bands: readonly { name: string; statistics: BandStatistics; scale?: number; offset?: number }[];
  /** When not given: a COG, its key, data. */
  type?: string;
  title?: string;
  roles?: readonly string[];
  /** Further members, those of extensions say. */
  members?: Readonly<Record<string, unknown>>;
}

export interface ResultItemRequest {
  id: string;
  grid: Grid;
  /** The inputs. */
  scenes: readonly Scene[];
  /** Of stackwise. */
  version: string;
  /** Whether there is a `preview.png` beside the item. */
  preview: boolean;
  /** How it was made; becomes the processing expression. */
  facts: Readonly<Record<string, unknown>> & { statistics: readonly string[]; mask: readonly string[] };
  assets: readonly ResultAsset[];
}

const EXTENSIONS = ['file/v2.1.0', 'processing/v1.2.0', 'projection/v2.0.0'];
/** Its schema refuses items that use nothing of it. */
const RASTER_EXTENSION = 'raster/v2.0.0';
export const COG = 'image/tiff; application=geotiff; profile=cloud-optimized';

/** A missing value as STAC writes it; nothing where there is none. */
export function nodataMember(nodata: number | null): { nodata?: number | string } {
  if (nodata === null) return {};
  if (Number.isNaN(nodata)) return { nodata: 'nan' };
  return { nodata: Number.isFinite(nodata) ? nodata : nodata > 0 ? 'inf' : '-inf' };
}

const hasScale = ({ scale = 1, offset = 0 }: ResultAsset['bands'][number]) => scale !== 1 || offset !== 0;

function bandMember(band: ResultAsset['bands'][number]): object {
  const { name, statistics, scale = 1, offset = 0 } = band;
  const { minimum, maximum, mean, stddev, validPercent } = statistics;
  const facts = { minimum, maximum, mean, stddev, valid_percent: validPercent };
  // A band without a valid pixel has no statistics but that.
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => Number.isFinite(value)));
  return {
    name,
    statistics: known,
    ...(hasScale(band) ? { 'raster:scale': scale, 'raster:offset': offset } : {}),
  };
}

const usesRaster = ({ bands, members = {} }: ResultAsset) =>
  bands.some(hasScale) || Object.keys(members).some((name) => name.startsWith('raster:'));

function extensionsOf(assets: readonly ResultAsset[]): string[] {
  const names = assets.some(usesRaster) ? [...EXTENSIONS, RASTER_EXTENSION] : EXTENSIONS;
  return names.map((name) => `https://stac-extensions.github.io/${name}/schema.json`);
}

/** Size and checksum, a multihash: 0x12 is SHA-256, 0x20 its 32 bytes. */
export function fileMembers({ bytes, sha256 }: { bytes: number; sha256: string }) {
  return { 'file:size': bytes, 'file:checksum': `1220${sha256}` };
}

function assetMember(asset: ResultAsset): object {
  const { key, href, dtype, nodata, bands, type = COG, title = key, roles = ['data'], members } = asset;
  return {
    href,
    title,
    type,
    roles,
    data_type: dtype,
    ...nodataMember(nodata),
    ...fileMembers(asset),
    bands: bands.map(bandMember),
    ...members,
  };
}

/** Links to inputs that have an address. */
export function derivedFrom(scenes: readonly Pick<Scene, 'href' | 'id'>[]) {
  return scenes.flatMap(({ href, id }) =>
    href === null ? [] : [{ rel: 'derived_from', href, type: 'application/geo+json', title: id }],
  );
}

const PREVIEW = { href: './preview.png', title: 'preview', type: 'image/png', roles: ['thumbnail', 'overview'] };

/** What the items of all results have in common. */
export interface RasterItemRequest {
  id: string;
  grid: Grid;
  /** `datetime`, or null with `start_datetime` and `end_datetime`. */
  times: Readonly<Record<string, string | null>>;
  /** Of stackwise. */
  version: string;
  /** How it was made, for people and for programs. */
  lineage: string;
  expression: Readonly<Record<string, unknown>>;
  links: readonly object[];
  assets: readonly ResultAsset[];
  /** What is shown of the grid; all of it when not given. */
  frame?: Frame;
  collection?: string;
  /** Further properties. */
  properties?: Readonly<Record<string, unknown>>;
  /** By key: assets that are no rasters on the grid. */
  otherAssets?: Readonly<Record<string, object>>;
}

/** Rasters on one grid as a STAC 1.1 item with the projection, file and processing extensions, and where numbers are scaled the raster extension. */
export async function rasterItem(request: RasterItemRequest) {
  const { id, grid, times, version, lineage, expression, links, assets, collection, properties, otherAssets } = request;
  const { geometry, bbox } = request.frame ?? (await frameOfGrid(grid));
  const { west, south, east, north } = gridBounds(grid);
  return {
    type: 'Feature',
    stac_version: '1.1.0',
    stac_extensions: extensionsOf(assets),
    id,
    ...(collection !== undefined && { collection }),
    geometry,
    ...(bbox && { bbox }),
    properties: {
      ...times,
      ...properties,
      ...projMembers(grid.crs),
      'proj:shape': [grid.height, grid.width],
      'proj:transform': grid.affine,
      'proj:bbox': [west, south, east, north],
      'processing:software': { stackwise: version },
      'processing:lineage': lineage,
      'processing:expression': { format: 'stackwise', expression },
    },
    links,
    assets: { ...Object.fromEntries(assets.map((asset) => [asset.key, assetMember(asset)])), ...otherAssets },
  };
}

/** A composite as such an item. It holds no clock time of the run: equal runs give equal items. */
export async function resultItem(request: ResultItemRequest): Promise<object> {
  const { id, grid, scenes, version, preview, facts, assets } = request;
  const times = scenes.map(({ timeMs }) => timeMs);
  const at = (ms: number) => new Date(ms).toISOString();
  const [first, last] = times.reduce(([a, b], t) => [Math.min(a, t), Math.max(b, t)], [Infinity, -Infinity]);
  const mask = facts.mask.length > 0 ? `masked by ${facts.mask.join(' or ')}` : 'without a mask';
  const item = await rasterItem({
    id,
    grid,
    times: { datetime: null, start_datetime: at(first!), end_datetime: at(last!) },
    version,
    lineage: `${facts.statistics.join(', ')} over time of ${scenes.length} scenes, ${mask}`,
    expression: facts,
    links: derivedFrom(scenes),
    assets,
  });
  return preview ? { ...item, assets: { ...item.assets, preview: PREVIEW } } : item;
}
