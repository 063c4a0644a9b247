import { cores, memoryLimitBytes as platformMemoryLimit, platformName } from '#platform';
import { InputError } from '../errors.js';
import type { Grid } from '../geo/grid.js';
import { DTYPE_NAMES, type Dtype } from '../io/raster.js';
import type { Group } from '../stats/observations.js';
import type { OffsetMode } from '../stats/radiometry.js';
import type { MaskWhen, Resampling } from '../stats/spec.js';
import { holds } from '../stats/statistic.js';
import { suggestion } from '../stats/suggest.js';
import type { PlanInput } from './plan.js';

/** What a composite is made of; everything has a default. */
export interface CompositeOptions {
  /** Names or common names; default: all value bands of the sensor. */
  bands?: readonly string[] | undefined;
  /** Like `median,percentile:25`; default geomedian, mads, count. */
  statistics?: string | readonly string[] | undefined;
  /** Recipes like `SCL drop 3,8 | dilation 5`, OR-ed; `none`; default by sensor. */
  masks?: readonly string[] | undefined;
  maskWhen?: MaskWhen | undefined;
  group?: Group | undefined;
  /** West, south, east, north; lon/lat unless `bboxCrs`. */
  bbox?: readonly number[] | undefined;
  bboxCrs?: string | undefined;
  /** GeoJSON geometry, feature or collection in lon/lat; pixels outside have no data. */
  geometry?: unknown;
  /** A raster's URL, or a grid, whose frame is taken as it is. */
  like?: string | Grid | undefined;
  /** Of the result: an EPSG code, WKT or a PROJ string; needed where the scenes are in several. */
  crs?: string | undefined;
  /** Pixel size in units of the CRS; default: of the finest band. */
  resolution?: number | undefined;
  resampling?: Resampling | undefined;
  /** Bilinear takes bands of coarser pixels than the scene's finest as copied into its pixels, as odc-stats does; default: it blends their own. */
  coarseBands?: 'copied' | undefined;
  /** An operation between the datums of scenes and result, like `EPSG:9688`; default: datums are taken as one. */
  transformCode?: string | undefined;
  datetime?: string | undefined;
  months?: string | undefined;
  maxCloudPercent?: number | undefined;
  limit?: number | undefined;
  /** Step at which the geomedian stops, in output units; default 0.1 for integers, 1e-4 for floats. */
  eps?: number | undefined;
  compat?: 'odc' | undefined;
  /** Of integer results that fall between two values; default half-even. */
  rounding?: 'half-even' | 'truncate' | undefined;
  /** `first` and `last` take the values of each band by itself; default: of dates on which all bands are valid. */
  eachBand?: boolean | undefined;
  /** Reads value bands at full resolution also where a file has an overview that serves; default false. */
  fullResolution?: boolean | undefined;
  /** The offset of Sentinel-2's newer baselines: `auto` takes all scenes to reflectance × 10 000; `apply`, `none`. Default auto. */
  offset?: OffsetMode | undefined;
  /** The missing value of the bands, in place of what files and items say; mask bands keep theirs. */
  nodata?: number | undefined;
  /** `input`, or a sample type (float32, uint16, f32, u16, …) for all but the count. */
  dtype?: string | undefined;
  /** Tiles of the results' files, px: what waits until one is whole belongs to the memory. Default 512. */
  outputTilePx?: number | undefined;
  /** 0 computes in the calling thread; default: the cores. */
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  onError?: 'fail' | 'skip' | undefined;
  signal?: AbortSignal | undefined;
  /** Pixels of the target grid. */
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/** Types that results can have; 64-bit integers cannot be written. */
const RESULT_DTYPES = (Object.keys(DTYPE_NAMES) as Dtype[]).filter((dtype) => !dtype.endsWith('64') || dtype === 'f64');

/** Parses `--dtype`; null is the input's own type. */
export function parseDtype(text: string): Dtype | null {
  if (text === 'input') return null;
  const dtype = RESULT_DTYPES.find((known) => known === text || DTYPE_NAMES[known] === text);
  if (dtype) return dtype;
  const names = RESULT_DTYPES.map((known) => DTYPE_NAMES[known]);
  throw new InputError(
    `there is no sample type "${text}"${suggestion(text, ['input', ...names])}: give input or one of ${names.join(', ')}`,
    {
      option: 'dtype',
    },
  );
}

/** The options as words: what types cannot hold off in JavaScript. */
export function checkWords(options: CompositeOptions): void {
  oneOf('mask-when', options.maskWhen ?? 'before-fuse', ['before-warp', 'before-fuse', 'after-fuse']);
  oneOf('group', options.group ?? 'solar-day', ['solar-day', 'none']);
  oneOf('resampling', options.resampling ?? 'nearest', ['nearest', 'bilinear', 'cubic', 'average', 'mode']);
  oneOf('on-error', options.onError ?? 'fail', ['fail', 'skip']);
  oneOf('compat', options.compat ?? 'odc', ['odc']);
  oneOf('rounding', options.rounding ?? 'half-even', ['half-even', 'truncate']);
  oneOf('offset', options.offset ?? 'auto', ['auto', 'apply', 'none']);
}

/** Refuses an option that is none of its words. */
function oneOf(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw new InputError(`${option} is one of ${words.join(', ')}, and got "${value}"`, { option });
}

/** @throws InputError for a missing value that no sample of this type can have */
export function checkMissing(nodata: number | undefined, dtype: Dtype): void {
  if (nodata === undefined || holds(dtype, nodata)) return;
  throw new InputError(`samples are ${DTYPE_NAMES[dtype]}, and none of them can be ${nodata}`, { option: 'nodata' });
}

export function positive(value: number, option: string): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InputError(`${option} is a number above 0, and got ${value}`, { option });
}

/** What a plan must keep to. */
export type RunLimits = Pick<PlanInput, 'threads' | 'memoryLimitBytes' | 'canSpill' | 'outputTilePx'>;

export function limitsOf(options: CompositeOptions): RunLimits {
  const { threads = cores(), memoryLimitBytes = platformMemoryLimit(), outputTilePx = 512 } = options;
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new InputError(`threads is a whole number from 0 to 1024, and got ${threads}`, { option: 'threads' });
  }
  return {
    threads,
    memoryLimitBytes: positive(memoryLimitBytes, 'memory-limit'),
    canSpill: platformName === 'node',
    outputTilePx,
  };
}
