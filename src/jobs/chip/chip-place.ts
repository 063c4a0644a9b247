// Where chips lie: from coordinates to pixels of the rasters.
import { InputError, UnsupportedError } from '../../errors.js';
import { type Affine, invert, pixelToGround } from '../../geo/affine.js';
import {
  type Crs,
  crsToLonLat,
  describeCrs,
  isGeographic,
  lonLatToCrs,
  type PointTransform,
  sameCrs,
} from '../../geo/crs.js';
import { type Grid, intersect, type Window } from '../../geo/grid.js';
import type { Points } from '../../io/points.js';
import type { ChipAnchor, ChipOverlap } from '../../stats/chip-spec.js';

/** Rasters are of one lattice when their pixels agree to this part of a pixel. */
const LATTICE_TOLERANCE = 1e-3;

/** Pixels that fit together: one CRS, one pixel size, whole pixels apart. */
export interface Lattice {
  crs: Crs;
  affine: Affine;
  /** Of its first raster, for messages. */
  href: string;
}

/** The extent that some images share, in px of their lattice. */
export interface Frame {
  lattice: number;
  window: Window;
  /** Indices of the images. */
  images: number[];
  /** Of all of these images, ascending. */
  planes: number[];
  /** Whether two of the images have the same plane. */
  repeats: boolean;
}

export type ChipStatus = 'inside' | 'partial' | 'outside';

export interface Placement {
  lattices: Lattice[];
  frames: Frame[];
  status: ChipStatus[];
  /** Of each point; −1 outside. */
  lattice: Int32Array;
  /** First column and row of the chip, px of the lattice; 0 outside. */
  col: Float64Array;
  row: Float64Array;
  /** Of each point: the frames that its window meets, in the order in which they win. */
  parts: (readonly number[])[];
}

/** Whole pixels from one grid's corner to another's on the same lattice, or null. */
function shift(from: Lattice, to: Grid): { col: number; row: number } | null {
  if (!sameCrs(from.crs, to.crs)) return null;
  const [a, b, , d, e] = from.affine;
  const size = Math.max(Math.abs(a), Math.abs(b), Math.abs(d), Math.abs(e));
  const span = Math.max(to.width, to.height);
  const same = [0, 1, 3, 4].every((i) => Math.abs(from.affine[i]! - to.affine[i]!) * span <= LATTICE_TOLERANCE * size);
  if (!same) return null;
  const [col, row] = pixelToGround(invert(from.affine), to.affine[2], to.affine[5]);
  const [c, r] = [Math.round(col), Math.round(row)];
  return Math.abs(col - c) <= LATTICE_TOLERANCE && Math.abs(row - r) <= LATTICE_TOLERANCE ? { col: c, row: r } : null;
}

/** Whether two grids have the same pixels. */
export function isSameGrid(p: Grid, q: Grid): boolean {
  const at = shift({ ...p, href: '' }, q);
  return at !== null && at.col === 0 && at.row === 0 && p.width === q.width && p.height === q.height;
}

/** An image's grid and planes, all that its place depends on. */
export interface Placed {
  href: string;
  grid: Grid;
  planes: readonly number[];
}

export function framesOf(images: readonly Placed[]): { lattices: Lattice[]; frames: Frame[] } {
  const lattices: Lattice[] = [];
  const frames = new Map<string, Frame>();
  for (const [index, { href, grid, planes }] of images.entries()) {
    const [a, b, , d, e] = grid.affine;
    if (!(Math.abs(a * e - b * d) > 0)) throw new InputError(`${href} has pixels without an area`, { url: href });
    let at: { col: number; row: number } | null = null;
    let lattice = lattices.findIndex((known) => {
      at = shift(known, grid);
      return at !== null;
    });
    if (lattice < 0) lattice = lattices.push({ crs: grid.crs, affine: grid.affine, href }) - 1;
    const { col, row } = at ?? { col: 0, row: 0 };
    const key = `${lattice} ${col} ${row} ${grid.width} ${grid.height}`;
    let frame = frames.get(key);
    if (!frame) {
      const window = { col, row, width: grid.width, height: grid.height };
      frame = { lattice, window, images: [], planes: [], repeats: false };
      frames.set(key, frame);
    }
    frame.images.push(index);
    frame.planes.push(...planes);
  }
  for (const frame of frames.values()) {
    const unique = [...new Set(frame.planes)].sort((p, q) => p - q);
    frame.repeats = unique.length < frame.planes.length;
    frame.planes = unique;
  }
  return { lattices, frames: [...frames.values()] };
}

/** Once round the globe, in degrees: a raster across the antimeridian has −179.9 at 180.1, one from 0 to 360 has −10 at 350. */
const TURNS_DEG = [360, -360];

/** From the points' CRS to a lattice's px, the longitude as the lattice's rasters have it; null where its CRS has no such point. */
async function pixelTransform(
  from: Crs,
  { crs, affine, href }: Lattice,
  isHeld: (place: readonly [number, number]) => boolean,
): Promise<(x: number, y: number) => [number, number] | null> {
  const inverse = invert(affine);
  const [a, b, c, d, e, f] = affine;
  // Of a north-up raster as everybody computes it: one subtraction, one division.
  const direct: PointTransform =
    b === 0 && d === 0 ? (x, y) => [(x - c) / a, (y - f) / e] : (x, y) => pixelToGround(inverse, x, y);
  const turned: PointTransform = (lon, lat) => {
    const place = direct(lon, lat);
    if (isHeld(place)) return place;
    return TURNS_DEG.map((turn) => direct(lon + turn, lat)).find(isHeld) ?? place;
  };
  const toPixel = isGeographic(crs) ? turned : direct;
  if (sameCrs(from, crs)) return toPixel;
  const toLonLat = await crsToLonLat(from);
  const toCrs = await lonLatToCrs(crs).catch((cause) => {
    const what = `${href} is in ${describeCrs(crs)}, which points in ${describeCrs(from)} cannot be brought to`;
    throw new UnsupportedError(what, { url: href }, { cause });
  });
  return (x, y) => {
    try {
      return toPixel(...toCrs(...toLonLat(x, y)));
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  };
}

/** The pixel that a position lies in. Rounded to 2⁻²⁰ px before, so that engines whose sines differ agree. */
const pixelOf = (position: number) => Math.floor(Math.round(position * 2 ** 20) / 2 ** 20);

const holds = ({ col, row, width, height }: Window, c: number, r: number) =>
  c >= col && c < col + width && r >= row && r < row + height;

/** Squared px from a window's middle to a position. */
function distance({ col, row, width, height }: Window, c: number, r: number): number {
  const [dx, dy] = [c - col - width / 2, r - row - height / 2];
  return dx * dx + dy * dy;
}

/** Whether the parts of a point cover its whole window in every plane. */
function isCovered(window: Window, frames: readonly Frame[], nPlane: number): boolean {
  const pieces = frames.map((frame) => intersect(frame.window, window)!);
  const whole = frames.filter((_, i) => pieces[i]!.width === window.width && pieces[i]!.height === window.height);
  if (whole.some(({ planes }) => planes.length === nPlane)) return true;
  const wholeIn = new Set(whole.flatMap(({ planes }) => planes));
  if (wholeIn.size === nPlane) return true;
  const partsOf = new Map<number, number[]>();
  for (const [i, { planes }] of frames.entries())
    for (const plane of planes) {
      if (wholeIn.has(plane)) continue;
      const parts = partsOf.get(plane);
      if (parts) parts.push(i);
      else partsOf.set(plane, [i]);
    }
  if (wholeIn.size + partsOf.size < nPlane) return false;
  // Most planes are held by the same frames.
  const seen = new Map<string, boolean>();
  for (const parts of partsOf.values()) {
    const key = parts.join();
    const covered =
      seen.get(key) ??
      isTiled(
        window,
        parts.map((i) => pieces[i]!),
      );
    if (!covered) return false;
    seen.set(key, covered);
  }
  return true;
}

/** Whether pieces of a window leave no pixel of it. */
function isTiled(window: Window, pieces: readonly Window[]): boolean {
  const hit = new Uint8Array(window.width * window.height);
  for (const { col, row, width, height } of pieces) {
    for (let y = row - window.row; y < row - window.row + height; y++) {
      const begin = y * window.width + col - window.col;
      hit.fill(1, begin, begin + width);
    }
  }
  return !hit.includes(0);
}

export interface PlaceOptions {
  /** px */
  side: number;
  anchor: ChipAnchor;
  overlap: ChipOverlap;
  nPlane: number;
}

/** Orders frames as they win at a position. */
function winners(frames: readonly Frame[], overlap: ChipOverlap) {
  const rank = (i: number) => frames[i]!.images[0]!;
  return (found: readonly number[], at: (frame: number) => readonly [number, number]): number[] => {
    const ranked = [...found].sort((p, q) => rank(p) - rank(q));
    if (overlap === 'last') return ranked.reverse();
    if (overlap !== 'nearest-centre') return ranked;
    const far = new Map(ranked.map((i) => [i, distance(frames[i]!.window, ...at(i))]));
    return ranked.sort((p, q) => far.get(p)! - far.get(q)! || rank(p) - rank(q));
  };
}

/**
 * Finds each point's pixel (floor of the inverse affine), the lattice that its chip lies on (that of the raster that wins the point's
 * pixel) and the rasters of this lattice that its window meets.
 */
export async function placePoints(
  points: Points,
  { lattices, frames }: { lattices: Lattice[]; frames: Frame[] },
  { side, anchor, overlap, nPlane }: PlaceOptions,
): Promise<Placement> {
  const nPoint = points.x.length;
  const transforms: Awaited<ReturnType<typeof pixelTransform>>[] = [];
  const byLattice = lattices.map((_, l) => frames.flatMap((frame, i) => (frame.lattice === l ? [i] : [])));
  for (const [l, lattice] of lattices.entries()) {
    const isHeld = ([col, row]: readonly [number, number]) =>
      byLattice[l]!.some((f) => holds(frames[f]!.window, pixelOf(col), pixelOf(row)));
    transforms.push(await pixelTransform(points.crs, lattice, isHeld));
  }
  const before = anchor === 'centre' ? (side - 1) / 2 : 0;
  const placement: Placement = {
    lattices,
    frames,
    status: new Array<ChipStatus>(nPoint).fill('outside'),
    lattice: new Int32Array(nPoint).fill(-1),
    col: new Float64Array(nPoint),
    row: new Float64Array(nPoint),
    parts: new Array<readonly number[]>(nPoint).fill([]),
  };
  const order = winners(frames, overlap);
  for (let i = 0; i < nPoint; i++) {
    const places = transforms.map((transform) => transform(points.x[i]!, points.y[i]!));
    const pixels = places.map((place) => place && [pixelOf(place[0]), pixelOf(place[1])]);
    const holding = frames.flatMap((frame, f) => {
      const pixel = pixels[frame.lattice];
      return pixel && holds(frame.window, pixel[0]!, pixel[1]!) ? [f] : [];
    });
    if (holding.length === 0) continue;
    const at = (f: number) => places[frames[f]!.lattice]!;
    const owner = holding.length === 1 ? holding[0]! : order(holding, at)[0]!;
    const { lattice } = frames[owner]!;
    const [col, row] = pixels[lattice]!.map((px) => px - before);
    const window = { col: col!, row: row!, width: side, height: side };
    const met = byLattice[lattice]!.filter((f) => intersect(frames[f]!.window, window));
    const parts = met.length === 1 ? met : order(met, at);
    placement.lattice[i] = lattice;
    placement.col[i] = col!;
    placement.row[i] = row!;
    placement.parts[i] = parts;
    const covered = isCovered(
      window,
      parts.map((f) => frames[f]!),
      nPlane,
    );
    placement.status[i] = covered ? 'inside' : 'partial';
  }
  return placement;
}
