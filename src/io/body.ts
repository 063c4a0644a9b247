import { StoreError } from '../errors.js';
import type { ByteRange } from './store.js';

/** The chunks of a stream; whoever stops early, even before the first, lets go of the connection. */
export function chunksOf(stream: ReadableStream<Uint8Array> | null): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const reader = stream?.getReader();
      return {
        async next() {
          const part = await reader?.read();
          return part && !part.done ? { done: false, value: part.value } : { done: true, value: undefined };
        },
        async return() {
          await reader?.cancel().catch(() => {});
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The body of an answer on its way. */
export interface Body {
  url: string;
  chunks: AsyncIterable<Uint8Array>;
  /** The bytes that the server announced; null where it did not. */
  declared: number | null;
  /** No more than this is taken. */
  most: number;
  signal?: AbortSignal | undefined;
  onBytes?: ((count: number) => void) | undefined;
}

/**
 * Reads a body to its end.
 * @throws StoreError when it is longer than wanted, or (retryable) breaks off
 */
export async function readBody(body: Body): Promise<Uint8Array> {
  const { url, declared, most, signal } = body;
  if (declared !== null && declared > most) {
    await body.chunks[Symbol.asyncIterator]().return?.();
    throw new StoreError(`cannot read ${url}: ${most} bytes are wanted, and the server sends ${declared}`, { url });
  }
  try {
    const bytes = await gather(body);
    if (declared !== null && bytes.length !== declared)
      throw new StoreError(`cannot read ${url}: ${declared} bytes were announced, and ${bytes.length} came`, {
        url,
        retryable: true,
      });
    return bytes;
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (cause instanceof StoreError) throw cause;
    const message = `cannot read ${url}: the connection broke: ${(cause as Error).message}`;
    throw new StoreError(message, { url, retryable: true }, { cause });
  }
}

async function gather({ url, chunks, most, signal, onBytes }: Body): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks) {
    signal?.throwIfAborted();
    onBytes?.(part.length);
    parts.push(part);
    length += part.length;
    if (length > most)
      throw new StoreError(`cannot read ${url}: ${most} bytes are wanted, and the server sends more`, { url });
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** What `Content-Range` says: bytes [first, last] of `total`, which is null where the server hides it. */
export interface ContentRange {
  first: number;
  last: number;
  total: number | null;
}

/** `bytes 0-99/1234` → its numbers. */
export function parseContentRange(text: string | null | undefined): ContentRange | null {
  const found = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text ?? '');
  if (!found) return null;
  return { first: Number(found[1]), last: Number(found[2]), total: found[3] === '*' ? null : Number(found[3]) };
}

/** Refuses (retryable) bytes that are not those of the range, or not all that there are of it. */
export function checkRange(
  url: string,
  { offset, length }: ByteRange,
  { bytes, sent, status }: { bytes: Uint8Array; sent: ContentRange | null; status: number },
): void {
  const last = offset + length - 1;
  // Browsers hide Content-Range from other origins unless the server allows it: then the length must do.
  const end = sent?.total != null ? Math.min(sent.total - 1, last) : last;
  const wrong = sent && (sent.first !== offset || sent.last > last || bytes.length !== sent.last - sent.first + 1);
  if (!wrong && !(sent?.total != null && sent.last < end)) return;
  throw new StoreError(
    `cannot read ${url}: bytes ${offset}-${last} are wanted, got ${bytes.length} bytes of ${sent?.first}-${sent?.last}`,
    { url, status, retryable: true },
  );
}
