import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { StoreError } from '../errors.js';
import type { ByteRange, Store } from './store.js';

/** The path of a plain path or a `file:` URL. */
export function filePath(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}

function storeError(error: unknown, url: string, verb: string): StoreError {
  const code = (error as NodeJS.ErrnoException).code;
  const missing = verb === 'write' ? 'no such folder' : 'no such file';
  const reason = code === 'ENOENT' ? missing : code === 'ENOSPC' ? 'the disk is full' : (code ?? String(error));
  return new StoreError(`cannot ${verb} ${url}: ${reason}`, { url, ...(code && { status: code }) }, { cause: error });
}

/** Bytes to read of a file of `size`: a range may promise more than there is. */
function lengthIn(size: number, range: ByteRange | undefined): number {
  return Math.max(0, Math.min(range?.length ?? size, size - (range?.offset ?? 0)));
}

/** Where the bytes of a range are put: in the room that was given, or in an array of their own. */
function roomFor(range: ByteRange | undefined, into: Uint8Array | undefined, size: () => number): Uint8Array {
  if (range && into && into.length >= range.length) return into.subarray(0, range.length);
  return new Uint8Array(lengthIn(size(), range));
}

async function readPart(path: string, range?: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const bytes = roomFor(range, into, () => size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, range?.offset ?? 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A worker thread has nothing else to do meanwhile, and small reads are several times cheaper without a thread pool between. */
function readPartSync(path: string, range?: ByteRange, into?: Uint8Array): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = roomFor(range, into, () => fstatSync(file).size);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, range?.offset ?? 0));
  } finally {
    closeSync(file);
  }
}

/** Files of the local disk. */
export function fileStore(): Store {
  return {
    async read(url, range, { signal, into } = {}) {
      signal?.throwIfAborted();
      try {
        return isMainThread ? await readPart(filePath(url), range, into) : readPartSync(filePath(url), range, into);
      } catch (error) {
        throw storeError(error, url, 'read');
      }
    },
    async stat(url, { signal } = {}) {
      signal?.throwIfAborted();
      try {
        const { size, mtimeNs } = await stat(filePath(url), { bigint: true });
        return { bytes: Number(size), tag: `${mtimeNs}` };
      } catch (error) {
        throw storeError(error, url, 'read');
      }
    },
    async list(url, { signal } = {}) {
      signal?.throwIfAborted();
      try {
        const entries = await readdir(filePath(url), { withFileTypes: true });
        return entries.map((e) => (e.isDirectory() ? `${e.name}/` : e.name)).sort();
      } catch (error) {
        throw storeError(error, url, 'list');
      }
    },
    async write(url, bytes, { signal } = {}) {
      signal?.throwIfAborted();
      const path = filePath(url);
      const temporary = `${path}.${process.pid}.partial`;
      try {
        await writeFile(temporary, bytes, { ...(signal && { signal }) });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw storeError(error, url, 'write');
      }
    },
  };
}
