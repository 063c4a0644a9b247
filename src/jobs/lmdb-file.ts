// LMDB: a file of keys and values that is changed in transactions, shared by processes. The only file that knows the library.
import { open as openFile } from 'node:fs/promises';
import type { RootDatabase } from 'lmdb';
import { FormatError, InputError, StackwiseError, StoreError } from '../errors.js';

export type Key = Buffer;

export interface LmdbFile {
  /** A copy of a value. */
  get(key: Key): Uint8Array | undefined;
  /** Keys from `start` to before `end`, with copies of their values. */
  range(start: Key, end: Key): Iterable<{ key: Key; value: Uint8Array }>;
  /** The highest key from `start` to before `end`. */
  last(start: Key, end: Key): Key | undefined;
  /** How many keys there are from `start` to before `end`. */
  count(start: Key, end: Key): number;
  /** From here on reads see what other processes have written. */
  refresh(): void;
  /** Everything that `change` puts and removes is there when this returns, or nothing is. Values may be lent. */
  write<T>(change: (put: (key: Key, value: Uint8Array) => void, remove: (key: Key) => boolean) => T): T;
  close(): Promise<void>;
}

/** Where LMDB's first page has its magic number, version, page size and the number of the last page. */
const META = { magicAt: 24, versionAt: 28, pageSizeAt: 48, lastPageAt: 144, bytes: 152 } as const;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/**
 * Looks at a file before LMDB does, which maps it and would bring the process down over one that is cut off or no store.
 * A file that is not there, or empty, is a new one.
 */
async function checkFile(path: string): Promise<void> {
  const file = await openFile(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return;
  try {
    if ((await file.stat()).size === 0) return;
    const meta = async (position: number) => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(META.bytes), 0, META.bytes, position);
      const isMeta = bytesRead === META.bytes && buffer.readUInt32LE(META.magicAt) === MAGIC;
      if (!isMeta) throw new FormatError(`${path} is no result store`);
      const version = buffer.readUInt32LE(META.versionAt);
      if (version !== DATA_VERSION) {
        throw new FormatError(`${path} is of version ${version} of LMDB's format, and ${DATA_VERSION} is read here`);
      }
      return buffer;
    };
    const first = await meta(0);
    const pageSize = first.readUInt32LE(META.pageSizeAt);
    const second = await meta(pageSize);
    const lastPage = [first, second].map((page) => Number(page.readBigUInt64LE(META.lastPageAt)));
    const wanted = (Math.max(...lastPage) + 1) * pageSize;
    // Looked at last: another process may be adding pages, and the file only grows.
    const { size } = await file.stat();
    if (size < wanted) throw new FormatError(`${path} is cut off: ${size} of ${wanted} bytes are there`);
  } finally {
    await file.close();
  }
}

function storeError(path: string, cause: unknown): Error {
  if (cause instanceof StackwiseError) return cause;
  const { message, code } = cause as NodeJS.ErrnoException;
  const facts = { url: path, ...(code !== undefined && { status: code }) };
  return new StoreError(`the result store ${path} failed: ${message.split('\n')[0]}`, facts, { cause });
}

class OpenLmdb implements LmdbFile {
  private readonly db: RootDatabase<Buffer, Key>;
  private readonly path: string;
  private readonly readOnly: boolean;

  constructor(db: RootDatabase<Buffer, Key>, path: string, readOnly: boolean) {
    this.db = db;
    this.path = path;
    this.readOnly = readOnly;
  }

  get(key: Key) {
    return this.db.get(key);
  }

  range(start: Key, end: Key) {
    return this.db.getRange({ start, end });
  }

  last(start: Key, end: Key) {
    for (const key of this.db.getKeys({ start: end, end: start, reverse: true, limit: 1 })) return key;
    return undefined;
  }

  count(start: Key, end: Key) {
    return this.db.getKeysCount({ start, end });
  }

  refresh(): void {
    this.db.resetReadTxn();
  }

  write<T>(change: (put: (key: Key, value: Uint8Array) => void, remove: (key: Key) => boolean) => T): T {
    if (this.readOnly) throw new InputError(`the result store ${this.path} is open for reading only`);
    const put = (key: Key, value: Uint8Array) =>
      this.db.putSync(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    try {
      return this.db.transactionSync(() => change(put, (key) => this.db.removeSync(key)));
    } catch (cause) {
      throw storeError(this.path, cause);
    }
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

/**
 * Opens a file, or makes a new one unless `readOnly`.
 * @throws FormatError when it is no LMDB file or a damaged one; StoreError when the system does not give it.
 */
export async function openLmdb(path: string, { readOnly }: { readOnly: boolean }): Promise<LmdbFile> {
  try {
    await checkFile(path);
    const { open } = await import('lmdb');
    const db = open<Buffer, Key>({
      path,
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      // What is written is on the disk when it is said to be.
      overlappingSync: false,
      readOnly,
    });
    return new OpenLmdb(db, path, readOnly);
  } catch (cause) {
    throw storeError(path, cause);
  }
}
