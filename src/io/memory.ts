import { StoreError } from '../errors.js';
import type { Store } from './store.js';

/** Files in memory, by url: for tests, and for documents that were never on a disk. */
export function memoryStore(files: Map<string, Uint8Array> = new Map()): Store {
  const find = (url: string): Uint8Array => {
    const bytes = files.get(url);
    if (!bytes) throw new StoreError(`cannot read ${url}: no such file`, { url, status: 'ENOENT' });
    return bytes;
  };
  return {
    async read(url, range, { signal } = {}) {
      signal?.throwIfAborted();
      const bytes = find(url);
      return range ? bytes.slice(range.offset, range.offset + range.length) : bytes.slice();
    },
    async stat(url, { signal } = {}) {
      signal?.throwIfAborted();
      return { bytes: find(url).length, tag: null };
    },
    async list(url, { signal } = {}) {
      signal?.throwIfAborted();
      const folder = url.endsWith('/') ? url : `${url}/`;
      const names = [...files.keys()]
        .filter((name) => name.startsWith(folder))
        .map((name) => /^[^/]*\/?/.exec(name.slice(folder.length))![0]);
      if (names.length === 0) throw new StoreError(`cannot list ${url}: no such folder`, { url, status: 'ENOENT' });
      return [...new Set(names)].sort();
    },
    async write(url, bytes, { signal } = {}) {
      signal?.throwIfAborted();
      files.set(url, bytes.slice());
    },
  };
}
