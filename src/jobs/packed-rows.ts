// Results of pixels as the rows that a store keeps, packed where they were found: who writes them has nothing left to compute.
import type { ChipGrid } from '../geo/chip-grid.js';
import { type ChangeCounts, type Changes, countPixels } from '../stats/change.js';
import { RowReader, RowWriter, rowLength } from './result-bytes.js';
import { type ChipSummary, checkFacts, type PackedChip } from './result-store.js';

/** Rows of pixels one after the other, as plain data. */
export interface PackedRows {
  algorithm: string;
  nPx: number;
  bandNames: readonly string[];
  avgDaysYr: number;
  /** Ascending ordinals. */
  dates: Int32Array;
  /** All rows, see {@link RowWriter}. */
  bytes: Uint8Array;
  /** [nPx]: where each row ends in them. */
  ends: Uint32Array;
  counts: ChangeCounts;
}

/** [nPx]: where the row of each pixel ends. */
function endsOf(changes: Changes): Uint32Array {
  const ends = new Uint32Array(changes.nPx);
  let end = 0;
  for (let px = 0; px < ends.length; px++) {
    end += rowLength(changes, px);
    ends[px] = end;
  }
  return ends;
}

function putRows(bytes: Uint8Array, ends: Uint32Array, changes: Changes): void {
  const writer = new RowWriter();
  for (let px = 0; px < ends.length; px++) bytes.set(writer.row(changes, px), px === 0 ? 0 : ends[px - 1]!);
}

export function packRows(changes: Changes): PackedRows {
  const { algorithm, nPx, dates, segments } = changes;
  const { bandNames, avgDaysYr } = segments;
  const ends = endsOf(changes);
  const bytes = new Uint8Array(ends.at(-1) ?? 0);
  putRows(bytes, ends, changes);
  return { algorithm, nPx, bandNames, avgDaysYr, dates, bytes, ends, counts: countPixels(changes) };
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
