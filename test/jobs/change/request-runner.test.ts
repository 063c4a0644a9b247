import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryResults } from '../../../build/jobs/change/memory-results.js';
import { RequestRunner, type RunnerEvent } from '../../../build/jobs/change/request-runner.js';
import type { ResultStore } from '../../../build/jobs/change/result-store.js';
import { ALGORITHM, readScenes, StoreError, snap } from '../../../build/node.js';
import { CORNER, changeScenes } from '../../fixture/change-scenes.js';

let folder = '';
let items = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-runner-'));
  ({ items } = await changeScenes(path.join(folder, 'scenes'), 'c1', { width: 3, height: 2, years: 2 }));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.useRealTimers());

/** A runner, and events by their type as they come. */
async function open() {
  const waiting = new Map<string, (event: RunnerEvent) => void>();
  const onEvent = (event: RunnerEvent) => waiting.get(event.type)?.(event);
  const find = () => readScenes([items]);
  const runner = await RequestRunner.open({ find, options: { threads: 1 }, onEvent });
  const next = (type: RunnerEvent['type']) => new Promise<RunnerEvent>((resolve) => waiting.set(type, resolve));
  return { runner, next };
}

/** A store that takes neither results nor failures while `full`. */
function fillable(store: ResultStore) {
  const disk = { full: true };
  const check = () => {
    if (disk.full) throw new StoreError('the disk is full', { status: 'ENOSPC' });
  };
  const [write, fail] = [store.writePacked.bind(store), store.requests.fail.bind(store.requests)];
  store.writePacked = async (chip) => {
    check();
    await write(chip);
  };
  store.requests.fail = async (...given) => {
    check();
    await fail(...given);
  };
  return disk;
}

describe('chips that are asked for', () => {
  it('are tried again where the store took nothing, with what was asked for meanwhile', async () => {
    const { runner, next } = await open();
    const { grid } = runner.area();
    const store = memoryResults(grid);
    const disk = fillable(store);
    const { chip } = snap(grid, CORNER);
    await store.requests.add(ALGORITHM, [chip], { atMs: 1 });
    // The loop sleeps when the chip fails: nothing else waits.
    const note = next('note');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ended = runner.run(store);
    expect(await note).toMatchObject({ text: expect.stringContaining('the disk is full') });
    disk.full = false;
    await store.requests.add(ALGORITHM, [{ h: chip.h - 9, v: chip.v }], { atMs: 2 });
    const [failed, written] = [next('failed'), next('written')];
    runner.wake();
    expect(await failed).toMatchObject({ reason: 'no scene meets the chip' });
    vi.advanceTimersByTime(5000);
    expect(await written).toMatchObject({ chip: { h: chip.h, v: chip.v } });
    await runner.stop();
    await ended;
  });

  it('wait no longer for the store when all is stopped', async () => {
    const { runner, next } = await open();
    const { grid } = runner.area();
    const store = memoryResults(grid);
    fillable(store);
    await store.requests.add(ALGORITHM, [snap(grid, CORNER).chip], { atMs: 1 });
    const note = next('note');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ended = runner.run(store);
    await note;
    await runner.stop();
    await ended;
    expect(await store.requests.pending()).toBe(1);
  });

  it('wait on while the disk is full, and are written when there is room', async () => {
    const events: RunnerEvent[] = [];
    const runner = await RequestRunner.open({
      find: () => readScenes([items]),
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
    const writePacked: typeof store.writePacked = async (chip) => {
      if (full-- > 0) throw new StoreError('the disk is full', { url: 'results.mdb', status: 'ENOSPC' });
      return store.writePacked(chip);
    };
    const { h, v } = snap(grid, { x: CORNER.x + 15, y: CORNER.y - 15 }).chip;
    await store.requests.add(ALGORITHM, [{ h, v }], { atMs: 0 });
    await runner.run({ ...store, requests: store.requests, writePacked });
    const told = events.filter(({ type }) => type !== 'running');
    expect(told).toEqual([
      { type: 'note', text: `chip ${h}, ${v}: the disk is full; it is tried again` },
      { type: 'note', text: `chip ${h}, ${v}: the disk is full; it is tried again` },
      expect.objectContaining({ type: 'written', chip: { h, v } }),
    ]);
    expect(await store.requests.pending()).toBe(0);
  });
});
