// One task from its scenes to its files.
import { environment } from '#platform';
import { InputError, StackwiseError } from '../../errors.js';
import { tileGrid } from '../../geo/gridspec.js';
import type { Scene } from '../../io/scene.js';
import { isObject, type Json } from '../../io/stac-item.js';
import { storeFor } from '../../io/stores.js';
import { formatBytes } from '../../limit.js';
import { formatMask } from '../../stats/mask-recipe.js';
import { detectSensor, findBand } from '../../stats/sensors.js';
import type { PhaseMs } from '../../stats/spec.js';
import type { CompositeOptions } from '../composite-options.js';
import type { KeptBlocks } from '../kept-blocks.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import { drawThumbnail } from '../picture/thumbnail.js';
import { type Prepared, prepareComposite } from '../prepare.js';
import { type RunOutcome, runWithout, withoutUnreadable } from '../run.js';
import type { Task } from '../task/task.js';
import { passesFilter } from '../task/task-property.js';
import type { Gate } from './gate.js';
import type { Product } from './product.js';
import { type RunSettings, withResolution } from './run-settings.js';
import { doneWithBlocks, tileBlocks } from './tile-blocks.js';
import { sumsOf, tileDocuments } from './tile-documents.js';
import { sourceUuids, type TileNames, tileNames, tileUuid } from './tile-name.js';
import type { TileFile, TileResult } from './tile-result.js';
import { type TileRasters, tileSink } from './tile-sink.js';

/** A task as this run sees it: its scenes filtered, its grid in the pixels asked for, and where its files go. */
export interface TileWork {
  task: Task;
  product: Product;
  uuid: string;
  names: TileNames;
  /** Path or URL of the folder of its files, and of the item that says that they are whole. */
  folder: string;
  itemUrl: string;
}

/** @throws InputError where the pixels asked for do not divide the tile */
export function tileWork(given: Task, { filter, product, location, options }: RunSettings): TileWork {
  const scenes = filter
    ? given.scenes.filter(({ properties, timeMs }) => passesFilter(filter, properties as Json, timeMs))
    : given.scenes;
  const { resolution } = options;
  const gridSpec = resolution === undefined ? given.gridSpec : withResolution(given.gridSpec, resolution);
  const task = { ...given, scenes, gridSpec, grid: tileGrid(gridSpec, given.tile) };
  const names = tileNames(task, product);
  const place = outputFolder(`${location}/${names.folder}`);
  const itemUrl = place.pathOf(names.item);
  const folder = itemUrl.slice(0, -names.item.length - 1);
  return { task, product, uuid: tileUuid(product, task), names, folder, itemUrl };
}

/** What there is of a task's outputs: nothing, what this run would make, or something made of other inputs, of another version, or in other pixels. */
export type TileState = 'new' | 'same' | 'stale';

/**
 * Asks for the item of a task.
 * @throws StoreError when the store does not say whether it is there
 */
export async function tileState(work: TileWork, signal?: AbortSignal): Promise<TileState> {
  const { task, uuid, folder, itemUrl } = work;
  if (!(await outputFolder(folder).has(itemUrl))) return 'new';
  const bytes = await storeFor(itemUrl).read(itemUrl, undefined, signal ? { signal } : {});
  let item: unknown;
  try {
    item = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return 'stale';
  }
  if (isOtherTile(item, work)) return 'stale';
  const sources = inputsOf(item);
  if (sources === null) return isObject(item) && item.id === uuid ? 'same' : 'stale';
  const wanted = sourceUuids(task.scenes);
  return sources.size === wanted.length && wanted.every((id) => sources.has(id)) ? 'same' : 'stale';
}

/** Whether an item says that it is of another product, version or size of pixels. */
function isOtherTile(item: unknown, { task, product }: TileWork): boolean {
  const properties = isObject(item) && isObject(item.properties) ? item.properties : {};
  const { 'odc:product': name, 'odc:dataset_version': version, 'proj:shape': shape } = properties;
  const isOther = (stated: unknown, wanted: string) => typeof stated === 'string' && stated !== wanted;
  const isOtherSize = Array.isArray(shape) && String(shape) !== String([task.grid.height, task.grid.width]);
  return isOther(name, product.name) || isOther(version, product.version) || isOtherSize;
}

/** UUIDs of the inputs that an item was made of, those that were dropped with them; null where it does not say. */
function inputsOf(item: unknown): Set<string> | null {
  const properties = isObject(item) && isObject(item.properties) ? item.properties : {};
  const lineage = properties['odc:lineage'];
  if (!isObject(lineage)) return null;
  const dropped = properties['stackwise:dropped'];
  const lists = [...Object.values(lineage), ...(Array.isArray(dropped) ? [dropped.map((one) => one?.uuid)] : [])];
  return new Set(lists.flat().filter((id): id is string => typeof id === 'string'));
}

/** The options of a composite that make a task's tile. */
export function tileOptions({ task }: TileWork, settings: RunSettings): CompositeOptions {
  const { options, threads, taskMemoryBytes } = settings;
  const recipe = settings.recipe();
  const { compat, onError } = options;
  const offset = options.offset ?? (compat === 'odc' ? 'none' : undefined);
  return {
    bands: recipe.bands,
    statistics: recipe.statistics,
    masks: maskTexts(task.scenes, recipe),
    maskWhen: recipe.maskWhen,
    group: recipe.group,
    resampling: recipe.resampling,
    coarseBands: 'copied',
    like: task.grid,
    threads,
    outputTilePx: Math.max(...recipe.outputs.map(({ name }) => settings.cog.choicesFor(name).tileSize ?? 512)),
    ...(recipe.transformCode !== null && { transformCode: recipe.transformCode }),
    ...(compat && { compat }),
    ...(offset && { offset }),
    ...(options.nodata !== undefined && { nodata: options.nodata }),
    ...(onError && { onError }),
    memoryLimitBytes: taskMemoryBytes,
  };
}

function maskTexts(scenes: readonly Scene[], { masks, contiguity }: ReturnType<RunSettings['recipe']>): string[] {
  const texts = masks.map(formatMask);
  const [first] = scenes;
  if (contiguity !== null && first && findBand(first, contiguity, detectSensor(scenes)))
    texts.push(`${contiguity} drop 0`);
  return texts.length > 0 ? texts : ['none'];
}

/** Why a task failed, in one line. */
export function reasonOf(error: unknown, { concurrency, options: { memoryLimitBytes } }: RunSettings): string {
  const message = error instanceof Error ? error.message : String(error);
  const isShare = error instanceof StackwiseError && error.facts.option === 'memory-limit' && concurrency > 1;
  if (!isShare || memoryLimitBytes === undefined) return message;
  return `${message}; each of ${concurrency} tasks at a time has its part of ${formatBytes(memoryLimitBytes)}`;
}

/** Looks at what a task needs, without running it, and as a run does, without unreadable scenes where they may be skipped. */
export async function prepareTile(
  work: TileWork,
  settings: RunSettings,
  { signal, onNote }: { signal?: AbortSignal | undefined; onNote?: ((text: string) => void) | undefined } = {},
): Promise<Prepared> {
  const options: CompositeOptions = { ...tileOptions(work, settings), onWarning: onNote, ...(signal && { signal }) };
  const { result } = await withoutUnreadable(work.task.scenes, options, (readable) =>
    prepareComposite(readable, options),
  );
  return result;
}

/** Where the time and the bytes of a task went. */
export interface TileCost {
  /** Of the clock: looking at inputs, waiting for a place, blocks, files and documents. */
  seconds: { prepare: number; wait: number; blocks: number; write: number };
  /** Of all threads together. */
  threadMs: PhaseMs;
  bytes: { read: number; written: number };
  requests: number;
  blocks: { total: number; restored: number };
  px: number;
}

export interface TileHooks {
  /** Lets tasks compute, so many at a time. */
  gate: Gate;
  signal?: AbortSignal | undefined;
  onNote: (text: string) => void;
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  /** Told of the tile when its rasters are whole, before it has an item: what that links to can be made. */
  onTile?: ((result: TileResult) => Promise<void>) | undefined;
}

/**
 * Makes the files of a task: rasters first, then its documents, and last of all the item.
 * @returns null where another process made them while this one was on its way
 * @throws what reading, options, the memory limit and the stores demand; nothing half-made keeps a final name that its item would vouch for
 */
export async function runTile(
  work: TileWork,
  settings: RunSettings,
  hooks: TileHooks,
): Promise<{ result: TileResult; cost: TileCost } | null> {
  const place = outputFolder(work.folder);
  await place.make();
  const claim = await place.claim(work.names.title);
  try {
    if (!settings.options.overwrite && (await tileState(work, hooks.signal)) === 'same') return null;
    return await makeTile(work, place, settings, hooks);
  } finally {
    await claim.release();
  }
}

async function makeTile(work: TileWork, place: OutputFolder, settings: RunSettings, hooks: TileHooks) {
  const { task, names } = work;
  const { signal, onNote, onProgress, gate } = hooks;
  const clock = { began: performance.now(), ready: 0, entered: 0, computed: 0 };
  let leave: () => void = () => {};
  let kept: KeptBlocks | null = null;
  const options: CompositeOptions = { ...tileOptions(work, settings), onWarning: onNote, onProgress, signal };
  const run = await runWithout(task.scenes, options, async (prepared) => {
    clock.ready = performance.now();
    leave = await gate.enter(signal);
    clock.entered = performance.now();
    try {
      kept = await tileBlocks(prepared, work.itemUrl, settings, hooks);
      await place.sweep(fileNames(names, settings));
      const onComputed = () => {
        clock.computed = performance.now();
        leave();
      };
      const sink = await tileSink(prepared, { place, names, recipe: settings.recipe(), settings, signal, onComputed });
      return kept?.around(sink) ?? sink;
    } catch (error) {
      leave();
      await kept?.leave(error);
      throw error;
    }
  }).finally(() => leave());
  const files = [...run.result.files];
  let result: TileResult;
  try {
    result = await documented(work, { run, files, place, settings, hooks });
  } catch (error) {
    // The item may be there though its writing failed: it goes first, and where it does not its files stay.
    await place.remove(work.itemUrl).then(
      () => Promise.allSettled(files.map(({ name }) => place.remove(place.pathOf(name)))),
      () => {},
    );
    await (kept as KeptBlocks | null)?.leave(error);
    throw error;
  }
  await doneWithBlocks(kept, work.itemUrl, settings, onNote);
  const end = performance.now();
  const seconds = (from: number, to: number) => Math.max(0, to - from) / 1000;
  const cost: TileCost = {
    seconds: {
      prepare: seconds(clock.began, clock.ready),
      wait: seconds(clock.ready, clock.entered),
      blocks: seconds(clock.entered, clock.computed),
      write: seconds(clock.computed, end),
    },
    threadMs: run.ms,
    bytes: { read: run.network.bytes + run.diskBytes, written: files.reduce((sum, { bytes }) => sum + bytes, 0) },
    requests: run.network.requests,
    blocks: { total: run.prepared.plan.blocks.length, restored: run.restoredBlocks },
    px: task.grid.width * task.grid.height,
  };
  return { result, cost };
}

/** Names that this run gives to files. */
function fileNames(names: TileNames, settings: RunSettings): string[] {
  const bands = settings.recipe().outputs.map(({ name }) => names.band(name));
  return [...bands, names.rgba, names.thumbnail('png'), names.sha1, names.record, names.dataset, names.item];
}

/** Takes away what runs that were killed left of a tile that is whole: they were about to tidy up, or to make it anew. */
export async function tidyTile(work: TileWork, settings: RunSettings, onNote: (text: string) => void): Promise<void> {
  const place = outputFolder(work.folder);
  if (await place.freeDead(work.names.title)) await place.sweep(fileNames(work.names, settings));
  await doneWithBlocks(null, work.itemUrl, settings, onNote);
}

/** Draws the thumbnail and writes the documents, the item last. */
async function documented(
  work: TileWork,
  made: {
    run: RunOutcome<TileRasters>;
    files: TileFile[];
    place: OutputFolder;
    settings: RunSettings;
    hooks: TileHooks;
  },
): Promise<TileResult> {
  const { task, names, folder, uuid } = work;
  const {
    run,
    files,
    place,
    settings,
    hooks: { signal, onTile },
  } = made;
  const { product, options, config } = settings;
  const withEo3 = options.eodatasets3 ?? true;
  const write = async (name: string, bytes: Uint8Array) => {
    signal?.throwIfAborted();
    await place.write(place.pathOf(name), bytes);
  };
  if (withEo3 && settings.style) {
    const bands = new Map(files.map(({ key, name }) => [key, place.pathOf(name)]));
    const { bytes, mediaType } = await drawThumbnail({ style: settings.style, bands, ...(signal && { signal }) });
    const name = names.thumbnail('png');
    await write(name, bytes);
    files.push({ name, kind: 'thumbnail', key: 'thumbnail', mediaType, ...sumsOf(bytes), raster: null });
  }
  // Scenes that turn out to lie beside the tile are inputs as far as names go: theirs cannot know it.
  const unread = run.dropped.slice(run.prepared.dropped.length);
  const dropped = unread.map((one) => ({ ...one, uuid: task.scenes.find(({ id }) => id === one.id)!.uuid }));
  const used = { ...task, scenes: task.scenes.filter(({ id }) => !dropped.some((one) => one.id === id)) };
  const result: TileResult = {
    task: used,
    product,
    grid: run.prepared.spec.grid,
    uuid: dropped.length > 0 ? tileUuid(product, used) : uuid,
    title: names.title,
    regionCode: names.regionCode,
    folder,
    files,
    footprint: run.result.footprint,
    dropped,
    plugin: settings.plugin.name,
    config,
    processedAt: processingTime(),
  };
  const documents = await tileDocuments(result, { eodatasets: withEo3 });
  await onTile?.(result);
  for (const { name, bytes } of documents.files) await write(name, bytes);
  return result;
}

/** Now, or the moment that `SOURCE_DATE_EPOCH` (seconds) names: the usual way to make equal runs byte for byte equal. */
function processingTime(): string {
  const stated = Number(environment().SOURCE_DATE_EPOCH || Number.NaN);
  return new Date(Number.isFinite(stated) ? stated * 1000 : Date.now()).toISOString();
}

/** A task that took too long. */
export function tooLong(seconds: number): StackwiseError {
  return new InputError(`it took longer than ${seconds} s, which is the most that max_processing_time allows`);
}
