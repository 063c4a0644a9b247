import { UnsupportedError } from '../errors.js';
import type { DatumShift } from '../geo/datum-shift.js';
import { type Grid, intersect, type Window } from '../geo/grid.js';
import { classMaskInto, type MorphologyStep, morphologyInto, orMaskInto } from '../kernels/mask.js';
import type { Kernels } from '../kernels/memory.js';
import { windowUnder } from './erased.js';
import { holdInMemory } from './hold.js';
import { type Lattice, latticesOf } from './mask-lattice.js';
import type { MaskRecipe } from './mask-recipe.js';
import { type Placement, sourceWindow } from './placement.js';
import type { SourceFile } from './source.js';
import type { SourceScene } from './spec.js';

/** What a mask band says is bad, in its own pixels: u8[height][width] in wasm memory, 1 = masked out. */
export interface NativeMask {
  ptr: number;
  /** In px of the mask band. */
  window: Window;
  placement: Placement;
  /** Whose class it is, u8 likewise: {@link FIRST_RANK} for the day's first scene, and so on. Null where there is one lattice only. */
  rankPtr: number | null;
}

/** Ranks: where a scene lies but none has a class, and the day's first scene. Less, as outside a mask: no scene. */
export const NO_CLASS = 2;
export const FIRST_RANK = 3;
const LAST_RANK = 254;

/** How far the filters of a recipe reach, in px of the mask band: openings and closings reach twice their radius. */
export function maskReach(steps: readonly MorphologyStep[]): number {
  return steps.reduce((sum, { op, radiusPx }) => {
    return sum + Math.floor(radiusPx) * (op === 'opening' || op === 'closing' ? 2 : 1);
  }, 0);
}

/**
 * The pixels of a mask band that a target window needs, or windows of value bands, with as many around them as the filters of the recipes
 * reach; null: none.
 */
export function maskWindow(
  placement: Placement,
  { target, values }: Pick<MaskWork, 'target' | 'values'>,
  recipes: readonly MaskRecipe[],
): Window | null {
  const reach = Math.max(0, ...recipes.map((recipe) => maskReach(recipe.steps)));
  if (values) return windowUnder(placement.own, values, reach);
  // Cells bound positions, not pixels' middles: what lies on the bound may be the next pixel.
  const margin = reach + (placement.kind === 'cells' ? 1 : 0);
  return sourceWindow(placement, target, { x: margin, y: margin });
}

/** What makes a mask of classes: its recipes, and the target window that it is made for. */
interface MaskWork {
  recipes: readonly MaskRecipe[];
  grid: Grid;
  datumShift: DatumShift | undefined;
  target: Window;
  /** Windows of value bands whose pixels are masked in place of the target's (`before-warp`). */
  values?: readonly { file: SourceFile; window: Window }[];
  /** The scenes of the day in order of time, whether they meet the target or not. */
  scenes: readonly SourceScene[];
  signal: AbortSignal | undefined;
}

/**
 * The mask of one band over a target window. Several files are those of one solar day (`--mask-when after-fuse`): a pixel's class is
 * then that of the first file, in order of time, that has one. Files on one lattice give one mask; others (of another zone, say) have
 * their own, and say whose class each pixel's is. Empty where no file meets the window.
 */
export async function nativeMasks(k: Kernels, files: readonly SourceFile[], work: MaskWork): Promise<NativeMask[]> {
  const lattices = await latticesOf(files, work);
  const masks: NativeMask[] = [];
  for (const lattice of lattices) {
    const mask = await latticeMask(k, lattice, { ...work, several: lattices.length > 1 });
    if (mask) masks.push(mask);
  }
  return masks;
}

/**
 * The mask of files on one lattice: all recipes of the band OR-ed, each filtered in the band's own pixels with enough of the
 * surroundings, of files beside the window too, that block edges leave no trace.
 */
async function latticeMask(
  k: Kernels,
  { placement, files }: Lattice,
  { several, ...work }: MaskWork & { several: boolean },
): Promise<NativeMask | null> {
  const { recipes, scenes, signal } = work;
  const window = maskWindow(placement, work, []);
  const around = maskWindow(placement, work, recipes);
  if (!window || !around) return null;
  const n = window.width * window.height;
  const [ptr, rankPtr] = [k.alloc(n), several ? k.alloc(n) : null];
  const mark = k.exports.mark();
  try {
    const { ranks, ...classes } = await fusedClasses(k, { files, around, scenes, several, signal });
    const px = around.width * around.height;
    const padded = Math.ceil(px / 16) * 16;
    const [single, all] = [k.alloc(padded), k.alloc(padded)];
    for (const [i, { mode, values, steps }] of recipes.entries()) {
      const out = i === 0 ? all : single;
      classMaskInto(k, { ...classes, nPx: px }, { mode, values }, out);
      morphologyInto(k, { ptr: out, width: around.width, height: around.height }, steps);
      if (i > 0) orMaskInto(k, single, padded, all);
    }
    copyInner(k, all, { around, window, to: ptr });
    if (rankPtr !== null) {
      k.u8(single, px).set(ranks);
      copyInner(k, single, { around, window, to: rankPtr });
    }
  } finally {
    k.exports.release(mark);
  }
  return { ptr, window, placement, rankPtr };
}

/** Copies the part `window` of u8[around] to its own place. */
function copyInner(k: Kernels, ptr: number, { around, window, to }: { around: Window; window: Window; to: number }) {
  const from = k.u8(ptr, around.width * around.height);
  const out = k.u8(to, window.width * window.height);
  for (let row = 0; row < window.height; row++) {
    const begin = (window.row - around.row + row) * around.width + window.col - around.col;
    out.set(from.subarray(begin, begin + window.width), row * window.width);
  }
}

type ClassDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';

/** Class numbers over `around`, of the first file that has one, and whose they are; where none has: the classes of nothing, nodata or 0. */
async function fusedClasses(
  k: Kernels,
  work: Pick<MaskWork, 'scenes' | 'signal'> & { files: Lattice['files']; around: Window; several: boolean },
): Promise<{ ptr: number; dtype: ClassDtype; ranks: Uint8Array }> {
  const { files, around, scenes, several, signal } = work;
  const first = files[0]!.file;
  const { dtype, nodata } = first.headers[0]!;
  if (!['u8', 'i8', 'u16', 'i16', 'u32', 'i32'].includes(dtype)) {
    throw new UnsupportedError(`the mask band ${first.names[0]} is ${dtype}: classes and bits are integers`, {
      url: first.raster.header.url,
      band: first.names[0]!,
    });
  }
  const type = dtype as ClassDtype;
  const hold = holdInMemory(k);
  if (files.length === 1 && !several) {
    return { ptr: (await hold.load(first, around, signal)).rows(0, 0).ptrs[0]!, dtype: type, ranks: new Uint8Array() };
  }
  const bits = Number(type.slice(1));
  const px = around.width * around.height;
  const view = (ptr: number, n: number) => (bits === 8 ? k.u8(ptr, n) : bits === 16 ? k.u16(ptr, n) : k.i32(ptr, n));
  const empty = nodata ?? 0;
  const none = bits === 8 ? empty & 255 : bits === 16 ? empty & 0xffff : empty;
  const ptr = k.alloc((px * bits) / 8);
  const ranks = new Uint8Array(px);
  view(ptr, px).fill(empty);
  for (const { file, frame } of files) {
    const own = intersect(around, frame);
    if (!own) continue;
    const rank = Math.min(LAST_RANK, FIRST_RANK + scenes.indexOf(file.scene));
    const part = { ...own, col: own.col - frame.col, row: own.row - frame.row };
    const held = (await hold.load(file, part, signal)).rows(0, 0);
    const [from, to] = [view(held.ptrs[0]!, own.width * own.height), view(ptr, px)];
    for (let row = 0; row < own.height; row++) {
      const target = (own.row + row - around.row) * around.width + own.col - around.col;
      for (let col = 0; col < own.width; col++) {
        const value = from[row * own.width + col]!;
        if (ranks[target + col]! >= FIRST_RANK) continue;
        if (value === none) ranks[target + col] = NO_CLASS;
        else {
          to[target + col] = value;
          ranks[target + col] = rank;
        }
      }
    }
  }
  return { ptr, dtype: type, ranks };
}
