import { sharedRead } from './shared-read.js';
import type { ByteRange, Store, StoreOptions } from './store.js';

export interface CoalesceOptions {
  /** Bytes between two ranges that are rather read than asked around. Default 32 KiB: 3 ms at 100 Mbit/s, less than a request takes. */
  gapBytes?: number;
  /** A request made of several ranges is not longer. Default 4 MiB: longer ones are faster side by side, and hold everybody up. */
  mostBytes?: number;
}

interface Waiting extends ByteRange {
  options: StoreOptions;
  resolve(bytes: Uint8Array | Promise<Uint8Array>): void;
  reject(reason: unknown): void;
}

/** Ranges that are read as one. */
interface Run extends ByteRange {
  members: Waiting[];
}

/** Ranges in order of place, put together where they touch, overlap or nearly so. */
function runsOf(waiting: readonly Waiting[], gapBytes: number, mostBytes: number): Run[] {
  const runs: Run[] = [];
  for (const one of [...waiting].sort((a, b) => a.offset - b.offset)) {
    const run = runs.at(-1);
    const end = one.offset + one.length;
    const joined = run && Math.max(end, run.offset + run.length) - run.offset;
    if (run && one.offset - (run.offset + run.length) <= gapBytes && joined! <= mostBytes) {
      run.length = joined!;
      run.members.push(one);
    } else {
      runs.push({ offset: one.offset, length: one.length, members: [one] });
    }
  }
  return runs;
}

/** The member's part of what came, in bytes of its own: two callers never share memory. */
function partOf(bytes: Uint8Array, run: Run, { offset, length, options: { into } }: Waiting): Uint8Array {
  if (run.members.length === 1) return bytes;
  const part = bytes.subarray(offset - run.offset, offset - run.offset + length);
  if (!into || into.length < part.length) return part.slice();
  into.set(part);
  return into.subarray(0, part.length);
}

/**
 * A store that reads ranges of a file that are asked for in the same turn of the event loop in as few requests as possible. A caller
 * that aborts leaves alone; the request is given up when nobody waits for it any more.
 */
export function withCoalescing(store: Store, options: CoalesceOptions = {}): Store {
  const { gapBytes = 32 * 1024, mostBytes = 4 * 2 ** 20 } = options;
  const gathering = new Map<string, Waiting[]>();

  const start = (url: string, run: Run): void => {
    const [first] = run.members;
    const own = run.members.length === 1 ? first!.options : {};
    const read = sharedRead((signal) =>
      store.read(url, { offset: run.offset, length: run.length }, { ...own, signal }),
    );
    for (const member of run.members)
      member.resolve(read.join(member.options.signal).then((bytes) => partOf(bytes, run, member)));
  };

  const flush = (url: string): void => {
    const waiting = gathering.get(url) ?? [];
    gathering.delete(url);
    for (const { options, reject } of waiting) if (options.signal?.aborted) reject(options.signal.reason);
    const live = waiting.filter(({ options }) => !options.signal?.aborted);
    for (const run of runsOf(live, gapBytes, mostBytes)) start(url, run);
  };

  return {
    ...store,
    async read(url, range, options = {}) {
      options.signal?.throwIfAborted();
      if (!range || range.length === 0 || range.length > mostBytes) return store.read(url, range, options);
      return new Promise<Uint8Array>((resolve, reject) => {
        const waiting = gathering.get(url);
        const one: Waiting = { ...range, options, resolve, reject };
        if (waiting) waiting.push(one);
        else {
          gathering.set(url, [one]);
          setTimeout(flush, 0, url);
        }
      });
    },
  };
}
