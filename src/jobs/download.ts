import { createReadStream, existsSync } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '#platform';
import { FormatError, StackwiseError, StoreError } from '../errors.js';
import { withoutQuery } from '../io/json-request.js';
import type { Store, StoreStat } from '../io/store.js';
import { storeFor } from '../io/stores.js';
import { makeFolder } from './output-folder.js';

/** A file to fetch, and where it goes. */
export interface Download {
  url: string;
  /** In the folder: `red/S2A_…_B04.tif`. */
  name: string;
  /** SHA-256 that the item states, hexadecimal; null: it states none. */
  sha256: string | null;
}

/** What is known of a file that was fetched. */
interface Fetched {
  url: string;
  bytes: number;
  /** The state of the remote file that it was fetched in. */
  tag: string | null;
  sha256: string;
}

export interface DownloadOptions {
  store?: Store | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

export interface DownloadReport {
  fetched: number;
  /** Files that were there already, whole and unchanged. */
  kept: number;
  /** Files that went on where an earlier run stopped. */
  resumed: number;
  bytes: number;
}

const INDEX = 'downloads.json';
/** A request's length: long enough for speed, short enough that a stopped run loses little. */
const PIECE_BYTES = 8 * 2 ** 20;
const AT_ONCE = 4;

/** What an earlier run wrote about a folder; nothing where it cannot be read. */
async function readIndex(folder: string): Promise<Map<string, Fetched>> {
  try {
    const parsed = JSON.parse(await readFile(join(folder, INDEX), 'utf8')) as Record<string, Fetched>;
    return new Map(Object.entries(parsed));
  } catch {
    return new Map();
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

const sizeOf = async (path: string) => (existsSync(path) ? (await stat(path)).size : 0);

/** The digest of what lies in a file already. */
async function digestOf(path: string) {
  const hash = sha256();
  if (existsSync(path)) for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash;
}

interface Piece {
  /** Where it is written before it is whole. */
  part: string;
  /** What the part is of. */
  note: string;
}

/** Bytes of a part that belong to the same state of the same file; else it is begun anew. */
async function bytesToKeep(
  { part, note }: Piece,
  source: { url: string; bytes: number; tag: string | null },
): Promise<number> {
  const known = await readFile(note, 'utf8').catch(() => '');
  const size = await sizeOf(part);
  // Without a tag nothing tells whether the file is still the same.
  if (source.tag !== null && known === JSON.stringify(source) && size <= source.bytes) return size;
  await rm(part, { force: true });
  await writeFile(note, JSON.stringify(source));
  return 0;
}

/** What the disk says, in one line. */
export function diskError(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof StackwiseError || typeof code !== 'string') return error;
  const reason =
    { ENOSPC: 'the disk is full', EACCES: 'permission denied', EROFS: 'the disk is read-only' }[code] ?? code;
  return new StoreError(`cannot write ${path}: ${reason}`, { url: path, status: code }, { cause: error });
}

async function fetchFile(
  folder: string,
  { url, name, sha256: wanted }: Download,
  there: StoreStat,
  options: DownloadOptions & { store: Store; onBytes: (count: number) => void },
): Promise<{ file: Fetched; resumed: boolean }> {
  const { store, signal, onBytes } = options;
  const path = join(folder, name);
  const piece: Piece = { part: `${path}.part`, note: `${path}.part.json` };
  const source = { url: withoutQuery(url), bytes: there.bytes, tag: there.tag };
  const begin = await bytesToKeep(piece, source);
  const hash = await digestOf(piece.part);
  onBytes(begin);
  const file = await open(piece.part, 'a');
  try {
    for (let offset = begin; offset < source.bytes; offset += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, source.bytes - offset);
      const bytes = await store.read(url, { offset, length }, { ...(signal && { signal }) });
      if (bytes.length !== length)
        throw new StoreError(`cannot read ${url}: ${length} bytes are wanted, and ${bytes.length} came`, { url });
      await file.appendFile(bytes);
      hash.update(bytes);
      onBytes(bytes.length);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const digest = hash.hex();
  if (wanted !== null && digest !== wanted) {
    await rm(piece.part, { force: true });
    throw new FormatError(`${url}: its SHA-256 is ${digest}, and its item says ${wanted}`, { url });
  }
  await rename(piece.part, path);
  await rm(piece.note, { force: true });
  return { file: { ...source, sha256: digest }, resumed: begin > 0 };
}

/** Runs steps for all values, a few at a time; the first failure stops the rest. */
async function forFew<T>(values: readonly T[], step: (value: T) => Promise<void>): Promise<void> {
  const queue = values.values();
  const stopped = { error: null as unknown };
  const worker = async () => {
    for (const value of queue) {
      if (stopped.error) return;
      await step(value).catch((error) => {
        stopped.error ??= error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (stopped.error) throw stopped.error;
}

/**
 * Fetches files into a folder, and leaves those that are there, whole and unchanged on the server. A file has its name when it is
 * whole; what a stopped run fetched is gone on from while the server's file is the same. Sizes are compared, digests where items
 * state them; `downloads.json` tells where each came from.
 */
export async function downloadFiles(
  folder: string,
  files: readonly Download[],
  options: DownloadOptions = {},
): Promise<DownloadReport> {
  const { signal, onProgress } = options;
  // One after the other, before files are written side by side.
  for (const home of new Set([folder, ...files.map(({ name }) => dirname(join(folder, name)))])) await makeFolder(home);
  const index = await readIndex(folder);
  const report: DownloadReport = { fetched: 0, kept: 0, resumed: 0, bytes: 0 };
  let [done, total] = [0, 0];
  const onBytes = (count: number) => {
    done += count;
    onProgress?.(done, total);
  };
  const wanted: { file: Download; there: StoreStat; store: Store }[] = [];
  await forFew(files, async (file) => {
    signal?.throwIfAborted();
    const store = options.store ?? storeFor(file.url);
    const there = await store.stat(file.url, { ...(signal && { signal }) });
    const known = index.get(file.name);
    const isSame = known?.url === withoutQuery(file.url) && known.bytes === there.bytes && known.tag === there.tag;
    if (isSame && there.tag !== null && (await sizeOf(join(folder, file.name))) === there.bytes) report.kept++;
    else {
      wanted.push({ file, there, store });
      total += there.bytes;
    }
  });
  let writing = Promise.resolve();
  await forFew(wanted, async ({ file, there, store }) => {
    signal?.throwIfAborted();
    const found = await fetchFile(folder, file, there, { ...options, store, onBytes }).catch((error) => {
      throw diskError(error, join(folder, file.name));
    });
    index.set(file.name, found.file);
    report.fetched++;
    report.bytes += found.file.bytes;
    if (found.resumed) report.resumed++;
    writing = writing.then(() =>
      writeWhole(join(folder, INDEX), `${JSON.stringify(Object.fromEntries(index), null, 2)}\n`),
    );
    await writing;
  });
  return report;
}
