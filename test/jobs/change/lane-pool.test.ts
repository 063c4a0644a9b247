import { describe, expect, it } from 'vitest';
import { lanePool } from '../../../build/jobs/change/lane-pool.js';
import type { BlockRunner } from '../../../build/jobs/pool.js';

/** Known to worker.js by its name only: what these blocks give is an error of the thread that has no such runner's spec. */
const runner = { name: 'changes' } as BlockRunner<unknown, unknown, unknown>;
const pool = (threads = 1) => lanePool(runner, { grid: null }, { threads, describe: (block) => `block ${block}` });

describe('threads that outlast a run', () => {
  it('fail a block, and take the next one', async () => {
    const lanes = pool();
    // No job at all: the runner fails, the thread lives.
    const tried = await Promise.allSettled([lanes.run(null), lanes.run(null), lanes.run(null)]);
    expect(tried.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const one of tried) expect((one as PromiseRejectedResult).reason.name).toBe('TypeError');
    await lanes.close();
  });

  it('are replaced when they die', async () => {
    // A thread ends over a runner that it does not know.
    const unknown = { name: 'nothing' } as BlockRunner<unknown, unknown, unknown>;
    const lanes = lanePool(unknown, null, { threads: 1, describe: (block) => `block ${block}` });
    for (const block of [1, 2]) {
      await expect(lanes.run(block)).rejects.toThrow(new RegExp(`^a worker died (at|before) block ${block}: `));
    }
    await lanes.close();
  });

  it('take back what waits, and all when they are closed', async () => {
    const lanes = pool();
    const stop = new AbortController();
    const first = lanes.run(null);
    const second = lanes.run(null, stop.signal);
    stop.abort(new Error('not wanted any more'));
    await expect(second).rejects.toThrow('not wanted any more');
    await expect(first).rejects.toThrow();
    const [third, fourth] = [lanes.run(null), lanes.run(null)];
    const both = Promise.allSettled([third, fourth]);
    await lanes.close();
    for (const one of await both) expect(one.status).toBe('rejected');
    await expect(lanes.run(null)).rejects.toThrow('the threads have ended');
  });
});
