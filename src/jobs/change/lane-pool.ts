// Threads that outlast a run: blocks come one at a time, from whoever has some.
import { WorkerError } from '../../errors.js';
import { type BlockRunner, type Lane, threadLane } from '../pool.js';

export interface LanePool<Block, Result> {
  /** Runs a block as soon as a thread is free, in the order of the calls; `signal` takes back one that still waits. */
  run(block: Block, signal?: AbortSignal): Promise<Result>;
  /** Ends all threads at once; what they hold, and what waits, is rejected. */
  close(): Promise<void>;
}

interface Waiting<Block, Result> {
  block: Block;
  signal: AbortSignal | undefined;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/** Threads are started when they are needed, and one that dies is replaced: it fails its block only. */
export function lanePool<Spec, Block, Result>(
  runner: BlockRunner<Spec, Block, Result>,
  spec: Spec,
  { threads, describe }: { threads: number; describe: (block: Block) => string },
): LanePool<Block, Result> {
  const lanes = new Set<Lane<Block, Result>>();
  const idle: Lane<Block, Result>[] = [];
  let waiting: Waiting<Block, Result>[] = [];
  let closed = false;

  const freeLane = () => {
    if (idle.length > 0 || lanes.size >= threads) return idle.pop();
    const lane = threadLane(runner, spec, describe);
    lanes.add(lane);
    return lane;
  };
  const drive = async (lane: Lane<Block, Result>, { block, resolve, reject }: Waiting<Block, Result>) => {
    try {
      resolve(await lane.run(block));
      idle.push(lane);
    } catch (error) {
      reject(error);
      if (error instanceof WorkerError) {
        lanes.delete(lane);
        await lane.stop().catch(() => {});
      } else idle.push(lane);
    }
    next();
  };
  const next = () => {
    while (!closed && waiting.length > 0) {
      if (waiting[0]!.signal?.aborted) {
        const { signal, reject } = waiting.shift()!;
        reject(signal!.reason);
        continue;
      }
      const lane = freeLane();
      if (!lane) return;
      void drive(lane, waiting.shift()!);
    }
  };
  return {
    run: (block, signal) =>
      new Promise<Result>((resolve, reject) => {
        if (closed) return reject(new WorkerError('the threads have ended'));
        waiting.push({ block, signal, resolve, reject });
        next();
      }),
    async close() {
      closed = true;
      for (const { reject } of waiting) reject(new WorkerError('the threads have ended'));
      waiting = [];
      await Promise.allSettled([...lanes].map((lane) => lane.stop()));
    },
  };
}
