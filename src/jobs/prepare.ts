import { cores, memoryLimitBytes as platformMemoryLimit, platformName } from '#platform';
import { InputError } from '../errors.js';
import { pixelToGround } from '../geo/affine.js';
import { type Crs, crsToLonLat, datumNote, describeCrs, parseCrs, sameCrs } from '../geo/crs.js';
import { boundsIn } from '../geo/footprint.js';
import { type Bounds, type Grid, targetGrid } from '../geo/grid.js';
import { parseBbox, type Region, regionOfBbox, regionOfGeoJson } from '../geo/region.js';
import { parseInterval, parseMonths } from '../geo/time.js';
import { openRaster } from '../io/open-raster.js';
import { type BandHeader, DTYPE_NAMES, type Dtype } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import { parseMasks } from '../stats/mask-recipe.js';
import { type Group, groupScenes } from '../stats/observations.js';
import { commonCrs, selectScenes } from '../stats/select.js';
import { defaultMasks, detectSensor, resolveBands, type Sensor } from '../stats/sensors.js';
import { type RasterCache, rasterCache } from '../stats/source.js';
import type { CompositeSpec, MaskWhen, Resampling } from '../stats/spec.js';
import { parseStatistics, statisticOutputs } from '../stats/statistic.js';
import { suggestion } from '../stats/suggest.js';
import { type Plan, planBlocks } from './plan.js';
import {
  inputKind,
  kernelKind,
  locateScenes,
  ofScene,
  planInput,
  type Survey,
  scenesOnGrid,
  sourceScene,
  surveyScene,
} from './survey.js';

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
  datetime?: string | undefined;
  months?: string | undefined;
  maxCloudPercent?: number | undefined;
  limit?: number | undefined;
  /** Step at which the geomedian stops, in output units; default 0.1 for integers, 1e-4 for floats. */
  eps?: number | undefined;
  compat?: 'odc' | undefined;
  /** `input`, or a sample type (float32, uint16, f32, u16, …) for all but the count. */
  dtype?: string | undefined;
  /** 0 computes in the calling thread; default: the cores. */
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  onError?: 'fail' | 'skip' | undefined;
  signal?: AbortSignal | undefined;
  /** Pixels of the target grid. */
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/** A composite ready to run: what, how, and from what. */
export interface Prepared {
  spec: CompositeSpec;
  plan: Plan;
  scenes: Scene[];
  sceneCount: number;
  dropped: { id: string; reason: string }[];
  sensor: Sensor | null;
  /** Of the value bands, as the first scene has them. */
  bandHeaders: BandHeader[];
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

/** Selects scenes, settles every option, opens what must be opened, and plans the blocks. */
export async function prepareComposite(scenes: readonly Scene[], options: CompositeOptions): Promise<Prepared> {
  const cache = rasterCache((href) => openRaster(href, options.signal ? { signal: options.signal } : {}));
  try {
    return await prepare(scenes, options, cache);
  } finally {
    await cache.close();
  }
}

async function prepare(all: readonly Scene[], options: CompositeOptions, cache: RasterCache): Promise<Prepared> {
  const {
    statistics = 'geomedian,mads,count',
    maskWhen = 'before-fuse',
    group = 'solar-day',
    resampling = 'nearest',
  } = options;
  const { compat = null, onError = 'fail', dtype = 'input' } = options;
  oneOf('mask-when', maskWhen, ['before-fuse', 'after-fuse']);
  oneOf('group', group, ['solar-day', 'none']);
  oneOf('resampling', resampling, ['nearest', 'bilinear', 'cubic', 'average', 'mode']);
  oneOf('on-error', onError, ['fail', 'skip']);
  if (compat !== null) oneOf('compat', compat, ['odc']);
  const wanted = parseStatistics(statistics);
  const outputType = parseDtype(dtype);
  if (all.length === 0) throw new InputError('there are no scenes');
  // The area is known in the target's CRS, and the scenes are selected by the area: first the CRS.
  const like = typeof options.like === 'string' ? await gridOf(options.like, cache) : (options.like ?? null);
  const crs = await targetCrs(all, { cache, options, like });
  const region = await regionOf(options, crs);
  const selected = selectScenes(all, {
    interval: options.datetime === undefined ? null : parseInterval(options.datetime),
    months: options.months === undefined ? null : parseMonths(options.months),
    maxCloudPercent: options.maxCloudPercent ?? null,
    limit: options.limit ?? null,
    lonLatBounds: region?.lonLatBounds ?? null,
  });
  for (const note of selected.notes) options.onWarning?.(note);
  const sensor = detectSensor(selected.scenes);
  const bands = resolveBands(selected.scenes, options.bands ?? null);
  const masks = options.masks ? parseMasks(options.masks) : defaultMasks(selected.scenes);
  const maskBands = [...new Set(masks.map((mask) => mask.band))];
  const sources = selected.scenes.map((scene) => sourceScene(scene, [...bands, ...maskBands], sensor));
  await locateScenes(sources, cache, options);
  const bandGrids = sources.flatMap((scene) => bands.map((band) => scene.sources[band]!.grid!));
  const crss = distinctCrss(bandGrids);
  for (const own of crss) checkWay(own, crs, options);
  const resolution = options.resolution;
  const bounds = region?.bounds ?? null;
  const grid = targetGrid({
    grids: bandGrids,
    bounds,
    extent: bounds || like ? null : await extentIn(bandGrids, crs),
    like,
    resolution: resolution === undefined ? null : [resolution, resolution],
    crs,
  });
  const used = await scenesOnGrid(sources, { bands, grid });
  if (used.length === 0) {
    throw new InputError(`none of the ${sources.length} scenes overlaps the area`, { items: sources.map((s) => s.id) });
  }
  const samples = crss.flatMap((own) => used.find((s) => sameCrs(s.sources[bands[0]!]!.grid!.crs, own)) ?? []);
  const surveys: Survey[] = [];
  for (const source of samples.sort((a, b) => used.indexOf(a) - used.indexOf(b))) {
    const scene = selected.scenes.find(({ id }) => id === source.id)!;
    const look = { bands, maskBands, grid, cache, sensor, resampling };
    surveys.push(await ofScene(scene, options, () => surveyScene(scene, source, look)));
  }
  const [survey] = surveys as [Survey];
  const first = selected.scenes.find((scene) => scene.id === used[0]!.id)!;
  for (const warning of surveys.flatMap(({ warnings }) => warnings)) options.onWarning?.(warning);
  const kernel = kernelKind(survey.bands);
  const input = inputKind(bands, survey.bands);
  const float = input.dtype === 'f32' || input.dtype === 'f64';
  const spec: CompositeSpec = {
    grid: { ...grid, crs: surveys.map((s) => s.crs).find((own) => own && sameCrs(own, grid.crs)) ?? grid.crs },
    bands,
    statistics: wanted,
    outputs: statisticOutputs(wanted, input, { dtype: outputType, compat }),
    observations: groupScenes(used, { group, longitudeDeg: await middleLongitude(grid, first) }),
    masks,
    maskWhen,
    resampling,
    kernel,
    bandDtypes: survey.bands.map((band) => band.dtype),
    eps: positive(options.eps ?? (float ? 1e-4 : 0.1), 'eps'),
    compat,
    region: region?.polygons ? region : null,
    onError,
  };
  const plan = planBlocks(await planInput(spec, surveys, limitsOf(options)));
  const ids = new Set(used.map((scene) => scene.id));
  const outside = sources.filter((scene) => !ids.has(scene.id)).map(({ id }) => ({ id, reason: 'area' }));
  return {
    spec,
    plan,
    scenes: selected.scenes.filter((scene) => ids.has(scene.id)),
    sceneCount: used.length,
    dropped: [...selected.dropped, ...outside],
    sensor,
    bandHeaders: survey.bands,
  };
}

/** What types cannot hold off in JavaScript: an option that is none of its words. */
function oneOf(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw new InputError(`${option} is one of ${words.join(', ')}, and got "${value}"`, { option });
}

function positive(value: number, option: string): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InputError(`${option} is a number above 0, and got ${value}`, { option });
}

function limitsOf(options: CompositeOptions): { threads: number; memoryLimitBytes: number; canSpill: boolean } {
  const { threads = cores(), memoryLimitBytes = platformMemoryLimit() } = options;
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new InputError(`threads is a whole number from 0 to 1024, and got ${threads}`, { option: 'threads' });
  }
  return { threads, memoryLimitBytes: positive(memoryLimitBytes, 'memory-limit'), canSpill: platformName === 'node' };
}

/** The CRS of the target: the one asked for, or that of all scenes (of a file where no item states one). */
async function targetCrs(
  scenes: readonly Scene[],
  { cache, options, like }: { cache: RasterCache; options: CompositeOptions; like: Grid | null },
): Promise<Crs> {
  const asked = options.crs === undefined ? null : parseCrs(options.crs);
  if (asked && like && !sameCrs(asked, like.crs)) {
    throw new InputError('--crs differs from the CRS of --like: give one of them', { option: 'crs' });
  }
  const stated = like?.crs ?? asked ?? commonCrs(scenes);
  if (stated) return stated;
  const href = Object.values(scenes[0]!.bands)[0]?.href;
  const grid = href ? (await ofScene(scenes[0]!, options, () => cache.open(href))).header.grid : null;
  if (!grid) throw new InputError(`neither the item nor the files of ${scenes[0]!.id} state a CRS`);
  return grid.crs;
}

function distinctCrss(grids: readonly Grid[]): Crs[] {
  const found: Crs[] = [];
  for (const { crs } of grids) if (!found.some((other) => other === crs || sameCrs(other, crs))) found.push(crs);
  return found;
}

/** Scenes in another CRS than the target are an error unless that was asked for, and their datum may need a word. */
function checkWay(own: Crs, crs: Crs, options: CompositeOptions): void {
  if (sameCrs(own, crs)) return;
  if (options.crs === undefined && options.like === undefined) {
    throw new InputError(
      `there are scenes in ${describeCrs(crs)} and in ${describeCrs(own)}: say with --crs which one the result is to have`,
      { option: 'crs' },
    );
  }
  const note = datumNote(own, crs);
  if (note) options.onWarning?.(note);
}

/** Around all grids, in one CRS. */
async function extentIn(grids: readonly Grid[], crs: Crs): Promise<Bounds> {
  // Most dates lie where the first one does.
  const frames = new Map(grids.map((grid) => [JSON.stringify(grid), grid]));
  const found = await Promise.all([...frames.values()].map((grid) => boundsIn(grid, crs)));
  const all = found.filter((bounds) => bounds !== null);
  if (all.length === 0) throw new InputError(`no scene has a place in ${describeCrs(crs)}`, { option: 'crs' });
  return all.reduce((p, q) => ({
    west: Math.min(p.west, q.west),
    south: Math.min(p.south, q.south),
    east: Math.max(p.east, q.east),
    north: Math.max(p.north, q.north),
  }));
}

async function gridOf(href: string, cache: RasterCache): Promise<Grid> {
  const { grid } = (await cache.open(href)).header;
  if (!grid) throw new InputError(`${href} has no georeference to take a grid from`, { url: href, option: 'like' });
  return grid;
}

async function regionOf(options: CompositeOptions, crs: Crs): Promise<Region | null> {
  const areas = ['bbox', 'geometry', 'like'].filter((name) => options[name as 'bbox'] !== undefined);
  if (areas.length > 1) throw new InputError(`give one area, not both --${areas.join(' and --')}`);
  if (options.bboxCrs !== undefined && !options.bbox) {
    throw new InputError('--bbox-crs belongs to --bbox, which is not given', { option: 'bbox-crs' });
  }
  const from = options.bboxCrs === undefined ? {} : { from: parseCrs(options.bboxCrs) };
  if (options.bbox) return regionOfBbox(parseBbox(options.bbox.join(',')), { crs, ...from });
  if (options.geometry !== undefined) return regionOfGeoJson(options.geometry, { crs });
  return null;
}

/** The longitude whose clock decides about days: of the grid's middle, or of the scene where the CRS cannot be transformed. */
async function middleLongitude(grid: Grid, scene: Scene): Promise<number> {
  try {
    const toLonLat = await crsToLonLat(grid.crs);
    return toLonLat(...pixelToGround(grid.affine, grid.width / 2, grid.height / 2))[0];
  } catch {
    return scene.bbox ? (scene.bbox[0] + scene.bbox[2]) / 2 : 0;
  }
}
