import { fileStore } from '#platform';
import { UnsupportedError } from '../errors.js';
import { httpStore } from './http.js';
import type { Store } from './store.js';

/** The store that understands a URL: `https:` and `http:`, else files of the local disk. */
export function storeFor(url: string): Store {
  if (/^https?:/i.test(url)) return httpStore();
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme && scheme !== 'file') throw new UnsupportedError(`${url}: there is no store for ${scheme}: URLs`, { url });
  return fileStore();
}
