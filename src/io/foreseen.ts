// Reads whose turn comes later: begun before, so that whoever wants the bytes then does not wait for the network.
import { sharedRead } from './shared-read.js';
import type { ByteRange } from './store.js';

/** A range of a file that will be lent. */
export interface Foreseen {
  readonly bytes: number;
  /** Begins to read it, unless it is being lent already; settles when its bytes are given back, whatever became of them. */
  start(): Promise<void>;
  /** Nobody will want it: a read under way is given up. */
  drop(): void;
}

/** A foreseen range at its turn. */
interface Taken {
  bytes(signal?: AbortSignal): Promise<Uint8Array>;
  giveBack(): void;
}

export interface ForeseenReads {
  foresee(range: ByteRange): Foreseen;
  /**
   * Ends the foresight of a range whose turn has come: what was foreseen first of it, where there are several. Null where it was not begun:
   * it is read then as if nobody had foreseen it.
   */
  take(range: ByteRange): Taken | null;
}

/** What is known of a range until it is given back. */
interface Entry {
  read: Promise<Uint8Array> | null;
  isOver: boolean;
  stop: AbortController;
  settle: (() => void) | null;
}

/** The foreseen reads of one file. */
export function foreseenReads(read: (range: ByteRange, signal: AbortSignal) => Promise<Uint8Array>): ForeseenReads {
  const entries = new Map<string, Entry[]>();
  const keyOf = ({ offset, length }: ByteRange) => `${offset}+${length}`;
  const remove = (key: string, entry: Entry): void => {
    const left = (entries.get(key) ?? []).filter((other) => other !== entry);
    if (left.length > 0) entries.set(key, left);
    else entries.delete(key);
  };
  const end = (entry: Entry): void => {
    entry.isOver = true;
    entry.read = null;
    entry.settle?.();
  };
  return {
    foresee(range) {
      const key = keyOf(range);
      const entry: Entry = { read: null, isOver: false, stop: new AbortController(), settle: null };
      entries.set(key, [...(entries.get(key) ?? []), entry]);
      return {
        bytes: range.length,
        start() {
          if (entry.isOver) return Promise.resolve();
          const settled = new Promise<void>((resolve) => {
            entry.settle = resolve;
          });
          entry.read = read(range, entry.stop.signal);
          entry.read.catch(() => {}); // Whoever takes it hears of it.
          return settled;
        },
        drop() {
          if (entry.isOver) return;
          remove(key, entry);
          entry.stop.abort(new DOMException('nobody waits for what was read ahead', 'AbortError'));
          end(entry);
        },
      };
    },
    take(range) {
      const key = keyOf(range);
      const entry = entries.get(key)?.[0];
      if (!entry) return null;
      remove(key, entry);
      const { read } = entry;
      if (!read) {
        end(entry);
        return null;
      }
      return { bytes: (signal) => sharedRead(() => read).join(signal), giveBack: () => end(entry) };
    },
  };
}
