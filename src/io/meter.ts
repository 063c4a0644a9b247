import type { Store } from './store.js';

/** What went over the line so far. */
export interface StoreMeter {
  /** Calls that reached the store, repeated ones too. */
  requests: number;
  /** Of files, read and written. */
  bytes: number;
  /** Requests that were sent again. */
  retries: number;
}

/** Adds what another meter counted. */
export function addTo(meter: StoreMeter, { requests, bytes, retries }: StoreMeter): void {
  meter.requests += requests;
  meter.bytes += bytes;
  meter.retries += retries;
}

/** What `meter` counts from now on: each call tells it up to then. */
export function countedSince(meter: StoreMeter): () => StoreMeter {
  const { requests, bytes, retries } = meter;
  return () => ({
    requests: meter.requests - requests,
    bytes: meter.bytes - bytes,
    retries: meter.retries - retries,
  });
}

export function storeMeter(): StoreMeter {
  return { requests: 0, bytes: 0, retries: 0 };
}

/** A store that counts into `meter`. */
export function withMeter(store: Store, meter: StoreMeter): Store {
  return {
    async read(url, range, options) {
      meter.requests++;
      const bytes = await store.read(url, range, options);
      meter.bytes += bytes.length;
      return bytes;
    },
    stat(url, options) {
      // What is known of a file is said without asking anybody.
      if (!store.known?.(url)) meter.requests++;
      return store.stat(url, options);
    },
    list(url, options) {
      meter.requests++;
      return store.list(url, options);
    },
    async write(url, bytes, options) {
      meter.requests++;
      await store.write(url, bytes, options);
      meter.bytes += bytes.length;
    },
    known: (url) => store.known?.(url) ?? null,
    forget: (url) => store.forget?.(url),
  };
}
