// One output tile of one period, and the scenes it is made of.
import { InputError } from '../../errors.js';
import type { NamedPeriod } from '../../geo/frequency.js';
import type { Grid } from '../../geo/grid.js';
import { type GridSpec, padded, type TileIndex } from '../../geo/gridspec.js';
import type { Scene } from '../../io/scene.js';

/** What names a task in its set: the key of its period, and its tile. */
export interface TaskKey {
  period: string;
  x: number;
  y: number;
}

/** A value of an item that a filter may ask for, or that outputs inherit. */
export type PropertyValue = string | number | boolean | readonly (string | number | boolean)[];

/** A scene of a task: all that a run and its metadata need to know. */
export interface TaskScene extends Scene {
  /** Of Open Data Cube: as its datasets are called, see `odc-uuid`. */
  uuid: string;
  /** Its collection; of a fused scene `fused__a__b`. */
  product: string;
  /** UUIDs of the scenes that were fused into this one, in the order of their products; of others none. */
  parts?: string[];
  properties: Readonly<Record<string, PropertyValue>>;
}

/** A self-contained piece of work, as plain data: one tile of a grid in one period. */
export interface Task {
  /** `2019--P1Y/5/-6` */
  id: string;
  /** What was asked for: `ga_ls8c_ard_3-ga_ls9c_ard_3`. */
  inputProducts: string;
  tile: TileIndex;
  /** `x05y-6` */
  regionCode: string;
  gridSpec: GridSpec;
  grid: Grid;
  period: NamedPeriod;
  /** From UTC to the time by the sun that its scenes were dated by. */
  solarOffsetHours: number;
  /** By time, then id. */
  scenes: TaskScene[];
}

const DAY_MS = 86_400_000;

/** Distinct days of some times: `offsetHours` 0 counts those of UTC. */
export function countDays(timesMs: readonly number[], offsetHours: number): number {
  return new Set(timesMs.map((ms) => Math.floor((ms + offsetHours * 3_600_000) / DAY_MS))).size;
}

/** `days=070 ds=0071`, as a dry run of odc-stats counts. */
export function sceneCounts(days: number, datasets: number): string {
  return `days=${String(days).padStart(3, '0')} ds=${String(datasets).padStart(4, '0')}`;
}

export function taskId({ period, x, y }: TaskKey): string {
  return `${period}/${x}/${y}`;
}

/** As odc-stats sorts: period, then x, then y. */
export function byTaskKey(a: TaskKey, b: TaskKey): number {
  return a.period < b.period ? -1 : a.period > b.period ? 1 : a.x - b.x || a.y - b.y;
}

/** `x05/y06/2019--P1Y`: where results of a task go below their product's folder; the code is cut in its middle. */
export function taskLocation(regionCode: string, periodLabel: string): string {
  const half = Math.floor(regionCode.length / 2);
  return `${regionCode.slice(0, half)}/${regionCode.slice(half)}/${periodLabel}`;
}

const PERIOD_KEY = /^[\w-]{1,40}$/;
const MAX_INDEX = 1_000_000;

function indexOf(text: string, letter: 'x' | 'y'): number {
  const match = new RegExp(`^${letter}?([+-]?\\d{1,7})$`, 'i').exec(text);
  return match ? Number(match[1]) : Number.NaN;
}

/**
 * `period/x/y` or `x/y/period`, separated by slashes or commas; the letters x and y, signs and leading zeros may stand there. Null when
 * the text is no triplet at all.
 * @throws InputError for a triplet whose parts are not these
 */
export function parseTaskKey(text: string): TaskKey | null {
  const parts = text.split(text.includes('/') ? '/' : ',').map((part) => part.trim());
  if (parts.length !== 3) return null;
  const [period, column, row] = (/^x/i.test(parts[0]!) ? [parts[2], parts[0], parts[1]] : parts) as string[];
  const [x, y] = [indexOf(column!, 'x'), indexOf(row!, 'y')];
  if (PERIOD_KEY.test(period!) && Math.abs(x) <= MAX_INDEX && Math.abs(y) <= MAX_INDEX)
    return { period: period!, x, y };
  throw new InputError(`not a task: ${JSON.stringify(text.slice(0, 80))}; wanted period/x/y like 2019--P1Y/5/-6`);
}

/** Where a task's document lies in its set; computed from the id alone, so that a worker needs nothing else. */
export function taskPath({ period, x, y }: TaskKey): string {
  return `tasks/${period}/${signed(x)}/${signed(y)}.json`;
}

/** `+0005`, as keys of odc-stats are written. */
export function signed(value: number, digits = 4): string {
  return `${value < 0 ? '-' : '+'}${padded(Math.abs(value), digits)}`;
}
