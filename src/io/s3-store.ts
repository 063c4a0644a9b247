import { FormatError, StoreError } from '../errors.js';
import { checkRange, parseContentRange, readBody } from './body.js';
import { fileVersions } from './file-versions.js';
import type { RetryOptions } from './retry.js';
import { openS3, type S3 } from './s3.js';
import type { S3Options } from './s3-options.js';
import { openS3Sink } from './s3-sink.js';
import { parseS3Object, parseS3Url } from './s3-url.js';
import type { Sink } from './sink.js';
import type { ByteRange, Store, StoreOptions } from './store.js';

/** Against servers whose listing never ends. */
const MAX_NAMES = 1_000_000;

/** Objects of buckets, `s3://bucket/key`. */
export interface S3Store extends Store {
  /** Removes an object; one that is not there is no error. */
  remove(url: string, options?: StoreOptions): Promise<void>;
  /** Writes an object of any size from its first byte to its last; see `openS3Sink`. */
  sink(url: string, options?: { overwrite?: boolean; retry?: RetryOptions }): Promise<Sink>;
}

async function readObject(s3: S3, url: string, range: ByteRange | undefined, options: StoreOptions) {
  const { signal, onBytes } = options;
  const bounds = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
  const answer = await s3.get(url, { ...parseS3Object(url), ...(bounds && { range: bounds }) }, signal);
  const { chunks, bytes: declared } = answer;
  const most = range?.length ?? Number.POSITIVE_INFINITY;
  return { answer, read: () => readBody({ url, chunks, declared, most, signal, onBytes }) };
}

/** All names of a folder, page by page. */
async function listFolder(s3: S3, url: string, signal: AbortSignal | undefined): Promise<string[]> {
  const { bucket, key } = parseS3Url(url);
  const folder = key === '' || key.endsWith('/') ? key : `${key}/`;
  const names = new Set<string>();
  let isThere = folder === '';
  let next: string | undefined;
  do {
    const page = await s3.list(url, { bucket, key: folder, next }, signal);
    const found = [...page.keys, ...page.prefixes].filter((name) => name.startsWith(folder));
    isThere ||= found.length > 0;
    // Some programs keep an empty object of the folder's own name.
    for (const name of found) if (name !== folder) names.add(name.slice(folder.length));
    if (names.size > MAX_NAMES)
      throw new StoreError(`cannot list ${url}: it has more than ${MAX_NAMES} entries`, { url });
    if (page.next !== undefined && page.next === next)
      throw new StoreError(`cannot list ${url}: the server gives the same page again and again`, { url });
    next = page.next;
  } while (next !== undefined);
  if (!isThere) throw new StoreError(`cannot list ${url}: no such folder`, { url, status: 404 });
  return [...names].sort();
}

/**
 * Objects of S3 and of services that speak like it. Options that are not given come from the environment; nothing is loaded or
 * looked up before the first call. Errors are `StoreError`s in one line, without secrets.
 */
export function s3Store(options: S3Options = {}): S3Store {
  const versions = fileVersions();
  let opened: Promise<S3> | null = null;
  const s3 = (): Promise<S3> => {
    opened ??= openS3(options).catch((error) => {
      opened = null;
      throw error;
    });
    return opened;
  };

  const readRange = async (url: string, range: ByteRange, given: StoreOptions): Promise<Uint8Array> => {
    if (range.length === 0) return new Uint8Array(0);
    let found: Awaited<ReturnType<typeof readObject>>;
    try {
      found = await readObject(await s3(), url, range, given);
    } catch (error) {
      if (error instanceof StoreError && error.facts.status === 416) return new Uint8Array(0);
      throw error;
    }
    const { answer, read } = found;
    const sent = parseContentRange(answer.contentRange);
    try {
      if (!sent) throw new StoreError(`cannot read ${url}: the server ignores range requests`, { url });
      versions.check(url, { etag: answer.etag, modified: answer.modified, bytes: sent.total });
    } catch (error) {
      await answer.chunks[Symbol.asyncIterator]().return?.();
      throw error;
    }
    const bytes = await read();
    checkRange(url, range, { bytes, sent, status: 206 });
    return bytes;
  };

  return {
    async read(url, range, given = {}) {
      given.signal?.throwIfAborted();
      parseS3Object(url);
      return range ? readRange(url, range, given) : (await readObject(await s3(), url, undefined, given)).read();
    },
    async stat(url, { signal } = {}) {
      signal?.throwIfAborted();
      const place = parseS3Object(url);
      const known = versions.known(url);
      if (known) return known;
      const facts = await (await s3()).head(url, place, signal);
      if (facts.bytes === null) throw new FormatError(`${url}: the server does not say how many bytes it has`, { url });
      versions.check(url, facts);
      return versions.known(url) ?? { bytes: facts.bytes, tag: null };
    },
    async list(url, { signal } = {}) {
      signal?.throwIfAborted();
      parseS3Url(url);
      return listFolder(await s3(), url, signal);
    },
    async write(url, bytes, { signal } = {}) {
      signal?.throwIfAborted();
      const place = parseS3Object(url);
      try {
        await (await s3()).put(url, { ...place, bytes }, signal);
      } finally {
        versions.forget(url);
      }
    },
    async remove(url, { signal } = {}) {
      const place = parseS3Object(url);
      versions.forget(url);
      await (await s3()).remove(url, place, signal);
    },
    sink: async (url, sinkOptions) => {
      parseS3Object(url);
      return openS3Sink(await s3(), url, sinkOptions);
    },
    known: versions.known,
    forget: (url) => versions.forget(url),
  };
}
