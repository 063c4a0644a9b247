import { UnsupportedError } from '../errors.js';
import { intersect, type Window } from '../geo/grid.js';
import { classMaskInto, type MorphologyStep, morphologyInto, orMaskInto } from '../kernels/mask.js';
import type { Kernels } from '../kernels/memory.js';
import { holdInMemory } from './hold.js';
import type { MaskRecipe } from './mask-recipe.js';
import { type AxisMap, type SourceFile, sourceWindow } from './source.js';

/** What a mask band says is bad, in its own pixels: u8[height][width] in wasm memory, 1 = masked out. */
export interface NativeMask {
  ptr: number;
  /** In px of the mask band. */
  window: Window;
  x: AxisMap;
  y: AxisMap;
}

/** How far the filters of a recipe reach, in px of the mask band: openings and closings reach twice their radius. */
export function maskReach(steps: readonly MorphologyStep[]): number {
  return steps.reduce((sum, { op, radiusPx }) => {
    return sum + Math.floor(radiusPx) * (op === 'opening' || op === 'closing' ? 2 : 1);
  }, 0);
}

/**
 * The mask of one band over a target window: all recipes of the band OR-ed, each filtered in the band's own pixels with enough of
 * the surroundings that block edges leave no trace. Several files are those of one solar day (`--mask-when after-fuse`): a pixel's
 * class is then that of the first file, in order of time, that has one. Null where no file meets the window.
 */
export async function nativeMask(
  k: Kernels,
  files: readonly SourceFile[],
  { recipes, target, signal }: { recipes: readonly MaskRecipe[]; target: Window; signal: AbortSignal | undefined },
): Promise<NativeMask | null> {
  const reach = Math.max(...recipes.map((recipe) => maskReach(recipe.steps)));
  const lattice = files[0]!;
  const placed = files.flatMap((file) => {
    const inner = sourceWindow(file, target, { x: 0, y: 0 });
    const outer = sourceWindow(file, target, { x: reach, y: reach });
    return inner && outer ? [{ file, inner, outer, ...latticeShift(lattice, file) }] : [];
  });
  if (placed.length === 0) return null;
  const window = union(placed.map(({ inner, dx, dy }) => shifted(inner, dx, dy)));
  const around = union(placed.map(({ outer, dx, dy }) => shifted(outer, dx, dy)));
  const ptr = k.alloc(window.width * window.height);
  const mark = k.exports.mark();
  try {
    const classes = await fusedClasses(k, { placed, around, signal });
    const px = around.width * around.height;
    const padded = Math.ceil(px / 16) * 16;
    const [single, all] = [k.alloc(padded), k.alloc(padded)];
    for (const [i, { mode, values, steps }] of recipes.entries()) {
      const out = i === 0 ? all : single;
      classMaskInto(k, { ...classes, nPx: px }, { mode, values }, out);
      morphologyInto(k, { ptr: out, width: around.width, height: around.height }, steps);
      if (i > 0) orMaskInto(k, single, padded, all);
    }
    const [from, to] = [k.u8(all, px), k.u8(ptr, window.width * window.height)];
    for (let row = 0; row < window.height; row++) {
      const begin = (window.row - around.row + row) * around.width + window.col - around.col;
      to.set(from.subarray(begin, begin + window.width), row * window.width);
    }
  } finally {
    k.exports.release(mark);
  }
  return { ptr, window, x: lattice.x, y: lattice.y };
}

interface PlacedFile {
  file: SourceFile;
  outer: Window;
  dx: number;
  dy: number;
}

/** Whole pixels between two files' lattices: source coordinates of `file` plus the shift are those of `lattice`. */
function latticeShift(lattice: SourceFile, file: SourceFile): { dx: number; dy: number } {
  const dx = lattice.x.offset - file.x.offset;
  const dy = lattice.y.offset - file.y.offset;
  const off = (value: number) => Math.abs(value - Math.round(value)) > 1e-6;
  if (file.x.scale !== lattice.x.scale || file.y.scale !== lattice.y.scale || off(dx) || off(dy)) {
    throw new UnsupportedError(
      `the masks of ${lattice.scene.id} and ${file.scene.id} lie on different grids: use --mask-when before-fuse`,
      { items: [lattice.scene.id, file.scene.id] },
    );
  }
  return { dx: Math.round(dx), dy: Math.round(dy) };
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
  { placed, around, signal }: { placed: readonly PlacedFile[]; around: Window; signal: AbortSignal | undefined },
): Promise<{ ptr: number; dtype: ClassDtype }> {
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
  if (placed.length === 1 && first.dx === 0 && first.dy === 0) {
    return { ptr: (await hold.load(first.file, first.outer, signal)).rows(0, 0).ptrs[0]!, dtype: type };
  }
  const bits = Number(type.slice(1));
  const px = around.width * around.height;
  const view = (ptr: number, n: number) => (bits === 8 ? k.u8(ptr, n) : bits === 16 ? k.u16(ptr, n) : k.i32(ptr, n));
  const empty = nodata ?? 0;
  const ptr = k.alloc((px * bits) / 8);
  const taken = new Uint8Array(px);
  view(ptr, px).fill(empty);
  for (const { file, outer, dx, dy } of placed) {
    const held = (await hold.load(file, outer, signal)).rows(0, 0);
    const own = intersect(around, shifted(outer, dx, dy))!;
    const [from, to] = [view(held.ptrs[0]!, outer.width * outer.height), view(ptr, px)];
    for (let row = 0; row < own.height; row++) {
      const target = (own.row + row - around.row) * around.width + own.col - around.col;
      for (let col = 0; col < own.width; col++) {
        const value = from[row * outer.width + col]!;
        if (taken[target + col] || value === (bits === 8 ? empty & 255 : bits === 16 ? empty & 0xffff : empty))
          continue;
        to[target + col] = value;
        taken[target + col] = 1;
      }
    }
  }
  return { ptr, dtype: type };
}
