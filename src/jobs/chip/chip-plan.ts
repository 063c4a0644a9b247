import { intersect, type Window } from '../../geo/grid.js';
import type { Level } from '../../io/raster.js';
import type { ChipImage, ChipJob } from '../../stats/chip-spec.js';
import type { Frame, Placement } from './chip-place.js';

/** Jobs a thread, so that all end at about the same time; and the most blocks that one job has. */
const JOBS_A_THREAD = 8;
const MAX_JOB_BLOCKS = 64;

/** The chips of one pass: points by index; chip i of the result is that of `points[i]`. */
export interface ChipPlan {
  jobs: ChipJob[];
  /** Blocks (of a planar file: of one band) that chips touch, each counted once. */
  blocksTouched: number;
}

/** One image's chips: their places in the result, their windows in px of the image, and whether they are to be merged. */
interface ImageChips {
  chips: number[];
  cols: number[];
  rows: number[];
  merged: number[];
}

/** Ascending numbers that have one in common. */
function haveCommon(p: readonly number[], q: readonly number[]): boolean {
  for (let i = 0, j = 0; i < p.length && j < q.length; ) {
    if (p[i] === q[j]) return true;
    if (p[i]! < q[j]!) i++;
    else j++;
  }
  return false;
}

/** Tells which of some frames have planes in common with one of them. Most frames have the same planes as others, or wholly others. */
function planeRivals(frames: readonly Frame[]): (own: readonly number[]) => (frame: number) => number[] {
  const known = new Map<string, number>();
  const planeSets: (readonly number[])[] = [];
  const setOf = frames.map(({ planes }) => {
    const key = planes.join();
    const set = known.get(key) ?? planeSets.push(planes) - 1;
    known.set(key, set);
    return set;
  });
  const sharing = planeSets.map((p) => planeSets.flatMap((q, i) => (haveCommon(p, q) ? [i] : [])));
  return (own) => {
    const bySet = new Map<number, number[]>();
    for (const f of own) bySet.set(setOf[f]!, [...(bySet.get(setOf[f]!) ?? []), f]);
    return (frame) => sharing[setOf[frame]!]!.flatMap((set) => bySet.get(set) ?? []).filter((f) => f !== frame);
  };
}

/** For each frame the chips that it has a part of. */
function chipsOfFrames(
  { frames, parts, col, row }: Placement,
  points: Int32Array,
  side: number,
): Map<number, ImageChips> {
  const byFrame = new Map<number, ImageChips>();
  const rivalsAmong = planeRivals(frames);
  for (const [chip, point] of points.entries()) {
    const window: Window = { col: col[point]!, row: row[point]!, width: side, height: side };
    const own = parts[point]!;
    const rivalsOf = own.length > 1 ? rivalsAmong(own) : null;
    const pieceOf = (f: number) => intersect(frames[f]!.window, window)!;
    for (const f of own) {
      // Rasters that only touch each other have nothing to merge.
      const rivals = rivalsOf?.(f).some((g) => intersect(pieceOf(f), pieceOf(g)) !== null) ?? false;
      const { window: frame, repeats } = frames[f]!;
      const found = byFrame.get(f) ?? { chips: [], cols: [], rows: [], merged: [] };
      byFrame.set(f, found);
      found.chips.push(chip);
      found.cols.push(window.col - frame.col);
      found.rows.push(window.row - frame.row);
      found.merged.push(rivals || repeats ? 1 : 0);
    }
  }
  return byFrame;
}

/** Calls `visit` for each block of an image that a window meets. */
function eachTile(level: Level, col: number, row: number, side: number, visit: (tile: number) => void): void {
  const { width, height, tileWidth, tileHeight, tilesAcross } = level;
  const left = Math.floor(Math.max(0, col) / tileWidth);
  const right = Math.floor((Math.min(width, col + side) - 1) / tileWidth);
  const top = Math.floor(Math.max(0, row) / tileHeight);
  const bottom = Math.floor((Math.min(height, row + side) - 1) / tileHeight);
  for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) visit(y * tilesAcross + x);
}

/** The blocks of an image in order, cut into jobs, each with the chips that touch its blocks. */
function jobsOfImage(
  image: number,
  level: Level,
  chips: ImageChips,
  cut: { side: number; jobBlocks: number },
): ChipJob[] {
  const { side, jobBlocks } = cut;
  const touched = new Set<number>();
  for (let i = 0; i < chips.chips.length; i++)
    eachTile(level, chips.cols[i]!, chips.rows[i]!, side, (tile) => touched.add(tile));
  const tiles = Float64Array.from(touched).sort();
  const jobOf = new Map<number, number>();
  for (const [i, tile] of tiles.entries()) jobOf.set(tile, Math.floor(i / jobBlocks));
  const members: number[][] = Array.from({ length: Math.ceil(tiles.length / jobBlocks) }, () => []);
  for (let i = 0; i < chips.chips.length; i++) {
    eachTile(level, chips.cols[i]!, chips.rows[i]!, side, (tile) => {
      const own = members[jobOf.get(tile)!]!;
      if (own.at(-1) !== i) own.push(i);
    });
  }
  return members.map((own, job) => ({
    image,
    tiles: [...tiles.subarray(job * jobBlocks, (job + 1) * jobBlocks)],
    chips: Int32Array.from(own, (i) => chips.chips[i]!),
    cols: Int32Array.from(own, (i) => chips.cols[i]!),
    rows: Int32Array.from(own, (i) => chips.rows[i]!),
    merged: Uint8Array.from(own, (i) => chips.merged[i]!),
  }));
}

function countBlocks(level: Level, chips: ImageChips, side: number): number {
  const touched = new Set<number>();
  for (let i = 0; i < chips.chips.length; i++)
    eachTile(level, chips.cols[i]!, chips.rows[i]!, side, (tile) => touched.add(tile));
  return touched.size;
}

/** From points to windows to blocks to jobs: each block that is touched is in exactly one job. A pure function. */
export function planChips(
  images: ReadonlyMap<number, ChipImage>,
  placement: Placement,
  points: Int32Array,
  { side, threads }: { side: number; threads: number },
): ChipPlan {
  const byFrame = [...chipsOfFrames(placement, points, side)].sort(([p], [q]) => p - q);
  const work = byFrame.flatMap(([frame, chips]) =>
    placement.frames[frame]!.images.map((image) => ({ image, chips, level: images.get(image)!.level })),
  );
  const blocks = work.reduce((sum, { level, chips }) => sum + countBlocks(level, chips, side), 0);
  // One thread has nobody to share with, and ranges are put together within a job only.
  const even = threads <= 1 ? MAX_JOB_BLOCKS : Math.ceil(blocks / (threads * JOBS_A_THREAD));
  const jobBlocks = Math.min(MAX_JOB_BLOCKS, Math.max(1, even));
  const jobs = work.flatMap(({ image, level, chips }) => jobsOfImage(image, level, chips, { side, jobBlocks }));
  const blocksTouched = jobs.reduce((sum, { image, tiles }) => {
    const { level, bands } = images.get(image)!;
    return sum + tiles.length * (level.planar ? bands.length : 1);
  }, 0);
  return { jobs, blocksTouched };
}
