import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planSeries, renderDate } from '../../build/app/simulation/series.js';
import { ALGORITHM, openResults } from '../../build/node.js';

const CLI = resolve(import.meta.dirname, '../../build/app/cli.js');
const SMALL = { seed: 3, years: 4, size: 48 };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a simulated archive', () => {
  const series = planSeries(SMALL);
  const images = series.dates.map((date) => renderDate(series, date));

  it('is the same on every engine', () => {
    const sha = createHash('sha256');
    // Byte by byte, so that the machine's byte order does not matter.
    for (const { bands, qa } of images) {
      for (const data of [...bands, qa]) for (const value of data) sha.update(Uint8Array.of(value & 255, value >> 8));
    }
    expect(sha.digest('hex')).toMatchInlineSnapshot(
      `"29317620767622e116ee1a92c720ca6228c9755ebe2e69ba62ac8dada7730055"`,
    );
  });

  it('has clouds that are cold, and clear ground on most dates', () => {
    let [cloudy, clear, coldness] = [0, 0, 0];
    for (const { bands, qa } of images) {
      const mean = (wanted: number) => {
        const own = [...bands[6]!].filter((_, i) => qa[i] === wanted);
        return own.length === 0 ? null : own.reduce((a, b) => a + b, 0) / own.length;
      };
      cloudy += qa.filter((value) => value === 96).length;
      clear += qa.filter((value) => value === 66 || value === 68).length;
      const [ground, cloud] = [mean(66), mean(96)];
      if (ground !== null && cloud !== null) coldness = Math.max(coldness, ground - cloud);
    }
    expect(cloudy).toBeGreaterThan(0.1 * (cloudy + clear));
    expect(clear).toBeGreaterThan(0.5 * (cloudy + clear));
    expect(coldness).toBeGreaterThan(100);
  });

  it('becomes segments with the cleared wood as a change, through the command', async () => {
    // Of a folder that is there only the store is replaced.
    await mkdir(join(folder, 'results'));
    for (const name of ['results.mdb', 'own.txt']) await writeFile(join(folder, 'results', name), 'mine');
    const args = ['demo', 'changes', '--out', folder, '--years', '6', '--size', '60', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args]);
    const { store: path, chips, pixels } = JSON.parse(stdout);
    expect(chips.toRun).toBe(1);
    expect(pixels).toEqual({ withSegments: 3600, empty: 6400, failed: 0 });
    expect(await readFile(join(path, 'own.txt'), 'utf8')).toBe('mine');
    const store = await openResults(path, { readOnly: true });
    const { changes } = (await store.chip(ALGORITHM, { h: 150, v: 450 }))!;
    await store.close();
    const { material, materialAfter } = planSeries({ years: 6, size: 60 }).land;
    const { offsets, changeProbability, breakDay } = changes.segments;
    const cleared = planSeries({ years: 6, size: 60 }).dates.find(({ after }) => after)!;
    const clearedDay = Math.floor(cleared.timeMs / 86_400_000) + 719_163;
    let [hits, woods, others] = [0, 0, 0];
    for (let i = 0; i < 3600; i++) {
      const px = Math.floor(i / 60) * 100 + (i % 60);
      const breaks = [...breakDay.subarray(offsets[px], offsets[px + 1])].filter(
        (_, k) => changeProbability[offsets[px]! + k] === 1,
      );
      if (material[i] === materialAfter[i]) others += breaks.length > 0 ? 1 : 0;
      else {
        woods++;
        // Within as many dates as clouds may hide.
        hits += breaks.some((day) => day >= clearedDay && day < clearedDay + 100) ? 1 : 0;
      }
    }
    expect(woods).toBeGreaterThan(10);
    expect(hits).toBeGreaterThan(0.95 * woods);
    expect(others).toBeLessThan(0.02 * (3600 - woods));
  });

  it.each([
    [['--years', '0'], '1 to 60 years'],
    [['--size', 'x'], '--size takes a whole number of 0 or more'],
  ])('refuses %j in one line', async (args, message) => {
    const failure = await promisify(execFile)(process.execPath, [
      CLI,
      'demo',
      'changes',
      '--out',
      folder,
      ...args,
    ]).catch((error: { code: number; stderr: string }) => error);
    expect(failure).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    expect((failure as { stderr: string }).stderr.trim().split('\n')).toHaveLength(1);
  });
});
