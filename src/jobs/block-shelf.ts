// Where finished blocks of a run wait: a folder of the disk, or the objects of a bucket below a prefix.
import { appendFile, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StackwiseError, StoreError } from '../errors.js';
import { schemeOf } from '../io/href.js';
import { joinBytes } from '../io/join-bytes.js';
import { mapFew } from '../io/map-few.js';
import { removeObject, storeFor } from '../io/stores.js';
import { partsOfBlock, readBlockFile, splitBlock, writeBlockFile } from './block-file.js';
import { type Claim, claim } from './claim.js';
import { makeFolder } from './output-folder.js';

type BlockPlanes = Uint8Array<ArrayBuffer>[][];
type PlaneBytes = readonly (readonly number[])[];

export interface BlockShelf {
  /** For messages. */
  readonly place: string;
  /** Of the blocks that are there. */
  names(): Promise<string[]>;
  /** Null where it is not there, or not what was put there. */
  read(name: string, planeBytes: PlaneBytes): Promise<BlockPlanes | null>;
  /** Keeps a block, and a line about it that is there when the block is. */
  put(name: string, planes: BlockPlanes, line: string): Promise<void>;
  /** Lines of all blocks, each with its end; what stands behind the last end was not whole. */
  lines(): Promise<string>;
  /** Takes blocks and lines away, and keeps the place. */
  empty(): Promise<void>;
  /** Takes all away; `around` with the place that the shelf stands in, whatever is in there. */
  remove(around: boolean): Promise<void>;
  /** Others may take the blocks up; they stay. */
  release(): Promise<void>;
}

const SUFFIX = '.block';
const OWNER = 'owner.json';
/** On the disk, lines are on it before their blocks are; in a bucket they are objects beside them. */
const LINES = 'sources.jsonl';
const LINE_SUFFIX = '.sources.json';
const AT_ONCE = 8;
const MOST_TRIES = 5;

/**
 * Opens the shelf of one run in a work place, which may hold those of others.
 * @throws InputError when a living process of the disk has it; StoreError where it cannot be made
 */
export async function blockShelf(workPlace: string, key: string): Promise<BlockShelf> {
  if (schemeOf(workPlace) === 's3') return bucketShelf(`${workPlace.replace(/\/+$/, '')}/${key}/`);
  try {
    return await diskShelf(join(workPlace, key));
  } catch (cause) {
    if (cause instanceof StackwiseError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new StoreError(`cannot keep finished blocks in ${workPlace}: ${code}`, { url: workPlace }, { cause });
  }
}

/** Makes a shelf's folder and claims it; whoever empties the place around it takes that away, so it may have to be made again. */
async function claimed(folder: string): Promise<Claim> {
  for (let tries = 1; ; tries++) {
    try {
      await makeFolder(folder);
      return await claim(join(folder, OWNER), folder);
    } catch (error) {
      const { cause = error } = error as Error;
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || tries >= MOST_TRIES) throw error;
    }
  }
}

async function diskShelf(folder: string): Promise<BlockShelf> {
  const own = await claimed(folder);
  const names = async () => (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  return {
    place: folder,
    names: async () => (await names()).map((name) => name.slice(0, -SUFFIX.length)),
    read: (name, planeBytes) => readBlockFile(join(folder, name + SUFFIX), planeBytes),
    async put(name, planes, line) {
      await appendFile(join(folder, LINES), `${line}\n`);
      await writeBlockFile(join(folder, name + SUFFIX), planes);
    },
    lines: () => readFile(join(folder, LINES), 'utf8').catch(() => ''),
    async empty() {
      for (const name of [LINES, ...(await names())]) await rm(join(folder, name), { force: true });
    },
    async remove(around) {
      try {
        await rm(around ? dirname(folder) : folder, { recursive: true, force: true });
        // The place around it goes when nothing else is in there.
        await rmdir(dirname(folder)).catch(() => {});
      } finally {
        await own.release();
      }
    },
    release: () => own.release(),
  };
}

/** Keys of the shelves in a work place; none where there is no such place. */
export async function shelfKeys(workPlace: string): Promise<string[]> {
  const names = await namesIn(workPlace);
  return names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
}

/** What is in a place; nothing where there is no such place. */
async function namesIn(place: string): Promise<string[]> {
  try {
    return await storeFor(place).list(place);
  } catch (error) {
    if (error instanceof StoreError && [404, 'ENOENT'].includes(error.facts.status ?? '')) return [];
    throw error;
  }
}

/** In a bucket nobody is kept out: whoever is at the same run makes the same blocks. */
function bucketShelf(prefix: string): BlockShelf {
  const store = storeFor(prefix);
  const entries = async (suffix: string) => (await namesIn(prefix)).filter((name) => name.endsWith(suffix));
  const empty = async () => {
    const all = [...(await entries(SUFFIX)), ...(await entries(LINE_SUFFIX))];
    await mapFew(all, AT_ONCE, (name) => removeObject(prefix + name));
  };
  return {
    place: prefix,
    names: async () => (await entries(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length)),
    async read(name, planeBytes) {
      try {
        return splitBlock(await store.read(prefix + name + SUFFIX), planeBytes);
      } catch (error) {
        if (error instanceof StoreError && error.facts.status === 404) return null;
        throw error;
      }
    },
    async put(name, planes, line) {
      await store.write(prefix + name + LINE_SUFFIX, new TextEncoder().encode(line));
      await store.write(prefix + name + SUFFIX, joinBytes(partsOfBlock(planes)));
    },
    async lines() {
      const texts = await mapFew(await entries(LINE_SUFFIX), AT_ONCE, async (name) =>
        new TextDecoder().decode(await store.read(prefix + name)),
      );
      return texts.map((text) => `${text}\n`).join('');
    },
    empty,
    remove: empty,
    release: async () => {},
  };
}
