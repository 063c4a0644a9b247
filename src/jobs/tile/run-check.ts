// What a run would do, and whether it could.
import { setMaxListeners } from 'node:events';
import { messageOf, StackwiseError, StoreError, UnsupportedError } from '../../errors.js';
import { mapFew } from '../../io/map-few.js';
import type { Scene } from '../../io/scene.js';
import { openOutput, storeFor } from '../../io/stores.js';
import { detectSensor, findBand } from '../../stats/sensors.js';
import { outputFolder } from '../output-folder.js';
import { NO_OVERLAP } from '../prepare.js';
import { countDays, sceneCounts, type TaskKey, taskId } from '../task/task.js';
import { type RunOptions, type RunSettings, settingNotes, settleRun } from './run-settings.js';
import { type ChosenTasks, chooseTasks } from './run-tasks.js';
import { prepareTile, reasonOf, type TileState, type TileWork, tileState, tileWork } from './tile-run.js';

export interface CheckedTask {
  id: string;
  /** `x05/y06/2019--P1Y days=070 ds=0071 s3://…/….stac-item.json (new)`, as a dry run of odc-stats prints it. */
  line: string;
  /** What stands in its way, in one line; null: nothing was found. */
  trouble: string | null;
}

/** Files that are asked for at a time. */
const AT_ONCE = 16;

/** What there is, as odc-stats calls what will be done about it. */
function flagOf(state: TileState | null, overwrite: boolean | undefined): string {
  if (state === null) return '';
  if (state === 'new') return ' (new)';
  return state === 'same' && !overwrite ? ' (skip)' : ' (recompute)';
}

function lineOf({ task, names, itemUrl }: TileWork, flag: string): string {
  const days = countDays(
    task.scenes.map(({ timeMs }) => timeMs),
    0,
  );
  return `${names.folder} ${sceneCounts(days, task.scenes.length)} ${itemUrl}${flag}`;
}

/** Asks each file once, and a store that does not answer not again. */
class Inputs {
  readonly #known = new Map<string, Promise<string | null>>();
  readonly #silent = new Map<string, string>();
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  trouble(href: string): Promise<string | null> {
    const known = this.#known.get(href) ?? this.#ask(href);
    this.#known.set(href, known);
    return known;
  }

  /** The trouble with the store that a file lies in, where it did not answer before. */
  silence(href: string): string | null {
    return this.#silent.get(hostOf(href)) ?? null;
  }

  async #ask(href: string): Promise<string | null> {
    const silent = this.silence(href);
    if (silent !== null) return silent;
    try {
      await storeFor(href).stat(href, this.#signal ? { signal: this.#signal } : {});
      return null;
    } catch (error) {
      this.#signal?.throwIfAborted();
      const isOfFile = error instanceof StoreError && [404, 'ENOENT'].includes(error.facts.status ?? '');
      if (!isOfFile) this.#silent.set(hostOf(href), messageOf(error));
      return messageOf(error);
    }
  }
}

const hostOf = (href: string) => /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(href)?.[0] ?? href;

/** Whether files can be written to a place, found out by beginning one that never gets a name; null: they can. */
async function destinationTrouble(location: string): Promise<string | null> {
  try {
    const sink = await openOutput(outputFolder(await outputFolder(location).nearest()).pathOf('.stackwise-probe'), {
      overwrite: true,
    });
    await sink.abort();
    return null;
  } catch (error) {
    return `nothing can be written to ${location}: ${messageOf(error)}`;
  }
}

/** Of each scene the file of the first band that is read; any where it has none of that name, which is told when it is looked at closer. */
function firstFiles(scenes: readonly Scene[], [first]: readonly string[]): string[] {
  const sensor = detectSensor(scenes);
  return scenes.flatMap((scene) => {
    const own = first === undefined ? null : findBand(scene, first, sensor);
    return (own ?? Object.values(scene.bands)[0])?.href ?? [];
  });
}

/** What looking at the inputs of a task told. */
interface InputCheck {
  /** Null: all is well. */
  trouble: string | null;
  /** There is nothing to make: the run will skip it. */
  isEmpty: boolean;
}

/** One file of each scene, and the heads of those that are looked at before a run. */
async function checkInputs(
  work: TileWork,
  settings: RunSettings,
  { inputs, canRun }: Pick<Checks, 'inputs' | 'canRun'>,
): Promise<InputCheck> {
  const { scenes } = work.task;
  const troubled = (trouble: string | null): InputCheck => ({ trouble, isEmpty: false });
  const empty = (reason: string): InputCheck => {
    settings.options.onNote?.(`${work.task.id}: nothing to make: ${reason}`);
    return { trouble: null, isEmpty: true };
  };
  if (scenes.length === 0) return empty('none of its scenes passes dataset_filters');
  const first = firstFiles(scenes, canRun ? settings.recipe().bands : []);
  const found = await mapFew(first, AT_ONCE, (href) => inputs.trouble(href));
  const lacking = found.filter((one) => one !== null);
  const { onError, onNote, signal } = settings.options;
  const mayDrop = onError === 'skip' && lacking.length < found.length && !first.some((href) => inputs.silence(href));
  if (lacking.length > 0) {
    const text = `${lacking.length} of ${scenes.length} scenes cannot be read: ${lacking[0]}`;
    if (!mayDrop) return troubled(text);
    onNote?.(`${work.task.id}: ${text}; they will be dropped`);
  }
  if (!canRun) return troubled(null);
  try {
    const tell = (text: string) => onNote?.(`${work.task.id}: ${text}`);
    await prepareTile(work, settings, { signal, onNote: mayDrop ? tell : undefined });
    return troubled(null);
  } catch (error) {
    settings.options.signal?.throwIfAborted();
    if (!(error instanceof StackwiseError)) throw error;
    return error.facts.status === NO_OVERLAP ? empty(error.message) : troubled(reasonOf(error, settings));
  }
}

/**
 * Lists what a run would do task by task, and looks whether it could: the destination takes files, each scene has its first file, and
 * bands, masks and memory are as they must be. Nothing is computed and nothing stays written.
 * @throws InputError for options that mean nothing and sets that are not there
 */
export async function* checkRun(
  url: string,
  selection: readonly string[],
  options: RunOptions,
): AsyncGenerator<CheckedTask> {
  const settings = settleRun(options);
  const { signal, onNote = () => {} } = options;
  // Each file that is asked for listens.
  if (signal) setMaxListeners(0, signal);
  const chosen = await chooseTasks(url, selection, settings);
  const canRun = recipeIsThere(settings, onNote);
  for (const note of canRun ? settingNotes(settings) : settings.cog.notes) onNote(note);
  const trouble = await destinationTrouble(settings.location);
  if (trouble !== null) onNote(trouble);
  const inputs = new Inputs(signal);
  for (const key of chosen.keys) {
    signal?.throwIfAborted();
    yield await checkTask(key, chosen, settings, { inputs, destination: trouble, canRun });
  }
}

function recipeIsThere(settings: RunSettings, onNote: (text: string) => void): boolean {
  try {
    settings.recipe();
    return true;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    onNote(error.message);
    return false;
  }
}

/** What is known before tasks are looked at. */
interface Checks {
  inputs: Inputs;
  /** The trouble with it. */
  destination: string | null;
  /** Whether the plugin is here. */
  canRun: boolean;
}

async function checkTask(
  key: TaskKey,
  chosen: ChosenTasks,
  settings: RunSettings,
  checks: Checks,
): Promise<CheckedTask> {
  const { destination } = checks;
  const id = taskId(key);
  const { signal, overwrite } = settings.options;
  let work: TileWork;
  let stage = 'read';
  try {
    const task = await chosen.read(key);
    stage = 'made';
    work = tileWork(task, settings);
  } catch (error) {
    signal?.throwIfAborted();
    return { id, line: `${id} cannot be ${stage}`, trouble: messageOf(error) };
  }
  let state: TileState | null = null;
  let trouble = destination;
  if (destination === null)
    try {
      state = await tileState(work, signal);
    } catch (error) {
      signal?.throwIfAborted();
      trouble = messageOf(error);
    }
  const isDone = state === 'same' && !overwrite;
  const found = isDone ? null : await checkInputs(work, settings, checks);
  const troubles = [trouble, found?.trouble ?? null].filter((one) => one !== null);
  const flag = found?.isEmpty ? ' (skip)' : flagOf(state, overwrite);
  return { id, line: lineOf(work, flag), trouble: troubles.join('; ') || null };
}
