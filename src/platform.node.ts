import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { parentPort, Worker } from 'node:worker_threads';
import { scratchFolder } from './io/scratch.node.js';
import type { Spill, WorkerPort } from './platform.js';

export { fileStore } from './io/file.js';
export { sha1, sha256 } from './io/hash.node.js';
export { codecWasm } from './io/jp2-wasm.node.js';
export { openSink } from './io/sink.node.js';
export { deflate, zstdCompress } from './io/zlib.node.js';

export const platformName: 'node' | 'browser' = 'node';

/** Variables of the process's environment. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** How many threads the machine can run at once. */
export function cores(): number {
  return availableParallelism();
}

function readNumber(path: string): number | null {
  try {
    const value = Number(readFileSync(path, 'utf8').trim());
    return Number.isFinite(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}

/** The smallest cgroup v2 limit on the way from this process's group to the root. */
function cgroup2Limit(): number | null {
  try {
    const line = readFileSync('/proc/self/cgroup', 'utf8')
      .split('\n')
      .find((l) => l.startsWith('0::'));
    if (!line) return null;
    const parts = line.slice(3).split('/').filter(Boolean);
    let least: number | null = null;
    for (let n = parts.length; n >= 0; n--) {
      const limit = readNumber(join('/sys/fs/cgroup', ...parts.slice(0, n), 'memory.max'));
      if (limit !== null && (least === null || limit < least)) least = limit;
    }
    return least;
  } catch {
    return null;
  }
}

/** Bytes this process may use: the cgroup's limit (v2 or v1) or the RAM, less a margin of an eighth for the rest. */
export function memoryLimitBytes(): number {
  const limits = [totalmem(), cgroup2Limit(), readNumber('/sys/fs/cgroup/memory/memory.limit_in_bytes')];
  return Math.floor(Math.min(...limits.filter((l): l is number => l !== null)) * 0.875);
}

/** Starts a worker thread that runs `worker.js` of this package. */
export function spawnWorker(): WorkerPort {
  // What says how `node -e` reads its text ends a thread that runs a file.
  const isText = process.execArgv.some((option) => option.startsWith('--input-type'));
  const worker = new Worker(new URL('./worker.js', import.meta.url), isText ? { execArgv: [] } : {});
  return {
    post: (message, transfer) => worker.postMessage(message, transfer as ArrayBuffer[]),
    listen({ message, failed }) {
      worker.on('message', message);
      worker.on('error', (error) => failed(error));
      worker.on('messageerror', (error) => failed(error));
      worker.on('exit', (code) => failed(new Error(`the thread ended with code ${code}`)));
    },
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** The near end, inside a worker thread: takes messages and posts replies. */
export function listenAsWorker(message: (data: unknown) => void): Pick<WorkerPort, 'post'> {
  parentPort?.on('message', message);
  return { post: (reply, transfer) => parentPort?.postMessage(reply, transfer as ArrayBuffer[]) };
}

/** A scratch file that is gone when the process is: positional writes and reads, synchronous because a thread owns it alone. */
export function openSpill(directory: string = scratchFolder()): Spill {
  const folder = mkdtempSync(join(directory, 'stackwise-'));
  const path = join(folder, 'spill');
  const file = openSync(path, 'w+');
  // Unlinked at once where the system allows it: nothing is left behind even after kill -9.
  const unlinked = process.platform !== 'win32';
  if (unlinked) rmSync(folder, { recursive: true });
  return {
    write(offset, bytes) {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, offset + done);
    },
    read(offset, bytes) {
      for (let done = 0; done < bytes.length; ) {
        const n = readSync(file, bytes, done, bytes.length - done, offset + done);
        if (n === 0) throw new Error('the spill file is shorter than what was written');
        done += n;
      }
    },
    close() {
      closeSync(file);
      if (!unlinked) rmSync(folder, { recursive: true, force: true });
    },
  };
}
