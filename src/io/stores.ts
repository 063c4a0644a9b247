import { fileStore, openSink, platformName } from '#platform';
import { UnsupportedError } from '../errors.js';
import { withCache } from './cache.js';
import { withCoalescing } from './coalesce.js';
import { withHostLimit } from './host-limit.js';
import { schemeOf } from './href.js';
import { httpStore } from './http.js';
import { storeMeter, withMeter } from './meter.js';
import { retrying, withRetry } from './retry.js';
import { type S3Store, s3Store } from './s3-store.js';
import { sasSigner } from './sas.js';
import { memorySink, type Sink, type SinkOptions } from './sink.js';
import type { Store } from './store.js';

/** What this thread's stores moved over the network. */
export const networkMeter = storeMeter();
/** What this thread read and wrote of files of the disk, through their store. */
export const diskMeter = storeMeter();

const onRetry = () => {
  networkMeter.retries++;
};

/**
 * A store behind a network, fit for readers. From the inside: what is sent is counted; what fails for a passing reason is sent again,
 * and keeps its place in the host's queue while it waits, so that a busy host is left alone; ranges asked for together are one
 * request; heads are kept.
 */
function overNetwork(store: Store): Store {
  const own = withCache(withCoalescing(withHostLimit(withRetry(withMeter(store, networkMeter), { onRetry }))));
  return { ...own, isFar: true };
}

/** One of each for all URLs of a thread, because they remember files and share connections. */
let files: Store | null = null;
let http: Store | null = null;
let s3: { objects: S3Store; store: Store } | null = null;

function openS3(): { objects: S3Store; store: Store } {
  if (!s3) {
    const objects = s3Store();
    s3 = { objects, store: overNetwork(objects) };
  }
  return s3;
}

/** The store that understands a URL: `https:`, `http:` and `s3:`, else files of the local disk. */
export function storeFor(url: string): Store {
  const scheme = schemeOf(url);
  if (scheme === 'http' || scheme === 'https') {
    http ??= overNetwork(httpStore({ signer: sasSigner() }));
    return http;
  }
  if (scheme === 's3') return openS3().store;
  if (scheme && scheme !== 'file') throw new UnsupportedError(`${url}: there is no store for ${scheme}: URLs`, { url });
  files ??= withMeter(fileStore(), diskMeter);
  return files;
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

/** A file to be written: of the local disk, or an object of a bucket, whose scratch file lies on the local disk. */
export async function openOutput(url: string, options: SinkOptions = {}): Promise<Sink> {
  const scheme = schemeOf(url);
  if (scheme === 's3') {
    if (options.scratch) return platformName === 'node' ? openSink(url, options) : memorySink();
    const { objects, store } = openS3();
    const sink = await objects.sink(url, { overwrite: options.overwrite ?? false, retry: { onRetry } });
    const commit = async () => {
      await sink.commit().finally(() => store.forget?.(url));
    };
    return { ...sink, commit };
  }
  if (scheme && scheme !== 'file')
    throw new UnsupportedError(`${url}: files cannot be written to ${scheme}: addresses`, { url });
  return openSink(url, options);
}

/** Removes an object of a bucket. */
export async function removeObject(url: string): Promise<void> {
  const { objects, store } = openS3();
  store.forget?.(url);
  await retrying({ url, attempt: (own) => objects.remove(url, own) }, { onRetry });
}
