import { randomBytes } from 'node:crypto';
import { access, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, StoreError } from '../errors.js';
import { filePath } from './file.js';
import { schemeOf } from './href.js';
import { scratchFolder } from './scratch.node.js';
import type { Sink, SinkOptions } from './sink.js';

const REASONS: Record<string, string> = {
  ENOENT: 'no such folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
};

async function guard<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (!code) throw cause;
    throw new StoreError(`cannot write ${path}: ${REASONS[code] ?? code}`, { url: path, status: code }, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function writeAll(file: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}

/** The path beside which a scratch file lies: that of a file itself, else some place on the local disk. */
function scratchPath(url: string): string {
  const scheme = schemeOf(url);
  return scheme === null || scheme === 'file' ? filePath(url) : join(scratchFolder(), 'stackwise');
}

/** A file `.<name>.<random>.partial` in the folder of `path` that becomes `path` at commit, after fsync. */
export async function openSink(url: string, { overwrite = false, scratch = false }: SinkOptions = {}): Promise<Sink> {
  const path = scratch ? scratchPath(url) : filePath(url);
  if (!scratch && !overwrite && (await exists(path))) {
    throw new InputError(`the output ${path} exists already; it is replaced only with overwrite`, { url: path });
  }
  const partial = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
  const file = await guard(path, () => open(partial, 'wx+'));
  // Unlinked at once where the system allows it: a scratch file leaves nothing behind even after kill -9.
  if (scratch && process.platform !== 'win32') await rm(partial);
  let isOpen = true;
  return {
    write: (offset, bytes) => guard(path, () => writeAll(file, offset, bytes)),
    read: (offset, length) =>
      guard(path, async () => {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0)
            throw new StoreError(`cannot read back ${path}: ${length - done} bytes are missing`, { url: path });
          done += bytesRead;
        }
        return bytes;
      }),
    commit: () =>
      guard(path, async () => {
        await file.sync();
        isOpen = false;
        await file.close();
        await rename(partial, path).catch(async (error) => {
          await rm(partial, { force: true });
          throw error;
        });
      }),
    async abort() {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
      await rm(partial, { force: true });
    },
  };
}
