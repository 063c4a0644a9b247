import type { TileId } from '../geo/mgrs.js';
import { formatTileId } from '../geo/mgrs.js';
import { frameOfGrid } from '../geo/outline.js';
import type { Json } from './stac-item.js';

export type Sentinel2Level = 'L1C' | 'L2A';

interface BandFacts {
  name: string;
  /** STAC's common name, or null for what is no light. */
  commonName: string | null;
  /** Finest pixel size in m. */
  resolutionM: 10 | 20 | 60;
  levels: readonly Sentinel2Level[];
}

const both: readonly Sentinel2Level[] = ['L1C', 'L2A'];

function band(name: string, commonName: string | null, resolutionM: 10 | 20 | 60, levels = both): BandFacts {
  return { name, commonName, resolutionM, levels };
}

/** The bands of Sentinel-2 in ESA's order: the place in this list is `band_id` in product metadata (0 to 12). */
export const SENTINEL2_BANDS: readonly BandFacts[] = [
  band('B01', 'coastal', 60),
  band('B02', 'blue', 10),
  band('B03', 'green', 10),
  band('B04', 'red', 10),
  band('B05', 'rededge071', 20),
  band('B06', 'rededge075', 20),
  band('B07', 'rededge078', 20),
  band('B08', 'nir', 10),
  band('B8A', 'nir08', 20),
  band('B09', 'nir09', 60),
  band('B10', 'cirrus', 60, ['L1C']),
  band('B11', 'swir16', 20),
  band('B12', 'swir22', 20),
];

/** What else L2A has. */
export const SENTINEL2_EXTRAS: readonly BandFacts[] = [
  band('SCL', null, 20, ['L2A']),
  band('AOT', null, 20, ['L2A']),
  band('WVP', null, 20, ['L2A']),
];

/** A tile has this many m on each side. */
const TILE_M = 109_800;

/** One tile of one acquisition, from whatever describes it. */
export interface Sentinel2Product {
  id: string;
  level: Sentinel2Level;
  tile: TileId;
  timeMs: number;
  /** `sentinel-2a` */
  platform: string | null;
  /** `04.00` */
  baseline: string | null;
  /** `S2A_MSIL2A_…` */
  productName: string | null;
  datastrip: string | null;
  cloudCoverPercent: number | null;
  /** Where among products of the same day. */
  sequence: string | null;
  /** EPSG code and upper left corner in m; null where nothing says it. */
  frame: { epsg: number; left: number; top: number } | null;
  assets: readonly { key: string; href: string; resolutionM: number }[];
  /** Added to stored numbers before they are divided by 10 000, by band; null: nothing says it. */
  offsets: Readonly<Record<string, number>> | null;
  quantification: number;
}

const NAME = /^S2([A-D])_(?:OPER_PRD_)?MSIL?(1C|2A)_/;
/** `sentinel-2a` from a name that begins with `S2A_`. */
export function platformInName(name: string): string | null {
  const unit = NAME.exec(name)?.[1] ?? /^S2([A-D])_/.exec(name)?.[1];
  return unit ? `sentinel-2${unit.toLowerCase()}` : null;
}

function assetMember(product: Sentinel2Product, { key, href, resolutionM }: Sentinel2Product['assets'][number]) {
  const { frame, offsets, quantification } = product;
  const facts = SENTINEL2_BANDS.find(({ name }) => name === key);
  const size = TILE_M / resolutionM;
  const offset = offsets?.[key];
  const isClass = key === 'SCL';
  return {
    href,
    type: href.endsWith('.jp2') ? 'image/jp2' : 'image/tiff; application=geotiff; profile=cloud-optimized',
    roles: ['data'],
    ...(frame && {
      'proj:shape': [size, size],
      'proj:transform': [resolutionM, 0, frame.left, 0, -resolutionM, frame.top],
    }),
    bands: [
      {
        name: key,
        ...(facts?.commonName && { 'eo:common_name': facts.commonName }),
        data_type: isClass ? 'uint8' : 'uint16',
        nodata: 0,
        ...(facts && { 'raster:scale': 1 / quantification }),
        ...(facts && offset !== undefined && { 'raster:offset': offset / quantification }),
      },
    ],
  };
}

/** The product as a STAC 1.1 item. */
export async function sentinel2Item(product: Sentinel2Product): Promise<Json> {
  const { id, level, tile, frame, timeMs, cloudCoverPercent } = product;
  const size = TILE_M / 10;
  const place = frame
    ? await frameOfGrid({
        crs: { epsg: frame.epsg, definition: null, geoKeys: null },
        affine: [10, 0, frame.left, 0, -10, frame.top],
        width: size,
        height: size,
      })
    : { geometry: null, bbox: null };
  return {
    type: 'Feature',
    stac_version: '1.1.0',
    id,
    collection: `sentinel-2-${level.toLowerCase()}`,
    geometry: place.geometry,
    ...(place.bbox && { bbox: place.bbox }),
    properties: {
      datetime: new Date(timeMs).toISOString(),
      ...(product.platform && { platform: product.platform }),
      ...(cloudCoverPercent !== null && { 'eo:cloud_cover': cloudCoverPercent }),
      'grid:code': `MGRS-${formatTileId(tile)}`,
      ...(frame && { 'proj:code': `EPSG:${frame.epsg}` }),
      ...(product.baseline && { 's2:processing_baseline': product.baseline }),
      ...(product.productName && { 's2:product_uri': product.productName }),
      ...(product.datastrip && { 's2:datastrip_id': product.datastrip }),
      ...(product.sequence && { 's2:sequence': product.sequence }),
    },
    links: [],
    assets: Object.fromEntries(product.assets.map((asset) => [asset.key, assetMember(product, asset)])),
  };
}
