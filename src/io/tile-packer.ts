import { kernels } from '../kernels/memory.js';
import {
  halveInto,
  mergeSummaries,
  type OverviewMethod,
  type PlaneView,
  SAMPLE_BYTES,
  type Summary,
  summarize,
} from '../kernels/overview.js';
import { packRows } from '../kernels/pack.js';
import type { CogForm } from './cog-layout.js';
import type { NumericArray } from './raster.js';
import { ARRAY_OF, type Tile } from './tile-collector.js';

/** One strip of rows of all bands enters wasm at a time, so that its memory does not grow with the number of bands. */
const STRIP_BYTES = 2 ** 21;

export const EMPTY_SUMMARY: Summary = { count: 0, minimum: Infinity, maximum: -Infinity, mean: 0, squares: 0 };

/** What the file needs of a tile: its bytes before compression, its half for the next overview, its statistics. */
export interface PackedTile {
  /** Chunky, predictor applied. */
  bytes: Uint8Array;
  /** Per band [⌈height/2⌉][⌈width/2⌉], one after the other; null when no overview was asked for. */
  half: NumericArray | null;
  /** Per band, over the valid samples inside the image; null when not asked for. */
  summaries: Summary[] | null;
}

export interface PackRequest {
  half: OverviewMethod | null;
  summaries: boolean;
}

/** Interleaves, predicts, halves and summarises a tile in wasm. */
export function packTile(form: CogForm, tile: Tile, request: PackRequest): PackedTile {
  const { dtype, nBand, predictor, nodata } = form;
  const tileSize = tile.side;
  const k = kernels();
  const size = SAMPLE_BYTES[dtype];
  const rowBytes = tileSize * size;
  const stripRows = Math.min(tileSize, Math.max(2, Math.floor(STRIP_BYTES / (rowBytes * nBand)) & ~1));
  const source = new Uint8Array(tile.data.buffer, tile.data.byteOffset, tile.data.byteLength);
  const bytes = new Uint8Array(source.length);
  const halfWidth = (tile.width + 1) >> 1;
  const halfHeight = (tile.height + 1) >> 1;
  const half = request.half ? new ARRAY_OF[dtype](nBand * halfWidth * halfHeight) : null;
  const halfBytes = half && new Uint8Array(half.buffer);
  const summaries = request.summaries ? new Array<Summary>(nBand).fill(EMPTY_SUMMARY) : null;

  k.scope(() => {
    const planes = k.alloc(stripRows * rowBytes * nBand);
    const out = k.alloc(stripRows * rowBytes * nBand);
    for (let top = 0; top < tileSize; top += stripRows) {
      const nRow = Math.min(stripRows, tileSize - top);
      const inside = Math.min(nRow, tile.height - top);
      for (let band = 0; band < nBand; band++) {
        const ptr = planes + band * nRow * rowBytes;
        const from = (band * tileSize + top) * rowBytes;
        k.u8(ptr, nRow * rowBytes).set(source.subarray(from, from + nRow * rowBytes));
        if (inside <= 0) continue;
        const plane: PlaneView = { ptr, dtype, width: tile.width, height: inside, stridePx: tileSize, nodata };
        if (summaries) summaries[band] = mergeSummaries(summaries[band]!, summarize(k, plane));
        if (halfBytes) {
          halveInto(k, plane, request.half!, { ptr: out, stridePx: halfWidth });
          const at = (band * halfHeight + (top >> 1)) * halfWidth * size;
          halfBytes.set(k.u8(out, ((inside + 1) >> 1) * halfWidth * size), at);
        }
      }
      packRows(k, { ptr: planes, dtype, nBand, nRow, width: tileSize }, predictor, out);
      bytes.set(k.u8(out, nRow * rowBytes * nBand), top * rowBytes * nBand);
    }
  });
  return { bytes, half, summaries };
}
