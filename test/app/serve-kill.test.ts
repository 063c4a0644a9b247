import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALGORITHM, type Changes, detectScenes, openResults } from '../../build/node.js';
import { CORNER, changeScenes } from '../fixture/change-scenes.js';
import { followTile, type RunningService, startService } from '../fixture/service.js';
import { seeded } from '../random.js';

const ROUNDS = 12;
const TILE = '/tiles/3/-35';
const ALL = { hMin: -9999, vMin: -9999, hMax: 9999, vMax: 9999 };

let folder = '';
const at = (name: string) => path.join(folder, name);
let items = '';
/** What each chip has when it is whole. */
const whole = new Map<string, { digest: string; inputsMd5: string }>();
/** Of all numbers: they are many. */
const digestOf = (changes: Changes) => createHash('md5').update(serialize(changes)).digest('hex');
let service: RunningService | null = null;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-serve-kill-'));
  ({ items } = await changeScenes(at('scenes'), 'espa', { width: 230, height: 90, years: 1 }));
  await detectScenes(items, { store: at('reference') }, { threads: 1 });
  const store = await openResults(at('reference'), { readOnly: true });
  for (const cell of await store.summaries(ALGORITHM, ALL)) {
    const { changes, inputsMd5 } = (await store.chip(ALGORITHM, cell))!;
    whole.set(`${cell.h} ${cell.v}`, { digest: digestOf(changes), inputsMd5 });
  }
  await store.close();
}, 60_000);
afterAll(async () => {
  await service?.stop('SIGKILL');
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** When the last accepted request of each chip was made, by name. */
type Accepted = Map<string, number>;

const CELLS = [0, 1, 2].flatMap((column) =>
  [0, 1].map((row) => ({ x: 498015 + 3000 * column, y: 5202015 - 3000 * row })),
);
const nameOf = (x: number, y: number) => `${(x - 15) / 3000} ${(15 - y) / 3000}`;

/** Asks for chips until the service is gone; notes what it has said yes to. */
async function ask(url: string, random: () => number, accepted: Accepted): Promise<void> {
  for (;;) {
    try {
      if (random() < 0.2) {
        const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"refresh":true}' };
        const response = await fetch(`${url}${TILE}/requests`, init);
        expect(response.status).toBe(202);
        const { requested, alreadyPending } = (await response.json()) as Record<string, number>;
        expect(requested! + alreadyPending!).toBe(CELLS.length);
        continue;
      }
      const { x, y } = CELLS[Math.floor(random() * CELLS.length)]!;
      const response = await fetch(`${url}/results/${ALGORITHM}/${x}/${y}?refresh=true`);
      expect(response.status).toBe(202);
      const ticket = (await response.json()) as { chip_x: number; chip_y: number; chip_update_requested: string };
      accepted.set(nameOf(ticket.chip_x, ticket.chip_y), Date.parse(ticket.chip_update_requested));
    } catch (error) {
      // The connection is cut; what was under way may be taken or not.
      if (error instanceof TypeError || (error as Error).name === 'AbortError') return;
      throw error;
    }
  }
}

/** Every chip is whole or not there; every accepted request is answered, or waits. Gives how many wait. */
async function checkStore(accepted: Accepted): Promise<number> {
  const store = await openResults(at('store'), { readOnly: true });
  try {
    const there = new Map<string, number>();
    for (const summary of await store.summaries(ALGORITHM, ALL)) {
      const name = `${summary.h} ${summary.v}`;
      const chip = (await store.chip(ALGORITHM, summary))!;
      expect({ digest: digestOf(chip.changes), inputsMd5: chip.inputsMd5 }, name).toEqual(whole.get(name));
      expect(chip.producedMs).toBe(summary.producedMs);
      there.set(name, chip.producedMs);
    }
    const waiting = new Map((await store.requests.within(ALGORITHM, ALL)).map((one) => [`${one.h} ${one.v}`, one]));
    expect((await store.requests.next(99)).length).toBe(waiting.size);
    for (const [name, atMs] of accepted) {
      if (waiting.has(name)) expect(waiting.get(name), name).toMatchObject({ failure: null });
      else expect(there.get(name), name).toBeGreaterThanOrEqual(atMs);
    }
    return waiting.size;
  } finally {
    await store.close();
  }
}

describe('a service that is killed', () => {
  it(`has every chip whole or missing, and every accepted request answered or waiting (${ROUNDS} times)`, async () => {
    expect(whole.size).toBe(CELLS.length);
    expect(CELLS.some(({ x, y }) => x <= CORNER.x && y >= CORNER.y)).toBe(true);
    const random = seeded(23);
    const accepted: Accepted = new Map();
    let waited = 0;
    for (let round = 0; round < ROUNDS; round++) {
      service = await startService(['--scenes', items, '--store', at('store')]);
      const { url } = service;
      const asking = Promise.all([1, 2].map(() => ask(url, random, accepted)));
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 1500));
      expect(await service.stop('SIGKILL')).toBe('SIGKILL');
      await asking;
      waited += await checkStore(accepted);
    }
    expect(accepted.size).toBe(CELLS.length);
    expect(waited).toBeGreaterThan(0);
    // What waits is run by the next one, without being asked for again.
    service = await startService(['--scenes', items, '--store', at('store')]);
    await followTile(service.url + TILE, ({ pending }) => pending === 0);
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(await checkStore(accepted)).toBe(0);
  }, 300_000);

  it('gives back what it holds on SIGTERM, also in the midst of chips', async () => {
    const random = seeded(5);
    const accepted: Accepted = new Map();
    for (let round = 0; round < 4; round++) {
      service = await startService(['--scenes', items, '--store', at('store')]);
      const { url } = service;
      const asking = ask(url, random, accepted);
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 800));
      expect(await service.stop('SIGTERM')).toBe(0);
      await asking;
      await checkStore(accepted);
    }
    expect(accepted.size).toBeGreaterThan(0);
  }, 200_000);
});
