import { type FileHandle, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../errors.js';
import type { Store } from './store.js';

/** The path of a plain path or a `file:` URL. */
export function filePath(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}

function storeError(error: unknown, url: string, verb: string): StoreError {
  const code = (error as NodeJS.ErrnoException).code;
  const reason = code === 'ENOENT' ? 'no such file' : code === 'ENOSPC' ? 'the disk is full' : (code ?? String(error));
  return new StoreError(`cannot ${verb} ${url}: ${reason}`, { url, ...(code && { status: code }) }, { cause: error });
}

/** Files of the local disk. */
export function fileStore(): Store {
  return {
    async read(url, range, { signal } = {}) {
      signal?.throwIfAborted();
      let file: FileHandle | undefined;
      try {
        file = await open(filePath(url), 'r');
        const length = range?.length ?? (await file.stat()).size;
        const bytes = new Uint8Array(length);
        const { bytesRead } = await file.read(bytes, 0, length, range?.offset ?? 0);
        return bytesRead === length ? bytes : bytes.subarray(0, bytesRead);
      } catch (error) {
        throw storeError(error, url, 'read');
      } finally {
        await file?.close();
      }
    },
    async stat(url, { signal } = {}) {
      signal?.throwIfAborted();
      try {
        return { bytes: (await stat(filePath(url))).size };
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
