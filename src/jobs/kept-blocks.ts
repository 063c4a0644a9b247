import { sha256 } from '#platform';
import { InputError, StoreError, WorkerError } from '../errors.js';
import { mapFew } from '../io/map-few.js';
import { SAMPLE_BYTES } from '../io/raster.js';
import type { Block, CompositeSpec, SourceState } from '../stats/spec.js';
import { version } from '../version.js';
import { type BlockShelf, blockShelf } from './block-shelf.js';
import type { RunBlock } from './composite-runner.js';
import type { BlockSink } from './run.js';
import { hrefsOf, type SourceStates, stateNow } from './source-states.js';

/** Finished blocks of one run on the disk or in a bucket, so that the same command goes on where a killed one stopped. */
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

/** Files that are asked for at a time. */
const AT_ONCE = 16;
/** Of a block that was read back. */
const NOTHING = { ms: { read: 0, warp: 0, compute: 0 }, sources: [], network: null, diskBytes: 0 };
const nameOf = ({ col, row, width, height }: Block) => `${col}-${row}-${width}x${height}`;

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

/** Whether the same command may do better: it was stopped, a store or a thread failed. A full disk wants the space back. */
function mayGoOn(reason: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted || reason instanceof WorkerError) return true;
  return reason instanceof StoreError && reason.facts.status !== 'ENOSPC' && reason.facts.status !== 'CHANGED';
}

export interface KeptBlocksOptions {
  /** Whether the work folder belongs to one folder of results, and to no other. */
  isOwn: boolean;
  /** Address of what is made: all that earlier runs kept for it is known by this. */
  result?: string | undefined;
  onWarning?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The bytes of each plane of a block, output after output. */
const planeBytes = ({ outputs }: CompositeSpec, { width, height }: Block) =>
  outputs.map(({ bands, dtype }) => bands.map(() => width * height * SAMPLE_BYTES[dtype]));

/** The kept blocks of one run on their shelf. */
class ShelvedBlocks implements KeptBlocks {
  readonly count: number;
  readonly #shelf: BlockShelf;
  readonly #spec: CompositeSpec;
  readonly #options: KeptBlocksOptions;
  #isKeeping = true;
  #kept: number;
  #total = 0;

  constructor(shelf: BlockShelf, count: number, spec: CompositeSpec, options: KeptBlocksOptions) {
    this.#shelf = shelf;
    this.#spec = spec;
    this.#options = options;
    this.count = count;
    this.#kept = count;
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

  done(): Promise<void> {
    return this.#shelf.remove(this.#options.isOwn);
  }

  release(): Promise<void> {
    return this.#shelf.release();
  }

  async leave(reason: unknown): Promise<void> {
    const { onWarning, signal } = this.#options;
    if (this.#kept === 0 || !this.#isKeeping || !mayGoOn(reason, signal)) return this.#shelf.remove(false);
    await this.release();
    onWarning?.(
      `${this.#kept} of ${this.#total} blocks are kept in ${this.#shelf.place}: the same command goes on from there`,
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
    const { read, changed } = await unchangedSources(this.#shelf, this.#spec);
    if (changed !== null) {
      this.#kept = 0;
      await this.#shelf.empty();
      onWarning?.(`${changed} has changed since blocks of it were finished: all are computed again`);
      return blocks;
    }
    states.check(read);
    const left: Block[] = [];
    for (const block of blocks) {
      signal?.throwIfAborted();
      const planes = await this.#shelf.read(nameOf(block), planeBytes(this.#spec, block));
      if (planes) await sink.write({ index: block.index, planes, ...NOTHING }, block);
      else left.push(block);
    }
    this.#kept = blocks.length - left.length;
    onWarning?.(`${this.#kept} of ${blocks.length} blocks were finished before: going on from there`);
    return left;
  }

  async #keep({ planes, sources }: RunBlock, block: Block): Promise<void> {
    try {
      const line = JSON.stringify(sources.map(([href, state]) => [digestOf(href), state]));
      await this.#shelf.put(nameOf(block), planes, line);
      this.#kept++;
    } catch (error) {
      // Keeping is a help, not a result: the run does without, and gives the space back.
      this.#isKeeping = false;
      await this.#shelf.remove(false);
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      this.#options.onWarning?.(`finished blocks are not kept any more: cannot write to ${this.#shelf.place} (${why})`);
    }
  }
}

/**
 * Opens what is kept of a run in a folder or below `s3://bucket/prefix`; each run, known by all that defines its pixels, has a place of
 * its own there.
 * @throws InputError when a living process is at the same run; StoreError where the place cannot be made
 */
export async function keptBlocks(
  workPlace: string,
  spec: CompositeSpec,
  options: KeptBlocksOptions,
): Promise<KeptBlocks> {
  const { result } = options;
  const shelf = await blockShelf(workPlace, (result === undefined ? '' : stemOf(result)) + keyOf(spec));
  return new ShelvedBlocks(shelf, (await shelf.names()).length, spec, options);
}

const stemOf = (result: string) => `${digestOf(result)}-`;

/**
 * Takes away what earlier runs kept for a result that is whole: they were killed before they could, or were made of other inputs.
 * @param keys of the shelves that are in the place, see `shelfKeys`; what a living process has stays
 */
export async function forgetBlocks(workPlace: string, keys: readonly string[], result: string): Promise<void> {
  for (const key of keys.filter((one) => one.startsWith(stemOf(result)))) {
    const shelf = await blockShelf(workPlace, key).catch((error) => {
      if (error instanceof InputError) return null;
      throw error;
    });
    await shelf?.remove(false);
  }
}

/** The states by digest that are noted in lines; null where one is damaged: a power cut, or a kill in the midst of writing it. */
function statesIn(text: string): Map<string, string | null> | null {
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
  shelf: BlockShelf,
  spec: CompositeSpec,
): Promise<{ read: SourceState[]; changed: string | null }> {
  const before = statesIn(await shelf.lines());
  if (!before) return { read: [], changed: `what is noted in ${shelf.place}` };
  const noted = [...hrefsOf(spec)].filter((href) => before.has(digestOf(href)));
  const read = await mapFew(noted, AT_ONCE, async (href): Promise<SourceState> => [href, await stateNow(href)]);
  const changed = read.find(([href, now]) => now === null || now !== before.get(digestOf(href)));
  return { read, changed: changed ? changed[0] : null };
}
