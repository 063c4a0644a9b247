// What is looked at before LMDB opens a file: it maps files, and over a damaged one or a full disk the process would end without a word.
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FormatError, StoreError } from '../../errors.js';

/** Where LMDB's first page has its magic number, version, page size and the number of the last page. */
const META = { magicAt: 24, versionAt: 28, pageSizeAt: 48, lastPageAt: 144, bytes: 152 } as const;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** Bytes; powers of two. */
const [LEAST_PAGE, MOST_PAGE] = [512, 65_536];
/**
 * Pages at the end that one transaction took and gave back are counted, but never written: so many may be missing of a whole file. It
 * is a few: the next page that is taken is one of those.
 */
const MOST_UNWRITTEN = 16;

/** @throws FormatError when it is no LMDB file, or cut off. */
function checkLength(file: number, path: string): void {
  const meta = (position: number) => {
    const buffer = Buffer.alloc(META.bytes);
    const isMeta =
      readSync(file, buffer, 0, META.bytes, position) === META.bytes && buffer.readUInt32LE(META.magicAt) === MAGIC;
    if (!isMeta) throw new FormatError(`${path} is no result store`);
    const version = buffer.readUInt32LE(META.versionAt);
    if (version === DATA_VERSION) return buffer;
    throw new FormatError(`${path} is of version ${version} of LMDB's format, and ${DATA_VERSION} is read here`);
  };
  const first = meta(0);
  const pageSize = first.readUInt32LE(META.pageSizeAt);
  const isPage = pageSize >= LEAST_PAGE && pageSize <= MOST_PAGE && (pageSize & (pageSize - 1)) === 0;
  if (!isPage) throw new FormatError(`${path} is damaged: pages of ${pageSize} bytes`);
  const lastPages = [first, meta(pageSize)].map((page) => Number(page.readBigUInt64LE(META.lastPageAt)));
  // Looked at last: another process may be adding pages, and the file only grows.
  const wanted = (Math.max(...lastPages) + 1) * pageSize;
  const { size } = fstatSync(file);
  if (wanted - size <= MOST_UNWRITTEN * pageSize) return;
  throw new FormatError(`${path} is cut off: ${size} of ${wanted} bytes are there`);
}

/**
 * Looks at a file; one that is not there, or empty, is a new one.
 * @throws FormatError when it is no LMDB file, or cut off.
 */
export function checkFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    if (fstatSync(file).size > 0) checkLength(file, path);
  } finally {
    closeSync(file);
  }
}

/** The file of LMDB's locks takes less. */
const LOCK_BYTES = 2 ** 16;

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes sure that the file of locks beside `path` is there or can be made. Where nothing can be written LMDB does without.
 * @throws StoreError when the disk is full.
 */
export function checkRoom(path: string): void {
  const folder = dirname(path);
  // A file that has a length, but no place on the disk, is as good as none.
  const blocks = statSync(`${path}-lock`, { throwIfNoEntry: false })?.blocks ?? 0;
  if (blocks > 0 || !isWritable(folder)) return;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= LOCK_BYTES) return;
  throw new StoreError(`the result store ${path} cannot be opened: the disk is full`, { url: path, status: 'ENOSPC' });
}
