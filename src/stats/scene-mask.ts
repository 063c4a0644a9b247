import { UnsupportedError } from '../errors.js';
import { invert, pixelToGround } from '../geo/affine.js';
import { sameCrs } from '../geo/crs.js';
import { type Grid, intersect, type Window } from '../geo/grid.js';
import { classMaskInto, type MorphologyStep, morphologyInto, orMaskInto } from '../kernels/mask.js';
import type { Kernels } from '../kernels/memory.js';
import { holdInMemory } from './hold.js';
import type { MaskRecipe } from './mask-recipe.js';
import { type Placement, placeAcross, sourceWindow } from './placement.js';
import type { SourceFile } from './source.js';
import type { SourceScene } from './spec.js';

/** What a mask band says is bad, in its own pixels: u8[height][width] in wasm memory, 1 = masked out. */
export interface NativeMask {
  ptr: number;
  /** In px of the mask band. */
  window: Window;
  placement: Placement;
  /** Whose class it is, u8 likewise: {@link FIRST_RANK} for the day's first scene, and so on; less where none has one. Null: one lattice. */
  rankPtr: number | null;
}

/** What lies outside a mask reads as 1. */
export const FIRST_RANK = 2;
const LAST_RANK = 254;

/** How far the filters of a recipe reach, in px of the mask band: openings and closings reach twice their radius. */
export function maskReach(steps: readonly MorphologyStep[]): number {
  return steps.reduce((sum, { op, radiusPx }) => {
    return sum + Math.floor(radiusPx) * (op === 'opening' || op === 'closing' ? 2 : 1);
  }, 0);
}

/** What makes a mask of classes: its recipes, and the target window that it is made for. */
interface MaskWork {
  recipes: readonly MaskRecipe[];
  grid: Grid;
  target: Window;
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
  const lattices: SourceFile[][] = [];
  for (const file of files) {
    const own = lattices.find(([first]) => latticeShift(first!.placement, file.placement) !== null);
    if (own) own.push(file);
    else lattices.push([file]);
  }
  const masks: NativeMask[] = [];
  for (const own of lattices) {
    const mask = await latticeMask(k, own, { ...work, several: lattices.length > 1 });
    if (mask) masks.push(mask);
  }
  return masks;
}

/**
 * The mask of files on one lattice: all recipes of the band OR-ed, each filtered in the band's own pixels with enough of the
 * surroundings that block edges leave no trace.
 */
async function latticeMask(
  k: Kernels,
  files: readonly SourceFile[],
  { recipes, grid, target, scenes, several, signal }: MaskWork & { several: boolean },
): Promise<NativeMask | null> {
  const reach = Math.max(...recipes.map((recipe) => maskReach(recipe.steps)));
  const placement = await commonPlacement(files, grid);
  // Cells bound positions, not pixels' middles: what lies on the bound may be the next pixel.
  const margin = placement.kind === 'cells' ? 1 : 0;
  const placed = files.flatMap((file) => {
    const inner = sourceWindow(file.placement, target, { x: margin, y: margin });
    const outer = sourceWindow(file.placement, target, { x: margin + reach, y: margin + reach });
    return inner && outer ? [{ file, inner, outer, ...latticeShift(placement, file.placement)! }] : [];
  });
  if (placed.length === 0) return null;
  const window = union(placed.map(({ inner, dx, dy }) => shifted(inner, dx, dy)));
  const around = union(placed.map(({ outer, dx, dy }) => shifted(outer, dx, dy)));
  const n = window.width * window.height;
  const [ptr, rankPtr] = [k.alloc(n), several ? k.alloc(n) : null];
  const mark = k.exports.mark();
  try {
    const { ranks, ...classes } = await fusedClasses(k, { placed, around, scenes, several, signal });
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

/** How the lattice of several files lies under the target: cells are those of a frame around all of them. */
async function commonPlacement(files: readonly SourceFile[], grid: Grid): Promise<Placement> {
  const first = files[0]!.placement;
  if (first.kind === 'axes' || files.length === 1) return first;
  const frames = files.map(({ placement }) => {
    const { dx, dy } = latticeShift(first, placement)!;
    return { col: dx, row: dy, width: placement.own.width, height: placement.own.height };
  });
  const { col, row, width, height } = union(frames);
  const [a, b, , d, e] = first.own.affine;
  const [x, y] = pixelToGround(first.own.affine, col, row);
  return placeAcross({ crs: first.own.crs, affine: [a, b, x, d, e, y], width, height }, grid);
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

interface PlacedFile {
  file: SourceFile;
  outer: Window;
  dx: number;
  dy: number;
}

/** Whole pixels between two lattices: source coordinates of `file` plus the shift are those of `lattice`; null between others. */
function latticeShift(lattice: Placement, file: Placement): { dx: number; dy: number } | null {
  if (lattice.kind !== file.kind || !sameCrs(lattice.own.crs, file.own.crs)) return null;
  if (lattice.own.affine.some((step, i) => i % 3 !== 2 && step !== file.own.affine[i])) return null;
  const [dx, dy] = pixelToGround(invert(lattice.own.affine), file.own.affine[2], file.own.affine[5]);
  const off = (value: number) => Math.abs(value - Math.round(value)) > 1e-6;
  return off(dx) || off(dy) ? null : { dx: Math.round(dx), dy: Math.round(dy) };
}

function shifted({ col, row, width, height }: Window, dx: number, dy: number): Window {
  return { col: col + dx, row: row + dy, width, height };
}

function union(windows: readonly Window[]): Window {
  const col = Math.min(...windows.map((w) => w.col));
  const row = Math.min(...windows.map((w) => w.row));
  const width = Math.max(...windows.map((w) => w.col + w.width)) - col;
  const height = Math.max(...windows.map((w) => w.row + w.height)) - row;
  return { col, row, width, height };
}

type ClassDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';

/** Class numbers over `around`, of the first file that has one; where no file reaches, the classes of nothing: nodata or 0. */
async function fusedClasses(
  k: Kernels,
  work: Pick<MaskWork, 'scenes' | 'signal'> & { placed: readonly PlacedFile[]; around: Window; several: boolean },
): Promise<{ ptr: number; dtype: ClassDtype; ranks: Uint8Array }> {
  const { placed, around, scenes, several, signal } = work;
  const { dtype, nodata } = placed[0]!.file.headers[0]!;
  if (!['u8', 'i8', 'u16', 'i16', 'u32', 'i32'].includes(dtype)) {
    const { raster, names } = placed[0]!.file;
    throw new UnsupportedError(`the mask band ${names[0]} is ${dtype}: classes and bits are integers`, {
      url: raster.header.url,
      band: names[0]!,
    });
  }
  const type = dtype as ClassDtype;
  const first = placed[0]!;
  const hold = holdInMemory(k);
  if (placed.length === 1 && first.dx === 0 && first.dy === 0 && !several) {
    const ptr = (await hold.load(first.file, first.outer, signal)).rows(0, 0).ptrs[0]!;
    return { ptr, dtype: type, ranks: new Uint8Array() };
  }
  const bits = Number(type.slice(1));
  const px = around.width * around.height;
  const view = (ptr: number, n: number) => (bits === 8 ? k.u8(ptr, n) : bits === 16 ? k.u16(ptr, n) : k.i32(ptr, n));
  const empty = nodata ?? 0;
  const ptr = k.alloc((px * bits) / 8);
  const ranks = new Uint8Array(px);
  view(ptr, px).fill(empty);
  for (const { file, outer, dx, dy } of placed) {
    const rank = Math.min(LAST_RANK, FIRST_RANK + scenes.indexOf(file.scene));
    const held = (await hold.load(file, outer, signal)).rows(0, 0);
    const own = intersect(around, shifted(outer, dx, dy))!;
    const [from, to] = [view(held.ptrs[0]!, outer.width * outer.height), view(ptr, px)];
    for (let row = 0; row < own.height; row++) {
      const target = (own.row + row - around.row) * around.width + own.col - around.col;
      for (let col = 0; col < own.width; col++) {
        const value = from[row * outer.width + col]!;
        if (ranks[target + col] || value === (bits === 8 ? empty & 255 : bits === 16 ? empty & 0xffff : empty))
          continue;
        to[target + col] = value;
        ranks[target + col] = rank;
      }
    }
  }
  return { ptr, dtype: type, ranks };
}
