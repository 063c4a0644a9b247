import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { StackwiseError, StoreError, UnsupportedError } from '../errors.js';
import { filePath } from '../io/file.js';
import { schemeOf } from '../io/href.js';
import { removeObject, storeFor } from '../io/stores.js';
import { type Claim, claim } from './claim.js';

/** A folder that results go to, wherever it lies. */
export interface OutputFolder {
  /** The path or URL of an entry. */
  pathOf(name: string): string;
  /** @throws StoreError where the store does not say */
  has(path: string): Promise<boolean>;
  make(): Promise<void>;
  /** The folder itself where it is there, else the nearest of those around it that is. */
  nearest(): Promise<string>;
  /**
   * Keeps other processes out of the folder, or of what has a name in it; the folder must be there. In buckets nothing is kept out.
   * @throws InputError when a living process is at work there
   */
  claim(name?: string): Promise<Claim>;
  /** Gives free what a process that is dead had claimed, and says whether there was such a thing. */
  freeDead(name: string): Promise<boolean>;
  /** Makes the folders that an entry lies in. */
  makeFor(path: string): Promise<void>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Where finished blocks may wait; null for buckets. */
  workDir: string | null;
  /** Removes what a killed run left of files of these names that never got their names. */
  sweep(names: readonly string[]): Promise<void>;
  /** Nothing happens where nothing is. */
  remove(path: string): Promise<void>;
  /** A link from a document in the folder; null where nobody else could follow it. */
  linkTo(href: string): string | null;
}

const FOLDER_REASONS: Record<string, string> = {
  ENOENT: 'its place cannot be written',
  EEXIST: 'a file has this name',
  ENOTDIR: 'a part of it is a file',
  EACCES: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
};

/** Makes a folder and those around it. Step by step: Node's own recursion never ends on a file system that makes no folders (/proc). */
export async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder) await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Somebody else made it meanwhile.
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return;
    throw new StoreError(
      `cannot make the folder ${folder}: ${FOLDER_REASONS[code ?? ''] ?? code ?? (cause as Error).message}`,
      { url: folder, ...(code && { status: code }) },
      { cause },
    );
  }
}

function nearestFolder(folder: string): string {
  const parent = dirname(folder);
  return existsSync(folder) || parent === folder ? folder : nearestFolder(parent);
}

/** A link from a document in a folder of the disk: relative for files, else as it is. */
function linkFrom(folder: string, href: string): string {
  if (isRemote(href)) return href;
  const path = relative(folder, filePath(href)).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
}

async function sweepFolder(folder: string, names: readonly string[]): Promise<void> {
  for (const entry of await readdir(folder)) {
    const [, raster, document] = /^\.(.+)\.[0-9a-f]{12}\.partial$|^(.+)\.\d+\.partial$/.exec(entry) ?? [];
    const name = raster ?? document;
    if (name !== undefined && names.includes(name)) await rm(join(folder, entry), { force: true });
  }
}

/** The file of a claim, beside the results until they are whole. */
const lockIn = (folder: string, name: string) => join(folder, `.${name && `${name}.`}stackwise-lock`);

async function claimIn(folder: string, name: string): Promise<Claim> {
  try {
    return await claim(lockIn(folder, name), name ? join(folder, name) : folder);
  } catch (cause) {
    if (cause instanceof StackwiseError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new StoreError(
      `cannot write into ${folder}: ${FOLDER_REASONS[code ?? ''] ?? code ?? (cause as Error).message}`,
      { url: folder, ...(code && { status: code }) },
      { cause },
    );
  }
}

async function freeDeadIn(folder: string, name: string): Promise<boolean> {
  if (!existsSync(lockIn(folder, name))) return false;
  try {
    await (await claimIn(folder, name)).release();
    return true;
  } catch (error) {
    // Somebody is at work there, or nothing may be written: then it is not for this process to tidy.
    if (error instanceof StackwiseError) return false;
    throw error;
  }
}

/** @throws StoreError where the store does not say: what cannot be looked at is not absent */
async function isThere(path: string): Promise<boolean> {
  try {
    await storeFor(path).stat(path);
    return true;
  } catch (error) {
    if (error instanceof StoreError && [404, 'ENOENT', 'ENOTDIR'].includes(error.facts.status ?? '')) return false;
    throw error;
  }
}

const isRemote = (url: string) => ![null, 'file'].includes(schemeOf(url));

function diskFolder(url: string): OutputFolder {
  const folder = filePath(url);
  return {
    pathOf: (name) => join(folder, name),
    has: isThere,
    make: () => makeFolder(folder),
    nearest: async () => nearestFolder(folder),
    claim: (name = '') => claimIn(folder, name),
    freeDead: (name) => freeDeadIn(folder, name),
    makeFor: (path) => makeFolder(dirname(path)),
    write: (path, bytes) => storeFor(path).write(path, bytes),
    remove: (path) => rm(path, { force: true }),
    workDir: join(folder, '.stackwise-work'),
    sweep: (names) => sweepFolder(folder, names),
    linkTo: (href) => linkFrom(folder, href),
  };
}

/** Buckets have no folders: a prefix is there as soon as an object is. */
function bucketFolder(url: string): OutputFolder {
  const prefix = url.endsWith('/') ? url : `${url}/`;
  return {
    pathOf: (name) => prefix + name,
    has: isThere,
    make: async () => {},
    nearest: async () => url,
    claim: async () => ({ release: async () => {} }),
    freeDead: async () => false,
    makeFor: async () => {},
    workDir: null,
    // What is left of uploads is no object; the bucket's own rule takes it away.
    sweep: async () => {},
    write: (path, bytes) => storeFor(path).write(path, bytes),
    remove: (path) => removeObject(path),
    linkTo: (href) => (isRemote(href) ? href : null),
  };
}

/** @throws UnsupportedError for addresses that nothing can be written to */
export function outputFolder(url: string): OutputFolder {
  if (schemeOf(url) === 's3') return bucketFolder(url);
  if (isRemote(url))
    throw new UnsupportedError(`results cannot be written to ${url}: give a folder or s3://bucket/prefix`, { url });
  return diskFolder(url);
}
