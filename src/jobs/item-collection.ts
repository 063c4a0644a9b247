import { isObject, type Json } from '../io/stac-item.js';
import type { OutputFolder } from './output-folder.js';

function linked(item: Json, place: OutputFolder): Json {
  if (!isObject(item.assets)) return item;
  const assets = Object.entries(item.assets).map(([key, asset]) => {
    if (!isObject(asset) || typeof asset.href !== 'string') return [key, asset];
    return [key, { ...asset, href: place.linkTo(asset.href) ?? asset.href }];
  });
  return { ...item, assets: Object.fromEntries(assets) };
}

/** Items as a STAC item collection that lies in a folder: files of this machine are named by their path from there. */
export function itemCollection(items: readonly Json[], place: OutputFolder): Uint8Array {
  const collection = { type: 'FeatureCollection', features: items.map((item) => linked(item, place)) };
  return new TextEncoder().encode(`${JSON.stringify(collection)}\n`);
}
