import { InputError } from '../errors.js';
import { formatBytes } from '../limit.js';
import type { Block } from '../stats/spec.js';

/** One kind of source file as the plan sees it, in pixels of the target grid. */
export interface Layer {
  /** For people: `B02`, `sr (6 bands)`, `SCL (mask)`. */
  name: string;
  /** Bands that are used, and bands that a tile decodes to (more in chunky files). */
  usedBands: number;
  storedBands: number;
  bytesPerSample: number;
  /** Target pixels per source pixel along x and y (2 for a 20 m band on a 10 m grid), at the level that is read. */
  ratioX: number;
  ratioY: number;
  /** Tile size and the position of the tile lattice, in target pixels. */
  tileWidth: number;
  tileHeight: number;
  originCol: number;
  originRow: number;
  /** Source pixels of the largest file at that level: no block needs more of one; default: without end. */
  levelWidth?: number;
  levelHeight?: number;
  /** Target pixels read around a block: the reach of the mask's filters, or of the resampling. */
  halo: number;
  /** How much a block's width and height add to what is read along x, then along y: 1, 0, 0, 1 where nothing is turned. */
  spread: readonly [number, number, number, number];
  /** Bytes a target pixel that tell where pixels of another CRS lie; 0 where rows and columns are the file's own. */
  cellBytes: number;
  /** True for mask bands: they are held as a mask of one byte a source pixel. */
  mask: boolean;
  /** Compressed bytes of a tile, as far as known. */
  tileBytes: number;
  /** Times that decoding takes longer than inflating; default 1. */
  slowdown?: number;
}

/** Everything the plan depends on; a pure function of headers and options. */
export interface PlanInput {
  width: number;
  height: number;
  layers: readonly Layer[];
  /** Footprints of the scenes in target pixels, with the observation each belongs to. */
  footprints: readonly { col: number; row: number; width: number; height: number; observation: number }[];
  nBand: number;
  /** Bytes of one sample in the stack (2 or 4). */
  stackSampleBytes: number;
  /** Bytes of a pixel of all results together. */
  outputPixelBytes: number;
  /** Bytes of a pixel that the statistics need beside the stack, in f32 planes. */
  workPixelBytes: number;
  /** Tiles of the results' files, px; default 512. */
  outputTilePx?: number;
  /** Bytes of a codec with a memory of its own, in each thread; default 0. */
  codecBytes?: number;
  /** Whether files are behind a network, so that reading ahead pays; default false. */
  isFar?: boolean;
  threads: number;
  memoryLimitBytes: number;
  canSpill: boolean;
}

/** What will be done, printable with `--plan`. */
export interface Plan {
  blocks: Block[];
  blockWidth: number;
  blockHeight: number;
  threads: number;
  hold: 'memory' | 'spill';
  /** How often a source pixel is decoded, on average over the bytes. */
  decodeFactor: number;
  /** Compressed bytes that will be read. */
  readBytes: number;
  /** Bytes that go through scratch files, all blocks together. */
  spillBytes: number;
  /** Forecast of the process's peak memory. */
  predictedPeakBytes: number;
  memoryLimitBytes: number;
}

/** What a process costs before it holds a pixel, and a thread beside its block: measured; of each some 64 MiB are garbage that the engine keeps for a while. */
export const PROCESS_BYTES = 176 * 2 ** 20;
const THREAD_BYTES = 96 * 2 ** 20;
/** Tiles of each result that are packed and compressed at a time, about. */
const IN_HAND = 2;
/** Blocks are not made narrower than this, px. */
const LEAST_SIDE = 16;
/** Compressed bytes that a thread reads before their turn, where the limit leaves so much beside the best blocks; less than the least gains little. */
const AHEAD_BYTES = 32 * 2 ** 20;
const LEAST_AHEAD_BYTES = 2 ** 20;
/** A full strip of the stack; more gains nothing, less costs calls. */
const STRIP_BYTES = 32 * 2 ** 20;
/** Cells while they are gathered, as they are kept, and those of a strip for the kernels. */
const CELL_COPIES = 4;
/** The most that padding adds to a date of a band in the stack. */
const PADDING_BYTES = 256;
/** Rough speeds in bytes and samples a second, to weigh decoding again against spilling; only their ratios matter. */
const INFLATE_RATE = 280e6;
const SPILL_RATE = 450e6;
const KERNEL_RATE = 5e8;

interface Candidate {
  width: number;
  height: number;
  /** How far blocks begin before the tiles they follow, px: what a resampling needs of the tile behind is then another block's. */
  lead: number;
  hold: 'memory' | 'spill';
  stripRows: number;
  threadBytes: number;
  seconds: number;
  decodeFactor: number;
  decodedBytes: number;
  spillBytes: number;
}

/** Multiples of the source tiles first, then their parts. */
function sizes(period: number, limit: number): number[] {
  const out = new Set<number>();
  for (const factor of [4, 2, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]) {
    out.add(Math.min(limit, Math.max(LEAST_SIDE, Math.round(period * factor))));
  }
  return [...out];
}

/** Where blocks begin along one axis: multiples of `size` from the tile lattice, clipped to [0, limit). */
function starts(origin: number, size: number, limit: number): number[] {
  const first = origin - Math.ceil(origin / size) * size;
  const out: number[] = [];
  for (let at = Math.round(first); at < limit; at += size) if (at + size > 0) out.push(Math.max(0, at));
  return out;
}

/** Where blocks begin: by the tiles of the finest layer. */
function lattice(input: PlanInput, { width, height, lead }: Pick<Candidate, 'width' | 'height' | 'lead'>) {
  const anchor = input.layers[0]!;
  return {
    columns: starts(anchor.originCol - lead, width, input.width),
    rows: starts(anchor.originRow - lead, height, input.height),
  };
}

/** None, and the reach of the resampling where blocks would read a row of tiles for a pixel of it. */
function leads({ layers }: PlanInput): number[] {
  const reach = Math.max(...layers.map((layer) => (layer.mask ? 0 : layer.halo)));
  return reach > 0 ? [0, reach] : [0];
}

/** Tiles touched by all blocks along one axis, over the tiles that exist there: how often a tile is decoded. */
function axisFactor(begins: readonly number[], limit: number, tile: number, origin: number, halo: number): number {
  const last = Math.floor((limit - 1 - origin) / tile);
  const first = Math.floor((0 - origin) / tile);
  let touched = 0;
  for (const [i, begin] of begins.entries()) {
    const end = begins[i + 1] ?? limit;
    const from = Math.max(first, Math.floor((begin - halo - origin) / tile));
    const to = Math.min(last, Math.floor((end - 1 + halo - origin) / tile));
    touched += to - from + 1;
  }
  return touched / (last - first + 1);
}

/** The most scenes and observations that any cell of a lattice of this size sees. */
function density(input: PlanInput, width: number, height: number): { scenes: number; observations: number } {
  const across = Math.ceil(input.width / width);
  const down = Math.ceil(input.height / height);
  const scenes = new Map<number, number>();
  const observations = new Map<number, Set<number>>();
  for (const f of input.footprints) {
    const [c0, c1] = [Math.max(0, Math.floor(f.col / width)), Math.floor((f.col + f.width - 1) / width)];
    const [r0, r1] = [Math.max(0, Math.floor(f.row / height)), Math.floor((f.row + f.height - 1) / height)];
    for (let r = r0; r <= Math.min(r1, down - 1); r++) {
      for (let c = c0; c <= Math.min(c1, across - 1); c++) {
        const cell = r * across + c;
        scenes.set(cell, (scenes.get(cell) ?? 0) + 1);
        const seen = observations.get(cell) ?? new Set<number>();
        observations.set(cell, seen.add(f.observation));
      }
    }
  }
  return {
    scenes: most(scenes.values(), (n) => n),
    observations: most(observations.values(), (seen) => seen.size),
  };
}

/** The largest count, at least 1; cells may be more than a call takes arguments. */
function most<T>(values: Iterable<T>, count: (value: T) => number): number {
  let largest = 1;
  for (const value of values) largest = Math.max(largest, count(value));
  return largest;
}

type Density = ReturnType<typeof density>;

function evaluate(
  input: PlanInput,
  { width, height, lead, hold }: Pick<Candidate, 'width' | 'height' | 'lead' | 'hold'>,
  { scenes, observations }: Density,
): Candidate {
  const { layers, nBand } = input;
  const { columns, rows } = lattice(input, { width, height, lead });
  const blockPx = width * height;
  let heldBytes = 0;
  let maskBytes = 0;
  let wantedBytes = 0;
  let decodedBytes = 0;
  let decodeSeconds = 0;
  for (const layer of layers) {
    const perPx = (layer.bytesPerSample * scenes) / (layer.ratioX * layer.ratioY);
    const [xx, xy, yx, yy] = layer.spread;
    const { halo, levelWidth = Infinity, levelHeight = Infinity } = layer;
    const sourcePx =
      Math.min(levelWidth, (xx * width + xy * height + 2 * halo) / layer.ratioX) *
      Math.min(levelHeight, (yx * width + yy * height + 2 * halo) / layer.ratioY);
    heldBytes += layer.mask ? 0 : sourcePx * scenes * layer.bytesPerSample * layer.usedBands;
    maskBytes += layer.mask ? sourcePx * scenes : 0;
    const total = perPx * layer.storedBands * input.width * input.height;
    wantedBytes += total;
    const decoded =
      total *
      axisFactor(columns, input.width, layer.tileWidth, layer.originCol, layer.halo + Math.ceil((xy * height) / 2)) *
      axisFactor(rows, input.height, layer.tileHeight, layer.originRow, layer.halo + Math.ceil((yx * width) / 2));
    decodedBytes += decoded;
    decodeSeconds += (decoded * (layer.slowdown ?? 1)) / INFLATE_RATE;
  }
  const stackRowBytes = Math.max(1, width * (observations * nBand * input.stackSampleBytes + input.workPixelBytes));
  const stripRows = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / stackRowBytes)));
  const stripBytes = stripRows * stackRowBytes + observations * nBand * PADDING_BYTES;
  const stripShare = hold === 'spill' ? Math.min(1, (stripRows + 4) / height) : 1;
  const decodeScratch = 4 * Math.max(...layers.map((l) => tileRawBytes(l)));
  const cellBytes = CELL_COPIES * blockPx * layers.reduce((sum, layer) => sum + layer.cellBytes, 0);
  const threadBytes =
    THREAD_BYTES +
    (input.codecBytes ?? 0) +
    heldBytes * stripShare +
    maskBytes +
    cellBytes +
    stripBytes +
    blockPx * input.outputPixelBytes +
    decodeScratch;
  const px = input.width * input.height;
  const spillBytes = hold === 'spill' ? (heldBytes / blockPx) * px : 0;
  const work = decodeSeconds + (2 * spillBytes) / SPILL_RATE + (px * observations * nBand) / KERNEL_RATE;
  // Blocks that do not divide evenly over the threads leave some idle at the end.
  const lanes = Math.max(1, input.threads);
  const count = columns.length * rows.length;
  const seconds = (work / count) * Math.ceil(count / lanes) + count * 0.002;
  const decodeFactor = decodedBytes / wantedBytes;
  return { width, height, lead, hold, stripRows, threadBytes, seconds, decodeFactor, decodedBytes, spillBytes };
}

function tileRawBytes(layer: Layer): number {
  return (
    (layer.tileWidth / layer.ratioX) * (layer.tileHeight / layer.ratioY) * layer.storedBands * layer.bytesPerSample
  );
}

/**
 * Chooses the shape of the blocks, and whether decoded pixels wait in memory or in a scratch file, so that the forecast stays
 * within the limit and the least time is lost by decoding tiles more than once.
 * @throws InputError when not even the smallest block fits; it names the least limit that works.
 */
export function planBlocks(input: PlanInput): Plan {
  const periodX = Math.min(input.width, Math.max(...input.layers.map((l) => Math.round(l.tileWidth))));
  const periodY = Math.min(input.height, Math.max(...input.layers.map((l) => Math.round(l.tileHeight))));
  const lanes = Math.max(1, input.threads);
  const holds: ('memory' | 'spill')[] = input.canSpill ? ['memory', 'spill'] : ['memory'];
  // What a cell as large as a tile sees bounds what smaller blocks see.
  const known = new Map<string, Density>();
  const densityOf = (width: number, height: number) => {
    const cell = [Math.max(width, periodX), Math.max(height, periodY)] as const;
    const found = known.get(cell.join()) ?? density(input, ...cell);
    known.set(cell.join(), found);
    return found;
  };
  const candidates = sizes(periodX, input.width).flatMap((width) =>
    sizes(periodY, input.height).flatMap((height) =>
      holds
        // Larger blocks than tiles would spill much more than they save.
        .filter((hold) => hold === 'memory' || (width <= periodX && height <= periodY))
        .flatMap((hold) =>
          leads(input).map((lead) => evaluate(input, { width, height, lead, hold }, densityOf(width, height))),
        ),
    ),
  );
  const peak = (c: Candidate) => PROCESS_BYTES + lanes * c.threadBytes + pendingBytes(input, c);
  const fitting = candidates.filter((c) => peak(c) <= input.memoryLimitBytes);
  if (fitting.length === 0) {
    const least = Math.min(...candidates.map((c) => peak(c)));
    const single = Math.min(...candidates.map((c) => PROCESS_BYTES + c.threadBytes + pendingBytes(input, c)));
    const hint = lanes > 1 ? ` (${formatBytes(single)} with --threads 1)` : '';
    throw new InputError(
      `a memory limit of ${formatBytes(input.memoryLimitBytes)} is too small: the least that works here is ${formatBytes(least)}${hint}`,
      { option: 'memory-limit' },
    );
  }
  const best = fitting.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  const aheadBytes = aheadBytesOf(input, peak(best));
  const { columns, rows } = lattice(input, best);
  const blocks: Block[] = rows.flatMap((row, r) =>
    columns.map((col, c) => ({
      index: r * columns.length + c,
      col,
      row,
      width: (columns[c + 1] ?? input.width) - col,
      height: (rows[r + 1] ?? input.height) - row,
      stripRows: best.stripRows,
      hold: best.hold,
      ...(aheadBytes > 0 && { aheadBytes }),
    })),
  );
  const readBytes = input.layers.reduce((sum, layer) => {
    const tiles = (input.width / layer.tileWidth) * (input.height / layer.tileHeight);
    return sum + tiles * layer.tileBytes * input.footprints.length;
  }, 0);
  return {
    blocks,
    blockWidth: best.width,
    blockHeight: best.height,
    threads: input.threads,
    hold: best.hold,
    decodeFactor: best.decodeFactor,
    readBytes: Math.round(readBytes * best.decodeFactor),
    spillBytes: Math.round(best.spillBytes),
    predictedPeakBytes: Math.round(peak(best) + lanes * aheadBytes),
    memoryLimitBytes: input.memoryLimitBytes,
  };
}

/** What reading ahead may take in each thread: never so much that blocks would be cut otherwise, or that a run would not fit. */
function aheadBytesOf({ isFar, threads, memoryLimitBytes }: PlanInput, peakBytes: number): number {
  const left = Math.floor((memoryLimitBytes - peakBytes) / Math.max(1, threads));
  return isFar && left >= LEAST_AHEAD_BYTES ? Math.min(AHEAD_BYTES, left) : 0;
}

/** What the main thread holds: a result or two a thread on its way to disk, output tiles that are not whole yet, and whole ones in hand. */
function pendingBytes(input: PlanInput, { width, height }: Candidate): number {
  const lanes = Math.max(1, input.threads);
  const results = lanes * width * height * input.outputPixelBytes;
  const { outputTilePx: tile = 512 } = input;
  const tileBytes = Math.min(tile, input.width) * Math.min(tile, input.height) * input.outputPixelBytes;
  const aligned = width % tile === 0 && height % tile === 0;
  // A row of them, and where each block ends within some; they take their whole size at once.
  const across = Math.ceil(input.width / tile);
  const open = aligned ? 0 : Math.min(across + 2 * lanes, across * Math.ceil(input.height / tile));
  return results + (open + IN_HAND) * tileBytes;
}
