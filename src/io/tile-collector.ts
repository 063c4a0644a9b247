import { InputError } from '../errors.js';
import { intersect, type Window } from '../geo/grid.js';
import type { PackDtype } from '../kernels/overview.js';
import type { CogLevel } from './cog-layout.js';
import type { NumericArray } from './raster.js';

/** The array type of each dtype that can be written. */
export const ARRAY_OF = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** All bands of one tile; pixels right of and below the image hold the fill value. */
export interface Tile {
  /** Row-major in its level. */
  index: number;
  /** px of its sides */
  side: number;
  /** Planar [nBand][tileSize][tileSize] */
  data: NumericArray;
  /** px inside the image */
  width: number;
  /** px inside the image */
  height: number;
}

interface OpenTile extends Tile {
  /** What has been written, in px of the level; disjoint. */
  parts: Window[];
  /** px not yet written */
  missing: number;
}

export interface CollectorForm {
  dtype: PackDtype;
  nBand: number;
  /** What unwritten pixels hold. */
  fill: number;
}

/** Gathers windows of any alignment into whole tiles of one level. */
export interface TileCollector {
  /** Copies a window [height][width] per band; yields each tile that it completed. A pixel given twice is an InputError. */
  add(window: Window, data: readonly NumericArray[]): Generator<Tile>;
  /** The tile as far as it was written, and forgets it; null when nothing was. */
  take(index: number): Tile | null;
  /** Bytes of the incomplete tiles. */
  readonly heldBytes: number;
  /** Pixels written so far. */
  readonly writtenPx: number;
}

/** Copies the part of a window that lies in a tile, band by band and row by row. */
function copyPart(tile: OpenTile, at: Window, part: Window, source: { window: Window; data: readonly NumericArray[] }) {
  const { window, data } = source;
  const side = at.width;
  data.forEach((plane, band) => {
    for (let row = part.row; row < part.row + part.height; row++) {
      const from = (row - window.row) * window.width + part.col - window.col;
      const to = (band * side + row - at.row) * side + part.col - at.col;
      tile.data.set(plane.subarray(from, from + part.width), to);
    }
  });
}

/** The square of tile `index`, in px of the level; may reach outside it. */
function frame({ tileSize, tilesAcross }: CogLevel, index: number): Window {
  return {
    col: (index % tilesAcross) * tileSize,
    row: Math.floor(index / tilesAcross) * tileSize,
    width: tileSize,
    height: tileSize,
  };
}

function emptyTile(level: CogLevel, { dtype, nBand, fill }: CollectorForm, index: number): OpenTile {
  const { tileSize } = level;
  const { col, row } = frame(level, index);
  const width = Math.min(tileSize, level.width - col);
  const height = Math.min(tileSize, level.height - row);
  const data = new ARRAY_OF[dtype](nBand * tileSize * tileSize);
  if (fill !== 0) data.fill(fill);
  return { index, side: tileSize, data, width, height, parts: [], missing: width * height };
}

/** The tiles that a window touches. */
function touchedTiles({ tileSize, tilesAcross }: CogLevel, window: Window): number[] {
  const indices: number[] = [];
  for (let row = Math.floor(window.row / tileSize); row * tileSize < window.row + window.height; row++) {
    for (let col = Math.floor(window.col / tileSize); col * tileSize < window.col + window.width; col++) {
      indices.push(row * tilesAcross + col);
    }
  }
  return indices;
}

export function tileCollector(level: CogLevel, form: CollectorForm): TileCollector {
  const { dtype, nBand } = form;
  const open = new Map<number, OpenTile>();
  const done = new Set<number>();
  let writtenPx = 0;
  return {
    *add(window, data) {
      const indices = touchedTiles(level, window);
      for (const index of indices) {
        const twice = done.has(index) || open.get(index)?.parts.some((part) => intersect(part, window));
        if (twice) {
          const { col, row, width, height } = window;
          throw new InputError(`the window ${width} × ${height} at column ${col}, row ${row} was written before`);
        }
      }
      for (const index of indices) {
        const at = frame(level, index);
        const part = intersect(at, window)!;
        const tile = open.get(index) ?? emptyTile(level, form, index);
        open.set(index, tile);
        copyPart(tile, at, part, { window, data });
        tile.parts.push(part);
        tile.missing -= part.width * part.height;
        writtenPx += part.width * part.height;
        if (tile.missing > 0) continue;
        open.delete(index);
        done.add(index);
        yield tile;
      }
    },
    take(index) {
      const tile = open.get(index) ?? null;
      open.delete(index);
      return tile;
    },
    get heldBytes() {
      return open.size * nBand * level.tileSize * level.tileSize * ARRAY_OF[dtype].BYTES_PER_ELEMENT;
    },
    get writtenPx() {
      return writtenPx;
    },
  };
}
