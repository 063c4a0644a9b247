import { InputError } from '../../errors.js';
import { parseTaskKey, type TaskKey, taskId } from './task.js';

/** Bounds of a slice as Python takes them, over `length` entries. */
function sliceOf(text: string, length: number): number[] | null {
  const match = /^([+-]?\d*):([+-]?\d*)(?::([+-]?\d*))?$/.exec(text);
  if (!match) return null;
  const [start, stop, step = 1] = match.slice(1, 4).map((part) => (part ? Number(part) : undefined));
  if (step === 0 || Number.isNaN(step)) throw new InputError(`the slice ${text} has a step of ${match[3]}`);
  if (start !== undefined && Number.isNaN(start)) return null;
  if (stop !== undefined && Number.isNaN(stop)) return null;
  const clamp = (value: number, low: number, high: number) =>
    Math.min(high, Math.max(low, value < 0 ? value + length : value));
  const indices: number[] = [];
  if (step > 0) {
    const end = clamp(stop ?? length, 0, length);
    for (let i = clamp(start ?? 0, 0, length); i < end; i += step) indices.push(i);
  } else {
    const end = stop === undefined ? -1 : clamp(stop, -1, length - 1);
    for (let i = clamp(start ?? length - 1, -1, length - 1); i > end; i += step) indices.push(i);
  }
  return indices;
}

/**
 * Tasks of a set by ids (`2019--P1Y/5/-6`, `x+5/y-6/2019--P1Y`), zero-based indices into the sorted set, and slices of it as in Python
 * (`:10`, `-10:`, `::3`), in the order that they are named, each once. Nothing given: all.
 * @param keys of the whole set, sorted
 * @throws InputError for a task that is not in the set, an index that is negative or beyond its end, and what is none of these
 */
export function selectTasks<K extends TaskKey>(keys: readonly K[], selection: readonly string[]): K[] {
  if (selection.length === 0) return [...keys];
  const byId = new Map(keys.map((key) => [taskId(key), key]));
  const chosen = new Map<string, K>();
  const take = (key: K) => chosen.set(taskId(key), key);
  for (const given of selection) {
    const text = given.trim();
    const slice = sliceOf(text, keys.length);
    if (slice) {
      for (const index of slice) take(keys[index]!);
      continue;
    }
    if (/^[+-]?\d+$/.test(text)) {
      const index = Number(text);
      if (text.startsWith('-'))
        throw new InputError(`task ${text}: an index counts from 0; the last ones are a slice like -10:`);
      if (index >= keys.length) throw new InputError(`task ${text}: the set has ${keys.length} tasks, numbered from 0`);
      take(keys[index]!);
      continue;
    }
    const key = parseTaskKey(text);
    if (!key)
      throw new InputError(
        `not a task: ${JSON.stringify(text.slice(0, 80))}; wanted period/x/y, an index from 0, or a slice like 0:100`,
      );
    const found = byId.get(taskId(key));
    if (!found) throw new InputError(`the set has no task ${taskId(key)}`, { items: [taskId(key)] });
    take(found);
  }
  return [...chosen.values()];
}

/** Lines of a file of ids: one a line, empty ones and those from # on left out. */
export function selectionLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter(Boolean);
}
