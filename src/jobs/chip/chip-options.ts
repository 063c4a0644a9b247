import { cores, memoryLimitBytes as platformMemoryLimit } from '#platform';
import { InputError } from '../../errors.js';
import type { ChipAnchor, ChipOverlap } from '../../stats/chip-spec.js';
import type { Group } from '../../stats/observations.js';
import type { OffsetMode } from '../../stats/radiometry.js';

/** How chips are cut; only `size` has no default. */
export interface ChipOptions {
  /** px around the coordinate's pixel: chips have 2 × size + 1 px a side; 0 is the pixel alone. */
  size: number;
  /** Default centre. */
  anchor?: ChipAnchor | undefined;
  /** Which raster wins where several have a valid sample; default first, in the order of the rasters. */
  overlap?: ChipOverlap | undefined;
  /** Names (or numbers from 1) of the bands of one date; default: all value bands. */
  bands?: readonly string[] | undefined;
  /** Of rasters that hold all dates, date by date; default: their bands are one date. */
  bandsPerYear?: number | undefined;
  /** Labels the dates of such rasters: the first one's year. */
  firstYear?: number | undefined;
  /** Labels the dates of such rasters, one label each. */
  dates?: readonly string[] | undefined;
  /** Which scenes to take, like 2024-06-01/2024-08-31. */
  datetime?: string | undefined;
  /** What counts as one date of scenes; default solar-day. */
  group?: Group | undefined;
  /** What is done about the offset of Sentinel-2 scenes, as in `composite`; default auto. Rasters of places stay as they are stored. */
  offset?: OffsetMode | undefined;
  /** Of the points: EPSG code, WKT or PROJ string; default: what they say, else lon/lat. */
  pointsCrs?: string | undefined;
  /** The missing value, in place of what the files say. */
  nodata?: number | undefined;
  /** What masked samples hold; default: the missing value, else NaN for floats and 0 for whole numbers. */
  fill?: number | undefined;
  /** Conventions of an older extractor: the chip begins at the coordinate's pixel, the last raster wins, six bands a year from 1984. */
  compat?: 'seed' | undefined;
  /** 0 computes in the calling thread; default: the cores. Never changes a result. */
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Blocks of the files. */
  onProgress?: ((doneBlocks: number, totalBlocks: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/** Chips wider than any raster help nobody, and their sides must stay exact. */
const MAX_SIZE = 16384;

function whole(value: number, option: string, [least, most]: readonly [number, number]): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new InputError(`${option} is a whole number from ${least} to ${most}, and got ${value}`, { option });
}

function oneOf(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw new InputError(`${option} is one of ${words.join(', ')}, and got "${value}"`, { option });
}

/** The options with everything filled in that has a fixed default. */
export type ChipSettings = ChipOptions &
  Required<Pick<ChipOptions, 'anchor' | 'overlap' | 'threads' | 'memoryLimitBytes'>> & { side: number };

/** @throws InputError for options that are impossible or contradict each other */
export function chipSettings(options: ChipOptions): ChipSettings {
  const given: ChipOptions = { ...options };
  if (given.compat !== undefined) {
    oneOf('compat', given.compat, ['seed']);
    given.anchor ??= 'topleft';
    given.overlap ??= 'last';
    given.bandsPerYear ??= 6;
    given.firstYear ??= given.dates ? undefined : 1984;
  }
  const { size, anchor = 'centre', overlap = 'first', group = 'solar-day', offset = 'auto', threads = cores() } = given;
  const { memoryLimitBytes = platformMemoryLimit(), bandsPerYear, firstYear, dates } = given;
  whole(size, 'size', [0, MAX_SIZE]);
  oneOf('anchor', anchor, ['centre', 'topleft']);
  oneOf('overlap', overlap, ['first', 'last', 'mean', 'nearest-centre']);
  oneOf('group', group, ['solar-day', 'none']);
  oneOf('offset', offset, ['auto', 'apply', 'none']);
  whole(threads, 'threads', [0, 1024]);
  if (given.bands?.length === 0)
    throw new InputError('chips have at least one band, and none is named', { option: 'bands' });
  if (!(memoryLimitBytes > 0))
    throw new InputError(`a memory limit of ${memoryLimitBytes} bytes`, { option: 'memory-limit' });
  if (bandsPerYear !== undefined) whole(bandsPerYear, 'bands-per-year', [1, 65535]);
  if (firstYear !== undefined) {
    whole(firstYear, 'first-year', [0, 9999]);
    if (dates) throw new InputError('give either the first year or the dates, not both', { option: 'first-year' });
  }
  return { ...given, anchor, overlap, group, threads, memoryLimitBytes, side: 2 * size + 1 };
}
