/**
 * One file that is being written at positions of the writer's choice, under a temporary name until `commit` gives it its own.
 * `commit` and `abort` end it; `abort` after either does nothing. Errors are `StoreError {url, status}`.
 */
export interface Sink {
  /** Writes all of `bytes` at `offset`; the file grows as needed. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Exactly the `length` bytes at `offset`, which must have been written. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Makes the file durable and renames it. */
  commit(): Promise<void>;
  /** Removes everything. */
  abort(): Promise<void>;
}

export interface SinkOptions {
  /** Whether an existing file may be replaced at commit; without it such a file is an InputError before any work. */
  overwrite?: boolean;
  /** A scratch file beside `path` that is never committed; the system removes it even if the process is killed, where it can. */
  scratch?: boolean;
}

/** A sink in memory, the same for every platform. */
export function memorySink(): Sink & { bytes(): Uint8Array<ArrayBuffer> } {
  let store = new Uint8Array(1 << 16);
  let end = 0;
  return {
    async write(offset, bytes) {
      const needed = offset + bytes.length;
      if (needed > store.length) {
        const grown = new Uint8Array(Math.max(needed, store.length * 2));
        grown.set(store.subarray(0, end));
        store = grown;
      }
      store.set(bytes, offset);
      end = Math.max(end, needed);
    },
    read: async (offset, length) => store.slice(offset, offset + length),
    commit: async () => {},
    abort: async () => {
      store = new Uint8Array(0);
      end = 0;
    },
    bytes: () => store.slice(0, end),
  };
}
