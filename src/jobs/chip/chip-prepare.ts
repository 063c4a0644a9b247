import { FormatError, InputError } from '../../errors.js';
import { mapFew } from '../../io/map-few.js';
import { countedSince, type StoreMeter } from '../../io/meter.js';
import { openRaster } from '../../io/open-raster.js';
import { type Points, type PointsInput, readPoints } from '../../io/points.js';
import { type Dtype, type RasterHeader, SAMPLE_BYTES } from '../../io/raster.js';
import { networkMeter } from '../../io/stores.js';
import { formatBytes } from '../../limit.js';
import type { ChipImage } from '../../stats/chip-spec.js';
import { type RasterCache, rasterCache } from '../../stats/source.js';
import { checkMissing } from '../composite-options.js';
import { type ChipOptions, type ChipSettings, chipSettings } from './chip-options.js';
import { type Frame, framesOf, isSameGrid, type Placement, placePoints } from './chip-place.js';
import { type ChipMeaning, chipRadiometry } from './chip-radiometry.js';
import {
  type ChipCandidate,
  type ChipRasters,
  type ChipTime,
  checkDtype,
  type LocatedCandidate,
  readChipSource,
} from './chip-source.js';

/** All that is settled before the first block is read. */
export interface PreparedChips {
  settings: ChipSettings;
  points: Points;
  placement: Placement;
  /** By their place in `candidates`: those that a chip meets. */
  images: ReadonlyMap<number, ChipImage>;
  candidates: readonly LocatedCandidate[];
  times: readonly ChipTime[];
  bands: readonly string[];
  /** By band. */
  meanings: readonly ChipMeaning[];
  dtype: Dtype;
  fill: number;
  /** What reading points and headers took over the network; the first pass takes it into its report. */
  opening: StoreMeter[];
  /** Bytes that cutting takes beside the chips themselves. */
  workBytes: number;
}

/** What the process has beside chips and threads, and a thread beside a block: its code, compressed blocks, strips on their stage. */
export const PROCESS_BYTES = 96 * 2 ** 20;
export const THREAD_BYTES = 96 * 2 ** 20;
/** Headers that are read at a time. */
const AT_ONCE = 16;

function imageOf(
  candidate: LocatedCandidate,
  header: RasterHeader,
  { nodata, shifts }: { nodata: number | undefined; shifts: readonly number[] },
): ChipImage {
  const { name, href, bands, planes } = candidate;
  const dtypes = bands.map((band) => checkDtype(header, band));
  checkMissing(nodata, dtypes[0]!);
  const level = header.levels[0]!;
  const { grid } = candidate;
  if (grid.width !== level.width || grid.height !== level.height)
    throw new FormatError(
      `${href} has ${level.width} × ${level.height} px, and its item says ${grid.width} × ${grid.height}`,
      { url: href },
    );
  const missing = bands
    .map((band, i) => nodata ?? header.bands[band]!.nodata ?? candidate.nodata[i]!)
    .map((value) =>
      // What an item says in decimals is another number than the samples are.
      value !== null && dtypes[0] === 'f32' ? Math.fround(value) : value,
    );
  return { name, href, grid, level, dtype: dtypes[0]!, bands, planes, nodata: missing, shifts };
}

/** One dtype for all: chips of several would need a conversion that nobody asked for. */
function commonDtype(images: readonly ChipImage[]): Dtype {
  const [first] = images;
  const other = images.find(({ dtype }) => dtype !== first!.dtype);
  if (!other) return first!.dtype;
  throw new InputError(
    `${other.href} holds ${other.dtype}, and ${first!.href} ${first!.dtype}: chips are of one type`,
    {
      url: other.href,
    },
  );
}

function checkPixelSizes(candidates: readonly LocatedCandidate[], bands: readonly string[]): void {
  const nBand = bands.length;
  const sizeOf = ({ grid: { affine } }: LocatedCandidate) =>
    Math.sqrt(Math.abs(affine[0] * affine[4] - affine[1] * affine[3]));
  const byName = new Map<string, LocatedCandidate>();
  for (const candidate of candidates) {
    const first = byName.get(candidate.name) ?? candidate;
    byName.set(candidate.name, first);
    const [own, other] = [sizeOf(candidate), sizeOf(first)];
    if (Math.abs(own - other) <= 1e-6 * other) continue;
    const named = (c: ChipCandidate) => bands[c.planes[0]! % nBand]!;
    throw new InputError(
      `${named(candidate)} of ${candidate.name} has pixels of ${own}, and ${named(first)} of ${other}: ` +
        'chips are cut from bands of one pixel size; name them with --bands',
      { option: 'bands', band: named(candidate) },
    );
  }
}

/** Files that hold the same bands of the same pixels, which may be a mistake. */
function twinNotes(frames: readonly Frame[], candidates: readonly ChipCandidate[]): string[] {
  return frames.flatMap(({ images, repeats }) => {
    if (!repeats) return [];
    const holder = new Map<number, number>();
    for (const image of images) {
      for (const plane of candidates[image]!.planes) {
        const other = holder.get(plane);
        if (other !== undefined)
          return [`${candidates[other]!.href} and ${candidates[image]!.href} have the same bands of the same pixels`];
        holder.set(plane, image);
      }
    }
    return [];
  });
}

/** Grids that no item tells are read from the files. */
function locate(candidates: readonly ChipCandidate[], cache: RasterCache): Promise<LocatedCandidate[]> {
  return mapFew(candidates, AT_ONCE, async (candidate) => {
    const { href: url } = candidate;
    const grid = candidate.grid ?? (await cache.open(url)).header.grid;
    if (!grid) throw new InputError(`${url} has no georeference: where its pixels lie is not known`, { url });
    return { ...candidate, grid };
  });
}

function fillOf(settings: ChipSettings, images: readonly ChipImage[], dtype: Dtype): number {
  const isFloat = dtype === 'f32' || dtype === 'f64';
  const fill = settings.fill ?? settings.nodata ?? images[0]?.nodata[0] ?? (isFloat ? Number.NaN : 0);
  if (isFloat) return fill;
  const bits = 8 * SAMPLE_BYTES[dtype];
  const [least, most] = dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  if (Number.isInteger(fill) && fill >= least && fill <= most) return fill;
  if (settings.fill === undefined) return 0;
  throw new InputError(`fill ${fill} is not a value of ${dtype}`, { option: 'fill' });
}

/** Bytes of a block, raw and unpacked. */
function blockBytesOf({ level, dtype, bands }: ChipImage, header: RasterHeader): number {
  const samples = level.planar ? 2 : header.bands.length + bands.length;
  return level.tileWidth * level.tileHeight * samples * SAMPLE_BYTES[dtype];
}

/** As many of the threads as leave half of the memory to the chips, and what they take. */
function share(
  { threads, memoryLimitBytes }: ChipSettings,
  { blockBytes, codecBytes }: { blockBytes: number; codecBytes: number },
): { threads: number; workBytes: number } {
  const workBytes = (n: number) => PROCESS_BYTES + Math.max(1, n) * (THREAD_BYTES + codecBytes + blockBytes);
  let fewer = threads;
  while (fewer > 1 && workBytes(fewer) > memoryLimitBytes / 2) fewer--;
  return { threads: fewer, workBytes: workBytes(fewer) };
}

/** Places every chip, and opens the files that chips meet. What a file says of its place wins over what its item says. */
async function placeChips(
  points: Points,
  candidates: readonly LocatedCandidate[],
  { cache, nPlane, settings }: { cache: RasterCache; nPlane: number; settings: ChipSettings },
): Promise<{ placement: Placement; headers: Map<number, RasterHeader> }> {
  for (;;) {
    const placement = await placePoints(points, framesOf(candidates), { ...settings, nPlane });
    settings.signal?.throwIfAborted();
    const met = [...new Set(placement.parts.flat())].flatMap((frame) => placement.frames[frame]!.images);
    const used = met.length > 0 ? met.sort((p, q) => p - q) : [0];
    const headers = new Map(
      await mapFew(used, AT_ONCE, async (index) => {
        const { header } = await cache.open(candidates[index]!.href);
        return [index, header] as const;
      }),
    );
    const wrong = used.filter((index) => {
      const { grid } = headers.get(index)!;
      return grid !== null && !isSameGrid(grid, candidates[index]!.grid);
    });
    // Each file is put right once at most.
    if (wrong.length === 0) return { placement, headers };
    for (const index of wrong) candidates[index]!.grid = headers.get(index)!.grid!;
  }
}

/** Reads points and sources, opens the files that chips meet, and places every chip. */
export async function prepareChips(
  rasters: ChipRasters,
  source: PointsInput,
  options: ChipOptions,
): Promise<PreparedChips> {
  const settings = chipSettings(options);
  const { signal, overlap } = settings;
  signal?.throwIfAborted();
  const own = signal ? { signal } : {};
  const network = countedSince(networkMeter);
  const points = await readPoints(source, { crs: settings.pointsCrs, ...own });
  const cache = rasterCache((href) => openRaster(href, own));
  try {
    const { candidates: found, times, bands, sensor } = await readChipSource(rasters, settings, cache);
    const candidates = await locate(found, cache);
    checkPixelSizes(candidates, bands);
    const nPlane = times.length * bands.length;
    const { placement, headers } = await placeChips(points, candidates, { cache, nPlane, settings });
    for (const text of twinNotes(placement.frames, candidates).slice(0, 3))
      settings.onWarning?.(`${text}: --overlap ${overlap} decides`);
    const radiometry = await chipRadiometry(headers, { candidates, bands, sensor, cache, options: settings });
    const { meanings } = radiometry;
    const images = new Map(
      [...headers].map(([index, header]) => {
        const candidate = candidates[index]!;
        const shifts = radiometry.shiftsOf(candidate);
        return [index, imageOf(candidate, header, { nodata: settings.nodata, shifts })];
      }),
    );
    const all = [...images.values()];
    const dtype = commonDtype(all);
    const blockBytes = [...images].reduce(
      (most, [i, image]) => Math.max(most, blockBytesOf(image, headers.get(i)!)),
      0,
    );
    const codecBytes = Math.max(0, ...[...headers.values()].map(({ codec }) => codec?.threadBytes ?? 0));
    const { threads, workBytes } = share(settings, { blockBytes, codecBytes });
    const fill = fillOf(settings, all, dtype);
    const opening = [network()];
    const settled = { ...settings, threads };
    const input = { points, placement, images, candidates, times, bands };
    return { ...input, settings: settled, meanings, dtype, fill, workBytes, opening };
  } finally {
    await cache.close();
  }
}

/** What arrays of one buffer can hold in every engine of today. */
const MAX_ARRAY_BYTES = 2 ** 32 - 8;

/** Bytes of one chip with its mask; twice that where parts of chips wait to be merged. */
function chipBytes({ settings: { side }, times, bands, dtype, placement: { frames, parts } }: PreparedChips): number {
  const samples = times.length * bands.length * side * side;
  const merges = frames.some(({ repeats }) => repeats) || parts.some((own) => own.length > 1);
  return samples * (SAMPLE_BYTES[dtype] + 1) * (merges ? 2 : 1);
}

/** How many chips fit into the memory that is allowed, beside `reserved` others. @throws InputError when not even one does */
export function chipsInMemory(prepared: PreparedChips, reserved = 0): number {
  const { settings, times, bands, dtype, workBytes } = prepared;
  const { memoryLimitBytes, side } = settings;
  const one = chipBytes(prepared);
  const room = memoryLimitBytes - workBytes - reserved * one;
  const inArray = Math.floor(MAX_ARRAY_BYTES / (times.length * bands.length * side * side * SAMPLE_BYTES[dtype]));
  const fitting = Math.min(inArray, Math.floor(room / one));
  if (fitting >= 1) return fitting;
  throw new InputError(
    `one chip of ${formatBytes(one)} and ${formatBytes(workBytes)} to work with are more than the memory limit of ${formatBytes(memoryLimitBytes)} or one array can hold`,
    { option: 'memory-limit' },
  );
}
