import { FormatError, InputError, StoreError } from '../../errors.js';
import { regionCode } from '../../geo/gridspec.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import { mapFew } from '../../io/map-few.js';
import { storeFor } from '../../io/stores.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import type { SceneArena } from './scene-arena.js';
import { taskId, taskPath } from './task.js';
import type { TaskDraft } from './task-cut.js';
import { encodeTask } from './task-document.js';
import { taskPicture } from './task-picture.js';
import { SET_FORMAT, SET_HEAD, SET_PICTURE, SET_TABLE, SET_VERSION, type TaskSetHead } from './task-set.js';
import { taskGeoJson, taskRows, writeTaskCsv } from './task-table.js';

/** Written at once. */
const AT_ONCE = 16;
/** Of folders that are looked through for old tasks. */
const MAX_OLD = 1_000_000;

export interface WriteTaskSetOptions {
  overwrite?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

const SIDE_FILE = /^(\d{4}[\d-]*--P\d+[YMD]\.geojson|tasks\.svg)$/;

const encode = (text: string) => new TextEncoder().encode(text);

/** All entries of a folder and below; none where there is no such folder. */
async function namesUnder(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await storeFor(folder).list(`${folder}/`);
  } catch (error) {
    if (error instanceof StoreError && ['ENOENT', 'ENOTDIR', 404].includes(error.facts.status ?? '')) return [];
    throw error;
  }
  const nested: string[] = [];
  for (const name of names) {
    if (name.endsWith('/'))
      nested.push(...(await namesUnder(`${folder}/${name.slice(0, -1)}`)).map((below) => name + below));
    else nested.push(name);
    if (nested.length > MAX_OLD) throw new FormatError(`${folder} holds more than ${MAX_OLD} files`, { url: folder });
  }
  return nested;
}

/** Files of a set that was here before, whole or not, that the new one does not have. */
async function removeOthers(place: OutputFolder, names: ReadonlySet<string>): Promise<void> {
  const folder = place.pathOf('tasks').replace(/\/$/, '');
  const tasks = (await namesUnder(folder)).map((name) => `tasks/${name}`);
  const tables = (await storeFor(folder).list(place.pathOf(''))).filter((name) => SIDE_FILE.test(name));
  const old = [...tasks, ...tables].filter((name) => !names.has(name));
  await mapFew(old, AT_ONCE, (name) => place.remove(place.pathOf(name)));
}

/** Whether a folder has a finished set. */
export async function hasTaskSet(url: string): Promise<boolean> {
  const place = outputFolder(url);
  return place.has(place.pathOf(SET_HEAD));
}

/**
 * Writes a set into a folder: a document a task, tables, a picture, and last of all its head. An old set loses its head first, so that at
 * no time a mixture of both is taken for a set.
 * @throws InputError when there is a set and `overwrite` is not given
 * @returns paths of what people look at
 */
export async function writeTaskSet(
  url: string,
  { drafts, arena, head }: { drafts: readonly TaskDraft[]; arena: SceneArena; head: TaskSetHead },
  { overwrite, signal, onProgress }: WriteTaskSetOptions = {},
): Promise<string[]> {
  const place = outputFolder(url);
  const headPath = place.pathOf(SET_HEAD);
  if (await place.has(headPath)) {
    if (!overwrite)
      throw new InputError(`${url} is a set of tasks already: give --overwrite to replace it, or another --out`);
    await place.remove(headPath);
  }
  await place.make();
  let done = 0;
  const writeTask = async (draft: TaskDraft): Promise<void> => {
    signal?.throwIfAborted();
    const { x, y, named, solarOffsetHours, scenes } = draft;
    const facts = {
      id: taskId(draft),
      inputProducts: head.inputProducts,
      tile: { x, y },
      regionCode: regionCode(draft, head.digits),
      gridSpec: head.gridSpec,
      period: named,
      solarOffsetHours,
    };
    const path = place.pathOf(taskPath(draft));
    await place.makeFor(path);
    const encoded = scenes.map((scene) => arena.encoded(scene));
    await place.write(path, encodeTask(facts, encoded, arena.tables));
    done++;
    onProgress?.(done, drafts.length);
  };
  await mapFew(drafts, AT_ONCE, writeTask);

  const outlines = await tileOutlines(head.gridSpec);
  const files = new Map<string, string>();
  for (const [period, some] of groupedByPeriod(drafts))
    files.set(`${period}.geojson`, `${JSON.stringify(taskGeoJson(some, outlines, head.digits))}\n`);
  const rows = taskRows(drafts);
  files.set(SET_TABLE, writeTaskCsv(rows));
  if (rows.length > 0)
    files.set(SET_PICTURE, taskPicture(rows, { products: head.inputProducts, grid: head.gridSpec.name }));
  for (const [name, text] of files) await place.write(place.pathOf(name), encode(text));
  await removeOthers(place, new Set([...files.keys(), ...drafts.map(taskPath)]));
  const document = { format: SET_FORMAT, version: SET_VERSION, ...head };
  await place.write(headPath, encode(`${JSON.stringify(document, null, 2)}\n`));
  return [headPath, ...[...files.keys()].filter((name) => !name.endsWith('.geojson')).map(place.pathOf)];
}

function groupedByPeriod(drafts: readonly TaskDraft[]): Map<string, TaskDraft[]> {
  const groups = new Map<string, TaskDraft[]>();
  for (const draft of drafts) {
    const group = groups.get(draft.period) ?? [];
    group.push(draft);
    groups.set(draft.period, group);
  }
  return groups;
}
