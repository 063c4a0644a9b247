import { Command } from 'commander';
import { InputError } from '../../errors.js';
import { storeFor } from '../../io/stores.js';
import { openTaskSet } from '../../jobs/task/task-set.js';
import { type ReportRow, type RunReport, readReports, reportOf } from '../../jobs/tile/run-report.js';
import { formatBytes } from '../../limit.js';
import { amount, type Flags } from '../amount-option.js';
import { formatDuration } from '../progress.js';

/** `stackwise report RUN.jsonl [--price P] [--set SET]` */
export function reportCommand(): Command {
  return new Command('report')
    .description('Tell where the time and the bytes of a run went, and what a set of tasks costs.')
    .argument('<files...>', 'what `run --report` wrote')
    .option('--price <amount>', 'of an hour of a virtual processor')
    .option('--set <tasks>', 'a set of tasks: what all of it takes, by the scenes of its tasks')
    .option('--json', 'print machine-readable JSON')
    .action(run);
}

async function run(files: string[], flags: Flags): Promise<void> {
  const reports = [];
  for (const file of files)
    reports.push(...readReports(new TextDecoder().decode(await storeFor(file).read(file)), file));
  if (reports.length === 0) throw new InputError(`${files.join(', ')}: no task is reported`);
  const set = flags.set as string | undefined;
  const rows = set === undefined ? null : await (await openTaskSet(set)).rows();
  const report = reportOf(reports, { pricePerVcpuHour: amount(flags, 'price') ?? null, rows });
  process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : table(report));
}

const COLUMNS = ['task', 'clock', 'read', 'warp', 'compute', 'write', 'in', 'out', 'peak', 'px/s/thread'];
const time = (seconds: number) => (seconds === 0 ? '-' : formatDuration(seconds * 1000));
const bytes = (count: number) => (count === 0 ? '-' : formatBytes(count));

function cells(row: Omit<ReportRow, 'id' | 'status' | 'reason'>, name: string): string[] {
  const { seconds, read, warp, compute, write, readBytes, writtenBytes, peakBytes, px } = row;
  const busy = read + warp + compute;
  const rate = busy > 0 ? String(Math.round(px / busy)) : '-';
  const times = [seconds, read, warp, compute, write].map(time);
  return [name, ...times, bytes(readBytes), bytes(writtenBytes), bytes(peakBytes), rate];
}

function table({ rows, total, vcpuHours, cost, forecast }: RunReport): string {
  const done = rows.filter(({ status }) => status === 'done').map((row) => cells(row, row.id));
  const all = [COLUMNS, ...done, cells(total, `all ${done.length}`)];
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((line) => line[i]!.length)));
  const lines = all.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
  const failed = rows.filter(({ status }) => status === 'failed').map(({ id, reason }) => `${id} failed: ${reason}`);
  const money = (amount: number | null) => (amount === null ? '' : `, ${amount.toFixed(amount < 1 ? 4 : 2)}`);
  const spent = `${vcpuHours.toPrecision(3)} vCPU-hours${money(cost)}`;
  const whole = forecast
    ? [`the set of ${forecast.tasks} tasks: ${forecast.vcpuHours.toPrecision(3)} vCPU-hours${money(forecast.cost)}`]
    : [];
  return [...lines, ...failed, spent, ...whole, ''].join('\n');
}
