import { StoreError } from '../errors.js';
import type { Store, StoreOptions } from './store.js';

export interface RetryOptions {
  /** How often a request is sent at most. Default 6: with the waits between them a server has about 6 s to recover. */
  attempts?: number;
  /** ms; the first wait is random up to this, each later one up to twice the one before. Default 200, a busy server's usual lag. */
  baseMs?: number;
  /** ms; no wait is longer, but for a server that asks for it. Default 20 000. */
  mostMs?: number;
  /** ms; a server that asks (Retry-After) for a longer rest is not waited for: the run should say so. Default 60 000. */
  mostRetryAfterMs?: number;
  /** ms without a byte until an attempt is given up. Default 30 000: longer than any healthy server thinks. */
  timeoutMs?: number;
  /** Told before each wait. */
  onRetry?: (error: StoreError, attempt: number) => void;
  /** [0, 1); default `Math.random`. */
  random?: () => number;
}

/** Bytes a ms that an upload makes at least, since nobody hears of its progress. */
const SLOWEST_UPLOAD = 50;

/** One attempt's part of the options: its own signal, and where progress is told. */
type Attempt<T> = (options: { signal: AbortSignal; onBytes: (count: number) => void }) => Promise<T>;

interface Work<T> {
  url: string;
  attempt: Attempt<T>;
  /** The caller's. */
  options?: StoreOptions | undefined;
  /** Bytes that are sent. */
  uploadBytes?: number;
}

/** Runs one attempt until it settles, the caller aborts, or no byte came for too long. */
async function once<T>({ url, attempt, options = {} }: Work<T>, timeoutMs: number): Promise<T> {
  const { signal, onBytes } = options;
  signal?.throwIfAborted();
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const message = `cannot reach ${url}: not a byte came for ${Math.round(timeoutMs / 100) / 10} s`;
      stop.abort(new StoreError(message, { url, status: 'TIMEOUT', retryable: true }));
    }, timeoutMs);
  };
  const abort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  arm();
  try {
    return await new Promise<T>((resolve, reject) => {
      // Also where the store is slow to hear of it.
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
      const progress = (count: number) => {
        if (stop.signal.aborted) return;
        arm();
        onBytes?.(count);
      };
      attempt({ signal: stop.signal, onBytes: progress }).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** @throws the reason of `signal`, at once */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const wake = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', wake);
      resolve();
    }, ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/**
 * Sends again what failed for a passing reason (`facts.retryable`), after exponentially growing waits with full jitter: callers that
 * failed together must not return together.
 * @throws what the last attempt threw; the caller's abort at once
 */
export async function retrying<T>(work: Work<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 6, baseMs = 200, mostMs = 20_000, mostRetryAfterMs = 60_000, timeoutMs = 30_000 } = options;
  const { onRetry, random = Math.random } = options;
  const { url, uploadBytes = 0 } = work;
  const signal = work.options?.signal;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(work, timeoutMs + uploadBytes / SLOWEST_UPLOAD);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof StoreError) || !error.facts.retryable) throw error;
      const { retryAfterMs = 0 } = error.facts;
      if (attempt >= attempts || retryAfterMs > mostRetryAfterMs) {
        const asked = retryAfterMs > mostRetryAfterMs ? `; it asks to wait ${Math.round(retryAfterMs / 1000)} s` : '';
        const tried = attempt === 1 ? '' : ` (${attempt} attempts)`;
        throw new StoreError(`${error.message}${asked}${tried}`, { ...error.facts, url }, { cause: error });
      }
      onRetry?.(error, attempt);
      const jitterMs = random() * Math.min(mostMs, baseMs * 2 ** (attempt - 1));
      await sleep(Math.max(jitterMs, retryAfterMs), signal);
    }
  }
}

/** A store that does not give up at the first passing fault. Writes are of whole files, so they can be repeated too. */
export function withRetry(store: Store, retry: RetryOptions = {}): Store {
  return {
    read: (url, range, options) =>
      retrying({ url, options, attempt: (own) => store.read(url, range, { ...options, ...own }) }, retry),
    stat: (url, options) =>
      retrying({ url, options, attempt: (own) => store.stat(url, { ...options, ...own }) }, retry),
    list: (url, options) =>
      retrying({ url, options, attempt: (own) => store.list(url, { ...options, ...own }) }, retry),
    write: (url, bytes, options) => {
      const attempt: Attempt<void> = (own) => store.write(url, bytes, { ...options, ...own });
      return retrying({ url, options, attempt, uploadBytes: bytes.length }, retry);
    },
    known: (url) => store.known?.(url) ?? null,
    forget: (url) => store.forget?.(url),
  };
}
