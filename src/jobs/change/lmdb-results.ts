// The result store in a folder: an LMDB environment, which several processes may share.
import { type ChipGrid, chipCell } from '../../geo/chip-grid.js';
import type { Key, LmdbFile } from './lmdb-file.js';
import { LmdbRequests } from './lmdb-requests.js';
import { type PackedRows, packedSummaryOf, rowsOfParts } from './packed-rows.js';
import { type ChipHead, RowReader, RowWriter, readHead, readSummary, rowsOf } from './result-bytes.js';
import { atPixel, cellOf, prefixKey, rowKey, summaryKey } from './result-keys.js';
import {
  type ChipPixels,
  type ChipRange,
  type ChipResult,
  type ChipSummary,
  checkKey,
  checkRange,
  type PackedChip,
  type PixelResult,
  pixelAt,
  pixelCorner,
  type ResultStore,
  summaryOf,
} from './result-store.js';

const textOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Some kB each. */
const HEADS_KEPT = 256;

export class LmdbResults implements ResultStore {
  readonly grid: ChipGrid;
  readonly requests: LmdbRequests;
  private readonly file: LmdbFile;
  private readonly writer = new RowWriter();
  private readonly heads = new Map<string, { bytes: Uint8Array; head: ChipHead }>();

  constructor(file: LmdbFile, grid: ChipGrid) {
    this.file = file;
    this.grid = grid;
    this.requests = new LmdbRequests(file);
  }

  async write(chip: ChipResult): Promise<void> {
    const { changes } = chip;
    const summary = summaryOf(this.grid, chip);
    const { algorithm, dates, segments } = changes;
    this.put(summary, { algorithm, dates, ...segments }, rowsOf(this.writer, changes));
  }

  async writePacked(chip: PackedChip): Promise<void> {
    const summary = packedSummaryOf(this.grid, chip);
    this.put(summary, chip.parts[0]!, rowsOfParts(chip.parts));
  }

  /** A chip in one transaction; `rows` may be lent until the next one. */
  private put(
    summary: ChipSummary,
    shared: Pick<PackedRows, 'algorithm' | 'bandNames' | 'avgDaysYr' | 'dates'>,
    rows: Iterable<Uint8Array>,
  ): void {
    const { algorithm, bandNames, avgDaysYr, dates } = shared;
    const { h, v } = summary;
    const head: ChipHead = { summary, bandNames: [...bandNames], avgDaysYr, dates: [...dates] };
    this.file.write((put, remove) => {
      put(summaryKey(algorithm, { h, v }), textOf(summary));
      put(prefixKey('head', algorithm, { h, v }), textOf(head));
      const key = rowKey(algorithm, { h, v }, 0);
      let px = 0;
      for (const row of rows) put(atPixel(key, px++), row);
      this.requests.answer(remove, algorithm, { h, v });
    });
  }

  async chip(algorithm: string, at: { h: number; v: number }): Promise<ChipResult | null> {
    checkKey(algorithm, at);
    // Nothing waits between these reads: they see one moment.
    this.file.refresh();
    const head = this.head(algorithm, at);
    if (!head) return null;
    const nPx = this.grid.chipPx ** 2;
    const reader = new RowReader(algorithm, head, nPx);
    for (const { value } of this.file.range(rowKey(algorithm, at, 0), rowKey(algorithm, at, nPx))) reader.push(value);
    const { h, v, inputsMd5, producedMs } = head.summary;
    return { h, v, inputsMd5, producedMs, changes: reader.changes() };
  }

  async pixels(algorithm: string, at: { h: number; v: number }): Promise<ChipPixels | null> {
    checkKey(algorithm, at);
    this.file.refresh();
    const head = this.head(algorithm, at);
    if (!head) return null;
    const rows: Uint8Array[] = [];
    const end = rowKey(algorithm, at, this.grid.chipPx ** 2);
    for (const { value } of this.file.range(rowKey(algorithm, at, 0), end)) rows.push(value);
    return {
      chip: { ...head.summary },
      pixel(px) {
        const reader = new RowReader(algorithm, head, 1);
        if (rows[px]) reader.push(rows[px]);
        return reader.changes();
      },
    };
  }

  async pixel(algorithm: string, point: { x: number; y: number }): Promise<PixelResult | null> {
    const { chip: at, px } = pixelAt(this.grid, point);
    checkKey(algorithm, at);
    this.file.refresh();
    const head = this.head(algorithm, at);
    if (!head) return null;
    const reader = new RowReader(algorithm, head, 1);
    const row = this.file.get(rowKey(algorithm, at, px));
    if (row) reader.push(row);
    const corner = pixelCorner(this.grid, chipCell(this.grid, at.h, at.v), px);
    return { chip: { ...head.summary }, ...corner, changes: reader.changes() };
  }

  async summaries(algorithm: string, range: ChipRange): Promise<ChipSummary[]> {
    const { hMin, vMin, hMax, vMax } = range;
    checkRange(algorithm, range);
    this.file.refresh();
    const found: ChipSummary[] = [];
    // Right behind the last key: the same with a byte more.
    const end = prefixKey('summary', algorithm, { h: hMax, v: vMax }, 1);
    // Keys lie row by row: what is left and right of the range is jumped over.
    for (let start: Key | null = summaryKey(algorithm, { h: hMin, v: vMin }); start; ) {
      let next: Key | null = null;
      for (const { key, value } of this.file.range(start, end)) {
        const { h, v } = cellOf(key);
        if (h < hMin) next = summaryKey(algorithm, { h: hMin, v });
        else if (h > hMax) next = v < vMax ? summaryKey(algorithm, { h: hMin, v: v + 1 }) : null;
        else found.push(readSummary(value));
        if (h < hMin || h > hMax) break;
      }
      start = next;
    }
    return found;
  }

  async remove(algorithm: string, at: { h: number; v: number }): Promise<boolean> {
    checkKey(algorithm, at);
    return this.file.write((_, remove) => {
      const was = remove(summaryKey(algorithm, at));
      remove(prefixKey('head', algorithm, at));
      for (let px = 0; px < this.grid.chipPx ** 2; px++) remove(rowKey(algorithm, at, px));
      return was;
    });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Heads are read again and again, and seldom change: what was made of the same bytes is made once. */
  private head(algorithm: string, at: { h: number; v: number }): ChipHead | null {
    const key = prefixKey('head', algorithm, at);
    const bytes = this.file.get(key);
    if (!bytes) return null;
    const name = key.toString('latin1');
    const known = this.heads.get(name);
    if (known && Buffer.compare(known.bytes, bytes) === 0) return known.head;
    const head = readHead(bytes);
    if (this.heads.size >= HEADS_KEPT) this.heads.delete(this.heads.keys().next().value!);
    this.heads.set(name, { bytes, head });
    return head;
  }
}
