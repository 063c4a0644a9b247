import { deflate, zstdCompress } from '#platform';
import type { Window } from '../geo/grid.js';
import { mergeSummaries, type OverviewMethod, SAMPLE_BYTES, type Summary } from '../kernels/overview.js';
import type { CogForm } from './cog-layout.js';
import type { NumericArray } from './raster.js';
import type { Sink } from './sink.js';
import { ARRAY_OF, type Tile, type TileCollector, tileCollector } from './tile-collector.js';
import { EMPTY_SUMMARY, packTile } from './tile-packer.js';

/** Tiles that are compressed or written to scratch at a time: as many as the platform has threads for it. */
const IN_FLIGHT = 4;

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

export function cogPyramid(options: PyramidOptions): Pyramid {
  const { form, scratch, overviews, sparse, signal } = options;
  const { nBand, dtype, tileSize, nodata, levels } = form;
  const fill = nodata ?? 0;
  const shelves = levels.map((level): Shelf => {
    const nTile = level.tilesAcross * level.tilesDown;
    return {
      collector: tileCollector(level, { dtype, nBand, tileSize, fill }),
      tileBytes: new Float64Array(nTile),
      tileAt: new Float64Array(nTile),
      halfAt: new Map(),
      summaries: new Map(),
    };
  });
  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | null = null;
  let scratchEnd = 0;

  const spool = (bytes: Uint8Array): { at: number; written: Promise<void> } => {
    const at = scratchEnd;
    scratchEnd += bytes.length;
    return { at, written: scratch.write(at, bytes) };
  };

  const check = (): void => {
    if (failure) throw failure.error;
    signal?.throwIfAborted();
  };

  const room = async (most: number): Promise<void> => {
    check();
    while (inFlight.size > most) {
      await Promise.race(inFlight);
      check();
    }
  };

  /** Packs a complete tile at once and leaves its compression and writing under way. */
  const submit = (index: number, tile: Tile): void => {
    const shelf = shelves[index]!;
    const isLast = index === shelves.length - 1;
    const packed = packTile(form, tile, { half: isLast ? null : overviews, summaries: index === 0 || sparse });
    if (index === 0) shelf.summaries.set(tile.index, packed.summaries!);
    if (sparse && readsAsAbsent(form, packed.summaries!)) return;
    const store = async (): Promise<void> => {
      if (packed.half) {
        const half = spool(new Uint8Array(packed.half.buffer));
        shelf.halfAt.set(tile.index, half.at);
        await half.written;
      }
      const bytes = await compress(form, options.level, packed.bytes);
      check();
      const place = spool(bytes);
      shelf.tileBytes[tile.index] = bytes.length;
      shelf.tileAt[tile.index] = place.at;
      await place.written;
    };
    const job: Promise<void> = store()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => inFlight.delete(job));
    inFlight.add(job);
  };

  /** The half of a tile of the level above, as a window of this one; null where that tile is sparse. */
  const readHalf = async (index: number, from: number): Promise<{ window: Window; data: NumericArray[] } | null> => {
    const at = shelves[index - 1]!.halfAt.get(from);
    if (at === undefined) return null;
    const above = levels[index - 1]!;
    const col = from % above.tilesAcross;
    const row = Math.floor(from / above.tilesAcross);
    const width = (Math.min(tileSize, above.width - col * tileSize) + 1) >> 1;
    const height = (Math.min(tileSize, above.height - row * tileSize) + 1) >> 1;
    const bytes = await scratch.read(at, width * height * nBand * SAMPLE_BYTES[dtype]);
    const all = new ARRAY_OF[dtype](bytes.buffer as ArrayBuffer);
    const data = Array.from({ length: nBand }, (_, b) => all.subarray(b * width * height, (b + 1) * width * height));
    return { window: { col: (col * tileSize) / 2, row: (row * tileSize) / 2, width, height }, data };
  };

  const buildLevel = async (index: number): Promise<void> => {
    const { tilesAcross, tilesDown } = levels[index]!;
    const above = levels[index - 1]!;
    const { collector } = shelves[index]!;
    for (let tile = 0; tile < tilesAcross * tilesDown; tile++) {
      await room(IN_FLIGHT - 1);
      const col = (tile % tilesAcross) * 2;
      const row = Math.floor(tile / tilesAcross) * 2;
      for (let quarter = 0; quarter < 4; quarter++) {
        const [c, r] = [col + (quarter & 1), row + (quarter >> 1)];
        if (c >= above.tilesAcross || r >= above.tilesDown) continue;
        const half = await readHalf(index, r * above.tilesAcross + c);
        if (half) for (const complete of collector.add(half.window, half.data)) submit(index, complete);
      }
      const partial = collector.take(tile);
      if (partial) submit(index, partial);
    }
    await room(0);
  };

  return {
    get heldBytes() {
      return shelves[0]!.collector.heldBytes;
    },
    get missingPx() {
      return levels[0]!.width * levels[0]!.height - shelves[0]!.collector.writtenPx;
    },
    async add(window, data) {
      check();
      for (const tile of shelves[0]!.collector.add(window, data)) {
        submit(0, tile);
        await room(IN_FLIGHT - 1);
      }
    },
    async build() {
      const nTile = levels[0]!.tilesAcross * levels[0]!.tilesDown;
      for (let index = 0; index < nTile; index++) {
        const partial = shelves[0]!.collector.take(index);
        if (partial) submit(0, partial);
        await room(IN_FLIGHT - 1);
      }
      await room(0);
      for (let index = 1; index < levels.length; index++) await buildLevel(index);
    },
    tileBytes: shelves.map((shelf) => shelf.tileBytes),
    readTile: (level, index) => scratch.read(shelves[level]!.tileAt[index]!, shelves[level]!.tileBytes[index]!),
    summaries() {
      const { width, height, tilesAcross, tilesDown } = levels[0]!;
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
    },
    async settle() {
      await Promise.allSettled(inFlight);
    },
  };
}
