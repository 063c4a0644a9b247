import { appendFile, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '#platform';
import { StackwiseError, StoreError, WorkerError } from '../errors.js';
import { SAMPLE_BYTES } from '../io/raster.js';
import type { Block, CompositeSpec, SourceState } from '../stats/spec.js';
import { version } from '../version.js';
import { readBlockFile, writeBlockFile } from './block-file.js';
import { type Claim, claim } from './claim.js';
import type { RunBlock } from './composite-runner.js';
import { makeFolder } from './output-folder.js';
import type { BlockSink } from './run.js';
import { hrefsOf, type SourceStates, stateOf } from './source-states.js';

/** Finished blocks of one run on the local disk, so that the same command goes on where a killed one stopped. */
export interface KeptBlocks {
  /** Blocks that an earlier run left here. */
  readonly count: number;
  /** A sink that keeps every block it takes, and begins with those that an earlier run kept. */
  around<Result>(sink: BlockSink<Result>): BlockSink<Result>;
  /** Others may take the blocks up; they stay. */
  release(): Promise<void>;
  /** The run failed: what may help the next one stays, and that is said. */
  leave(reason: unknown): Promise<void>;
  /** The results are whole: nothing stays, nor what runs with other options left in a folder that is of these results alone. */
  done(): Promise<void>;
}

/** Of a block that was read back. */
const NO_TIME = { read: 0, warp: 0, compute: 0 };
const SUFFIX = '.block';
const OWNER = 'owner.json';
/** A line for each block: JSON of `[digest of the address, state][]`, on the disk before the block is. */
const SOURCES = 'sources.jsonl';
const nameOf = ({ col, row, width, height }: Block) => `${col}-${row}-${width}x${height}${SUFFIX}`;

/** Equal for runs that give the same pixels, however they are cut into blocks. */
function keyOf(spec: CompositeSpec): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(JSON.stringify([version, spec])));
  return hash.hex().slice(0, 16);
}

/** Addresses may hold what is secret: files are known by a digest of them. */
function digestOf(href: string): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(href));
  return hash.hex().slice(0, 16);
}

/** Removes a folder, and the one around it when nothing else is in there. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rmdir(dirname(folder)).catch(() => {});
}

/** Whether the same command may do better: it was stopped, a store or a thread failed. A full disk wants the space back. */
function mayGoOn(reason: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted || reason instanceof WorkerError) return true;
  return reason instanceof StoreError && reason.facts.status !== 'ENOSPC' && reason.facts.status !== 'CHANGED';
}

export interface KeptBlocksOptions {
  /** Whether the work folder belongs to one folder of results, and to no other. */
  isOwn: boolean;
  onWarning?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The bytes of each plane of a block, output after output. */
const planeBytes = ({ outputs }: CompositeSpec, { width, height }: Block) =>
  outputs.map(({ bands, dtype }) => bands.map(() => width * height * SAMPLE_BYTES[dtype]));

/** The kept blocks of one run in their folder. */
class BlockFolder implements KeptBlocks {
  readonly count: number;
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #spec: CompositeSpec;
  readonly #options: KeptBlocksOptions;
  readonly #claim: Claim;
  #isKeeping = true;
  #kept: number;
  #total = 0;

  constructor(
    folder: string,
    work: { names: readonly string[]; spec: CompositeSpec; options: KeptBlocksOptions; claim: Claim },
  ) {
    this.#folder = folder;
    this.#names = work.names;
    this.#spec = work.spec;
    this.#options = work.options;
    this.#claim = work.claim;
    this.count = work.names.length;
    this.#kept = this.count;
  }

  around<Result>(sink: BlockSink<Result>): BlockSink<Result> {
    return {
      finish: () => sink.finish(),
      restore: (blocks, states) => this.#restore(sink, blocks, states),
      write: async (result, block) => {
        if (this.#isKeeping) await this.#keep(result, block);
        await sink.write(result, block);
      },
      abort: async (reason) => {
        await sink.abort(reason);
        await this.leave(reason);
      },
    };
  }

  async done(): Promise<void> {
    await (this.#options.isOwn ? rm(dirname(this.#folder), { recursive: true, force: true }) : this.#clear());
    await this.release();
  }

  release(): Promise<void> {
    return this.#claim.release();
  }

  async #clear(): Promise<void> {
    await removeFolder(this.#folder);
    await this.release();
  }

  async leave(reason: unknown): Promise<void> {
    const { onWarning, signal } = this.#options;
    if (this.#kept === 0 || !this.#isKeeping || !mayGoOn(reason, signal)) return this.#clear();
    await this.release();
    onWarning?.(
      `${this.#kept} of ${this.#total} blocks are kept in ${this.#folder}: the same command goes on from there`,
    );
  }

  async #restore<Result>(
    sink: BlockSink<Result>,
    blocks: readonly Block[],
    states: SourceStates,
  ): Promise<readonly Block[]> {
    const { onWarning, signal } = this.#options;
    this.#total = blocks.length;
    if (this.count === 0) return blocks;
    const { read, changed } = await unchangedSources(this.#folder, this.#spec);
    if (changed !== null) {
      this.#kept = 0;
      for (const name of [SOURCES, ...this.#names]) await rm(join(this.#folder, name), { force: true });
      onWarning?.(`${changed} has changed since blocks of it were finished: all are computed again`);
      return blocks;
    }
    states.check(read);
    const left: Block[] = [];
    for (const block of blocks) {
      signal?.throwIfAborted();
      const planes = await readBlockFile(join(this.#folder, nameOf(block)), planeBytes(this.#spec, block));
      if (planes) await sink.write({ index: block.index, planes, ms: NO_TIME, sources: [], network: null }, block);
      else left.push(block);
    }
    this.#kept = blocks.length - left.length;
    onWarning?.(`${this.#kept} of ${blocks.length} blocks were finished before: going on from there`);
    return left;
  }

  async #keep({ planes, sources }: RunBlock, block: Block): Promise<void> {
    try {
      const line = JSON.stringify(sources.map(([href, state]) => [digestOf(href), state]));
      await appendFile(join(this.#folder, SOURCES), `${line}\n`);
      await writeBlockFile(join(this.#folder, nameOf(block)), planes);
      this.#kept++;
    } catch (error) {
      // Keeping is a help, not a result: the run does without, and gives the space back.
      this.#isKeeping = false;
      await this.#clear();
      const { code } = error as NodeJS.ErrnoException;
      this.#options.onWarning?.(`finished blocks are not kept any more: cannot write to ${this.#folder} (${code})`);
    }
  }
}

/**
 * Opens what is kept of a run in `workFolder`; each run, known by all that defines its pixels, has a folder of its own there.
 * @throws InputError when a living process is at the same run; StoreError where the folder cannot be made
 */
export async function keptBlocks(
  workFolder: string,
  spec: CompositeSpec,
  options: KeptBlocksOptions,
): Promise<KeptBlocks> {
  const folder = join(workFolder, keyOf(spec));
  try {
    await makeFolder(folder);
    const own = await claim(join(folder, OWNER), folder);
    const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
    return new BlockFolder(folder, { names, spec, options, claim: own });
  } catch (cause) {
    if (cause instanceof StackwiseError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new StoreError(`cannot keep finished blocks in ${workFolder}: ${code}`, { url: workFolder }, { cause });
  }
}

/** The states by digest that are noted in lines; null where one is damaged: a power cut, or a kill in the midst of writing it. */
function noted(text: string): Map<string, string | null> | null {
  try {
    // What stands behind the last end of a line was not whole when its block was not there yet.
    const lines = text.split('\n').slice(0, -1);
    return new Map(lines.flatMap((line) => JSON.parse(line) as [string, string | null][]));
  } catch {
    return null;
  }
}

/** The files that kept blocks were made of, as they are now; or the one that is not as it was then. */
async function unchangedSources(
  folder: string,
  spec: CompositeSpec,
): Promise<{ read: SourceState[]; changed: string | null }> {
  const before = noted(await readFile(join(folder, SOURCES), 'utf8').catch(() => ''));
  if (!before) return { read: [], changed: join(folder, SOURCES) };
  const read: SourceState[] = [];
  for (const href of hrefsOf(spec)) {
    const then = before.get(digestOf(href));
    if (then === undefined) continue;
    const now = await stateOf(href);
    if (then === null || then !== now) return { read, changed: href };
    read.push([href, now]);
  }
  return { read, changed: null };
}
