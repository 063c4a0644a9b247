import { StoreError } from '../errors.js';
import { type SharedRead, sharedRead } from './shared-read.js';
import type { Store } from './store.js';

export interface CacheOptions {
  /** Bytes kept at most. Default 8 MiB, in each thread: the heads of 250 files; pixels are kept decoded by those who need them. */
  maxBytes?: number;
  /** Longer ranges are not kept. Default an eighth of `maxBytes`: one tile must not push out all heads. */
  maxEntryBytes?: number;
}

interface Entry {
  url: string;
  bytes: Uint8Array;
}

/**
 * A store that keeps ranges that were read lately, and reads what several ask for at the same time once. Whole files are not kept:
 * whoever asks for a document again wants to see it anew.
 */
export function withCache(store: Store, options: CacheOptions = {}): Store {
  const { maxBytes = 8 * 2 ** 20, maxEntryBytes = maxBytes / 8 } = options;
  const entries = new Map<string, Entry>(); // The least lately used comes first.
  const underWay = new Map<string, { url: string; read: SharedRead<Uint8Array> }>();
  let keptBytes = 0;

  const drop = (key: string): void => {
    keptBytes -= entries.get(key)?.bytes.length ?? 0;
    entries.delete(key);
  };
  const forget = (url: string): void => {
    for (const [key, entry] of entries) if (entry.url === url) drop(key);
    // What is on its way may be of the old state: it is not kept, and nobody else joins.
    for (const [key, read] of underWay) if (read.url === url) underWay.delete(key);
    store.forget?.(url);
  };
  const keep = (key: string, url: string, bytes: Uint8Array): void => {
    drop(key);
    entries.set(key, { url, bytes });
    keptBytes += bytes.length;
    for (const oldest of entries.keys()) {
      if (keptBytes <= maxBytes) return;
      drop(oldest);
    }
  };

  /** Joins the read of this range that is under way, or begins it. */
  const share = (key: string, url: string, start: (signal: AbortSignal) => Promise<Uint8Array>) => {
    const found = underWay.get(key);
    if (found && !found.read.abandoned) return found.read;
    const read = sharedRead(async (signal) => {
      try {
        const bytes = await start(signal);
        if (underWay.get(key)?.read === read) keep(key, url, bytes);
        return bytes;
      } catch (error) {
        if (error instanceof StoreError && error.facts.status === 'CHANGED') forget(url);
        throw error;
      } finally {
        if (underWay.get(key)?.read === read) underWay.delete(key);
      }
    });
    underWay.set(key, { url, read });
    return read;
  };

  return {
    ...store,
    async read(url, range, options = {}) {
      const { signal, onBytes } = options;
      signal?.throwIfAborted();
      if (!range || range.length === 0 || range.length > maxEntryBytes) {
        return store.read(url, range, options).catch((error) => {
          if (error instanceof StoreError && error.facts.status === 'CHANGED') forget(url);
          throw error;
        });
      }
      const key = `${range.offset}+${range.length} ${url}`;
      const kept = entries.get(key);
      if (kept) {
        entries.delete(key);
        entries.set(key, kept);
        return kept.bytes.slice();
      }
      const own = { ...(onBytes && { onBytes }) };
      const read = share(key, url, (stop) => store.read(url, range, { ...own, signal: stop }));
      return (await read.join(signal)).slice();
    },
    async write(url, bytes, options) {
      try {
        await store.write(url, bytes, options);
      } finally {
        forget(url);
      }
    },
    forget,
  };
}
