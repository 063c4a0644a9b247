import { openSpill } from '#platform';
import type { Window } from '../geo/grid.js';
import { intersect } from '../geo/grid.js';
import { SAMPLE_BYTES, type TakePlane, type TileRef } from '../io/raster.js';
import type { Kernels } from '../kernels/memory.js';
import { type ByteRows, copyRowsInto } from '../kernels/rows.js';
import type { Spill } from '../platform.js';
import type { SourceFile } from './source.js';

/** Rows of a file's window in wasm memory: per band [height][width], row 0 being row `firstRow` of the level. */
export interface HeldRows {
  ptrs: readonly number[];
  firstCol: number;
  firstRow: number;
  width: number;
  height: number;
}

/** The decoded source pixels of a block, file by file, waiting for their strip. */
export interface Hold {
  /** Decodes the tiles under `window` of a file's level and keeps that part. */
  load(file: SourceFile, window: Window, signal?: AbortSignal): Promise<Held>;
  close(): void;
}

export interface Held {
  file: SourceFile;
  window: Window;
  /** Rows [begin, begin + count) of the level; what must be read back is put into the arena's current scope. */
  rows(begin: number, count: number): HeldRows;
}

function sampleBytes(file: SourceFile): number[] {
  return file.headers.map((band) => SAMPLE_BYTES[band.dtype]);
}

/** The tiles of a level that a window touches. */
export function tilesUnder(file: SourceFile, window: Window): TileRef[] {
  const { tileWidth, tileHeight } = file.raster.header.levels[file.level]!;
  const refs: TileRef[] = [];
  const lastRow = Math.floor((window.row + window.height - 1) / tileHeight);
  const lastCol = Math.floor((window.col + window.width - 1) / tileWidth);
  for (let row = Math.floor(window.row / tileHeight); row <= lastRow; row++) {
    for (let col = Math.floor(window.col / tileWidth); col <= lastCol; col++) {
      refs.push({ level: file.level, col, row });
    }
  }
  return refs;
}

/** Decodes one tile and shows `put` the part of each band that lies in `window`. */
async function decodeInto(
  file: SourceFile,
  { ref, window, signal }: { ref: TileRef; window: Window; signal: AbortSignal | undefined },
  put: (band: number, part: Window, rows: ByteRows) => void,
): Promise<void> {
  const { tileWidth, tileHeight } = file.raster.header.levels[file.level]!;
  const tile = { col: ref.col * tileWidth, row: ref.row * tileHeight, width: tileWidth, height: tileHeight };
  const part = intersect(tile, window);
  if (!part) return;
  const take: TakePlane = (plane, band) => {
    const size = plane.BYTES_PER_ELEMENT;
    const begin = ((part.row - tile.row) * tileWidth + part.col - tile.col) * size;
    const bytes = new Uint8Array(plane.buffer, plane.byteOffset + begin, plane.byteLength - begin);
    put(band, part, { bytes, pitch: tileWidth * size });
  };
  await file.raster.readTile(ref, file.bandIndices, take, { ...(signal && { signal }) });
}

/** Copies a part of a window from rows that begin with it to its place in the window's memory, [height][width] at `ptr`. */
function placePart(
  k: Kernels,
  { ptr, window, size }: { ptr: number; window: Window; size: number },
  part: Window,
  rows: ByteRows,
): void {
  const pitch = window.width * size;
  const at = ptr + (part.row - window.row) * pitch + (part.col - window.col) * size;
  copyRowsInto(k, rows, { nRow: part.height, rowBytes: part.width * size }, { ptr: at, pitch });
}

/** Keeps everything in wasm memory, in the arena's current scope: nothing is copied again until it is placed. */
export function holdInMemory(k: Kernels): Hold {
  return {
    async load(file, window, signal) {
      const sizes = sampleBytes(file);
      const ptrs = sizes.map((size) => k.alloc(window.width * window.height * size));
      for (const ref of tilesUnder(file, window)) {
        await decodeInto(file, { ref, window, signal }, (band, part, rows) =>
          placePart(k, { ptr: ptrs[band]!, window, size: sizes[band]! }, part, rows),
        );
      }
      const { col: firstCol, row: firstRow, width, height } = window;
      return { file, window, rows: () => ({ ptrs, firstCol, firstRow, width, height }) };
    },
    close() {},
  };
}

/** Keeps everything in a scratch file, tile part by tile part, and reads back the rows of one strip. */
export function holdInSpill(k: Kernels): Hold {
  const spill = openSpill();
  let end = 0;
  return {
    async load(file, window, signal) {
      const pieces: SpilledPart[] = [];
      const sizes = sampleBytes(file);
      for (const ref of tilesUnder(file, window)) {
        await decodeInto(file, { ref, window, signal }, (band, part, rows) =>
          k.scope(() => {
            const bytes = part.width * part.height * sizes[band]!;
            const ptr = k.alloc(bytes);
            placePart(k, { ptr, window: part, size: sizes[band]! }, part, rows);
            spill.write(end, k.u8(ptr, bytes));
            pieces.push({ band, part, offset: end });
            end += bytes;
          }),
        );
      }
      return { file, window, rows: (begin, count) => readBack(k, spill, { file, window, pieces }, { begin, count }) };
    },
    close: () => spill.close(),
  };
}

interface SpilledPart {
  band: number;
  part: Window;
  offset: number;
}

function readBack(
  k: Kernels,
  spill: Spill,
  { file, window, pieces }: { file: SourceFile; window: Window; pieces: readonly SpilledPart[] },
  { begin, count }: { begin: number; count: number },
): HeldRows {
  const rows: Window = { col: window.col, row: begin, width: window.width, height: count };
  const sizes = sampleBytes(file);
  const ptrs = sizes.map((size) => k.alloc(window.width * count * size));
  for (const { band, part, offset } of pieces) {
    const own = intersect(part, rows);
    if (!own) continue;
    const size = sizes[band]!;
    const from = offset + (own.row - part.row) * part.width * size;
    k.scope(() => {
      const bytes = own.width * own.height * size;
      const packed = k.u8(k.alloc(bytes), bytes);
      spill.read(from, packed);
      placePart(k, { ptr: ptrs[band]!, window: rows, size }, own, { bytes: packed, pitch: own.width * size });
    });
  }
  return { ptrs, firstCol: window.col, firstRow: begin, width: window.width, height: count };
}
