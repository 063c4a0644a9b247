// What a run says of its product as a whole: a STAC collection, and a product of Open Data Cube.
import { isGeographic, projMembers } from '../../geo/crs.js';
import type { Grid } from '../../geo/grid.js';
import type { GridSpec, TileIndex } from '../../geo/gridspec.js';
import { sidesOf, turnsOf } from '../../geo/longitude.js';
import type { Period } from '../../geo/period.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import { DTYPE_NAMES, type Dtype } from '../../io/raster.js';
import { COG, nodataMember } from '../../io/result-item.js';
import { writeYaml } from '../yaml.js';
import type { Product } from './product.js';
import type { TileDocument } from './tile-documents.js';
import { isRemote } from './tile-item.js';
import { instant, odcCrs, pixelMetres } from './tile-properties.js';

/** A band of all tiles of a product. */
export interface ProductBand {
  name: string;
  dtype: Dtype;
  nodata: number | null;
  /** As UDUNITS writes it; `1`, without a unit, when not given. */
  units?: string;
  /** Other names that it is asked for by. */
  aliases?: readonly string[];
  description?: string;
}

/** A product, and the tasks of a run. */
export interface ProductFacts {
  product: Product;
  gridSpec: GridSpec;
  /** Of any output; its pixels may have another size than the set's. */
  grid: Grid;
  tiles: readonly TileIndex[];
  periods: readonly Period[];
  bands: readonly ProductBand[];
  /** Whether tiles have a colour image, and the type of their thumbnails. */
  rgba: boolean;
  thumbnail: 'image/jpeg' | 'image/png' | null;
  /** Where tiles go: a folder or URL. */
  location: string;
  description?: string | undefined;
  /** SPDX; `other` when not given. */
  license?: string | undefined;
}

/** Around all tiles, degrees; west > east across the antimeridian. */
async function boxOf({ gridSpec, tiles }: ProductFacts): Promise<[number, number, number, number]> {
  const outlines = await tileOutlines(gridSpec);
  const boxes = tiles.map((tile) => outlines.boundsOf(tile));
  const spans = boxes.map(([west, , east]) => ({ west, east: east < west ? east + 360 : east }));
  const turns = turnsOf(spans);
  let around = { west: Infinity, east: -Infinity };
  let [south, north] = [Infinity, -Infinity];
  for (const [i, { west, east }] of spans.entries()) {
    const turn = 360 * turns[i]!;
    around = { west: Math.min(around.west, west + turn), east: Math.max(around.east, east + turn) };
    south = Math.min(south, boxes[i]![1]);
    north = Math.max(north, boxes[i]![3]);
  }
  const [west, east] = sidesOf(around);
  const rounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7;
  return [rounded(west), rounded(south), rounded(east), rounded(north)];
}

const describe = ({ description, product, periods }: ProductFacts) =>
  description ??
  `${product.family} of ${periods.length === 1 ? 'a period' : `${periods.length} periods`} in tiles: ${product.name} ${product.version}`;

function itemAssets({ bands, rgba, thumbnail }: ProductFacts): Record<string, object> {
  const data = bands.map(({ name, dtype, nodata, description }) => [
    name,
    {
      title: name,
      ...(description !== undefined && { description }),
      type: COG,
      roles: ['data'],
      data_type: DTYPE_NAMES[dtype],
      ...nodataMember(nodata),
      bands: [{ name }],
    },
  ]);
  return Object.fromEntries([
    ...data,
    ...(rgba ? [['rgba', { title: 'Colour image', type: COG, roles: ['visual', 'overview'] }]] : []),
    ...(thumbnail ? [['thumbnail', { title: 'Thumbnail image', type: thumbnail, roles: ['thumbnail'] }]] : []),
    ['checksum:sha1', { title: 'SHA-1 of all files', type: 'text/plain', roles: ['metadata'] }],
  ]);
}

function summariesOf({ product, grid }: ProductFacts): Record<string, unknown[]> {
  const facts: Record<string, unknown> = {
    'odc:product': product.name,
    'odc:product_family': product.family,
    'odc:dataset_version': product.version,
    'dea:dataset_maturity': product.maturity,
    gsd: pixelMetres(grid),
    ...projMembers(grid.crs),
  };
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, [value]]));
}

/** `collection.json`: a STAC 1.1 collection that the items of all tiles name. */
export async function productCollection(facts: ProductFacts): Promise<object> {
  const { product, periods, location, license = 'other' } = facts;
  const starts = periods.map(({ startMs }) => startMs);
  const ends = periods.map(({ endMs }) => endMs);
  const least = starts.reduce((a, b) => Math.min(a, b), Infinity);
  const most = ends.reduce((a, b) => Math.max(a, b), -Infinity);
  const self = isRemote(location)
    ? [{ rel: 'self', href: `${location.replace(/\/$/, '')}/collection.json`, type: 'application/json' }]
    : [];
  const explorer = product.explorerPath && {
    rel: 'product_overview',
    href: `${product.explorerPath}product/${product.name}`,
    type: 'text/html',
  };
  return {
    type: 'Collection',
    stac_version: '1.1.0',
    stac_extensions: ['https://stac-extensions.github.io/projection/v2.0.0/schema.json'],
    id: product.name,
    title: product.name,
    description: describe(facts),
    license,
    providers: [{ name: product.producer, roles: ['producer', 'processor'] }],
    extent: {
      spatial: { bbox: [await boxOf(facts)] },
      temporal: { interval: [[instant(least), instant(most, true)]] },
    },
    summaries: summariesOf(facts),
    item_assets: itemAssets(facts),
    links: [
      ...self,
      { rel: 'root', href: './collection.json', type: 'application/json' },
      ...(explorer ? [explorer] : []),
    ],
  };
}

/** Open Data Cube wants a missing value of each band: where there is none, 0 stands for no observation, or NaN. */
const odcNodata = ({ dtype, nodata }: ProductBand) => nodata ?? (dtype === 'f32' || dtype === 'f64' ? Number.NaN : 0);

/** How far edges of pixels lie from multiples of their size. */
const offsetOf = (edge: number, step: number) => edge - Math.floor(edge / Math.abs(step)) * Math.abs(step);

/** The definition of a product of Open Data Cube, which its tiles can be indexed under. */
export function productDefinition(facts: ProductFacts): Promise<string> {
  const { product, grid, bands, license } = facts;
  const [columnStep, , left, , rowStep, top] = grid.affine;
  const [x, y] = isGeographic(grid.crs) ? ['longitude', 'latitude'] : ['x', 'y'];
  return writeYaml(
    {
      name: product.name,
      description: describe(facts),
      ...(license !== undefined && { license }),
      metadata_type: 'eo3',
      metadata: { product: { name: product.name } },
      load: {
        crs: odcCrs(grid.crs),
        resolution: { [y!]: rowStep, [x!]: columnStep },
        align: { [y!]: offsetOf(top, rowStep), [x!]: offsetOf(left, columnStep) },
      },
      measurements: bands.map((band) => ({
        name: band.name,
        dtype: DTYPE_NAMES[band.dtype],
        nodata: odcNodata(band),
        units: band.units ?? '1',
        ...(band.aliases && band.aliases.length > 0 && { aliases: band.aliases }),
      })),
    },
    { spaced: ['metadata', 'load', 'measurements'] },
  );
}

/** Both as files for the folder of the product. */
export async function productDocuments(facts: ProductFacts): Promise<{ files: TileDocument[] }> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const collection = `${JSON.stringify(await productCollection(facts), null, 2)}\n`;
  return {
    files: [
      {
        name: `${facts.product.name}.odc-product.yaml`,
        mediaType: 'text/yaml',
        bytes: encode(await productDefinition(facts)),
      },
      { name: 'collection.json', mediaType: 'application/json', bytes: encode(collection) },
    ],
  };
}
