import type { Window } from '../geo/grid.js';
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
import type { Held } from './hold.js';
import type { NativeMask } from './scene-mask.js';
import { type AxisMap, resamplingMargin, sourceCoordinate, sourceSpan } from './source.js';
import type { CompositeSpec } from './spec.js';

/** One scene's share of a block: its decoded bands, and its masks when they are applied before the scenes of a day are fused. */
export interface LoadedScene {
  held: readonly Held[];
  masks: readonly (NativeMask | null)[];
}

/** One date of a block. */
export interface LoadedObservation {
  scenes: readonly LoadedScene[];
  /** Masks of the fused day (`after-fuse`). */
  masks: readonly (NativeMask | null)[];
}

/** Pixels of a stack row come in chunks of this many; the padding holds missing values. */
const CHUNK_PX = 64;

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
  { strip, observations }: { strip: Window; observations: readonly LoadedObservation[] },
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
        placeScene(k, spec, { scene, strip, planes, maps });
        applyMasks(k, spec, { masks: scene.masks, strip, planes, maps, maskPtr });
        if (observation.scenes.length === 1) continue;
        const view = { dtype: spec.kernel.dtype, nBand, nodata: spec.kernel.nodata };
        statusInto(k, { ...planes, ...view }, status[i === 0 ? 0 : 1]!);
        if (i > 0) fuseInto(k, { ...date, ...view }, status[0]!, { ...planes, ...view }, status[1]!);
      }
      applyMasks(k, spec, { masks: observation.masks, strip, planes: date, maps, maskPtr });
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
  work: { scene: LoadedScene; strip: Window; planes: DatePlanes; maps: IndexMaps },
): void {
  for (const held of work.scene.held) {
    k.scope(() => placeFile(k, spec, { ...work, held }));
  }
}

function placeFile(
  k: Kernels,
  spec: CompositeSpec,
  { held, strip, planes, maps }: { held: Held; strip: Window; planes: DatePlanes; maps: IndexMaps },
): void {
  const { file, window } = held;
  const margin = resamplingMargin(spec.resampling, file.y);
  const span = sourceSpan(file.y, { begin: strip.row, count: strip.height, margin, size: file.height });
  const begin = Math.max(span.begin, window.row);
  const count = Math.min(span.begin + span.count, window.row + window.height) - begin;
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
    const x = { ...file.x, first: strip.col, origin: rows.firstCol };
    const y = { ...file.y, first: strip.row, origin: rows.firstRow };
    if (spec.resampling === 'bilinear') placeBilinearInto(k, source, { x, y }, target);
    else if (spec.resampling === 'average') placeAverageInto(k, source, { x, y }, target);
    else placeInto(k, source, setMaps(k, maps, { x: file.x, y: file.y, strip, window: frame }), target);
    shiftPlane(k, { ...target, nPx: planes.nPx }, file.scene.sources[name]?.shiftDn);
  }
}

/** Takes a placed band of a scene to the numbers that all scenes share. */
function shiftPlane(k: Kernels, plane: Parameters<typeof shiftInto>[1], shiftDn = 0): void {
  if (shiftDn !== 0) shiftInto(k, plane, shiftDn);
}

/** Puts the nearest source column and row of every pixel of the strip, relative to a window of the source, into wasm memory. */
function setMaps(
  k: Kernels,
  maps: IndexMaps,
  { x, y, strip, window }: { x: AxisMap; y: AxisMap; strip: Window; window: Window },
): { cols: number; rows: number } {
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
  work: { masks: readonly (NativeMask | null)[]; strip: Window; planes: DatePlanes; maps: IndexMaps; maskPtr: number },
): void {
  const { masks, strip, planes, maps, maskPtr } = work;
  const { dtype, nodata } = spec.kernel;
  for (const mask of masks) {
    const n = strip.width * strip.height;
    if (!mask) {
      k.u8(maskPtr, n).fill(1);
    } else {
      const { ptr, window, x, y } = mask;
      const source = { ptr, width: window.width, height: window.height };
      const target = { ptr: maskPtr, width: strip.width, height: strip.height };
      placeMaskInto(k, source, setMaps(k, maps, { x, y, strip, window }), target);
    }
    maskPlanesInto(k, maskPtr, { ...planes, dtype, nBand: spec.bands.length, nodata });
  }
}
