import { deflate, zstdCompress } from '#platform';
import type { Window } from '../geo/grid.js';
import { mergeSummaries, type OverviewMethod, SAMPLE_BYTES, type Summary } from '../kernels/overview.js';
import type { CogForm, CogLevel } from './cog-layout.js';
import type { NumericArray } from './raster.js';
import type { Sink } from './sink.js';
import { ARRAY_OF, type Tile, type TileCollector, tileCollector } from './tile-collector.js';
import { EMPTY_SUMMARY, type PackedTile, packTile } from './tile-packer.js';

/** Tiles of all files that are compressed or written to scratch at a time: as many as the platform has threads for it. */
const IN_FLIGHT = 4;
let underWay = 0;
const waiting: (() => void)[] = [];

/** Resolves when one more tile may be under way; who takes the place gives it back with {@link leave}. */
async function enter(): Promise<void> {
  if (underWay < IN_FLIGHT) underWay++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

function leave(): void {
  const next = waiting.shift();
  if (next) next();
  else underWay--;
}

/** Of deflate or zstd; 'runs' (deflate only): see the platform's `deflate`. */
export type CompressionLevel = number | 'runs';

export interface PyramidOptions {
  form: CogForm;
  /** Takes compressed tiles of all levels, and the halves that wait for their overview. */
  scratch: Sink;
  level: CompressionLevel;
  overviews: OverviewMethod | null;
  sparse: boolean;
  signal: AbortSignal | undefined;
}

/** Where the bytes of one level are in the scratch file; 0 bytes = not there. */
interface Shelf {
  collector: TileCollector;
  tileBytes: Float64Array;
  tileAt: Float64Array;
  halfAt: Map<number, number>;
  /** [tile][band], of full resolution only */
  summaries: Map<number, Summary[]>;
}

/** Turns windows of full resolution into compressed tiles of all levels, in bounded memory. */
export interface Pyramid {
  readonly heldBytes: number;
  /** Full-resolution pixels not yet written. */
  readonly missingPx: number;
  add(window: Window, data: readonly NumericArray[]): Promise<void>;
  /** Completes full resolution, then builds the overviews, level by level. */
  build(): Promise<void>;
  /** [level][tile], 0 = sparse */
  readonly tileBytes: readonly Float64Array[];
  /** The compressed bytes of a tile. */
  readTile(level: number, index: number): Promise<Uint8Array>;
  /** Per band, over all valid samples of full resolution. */
  summaries(): Summary[];
  /** Resolves when nothing is under way, whatever became of it. */
  settle(): Promise<void>;
}

async function compress(form: CogForm, level: CompressionLevel, bytes: Uint8Array): Promise<Uint8Array> {
  if (form.compression === 'deflate') return deflate(bytes, level);
  if (form.compression === 'zstd') return zstdCompress(bytes, Number(level));
  return bytes;
}

/** True when a reader that finds no tile sees just what this one holds. */
function readsAsAbsent(form: CogForm, summaries: readonly Summary[]): boolean {
  const { nodata, dtype } = form;
  const exact = nodata !== null && (Number.isNaN(nodata) || !dtype.startsWith('f'));
  return exact && summaries.every((s) => s.count === 0);
}

interface State {
  options: PyramidOptions;
  shelves: Shelf[];
  inFlight: Set<Promise<void>>;
  failure: { error: unknown } | null;
  scratchEnd: number;
}

function emptyShelf(form: CogForm, level: CogLevel): Shelf {
  const { dtype, nBand, nodata } = form;
  const nTile = level.tilesAcross * level.tilesDown;
  return {
    collector: tileCollector(level, { dtype, nBand, fill: nodata ?? 0 }),
    tileBytes: new Float64Array(nTile),
    tileAt: new Float64Array(nTile),
    halfAt: new Map(),
    summaries: new Map(),
  };
}

/** Throws what went wrong under way, or the reason of the abort. */
function check({ failure, options }: State): void {
  if (failure) throw failure.error;
  options.signal?.throwIfAborted();
}

/** Resolves when no tile of this file is under way. */
async function settled(state: State): Promise<void> {
  check(state);
  while (state.inFlight.size > 0) {
    await Promise.race(state.inFlight);
    check(state);
  }
}

/** Appends to the scratch file; the place is known at once. */
function spool(state: State, bytes: Uint8Array): { at: number; written: Promise<void> } {
  const at = state.scratchEnd;
  state.scratchEnd += bytes.length;
  return { at, written: state.options.scratch.write(at, bytes) };
}

async function store(state: State, shelf: Shelf, index: number, packed: PackedTile): Promise<void> {
  if (packed.half) {
    const half = spool(state, new Uint8Array(packed.half.buffer));
    shelf.halfAt.set(index, half.at);
    await half.written;
  }
  const bytes = await compress(state.options.form, state.options.level, packed.bytes);
  check(state);
  const place = spool(state, bytes);
  shelf.tileBytes[index] = bytes.length;
  shelf.tileAt[index] = place.at;
  await place.written;
}

/** Packs a complete tile when there is room, and leaves its compression and writing under way. */
async function submit(state: State, level: number, tile: Tile): Promise<void> {
  check(state);
  await enter();
  try {
    check(state);
    const job = begin(state, level, tile);
    if (!job) return leave();
    const own: Promise<void> = job
      .catch((error: unknown) => {
        state.failure ??= { error };
      })
      .finally(() => {
        state.inFlight.delete(own);
        leave();
      });
    state.inFlight.add(own);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Packs a tile and begins to store it; null where a reader sees the same without it. */
function begin(state: State, level: number, tile: Tile): Promise<void> | null {
  const { form, overviews, sparse } = state.options;
  const shelf = state.shelves[level]!;
  const isLast = level === state.shelves.length - 1;
  const packed = packTile(form, tile, { half: isLast ? null : overviews, summaries: level === 0 || sparse });
  if (level === 0) shelf.summaries.set(tile.index, packed.summaries!);
  if (sparse && readsAsAbsent(form, packed.summaries!)) return null;
  return store(state, shelf, tile.index, packed);
}

/** The half of a tile of the level above, as a window of this one; null where that tile is sparse. */
async function readHalf(
  { options, shelves }: State,
  level: number,
  from: number,
): Promise<{ window: Window; data: NumericArray[] } | null> {
  const { dtype, nBand, levels } = options.form;
  const at = shelves[level - 1]!.halfAt.get(from);
  if (at === undefined) return null;
  const above = levels[level - 1]!;
  const { tileSize } = above;
  const col = from % above.tilesAcross;
  const row = Math.floor(from / above.tilesAcross);
  const width = (Math.min(tileSize, above.width - col * tileSize) + 1) >> 1;
  const height = (Math.min(tileSize, above.height - row * tileSize) + 1) >> 1;
  const bytes = await options.scratch.read(at, width * height * nBand * SAMPLE_BYTES[dtype]);
  const all = new ARRAY_OF[dtype](bytes.buffer as ArrayBuffer);
  const data = Array.from({ length: nBand }, (_, b) => all.subarray(b * width * height, (b + 1) * width * height));
  return { window: { col: (col * tileSize) / 2, row: (row * tileSize) / 2, width, height }, data };
}

/** The tiles of the level above whose halves meet a tile, row by row: four of them when tiles are of one size. */
function tilesAbove(own: CogLevel, above: CogLevel, tile: number): number[] {
  const reach = 2 * own.tileSize;
  const along = (at: number, most: number): [first: number, end: number] => [
    Math.floor((at * reach) / above.tileSize),
    Math.min(most, Math.ceil(((at + 1) * reach) / above.tileSize)),
  ];
  const [firstCol, endCol] = along(tile % own.tilesAcross, above.tilesAcross);
  const [firstRow, endRow] = along(Math.floor(tile / own.tilesAcross), above.tilesDown);
  const found: number[] = [];
  for (let row = firstRow; row < endRow; row++) {
    for (let col = firstCol; col < endCol; col++) found.push(row * above.tilesAcross + col);
  }
  return found;
}

/** One overview from the halves of the level above it; a half that reaches into later tiles waits there. */
async function buildLevel(state: State, level: number): Promise<void> {
  const { levels } = state.options.form;
  const own = levels[level]!;
  const above = levels[level - 1]!;
  const { collector } = state.shelves[level]!;
  const taken = new Uint8Array(above.tilesAcross * above.tilesDown);
  for (let tile = 0; tile < own.tilesAcross * own.tilesDown; tile++) {
    for (const from of tilesAbove(own, above, tile)) {
      if (taken[from]) continue;
      taken[from] = 1;
      const half = await readHalf(state, level, from);
      if (half) for (const complete of collector.add(half.window, half.data)) await submit(state, level, complete);
    }
    const partial = collector.take(tile);
    if (partial) await submit(state, level, partial);
  }
  await settled(state);
}

/** Merges the tiles' summaries in their order, so that windows may come in any. */
function mergeTiles({ options, shelves }: State): Summary[] {
  const { nBand, nodata, levels } = options.form;
  const { width, height, tileSize, tilesAcross, tilesDown } = levels[0]!;
  const total = new Array<Summary>(nBand).fill(EMPTY_SUMMARY);
  for (let index = 0; index < tilesAcross * tilesDown; index++) {
    const tile = shelves[0]!.summaries.get(index);
    // A tile that is not there reads as zeros when there is no nodata.
    const w = Math.min(tileSize, width - (index % tilesAcross) * tileSize);
    const h = Math.min(tileSize, height - Math.floor(index / tilesAcross) * tileSize);
    const zeros = { count: nodata === null ? w * h : 0, minimum: 0, maximum: 0, mean: 0, squares: 0 };
    for (let band = 0; band < nBand; band++) total[band] = mergeSummaries(total[band]!, tile?.[band] ?? zeros);
  }
  return total;
}

export function cogPyramid(options: PyramidOptions): Pyramid {
  const { levels } = options.form;
  const shelves = levels.map((level) => emptyShelf(options.form, level));
  const state: State = { options, shelves, inFlight: new Set(), failure: null, scratchEnd: 0 };
  const full = shelves[0]!;
  return {
    get heldBytes() {
      return full.collector.heldBytes;
    },
    get missingPx() {
      return levels[0]!.width * levels[0]!.height - full.collector.writtenPx;
    },
    async add(window, data) {
      check(state);
      for (const tile of full.collector.add(window, data)) await submit(state, 0, tile);
    },
    async build() {
      for (let index = 0; index < full.tileBytes.length; index++) {
        const partial = full.collector.take(index);
        if (partial) await submit(state, 0, partial);
      }
      await settled(state);
      for (let level = 1; level < levels.length; level++) await buildLevel(state, level);
    },
    tileBytes: shelves.map((shelf) => shelf.tileBytes),
    readTile: (level, index) => {
      const { tileAt, tileBytes } = shelves[level]!;
      return options.scratch.read(tileAt[index]!, tileBytes[index]!);
    },
    summaries: () => mergeTiles(state),
    async settle() {
      await Promise.allSettled(state.inFlight);
    },
  };
}
