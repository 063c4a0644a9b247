import { openSpill } from '#platform';
import type { Window } from '../geo/grid.js';
import { intersect } from '../geo/grid.js';
import { SAMPLE_BYTES, type TileRef } from '../io/raster.js';
import type { Kernels } from '../kernels/memory.js';
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

/** Decodes one tile and copies the part that lies in `window` to `put(band, row, col, bytes)`, in runs as long as can be. */
async function decodeInto(
  file: SourceFile,
  { ref, window, signal }: { ref: TileRef; window: Window; signal: AbortSignal | undefined },
  put: (band: number, part: Window, bytes: Uint8Array) => void,
): Promise<void> {
  const { tileWidth, tileHeight } = file.raster.header.levels[file.level]!;
  const tile = { col: ref.col * tileWidth, row: ref.row * tileHeight, width: tileWidth, height: tileHeight };
  const part = intersect(tile, window);
  if (!part) return;
  const arrays = await file.raster.readTile(ref, file.bandIndices, { ...(signal && { signal }) });
  for (const [band, array] of arrays.entries()) {
    const size = array.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const pitch = tileWidth * size;
    const begin = (part.row - tile.row) * pitch + (part.col - tile.col) * size;
    if (part.width === tileWidth) {
      put(band, part, bytes.subarray(begin, begin + part.height * pitch));
      continue;
    }
    const packed = new Uint8Array(part.width * part.height * size);
    for (let row = 0; row < part.height; row++) {
      const from = begin + row * pitch;
      packed.set(bytes.subarray(from, from + part.width * size), row * part.width * size);
    }
    put(band, part, packed);
  }
}

/** Copies a packed part into a window of rows `width` px wide. */
function copyPart(target: Uint8Array, window: Window, part: Window, bytes: Uint8Array): void {
  const size = bytes.length / (part.width * part.height);
  const pitch = window.width * size;
  const begin = (part.row - window.row) * pitch + (part.col - window.col) * size;
  if (part.width === window.width) {
    target.set(bytes, begin);
    return;
  }
  const run = part.width * size;
  for (let row = 0; row < part.height; row++) {
    target.set(bytes.subarray(row * run, (row + 1) * run), begin + row * pitch);
  }
}

/** Keeps everything in wasm memory, in the arena's current scope: nothing is copied again until it is placed. */
export function holdInMemory(k: Kernels): Hold {
  return {
    async load(file, window, signal) {
      const px = window.width * window.height;
      const sizes = sampleBytes(file);
      const ptrs = sizes.map((size) => k.alloc(px * size));
      for (const ref of tilesUnder(file, window)) {
        await decodeInto(file, { ref, window, signal }, (band, part, bytes) =>
          copyPart(k.u8(ptrs[band]!, px * sizes[band]!), window, part, bytes),
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
      for (const ref of tilesUnder(file, window)) {
        await decodeInto(file, { ref, window, signal }, (band, part, bytes) => {
          spill.write(end, bytes);
          pieces.push({ band, part, offset: end });
          end += bytes.length;
        });
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
    const target = k.u8(ptrs[band]!, window.width * count * size);
    if (part.width === window.width) {
      const at = (own.row - begin) * window.width * size;
      spill.read(from, target.subarray(at, at + own.height * window.width * size));
    } else {
      const packed = new Uint8Array(own.width * own.height * size);
      spill.read(from, packed);
      copyPart(target, rows, own, packed);
    }
  }
  return { ptrs, firstCol: window.col, firstRow: begin, width: window.width, height: count };
}
