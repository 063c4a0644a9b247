// The result store of a folder.
import { access, constants, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { FormatError, InputError, StoreError } from '../../errors.js';
import { type ChipGrid, checkChipGrid } from '../../geo/chip-grid.js';
import { parseCrs, sameCrs } from '../../geo/crs.js';
import { type LmdbFile, openLmdb } from './lmdb-file.js';
import { LmdbResults } from './lmdb-results.js';
import { STORE_KEY } from './result-keys.js';
import type { ResultStore } from './result-store.js';

const FORMAT = 'stackwise results';
const VERSION = 1;
const FILE = 'results.mdb';

export interface OpenResultsOptions {
  /** The grid of a new store; one that exists must have this grid if it is given. */
  grid?: ChipGrid;
  /** Whether nothing will be written; then the store must exist. */
  readOnly?: boolean;
}

/** What a store says of itself. */
interface StoreHead {
  format: string;
  version: number;
  grid: ChipGrid;
}

function readHead(bytes: Uint8Array | undefined, folder: string): StoreHead | null {
  if (!bytes) return null;
  let head: Partial<StoreHead> = {};
  try {
    head = JSON.parse(new TextDecoder().decode(bytes)) as Partial<StoreHead>;
  } catch {
    // Not ours: said below.
  }
  if (head?.format !== FORMAT || !head.grid) throw new FormatError(`${folder} holds no result store`);
  if (head.version !== VERSION) {
    throw new FormatError(`the result store ${folder} is of version ${head.version}, and ${VERSION} is read here`);
  }
  return { format: FORMAT, version: VERSION, grid: knownGrid(head.grid, folder) };
}

function knownGrid(grid: ChipGrid, folder: string): ChipGrid {
  try {
    parseCrs(checkChipGrid(grid).crs);
    return grid;
  } catch (cause) {
    throw new FormatError(`the result store ${folder} is damaged: ${(cause as Error).message}`, {}, { cause });
  }
}

const NUMBERS = ['originX', 'originY', 'pixelSize', 'chipPx', 'tileChips'] as const;

function sameGrid(a: ChipGrid, b: ChipGrid): boolean {
  return NUMBERS.every((key) => a[key] === b[key]) && (a.crs === b.crs || sameCrs(parseCrs(a.crs), parseCrs(b.crs)));
}

/** For messages: grids of one name may differ in the rest. */
function describeGrid({ name, crs, pixelSize, originX, originY }: ChipGrid): string {
  return `${name} (pixels of ${pixelSize} from ${originX}, ${originY} in ${crs.length > 60 ? `${crs.slice(0, 60)}…` : crs})`;
}

/** The grid of the store, which is `grid` if it is new. */
function settleGrid(file: LmdbFile, folder: string, { grid, readOnly }: OpenResultsOptions): ChipGrid {
  const known = readHead(file.get(STORE_KEY), folder);
  if (!known && (readOnly || !grid)) {
    throw new InputError(`${folder} holds no results yet: say which grid they are on`, { option: 'grid' });
  }
  // In a transaction, because another process may be the first.
  const head =
    known ??
    file.write((put) => {
      const first = readHead(file.get(STORE_KEY), folder);
      const own: StoreHead = { format: FORMAT, version: VERSION, grid: checkChipGrid(grid!) };
      if (!first) put(STORE_KEY, new TextEncoder().encode(JSON.stringify(own)));
      return first ?? own;
    });
  if (!grid || sameGrid(grid, head.grid)) return head.grid;
  throw new InputError(
    `the result store ${folder} is on the grid ${describeGrid(head.grid)}, not on ${describeGrid(grid)}`,
    {
      option: 'grid',
    },
  );
}

/** Whether a folder has a store in it, whatever its state. */
export async function hasResults(folder: string): Promise<boolean> {
  return access(path.join(folder, FILE)).then(
    () => true,
    () => false,
  );
}

/** Removes the store of a folder, and nothing else that lies there. */
export async function removeResults(folder: string): Promise<void> {
  for (const name of [FILE, `${FILE}-lock`]) await rm(path.join(folder, name), { force: true });
}

/**
 * Opens the results in a folder on the local disk, which is made when it is not there. Several processes may read and write one
 * store: they wait for each other's transactions. The disk must be a local one.
 * @throws InputError when a grid is missing or another one; FormatError for a file that is damaged, no store, or of another version;
 * StoreError when the folder cannot be read or written.
 */
export async function openResults(folder: string, options: OpenResultsOptions = {}): Promise<ResultStore> {
  const { readOnly = false } = options;
  try {
    if (!readOnly) await mkdir(folder, { recursive: true });
    await access(folder, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = readOnly ? 'read' : 'written';
    throw new StoreError(
      `the result store ${folder} cannot be ${what} (${code})`,
      { url: folder, status: code! },
      { cause },
    );
  }
  if (readOnly && !(await hasResults(folder))) throw new InputError(`${folder} holds no results`, { option: 'store' });
  const file = await openLmdb(path.join(folder, FILE), { readOnly });
  try {
    return new LmdbResults(file, settleGrid(file, folder, options));
  } catch (error) {
    await file.close();
    throw error;
  }
}
