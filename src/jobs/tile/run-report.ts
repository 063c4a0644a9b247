// Where the time, the bytes and the money of a run went.
import { FormatError, InputError } from '../../errors.js';
import { isObject } from '../../io/stac-item.js';
import type { TaskRow } from '../task/task-table.js';
import type { TaskReport } from './run-tasks.js';

/** A task in numbers. */
export interface ReportRow {
  id: string;
  status: TaskReport['status'];
  /** Seconds: the clock's without waiting for other tasks, then those of all threads together, then of writing. */
  seconds: number;
  read: number;
  warp: number;
  compute: number;
  write: number;
  readBytes: number;
  writtenBytes: number;
  peakBytes: number;
  /** Pixels of the tile, and scenes that it was made of. */
  px: number;
  scenes: number;
  reason: string | null;
}

export interface RunReport {
  rows: ReportRow[];
  /** Of all rows; `peakBytes` is the largest. */
  total: Omit<ReportRow, 'id' | 'status' | 'reason'>;
  /** Hours of virtual processors: threads at work, reading with it, and what prepared and wrote beside them. */
  vcpuHours: number;
  /** In the currency of the price; null without one. */
  cost: number | null;
  /** Of a whole set, by pixels and scenes of its tasks; null where no set was given or nothing has run. */
  forecast: { tasks: number; vcpuHours: number; cost: number | null } | null;
}

const SUMMED = ['seconds', 'read', 'warp', 'compute', 'write', 'readBytes', 'writtenBytes', 'px', 'scenes'] as const;

function isReport(one: unknown): one is TaskReport {
  if (!isObject(one) || typeof one.id !== 'string') return false;
  if (!['done', 'skipped', 'failed'].includes(String(one.status))) return false;
  const { cost } = one;
  return cost === undefined || (isObject(cost) && [cost.seconds, cost.threadMs, cost.bytes].every(isObject));
}

/**
 * The lines that `run --report` wrote; of a task that was run more than once all are counted.
 * @throws FormatError for a line that is no report
 */
export function readReports(text: string, where: string): TaskReport[] {
  return text
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      let one: unknown;
      try {
        one = JSON.parse(line);
      } catch {
        one = null;
      }
      if (isReport(one)) return one;
      throw new FormatError(`${where}: line ${number} is no report of a task`, { url: where });
    });
}

function rowOf(report: TaskReport): ReportRow {
  const { id, status, cost, seconds = 0, peakBytes = 0, scenes = 0, reason = null } = report;
  const ms = cost?.threadMs ?? { read: 0, warp: 0, compute: 0 };
  return {
    id,
    status,
    seconds: seconds - (cost?.seconds.wait ?? 0),
    read: ms.read / 1000,
    warp: ms.warp / 1000,
    compute: ms.compute / 1000,
    write: cost?.seconds.write ?? 0,
    readBytes: cost?.bytes.read ?? 0,
    writtenBytes: cost?.bytes.written ?? 0,
    peakBytes,
    px: cost?.px ?? 0,
    scenes,
    reason,
  };
}

/**
 * @param rows of the whole set that the tasks are from; px of a tile are taken to be alike
 * @throws InputError for a price that is none
 */
export function reportOf(
  reports: readonly TaskReport[],
  { pricePerVcpuHour = null, rows = null }: { pricePerVcpuHour?: number | null; rows?: readonly TaskRow[] | null } = {},
): RunReport {
  if (pricePerVcpuHour !== null && !(pricePerVcpuHour >= 0 && Number.isFinite(pricePerVcpuHour)))
    throw new InputError(`a price is a number from 0, and got ${pricePerVcpuHour}`, { option: 'price' });
  const own = reports.map(rowOf);
  const total = Object.fromEntries(
    SUMMED.map((key) => [key, own.reduce((sum, row) => sum + row[key], 0)]),
  ) as unknown as RunReport['total'];
  total.peakBytes = own.reduce((most, row) => Math.max(most, row.peakBytes), 0);
  const prepared = reports.reduce((sum, { cost }) => sum + (cost?.seconds.prepare ?? 0), 0);
  const vcpuHours = (total.read + total.warp + total.compute + total.write + prepared) / 3600;
  const priced = (hours: number) => (pricePerVcpuHour === null ? null : hours * pricePerVcpuHour);
  const datasets = rows?.reduce((sum, row) => sum + row.datasets, 0) ?? 0;
  const hours = total.scenes > 0 ? (vcpuHours / total.scenes) * datasets : null;
  return {
    rows: own,
    total,
    vcpuHours,
    cost: priced(vcpuHours),
    forecast: rows && hours !== null ? { tasks: rows.length, vcpuHours: hours, cost: priced(hours) } : null,
  };
}
