// Tasks of a set, one after the other and overlapped: one bad task never stops the others.
import { setMaxListeners } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackwiseError, StoreError } from '../../errors.js';
import { TAKEN } from '../claim.js';
import { NO_OVERLAP } from '../prepare.js';
import { parseTaskKey, type TaskKey, taskId } from '../task/task.js';
import { selectTasks } from '../task/task-select.js';
import { openTaskSet, readTask, type TaskSet } from '../task/task-set.js';
import type { TaskRow } from '../task/task-table.js';
import { deadlineOf } from './deadline.js';
import { type Gate, gateOf } from './gate.js';
import { heartbeat } from './heartbeat.js';
import { hasProductDocuments, otherCollection, writeProductDocuments } from './run-product.js';
import { type RunOptions, type RunSettings, settingNotes, settleRun } from './run-settings.js';
import type { TileResult } from './tile-result.js';
import {
  reasonOf,
  runTile,
  type TileCost,
  type TileHooks,
  type TileWork,
  tidyTile,
  tileState,
  tileWork,
  tooLong,
} from './tile-run.js';

/** What became of a task. */
export interface TaskReport {
  /** `2019--P1Y/5/-6` */
  id: string;
  status: 'done' | 'skipped' | 'failed';
  /** Why it was skipped or failed, in one line. */
  reason?: string;
  /** Of its item. */
  url?: string;
  uuid?: string;
  scenes?: number;
  dropped?: readonly { id: string; reason: string }[];
  cost?: TileCost;
  /** Of the clock. */
  seconds?: number;
  /** Most that the process has held so far. */
  peakBytes?: number;
}

export interface RunTasksOptions extends RunOptions {
  /** Told of each task as it ends. */
  onTask?: ((report: TaskReport) => void) | undefined;
}

/** What a run came to: a report a task, in the order in which they ended. */
export interface RunSummary {
  tasks: TaskReport[];
  done: number;
  skipped: number;
  failed: number;
}

/** All tasks of a set, as they are listed. */
type ListedSet = { head: TaskSet['head']; rows: readonly TaskRow[] };

/** The tasks that a selection names, and how each document is read: for ids alone nothing else of the set is. */
export interface ChosenTasks {
  keys: readonly TaskKey[];
  /** Null where only ids were given. */
  set: ListedSet | null;
  /** The set, read now where it was not. */
  listed(): Promise<ListedSet>;
  read(key: TaskKey): ReturnType<TaskSet['task']>;
}

export async function chooseTasks(
  url: string,
  selection: readonly string[],
  { hrefMap, options: { signal } }: RunSettings,
): Promise<ChosenTasks> {
  const open = { signal, hrefMap: hrefMap ?? undefined };
  const keys = selection.map((text) => (text.includes(':') ? null : parseTaskKey(text)));
  if (selection.length > 0 && !/\.db$/i.test(url) && keys.every((key) => key !== null)) {
    const named = [...new Map(keys.map((key) => [taskId(key), key])).values()];
    const listed = async () => {
      const set = await openTaskSet(url, open);
      return { head: set.head, rows: await set.rows() };
    };
    return { keys: named, set: null, listed, read: (key) => readTask(url, key, open) };
  }
  const set = await openTaskSet(url, open);
  const own = { head: set.head, rows: await set.rows() };
  const listed = async () => own;
  return { keys: selectTasks(own.rows, selection), set: own, listed, read: (key) => set.task(key) };
}

/**
 * Runs tasks: skips those whose outputs are there and were made of the same inputs, computes the others, and goes on when one fails.
 * @param url a set of tasks, or a cache of odc-stats (`.db`)
 * @param selection ids, indices and slices, see `selectTasks`; none: all
 * @throws InputError for options that mean nothing and sets that are not there; the reason of `signal`
 */
export async function runTasks(
  url: string,
  selection: readonly string[],
  options: RunTasksOptions,
): Promise<RunSummary> {
  const settings = settleRun(options);
  const notes = settingNotes(settings);
  const { signal, onProgress, onTask, onNote = () => {} } = options;
  const chosen = await chooseTasks(url, selection, settings);
  for (const note of notes) onNote(note);
  const write = await reportWriter(options);
  const beat = options.heartbeatFile ? heartbeat(options.heartbeatFile, onNote) : null;
  const tasks: TaskReport[] = [];
  const gate = gateOf(settings.concurrency);
  const progress = taskProgress(chosen.keys.length, onProgress);
  const waiting = [...chosen.keys];
  const taken: TaskKey[] = [];
  let described: Promise<void> | null = null;
  const onTile = (result: TileResult) => {
    described ??= describe(result, chosen, settings, onNote).catch((error) => {
      described = null;
      throw error;
    });
    return described;
  };
  /** Null when the task is over, else who is at it. */
  const run = async (key: TaskKey): Promise<string | null> => {
    const one = progress.begin();
    const report = await runTask(key, chosen, settings, { gate, onProgress: one.part, onNote, onTile });
    one.end(typeof report !== 'string');
    if (typeof report === 'string') return report;
    tasks.push(report);
    onTask?.(report);
    await write(report);
    return null;
  };
  const lane = async () => {
    for (let key = waiting.shift(); key; key = waiting.shift()) {
      signal?.throwIfAborted();
      const holder = await run(key);
      if (holder === null) continue;
      onNote(`${taskId(key)}: ${holder}: it is looked at again at the end`);
      taken.push(key);
    }
  };
  try {
    // One more looks at its inputs and one more finishes its files while the others compute.
    const ends = await Promise.allSettled(Array.from({ length: settings.concurrency + 2 }, lane));
    // A stop is told when all have put their things away.
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    // What another process was at is done by it meanwhile, or by this one when it is gone.
    for (const key of taken) while ((await run(key)) !== null) await sleep(TAKEN_WAIT_MS, undefined, { signal });
  } finally {
    beat?.stop();
  }
  const count = (status: TaskReport['status']) => tasks.filter((task) => task.status === status).length;
  return { tasks, done: count('done'), skipped: count('skipped'), failed: count('failed') };
}

/**
 * Appends reports to a file.
 * @throws StoreError at once where the file cannot be written; what fails later is told, and stops nothing
 */
async function reportWriter({
  reportFile,
  onNote = () => {},
}: RunOptions): Promise<(report: TaskReport) => Promise<void>> {
  if (!reportFile) return async () => {};
  const trouble = (cause: unknown) => {
    const { code, message } = cause as NodeJS.ErrnoException;
    return `cannot write the report to ${reportFile}: ${code ?? message}`;
  };
  await appendFile(reportFile, '').catch((cause) => {
    throw new StoreError(trouble(cause), { url: reportFile }, { cause });
  });
  return (report) => appendFile(reportFile, `${JSON.stringify(report)}\n`).catch((cause) => onNote(trouble(cause)));
}

/** Writes the documents of the product that items link to. Who was given ids alone reads the whole set only where there are none yet. */
async function describe(
  result: TileResult,
  chosen: ChosenTasks,
  settings: RunSettings,
  onNote: (text: string) => void,
): Promise<void> {
  const other = await otherCollection(settings);
  if (other !== null)
    onNote(
      `${settings.location} has the collection ${other} already, and items of both products link to one: give each a place of its own, with {product} in the location`,
    );
  if (!chosen.set && (await hasProductDocuments(settings))) return;
  await writeProductDocuments(result, await chosen.listed(), settings);
}

/** Between two looks at a task that another process is at. */
const TAKEN_WAIT_MS = 1000;

/** Progress in thousandths of a task. */
function taskProgress(total: number, onProgress: RunOptions['onProgress']) {
  const parts = new Set<{ value: number }>();
  let ended = 0;
  const tell = () => onProgress?.(ended + [...parts].reduce((sum, { value }) => sum + value, 0), total);
  return {
    begin() {
      const own = { value: 0 };
      parts.add(own);
      tell();
      return {
        part(done: number, of: number) {
          own.value = of > 0 ? (0.98 * done) / of : 0;
          tell();
        },
        end(isOver: boolean) {
          parts.delete(own);
          if (isOver) ended++;
          tell();
        },
      };
    },
  };
}

type TaskHooks = Pick<TileHooks, 'gate' | 'onNote' | 'onProgress' | 'onTile'>;

/** Runs one task and tells what became of it, or that another process is at it; only a stop from outside is thrown. */
async function runTask(
  key: TaskKey,
  chosen: ChosenTasks,
  settings: RunSettings,
  hooks: TaskHooks,
): Promise<TaskReport | string> {
  const id = taskId(key);
  const { signal, maxProcessingTime = 0 } = settings.options;
  const began = performance.now();
  const deadline = deadlineOf(maxProcessingTime, () => tooLong(maxProcessingTime));
  const own = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
  const gate: Gate = {
    async enter(stop) {
      deadline.pause();
      try {
        return await hooks.gate.enter(stop);
      } finally {
        deadline.resume();
      }
    },
  };
  // Each raster that is written listens.
  setMaxListeners(0, own);
  const onNote = (text: string) => hooks.onNote(`${id}: ${text}`);
  const ended = () => ({
    seconds: (performance.now() - began) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  });
  try {
    const work = tileWork(await chosen.read(key), settings);
    const skip = await reasonToSkip(work, settings, own, onNote);
    if (skip !== null) return { id, status: 'skipped', ...skip, ...ended() };
    const made = await runTile(work, settings, { ...hooks, gate, signal: own, onNote });
    if (made === null) return { id, status: 'skipped', reason: 'done before', url: work.itemUrl, ...ended() };
    const { result, cost } = made;
    const { uuid, dropped } = result;
    const scenes = result.task.scenes.length;
    return { id, status: 'done', url: work.itemUrl, uuid, scenes, dropped, cost, ...ended() };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof StackwiseError && error.facts.status === TAKEN)
      return error.message.replace(/ already: .*/, '');
    const reason = reasonOf(error, settings);
    const isEmpty = error instanceof StackwiseError && error.facts.status === NO_OVERLAP;
    if (!isEmpty) onNote(`failed: ${reason}`);
    return { id, status: isEmpty ? 'skipped' : 'failed', reason, ...ended() };
  } finally {
    deadline.stop();
  }
}

async function reasonToSkip(
  work: TileWork,
  settings: RunSettings,
  signal: AbortSignal,
  onNote: (text: string) => void,
): Promise<Pick<TaskReport, 'reason' | 'url'> | null> {
  if (work.task.scenes.length === 0) return { reason: 'no scenes pass the filters' };
  if (settings.options.overwrite) return null;
  const state = await tileState(work, signal);
  if (state === 'stale')
    onNote('its outputs were made of other inputs, or are of another version or size: they are made anew');
  if (state !== 'same') return null;
  await tidyTile(work, settings, onNote);
  return { reason: 'done before', url: work.itemUrl };
}

/** `12 tasks: 10 done, 1 skipped, 1 failed` */
export function runTally({ tasks, done, skipped, failed }: RunSummary): string {
  return `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}: ${done} done, ${skipped} skipped, ${failed} failed`;
}
