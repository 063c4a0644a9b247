import { FormatError, InputError, StackwiseError, UnreadableScenes, UnsupportedError } from '../errors.js';
import { isAxisAligned } from '../geo/affine.js';
import { sameCrs } from '../geo/crs.js';
import { type Grid, gridOfSize, type Window } from '../geo/grid.js';
import type { BandHeader, Raster } from '../io/raster.js';
import { chooseLevel } from '../io/window.js';
import type { CompositeSpec, Resampling, SourceScene } from './spec.js';

/** Opens rasters once and keeps their headers: a thread meets the same files block after block. */
export interface RasterCache {
  open(href: string): Promise<Raster>;
  close(): Promise<void>;
}

/** Keeps up to `limit` opened rasters; the ones used longest ago go first. */
export function rasterCache(open: (href: string) => Promise<Raster>, limit = 4096): RasterCache {
  const rasters = new Map<string, Promise<Raster>>();
  return {
    open(href) {
      let raster = rasters.get(href);
      if (raster) rasters.delete(href);
      else raster = open(href);
      rasters.set(href, raster);
      raster.catch(() => rasters.delete(href));
      if (rasters.size > limit) {
        const [oldest, value] = rasters.entries().next().value!;
        rasters.delete(oldest);
        value.then((r) => r.close()).catch(() => {});
      }
      return raster;
    },
    async close() {
      await Promise.allSettled([...rasters.values()].map(async (raster) => (await raster).close()));
      rasters.clear();
    },
  };
}

/** How source pixels lie under a target grid along one axis: source = offset + scale × target, both in px from the outer edge. */
export interface AxisMap {
  scale: number;
  offset: number;
}

/** A file of a scene at the level that serves the target, with the bands that are wanted of it. */
export interface SourceFile {
  scene: SourceScene;
  raster: Raster;
  level: number;
  names: readonly string[];
  bandIndices: readonly number[];
  headers: readonly BandHeader[];
  x: AxisMap;
  y: AxisMap;
  /** Size of the level, px. */
  width: number;
  height: number;
}

/** Opens the files of a scene that hold `names`, one entry a file, placed under the target grid. */
export async function openSources(
  scene: SourceScene,
  names: readonly string[],
  options: { grid: Grid; cache: RasterCache; classes: boolean },
): Promise<SourceFile[]> {
  const byHref = new Map<string, string[]>();
  for (const name of names) {
    const { href } = source(scene, name);
    byHref.set(href, [...(byHref.get(href) ?? []), name]);
  }
  return Promise.all([...byHref].map(([href, own]) => openSource(scene, href, own, options)));
}

/**
 * Every scene stores a band in the type that the first one has, and marks missing samples as it does: the stack and the results take
 * theirs from it, and a valid sample that happens to be the stack's missing value would be lost without a word.
 */
export function checkSamples(files: readonly SourceFile[], { bands, bandDtypes, kernel }: CompositeSpec): void {
  for (const { names, headers, raster, scene } of files) {
    for (const [i, name] of names.entries()) {
      const { dtype, nodata } = headers[i]!;
      const facts = { url: raster.header.url, band: name, items: [scene.id] };
      const wanted = bandDtypes[bands.indexOf(name)]!;
      if (dtype !== wanted) {
        throw new InputError(`scene ${scene.id} stores ${name} as ${dtype}, and the first scene as ${wanted}`, facts);
      }
      const marked = kernel.dtype === 'f32' || (dtype === 'u8' && nodata === null) || nodata === kernel.nodata;
      if (!marked) {
        const first = `the first scene ${kernel.nodata}`;
        throw new InputError(`scene ${scene.id} has nodata ${nodata ?? 'none'} in ${name}, and ${first}`, facts);
      }
    }
  }
}

function source(scene: SourceScene, name: string) {
  const found = scene.sources[name];
  if (!found) throw new InputError(`scene ${scene.id} has no band ${name}`, { band: name, items: [scene.id] });
  return found;
}

/** The item's grid for a file that has none: a file of another size is spread over it, or refused. */
function itemGrid({ header: { url, width, height } }: Raster, grid: Grid | null): Grid | null {
  const own = grid && gridOfSize(grid, { width, height });
  if (own || !grid) return own;
  throw new FormatError(
    `${url} has no georeference, and its ${width} × ${height} px are no whole fraction of the item's ${grid.width} × ${grid.height}`,
    { url },
  );
}

async function openSource(
  scene: SourceScene,
  href: string,
  names: readonly string[],
  { grid, cache, classes }: { grid: Grid; cache: RasterCache; classes: boolean },
): Promise<SourceFile> {
  const raster = await cache.open(href);
  const { header } = raster;
  const own = header.grid ?? itemGrid(raster, source(scene, names[0]!).grid);
  if (!own) throw new FormatError(`${href} has no georeference, and neither has its item`, { url: href });
  if (!isAxisAligned(own.affine)) {
    throw new UnsupportedError(`${href} is rotated: only north-up rasters are composited yet`, { url: href });
  }
  if (!sameCrs(own.crs, grid.crs)) {
    throw new InputError(`${href} is in another CRS than the target grid`, { url: href, items: [scene.id] });
  }
  const bandIndices = names.map((name) => source(scene, name).bandIndex);
  const headers = bandIndices.map((index, i) => {
    const band = header.bands[index];
    if (!band) {
      throw new FormatError(`${href} has ${header.bands.length} bands, and ${names[i]} should be band ${index + 1}`, {
        url: href,
        band: names[i]!,
      });
    }
    return { ...band, nodata: band.nodata ?? source(scene, names[i]!).nodata };
  });
  // Overviews of class bands may be averages of class numbers, so classes are read at full resolution.
  const level = classes ? 0 : chooseLevel(header, [Math.abs(grid.affine[0]), Math.abs(grid.affine[4])]);
  const { width, height } = header.levels[level]!;
  const [a, , c, , e, f] = own.affine;
  const [pxX, pxY] = [(a * header.width) / width, (e * header.height) / height];
  const x = { scale: grid.affine[0] / pxX, offset: (grid.affine[2] - c) / pxX };
  const y = { scale: grid.affine[4] / pxY, offset: (grid.affine[5] - f) / pxY };
  return { scene, raster, level, names, bandIndices, headers, x, y, width, height };
}

/** Source coordinate (px from the outer edge) of the centre of a target pixel. Rounded to 2⁻²⁰ px, the same in every block. */
export function sourceCoordinate({ scale, offset }: AxisMap, target: number): number {
  return Math.round((offset + (target + 0.5) * scale) * 2 ** 20) / 2 ** 20;
}

/** The source pixels under target pixels [begin, begin + count) along an axis, with `margin` px around, clipped to [0, size). */
export function sourceSpan(
  axis: AxisMap,
  { begin, count, margin, size }: { begin: number; count: number; margin: number; size: number },
): { begin: number; count: number } {
  const p = Math.floor(sourceCoordinate(axis, begin));
  const q = Math.floor(sourceCoordinate(axis, begin + count - 1));
  const from = Math.max(0, Math.min(p, q) - margin);
  const to = Math.min(size, Math.max(p, q) + 1 + margin);
  return { begin: from, count: Math.max(0, to - from) };
}

/** Source px that a resampling looks at around the nearest one. */
export function resamplingMargin(resampling: Resampling, { scale }: AxisMap): number {
  if (resampling === 'nearest') return 0;
  const reach = Math.max(1, Math.abs(scale));
  return resampling === 'bilinear' ? Math.ceil(reach) + 1 : Math.ceil(reach / 2) + 1;
}

/** The window of a file's level that a target window needs, or null where they do not meet. */
export function sourceWindow(file: SourceFile, target: Window, margin: { x: number; y: number }): Window | null {
  const x = sourceSpan(file.x, { begin: target.col, count: target.width, margin: margin.x, size: file.width });
  const y = sourceSpan(file.y, { begin: target.row, count: target.height, margin: margin.y, size: file.height });
  return x.count > 0 && y.count > 0 ? { col: x.begin, row: y.begin, width: x.count, height: y.count } : null;
}

/** An error of one scene, told from all others so that a run can go on without it. */
export function sceneError(error: unknown, scene: { id: string }): StackwiseError {
  if (error instanceof StackwiseError) {
    const Class = error.constructor as new (...args: ConstructorParameters<typeof StackwiseError>) => StackwiseError;
    return new Class(error.message, { ...error.facts, items: [scene.id] }, { cause: error.cause });
  }
  return new FormatError(`scene ${scene.id}: ${(error as Error).message}`, { items: [scene.id] }, { cause: error });
}

/** Errors of scenes as the one that a run goes on from. */
export function unreadable(failures: readonly StackwiseError[]): UnreadableScenes {
  const items = [...new Set(failures.flatMap((failure) => failure.facts.items ?? []))];
  return new UnreadableScenes(failures.map(({ message }) => message).join('; '), { items }, { cause: failures[0] });
}
