/** Part of a file: bytes [offset, offset + length). */
export interface ByteRange {
  offset: number;
  length: number;
}

export interface StoreOptions {
  signal?: AbortSignal;
  /** Room for a range that is read: a store may put the bytes there and return a view of it, or not. */
  into?: Uint8Array;
}

export interface StoreStat {
  bytes: number;
}

/**
 * Where bytes live. Urls are plain paths, `file:` or `https:`; each store understands its own kind. A read past the end gives the
 * bytes that are there (possibly none). Errors are `StoreError {url, status, retryable}`. Cache, retry and limits are functions
 * Store → Store.
 */
export interface Store {
  read(url: string, range?: ByteRange, options?: StoreOptions): Promise<Uint8Array>;
  stat(url: string, options?: StoreOptions): Promise<StoreStat>;
  /** Names (not paths) of the entries of a folder, folders with a trailing slash, sorted. */
  list(url: string, options?: StoreOptions): Promise<string[]>;
  /** Writes a whole small file under a temporary name and renames it. */
  write(url: string, bytes: Uint8Array, options?: StoreOptions): Promise<void>;
}
