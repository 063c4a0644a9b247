import { spawnWorker } from '#platform';
import type { PackedError } from '../errors.js';
import { packError, unpackError, WorkerError } from '../errors.js';
import type { WorkerPort } from '../platform.js';

/** What a job hands a thread once, then block by block; results carry the buffers to be transferred. */
export interface BlockRunner<Spec, Block, Result> {
  /** Name under which `worker.ts` finds the runner. */
  name: string;
  /** Wants to know a thread's next block while it works on one. */
  looksAhead?: boolean;
  start(
    spec: Spec,
    place: Place,
  ): {
    run(block: Block, options: BlockOptions<Block>): Promise<{ result: Result; transfer: ArrayBuffer[] }>;
    close(): Promise<void>;
  };
}

interface BlockOptions<Block> {
  signal?: AbortSignal;
  /** The block that comes after this one, where that is known. */
  next?: Block;
}

/** Where a runner works: `alone` when nobody else computes in its thread. */
export interface Place {
  alone: boolean;
}

/** Main → thread. */
export type ToWorker =
  | { type: 'start'; runner: string; spec: unknown }
  | { type: 'block'; id: number; block: unknown; next?: unknown };

/** Thread → main. */
export type FromWorker =
  | { type: 'done'; id: number; result: unknown }
  | { type: 'failed'; id: number; error: PackedError };

/** Something that computes one block at a time. */
export interface Lane<Block, Result> {
  /** `next`: the block that this lane will be given after it. */
  run(block: Block, next?: Block): Promise<Result>;
  stop(): Promise<void>;
}

function inlineLane<Spec, Block, Result>(
  runner: BlockRunner<Spec, Block, Result>,
  spec: Spec,
  signal: AbortSignal | undefined,
): Lane<Block, Result> {
  const session = runner.start(spec, { alone: false });
  return {
    run: async (block, next) => (await session.run(block, { ...(signal && { signal }), ...(next && { next }) })).result,
    stop: () => session.close(),
  };
}

/** A thread that runs blocks; a `WorkerError` from it means that it is dead. */
export function threadLane<Spec, Block, Result>(
  runner: BlockRunner<Spec, Block, Result>,
  spec: Spec,
  describe: (block: Block) => string,
): Lane<Block, Result> {
  const port: WorkerPort = spawnWorker();
  let pending: { block: Block; resolve: (result: Result) => void; reject: (error: Error) => void } | null = null;
  let dead: Error | null = null;
  let lastId = 0;
  port.listen({
    message(data) {
      const message = data as FromWorker;
      const job = pending;
      pending = null;
      if (message.type === 'done') job?.resolve(message.result as Result);
      else job?.reject(unpackError(message.error));
    },
    failed(cause) {
      dead ??= cause;
      const job = pending;
      pending = null;
      job?.reject(new WorkerError(`a worker died at ${describe(job.block)}: ${cause.message}`, {}, { cause }));
    },
  });
  const post = (message: ToWorker) => port.post(message);
  post({ type: 'start', runner: runner.name, spec });
  return {
    run: (block, next) =>
      new Promise((resolve, reject) => {
        if (dead) {
          reject(new WorkerError(`a worker died before ${describe(block)}: ${dead.message}`, {}, { cause: dead }));
          return;
        }
        pending = { block, resolve, reject };
        post({ type: 'block', id: ++lastId, block, ...(next && { next }) });
      }),
    stop: async () => {
      dead ??= new Error('stopped');
      await port.stop();
    },
  };
}

export interface PoolOptions<Block, Result> {
  /** 0 computes in the calling thread. */
  threads: number;
  /** Takes each finished block; blocks finish in any order. Waited for before its lane begins the block after the next. */
  onResult: (result: Result, block: Block) => Promise<void>;
  /** Names a block in an error: "block 3 at (512, 0)". */
  describe: (block: Block) => string;
  signal?: AbortSignal;
}

/**
 * Runs all blocks, each by one thread, and hands out results. The first failure (of a block, of a thread, of `onResult`) stops
 * everything and is thrown; an abort of `signal` throws its reason. No thread is left behind in any case.
 */
export async function runBlocks<Spec, Block, Result>(
  runner: BlockRunner<Spec, Block, Result>,
  spec: Spec,
  blocks: readonly Block[],
  options: PoolOptions<Block, Result>,
): Promise<void> {
  const { threads, onResult, describe, signal } = options;
  signal?.throwIfAborted();
  const count = Math.max(1, Math.min(threads, blocks.length));
  const stopper = new AbortController();
  const abort = () => stopper.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  // One list of what waits, and no race against one long-lived promise: that would keep every result it ever raced with.
  const waiting = new Set<(reason: unknown) => void>();
  stopper.signal.addEventListener(
    'abort',
    () => {
      for (const reject of waiting) reject(stopper.signal.reason);
    },
    { once: true },
  );
  const unlessStopped = (work: Promise<Result>) =>
    new Promise<Result>((resolve, reject) => {
      if (stopper.signal.aborted) reject(stopper.signal.reason);
      waiting.add(reject);
      work.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  const lanes = Array.from({ length: count }, () =>
    threads === 0 ? inlineLane(runner, spec, stopper.signal) : threadLane(runner, spec, describe),
  );
  let next = 0;
  // A lane may have its next block to itself as long as there is one for each lane besides: none waits for another at the end.
  const reserved = () => (runner.looksAhead && blocks.length - next > count ? blocks[next++] : undefined);
  const begin = (lane: Lane<Block, Result>, own: Block | undefined) => {
    if (own === undefined && next >= blocks.length) return null;
    const block = own ?? blocks[next++]!;
    const coming = reserved();
    const result = unlessStopped(lane.run(block, coming));
    result.catch(() => {}); // Seen when it is waited for, if nothing else fails before.
    return { block, coming, result };
  };
  const drive = async (lane: Lane<Block, Result>) => {
    let writing: Promise<void> = Promise.resolve();
    for (let running = begin(lane, undefined); running; ) {
      const { block, coming, result } = { ...running, result: await running.result };
      await writing;
      // First the next block, so that the thread does not wait while this thread takes the result.
      running = begin(lane, coming);
      writing = onResult(result, block);
      writing.catch((error) => stopper.abort(error)); // Seen at the next await; stops the other lanes at once.
    }
    await writing;
  };
  try {
    await Promise.all(lanes.map(drive));
  } catch (error) {
    stopper.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.allSettled(lanes.map((lane) => lane.stop()));
  }
}

/** The thread's side: answers messages with the runner that `find` knows by name. */
export function serveBlocks(
  find: (name: string) => BlockRunner<unknown, unknown, unknown>,
  reply: (message: FromWorker, transfer: ArrayBuffer[]) => void,
): (message: ToWorker) => Promise<void> {
  let session: ReturnType<BlockRunner<unknown, unknown, unknown>['start']> | null = null;
  return async (message) => {
    if (message.type === 'start') {
      session = find(message.runner).start(message.spec, { alone: true });
    } else {
      try {
        if (!session) throw new WorkerError('a block came before the start message');
        const { result, transfer } = await session.run(
          message.block,
          message.next === undefined ? {} : { next: message.next },
        );
        reply({ type: 'done', id: message.id, result }, transfer);
      } catch (error) {
        reply({ type: 'failed', id: message.id, error: packError(error) }, []);
      }
    }
  };
}
