// While a thread waits for one scene's bytes, and while it computes, the bytes of the next scenes are on their way. Bytes only: decoding
// uses the one arena of the thread, scene by scene.
import type { Foreseen } from '../io/foreseen.js';
import { tilesUnder } from './hold.js';
import { mayMeet, type SceneReads, sceneReads, windowsOf } from './scene-reads.js';
import type { RasterCache } from './source.js';
import type { Block, CompositeSpec, SourceScene } from './spec.js';

/** Scenes whose files are opened before their turn. */
const OPEN_AHEAD = 16;

/** Reads what blocks need before they ask for it, in their order, with at most `aheadBytes` of a block waiting. */
export interface ReadAhead {
  /** Says that a block will be computed after those told of so far. */
  expect(block: Block): void;
  /** What an expected block reads of a scene, as `sceneReads` tells it, and as it fails. */
  readsOf(block: Block, scene: SourceScene): Promise<SceneReads | null>;
  /** Lets arrive what is under way: decoding and computing leave no turn to it. */
  pause(): Promise<void>;
  /** Forgets what was foreseen of a block and not read. */
  done(block: Block): void;
  /** Ends all that is under way. */
  close(): void;
}

/** A scene of a block at its place in the order. */
interface Turn {
  scene: SourceScene;
  block: Block;
  reads: Promise<SceneReads | null> | null;
  /** Set once the files are open. */
  foreseen: Foreseen[];
  isOver: boolean;
}

export function readAhead(context: { spec: CompositeSpec; cache: RasterCache }): ReadAhead {
  const { spec } = context;
  const turns = new Map<number, Map<SourceScene, Turn>>();
  const queue: Turn[] = [];
  let underWay = 0;
  let waitingBytes = 0;
  let wake: (() => void) | null = null;
  let isFeeding = false;
  let isClosed = false;

  /** Opens the files of a scene, and foresees the reads of their tiles. */
  const begin = (turn: Turn): Promise<SceneReads | null> => {
    turn.reads ??= (async () => {
      const reads = await sceneReads(context, turn);
      if (reads) turn.foreseen = await foreseenOf(windowsOf(reads, spec, turn.block));
      if (turn.isOver) drop(turn);
      return reads;
    })();
    turn.reads.catch(() => {}); // Told when its turn comes.
    return turn.reads;
  };

  const drop = (turn: Turn): void => {
    turn.isOver = true;
    for (const read of turn.foreseen) read.drop();
  };

  const start = async (read: Foreseen, limitBytes: number): Promise<void> => {
    if (read.bytes > limitBytes) return;
    while (waitingBytes + read.bytes > limitBytes && !isClosed)
      await new Promise<void>((resume) => {
        wake = resume;
      });
    if (isClosed) return;
    waitingBytes += read.bytes;
    underWay++;
    void read.start().then(() => {
      underWay--;
      waitingBytes -= read.bytes;
      wake?.();
    });
  };

  const feed = async (): Promise<void> => {
    isFeeding = true;
    while (queue.length > 0 && !isClosed) {
      for (const soon of queue.slice(0, OPEN_AHEAD)) if (!soon.isOver) void begin(soon);
      const turn = queue.shift()!;
      if (turn.isOver) continue;
      await begin(turn).catch(() => {});
      for (const read of turn.foreseen) if (!turn.isOver) await start(read, turn.block.aheadBytes ?? 0);
    }
    isFeeding = false;
  };

  return {
    expect(block) {
      if (turns.has(block.index)) return;
      const own = new Map<SourceScene, Turn>();
      turns.set(block.index, own);
      for (const { scenes } of spec.observations) {
        for (const scene of scenes) {
          if (!mayMeet(spec, scene, block)) continue;
          const turn: Turn = { scene, block, reads: null, foreseen: [], isOver: false };
          own.set(scene, turn);
          queue.push(turn);
        }
      }
      if (!isFeeding) void feed();
    },
    readsOf: (block, scene) => begin(turns.get(block.index)!.get(scene)!),
    async pause() {
      if (underWay > 0) await new Promise((resume) => setTimeout(resume));
    },
    done(block) {
      for (const turn of turns.get(block.index)?.values() ?? []) drop(turn);
      turns.delete(block.index);
    },
    close() {
      isClosed = true;
      for (const own of turns.values()) for (const turn of own.values()) drop(turn);
      turns.clear();
      wake?.();
    },
  };
}

/** The reads of all tiles under the windows, in the order in which files that are read side by side come to them. */
async function foreseenOf(windows: SceneReads['values']): Promise<Foreseen[]> {
  const files = await Promise.all(
    windows.map(({ file, window }) =>
      Promise.all(
        tilesUnder(file, window).map(async (ref) => (await file.raster.foresee?.(ref, file.bandIndices)) ?? []),
      ),
    ),
  );
  const most = Math.max(0, ...files.map((tiles) => tiles.length));
  return Array.from({ length: most }, (_, i) => files.flatMap((tiles) => tiles[i] ?? [])).flat();
}
