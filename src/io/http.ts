import { FormatError, StoreError, UnsupportedError } from '../errors.js';
import type { ByteRange, Store, StoreOptions } from './store.js';

/** Sizes of this many files are remembered from their Content-Range, so that asking for one costs no request. */
const SIZES_KEPT = 4096;

/** Whether the same request may succeed later: the server was busy, slow or restarting. */
function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function statusError(url: string, verb: string, { status, statusText }: Response): StoreError {
  const reason = `HTTP ${status}${statusText && ` ${statusText}`}`;
  return new StoreError(`cannot ${verb} ${url}: ${reason}`, { url, status, retryable: isRetryable(status) });
}

/** Reads a body to its end, but no further than `most` bytes. */
async function bodyOf(response: Response, url: string, most: number): Promise<Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? 0);
  if (declared > most && !response.headers.get('content-encoding')) {
    await response.body?.cancel();
    throw new StoreError(`cannot read ${url}: ${most} bytes are wanted, and the server sends ${declared}`, { url });
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    chunks.push(part.value);
    length += part.value.length;
    if (length > most) {
      await reader?.cancel();
      throw new StoreError(`cannot read ${url}: ${most} bytes are wanted, and the server sends more`, { url });
    }
  }
  if (chunks.length === 1) return chunks[0]!;
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** `bytes 0-99/1234` → its numbers; the total is null where the server hides it. */
function parseContentRange(text: string | null): { first: number; last: number; total: number | null } | null {
  const found = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text ?? '');
  if (!found) return null;
  return { first: Number(found[1]), last: Number(found[2]), total: found[3] === '*' ? null : Number(found[3]) };
}

/**
 * Files on web servers, read by range requests; read-only. A server that ignores ranges is refused, not downloaded whole for
 * every tile; one that answers with other bytes than asked for is a StoreError.
 */
export function httpStore(options: { fetch?: typeof fetch; headers?: Record<string, string> } = {}): Store {
  const { headers = {}, fetch: send = (input, init) => fetch(input, init) } = options;
  const sizes = new Map<string, number>();

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

  const remember = (url: string, bytes: number): void => {
    if (sizes.size >= SIZES_KEPT) sizes.delete(sizes.keys().next().value!);
    sizes.set(url, bytes);
  };

  const readBody = async (response: Response, url: string, most: number, signal?: AbortSignal): Promise<Uint8Array> => {
    try {
      return await bodyOf(response, url, most);
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if (cause instanceof StoreError) throw cause;
      const message = `cannot read ${url}: the connection broke: ${(cause as Error).message}`;
      throw new StoreError(message, { url, retryable: true }, { cause });
    }
  };

  const readRange = async (url: string, range: ByteRange, signal?: AbortSignal): Promise<Uint8Array> => {
    if (range.length === 0) return new Uint8Array(0);
    const last = range.offset + range.length - 1;
    const response = await request(url, 'read', {
      headers: { ...headers, Range: `bytes=${range.offset}-${last}` },
      ...(signal && { signal }),
    });
    if (response.status === 416) {
      await response.body?.cancel();
      return new Uint8Array(0);
    }
    if (response.status !== 206) {
      await response.body?.cancel();
      if (!response.ok) throw statusError(url, 'read', response);
      throw new StoreError(`cannot read ${url}: the server ignores range requests (HTTP ${response.status}, not 206)`, {
        url,
        status: response.status,
      });
    }
    const bytes = await readBody(response, url, range.length, signal);
    const sent = parseContentRange(response.headers.get('content-range'));
    if (sent?.total != null) remember(url, sent.total);
    // Browsers hide Content-Range from other origins unless the server allows it: then the length must do.
    const end = sent?.total != null ? Math.min(sent.total - 1, last) : last;
    const wrong =
      sent && (sent.first !== range.offset || sent.last > last || bytes.length !== sent.last - sent.first + 1);
    if (wrong || (sent?.total != null && sent.last < end)) {
      throw new StoreError(
        `cannot read ${url}: bytes ${range.offset}-${last} are wanted, got ${bytes.length} bytes of ${sent?.first}-${sent?.last}`,
        { url, status: response.status, retryable: true },
      );
    }
    return bytes;
  };

  const readWhole = async (url: string, signal?: AbortSignal): Promise<Uint8Array> => {
    const response = await request(url, 'read', { headers, ...(signal && { signal }) });
    if (!response.ok) {
      await response.body?.cancel();
      throw statusError(url, 'read', response);
    }
    return readBody(response, url, Number.POSITIVE_INFINITY, signal);
  };

  return {
    async read(url, range, { signal }: StoreOptions = {}) {
      signal?.throwIfAborted();
      return range ? readRange(url, range, signal) : readWhole(url, signal);
    },
    async stat(url, { signal }: StoreOptions = {}) {
      signal?.throwIfAborted();
      const known = sizes.get(url);
      if (known !== undefined) return { bytes: known };
      const response = await request(url, 'read', { method: 'HEAD', headers, ...(signal && { signal }) });
      if (!response.ok) throw statusError(url, 'read', response);
      const length = response.headers.get('content-length');
      if (length === null) {
        throw new FormatError(`${url}: the server does not say how many bytes it has`, { url });
      }
      remember(url, Number(length));
      return { bytes: Number(length) };
    },
    async list(url) {
      throw new UnsupportedError(`${url}: folders of web servers cannot be listed`, { url });
    },
    async write(url) {
      throw new UnsupportedError(`${url}: files cannot be written to web servers`, { url });
    },
  };
}
