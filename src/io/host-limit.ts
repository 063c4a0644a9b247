import { schemeOf } from './href.js';
import type { Store } from './store.js';

export interface HostLimitOptions {
  /**
   * Requests to one host (for S3 one bucket) at a time, in each thread. Default 16: enough to fill a line of 1 Gbit/s with tiles over
   * 50 ms, and below what servers take for an attack.
   */
  perHost?: number;
}

/** Requests to one host: those under way, and who waits for his turn. */
interface Queue {
  running: number;
  waiting: (() => void)[];
}

const hostOf = (url: string) => (schemeOf(url) === null ? '' : (/^[^:]+:\/\/[^/?#]*/.exec(url)?.[0] ?? ''));

/** A store that keeps the requests to each host few, first come, first served. */
export function withHostLimit(store: Store, { perHost = 16 }: HostLimitOptions = {}): Store {
  const queues = new Map<string, Queue>();

  const enter = (queue: Queue, signal: AbortSignal | undefined): Promise<void> => {
    if (queue.running < perHost) {
      queue.running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        queue.waiting.splice(queue.waiting.indexOf(start), 1);
        reject(signal!.reason);
      };
      queue.waiting.push(start);
      signal?.addEventListener('abort', leave, { once: true });
    });
  };

  const inTurn = async <T>(url: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    const host = hostOf(url);
    const queue = queues.get(host) ?? { running: 0, waiting: [] };
    queues.set(host, queue);
    await enter(queue, signal);
    try {
      return await work();
    } finally {
      // The place goes to the next in the queue, who counts as running already.
      const next = queue.waiting.shift();
      if (next) next();
      else if (--queue.running === 0) queues.delete(host);
    }
  };

  return {
    read: (url, range, options) => inTurn(url, options?.signal, () => store.read(url, range, options)),
    stat: (url, options) => inTurn(url, options?.signal, () => store.stat(url, options)),
    list: (url, options) => inTurn(url, options?.signal, () => store.list(url, options)),
    write: (url, bytes, options) => inTurn(url, options?.signal, () => store.write(url, bytes, options)),
    known: (url) => store.known?.(url) ?? null,
    forget: (url) => store.forget?.(url),
  };
}
