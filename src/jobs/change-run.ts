// Change detection from scenes into a result store, chip by chip.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StoreError } from '../errors.js';
import { chipCell } from '../geo/chip-grid.js';
import { addTo, countedSince, type StoreMeter, storeMeter } from '../io/meter.js';
import { readScenes } from '../io/stac.js';
import { networkMeter } from '../io/stores.js';
import { ALGORITHM, type Changes, joinChanges } from '../stats/change.js';
import type { ChangeJob } from '../stats/change-block.js';
import type { ChangeRunOptions } from './change-options.js';
import { type ChangePlan, planChanges } from './change-plan.js';
import { type ChangeChip, type PreparedChanges, prepareChanges } from './change-prepare.js';
import { changeRunner } from './change-runner.js';
import { memoryResults } from './memory-results.js';
import { runBlocks } from './pool.js';
import { hasResults, openResults } from './result-folder.js';
import { chipJson } from './result-json.js';
import type { ResultStore } from './result-store.js';

/** Where results go: a store, JSON, or both. */
export interface ChangeTarget {
  /** Folder of the result store; when not given, results are kept until the JSON is written. */
  store?: string | undefined;
  /** Folder of one JSON file a chip. */
  jsonOut?: string | undefined;
}

export interface ChangeRunSummary {
  algorithm: string;
  grid: string;
  chips: ChangePlan['chips'];
  /** Of the chips asked for that scenes meet, those of earlier runs included. */
  pixels: { withSegments: number; empty: number; failed: number };
  files: string[];
  /** Requests, bytes and repeated requests of this run. */
  network: StoreMeter;
}

type Sources = string | readonly string[];

async function readSources(sources: Sources, { signal }: ChangeRunOptions) {
  return readScenes(sources, signal ? { signal } : {});
}

/** Chips that have no results, or results from other inputs. */
async function chipsToRun(store: ResultStore, { chips }: PreparedChanges, refresh: boolean): Promise<ChangeChip[]> {
  if (refresh) return chips;
  const range = {
    hMin: Math.min(...chips.map(({ h }) => h)),
    vMin: Math.min(...chips.map(({ v }) => v)),
    hMax: Math.max(...chips.map(({ h }) => h)),
    vMax: Math.max(...chips.map(({ v }) => v)),
  };
  const there = new Map(
    (await store.summaries(ALGORITHM, range)).map(({ h, v, inputsMd5 }) => [`${h} ${v}`, inputsMd5]),
  );
  return chips.filter(({ h, v, inputsMd5 }) => there.get(`${h} ${v}`) !== inputsMd5);
}

function planOf({ chips, asked, grid, spec }: PreparedChanges, toRun: ChangeChip[], options: ChangeRunOptions) {
  return planChanges({
    chips: {
      asked,
      outside: asked - chips.length,
      unchanged: chips.length - toRun.length,
      toRun: toRun.length,
    },
    chipPx: grid.chipPx,
    nBand: spec.bands.length,
    nTime: Math.max(0, ...toRun.map(({ scenes }) => scenes.length)),
    options,
  });
}

/** Rows of the chips, in the order of chips: few of them are under way at a time. */
function jobsOf(chips: readonly ChangeChip[], { rows }: ChangePlan): ChangeJob[] {
  return chips.flatMap(({ window, scenes }, chip) =>
    Array.from({ length: Math.ceil(window.height / rows) }, (_, i): ChangeJob => {
      const row = i * rows;
      const height = Math.min(rows, window.height - row);
      return { chip, row, scenes, window: { ...window, row: window.row + row, height } };
    }),
  );
}

/** Runs chips into the store; each is written when its last rows are there. */
async function runChips(
  { spec }: PreparedChanges,
  work: {
    chips: readonly ChangeChip[];
    plan: ChangePlan;
    store: ResultStore;
    options: ChangeRunOptions;
    onChip: (chip: ChangeChip) => Promise<void>;
    /** What threads moved is added. */
    network: StoreMeter;
  },
): Promise<void> {
  const { chips, plan, store, options, onChip, network } = work;
  const { signal, onProgress } = options;
  const jobs = jobsOf(chips, plan);
  const total = jobs.reduce((sum, { window }) => sum + window.width * window.height, 0);
  const parts = new Map<number, Map<number, Changes>>();
  let done = 0;
  onProgress?.(done, total);
  await runBlocks(changeRunner, spec, jobs, {
    threads: plan.threads,
    describe: ({ chip, row }) => `row ${row} of chip ${chips[chip]!.h}, ${chips[chip]!.v}`,
    onResult: async ({ changes, network: moved }, { chip, row, window }) => {
      if (moved) addTo(network, moved);
      const own = parts.get(chip) ?? new Map<number, Changes>();
      parts.set(chip, own.set(row, changes));
      const { h, v, inputsMd5, window: whole } = chips[chip]!;
      if (own.size === Math.ceil(whole.height / plan.rows)) {
        parts.delete(chip);
        const inOrder = [...own].sort(([a], [b]) => a - b).map(([, part]) => part);
        await store.write({ h, v, changes: joinChanges(inOrder), inputsMd5, producedMs: Date.now() });
        await onChip(chips[chip]!);
      }
      done += window.width * window.height;
      onProgress?.(done, total);
    },
    ...(signal && { signal }),
  });
}

/** Writes a chip's rows; the name appears when all is there. */
async function writeJson(store: ResultStore, { h, v }: ChangeChip, folder: string): Promise<string> {
  const chip = (await store.chip(ALGORITHM, { h, v }))!;
  const { x, y } = chipCell(store.grid, h, v);
  const file = path.join(folder, `chip_${x}_${y}.json`);
  const partial = `${file}.partial`;
  try {
    await pipeline(Readable.from(chipJson(store, chip)), createWriteStream(partial));
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new StoreError(
      `${file} cannot be written: ${message}`,
      { url: file, ...(code && { status: code }) },
      { cause },
    );
  }
  return file;
}

/** Counts a finished chip and writes its JSON; without a store of its own it is not kept. */
async function reportChip(
  store: ResultStore,
  work: { chip: ChangeChip; target: ChangeTarget; report: Pick<ChangeRunSummary, 'pixels' | 'files'> },
): Promise<void> {
  const { chip, target, report } = work;
  const { h, v } = chip;
  const [summary] = await store.summaries(ALGORITHM, { hMin: h, vMin: v, hMax: h, vMax: v });
  report.pixels.withSegments += summary!.withSegments;
  report.pixels.empty += summary!.empty;
  report.pixels.failed += summary!.failed;
  if (target.jsonOut !== undefined) report.files.push(await writeJson(store, chip, target.jsonOut));
  if (target.store === undefined) await store.remove(ALGORITHM, chip);
}

async function openTarget({ store }: ChangeTarget, { grid }: PreparedChanges): Promise<ResultStore> {
  return store === undefined ? memoryResults(grid) : openResults(store, { grid });
}

/** What {@link detectScenes} would do; nothing is written, not even a new store. */
export async function planScenes(
  sources: Sources,
  target: ChangeTarget,
  options: ChangeRunOptions = {},
): Promise<ChangePlan> {
  const prepared = await prepareChanges(await readSources(sources, options), options);
  const { grid } = prepared;
  const isThere = target.store !== undefined && (await hasResults(target.store));
  const store = isThere ? await openResults(target.store!, { grid, readOnly: true }) : memoryResults(grid);
  try {
    return planOf(prepared, await chipsToRun(store, prepared, options.refresh ?? false), options);
  } finally {
    await store.close();
  }
}

/**
 * Detects changes in the scenes of an area, chip by chip, into a result store, JSON, or both. Chips whose results are there for the same
 * inputs (scenes, files, options) are left as they are, so a run that was stopped goes on. A pixel that fails is recorded with its
 * reason, and the others go on.
 * @throws InputError, FormatError, StoreError… as scenes, options, the store or the memory limit demand; the reason of `signal`.
 */
export async function detectScenes(
  sources: Sources,
  target: ChangeTarget,
  options: ChangeRunOptions = {},
): Promise<ChangeRunSummary> {
  const counted = countedSince(networkMeter);
  const network = storeMeter();
  const prepared = await prepareChanges(await readSources(sources, options), options);
  const store = await openTarget(target, prepared);
  try {
    const toRun = await chipsToRun(store, prepared, options.refresh ?? false);
    const plan = planOf(prepared, toRun, options);
    const report = { pixels: { withSegments: 0, empty: 0, failed: 0 }, files: [] as string[] };
    const onChip = (chip: ChangeChip) => reportChip(store, { chip, target, report });
    if (target.jsonOut !== undefined) await mkdir(target.jsonOut, { recursive: true });
    const isToRun = new Set(toRun);
    for (const chip of prepared.chips) if (!isToRun.has(chip)) await onChip(chip);
    await runChips(prepared, { chips: toRun, plan, store, options, onChip, network });
    addTo(network, counted());
    report.files.sort();
    return { algorithm: ALGORITHM, grid: prepared.grid.name, chips: plan.chips, ...report, network };
  } finally {
    await store.close();
  }
}
