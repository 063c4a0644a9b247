// Results of pixels as the rows that a store keeps, packed where they were found: who writes them has nothing left to compute.
import type { ChipGrid } from '../../geo/chip-grid.js';
import type { ChangeCounts, Changes } from '../../stats/change.js';
import type { FoundPixel, PixelSink } from '../../stats/found-pixel.js';
import { failedLength, foundLength, RowBytes, RowReader } from './result-bytes.js';
import { type ChipSummary, checkFacts, type PackedChip } from './result-store.js';

/** Rows of pixels one after the other, as plain data. */
export interface PackedRows {
  algorithm: string;
  nPx: number;
  bandNames: readonly string[];
  avgDaysYr: number;
  /** Ascending ordinals. */
  dates: Int32Array;
  /** All rows, see {@link RowBytes}. */
  bytes: Uint8Array;
  /** [nPx]: where each row ends in them. */
  ends: Uint32Array;
  counts: ChangeCounts;
}

/** What rows share. */
type RowFacts = Pick<PackedRows, 'algorithm' | 'bandNames' | 'avgDaysYr' | 'dates'>;

/** Rows are put into pieces of at least this. */
const PIECE_BYTES = 2 ** 20;

/**
 * Packs pixel after pixel. Rows are collected in memory that is kept for the next ones, and leave it as one array of their length: of
 * each chip nothing but that is allocated, and it goes to who writes it.
 */
export class RowPacker implements PixelSink {
  private readonly pieces: RowBytes[] = [];
  /** Bytes of each piece that are in use, and those of all pieces before the last one used. */
  private readonly used: number[] = [];
  private piece = -1;
  private before = 0;
  private ends = new Uint32Array(0);
  private px = 0;
  private counts: ChangeCounts = { withSegments: 0, empty: 0, failed: 0 };

  /** Begins anew with so many pixels to come. */
  begin(nPx: number): void {
    this.ends = new Uint32Array(nPx);
    this.counts = { withSegments: 0, empty: 0, failed: 0 };
    this.px = 0;
    this.before = 0;
    this.piece = -1;
  }

  found(pixel: FoundPixel): void {
    const at = this.place(foundLength(pixel));
    this.pieces[this.piece]!.found(at, pixel);
    if (pixel.nSegment > 0) this.counts.withSegments++;
    else this.counts.empty++;
  }

  failed(reason: string): void {
    const bytes = new TextEncoder().encode(reason);
    const at = this.place(failedLength(bytes));
    this.pieces[this.piece]!.failed(at, bytes);
    this.counts.failed++;
  }

  /** Makes room for a row of so many bytes: where it begins in the piece. */
  private place(length: number): number {
    if (this.piece < 0 || this.used[this.piece]! + length > this.pieces[this.piece]!.bytes.length) this.turn(length);
    const at = this.used[this.piece]!;
    this.used[this.piece] = at + length;
    this.ends[this.px++] = this.before + at + length;
    return at;
  }

  /** Goes on in the next piece. */
  private turn(length: number): void {
    if (this.piece >= 0) this.before += this.used[this.piece]!;
    this.piece++;
    const own = this.pieces[this.piece];
    if (!own || own.bytes.length < length) this.pieces[this.piece] = new RowBytes(Math.max(PIECE_BYTES, length));
    this.used[this.piece] = 0;
  }

  /** All rows, in arrays of their own. */
  rows(facts: RowFacts): PackedRows {
    const { ends, counts } = this;
    const bytes = new Uint8Array(ends.at(-1) ?? 0);
    for (let i = 0, at = 0; i <= this.piece; at += this.used[i++]!) {
      bytes.set(this.pieces[i]!.bytes.subarray(0, this.used[i]), at);
    }
    return { ...facts, nPx: ends.length, bytes, ends, counts };
  }
}

/** The rows of parts of a chip, in order; each is lent until the next. */
export function* rowsOfParts(parts: readonly PackedRows[]): Generator<Uint8Array> {
  for (const { bytes, ends } of parts) {
    let from = 0;
    for (const end of ends) {
      yield bytes.subarray(from, end);
      from = end;
    }
  }
}

/** Checks a chip before it is written, and says what there is to say of it. */
export function packedSummaryOf(grid: ChipGrid, { parts, ...chip }: PackedChip): ChipSummary {
  const nPx = parts.reduce((sum, part) => sum + part.nPx, 0);
  checkFacts(grid, chip, { algorithm: parts[0]?.algorithm ?? '', nPx });
  const { h, v, inputsMd5, producedMs } = chip;
  return { h, v, inputsMd5, producedMs, ...countParts(parts) };
}

/** What all parts have. */
export function countParts(parts: readonly PackedRows[]): ChangeCounts {
  const count = (key: keyof ChangeCounts) => parts.reduce((sum, { counts }) => sum + counts[key], 0);
  return { withSegments: count('withSegments'), empty: count('empty'), failed: count('failed') };
}

/** The results that were packed in parts, of the same dates and bands. */
export function unpackRows(parts: readonly PackedRows[]): Changes {
  const [{ algorithm, bandNames, avgDaysYr, dates }] = parts as [PackedRows];
  const nPx = parts.reduce((sum, part) => sum + part.nPx, 0);
  const reader = new RowReader(algorithm, { bandNames, avgDaysYr, dates }, nPx);
  for (const row of rowsOfParts(parts)) reader.push(row);
  return reader.changes();
}
