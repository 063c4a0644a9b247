// How chips are cut into rows for threads, within the memory limit.
import { cores, memoryLimitBytes as platformMemoryLimit } from '#platform';
import { InputError } from '../../errors.js';
import { formatBytes } from '../../limit.js';
import type { ChangeJob } from '../../stats/change-block.js';
import type { ChangeChip } from './change-prepare.js';

export interface ChangePlan {
  /** Chips asked for, those that no scene meets, and those whose results are there for the same inputs. */
  chips: { asked: number; outside: number; unchanged: number; toRun: number };
  threads: number;
  /** Rows of a chip that a thread takes at a time: all, if they fit, for each piece reads the tiles that it touches anew. */
  rows: number;
  /** The same of the last chips, which are too few for all threads: some are shared, so that nobody takes two pieces of them. */
  lastRows: number;
  predictedPeakBytes: number;
  memoryLimitBytes: number;
}

/** The process itself, and a thread before it holds any pixels, with its opened files. */
const BASE_BYTES = 130 * 2 ** 20;
const THREAD_BYTES = 64 * 2 ** 20;
/** Results of a pixel beside its mask, at two segments. */
const SEGMENTS = 2;
/** Times that a chip's results are there while they are put together and written. */
const RESULT_COPIES = 3;
export interface PlanWork {
  chips: ChangePlan['chips'];
  chipPx: number;
  nBand: number;
  /** Of the chip with the most. */
  nTime: number;
  options: { threads?: number | undefined; memoryLimitBytes?: number | undefined };
}

/** @throws InputError when one row a thread does not fit, or for options out of range. */
export function planChanges({ chips, chipPx, nBand, nTime, options }: PlanWork): ChangePlan {
  const { threads = cores(), memoryLimitBytes = platformMemoryLimit() } = options;
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new InputError(`threads is a whole number from 0 to 1024, and got ${threads}`, { option: 'threads' });
  }
  const lanes = Math.max(1, threads);
  const segmentsPx = SEGMENTS * (8 * (6 + 10 * nBand));
  const resultPx = nTime + segmentsPx + 24;
  // The same in the store's rows, where a bit is a date.
  const packedPx = nTime / 8 + segmentsPx + 36;
  // Numbers and QA, and what the kernels and the reading of a date take beside them.
  const stackPx = 1.25 * nTime * 2 * (nBand + 1);
  const fixed = BASE_BYTES + lanes * THREAD_BYTES + RESULT_COPIES * resultPx * chipPx * chipPx;
  // Rows are there twice: where pixel after pixel is packed, and on their way out.
  const rowBytes = lanes * chipPx * (stackPx + 2 * packedPx);
  const most = Math.floor((memoryLimitBytes - fixed) / rowBytes);
  if (!(most >= 1)) {
    const wanted = formatBytes(fixed + rowBytes);
    throw new InputError(
      `${nTime} dates need ${wanted} on so many threads (${lanes}), and ${formatBytes(memoryLimitBytes)} are allowed`,
      {
        option: 'memory-limit',
      },
    );
  }
  const rows = Math.min(most, chipPx);
  // One piece a thread: with a second one it would read the same tiles again, which takes longer than what is left of finding changes.
  const nLast = chips.toRun % lanes;
  const pieces = nLast === 0 ? 1 : Math.floor(lanes / nLast);
  const lastRows = Math.min(most, Math.ceil(chipPx / pieces));
  return { chips, threads, rows, lastRows, predictedPeakBytes: fixed + rows * rowBytes, memoryLimitBytes };
}

/** How many rows of the chip at a place in the run a thread takes at a time. */
export function rowsOf({ chips: { toRun }, threads, rows, lastRows }: ChangePlan, place: number): number {
  return place < toRun - (toRun % Math.max(1, threads)) ? rows : lastRows;
}

/** A chip in rows; `place` is its place in the run. */
export function chipJobs(
  { window, scenes }: ChangeChip,
  { place, rows }: { place: number; rows: number },
): ChangeJob[] {
  return Array.from({ length: Math.ceil(window.height / rows) }, (_, i) => {
    const row = i * rows;
    const height = Math.min(rows, window.height - row);
    return { chip: place, row, scenes, window: { ...window, row: window.row + row, height } };
  });
}
