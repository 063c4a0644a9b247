// Results of chips as files: JSON or Parquet, a chip at a time.
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { InputError } from '../../errors.js';
import { type ChipGrid, chipCell } from '../../geo/chip-grid.js';
import { encodeParquet, type ParquetColumn } from '../../io/parquet.js';
import type { Sink } from '../../io/sink.js';
import { openOutput } from '../../io/stores.js';
import { ALGORITHM } from '../../stats/change.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import type { AreaOptions } from './change-area.js';
import { findChips } from './result-area.js';
import { chipJson } from './result-json.js';
import type { ChipResult, ResultStore } from './result-store.js';
import { chipTable, pixelsTable, segmentsTable } from './result-tables.js';

export type ExportFormat = 'json' | 'parquet';

export interface ExportOptions extends AreaOptions {
  format: ExportFormat;
  /** JSON only: `.json.gz`. */
  gzip?: boolean | undefined;
  algorithm?: string | undefined;
  overwrite?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Pixels of chips. */
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
}

export interface ExportSummary {
  files: string[];
  chips: { exported: number; missing: number };
}

/** A chip's own part of a file's name: its upper-left corner, as LCMAP names chips. */
export function chipName(grid: ChipGrid, { h, v }: { h: number; v: number }): string {
  const { x, y } = chipCell(grid, h, v);
  return `chip_${x}_${y}`;
}

/** Writes pieces one after the other; the name appears when all are there. */
async function writePieces(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  { overwrite, signal }: { overwrite: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const sink: Sink = await openOutput(path, { overwrite });
  try {
    let end = 0;
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      await sink.write(end, piece);
      end += piece.length;
    }
    await sink.commit();
  } finally {
    await sink.abort();
  }
}

/** The rows of a chip as a JSON file. */
export async function writeChipJson(
  path: string,
  { grid, chip }: { grid: ChipGrid; chip: ChipResult },
  options: { gzip?: boolean; overwrite: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const text = Readable.from(chipJson({ grid }, chip), { objectMode: false });
  // A pipeline, so that an error of the text ends what is read of it; whoever reads has it from there.
  await writePieces(path, options.gzip ? pipeline(text, createGzip(), () => {}) : text, options);
}

const TABLES: Readonly<Record<string, (grid: ChipGrid, chip: ChipResult) => ParquetColumn[]>> = {
  segments: segmentsTable,
  pixels: pixelsTable,
  chips: chipTable,
};

/** Names of the files of a chip; that of the chip itself comes last. */
function filesOf(grid: ChipGrid, at: { h: number; v: number }, { format, gzip }: ExportOptions): string[] {
  const name = chipName(grid, at);
  if (format === 'json') return [`${name}.json${gzip ? '.gz' : ''}`];
  return Object.keys(TABLES).map((table) => `${table}/${name}.parquet`);
}

async function exportChip(
  place: OutputFolder,
  work: { grid: ChipGrid; chip: ChipResult; options: ExportOptions },
): Promise<string[]> {
  const { grid, chip, options } = work;
  const { format, gzip = false, overwrite = false, signal } = options;
  const paths = filesOf(grid, chip, options).map((name) => place.pathOf(name));
  if (format === 'json') {
    await writeChipJson(paths[0]!, { grid, chip }, { gzip, overwrite, signal });
    return paths;
  }
  const { algorithm } = chip.changes;
  for (const [i, table] of Object.values(TABLES).entries()) {
    signal?.throwIfAborted();
    const bytes = await encodeParquet(table(grid, chip), { algorithm, grid: JSON.stringify(grid) });
    await place.makeFor(paths[i]!);
    await place.write(paths[i]!, bytes);
  }
  return paths;
}

/**
 * Writes the chips of an area that have run into a folder of the disk or of a bucket. JSON: `chip_<x>_<y>.json`, the rows of LCMAP's
 * services. Parquet: a file a chip in `segments/`, `pixels/` and `chips/`, each folder a table. A chip is in memory at a time, and no
 * file has its name before it is whole.
 * @throws InputError when no chip of the area has run, or where a file is there and `overwrite` is not given.
 */
export async function exportResults(
  store: ResultStore,
  folder: string,
  options: ExportOptions,
): Promise<ExportSummary> {
  const { format, gzip = false, algorithm = ALGORITHM, overwrite = false, signal, onProgress } = options;
  if (format !== 'json' && format !== 'parquet') {
    throw new InputError(`there is no format "${String(format)}": give json or parquet`, { option: 'format' });
  }
  if (gzip && format !== 'json') throw new InputError('only JSON is compressed by gzip', { option: 'gzip' });
  const { grid } = store;
  const { chips, asked } = await findChips(store, algorithm, options);
  const place = outputFolder(folder);
  for (const path of overwrite ? [] : chips.flatMap((at) => filesOf(grid, at, options)).map(place.pathOf)) {
    if (!(await place.has(path))) continue;
    throw new InputError(`${path} exists already: give --overwrite to replace it, or another --out`);
  }
  await place.make();
  const files: string[] = [];
  const chipPx = grid.chipPx ** 2;
  let exported = 0;
  onProgress?.(0, chips.length * chipPx);
  for (const [i, at] of chips.entries()) {
    signal?.throwIfAborted();
    const chip = await store.chip(algorithm, at);
    // It may have been removed since it was listed.
    if (chip) files.push(...(await exportChip(place, { grid, chip, options })));
    if (chip) exported++;
    onProgress?.((i + 1) * chipPx, chips.length * chipPx);
  }
  return { files, chips: { exported, missing: asked - exported } };
}
