import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openResults, type ResultStore } from '../../../build/node.js';
import { NAMED, SMALL_GRID } from '../../fixture/results.js';
import { seeded } from '../../random.js';

const script = path.resolve('test/fixture/write-results.mjs');
const GRID = { ...SMALL_GRID, chipPx: 40 };
const ROUNDS = 15;
const LANES = [0, 1];

let folder = '';
let store: ResultStore;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-kill-'));
  store = await openResults(folder, { grid: GRID });
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a writer until it has written once and `delayMs` more; gives the last serial number it said of each chip. */
async function killed(lane: number, delayMs: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [script, folder, JSON.stringify(GRID), String(lane)]);
  let said = '';
  let complaint = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  child.kill('SIGKILL');
  const [, signal] = child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [];
  expect(complaint).toBe('');
  expect(signal ?? child.signalCode).toBe('SIGKILL');
  const lines = said.split('\n').slice(0, -1);
  return new Map(lines.map((line) => [`${line.split(' ')[0]} ${lane}`, Number(line.split(' ')[1])]));
}

/** Reads every chip, and holds it against its own serial number. */
async function wholeChips(): Promise<Map<string, number>> {
  const serials = new Map<string, number>();
  for (const summary of await store.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 9, vMax: 9 })) {
    const { h, v, changes, producedMs: serial, inputsMd5 } = (await store.chip(NAMED, summary))!;
    const { segments: s } = changes;
    expect(serial).toBe(summary.producedMs);
    expect(Number.parseInt(inputsMd5, 16)).toBe(serial);
    expect([...changes.dates]).toEqual([serial, serial + 1]);
    const isOwn = (n: number) => n === serial;
    for (const numbers of [s.startDay, s.endDay, s.breakDay, s.magnitude, s.rmse, s.coefficients]) {
      expect(numbers.length).toBeGreaterThanOrEqual(GRID.chipPx ** 2);
      expect((numbers as Float64Array).every(isOwn)).toBe(true);
    }
    expect(changes.cloudProbability.every(isOwn)).toBe(true);
    serials.set(`${h} ${v}`, serial);
  }
  return serials;
}

describe('a store whose writers are killed', () => {
  it(`has every chip whole or not at all, and all that was said to be written (two processes, ${ROUNDS} times)`, async () => {
    const random = seeded(11);
    const last = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const delays = LANES.map(() => random() * 120);
      const running = Promise.all(LANES.map((lane, i) => killed(lane, delays[i]!)));
      // Another process reads meanwhile.
      await wholeChips();
      for (const said of await running) for (const [chip, serial] of said) last.set(chip, serial);
      const found = await wholeChips();
      for (const [chip, serial] of last) expect(found.get(chip), chip).toBeGreaterThanOrEqual(serial);
    }
    expect(last.size).toBe(3 * LANES.length);
    expect(Math.max(...last.values())).toBeGreaterThan(2 * ROUNDS);
  }, 60_000);
});
