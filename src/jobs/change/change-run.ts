// Change detection from scenes into a result store, chip by chip.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { cellName } from '../../geo/chip-grid.js';
import { addTo, countedSince, type StoreMeter, storeMeter } from '../../io/meter.js';
import type { Scene } from '../../io/scene.js';
import { networkMeter } from '../../io/stores.js';
import { ALGORITHM } from '../../stats/change.js';
import { runBlocks } from '../pool.js';
import { rangeAround } from './change-area.js';
import { checkInputs } from './change-inputs.js';
import type { ChangeRunOptions } from './change-options.js';
import { type ChangePlan, chipJobs, planChanges, rowsOf } from './change-plan.js';
import { type ChangeChip, type PreparedChanges, prepareChanges } from './change-prepare.js';
import { changeRunner } from './change-runner.js';
import { withReadable } from './change-scenes.js';
import { memoryResults } from './memory-results.js';
import type { PackedRows } from './packed-rows.js';
import { chipName, writeChipJson } from './result-export.js';
import { hasResults, openResults } from './result-folder.js';
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
  /** Scenes that were left out because they could not be read, and why. */
  dropped: { id: string; reason: string }[];
  files: string[];
  /** Requests, bytes and repeated requests of this run. */
  network: StoreMeter;
}

/** Chips that have no results, or results from other inputs. */
async function chipsToRun(store: ResultStore, { chips }: PreparedChanges, refresh: boolean): Promise<ChangeChip[]> {
  if (refresh || chips.length === 0) return chips;
  const there = new Map(
    (await store.summaries(ALGORITHM, rangeAround(chips))).map((chip) => [cellName(chip), chip.inputsMd5]),
  );
  return chips.filter((chip) => there.get(cellName(chip)) !== chip.inputsMd5);
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
    nTime: toRun.reduce((most, { scenes }) => Math.max(most, scenes.length), 0),
    options,
  });
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
  // In the order of chips: few of them are under way at a time.
  const jobs = chips.flatMap((chip, place) => chipJobs(chip, { place, rows: rowsOf(plan, place) }));
  const total = jobs.reduce((sum, { window }) => sum + window.width * window.height, 0);
  const parts = new Map<number, Map<number, PackedRows>>();
  let done = 0;
  onProgress?.(done, total);
  await runBlocks(changeRunner, spec, jobs, {
    threads: plan.threads,
    describe: ({ chip, row }) => `row ${row} of chip ${chips[chip]!.h}, ${chips[chip]!.v}`,
    onResult: async ({ rows, network: moved }, { chip, row, window }) => {
      if (moved) addTo(network, moved);
      const own = parts.get(chip) ?? new Map<number, PackedRows>();
      parts.set(chip, own.set(row, rows));
      const { h, v, inputsMd5, window: whole } = chips[chip]!;
      if (own.size === Math.ceil(whole.height / rowsOf(plan, chip))) {
        parts.delete(chip);
        const inOrder = [...own].sort(([a], [b]) => a - b).map(([, part]) => part);
        await store.writePacked({ h, v, parts: inOrder, inputsMd5, producedMs: Date.now() });
        await onChip(chips[chip]!);
      }
      done += window.width * window.height;
      onProgress?.(done, total);
    },
    ...(signal && { signal }),
  });
}

/** Writes a chip's rows, in place of those of an earlier run. */
async function writeJson(store: ResultStore, at: ChangeChip, folder: string): Promise<string> {
  const chip = (await store.chip(ALGORITHM, at))!;
  const file = path.join(folder, `${chipName(store.grid, at)}.json`);
  await writeChipJson(file, { grid: store.grid, chip }, { overwrite: true });
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
  sources: string | readonly string[],
  target: ChangeTarget,
  options: ChangeRunOptions = {},
): Promise<ChangePlan> {
  const { result } = await withReadable(sources, options, async (readable) => {
    const prepared = await prepareChanges(readable, options);
    const { grid } = prepared;
    const isThere = target.store !== undefined && (await hasResults(target.store));
    const store = isThere ? await openResults(target.store!, { grid, readOnly: true }) : memoryResults(grid);
    try {
      return planOf(prepared, await chipsToRun(store, prepared, options.refresh ?? false), options);
    } finally {
      await store.close();
    }
  });
  return result;
}

/** Places of the scenes that chips meet. */
function placesOf(chips: readonly ChangeChip[]): Set<number> {
  const places = new Set<number>();
  for (const { scenes } of chips) for (const place of scenes) places.add(place);
  return places;
}

/** Runs all chips of some scenes. What threads move is added to `network`. */
async function detectReadable(
  scenes: readonly Scene[],
  { target, network }: { target: ChangeTarget; network: StoreMeter },
  options: ChangeRunOptions,
): Promise<Omit<ChangeRunSummary, 'dropped' | 'network'>> {
  const prepared = await prepareChanges(scenes, options);
  // What does not fit is said before a store is made.
  if (target.store === undefined || !(await hasResults(target.store))) planOf(prepared, prepared.chips, options);
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
    // Chips that were made of files in two states are run again next time: their inputs are others then.
    await checkInputs(prepared, [...placesOf(toRun)]);
    report.files.sort();
    return { algorithm: ALGORITHM, grid: prepared.grid.name, chips: plan.chips, ...report };
  } finally {
    await store.close();
  }
}

/**
 * Detects changes in the scenes of an area, chip by chip, into a result store, JSON, or both. Chips whose results are there for the same
 * inputs (scenes, files, options) are left as they are, so a run that was stopped goes on. A pixel that fails is recorded with its
 * reason, and the others go on. With `onError: 'skip'` a scene that cannot be read is dropped from the whole run, which begins again
 * without it; it is no input of the chips, so that they run again when it can be read.
 * @throws InputError, FormatError, StoreError… as scenes, options, the store or the memory limit demand; StoreError with status CHANGED
 * when files changed while they were read: started again, the run makes their chips anew; the reason of `signal`.
 */
export async function detectScenes(
  sources: string | readonly string[],
  target: ChangeTarget,
  options: ChangeRunOptions = {},
): Promise<ChangeRunSummary> {
  const counted = countedSince(networkMeter);
  const network = storeMeter();
  const { result, dropped } = await withReadable(sources, options, (readable) =>
    detectReadable(readable, { target, network }, options),
  );
  addTo(network, counted());
  const { files, ...summary } = result;
  return { ...summary, dropped, files, network };
}
