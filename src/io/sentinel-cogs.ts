import { formatTileId, type TileId } from '../geo/mgrs.js';
import { AT_ONCE, type Finding, listIfThere, monthsOf, readDocument } from './archive-listing.js';
import { fileName, resolveHref } from './href.js';
import { mapFew } from './map-few.js';
import { platformInName, SENTINEL2_BANDS, SENTINEL2_EXTRAS, sentinel2Item } from './sentinel2-product.js';
import { isObject, type Json } from './stac-item.js';

const DAY_MS = 86_400_000;
const FOLDER = /^(S2[A-D]_(\d{1,2}[A-Z]{3})_(\d{4})(\d{2})(\d{2})_(\d+)_L2A)\/$/;

interface Product {
  id: string;
  url: string;
  dayMs: number;
  sequence: string;
}

async function productsOf(finding: Finding, tile: TileId): Promise<Product[]> {
  const { zone, band, square } = tile;
  const root = `s3://${finding.bucket}/sentinel-s2-l2a-cogs/${zone}/${band}/${square}/`;
  const months = await mapFew(monthsOf(finding), AT_ONCE, async ([year, month]) => {
    const folder = `${root}${year}/${month}/`;
    const names = await listIfThere(finding, folder);
    return names.flatMap((name) => {
      const found = FOLDER.exec(name);
      if (!found || found[2]!.replace(/^0/, '') !== formatTileId(tile)) return [];
      const dayMs = Date.UTC(Number(found[3]), Number(found[4]) - 1, Number(found[5]));
      const isIn = dayMs <= finding.endMs && dayMs + DAY_MS > finding.startMs;
      return isIn ? [{ id: found[1]!, url: folder + name, dayMs, sequence: found[6]! }] : [];
    });
  });
  return months.flat();
}

/** The published item with its files' addresses in the bucket that was listed: mirrors have other ones. */
function placedItem(item: Json, { id, url }: Product): Json {
  const assets = isObject(item.assets) ? item.assets : {};
  const placed = Object.entries(assets).map(([key, asset]) => {
    if (!isObject(asset) || typeof asset.href !== 'string') return [key, asset];
    const name = fileName(asset.href);
    const isOwn = asset.href.endsWith(`/${id}/${name}`);
    // What lies elsewhere keeps its address; relative ones are the folder's.
    return [key, { ...asset, href: isOwn ? url + name : resolveHref(asset.href, url) }];
  });
  return { ...item, assets: Object.fromEntries(placed) };
}

/** What the folder's name alone tells. */
function itemOfName({ id, url, dayMs, sequence }: Product, tile: TileId): Promise<Json> {
  const bands = [...SENTINEL2_BANDS, ...SENTINEL2_EXTRAS].filter(({ levels }) => levels.includes('L2A'));
  return sentinel2Item({
    id,
    level: 'L2A',
    tile,
    timeMs: dayMs,
    platform: platformInName(id),
    baseline: null,
    productName: null,
    datastrip: null,
    cloudCoverPercent: null,
    sequence,
    frame: null,
    assets: bands.map(({ name, resolutionM }) => ({ key: name, href: `${url}${name}.tif`, resolutionM })),
    offsets: null,
    quantification: 10_000,
  });
}

/** Items of the bucket `sentinel-cogs`, which lie beside their files: one list a month, since folders carry their dates. */
export async function findSentinelCogs(finding: Finding, tile: TileId): Promise<Json[]> {
  return mapFew(await productsOf(finding, tile), AT_ONCE, async (product) => {
    const item = await readDocument(finding, `${product.url}${product.id}.json`);
    return item ? placedItem(item, product) : itemOfName(product, tile);
  });
}
