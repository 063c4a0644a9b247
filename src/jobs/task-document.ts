// A task as JSON: what scenes share (grids, what is known of bands) is said once, file names are cut where they agree.
import { FormatError } from '../errors.js';
import type { Grid } from '../geo/grid.js';
import { checkGridSpec, tileGrid } from '../geo/gridspec.js';
import type { SceneBand } from '../io/scene.js';
import { isObject, type Json } from '../io/stac-item.js';
import type { Task, TaskScene } from './task.js';

export const TASK_FORMAT = 'stackwise-task';
export const TASK_VERSION = 1;

/** Values that scenes share, under names that are short. */
export interface SharedTable {
  nameOf(value: unknown): string;
  /** JSON by name. */
  json: ReadonlyMap<string, string>;
}

function sharedTable(letter: string): SharedTable {
  const names = new Map<string, string>();
  const json = new Map<string, string>();
  return {
    json,
    nameOf(value) {
      const text = JSON.stringify(value);
      let name = names.get(text);
      if (name === undefined) {
        name = `${letter}${names.size}`;
        names.set(text, name);
        json.set(name, text);
      }
      return name;
    },
  };
}

/** What the scenes of a set share. */
export interface SharedTables {
  grids: SharedTable;
  kinds: SharedTable;
}

export function sharedTables(): SharedTables {
  return { grids: sharedTable('g'), kinds: sharedTable('k') };
}

/** A scene as JSON, and the names in it that lead to tables. */
export interface EncodedScene {
  json: string;
  kind: string;
  grids: readonly string[];
}

const numberName = (value: number) =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
const NUMBER_NAMES: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };

function commonFolder(hrefs: readonly string[]): string {
  let shared = hrefs[0] ?? '';
  for (const href of hrefs) while (!href.startsWith(shared)) shared = shared.slice(0, -1);
  return shared.slice(0, shared.lastIndexOf('/') + 1);
}

export function encodeScene({ bands, ...facts }: TaskScene, tables: SharedTables): EncodedScene {
  const entries = Object.entries(bands);
  const base = commonFolder(entries.map(([, { href }]) => href));
  const used = new Set<string>();
  const gridName = (grid: Grid | null) => {
    if (!grid) return null;
    const name = tables.grids.nameOf(grid);
    used.add(name);
    return name;
  };
  const kind = tables.kinds.nameOf(
    Object.fromEntries(
      entries.map(([key, { href: _, grid: __, ...known }]) => [
        key,
        { ...known, ...(typeof known.nodata === 'number' && { nodata: numberName(known.nodata) }) },
      ]),
    ),
  );
  const files = Object.fromEntries(
    entries.map(([key, { href, grid }]) => [key, [href.slice(base.length), gridName(grid)]]),
  );
  const json = JSON.stringify({ ...facts, kind, base, files });
  return { json, kind, grids: [...used] };
}

/** All of a task but its scenes. */
export type TaskHead = Omit<Task, 'scenes' | 'grid'>;

export function encodeTask(head: TaskHead, scenes: Iterable<EncodedScene>, tables: SharedTables): string {
  const lines: string[] = [];
  const kinds = new Set<string>();
  const grids = new Set<string>();
  for (const scene of scenes) {
    lines.push(scene.json);
    kinds.add(scene.kind);
    for (const name of scene.grids) grids.add(name);
  }
  const table = ({ json }: SharedTable, names: Set<string>) =>
    `{${[...names].map((name) => `"${name}":${json.get(name)}`).join(',\n')}}`;
  const facts = JSON.stringify({ format: TASK_FORMAT, version: TASK_VERSION, ...head }).slice(0, -1);
  return `${facts},\n"grids":${table(tables.grids, grids)},\n"kinds":${table(tables.kinds, kinds)},\n"scenes":[\n${lines.join(',\n')}\n]}\n`;
}

/** The inverse of {@link encodeScene}. */
export function decodeScene(value: Json, { grids, kinds }: { grids: Json; kinds: Json }): TaskScene {
  const { kind, base, files, ...facts } = value as Json & { base: string };
  const known = kinds[String(kind)] as Json;
  const bands: Record<string, SceneBand> = Object.create(null);
  for (const [key, [file, grid]] of Object.entries(files as Record<string, [string, string | null]>)) {
    const own = known[key] as unknown as Omit<SceneBand, 'href' | 'grid'>;
    const { nodata } = own as { nodata?: unknown };
    bands[key] = {
      ...own,
      nodata: typeof nodata === 'string' ? (NUMBER_NAMES[nodata] ?? null) : own.nodata,
      href: base + file,
      grid: grid === null ? null : (grids[grid] as unknown as Grid),
    };
  }
  return { ...(facts as unknown as TaskScene), bands };
}

/** What a document must have of which type for the code behind it to hold; what the numbers mean is checked where they are used. */
function isWhole(document: Json): boolean {
  const { id, regionCode, tile, gridSpec, period, scenes, grids, kinds, solarOffsetHours } = document;
  const texts = [id, regionCode].every((value) => typeof value === 'string');
  const objects = [tile, gridSpec, period, grids, kinds].every(isObject);
  if (!texts || !objects || typeof solarOffsetHours !== 'number' || !Array.isArray(scenes)) return false;
  const sound = (scene: unknown) =>
    isObject(scene) &&
    typeof scene.id === 'string' &&
    typeof scene.timeMs === 'number' &&
    typeof scene.base === 'string' &&
    isObject(scene.properties) &&
    isObject((kinds as Json)[String(scene.kind)]) &&
    isObject(scene.files) &&
    Object.entries(scene.files).every(
      ([key, file]) =>
        Array.isArray(file) &&
        typeof file[0] === 'string' &&
        (file[1] === null || isObject((grids as Json)[String(file[1])])) &&
        isObject(((kinds as Json)[String(scene.kind)] as Json)[key]),
    );
  return scenes.every(sound);
}

/**
 * Reads a task's document.
 * @param url where it lies, for messages
 * @throws FormatError for text that is none, is not whole, or is of another version
 */
export function decodeTask(text: string, url: string): Task {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${url} is not JSON: ${(cause as Error).message}`, { url }, { cause });
  }
  if (!isObject(document) || document.format !== TASK_FORMAT) throw new FormatError(`${url} is no task`, { url });
  if (document.version !== TASK_VERSION)
    throw new FormatError(`${url} is a task of version ${document.version}, and version ${TASK_VERSION} is read`, {
      url,
    });
  if (!isWhole(document)) throw new FormatError(`${url} is no whole task`, { url });
  const { format: _, version: __, grids, kinds, scenes, ...facts } = document;
  const head = facts as unknown as TaskHead;
  return {
    ...head,
    grid: tileGrid(checkGridSpec(head.gridSpec), head.tile),
    scenes: (scenes as Json[]).map((scene) => decodeScene(scene, { grids: grids as Json, kinds: kinds as Json })),
  };
}
