// Sets of tasks: a folder of documents, or a cache of odc-stats.
import { FormatError, InputError, StoreError } from '../../errors.js';
import { checkGridSpec, type GridSpec } from '../../geo/gridspec.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Store } from '../../io/store.js';
import { storeFor } from '../../io/stores.js';
import { type Task, type TaskKey, taskPath } from './task.js';
import { openCacheSet } from './task-cache.js';
import { decodeTask } from './task-document.js';
import { readTaskCsv, type TaskRow } from './task-table.js';

export const SET_FORMAT = 'stackwise-tasks';
export const SET_VERSION = 1;
/** Names in a set's folder; the head is written last: a set without it is none. */
export const SET_HEAD = 'tasks.json';
export const SET_TABLE = 'tasks.csv';
export const SET_PICTURE = 'tasks.svg';

/** What a set says of itself. */
export interface TaskSetHead {
  inputProducts: string;
  gridSpec: GridSpec;
  /** As it was asked for; null where a cache does not say. */
  frequency: string | null;
  temporalRange: string | null;
  tasks: number;
  /** Distinct scenes. */
  scenes: number;
  /** Of indices in region codes. */
  digits: number;
  /** Keys of periods, and what folders call them where that differs. */
  periods: readonly { key: string; label: string; tasks: number }[];
}

/** A set that is read task by task. */
export interface TaskSet {
  url: string;
  head: TaskSetHead;
  /** Of all tasks, sorted by period, x and y. */
  rows(): Promise<TaskRow[]>;
  /** @throws StoreError or InputError when it is not there, FormatError when it is broken */
  task(key: TaskKey): Promise<Task>;
}

export interface OpenTaskSetOptions {
  store?: Store | undefined;
  signal?: AbortSignal | undefined;
  /** Where scenes lie elsewhere than they are said to, see `hrefMap`. */
  hrefMap?: ((href: string) => string) | undefined;
}

/** Limits against mistaken files. */
const MAX_DOCUMENT_BYTES = 512 * 2 ** 20;

const folderUrl = (url: string) => (url.endsWith('/') ? url : `${url}/`);

async function readText(url: string, { store = storeFor(url), signal }: OpenTaskSetOptions): Promise<string> {
  const bytes = await store.read(url, undefined, signal ? { signal } : {});
  if (bytes.length > MAX_DOCUMENT_BYTES) throw new FormatError(`${url} has ${bytes.length} bytes`, { url });
  return new TextDecoder().decode(bytes);
}

const isAbsent = (error: unknown) =>
  error instanceof StoreError && ['ENOENT', 'ENOTDIR', 404].includes(error.facts.status ?? '');

function mapped(task: Task, hrefMap: OpenTaskSetOptions['hrefMap']): Task {
  if (!hrefMap) return task;
  for (const { bands } of task.scenes) for (const band of Object.values(bands)) band.href = hrefMap(band.href);
  return task;
}

/**
 * One task of a set in a folder, in one request: its place follows from its id.
 * @throws InputError when the set has no such task, FormatError for a document that is broken or of another version
 */
export async function readTask(setUrl: string, key: TaskKey, options: OpenTaskSetOptions = {}): Promise<Task> {
  const url = folderUrl(setUrl) + taskPath(key);
  let text: string;
  try {
    text = await readText(url, options);
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new InputError(`${setUrl} has no task ${key.period}/${key.x}/${key.y}`, { url }, { cause });
  }
  const task = decodeTask(text, url);
  if (task.period.key !== key.period || task.tile.x !== key.x || task.tile.y !== key.y)
    throw new FormatError(`${url} is the task ${task.id}`, { url });
  return mapped(task, options.hrefMap);
}

function headOf(document: Json, url: string): TaskSetHead {
  if (document.format !== SET_FORMAT) throw new FormatError(`${url} is no set of tasks`, { url });
  if (document.version !== SET_VERSION)
    throw new FormatError(
      `${url} is a set of version ${document.version}, and version ${SET_VERSION} is read: save it again`,
      { url },
    );
  const { format: _, version: __, ...head } = document;
  const { gridSpec, tasks, digits, periods } = head;
  if (!isObject(gridSpec) || typeof tasks !== 'number' || typeof digits !== 'number' || !Array.isArray(periods))
    throw new FormatError(`${url} is no whole set of tasks`, { url });
  checkGridSpec(gridSpec as unknown as GridSpec);
  return head as unknown as TaskSetHead;
}

async function openFolderSet(url: string, options: OpenTaskSetOptions): Promise<TaskSet> {
  const headUrl = folderUrl(url) + SET_HEAD;
  let text: string;
  try {
    text = await readText(headUrl, options);
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new InputError(`${url} is no set of tasks: it has no ${SET_HEAD}, which is written last`, { url }, { cause });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${headUrl} is not JSON: ${(cause as Error).message}`, { url: headUrl }, { cause });
  }
  if (!isObject(document)) throw new FormatError(`${headUrl} is no set of tasks`, { url: headUrl });
  const tableUrl = folderUrl(url) + SET_TABLE;
  return {
    url,
    head: headOf(document, headUrl),
    rows: async () => readTaskCsv(await readText(tableUrl, options), tableUrl),
    task: (key) => readTask(url, key, options),
  };
}

/**
 * Opens a set of tasks: a folder that `saveTasks` wrote, local or `s3://`, or a cache (`.db`) of odc-stats.
 * @throws InputError when it is not there or was not finished, FormatError when it is broken or of another version
 */
export async function openTaskSet(url: string, options: OpenTaskSetOptions = {}): Promise<TaskSet> {
  if (!/\.db$/i.test(url)) return openFolderSet(url, options);
  const { store = storeFor(url), signal, hrefMap } = options;
  const set = await openCacheSet(url, { store, signal });
  return { ...set, task: async (key) => mapped(await set.task(key), hrefMap) };
}
