import { fileStore } from '#platform';
import { UnsupportedError } from '../errors.js';
import { schemeOf } from './href.js';
import { httpStore } from './http.js';
import type { Store } from './store.js';

/** One for all URLs, because it remembers the sizes of files. */
let http: Store | null = null;

/** The store that understands a URL: `https:` and `http:`, else files of the local disk. */
export function storeFor(url: string): Store {
  const scheme = schemeOf(url);
  if (scheme === 'http' || scheme === 'https') {
    http ??= httpStore();
    return http;
  }
  if (scheme && scheme !== 'file') throw new UnsupportedError(`${url}: there is no store for ${scheme}: URLs`, { url });
  return fileStore();
}

/** A store of everything that {@link storeFor} knows: each URL goes to its own. */
export function anyStore(): Store {
  return {
    read: async (url, range, options) => storeFor(url).read(url, range, options),
    stat: async (url, options) => storeFor(url).stat(url, options),
    list: async (url, options) => storeFor(url).list(url, options),
    write: async (url, bytes, options) => storeFor(url).write(url, bytes, options),
  };
}
