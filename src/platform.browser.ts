import { UnsupportedError } from './errors.js';
import type { Sink, SinkOptions } from './io/sink.js';
import type { Store } from './io/store.js';
import type { Spill, WorkerPort } from './platform.js';

export { codecWasm } from './io/jp2-wasm.browser.js';
export { sha1 } from './io/sha1.js';
export { sha256 } from './io/sha256.js';
export { deflate, zstdCompress } from './io/zlib.browser.js';

export const platformName: 'node' | 'browser' = 'browser';

/** A browser has no environment. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return {};
}

/** How many threads the machine can run at once. */
export function cores(): number {
  return navigator.hardwareConcurrency || 1;
}

/** Bytes a page may reasonably use: half of the device's memory, which browsers round and cap at 8 GiB; 1 GiB where they hide it. */
export function memoryLimitBytes(): number {
  const gibibytes = (navigator as { deviceMemory?: number }).deviceMemory ?? 2;
  return gibibytes * 2 ** 29;
}

/** Starts a module worker that runs `worker.js` of this package. */
export function spawnWorker(): WorkerPort {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  return {
    post: (message, transfer) => worker.postMessage(message, (transfer ?? []) as ArrayBuffer[]),
    listen({ message, failed }) {
      worker.onmessage = (event) => message(event.data);
      worker.onerror = (event) => failed(new Error(event.message || 'the worker could not be started'));
      worker.onmessageerror = () => failed(new Error('a message of the worker could not be read'));
    },
    stop: async () => worker.terminate(),
  };
}

/** The near end, inside a worker: takes messages and posts replies. */
export function listenAsWorker(message: (data: unknown) => void): Pick<WorkerPort, 'post'> {
  const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
  scope.onmessage = (event) => message(event.data);
  return { post: (reply, transfer) => scope.postMessage(reply, (transfer ?? []) as ArrayBuffer[]) };
}

/** The part of the worker's global scope that is used; the DOM library has no type for it. */
interface DedicatedWorkerGlobalScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

export function fileStore(): Store {
  throw new UnsupportedError('a browser has no files: give https URLs');
}

export async function openSink(_url: string, _options?: SinkOptions): Promise<Sink> {
  throw new UnsupportedError('a browser has no files to write: encode in memory');
}

export function openSpill(_directory?: string): Spill {
  throw new UnsupportedError('a browser has no scratch files');
}
