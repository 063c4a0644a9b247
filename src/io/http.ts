import { FormatError, StoreError, UnsupportedError } from '../errors.js';
import { checkRange, chunksOf, parseContentRange, readBody } from './body.js';
import { fileVersions } from './file-versions.js';
import type { ByteRange, Store, StoreOptions, StoreStat } from './store.js';

/** Whether the same request may succeed later: the server was busy, slow or restarting. */
function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/** `Retry-After`: seconds, or a date. */
export function parseRetryAfter(text: string | null | undefined, nowMs: number = Date.now()): number | null {
  if (!text) return null;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : null;
}

function statusError(url: string, verb: string, { status, statusText, headers }: Response): StoreError {
  const reason = `HTTP ${status}${statusText && ` ${statusText}`}`;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  return new StoreError(`cannot ${verb} ${url}: ${reason}`, {
    url,
    status,
    retryable: isRetryable(status),
    ...(retryAfterMs !== null && { retryAfterMs }),
  });
}

/** The length that counts bytes of the file: that of a compressed answer does not. */
function declaredLength({ headers }: Response): number | null {
  const text = headers.get('content-length');
  return text === null || headers.get('content-encoding') ? null : Number(text);
}

/**
 * Files on web servers, read by range requests; read-only. A server that ignores ranges is refused, not downloaded whole for
 * every tile; one that answers with other bytes than asked for is a StoreError, and so is a file that changes between two reads.
 */
export function httpStore(options: { fetch?: typeof fetch; headers?: Record<string, string> } = {}): Store {
  const { headers = {}, fetch: send = (input, init) => fetch(input, init) } = options;
  const versions = fileVersions();

  const request = async (url: string, verb: string, init: RequestInit): Promise<Response> => {
    try {
      return await send(url, init);
    } catch (cause) {
      if (init.signal?.aborted) throw init.signal.reason;
      const inner = (cause as Error).cause as { code?: string; message?: string } | undefined;
      const reason = inner?.code ?? inner?.message ?? (cause as Error).message;
      throw new StoreError(`cannot ${verb} ${url}: ${reason}`, { url, retryable: true }, { cause });
    }
  };

  const check = (url: string, response: Response, bytes: number | null): void =>
    versions.check(url, {
      etag: response.headers.get('etag'),
      modified: response.headers.get('last-modified'),
      bytes,
    });

  const readRange = async (url: string, range: ByteRange, options: StoreOptions): Promise<Uint8Array> => {
    if (range.length === 0) return new Uint8Array(0);
    const { signal, onBytes } = options;
    const last = range.offset + range.length - 1;
    const response = await request(url, 'read', {
      headers: { ...headers, Range: `bytes=${range.offset}-${last}` },
      ...(signal && { signal }),
    });
    const { status } = response;
    if (status !== 206) {
      await response.body?.cancel();
      if (status === 416) return new Uint8Array(0);
      if (!response.ok) throw statusError(url, 'read', response);
      const message = `cannot read ${url}: the server ignores range requests (HTTP ${status}, not 206)`;
      throw new StoreError(message, { url, status });
    }
    const sent = parseContentRange(response.headers.get('content-range'));
    try {
      check(url, response, sent?.total ?? null);
    } catch (error) {
      await response.body?.cancel();
      throw error;
    }
    const declared = declaredLength(response);
    const chunks = chunksOf(response.body);
    const bytes = await readBody({ url, chunks, declared, most: range.length, signal, onBytes });
    checkRange(url, range, { bytes, sent, status });
    return bytes;
  };

  const readWhole = async (url: string, { signal, onBytes }: StoreOptions): Promise<Uint8Array> => {
    const response = await request(url, 'read', { headers, ...(signal && { signal }) });
    if (!response.ok) {
      await response.body?.cancel();
      throw statusError(url, 'read', response);
    }
    const most = Number.POSITIVE_INFINITY;
    const declared = declaredLength(response);
    return readBody({ url, chunks: chunksOf(response.body), declared, most, signal, onBytes });
  };

  /** From the first byte's `Content-Range`: some addresses are signed for reading only, and answer nothing else. */
  const statByRange = async (url: string, options: StoreOptions): Promise<StoreStat | null> => {
    await readRange(url, { offset: 0, length: 1 }, options);
    return versions.known(url);
  };

  return {
    async read(url, range, options = {}) {
      options.signal?.throwIfAborted();
      return range ? readRange(url, range, options) : readWhole(url, options);
    },
    async stat(url, options = {}) {
      const { signal } = options;
      signal?.throwIfAborted();
      const known = versions.known(url);
      if (known) return known;
      const response = await request(url, 'read', { method: 'HEAD', headers, ...(signal && { signal }) });
      if (response.status === 403 || response.status === 405 || response.status === 501) {
        const found = await statByRange(url, options).catch(() => null);
        signal?.throwIfAborted();
        if (found) return found;
      }
      if (!response.ok) throw statusError(url, 'read', response);
      const bytes = declaredLength(response);
      if (bytes === null) throw new FormatError(`${url}: the server does not say how many bytes it has`, { url });
      check(url, response, bytes);
      return versions.known(url) ?? { bytes, tag: null };
    },
    async list(url) {
      throw new UnsupportedError(`${url}: folders of web servers cannot be listed`, { url });
    },
    async write(url) {
      throw new UnsupportedError(`${url}: files cannot be written to web servers`, { url });
    },
    known: versions.known,
    forget: (url) => versions.forget(url),
  };
}
