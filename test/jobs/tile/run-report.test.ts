import { describe, expect, it } from 'vitest';
import { FormatError, InputError } from '../../../build/errors.js';
import { readReports, reportOf } from '../../../build/jobs/tile/run-report.js';

const done = (id: string, scenes: number, waitSeconds = 0) => ({
  id,
  status: 'done',
  scenes,
  seconds: 10 + waitSeconds,
  peakBytes: 100 * scenes,
  cost: {
    seconds: { prepare: 1, wait: waitSeconds, blocks: 7, write: 2 },
    threadMs: { read: 4000, warp: 2000, compute: 6000 },
    bytes: { read: 1000, written: 500 },
    requests: 3,
    blocks: { total: 4, restored: 1 },
    px: 10_000,
  },
});
const text = (...lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const failed = { id: '2019--P1Y/1/1', status: 'failed', reason: 'no', seconds: 1, peakBytes: 50 };
const skipped = { id: '2019--P1Y/1/2', status: 'skipped', reason: 'done before', seconds: 0.1, peakBytes: 50 };

describe('the report of a run', () => {
  const reports = readReports(text(done('a', 10), done('b', 30, 60), failed, skipped), 'run.jsonl');

  it('adds up where the time went; waiting for others is no work', () => {
    const { rows, total, vcpuHours, cost, forecast } = reportOf(reports);
    expect(rows.map(({ seconds }) => seconds)).toEqual([10, 10, 1, 0.1]);
    expect(rows[2]).toMatchObject({ status: 'failed', reason: 'no', px: 0, read: 0 });
    expect(total).toMatchObject({ read: 8, warp: 4, compute: 12, write: 4, px: 20_000, scenes: 40, readBytes: 2000 });
    expect(total.peakBytes).toBe(3000);
    // Two tasks of 12 s in threads, 2 s of writing and 1 of preparing.
    expect(vcpuHours).toBeCloseTo(30 / 3600, 12);
    expect([cost, forecast]).toEqual([null, null]);
  });

  it('prices them, and a whole set by its scenes', () => {
    const row = { period: '2019--P1Y', x: 0, y: 0, days: 1 };
    const rows = [
      { ...row, datasets: 100 },
      { ...row, datasets: 300 },
    ];
    const { cost, forecast } = reportOf(reports, { pricePerVcpuHour: 0.6, rows });
    expect(cost).toBeCloseTo(0.005, 12);
    expect(forecast).toEqual({ tasks: 2, vcpuHours: expect.closeTo(300 / 3600, 9), cost: expect.closeTo(0.05, 9) });
    expect(reportOf([], { rows }).forecast).toBeNull();
    expect(() => reportOf(reports, { pricePerVcpuHour: -1 })).toThrow(InputError);
  });

  it.each([
    '{"id": "a"',
    '{"id": "a", "status": "fine"}',
    '{"id": "a", "status": "done", "cost": {}}',
    '[]',
    'null',
    'x',
  ])('refuses the line %j', (line) => {
    const of = () => readReports(`${text(failed)}\n${line}\n`, 'run.jsonl');
    expect(of).toThrow('run.jsonl: line 3 is no report of a task');
    expect(of).toThrow(FormatError);
  });
});
