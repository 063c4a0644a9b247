import { resolveHref, schemeOf } from './href.js';
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

/** Where the item itself lies, by its own link or else by the document that it came in. */
function baseOf(item: Json, url: string): string {
  const links = Array.isArray(item.links) ? item.links.filter(isObject) : [];
  const self = links.find(({ rel }) => rel === 'self');
  return typeof self?.href === 'string' && /^(https?|s3):/i.test(self.href) ? self.href : url;
}

/**
 * An item that came from `url`, as it may be kept elsewhere: the addresses of its assets are absolute, and where they have one of
 * this name or scheme (`s3`, `https`), that one. When none is asked for, files that need a login on the web are taken from their bucket.
 * @throws InputError when a server names files of this machine
 */
export function portableItem(item: Json, url: string, wanted?: string): Json {
  if (!isObject(item.assets)) return item;
  const base = baseOf(item, url);
  const assets = Object.entries(item.assets).map(([key, asset]) => {
    if (!isObject(asset) || typeof asset.href !== 'string') return [key, asset];
    return [key, placed({ ...asset, href: resolveHref(asset.href, base) }, wanted)];
  });
  return { ...item, assets: Object.fromEntries(assets) };
}
