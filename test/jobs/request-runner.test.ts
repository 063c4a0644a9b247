import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoreError } from '../../build/errors.js';
import { RequestRunner, type RunnerEvent } from '../../build/jobs/request-runner.js';
import { ALGORITHM, memoryResults, readScenes, snap } from '../../build/node.js';
import { type ChangeScenes, CORNER, changeScenes } from '../fixture/change-scenes.js';

let folder = '';
let made: ChangeScenes;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-runner-'));
  made = await changeScenes(path.join(folder, 'scenes'), 'espa', { badQa: -1 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it('lets the only chip that waits wait on while the disk is full, and writes it when there is room', async () => {
  const events: RunnerEvent[] = [];
  const runner = await RequestRunner.open({
    find: () => readScenes(made.items),
    options: { threads: 1 },
    storeWaitMs: 1,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'written' || event.type === 'failed') void runner.stop();
    },
  });
  const { grid } = runner.area();
  const store = memoryResults(grid);
  let full = 2;
  const write: typeof store.write = async (chip) => {
    if (full-- > 0) throw new StoreError('the disk is full', { url: 'results.mdb', status: 'ENOSPC' });
    return store.write(chip);
  };
  const { h, v } = snap(grid, { x: CORNER.x + 15, y: CORNER.y - 15 }).chip;
  await store.requests.add(ALGORITHM, [{ h, v }], { atMs: 0 });
  await runner.run({ ...store, requests: store.requests, write });
  const told = events.filter(({ type }) => type !== 'running');
  expect(told).toEqual([
    { type: 'note', text: `chip ${h}, ${v}: the disk is full; it is tried again` },
    { type: 'note', text: `chip ${h}, ${v}: the disk is full; it is tried again` },
    expect.objectContaining({ type: 'written', chip: { h, v } }),
  ]);
  expect(await store.requests.pending()).toBe(0);
});
