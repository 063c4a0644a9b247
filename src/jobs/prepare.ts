import { InputError } from '../errors.js';
import { type Crs, datumOf, sameCrs } from '../geo/crs.js';
import { type DatumShift, parseDatumShift } from '../geo/datum-shift.js';
import { parseInterval, parseMonths } from '../geo/time.js';
import { openRaster } from '../io/open-raster.js';
import type { BandHeader, Dtype } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import { parseMasks } from '../stats/mask-recipe.js';
import { groupScenes } from '../stats/observations.js';
import { selectScenes } from '../stats/select.js';
import { defaultMasks, detectSensor, resolveBands, type Sensor } from '../stats/sensors.js';
import { type RasterCache, rasterCache } from '../stats/source.js';
import type { CompositeSpec, SourceScene } from '../stats/spec.js';
import { parseStatistics, statisticOutputs } from '../stats/statistic.js';
import {
  type CompositeOptions,
  checkMissing,
  checkWords,
  limitsOf,
  parseDtype,
  positive,
} from './composite-options.js';
import { frameOf, gridOf, middleLongitude, regionOf, targetCrs } from './frame.js';
import { type Plan, planBlocks } from './plan.js';
import { planInput } from './plan-input.js';
import { applyRadiometry, shiftedKernel } from './radiometry.js';
import {
  inputKind,
  kernelKind,
  locateScenes,
  ofScene,
  type Survey,
  scenesOnGrid,
  sourceScene,
  surveyScene,
} from './survey.js';

/** Of the error that no scene has a pixel in the area. */
export const NO_OVERLAP = 'NO_OVERLAP';

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
  checkWords(options);
  const { resampling = 'nearest' } = options;
  const datumShift = options.transformCode === undefined ? undefined : parseDatumShift(options.transformCode);
  const wanted = parseStatistics(options.statistics ?? 'geomedian,mads,count');
  const outputType = parseDtype(options.dtype ?? 'input');
  if (all.length === 0) throw new InputError('there are no scenes');
  const { like, crs, region, selected } = await chooseScenes(all, options, cache);
  const sensor = detectSensor(selected.scenes);
  const bands = resolveBands(selected.scenes, options.bands ?? null);
  const masks = options.masks ? parseMasks(options.masks) : defaultMasks(selected.scenes);
  const maskBands = [...new Set(masks.map((mask) => mask.band))];
  const sources = selected.scenes.map((scene) => sourceScene(scene, [...bands, ...maskBands], sensor));
  if (options.nodata !== undefined)
    for (const scene of sources) for (const band of bands) scene.sources[band]!.missing = options.nodata;
  await locateScenes(sources, cache, options);
  const bandGrids = sources.flatMap((scene) => bands.map((band) => scene.sources[band]!.grid!));
  const grid = await frameOf(bandGrids, { crs, like, bounds: region?.bounds ?? null, options, datumShift });
  const used = await scenesOnGrid(sources, { bands, grid, datumShift });
  if (used.length === 0) {
    throw new InputError(`none of the ${sources.length} scenes overlaps the area`, {
      items: sources.map((s) => s.id),
      status: NO_OVERLAP,
    });
  }
  const usedIds = new Set(used.map(({ id }) => id));
  const scenes = selected.scenes.filter(({ id }) => usedIds.has(id));
  const fullResolution = options.fullResolution || undefined;
  const { coarseBands } = options;
  const look = { bands, maskBands, grid, cache, sensor, resampling, datumShift, fullResolution, coarseBands };
  const surveys = await surveyEachCrs(used, scenes, { options, look });
  for (const warning of surveys.flatMap(({ warnings }) => warnings)) options.onWarning?.(warning);
  const [survey] = surveys as [Survey];
  for (const { dtype } of survey.bands) checkMissing(options.nodata, dtype);
  const radiometry = await applyRadiometry(scenes, {
    sources: used,
    bands,
    headers: survey.bands,
    sensor,
    cache,
    options,
  });
  const longitudeDeg = await middleLongitude(grid, scenes.find(({ id }) => id === used[0]!.id)!);
  const spec = specOf(options, {
    grid: { ...grid, crs: writtenCrs(grid.crs, surveys, datumShift) },
    bands,
    wanted,
    masks,
    outputType,
    headers: survey.bands,
    kernel: shiftedKernel(kernelKind(survey.bands), { shifted: radiometry.isShifted, outputType }),
    datumShift,
    observations: groupScenes(used, { group: options.group ?? 'solar-day', longitudeDeg }),
    region,
  });
  const outside = sources.filter((scene) => !usedIds.has(scene.id)).map(({ id }) => ({ id, reason: 'area' }));
  return {
    spec,
    plan: planBlocks(await planInput(spec, surveys, limitsOf(options))),
    scenes,
    sceneCount: used.length,
    dropped: [...selected.dropped, ...outside],
    sensor,
    bandHeaders: radiometry.headers,
  };
}

/** The target's CRS, the area in it, and the scenes that are selected by both; what is left out is told. */
async function chooseScenes(all: readonly Scene[], options: CompositeOptions, cache: RasterCache) {
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
  return { like, crs, region, selected };
}

/** The CRS of the result as files have it, with its GeoKeys. One whose datum a file leaves open would not tell which way to shift. */
function writtenCrs(crs: Crs, surveys: readonly Survey[], datumShift: DatumShift | undefined): Crs {
  const fits = (own: Crs) => sameCrs(own, crs) && (!datumShift || datumOf(own) === datumOf(crs));
  return surveys.map((survey) => survey.crs).find((own) => own && fits(own)) ?? crs;
}

/** All that defines the numbers, of options and of what scenes and files turned out to be. */
function specOf(
  options: CompositeOptions,
  found: Pick<CompositeSpec, 'grid' | 'bands' | 'masks' | 'kernel' | 'observations' | 'region'> & {
    wanted: CompositeSpec['statistics'];
    outputType: Dtype | null;
    headers: readonly BandHeader[];
    datumShift: DatumShift | undefined;
  },
): CompositeSpec {
  const { wanted, outputType, headers, region, datumShift, ...rest } = found;
  const compat = options.compat ?? null;
  const input = inputKind(found.bands, headers);
  const isFloat = input.dtype === 'f32' || input.dtype === 'f64';
  return {
    ...rest,
    statistics: wanted,
    outputs: statisticOutputs(wanted, input, { dtype: outputType, compat }),
    maskWhen: options.maskWhen ?? 'before-fuse',
    resampling: options.resampling ?? 'nearest',
    ...(options.coarseBands && { coarseBands: options.coarseBands }),
    ...(datumShift && { datumShift }),
    bandDtypes: headers.map((band) => band.dtype),
    eps: positive(options.eps ?? (isFloat ? 1e-4 : 0.1), 'eps'),
    compat,
    ...(options.rounding === 'truncate' && { rounding: 'truncate' as const }),
    ...(options.eachBand && { eachBand: true as const }),
    ...(options.fullResolution && { fullResolution: true as const }),
    region: region?.polygons ? region : null,
    onError: options.onError ?? 'fail',
  };
}

/** Looks at the first scene of each CRS; the very first scene's comes first. */
async function surveyEachCrs(
  used: readonly SourceScene[],
  scenes: readonly Scene[],
  { options, look }: { options: CompositeOptions; look: Parameters<typeof surveyScene>[2] },
): Promise<Survey[]> {
  const crsOf = (scene: SourceScene) => scene.sources[look.bands[0]!]!.grid!.crs;
  const samples: SourceScene[] = [];
  for (const scene of used) if (!samples.some((s) => sameCrs(crsOf(s), crsOf(scene)))) samples.push(scene);
  const surveys: Survey[] = [];
  for (const source of samples) {
    const scene = scenes.find(({ id }) => id === source.id)!;
    surveys.push(await ofScene(scene, options, () => surveyScene(scene, source, look)));
  }
  return surveys;
}
