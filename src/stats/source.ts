import { FormatError, InputError, StackwiseError, UnreadableScenes, UnsupportedError } from '../errors.js';
import type { Affine } from '../geo/affine.js';
import type { DatumShift } from '../geo/datum-shift.js';
import { liesAlong } from '../geo/footprint.js';
import { type Grid, gridOfSize } from '../geo/grid.js';
import type { BandHeader, Raster } from '../io/raster.js';
import { chooseLevel } from '../io/window.js';
import { type Placement, placeAcross, placeAlong, ratiosOf } from './placement.js';
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

/** A file of a scene at the level that serves the target, with the bands that are wanted of it. */
export interface SourceFile {
  scene: SourceScene;
  raster: Raster;
  level: number;
  names: readonly string[];
  bandIndices: readonly number[];
  headers: readonly BandHeader[];
  /** How the level lies under the target grid. */
  placement: Placement;
  /** Pixels along a side that each of its pixels stands for under bilinear: see `coarseBands` of a spec. */
  sharpness: number;
}

/** `classes` are mask bands: read at full resolution and placed by the nearest pixel. */
interface OpenOptions {
  grid: Grid;
  cache: RasterCache;
  classes: boolean;
  resampling: Resampling;
  datumShift?: DatumShift | undefined;
  /** Value bands are read so too. */
  fullResolution?: true | undefined;
  coarseBands?: 'copied' | undefined;
}

/** Opens the files of a scene that hold `names`, one entry a file, placed under the target grid. */
export async function openSources(
  scene: SourceScene,
  names: readonly string[],
  options: OpenOptions,
): Promise<SourceFile[]> {
  const byHref = new Map<string, string[]>();
  for (const name of names) {
    const { href } = source(scene, name);
    byHref.set(href, [...(byHref.get(href) ?? []), name]);
  }
  const files = await Promise.all([...byHref].map(([href, own]) => openSource(scene, href, own, options)));
  return options.coarseBands === 'copied' && options.resampling === 'bilinear' ? sharpened(files) : files;
}

/** Files whose pixels are several of the finest one's stand for so many. */
function sharpened(files: readonly SourceFile[]): SourceFile[] {
  const sideOf = ({ placement: { own } }: SourceFile) => Math.abs(own.affine[0]);
  const finest = files.reduce((least, file) => Math.min(least, sideOf(file)), Infinity);
  return files.map((file) => {
    const times = sideOf(file) / finest;
    return { ...file, sharpness: Math.abs(times - Math.round(times)) < 1e-6 ? Math.round(times) : 1 };
  });
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
  { grid, cache, classes, resampling, datumShift, fullResolution }: OpenOptions,
): Promise<SourceFile> {
  const raster = await cache.open(href);
  const { header } = raster;
  const own = header.grid ?? itemGrid(raster, source(scene, names[0]!).grid);
  if (!own) throw new FormatError(`${href} has no georeference, and neither has its item`, { url: href });
  const bandIndices = names.map((name) => source(scene, name).bandIndex);
  const headers = bandIndices.map((index, i) => {
    const band = header.bands[index];
    if (!band) {
      throw new FormatError(`${href} has ${header.bands.length} bands, and ${names[i]} should be band ${index + 1}`, {
        url: href,
        band: names[i]!,
      });
    }
    const { missing, nodata } = source(scene, names[i]!);
    return { ...band, nodata: missing ?? band.nodata ?? nodata };
  });
  // Along the axes nearest, bilinear and average have kernels of their own; all else goes cell by cell.
  const along = liesAlong(own, grid) && (classes || AXIS_METHODS.includes(resampling));
  // Overviews of class bands may be averages of class numbers, so classes are read at full resolution.
  const isWhole = classes || fullResolution;
  const level = isWhole ? 0 : chooseLevel(header, await of(href, () => pixelSize(own, grid, { along, datumShift })));
  const { width, height } = header.levels[level]!;
  const frame: Grid = { crs: own.crs, affine: levelAffine(own, header, { width, height }), width, height };
  const byArea = !classes && (resampling === 'average' || resampling === 'mode');
  const placement = await of(href, async () =>
    along ? placeAlong(frame, grid) : placeAcross(frame, grid, { byArea, datumShift }),
  );
  return { scene, raster, level, names, bandIndices, headers, placement, sharpness: 1 };
}

function levelAffine({ affine }: Grid, header: Frame, level: Frame): Affine {
  const [a, b, c, d, e, f] = affine;
  const alongX = (step: number) => (step * header.width) / level.width;
  const alongY = (step: number) => (step * header.height) / level.height;
  return [alongX(a), alongY(b), c, alongX(d), alongY(e), f];
}

type Frame = Pick<Grid, 'width' | 'height'>;

/** Says which file it is that has no way to the target grid. */
async function of<T>(href: string, place: () => Promise<T>): Promise<T> {
  try {
    return await place();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new UnsupportedError(`${href}: ${error.message}`, { ...error.facts, url: href }, { cause: error });
  }
}

const AXIS_METHODS: readonly Resampling[] = ['nearest', 'bilinear', 'average'];

/** The size of a target pixel along x and y of a source grid, in units of the source's CRS. */
async function pixelSize(
  own: Grid,
  target: Grid,
  { along, datumShift }: { along: boolean; datumShift: DatumShift | undefined },
): Promise<[x: number, y: number]> {
  if (along) return [Math.abs(target.affine[0]), Math.abs(target.affine[4])];
  const ratio = ratiosOf(await placeAcross(own, target, { datumShift }));
  const [a, b, , d, e] = own.affine;
  return [ratio.x * Math.sqrt(a * a + d * d), ratio.y * Math.sqrt(b * b + e * e)];
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
