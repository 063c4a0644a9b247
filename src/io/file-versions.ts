import { StoreError } from '../errors.js';
import type { StoreStat } from './store.js';

/** So many files are remembered; of the one that was met first nothing is known any more when the next comes. */
const FILES_KEPT = 4096;

/** What a server says about the state of a file; null or absent where it hides it. */
export interface FileVersion {
  etag?: string | null;
  modified?: string | null;
  bytes?: number | null;
}

/** What servers said of their files when they were first met, so that two states of one file are never mixed. */
export interface FileVersions {
  /**
   * Compares with what was said before, and fills in what was not.
   * @throws StoreError with status CHANGED when they differ; the file is then forgotten, so that it can be opened anew
   */
  check(url: string, version: FileVersion): void;
  /** Size and strong ETag, else the time of change; null where the size was never told. */
  known(url: string): StoreStat | null;
  forget(url: string): void;
}

/** Weak tags change with the encoding of an answer, so only strong ones identify bytes. */
const isStrong = (etag: string) => !etag.startsWith('W/');

export function fileVersions(): FileVersions {
  const known = new Map<string, FileVersion>();
  return {
    check(url, said) {
      const version: FileVersion = { ...said, etag: said.etag && isStrong(said.etag) ? said.etag : null };
      const before = known.get(url) ?? {};
      // Mirrors may disagree about times, never about the tag: the time only speaks where there is no tag.
      const keys = before.etag && version.etag ? (['etag', 'bytes'] as const) : (['modified', 'bytes'] as const);
      const differs = keys.find((key) => before[key] != null && version[key] != null && before[key] !== version[key]);
      if (differs) {
        known.delete(url);
        const what = { etag: 'its ETag', modified: 'its time of change', bytes: 'its size' }[differs];
        const values = differs === 'bytes' ? ` (${before.bytes} bytes, now ${version.bytes})` : '';
        throw new StoreError(`cannot read ${url}: the file changed between two reads: ${what} is another${values}`, {
          url,
          status: 'CHANGED',
          retryable: false,
        });
      }
      if (!known.has(url) && known.size >= FILES_KEPT) known.delete(known.keys().next().value!);
      known.set(url, {
        etag: before.etag ?? version.etag ?? null,
        modified: before.modified ?? version.modified ?? null,
        bytes: before.bytes ?? version.bytes ?? null,
      });
    },
    known(url) {
      const { bytes = null, etag, modified } = known.get(url) ?? {};
      return bytes === null ? null : { bytes, tag: etag ?? modified ?? null };
    },
    forget: (url) => void known.delete(url),
  };
}
