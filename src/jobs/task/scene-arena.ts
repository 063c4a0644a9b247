import type { Json } from '../../io/stac-item.js';
import type { TaskScene } from './task.js';
import { decodeScene, type EncodedScene, encodeScene, sharedTables } from './task-document.js';

/** Scenes as the JSON they are written in, packed: a hundred thousand take some 200 MB, where as objects they would take a few GB. */
export interface SceneArena {
  readonly tables: ReturnType<typeof sharedTables>;
  /** Its number. */
  add(scene: TaskScene): number;
  encoded(index: number): EncodedScene;
  scene(index: number): TaskScene;
}

const CHUNK_BYTES = 8 * 2 ** 20;

interface Place {
  chunk: Uint8Array;
  offset: number;
  bytes: number;
  kind: string;
  grids: readonly string[];
}

export function sceneArena(): SceneArena {
  const tables = sharedTables();
  const places: Place[] = [];
  // Most scenes have the grids of one before.
  const gridLists = new Map<string, readonly string[]>();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let chunk = new Uint8Array(0);
  let used = 0;

  function put(json: string): Pick<Place, 'chunk' | 'offset' | 'bytes'> {
    // A UTF-16 unit takes three bytes at most.
    if (chunk.length - used < json.length * 3) {
      const tail = encoder.encode(json);
      if (tail.length > chunk.length - used) {
        chunk = new Uint8Array(Math.max(CHUNK_BYTES, tail.length));
        used = 0;
      }
      chunk.set(tail, used);
      used += tail.length;
      return { chunk, offset: used - tail.length, bytes: tail.length };
    }
    const { written } = encoder.encodeInto(json, chunk.subarray(used));
    used += written;
    return { chunk, offset: used - written, bytes: written };
  }

  const encoded = (index: number): EncodedScene => {
    const { chunk: own, offset, bytes, kind, grids } = places[index]!;
    return { json: own.subarray(offset, offset + bytes), kind, grids };
  };
  return {
    tables,
    add(scene) {
      const { text, kind, grids } = encodeScene(scene, tables);
      const list = gridLists.get(grids.join()) ?? grids;
      gridLists.set(grids.join(), list);
      places.push({ ...put(text), kind, grids: list });
      return places.length - 1;
    },
    encoded,
    scene(index) {
      const { json, kind, grids } = encoded(index);
      const read = (table: ReadonlyMap<string, string>, names: readonly string[]): Json =>
        Object.fromEntries(names.map((name) => [name, JSON.parse(table.get(name)!)]));
      const shared = { grids: read(tables.grids.json, grids), kinds: read(tables.kinds.json, [kind]) };
      return decodeScene(JSON.parse(decoder.decode(json)), shared);
    },
  };
}
