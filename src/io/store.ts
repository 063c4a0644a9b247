/** Part of a file: bytes [offset, offset + length). */
export interface ByteRange {
  offset: number;
  length: number;
}

export interface StoreOptions {
  signal?: AbortSignal;
  /** Room for a range that is read: a store may put the bytes there and return a view of it, or not. */
  into?: Uint8Array;
  /** Told of bytes as they arrive, so that whoever waits can tell a slow answer from none. */
  onBytes?: (count: number) => void;
}

export interface StoreStat {
  bytes: number;
  /** Another one when the file is another: what the server calls its state, or the time of its last change. Null where nothing tells. */
  tag: string | null;
}

/**
 * Where bytes live. Urls are plain paths, `file:`, `https:` or `s3:`; each store understands its own kind. A read past the end gives the
 * bytes that are there (possibly none). Errors are `StoreError {url, status, retryable}`. Cache, retry and limits are functions
 * Store → Store.
 */
export interface Store {
  /** True where reads wait for a network, so that reading ahead pays. */
  readonly isFar?: boolean;
  read(url: string, range?: ByteRange, options?: StoreOptions): Promise<Uint8Array>;
  stat(url: string, options?: StoreOptions): Promise<StoreStat>;
  /** Names (not paths) of the entries of a folder, folders with a trailing slash, sorted. */
  list(url: string, options?: StoreOptions): Promise<string[]>;
  /** Writes a whole small file, which nobody sees before all of it is there. */
  write(url: string, bytes: Uint8Array, options?: StoreOptions): Promise<void>;
  /** What was told of a file before, without asking again; stores that ask nobody lack it. */
  known?(url: string): StoreStat | null;
  /** Drops what is remembered of a file that another way has replaced; stores that remember nothing lack it. */
  forget?(url: string): void;
}
