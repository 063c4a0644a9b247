import { UnreadableScenes } from '../errors.js';
import { addTo, countedSince, type StoreMeter } from '../io/meter.js';
import { type NumericArray, type Planes, SAMPLE_BYTES } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import { diskMeter, networkMeter } from '../io/stores.js';
import { samplesOf } from '../stats/composite.js';
import type { Block, CompositeSpec, PhaseMs } from '../stats/spec.js';
import type { CompositeOptions } from './composite-options.js';
import { compositeRunner, type RunBlock } from './composite-runner.js';
import type { Plan } from './plan.js';
import { runBlocks } from './pool.js';
import { type Prepared, prepareComposite } from './prepare.js';
import { type SourceStates, sourceStates, statesMet } from './source-states.js';

/** What became of the scenes. */
export interface SceneReport {
  used: number;
  /** Scenes left out by the selection or, with `onError: 'skip'`, because they could not be read, with the reason. */
  dropped: { id: string; reason: string }[];
}

/** A composite in memory: one raster a statistic. */
export interface Composite {
  results: Record<string, Planes>;
  scenes: SceneReport;
  plan: Plan;
  /** Requests, bytes and repeated requests of this run. */
  network: StoreMeter;
}

/** Takes finished blocks; made anew when a run has to begin again without an unreadable scene. */
export interface BlockSink<Result> {
  /** Takes up what an earlier run of the same spec finished, and gives the blocks that are left to do. */
  restore?(blocks: readonly Block[], states: SourceStates): Promise<readonly Block[]>;
  write(result: RunBlock, block: Block): Promise<void>;
  finish(): Promise<Result>;
  abort(reason: unknown): Promise<void>;
}

/** What a run came to. */
export interface RunOutcome<Result> {
  prepared: Prepared;
  result: Result;
  dropped: SceneReport['dropped'];
  network: StoreMeter;
  /** Read from the disk. */
  diskBytes: number;
  /** Blocks that an earlier run had finished. */
  restoredBlocks: number;
  /** Of all threads together. */
  ms: PhaseMs;
}

/**
 * Composites scenes into memory.
 * @throws InputError, FormatError, StoreError… as the reading, the options or the memory limit demand; the reason of `signal`.
 */
export async function composite(scenes: readonly Scene[], options: CompositeOptions): Promise<Composite> {
  const run = await runWithout(scenes, options, async ({ spec }) => memorySink(spec));
  const { prepared, result, dropped, network } = run;
  return { results: result, scenes: { used: prepared.sceneCount, dropped }, plan: prepared.plan, network };
}

function memorySink(spec: CompositeSpec): BlockSink<Record<string, Planes>> {
  const { width, height } = spec.grid;
  const results = spec.outputs.map(({ bands, dtype, nodata }) => ({
    grid: spec.grid,
    names: bands,
    data: bands.map(() => samplesOf(dtype, new Uint8Array(width * height * SAMPLE_BYTES[dtype]))),
    nodata,
  }));
  return {
    async write({ planes }, window) {
      for (const [i, { dtype }] of spec.outputs.entries()) {
        for (const [band, bytes] of planes[i]!.entries()) {
          copyWindow(results[i]!.data[band]!, width, samplesOf(dtype, bytes), window);
        }
      }
    },
    finish: async () => Object.fromEntries(spec.outputs.map(({ statistic }, i) => [statistic.key, results[i]!])),
    abort: async () => {},
  };
}

function copyWindow(
  target: NumericArray,
  targetWidth: number,
  source: NumericArray,
  { col, row, width, height }: { col: number; row: number; width: number; height: number },
): void {
  for (let y = 0; y < height; y++) {
    target.set(source.subarray(y * width, (y + 1) * width), (row + y) * targetWidth + col);
  }
}

interface SkipOptions {
  onError?: 'fail' | 'skip' | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/**
 * Does `work` with all scenes. With `onError: 'skip'`, scenes that turn out to be unreadable are dropped, and the work begins again without
 * them: a result never depends on which part of it met the scene first.
 */
export async function withoutUnreadable<Result>(
  scenes: readonly Scene[],
  { onError, onWarning }: SkipOptions,
  work: (readable: readonly Scene[]) => Promise<Result>,
): Promise<{ result: Result; dropped: SceneReport['dropped'] }> {
  const dropped: SceneReport['dropped'] = [];
  for (;;) {
    const ids = new Set(dropped.map((d) => d.id));
    try {
      return { result: await work(scenes.filter((scene) => !ids.has(scene.id))), dropped };
    } catch (error) {
      if (onError !== 'skip' || !(error instanceof UnreadableScenes)) throw error;
      const items = (error.facts.items ?? []).filter((id) => !ids.has(id));
      if (items.length === 0 || scenes.every(({ id }) => ids.has(id) || items.includes(id))) throw error;
      for (const id of items) dropped.push({ id, reason: error.message });
      onWarning?.(`dropped ${items.join(', ')}: ${error.message}; starting again without`);
    }
  }
}

/** Prepares and runs a composite into the sink that `open` makes, without unreadable scenes where they may be skipped. */
export async function runWithout<Result>(
  scenes: readonly Scene[],
  options: CompositeOptions,
  open: (prepared: Prepared) => Promise<BlockSink<Result>>,
): Promise<RunOutcome<Result>> {
  const counted = countedSince(networkMeter);
  const countedDisk = countedSince(diskMeter);
  const elsewhere: StoreMeter = { requests: 0, bytes: 0, retries: 0 };
  const run = await withoutUnreadable(scenes, options, async (readable) => {
    const prepared = await prepareComposite(readable, options);
    return { prepared, ...(await runInto(prepared, { options, sink: await open(prepared), elsewhere })) };
  });
  addTo(elsewhere, counted());
  const { prepared, ...outcome } = run.result;
  const dropped = [...prepared.dropped, ...run.dropped];
  const diskBytes = outcome.diskBytes + countedDisk().bytes;
  return { prepared, ...outcome, dropped, network: elsewhere, diskBytes };
}

/** Runs the blocks of a plan into a sink; what threads count of the network is added to `elsewhere`. */
async function runInto<Result>(
  { spec, plan }: Prepared,
  { options, sink, elsewhere }: { options: CompositeOptions; sink: BlockSink<Result>; elsewhere: StoreMeter },
): Promise<Pick<RunOutcome<Result>, 'result' | 'restoredBlocks' | 'ms' | 'diskBytes'>> {
  const { onProgress, signal } = options;
  const total = spec.grid.width * spec.grid.height;
  const states = sourceStates();
  const ms: PhaseMs = { read: 0, warp: 0, compute: 0 };
  let diskBytes = 0;
  try {
    states.check(statesMet(spec));
    const left = (await sink.restore?.(plan.blocks, states)) ?? plan.blocks;
    let done = total - left.reduce((sum, { width, height }) => sum + width * height, 0);
    onProgress?.(done, total);
    await runBlocks(compositeRunner, spec, left, {
      threads: plan.threads,
      describe: (block) => `block ${block.index} at (${block.col}, ${block.row})`,
      onResult: async (result, block) => {
        states.check(result.sources);
        if (result.network) addTo(elsewhere, result.network);
        diskBytes += result.diskBytes;
        for (const phase of ['read', 'warp', 'compute'] as const) ms[phase] += result.ms[phase];
        await sink.write(result, block);
        done += block.width * block.height;
        onProgress?.(done, total);
      },
      ...(signal && { signal }),
    });
    return { result: await sink.finish(), restoredBlocks: plan.blocks.length - left.length, ms, diskBytes };
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
}
