// Masked pixels taken out of the source before it is resampled (`before-warp`), as odc-stats does: no cloud has a share in the pixels
// beside it.
import { UnsupportedError } from '../errors.js';
import { liesAlong } from '../geo/footprint.js';
import { type Grid, type Window, windowAround } from '../geo/grid.js';
import { DTYPE_NAMES, type Dtype, type NumericArray, SAMPLE_BYTES } from '../io/raster.js';
import type { Kernels } from '../kernels/memory.js';
import { maskPlanesInto, placeMaskInto } from '../kernels/plane.js';
import type { Held, HeldRows } from './hold.js';
import { type AxisMap, placeAlong, sourceCoordinate, sourceSpan } from './placement.js';
import type { NativeMask } from './scene-mask.js';
import type { SourceFile } from './source.js';
import { holds } from './statistic.js';

/** A window of a file's level. */
interface FileWindow {
  file: SourceFile;
  window: Window;
}

/** How mask pixels lie under those of a band. */
function axesUnder(mask: Grid, { placement: { own }, raster, scene }: SourceFile): { x: AxisMap; y: AxisMap } {
  if (liesAlong(mask, own)) return placeAlong(mask, own);
  const { url } = raster.header;
  const message = `${url}: the mask of ${scene.id} is turned against it, or in another CRS: before-warp wants both along the same axes`;
  throw new UnsupportedError(message, { url, items: [scene.id] });
}

/** The pixels of a mask band under windows of value bands, with `reachPx` around; null where there are none. */
export function windowUnder(mask: Grid, values: readonly FileWindow[], reachPx: number): Window | null {
  const windows = values.flatMap(({ file, window }) => {
    const { x, y } = axesUnder(mask, file);
    const across = { begin: window.col, count: window.width, margin: reachPx, size: mask.width };
    const down = { begin: window.row, count: window.height, margin: reachPx, size: mask.height };
    const { begin: col, count: width } = sourceSpan(x, across);
    const { begin: row, count: height } = sourceSpan(y, down);
    return width > 0 && height > 0 ? [{ col, row, width, height }] : [];
  });
  return windows.length > 0 ? windowAround(windows) : null;
}

/** The same rows without what a mask marks under their pixels' middles; beside the mask all is marked. */
export function erased(k: Kernels, held: Held, masks: readonly (readonly NativeMask[])[]): Held {
  for (const { dtype, nodata } of held.file.headers) {
    if (holds(dtype, nodata ?? Number.NaN)) continue;
    const { url } = held.file.raster.header;
    const lack =
      nodata === null ? 'no missing value' : `the missing value ${nodata}, which is none of ${DTYPE_NAMES[dtype]},`;
    throw new UnsupportedError(`${url} has ${lack} to mark masked pixels with: give --nodata`, { url });
  }
  let last: readonly number[] | null = null;
  return {
    ...held,
    rows(begin, count) {
      const rows = held.rows(begin, count);
      // Rows in memory are the same ones each time.
      if (rows.ptrs !== last) for (const mask of masks) k.scope(() => eraseRows(k, held.file, rows, mask[0] ?? null));
      last = rows.ptrs;
      return rows;
    },
  };
}

/** The nearest mask column (or row) of `count` pixels from `first`, relative to the mask's window; −1 outside. */
function indices(axis: AxisMap, first: number, count: number, { begin, size }: { begin: number; size: number }) {
  return Int32Array.from({ length: count }, (_, i) => {
    const at = Math.floor(sourceCoordinate(axis, first + i)) - begin;
    return at >= 0 && at < size ? at : -1;
  });
}

function eraseRows(k: Kernels, file: SourceFile, rows: HeldRows, mask: NativeMask | null): void {
  const { width, height } = rows;
  const n = width * height;
  const ptr = k.alloc(n);
  if (!mask) k.u8(ptr, n).fill(1);
  else {
    const { x, y } = axesUnder(mask.placement.own, file);
    const { window } = mask;
    const [cols, lines] = [k.alloc(width * 4), k.alloc(height * 4)];
    k.i32(cols, width).set(indices(x, rows.firstCol, width, { begin: window.col, size: window.width }));
    k.i32(lines, height).set(indices(y, rows.firstRow, height, { begin: window.row, size: window.height }));
    const source = { ptr: mask.ptr, width: window.width, height: window.height };
    placeMaskInto(k, source, { cols, rows: lines }, { ptr, width, height });
  }
  for (const [i, { dtype, nodata }] of file.headers.entries()) {
    const plane = { ptr: rows.ptrs[i]!, nBand: 1, bandStrideBytes: 0, nPx: n, nodata };
    // Blocks of the arena end at 16 bytes: so do the kernels' last steps.
    if (dtype === 'u16' || dtype === 'i16' || dtype === 'f32') maskPlanesInto(k, ptr, { ...plane, dtype });
    else fillMasked(k, ptr, { ...plane, dtype });
  }
}

function fillMasked(
  k: Kernels,
  mask: number,
  { ptr, dtype, nPx, nodata }: { ptr: number; dtype: Dtype; nPx: number; nodata: number | null },
): void {
  const bytes = k.u8(ptr, nPx * SAMPLE_BYTES[dtype]);
  const samples = samplesIn(dtype, bytes);
  const marked = k.u8(mask, nPx);
  for (let px = 0; px < nPx; px++) if (marked[px] === 1) samples[px] = dtype === 'f64' ? Number.NaN : nodata!;
}

/** Bytes of wasm memory as samples. */
function samplesIn(dtype: Dtype, { buffer, byteOffset, length }: Uint8Array): NumericArray {
  const n = length / SAMPLE_BYTES[dtype];
  if (dtype === 'u8') return new Uint8Array(buffer, byteOffset, n);
  if (dtype === 'i8') return new Int8Array(buffer, byteOffset, n);
  if (dtype === 'u32') return new Uint32Array(buffer, byteOffset, n);
  if (dtype === 'i32') return new Int32Array(buffer, byteOffset, n);
  if (dtype === 'f64') return new Float64Array(buffer, byteOffset, n);
  throw new UnsupportedError(`masked samples of ${DTYPE_NAMES[dtype]} cannot be taken out before resampling`);
}
