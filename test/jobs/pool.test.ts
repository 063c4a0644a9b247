import { describe, expect, it } from 'vitest';
import { WorkerError } from '../../build/errors.js';
import { type BlockRunner, runBlocks } from '../../build/jobs/pool.js';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function runner(run: (block: number) => Promise<number>) {
  const log = { closed: 0 };
  const made: BlockRunner<null, number, number> = {
    name: 'nobody knows',
    start: () => ({
      run: async (block) => ({ result: await run(block), transfer: [] }),
      close: async () => void log.closed++,
    }),
  };
  return { made, log };
}

const options = { threads: 0, describe: (block: number) => `block ${block}`, onResult: async () => {} };

describe('the pool in the calling thread', () => {
  it('hands out all results in order, and closes', async () => {
    const { made, log } = runner(async (block) => block * 10);
    const got: number[][] = [];
    const onResult = async (result: number, block: number) => void got.push([block, result]);
    await runBlocks(made, null, [3, 1, 2], { ...options, onResult });
    expect(got).toEqual([
      [3, 30],
      [1, 10],
      [2, 20],
    ]);
    expect(log.closed).toBe(1);
  });

  it('stops at the first failure of a block, and closes', async () => {
    const seen: number[] = [];
    const { made, log } = runner(async (block) => {
      seen.push(block);
      if (block === 2) throw new Error('boom');
      return block;
    });
    await expect(runBlocks(made, null, [1, 2, 3, 4], options)).rejects.toThrow('boom');
    expect(seen).toEqual([1, 2]);
    expect(log.closed).toBe(1);
  });

  it('throws what the taker of results throws', async () => {
    const { made, log } = runner(async (block) => block);
    const onResult = async () => {
      throw new Error('the disk is full');
    };
    await expect(runBlocks(made, null, [1, 2, 3], { ...options, onResult })).rejects.toThrow('the disk is full');
    expect(log.closed).toBe(1);
  });

  it('tells a runner that looks ahead which block comes next, as long as there is one more', async () => {
    const told: [number, number | undefined][] = [];
    const made: BlockRunner<null, number, number> = {
      name: 'nobody knows',
      looksAhead: true,
      start: () => ({
        run: async (block, { next }) => {
          told.push([block, next]);
          return { result: block, transfer: [] };
        },
        close: async () => {},
      }),
    };
    await runBlocks(made, null, [1, 2, 3, 4], options);
    expect(told).toEqual([
      [1, 2],
      [2, 3],
      [3, undefined],
      [4, undefined],
    ]);
    told.length = 0;
    await runBlocks({ ...made, looksAhead: false }, null, [1, 2, 3], options);
    expect(told.map(([, next]) => next)).toEqual([undefined, undefined, undefined]);
  });

  it('begins a block before it hands out the result of the last one', async () => {
    const log: string[] = [];
    const { made } = runner(async (block) => {
      log.push(`run ${block}`);
      return block;
    });
    const onResult = async (_: number, block: number) => void log.push(`take ${block}`);
    await runBlocks(made, null, [1, 2, 3], { ...options, onResult });
    expect(log).toEqual(['run 1', 'run 2', 'take 1', 'run 3', 'take 2', 'take 3']);
  });

  it('leaves no failure behind when the taker fails before a block does', async () => {
    const { made } = runner(async (block) => {
      if (block === 2) {
        await sleep(10);
        throw new Error('boom');
      }
      return block;
    });
    const onResult = async () => {
      throw new Error('the disk is full');
    };
    await expect(runBlocks(made, null, [1, 2, 3], { ...options, onResult })).rejects.toThrow('the disk is full');
    // A rejection that nobody waits for would end the process.
    await sleep(20);
  });

  it('computes at most one block ahead of a slow taker', async () => {
    let computed = 0;
    let taken = 0;
    let ahead = 0;
    const { made } = runner(async () => ++computed);
    const onResult = async () => {
      await sleep(5);
      taken++;
    };
    const watched = runner(async (block) => {
      ahead = Math.max(ahead, computed - taken);
      return (await made.start(null, { alone: false }).run(block, {})).result;
    });
    await runBlocks(watched.made, null, [1, 2, 3, 4, 5, 6], { ...options, onResult });
    expect(ahead).toBeLessThanOrEqual(2);
    expect(taken).toBe(6);
  });

  it('throws the reason of an abort at once', async () => {
    const controller = new AbortController();
    const { made, log } = runner(() => new Promise(() => {}));
    const run = runBlocks(made, null, [1], { ...options, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(log.closed).toBe(1);
    await expect(runBlocks(made, null, [1], { ...options, signal: controller.signal })).rejects.toThrow('enough');
  });

  it('has nothing to do for no blocks', async () => {
    await runBlocks(runner(async (block) => block).made, null, [], options);
  });
});

describe('the pool of threads', () => {
  // The thread does not know this runner: its handler throws, nobody catches it, and the thread dies as it would of any bug.
  it('a thread that dies fails its block in one clear error', async () => {
    const { made } = runner(async (block) => block);
    const failure = await runBlocks(made, null, [7, 8, 9], { ...options, threads: 2 }).catch((error) => error);
    expect(failure).toBeInstanceOf(WorkerError);
    expect(failure.message).toMatch(/^a worker died (at|before) block [78]: /);
    expect(failure.message).not.toContain('\n');
  });
});
