import { UnsupportedError } from '../errors.js';
import type { Kernels } from './memory.js';
import { missingOf, type PlaneSource, type PlaneTarget, SOURCE_TYPES, sourceType } from './plane.js';

/** What a target pixel takes from the source pixels around its middle, or under it. */
export type WarpMethod = 'nearest' | 'bilinear' | 'cubic' | 'average' | 'mode';

/** Squares of a target grid and where their corners lie in the source: see assembly/cell.ts. */
export interface WarpCells {
  /** f64[n][11] in px of the target and of the whole source. */
  cells: Float64Array;
  /** The source px of the source's first column and row. */
  originCol: number;
  originRow: number;
  /** The target px of the target's first column and row. */
  firstCol: number;
  firstRow: number;
  /** Source px a target px along x and y of the source: above 1 bilinear and cubic kernels widen. */
  ratioX: number;
  ratioY: number;
  /** Of bilinear: how many pixels along a side each source pixel stands for, see `PlacedAxis`; default 1. */
  sharpness?: number;
}

const CELL_VALUES = 11;
/** Slots of the table of a mode: 20 MiB at most. */
const MAX_MODE_BITS = 20;

/** Ratios as gdalwarp takes them: about 1 is 1, and about a whole number is that. */
function kernelRatio(ratio: number): number {
  if (ratio <= 1 / 0.95) return 1;
  return Math.abs(ratio - Math.round(ratio)) < 0.05 ? Math.round(ratio) : ratio;
}

/** Source px that a method looks at around a position, along an axis with so many source px a target px. */
export function warpMargin(method: WarpMethod, ratio: number): number {
  if (method === 'nearest' || method === 'average' || method === 'mode') return 1;
  return Math.ceil(kernelRatio(ratio) * (method === 'cubic' ? 2 : 1)) + 1;
}

/**
 * Places a source into a target on another grid. The target holds its missing value beforehand: pixels without a valid source are left
 * alone. Bilinear and cubic as gdalwarp computes them: missing where the nearest source pixel is, others that are missing leave their
 * weight to the rest, cubic is bilinear next to them and at the source's edge, and kernels widen with the ratio. Average and mode take the
 * exact area of what lies under the pixel's quadrilateral; of equally frequent values the mode is the lowest. Integers round half to
 * even, and one that would be the missing value steps off it.
 * @throws UnsupportedError for types that do not fit, and for a mode over more than 2¹⁹ source px
 */
export function warpInto(
  k: Kernels,
  source: PlaneSource,
  { method, ...under }: WarpCells & { method: WarpMethod },
  target: PlaneTarget,
): void {
  const type = sourceType(source, target);
  const { ptr, width, height, dtype } = target;
  const integer = dtype !== 'f32';
  const hasNone = integer && target.nodata !== null ? 1 : 0;
  const none = integer ? (target.nodata ?? 0) : 0;
  const to = SOURCE_TYPES.indexOf(dtype);
  const [ratioX, ratioY] = [kernelRatio(under.ratioX), kernelRatio(under.ratioY)];
  k.scope(() => {
    const at = [type, ...sourceArguments(source, under), ...missingOf(source), ...cellArguments(k, under)] as const;
    const window = [under.firstCol, under.firstRow, width, height, to] as const;
    if (method === 'nearest') {
      k.exports.warp_nearest(...at, ...window, none, k.alloc(32), ptr);
    } else if (method === 'bilinear' || method === 'cubic') {
      const cubic = method === 'cubic' ? 1 : 0;
      k.exports.warp_blend(
        ...at,
        ...window,
        hasNone,
        none,
        cubic,
        ratioX,
        ratioY,
        under.sharpness ?? 1,
        k.alloc(32),
        ptr,
      );
    } else {
      const values = k.exports.warp_area_scratch(source.width);
      const scratch = k.alloc(values * 8);
      k.f64(scratch, values).fill(0);
      const { bits, table } = method === 'mode' ? modeTable(k, source, under) : { bits: 0, table: 0 };
      k.exports.warp_area(...at, ...window, hasNone, none, bits, scratch, table, ptr);
    }
  });
}

/** A mask u8[height][width], nearest; pixels that no source pixel lies under are left alone. */
export function warpMaskInto(
  k: Kernels,
  source: { ptr: number; width: number; height: number },
  under: WarpCells,
  { ptr, width, height }: { ptr: number; width: number; height: number },
): void {
  const { firstCol, firstRow } = under;
  k.scope(() => {
    const at = [0, ...sourceArguments(source, under), 0, 0, ...cellArguments(k, under)] as const;
    k.exports.warp_nearest(...at, firstCol, firstRow, width, height, 0, 0, k.alloc(32), ptr);
  });
}

function sourceArguments(
  { ptr, width, height }: { ptr: number; width: number; height: number },
  { originCol, originRow }: WarpCells,
) {
  return [ptr, width, height, originCol, originRow] as const;
}

/** Copies the cells to the arena's current scope. */
function cellArguments(k: Kernels, { cells }: WarpCells) {
  const ptr = k.alloc(Math.max(8, cells.length * 8));
  k.f64(ptr, cells.length).set(cells);
  return [ptr, cells.length / CELL_VALUES] as const;
}

/** An empty table for the values under one target pixel, twice as large as the most that it can lie on. */
function modeTable(k: Kernels, source: PlaneSource, { cells }: WarpCells): { bits: number; table: number } {
  let most = 1;
  for (let at = 0; at < cells.length; at += CELL_VALUES) {
    const span = (axis: number, size: number) => {
      const [p, q, r, s] = [0, 2, 4, 6].map((i) => cells[at + 3 + i + axis]!) as [number, number, number, number];
      const right = Math.max(Math.abs(q - p), Math.abs(s - r));
      const down = Math.max(Math.abs(r - p), Math.abs(s - q));
      return Math.min(size, Math.ceil((right + down) / cells[at + 2]!) + 2);
    };
    most = Math.max(most, span(0, source.width) * span(1, source.height));
  }
  const bits = 1 + bitsOf(Math.max(2, most));
  if (bits > MAX_MODE_BITS) {
    throw new UnsupportedError(
      `a target pixel lies on up to ${most} source pixels, and a mode is taken over at most ${2 ** (MAX_MODE_BITS - 1)}: give the raster overviews or a finer --res`,
    );
  }
  const slots = 2 ** bits;
  const table = k.alloc(slots * 20);
  k.f64(table + slots * 8, slots).fill(0);
  return { bits, table };
}

/** The least b with 2^b ≥ n. */
function bitsOf(n: number): number {
  let bits = 0;
  while (2 ** bits < n) bits++;
  return bits;
}
