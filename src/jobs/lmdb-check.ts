// What is looked at before LMDB opens a file: it maps files, and over a damaged one or a full disk the process would end without a word.
import { access, constants, open as openFile, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FormatError, StoreError } from '../errors.js';

/** Where LMDB's first page has its magic number, version, page size and the number of the last page. */
const META = { magicAt: 24, versionAt: 28, pageSizeAt: 48, lastPageAt: 144, bytes: 152 } as const;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** Bytes; powers of two. */
const [LEAST_PAGE, MOST_PAGE] = [512, 65_536];

/**
 * Looks at a file before LMDB does, which maps it and would bring the process down over one that is cut off or no store.
 * A file that is not there, or empty, is a new one.
 */
export async function checkFile(path: string): Promise<void> {
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
    const isPage = pageSize >= LEAST_PAGE && pageSize <= MOST_PAGE && (pageSize & (pageSize - 1)) === 0;
    if (!isPage) throw new FormatError(`${path} is damaged: pages of ${pageSize} bytes`);
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

/** The file of LMDB's locks takes less. */
const LOCK_BYTES = 2 ** 16;

/** Whether all bytes of a file have their place on the disk. */
async function isWhole(path: string): Promise<boolean> {
  return stat(path).then(
    ({ size, blocks }) => size > 0 && blocks * 512 >= size,
    () => false,
  );
}

/**
 * Makes sure that the file of locks beside `path` is whole or can be made. Where nothing can be written LMDB does without.
 * @throws StoreError when the disk is full.
 */
export async function checkRoom(path: string): Promise<void> {
  const folder = dirname(path);
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable || (await isWhole(`${path}-lock`))) return;
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= LOCK_BYTES) return;
  throw new StoreError(`the result store ${path} cannot be opened: the disk is full`, { url: path, status: 'ENOSPC' });
}
