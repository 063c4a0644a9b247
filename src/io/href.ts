import { InputError } from '../errors.js';

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]+):/; // two letters at least: C: is a drive

/** The scheme of a URL in lower case; null for a plain path. */
export function schemeOf(url: string): string | null {
  return SCHEME.exec(url)?.[1]?.toLowerCase() ?? null;
}

/** Everything up to and with the last slash (backslashes of Windows count for plain paths); "" where there is none. */
export function folderOf(url: string): string {
  const path = schemeOf(url) === null ? url : url.replace(/[?#].*$/, '');
  const end = Math.max(path.lastIndexOf('/'), schemeOf(url) === null ? path.lastIndexOf('\\') : -1);
  return path.slice(0, end + 1);
}

/** A plain path without "." and inner ".." segments. */
function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.') continue;
    const last = parts.at(-1);
    if (part === '..' && last !== undefined && last !== '..' && last !== '') parts.pop();
    else if (part !== '..' || last !== '') parts.push(part);
  }
  return parts.join('/');
}

/**
 * The absolute form of an href found in the document `base` (null: no document, so it is taken as it is). A document that came from a
 * server cannot name local files: that is an `InputError`.
 */
export function resolveHref(href: string, base: string | null): string {
  const scheme = schemeOf(href);
  const from = base === null ? null : schemeOf(base);
  if (from !== null && from !== 'file') {
    if (scheme === 'file') throw new InputError(`${base} names a local file: ${href}`, { url: base! });
    if (scheme !== null) return href;
    // Keys of objects are no part of a URL: nothing in them is encoded.
    if (from === 's3') {
      const [bucket] = /^s3:\/\/[^/]*\/?/i.exec(base!)!;
      const key = href.startsWith('/') ? href.slice(1) : folderOf(base!).slice(bucket.length) + href;
      return `${bucket}${normalPath(key)}`;
    }
    try {
      return new URL(href, base!).href;
    } catch (error) {
      throw new InputError(`${base} has an impossible href: ${href.slice(0, 100)}`, { url: base! }, { cause: error });
    }
  }
  if (scheme !== null || base === null) return href;
  if (from === 'file') return new URL(href, base).href;
  if (href.startsWith('/') || /^[A-Za-z]:[\\/]/.test(href)) return href;
  return normalPath(folderOf(base).replaceAll('\\', '/') + href);
}

/** Whether a resolved URL lies in a folder (that ends with a slash, or is "" for the working directory) or below. */
export function isInside(url: string, folder: string): boolean {
  const root = schemeOf(folder) === null ? normalPath(folder.replaceAll('\\', '/')) : folder;
  if (root === '')
    return schemeOf(url) === null && !url.startsWith('/') && !url.startsWith('..') && !/^[A-Za-z]:/.test(url);
  return url.startsWith(root);
}

/** The name after the last slash, without a query. */
export function fileName(url: string): string {
  return url.slice(folderOf(url).length).replace(/[?#].*$/, '');
}
