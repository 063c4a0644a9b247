import { crsOfTile, formatTileId, type TileId } from '../geo/mgrs.js';
import { parseDatetime } from '../geo/time.js';
import { AT_ONCE, type Finding, listIfThere, monthsOf, readDocument } from './archive-listing.js';
import { baselineInName } from './baseline.js';
import { mapFew } from './map-few.js';
import {
  platformInName,
  SENTINEL2_BANDS,
  SENTINEL2_EXTRAS,
  type Sentinel2Level,
  sentinel2Item,
} from './sentinel2-product.js';
import { isObject, type Json } from './stac-item.js';

const DAY_MS = 86_400_000;

/** A folder of one product: `tiles/10/U/DV/2019/8/26/0/`. */
interface Leaf {
  url: string;
  dayMs: number;
  sequence: string;
}

/** Lists a month for its days, and each day that may hold a match for its products. */
async function leavesOf(finding: Finding, { zone, band, square }: TileId): Promise<Leaf[]> {
  const root = `s3://${finding.bucket}/tiles/${zone}/${band}/${square}/`;
  const days = await mapFew(monthsOf(finding), AT_ONCE, async ([year, month]) => {
    const names = await listIfThere(finding, `${root}${year}/${month}/`);
    return names.flatMap((name) => {
      const day = /^(\d{1,2})\/$/.exec(name)?.[1];
      const dayMs = Date.UTC(year, month - 1, Number(day));
      const isIn = day !== undefined && dayMs <= finding.endMs && dayMs + DAY_MS > finding.startMs;
      return isIn ? [{ url: `${root}${year}/${month}/${name}`, dayMs }] : [];
    });
  });
  const leaves = await mapFew(days.flat(), AT_ONCE, async ({ url, dayMs }) => {
    const names = await listIfThere(finding, url);
    return names.flatMap((name) =>
      /^\d+\/$/.test(name) ? [{ url: url + name, dayMs, sequence: name.slice(0, -1) }] : [],
    );
  });
  return leaves.flat();
}

function keysOf(url: string, level: Sentinel2Level) {
  return [...SENTINEL2_BANDS, ...SENTINEL2_EXTRAS]
    .filter(({ levels }) => levels.includes(level))
    .map(({ name, resolutionM }) => ({
      key: name,
      href: level === 'L1C' ? `${url}${name}.jp2` : `${url}R${resolutionM}m/${name}.jp2`,
      resolutionM,
    }));
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** The upper left corner of the tile in m. */
function originOf(tileInfo: Json): [number, number] | null {
  const { tileOrigin } = tileInfo;
  const found = isObject(tileOrigin) ? tileOrigin.coordinates : null;
  const good = Array.isArray(found) && found.length === 2 && found.every((v) => Number.isFinite(v));
  return good ? (found as [number, number]) : null;
}

async function itemOfLeaf(finding: Finding, leaf: Leaf, tile: TileId, level: Sentinel2Level): Promise<Json> {
  const info = (await readDocument(finding, `${leaf.url}tileInfo.json`)) ?? {};
  const productName = textOf(info.productName);
  const datastrip = isObject(info.datastrip) ? textOf(info.datastrip.id) : null;
  const timestamp = textOf(info.timestamp);
  const origin = originOf(info);
  const cloud = info.cloudyPixelPercentage;
  const day = new Date(leaf.dayMs).toISOString().slice(0, 10).replaceAll('-', '');
  const platform = platformInName(productName ?? datastrip ?? '');
  const unit = platform ? platform.slice(-1).toUpperCase() : '';
  return sentinel2Item({
    id: `S2${unit}_${formatTileId(tile)}_${day}_${leaf.sequence}_${level}`,
    level,
    tile,
    timeMs: timestamp ? parseDatetime(timestamp) : leaf.dayMs,
    platform,
    baseline: baselineInName(productName ?? '') ?? baselineInName(datastrip ?? ''),
    productName,
    datastrip,
    cloudCoverPercent: typeof cloud === 'number' && Number.isFinite(cloud) ? cloud : null,
    sequence: leaf.sequence,
    frame: origin && { epsg: crsOfTile(tile).epsg!, left: origin[0], top: origin[1] },
    assets: keysOf(leaf.url, level),
    offsets: null,
    quantification: 10_000,
  });
}

/**
 * Items of the buckets `sentinel-s2-l1c` and `sentinel-s2-l2a`. Names of files follow from the folder, so no file is listed; the time
 * of acquisition, the corner and the baseline come from `tileInfo.json`.
 */
export async function findSentinelTiles(finding: Finding, tile: TileId, level: Sentinel2Level): Promise<Json[]> {
  return mapFew(await leavesOf(finding, tile), AT_ONCE, (leaf) => itemOfLeaf(finding, leaf, tile, level));
}
