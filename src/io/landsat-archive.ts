import { InputError } from '../errors.js';
import { AT_ONCE, type Finding, listIfThere, readDocument } from './archive-listing.js';
import { fileName } from './href.js';
import { landsatId, landsatSceneItem } from './landsat-product.js';
import { mapFew } from './map-few.js';
import { isObject, type Json } from './stac-item.js';

const DAY_MS = 86_400_000;
/** Folders of surface reflectance, with the years that they hold. */
const SENSORS: readonly { name: string; from: number; to: number }[] = [
  { name: 'tm', from: 1982, to: 2013 },
  { name: 'etm', from: 1999, to: Number.POSITIVE_INFINITY },
  { name: 'oli-tirs', from: 2013, to: Number.POSITIVE_INFINITY },
];

/** `1/62` or `001/062` as the folders spell it. @throws InputError beyond WRS-2: paths 1 to 233, rows 1 to 248 */
export function parsePathRow(text: string): { path: string; row: string } {
  const found = /^\s*(\d{1,3})\s*[/,]\s*(\d{1,3})\s*$/.exec(text);
  const [path, row] = [Number(found?.[1]), Number(found?.[2])];
  if (!found || path < 1 || path > 233 || row < 1 || row > 248)
    throw new InputError(`"${text.slice(0, 40)}" is no path and row like 001/062 (paths 1 to 233, rows 1 to 248)`, {
      option: 'path-row',
    });
  return { path: String(path).padStart(3, '0'), row: String(row).padStart(3, '0') };
}

interface Product {
  id: string;
  url: string;
}

async function productsOf(finding: Finding, pathRow: string): Promise<Product[]> {
  const { path, row } = parsePathRow(pathRow);
  const [first, last] = [finding.startMs, finding.endMs].map((ms) => new Date(ms).getUTCFullYear());
  const folders: string[] = [];
  for (const { name, from, to } of SENSORS)
    for (let year = Math.max(first!, from); year <= Math.min(last!, to); year++)
      folders.push(`s3://${finding.bucket}/collection02/level-2/standard/${name}/${year}/${path}/${row}/`);
  const found = await mapFew(folders, AT_ONCE, async (folder) => {
    const names = await listIfThere(finding, folder);
    return names.flatMap((name) => {
      const id = name.endsWith('/') ? landsatId(name.slice(0, -1)) : null;
      const isIn = id && id.dayMs <= finding.endMs && id.dayMs + DAY_MS > finding.startMs;
      return isIn && id.path === path && id.row === row ? [{ id: id.text, url: folder + name }] : [];
    });
  });
  return newest(found.flat());
}

/** One processing an acquisition: tier 1 before tier 2 before real-time, then the latest made. */
function newest(products: readonly Product[]): Product[] {
  const rank = ({ id }: Product) => {
    const { tier, processed } = landsatId(id)!;
    return `${{ T1: 2, T2: 1, RT: 0 }[tier] ?? 0} ${processed}`;
  };
  const byAcquisition = new Map<string, Product>();
  for (const product of products) {
    const { acquisition } = landsatId(product.id)!;
    const other = byAcquisition.get(acquisition);
    if (!other || rank(product) > rank(other)) byAcquisition.set(acquisition, product);
  }
  return [...byAcquisition.values()];
}

/** A published item with its files' addresses in the bucket that was listed. */
function placedAssets(item: Json | null, url: string): Json {
  const assets = isObject(item?.assets) ? item.assets : {};
  const placed = Object.entries(assets).flatMap(([key, asset]) =>
    isObject(asset) && typeof asset.href === 'string' ? [[key, { ...asset, href: url + fileName(asset.href) }]] : [],
  );
  return Object.fromEntries(placed);
}

async function itemOfProduct(finding: Finding, { id, url }: Product): Promise<Json> {
  const [reflectance, temperature] = await Promise.all(
    ['SR', 'ST'].map((kind) =>
      kind === 'ST' && id.slice(5, 9) !== 'L2SP' ? null : readDocument(finding, `${url}${id}_${kind}_stac.json`),
    ),
  );
  const published = reflectance ?? temperature;
  if (!published) return landsatSceneItem(id, url);
  return { ...published, id, assets: { ...placedAssets(temperature!, url), ...placedAssets(reflectance!, url) } };
}

/** Items of the bucket `usgs-landsat`, level 2: one list a sensor and year, since folders carry their dates. */
export async function findLandsat(finding: Finding, pathRow: string): Promise<Json[]> {
  return mapFew(await productsOf(finding, pathRow), AT_ONCE, (product) => itemOfProduct(finding, product));
}
