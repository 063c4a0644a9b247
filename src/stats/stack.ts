import type { Window } from '../geo/grid.js';
import { cellsOf } from '../geo/reproject.js';
import { dateStrideBytes, type Kernels, type StackView } from '../kernels/memory.js';
import {
  fuseInto,
  maskPlanesInto,
  type PlaneSource,
  type PlaneTarget,
  placeAverageInto,
  placeBilinearInto,
  placeInto,
  placeMaskInto,
  statusInto,
} from '../kernels/plane.js';
import { shiftInto } from '../kernels/shift.js';
import { type WarpCells, warpInto, warpMaskInto } from '../kernels/warp.js';
import type { Held } from './hold.js';
import {
  type AxisMap,
  type AxisPlacement,
  type CellPlacement,
  isCopiedPixels,
  ratiosOf,
  resamplingMargin,
  sourceCoordinate,
  sourceWindow,
} from './placement.js';
import { FIRST_RANK, type NativeMask, NO_CLASS } from './scene-mask.js';
import type { CompositeSpec } from './spec.js';

/** One scene's share of a block: its decoded bands, and its masks when they are applied before the scenes of a day are fused. */
export interface LoadedScene {
  held: readonly Held[];
  masks: readonly DayMask[];
}

/** One date of a block. */
export interface LoadedObservation {
  scenes: readonly LoadedScene[];
  /** Masks of the fused day (`after-fuse`). */
  masks: readonly DayMask[];
}

/** What one mask band says, on one lattice or, of a day's scenes, on several; none: all is masked out. */
export type DayMask = readonly NativeMask[];

/** Pixels of a stack row come in chunks of this many; the padding holds missing values. */
const CHUNK_PX = 64;

/** What a strip is placed into: its block, whose cells are at hand, and the strip itself. */
interface Area {
  block: Window;
  strip: Window;
}

/** All bands of one date in wasm memory: [nBand][nPx], bands `bandStrideBytes` apart. */
interface DatePlanes {
  ptr: number;
  bandStrideBytes: number;
  nPx: number;
}

/** Source columns and rows of a strip's pixels: computed once for all files of the same lattice, copied to where kernels read them. */
interface IndexMaps {
  known: Map<string, Int32Array>;
  /** i32[width] and i32[height] in wasm memory. */
  colsPtr: number;
  rowsPtr: number;
}

/**
 * Builds the stack of one strip in the arena's current scope: every observation placed on the target grid, masked, and the scenes
 * of a day fused. Pixels without an observation hold the stack's missing value.
 */
export function fillStack(
  k: Kernels,
  spec: CompositeSpec,
  { block, strip, observations }: Area & { observations: readonly LoadedObservation[] },
): StackView {
  const nBand = spec.bands.length;
  const nTime = observations.length;
  const nPx = Math.ceil((strip.width * strip.height) / CHUNK_PX) * CHUNK_PX;
  const planeBytes = dateStrideBytes(nPx * (spec.kernel.dtype === 'f32' ? 4 : 2));
  const bandStrideBytes = nTime * planeBytes;
  const ptr = k.alloc(Math.max(1, nBand * bandStrideBytes));
  fillMissing(k, spec, { ptr, bytes: nBand * bandStrideBytes });
  k.scope(() => {
    const maps: IndexMaps = { known: new Map(), colsPtr: k.alloc(strip.width * 4), rowsPtr: k.alloc(strip.height * 4) };
    const fused = observations.some((o) => o.scenes.length > 1);
    const spare = fused ? { ptr: k.alloc(nBand * planeBytes), bandStrideBytes: planeBytes, nPx } : null;
    const status = fused ? [k.alloc(nPx), k.alloc(nPx)] : [];
    const maskPtr = k.alloc(nPx);
    for (const [time, observation] of observations.entries()) {
      const date: DatePlanes = { ptr: ptr + time * planeBytes, bandStrideBytes, nPx };
      for (const [i, scene] of observation.scenes.entries()) {
        const planes = i === 0 ? date : spare!;
        if (i > 0)
          for (let b = 0; b < nBand; b++) fillMissing(k, spec, { ptr: planes.ptr + b * planeBytes, bytes: planeBytes });
        placeScene(k, spec, { scene, block, strip, planes, maps });
        applyMasks(k, spec, { masks: scene.masks, block, strip, planes, maps, maskPtr });
        if (observation.scenes.length === 1) continue;
        const view = { dtype: spec.kernel.dtype, nBand, nodata: spec.kernel.nodata };
        statusInto(k, { ...planes, ...view }, status[i === 0 ? 0 : 1]!);
        if (i > 0) fuseInto(k, { ...date, ...view }, status[0]!, { ...planes, ...view }, status[1]!);
      }
      applyMasks(k, spec, { masks: observation.masks, block, strip, planes: date, maps, maskPtr });
    }
  });
  const { dtype, nodata } = spec.kernel;
  return { ptr, dtype, nBand, nTime, nPx, timeStrideBytes: planeBytes, bandStrideBytes, nodata };
}

function fillMissing(k: Kernels, { kernel }: CompositeSpec, { ptr, bytes }: { ptr: number; bytes: number }): void {
  if (kernel.dtype === 'f32') k.f32(ptr, bytes / 4).fill(Number.NaN);
  else k.u16(ptr, bytes / 2).fill(kernel.nodata ?? 0);
}

function placeScene(
  k: Kernels,
  spec: CompositeSpec,
  work: Area & { scene: LoadedScene; planes: DatePlanes; maps: IndexMaps },
): void {
  for (const held of work.scene.held) {
    k.scope(() => placeFile(k, spec, { ...work, held }));
  }
}

function placeFile(
  k: Kernels,
  spec: CompositeSpec,
  { held, block, strip, planes, maps }: Area & { held: Held; planes: DatePlanes; maps: IndexMaps },
): void {
  const { file, window } = held;
  const { placement, sharpness } = file;
  const own = sourceWindow(placement, strip, resamplingMargin(spec.resampling, placement, file.sharpness), block);
  const begin = Math.max(own?.row ?? 0, window.row);
  const count = Math.min(own ? own.row + own.height : 0, window.row + window.height) - begin;
  if (count <= 0) return;
  const rows = held.rows(begin, count);
  const frame: Window = { col: rows.firstCol, row: rows.firstRow, width: rows.width, height: rows.height };
  for (const [i, name] of file.names.entries()) {
    const { dtype, nodata } = file.headers[i]!;
    const source: PlaneSource = { ptr: rows.ptrs[i]!, dtype, width: rows.width, height: rows.height, nodata };
    const target: PlaneTarget = {
      ptr: planes.ptr + spec.bands.indexOf(name) * planes.bandStrideBytes,
      dtype: spec.kernel.dtype,
      width: strip.width,
      height: strip.height,
      nodata: spec.kernel.nodata,
    };
    if (placement.kind === 'cells') {
      const under = { ...cellsAt(placement, frame, { block, strip }), sharpness };
      warpInto(k, source, { ...under, method: spec.resampling }, target);
    } else placeAlongAxes(k, source, { placement, frame, strip, maps, method: spec.resampling, sharpness }, target);
    shiftPlane(k, { ...target, nPx: planes.nPx }, file.scene.sources[name]?.shiftDn);
  }
}

function placeAlongAxes(
  k: Kernels,
  source: PlaneSource,
  work: {
    placement: AxisPlacement;
    frame: Window;
    strip: Window;
    maps: IndexMaps;
    method: CompositeSpec['resampling'];
    sharpness: number;
  },
  target: PlaneTarget,
): void {
  const { placement, frame, strip, maps, sharpness } = work;
  const method = isCopiedPixels(placement, sharpness) ? 'nearest' : work.method;
  const x = { ...placement.x, first: strip.col, origin: frame.col, sharpness };
  const y = { ...placement.y, first: strip.row, origin: frame.row, sharpness };
  if (method === 'bilinear') placeBilinearInto(k, source, { x, y }, target);
  else if (method === 'average') placeAverageInto(k, source, { x, y }, target);
  else placeInto(k, source, setMaps(k, maps, { placement, strip, window: frame }), target);
}

/** The cells of a strip, over the part `frame` of the source. */
function cellsAt(placement: CellPlacement, frame: Window, { block, strip }: Area): WarpCells {
  const ratio = ratiosOf(placement);
  return {
    cells: cellsOf(placement.cells(block), strip),
    originCol: frame.col,
    originRow: frame.row,
    firstCol: strip.col,
    firstRow: strip.row,
    ratioX: ratio.x,
    ratioY: ratio.y,
  };
}

/** Takes a placed band of a scene to the numbers that all scenes share. */
function shiftPlane(k: Kernels, plane: Parameters<typeof shiftInto>[1], shiftDn = 0): void {
  if (shiftDn !== 0) shiftInto(k, plane, shiftDn);
}

/** Puts the nearest source column and row of every pixel of the strip, relative to a window of the source, into wasm memory. */
function setMaps(
  k: Kernels,
  maps: IndexMaps,
  { placement, strip, window }: { placement: AxisPlacement; strip: Window; window: Window },
): { cols: number; rows: number } {
  const { x, y } = placement;
  const cols = indexMap(maps, x, { begin: strip.col, count: strip.width, origin: window.col, size: window.width });
  const rows = indexMap(maps, y, { begin: strip.row, count: strip.height, origin: window.row, size: window.height });
  k.i32(maps.colsPtr, strip.width).set(cols);
  k.i32(maps.rowsPtr, strip.height).set(rows);
  return { cols: maps.colsPtr, rows: maps.rowsPtr };
}

/** For each target column (or row) the nearest source column relative to `origin`, −1 outside [0, size). */
function indexMap(
  maps: IndexMaps,
  axis: AxisMap,
  { begin, count, origin, size }: { begin: number; count: number; origin: number; size: number },
): Int32Array {
  const key = `${axis.scale} ${axis.offset} ${begin} ${count} ${origin} ${size}`;
  let map = maps.known.get(key);
  if (map) return map;
  map = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const source = Math.floor(sourceCoordinate(axis, begin + i)) - origin;
    map[i] = source >= 0 && source < size ? source : -1;
  }
  maps.known.set(key, map);
  return map;
}

function applyMasks(
  k: Kernels,
  spec: CompositeSpec,
  work: Area & { masks: readonly DayMask[]; planes: DatePlanes; maps: IndexMaps; maskPtr: number },
): void {
  const { masks, strip, planes, maskPtr } = work;
  const { dtype, nodata } = spec.kernel;
  for (const mask of masks) {
    const n = strip.width * strip.height;
    if (mask.length === 0) k.u8(maskPtr, n).fill(1);
    else if (mask.length === 1) placeMask(k, { ...work, mask: mask[0]!, ptr: mask[0]!.ptr, to: maskPtr });
    else placeEarliest(k, { ...work, parts: mask });
    maskPlanesInto(k, maskPtr, { ...planes, dtype, nBand: spec.bands.length, nodata });
  }
}

type MaskPlace = Area & { maps: IndexMaps };

/** Places u8 at `ptr`, in a mask's pixels, on the strip: what no pixel lies under is 1. */
function placeMask(
  k: Kernels,
  { mask, ptr, to, block, strip, maps }: MaskPlace & { mask: NativeMask; ptr: number; to: number },
): void {
  const { window, placement } = mask;
  const source = { ptr, width: window.width, height: window.height };
  const target = { ptr: to, width: strip.width, height: strip.height };
  if (placement.kind === 'axes') {
    placeMaskInto(k, source, setMaps(k, maps, { placement, strip, window }), target);
    return;
  }
  k.u8(to, strip.width * strip.height).fill(1);
  warpMaskInto(k, source, cellsAt(placement, window, { block, strip }), target);
}

/**
 * Of the masks of one day on several lattices, each pixel takes that of the earliest scene with a class there; where none has one it is
 * masked when all that lie there say so.
 */
function placeEarliest(k: Kernels, work: MaskPlace & { parts: readonly NativeMask[]; maskPtr: number }): void {
  const { parts, maskPtr, strip } = work;
  const n = strip.width * strip.height;
  k.scope(() => {
    const [badPtr, rankPtr] = [k.alloc(n), k.alloc(n)];
    const earliest = new Uint8Array(n).fill(255);
    k.u8(maskPtr, n).fill(1);
    for (const mask of parts) {
      placeMask(k, { ...work, mask, ptr: mask.ptr, to: badPtr });
      placeMask(k, { ...work, mask, ptr: mask.rankPtr!, to: rankPtr });
      const [bad, ranks, to] = [k.u8(badPtr, n), k.u8(rankPtr, n), k.u8(maskPtr, n)];
      for (let px = 0; px < n; px++) {
        const rank = ranks[px]!;
        if (rank >= FIRST_RANK && rank < earliest[px]!) {
          earliest[px] = rank;
          to[px] = bad[px]!;
        } else if (rank === NO_CLASS && earliest[px] === 255) to[px]! &= bad[px]!;
      }
    }
  });
}
