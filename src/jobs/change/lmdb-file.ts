// LMDB: a file of keys and values that is changed in transactions, shared by processes. The only file that knows the library.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { InputError, StackwiseError, StoreError } from '../../errors.js';
import { formatBytes } from '../../limit.js';
import { checkFile, checkRoom } from './lmdb-check.js';

export type Key = Buffer;

/** What a transaction takes on the disk beside its keys and values: pages that are not full, and those above them. */
const PAGES_A_BYTE = 1.5;
const LEAST_BYTES = 2 ** 16;

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
  /** Everything that `change` puts and removes is there when this returns, or nothing is. Keys and values may be lent. */
  write<T>(change: (put: (key: Key, value: Uint8Array) => void, remove: (key: Key) => boolean) => T): T;
  close(): Promise<void>;
}

/** What the system says of a write of which only a part found room is an error of the device. */
const EIO = 5;
const ENOSPC = 28;

/** Whether it was the disk's end that a write of so many bytes failed at. */
function isFull(path: string, code: unknown, wanted: number): boolean {
  if (code === ENOSPC) return true;
  if (code !== EIO) return false;
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize < wanted;
}

function storeError(path: string, cause: unknown, wanted = 0): Error {
  if (cause instanceof StackwiseError) return cause;
  const { message, code } = cause as { message: string; code?: number | string };
  const full = isFull(path, code, wanted);
  const facts = { url: path, ...(full ? { status: 'ENOSPC' } : code !== undefined && { status: code }) };
  const what = full ? `the disk is full (${formatBytes(wanted)} were to be written)` : message.split('\n')[0];
  return new StoreError(`the result store ${path} failed: ${what}`, facts, { cause });
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
    return this.read(() => this.db.get(key));
  }

  *range(start: Key, end: Key) {
    try {
      yield* this.db.getRange({ start, end });
    } catch (cause) {
      throw storeError(this.path, cause);
    }
  }

  last(start: Key, end: Key) {
    return this.read(() => [...this.db.getKeys({ start: end, end: start, reverse: true, limit: 1 })][0]);
  }

  count(start: Key, end: Key) {
    return this.read(() => this.db.getKeysCount({ start, end }));
  }

  refresh(): void {
    this.db.resetReadTxn();
  }

  write<T>(change: (put: (key: Key, value: Uint8Array) => void, remove: (key: Key) => boolean) => T): T {
    if (this.readOnly) throw new InputError(`the result store ${this.path} is open for reading only`);
    let written = 0;
    const put = (key: Key, value: Uint8Array) => {
      written += key.length + value.length;
      this.db.putSync(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    };
    try {
      return this.db.transactionSync(() => change(put, (key) => this.db.removeSync(key)));
    } catch (cause) {
      throw storeError(this.path, cause, PAGES_A_BYTE * written + LEAST_BYTES);
    }
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  private read<T>(look: () => T): T {
    try {
      return look();
    } catch (cause) {
      throw storeError(this.path, cause);
    }
  }
}

/**
 * Opens a file, or makes a new one unless `readOnly`.
 * @throws FormatError when it is no LMDB file or a damaged one; StoreError when the system does not give it, or the disk is full.
 */
export async function openLmdb(path: string, { readOnly }: { readOnly: boolean }): Promise<LmdbFile> {
  try {
    checkFile(path);
    checkRoom(path);
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
