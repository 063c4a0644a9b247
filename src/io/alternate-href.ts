import { schemeOf } from './href.js';
import { isObject, type Json } from './stac-item.js';

/** Web servers whose files need a login, where the same files lie in a bucket. */
const LOGIN_HOSTS = /^https:\/\/landsatlook\.usgs\.gov\//i;

/** The other addresses of an asset by name (alternate-assets extension). */
function alternatesOf(asset: Json): [string, string][] {
  const found = isObject(asset.alternate) ? Object.entries(asset.alternate) : [];
  return found.flatMap(([name, value]) =>
    isObject(value) && typeof value.href === 'string' ? [[name, value.href]] : [],
  );
}

function placed(asset: Json, wanted: string | undefined): Json {
  if (typeof asset.href !== 'string') return asset;
  const name = wanted ?? (LOGIN_HOSTS.test(asset.href) ? 's3' : undefined);
  if (name === undefined || schemeOf(asset.href) === name) return asset;
  const other = alternatesOf(asset).find(([key, href]) => key === name || schemeOf(href) === name);
  // An item of a server cannot name local files.
  if (!other || schemeOf(other[1]) === 'file' || schemeOf(other[1]) === null) return asset;
  return { ...asset, href: other[1] };
}

/**
 * An item whose assets have the address of this name or scheme (`s3`, `https`) where they have one. When none is asked for, files
 * that need a login on the web are taken from their bucket.
 */
export function alternateHrefs(item: Json, wanted?: string): Json {
  if (!isObject(item.assets)) return item;
  const assets = Object.entries(item.assets).map(([key, asset]) => [
    key,
    isObject(asset) ? placed(asset, wanted) : asset,
  ]);
  return { ...item, assets: Object.fromEntries(assets) };
}
