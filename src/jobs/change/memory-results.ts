// A result store in memory, for tests and for pages in a browser.
import type { ChipGrid } from '../../geo/chip-grid.js';
import { chipCell } from '../../geo/chip-grid.js';
import { type Changes, joinChanges, pixelOf } from '../../stats/change.js';
import { MemoryRequests } from './memory-requests.js';
import { packedSummaryOf, unpackRows } from './packed-rows.js';
import {
  type ChipPixels,
  type ChipRange,
  type ChipResult,
  type ChipSummary,
  checkKey,
  checkRange,
  type PackedChip,
  pixelAt,
  pixelCorner,
  type ResultStore,
  summaryOf,
} from './result-store.js';

interface Kept {
  summary: ChipSummary;
  chip: ChipResult;
}

/** A copy of a pixel's numbers, and of no others. */
function ownPixel(changes: Changes, px: number): Changes {
  return { ...joinChanges([pixelOf(changes, px)]), dates: changes.dates.slice() };
}

class MemoryResults implements ResultStore {
  readonly grid: ChipGrid;
  readonly requests = new MemoryRequests();
  private readonly chips = new Map<string, Kept>();

  constructor(grid: ChipGrid) {
    this.grid = grid;
  }

  private key(algorithm: string, at: { h: number; v: number }): string {
    checkKey(algorithm, at);
    return `${at.h} ${at.v} ${algorithm}`;
  }

  async write(chip: ChipResult): Promise<void> {
    const summary = summaryOf(this.grid, chip);
    // A copy: what the caller does to its arrays afterwards is not in the store.
    this.keep(summary, structuredClone(chip));
  }

  async writePacked(chip: PackedChip): Promise<void> {
    const summary = packedSummaryOf(this.grid, chip);
    const { parts, ...facts } = chip;
    this.keep(summary, { ...facts, changes: unpackRows(parts) });
  }

  private keep(summary: ChipSummary, chip: ChipResult): void {
    this.chips.set(this.key(chip.changes.algorithm, chip), { summary, chip });
    this.requests.answer(chip.changes.algorithm, chip);
  }

  async chip(algorithm: string, at: { h: number; v: number }): Promise<ChipResult | null> {
    const kept = this.chips.get(this.key(algorithm, at));
    return kept ? structuredClone(kept.chip) : null;
  }

  async pixels(algorithm: string, at: { h: number; v: number }): Promise<ChipPixels | null> {
    const kept = this.chips.get(this.key(algorithm, at));
    if (!kept) return null;
    const { summary, chip } = structuredClone(kept);
    return { chip: summary, pixel: (px) => pixelOf(chip.changes, px) };
  }

  async pixel(algorithm: string, point: { x: number; y: number }) {
    const { chip: cell, px } = pixelAt(this.grid, point);
    const kept = this.chips.get(this.key(algorithm, cell));
    if (!kept) return null;
    const changes = ownPixel(kept.chip.changes, px);
    return { chip: { ...kept.summary }, ...pixelCorner(this.grid, chipCell(this.grid, cell.h, cell.v), px), changes };
  }

  async summaries(algorithm: string, { hMin, vMin, hMax, vMax }: ChipRange): Promise<ChipSummary[]> {
    checkRange(algorithm, { hMin, vMin, hMax, vMax });
    return [...this.chips.values()]
      .filter(({ chip }) => chip.changes.algorithm === algorithm)
      .map(({ summary }) => ({ ...summary }))
      .filter(({ h, v }) => h >= hMin && h <= hMax && v >= vMin && v <= vMax)
      .sort((a, b) => a.v - b.v || a.h - b.h);
  }

  async remove(algorithm: string, at: { h: number; v: number }): Promise<boolean> {
    return this.chips.delete(this.key(algorithm, at));
  }

  async close(): Promise<void> {
    this.chips.clear();
  }
}

/** A result store that lasts as long as the process. */
export function memoryResults(grid: ChipGrid): ResultStore {
  return new MemoryResults(grid);
}
