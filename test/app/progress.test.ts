import { describe, expect, it } from 'vitest';
import { formatDuration, progressReporter } from '../../build/app/progress.js';

function fake({ isTTY = true, json = false } = {}) {
  const written: string[] = [];
  let clock = 0;
  const stream = { isTTY, columns: 100, write: (text: string) => written.push(text) };
  const progress = progressReporter({ stream, json, label: 'composite', unit: 'px', now: () => clock });
  return {
    written,
    progress,
    at: (ms: number) => {
      clock = ms;
    },
  };
}

describe('progress', () => {
  it('rewrites one line with rate and time left on a terminal', () => {
    const { written, progress, at } = fake();
    progress.update(0, 100_000);
    at(1000);
    progress.update(25_000, 100_000);
    expect(written).toHaveLength(2);
    expect(written[1]).toMatch(/^\r/);
    expect(written[1]).toContain('25 %  25.0 kpx/s  3.0 s left');
    at(1050);
    progress.update(26_000, 100_000);
    expect(written).toHaveLength(2);
    at(4000);
    progress.update(100_000, 100_000);
    progress.done();
    expect(written.at(-1)).toBe('composite  100 kpx in 4.0 s (25.0 kpx/s)\n');
    const before = written.length;
    progress.close();
    expect(written).toHaveLength(before);
  });

  it('counts only its own work when it goes on from some', () => {
    const { written, progress, at } = fake();
    progress.update(60_000, 100_000);
    at(1000);
    progress.update(70_000, 100_000);
    expect(written[1]).toContain('70 %  10.0 kpx/s  3.0 s left');
    at(4000);
    progress.update(100_000, 100_000);
    progress.done();
    expect(written.at(-1)).toBe('composite  100 kpx in 4.0 s (10.0 kpx/s)\n');
  });

  it('writes notes above the line and takes an unfinished line away', () => {
    const { written, progress, at } = fake();
    at(200);
    progress.update(1, 10);
    progress.note('B8A is missing');
    expect(written.slice(1, 3)).toEqual(['\r\x1b[K', 'B8A is missing\n']);
    progress.close();
    progress.close();
    expect(written.filter((text) => text === '\r\x1b[K')).toHaveLength(2);
  });

  it.each([{ isTTY: false }, { isTTY: true, json: true }])('writes a JSON line a second at most: %o', (kind) => {
    const { written, progress, at } = fake(kind);
    for (let ms = 100; ms <= 3000; ms += 100) {
      at(ms);
      progress.update(ms, 3000);
    }
    progress.note('careful');
    progress.done();
    progress.close();
    const lines = written.map((line) => JSON.parse(line));
    expect(written.every((line) => line.endsWith('\n'))).toBe(true);
    expect(lines.map(({ event }) => event)).toEqual(['progress', 'progress', 'progress', 'note', 'done']);
    expect(lines[1]).toEqual({
      event: 'progress',
      label: 'composite',
      done: 1100,
      total: 3000,
      unit: 'px',
      perSecond: 1000,
      etaSeconds: 1.9,
    });
  });

  it('says durations as people do', () => {
    expect([900, 59_000, 125_000, 3_720_000].map(formatDuration)).toEqual([
      '0.9 s',
      '59 s',
      '2 min 05 s',
      '1 h 02 min',
    ]);
  });
});
