import { describe, expect, it } from 'vitest';
import { type ChangePlan, chipJobs, planChanges, rowsOf } from '../../../build/jobs/change/change-plan.js';

const GIB = 2 ** 30;

function plan(toRun: number, threads: number, memoryLimitBytes = 64 * GIB): ChangePlan {
  const chips = { asked: toRun, outside: 0, unchanged: 0, toRun };
  return planChanges({ chips, chipPx: 100, nBand: 7, nTime: 423, options: { threads, memoryLimitBytes } });
}

/** How many pieces each chip of a run is cut into. */
function pieces(toRun: number, threads: number, memoryLimitBytes?: number): number[] {
  const own = plan(toRun, threads, memoryLimitBytes);
  const chip = { h: 0, v: 0, scenes: [0], inputsMd5: '', window: { col: 0, row: 0, width: 100, height: 100 } };
  return Array.from({ length: toRun }, (_, place) => {
    const jobs = chipJobs(chip, { place, rows: rowsOf(own, place) });
    // Each row once, in order.
    const rows = jobs.flatMap(({ row, window }) => Array.from({ length: window.height }, (_, i) => row + i));
    expect(rows).toEqual([...Array(100).keys()]);
    return jobs.length;
  });
}

describe('how chips are cut for threads', () => {
  it('leaves them whole for as long as there is one for each thread', () => {
    expect(pieces(4, 2)).toEqual([1, 1, 1, 1]);
    expect(pieces(3, 1)).toEqual([1, 1, 1]);
    expect(pieces(2, 0)).toEqual([1, 1]);
  });

  it('shares the last ones, in one piece a thread: a second piece would read the tiles again', () => {
    expect(pieces(1, 2)).toEqual([2]);
    expect(pieces(3, 2)).toEqual([1, 1, 2]);
    expect(pieces(1, 8)).toEqual([8]);
    expect(pieces(10, 8)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 4, 4]);
    // Five threads of eight take one each, as three of two pieces would need two rounds.
    expect(pieces(5, 8)).toEqual([1, 1, 1, 1, 1]);
    expect(pieces(3, 8)).toEqual([2, 2, 2]);
  });

  it('cuts all of them where memory wants it', () => {
    const { predictedPeakBytes, memoryLimitBytes, rows } = plan(3, 2, GIB / 3);
    expect(predictedPeakBytes).toBeLessThanOrEqual(memoryLimitBytes);
    expect(rows).toBeLessThan(100);
    expect(pieces(3, 2, GIB / 3)).toEqual(Array(3).fill(Math.ceil(100 / rows)));
  });
});
