// A task as JSON: what scenes share (grids, what is known of bands) is said once, file names are cut where they agree.
import { FormatError } from '../../errors.js';
import type { Grid } from '../../geo/grid.js';
import { checkGridSpec, tileGrid } from '../../geo/gridspec.js';
import { joinBytes } from '../../io/join-bytes.js';
import type { SceneBand } from '../../io/scene.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Task, TaskScene } from './task.js';

export const TASK_FORMAT = 'stackwise-task';
export const TASK_VERSION = 1;

/** Values that scenes share, under names that are short. */
export interface SharedTable<T> {
  nameOf(value: T): string;
  /** JSON by name. */
  json: ReadonlyMap<string, string>;
}

/** @param keyOf text that is the same for equal values; cheaper than their JSON, which is made once of each */
function sharedTable<T>(letter: string, keyOf: (value: T) => string, shown: (value: T) => unknown): SharedTable<T> {
  const names = new Map<string, string>();
  const json = new Map<string, string>();
  return {
    json,
    nameOf(value) {
      const key = keyOf(value);
      let name = names.get(key);
      if (name === undefined) {
        name = `${letter}${names.size}`;
        names.set(key, name);
        json.set(name, JSON.stringify(shown(value)));
      }
      return name;
    },
  };
}

type Bands = TaskScene['bands'];

/** What the scenes of a set share. */
export interface SharedTables {
  grids: SharedTable<Grid>;
  /** What is known of bands, but for their files. */
  kinds: SharedTable<Bands>;
}

function gridKey({ crs, affine, width, height }: Grid): string {
  const system = crs.definition === null && crs.geoKeys === null ? crs.epsg : JSON.stringify(crs);
  return `${system} ${width} ${height} ${affine.join()}`;
}

function kindKey(bands: Bands): string {
  let key = '';
  for (const [name, band] of Object.entries(bands)) {
    const { bandIndex, name: own, commonName, dtype, nodata, scale, offset } = band;
    key += `${name}\n${bandIndex}\n${own}\n${commonName}\n${dtype}\n${nodata}\n${scale}\n${offset}\n`;
  }
  return key;
}

function kindOf(bands: Bands): Json {
  const known = Object.entries(bands).map(([key, { href: _, grid: __, ...facts }]) => {
    return [key, { ...facts, ...(typeof facts.nodata === 'number' && { nodata: numberName(facts.nodata) }) }];
  });
  return Object.fromEntries(known);
}

export function sharedTables(): SharedTables {
  return {
    grids: sharedTable('g', gridKey, (grid) => grid),
    kinds: sharedTable('k', kindKey, kindOf),
  };
}

/** A scene as JSON, and the names in it that lead to tables. */
export interface EncodedScene {
  json: Uint8Array;
  kind: string;
  grids: readonly string[];
}

const numberName = (value: number) =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
const NUMBER_NAMES: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };

function commonFolder(hrefs: readonly string[]): string {
  const [first = ''] = hrefs;
  let end = first.lastIndexOf('/') + 1;
  for (const href of hrefs)
    while (end > 0 && !href.startsWith(first.slice(0, end))) end = first.lastIndexOf('/', end - 2) + 1;
  return first.slice(0, end);
}

/** The JSON of a scene as text; {@link EncodedScene} has it as bytes. */
export function encodeScene(
  { bands, ...facts }: TaskScene,
  { grids, kinds }: SharedTables,
): Omit<EncodedScene, 'json'> & { text: string } {
  const base = commonFolder(Object.values(bands).map(({ href }) => href));
  const used = new Set<string>();
  const files: Record<string, readonly [string, string | null]> = {};
  const names = new Map<Grid, string>();
  for (const [key, { href, grid }] of Object.entries(bands)) {
    const name = grid && (names.get(grid) ?? grids.nameOf(grid));
    if (grid && name) {
      names.set(grid, name);
      used.add(name);
    }
    files[key] = [href.slice(base.length), name];
  }
  const kind = kinds.nameOf(bands);
  return { text: JSON.stringify({ ...facts, kind, base, files }), kind, grids: [...used] };
}

/** All of a task but its scenes. */
export type TaskHead = Omit<Task, 'scenes' | 'grid'>;

export function encodeTask(head: TaskHead, scenes: readonly EncodedScene[], tables: SharedTables): Uint8Array {
  const kinds = new Set(scenes.map(({ kind }) => kind));
  const grids = new Set(scenes.flatMap((scene) => scene.grids));
  const table = (json: ReadonlyMap<string, string>, names: Set<string>) =>
    `{${[...names].map((name) => `"${name}":${json.get(name)}`).join(',\n')}}`;
  const facts = JSON.stringify({ format: TASK_FORMAT, version: TASK_VERSION, ...head }).slice(0, -1);
  const encoder = new TextEncoder();
  const shared = `"grids":${table(tables.grids.json, grids)},\n"kinds":${table(tables.kinds.json, kinds)}`;
  const comma = encoder.encode(',\n');
  const lines = scenes.flatMap(({ json }, i) => (i === 0 ? [json] : [comma, json]));
  return joinBytes([encoder.encode(`${facts},\n${shared},\n"scenes":[\n`), ...lines, encoder.encode('\n]}\n')]);
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
