// What a result store has, tile by tile.
import { type Cell, type ChipGrid, cellName, chipCell, chipsOfTile, tileOfChip } from '../../geo/chip-grid.js';
import { ALGORITHM } from '../../stats/change.js';
import { givenChips } from './change-area.js';
import { ALL_CHIPS, settledGrid } from './result-area.js';
import {
  type ChipRange,
  type ChipResult,
  type ChipSummary,
  pixelCorner,
  type ResultStore,
  type TileCounts,
} from './result-store.js';

/** Pixels that failed for one reason. */
export interface FailureCount {
  reason: string;
  pixels: number;
  /** Upper-left corners of some of them. */
  samples: { x: number; y: number }[];
}

export interface TileStatus extends TileCounts {
  h: number;
  v: number;
  /** Of the chips that have run. */
  pixels: { withSegments: number; empty: number; failed: number };
  failures: FailureCount[];
  /** Chips that have not run. */
  missingChips: Cell[];
}

export interface StatusOptions {
  /** Columns and rows of tiles; all that the store has something of when not given. */
  tiles?: readonly (readonly number[])[] | undefined;
  algorithm?: string | undefined;
  /** Whether incomplete chips are read for the reasons of their failures; true when not given. */
  reasons?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Chips that are read. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

const MOST_SAMPLES = 3;

function byTile(grid: ChipGrid, chips: readonly ChipSummary[]): Map<string, ChipSummary[]> {
  const tiles = new Map<string, ChipSummary[]>();
  for (const chip of chips) {
    const key = cellName(tileOfChip(grid, chip));
    const own = tiles.get(key);
    if (own) own.push(chip);
    else tiles.set(key, [chip]);
  }
  return tiles;
}

function statusOf(grid: ChipGrid, at: Cell, found: readonly ChipSummary[]): TileStatus {
  const there = new Set(found.map(cellName));
  const missing = chipsOfTile(grid, at).filter((chip) => !there.has(cellName(chip)));
  const incomplete = found.filter(({ failed }) => failed > 0).length;
  const sum = (of: (chip: ChipSummary) => number) => found.reduce((total, chip) => total + of(chip), 0);
  return {
    ...at,
    complete: found.length - incomplete,
    incomplete,
    missing: missing.length,
    pixels: { withSegments: sum((c) => c.withSegments), empty: sum((c) => c.empty), failed: sum((c) => c.failed) },
    failures: [],
    missingChips: missing.map(({ h, v }) => ({ h, v })),
  };
}

/** Adds a chip's failed pixels to the counts of their reasons. */
function addFailures(grid: ChipGrid, { h, v, changes }: ChipResult, counts: Map<string, FailureCount>): void {
  const corner = chipCell(grid, h, v);
  for (const [px, reason] of changes.failures) {
    const count = counts.get(reason) ?? { reason, pixels: 0, samples: [] };
    counts.set(reason, count);
    count.pixels++;
    if (count.samples.length < MOST_SAMPLES) count.samples.push(pixelCorner(grid, corner, px));
  }
}

/** Counts of tiles: complete, incomplete and missing chips, pixels, and why some of them failed. Tiles row by row. */
export async function storeStatus(store: ResultStore, options: StatusOptions = {}): Promise<TileStatus[]> {
  const { tiles, algorithm = ALGORITHM, reasons = true, signal, onProgress } = options;
  const { grid } = store;
  const given = new Map<string, ChipRange>();
  for (const tile of tiles ?? []) {
    const { range } = (await givenChips(settledGrid(grid), { tile }))!;
    // A tile that is given twice is one.
    given.set(cellName(tileOfChip(grid, { h: range.hMin, v: range.vMin })), range);
  }
  const found: ChipSummary[] = [];
  const ranges = tiles ? given.values() : [ALL_CHIPS];
  for (const range of ranges) found.push(...(await store.summaries(algorithm, range)));
  const chips = byTile(grid, found);
  const cells = [...(tiles ? given : chips).keys()].map((name) => name.split(' ').map(Number) as [number, number]);
  cells.sort(([h1, v1], [h2, v2]) => v1 - v2 || h1 - h2);
  const toRead = reasons ? found.filter(({ failed }) => failed > 0).length : 0;
  let read = 0;
  const all: TileStatus[] = [];
  for (const [h, v] of cells) {
    const own = chips.get(cellName({ h, v })) ?? [];
    const failures = new Map<string, FailureCount>();
    for (const at of reasons ? own.filter(({ failed }) => failed > 0) : []) {
      signal?.throwIfAborted();
      const chip = await store.chip(algorithm, at);
      if (chip) addFailures(grid, chip, failures);
      onProgress?.(++read, toRead);
    }
    const inOrder = [...failures.values()].sort((a, b) => b.pixels - a.pixels);
    all.push({ ...statusOf(grid, { h, v }, own), failures: inOrder });
  }
  return all;
}
