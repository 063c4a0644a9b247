import { InputError, type StackwiseError } from '../errors.js';
import { type Crs, sameCrs, UNKNOWN_CRS } from '../geo/crs.js';
import type { DatumShift } from '../geo/datum-shift.js';
import { footprintOf } from '../geo/footprint.js';
import { type Grid, intersect, windowAround } from '../geo/grid.js';
import { JPEG_2000_NAME, USUAL_CODEC } from '../io/jp2-header.js';
import { mapFew } from '../io/map-few.js';
import { type BandHeader, type Dtype, SAMPLE_BYTES } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import type { KernelDtype } from '../kernels/memory.js';
import { type Placement, ratiosOf, resamplingMargin } from '../stats/placement.js';
import { maskReach } from '../stats/scene-mask.js';
import { findBand, type Sensor } from '../stats/sensors.js';
import { openSources, type RasterCache, type SourceFile, sceneError, unreadable } from '../stats/source.js';
import type { CompositeSpec, Resampling, Source, SourceScene } from '../stats/spec.js';
import { holds, type InputKind, statisticFacts } from '../stats/statistic.js';
import { suggestion } from '../stats/suggest.js';
import type { Layer, PlanInput } from './plan.js';

/** Scenes whose files are opened at a time. */
const AT_ONCE = 16;

/** The scene as threads need it: where its value bands and mask bands are. */
export function sourceScene(scene: Scene, names: readonly string[], sensor: Sensor | null): SourceScene {
  const sources: Record<string, Source> = {};
  for (const name of names) {
    const band = findBand(scene, name, sensor);
    if (!band) {
      const known = Object.keys(scene.bands);
      throw new InputError(
        `scene ${scene.id} has no band ${name}${suggestion(name, known)}; it has ${known.slice(0, 40).join(', ')}`,
        { band: name, items: [scene.id] },
      );
    }
    const { href, bandIndex, grid, nodata = null } = band;
    sources[name] = { href, bandIndex, grid, nodata };
  }
  return { id: scene.id, timeMs: scene.timeMs, sources };
}

/** Opens the files whose place on the ground the items do not tell, and writes it into the scenes. */
export async function locateScenes(scenes: readonly SourceScene[], cache: RasterCache, policy: Policy): Promise<void> {
  const failures = await mapFew(scenes, AT_ONCE, async (scene): Promise<StackwiseError[]> => {
    policy.signal?.throwIfAborted();
    try {
      await locateScene(scene, cache);
      return [];
    } catch (error) {
      policy.signal?.throwIfAborted();
      const failure = sceneError(error, scene);
      if (policy.onError !== 'skip') throw failure;
      return [failure];
    }
  });
  if (failures.flat().length > 0) throw unreadable(failures.flat());
}

async function locateScene(scene: SourceScene, cache: RasterCache): Promise<void> {
  for (const source of Object.values(scene.sources)) {
    // An item may say where pixels lie and not in which CRS: then the file is asked, and believed.
    if (source.grid && !sameCrs(source.grid.crs, UNKNOWN_CRS)) continue;
    source.grid = (await cache.open(source.href)).header.grid ?? source.grid;
    if (!source.grid) throw new InputError(`${source.href} has no georeference, and neither has its item`);
  }
}

/** What to do about scenes that cannot be read. */
interface Policy {
  onError?: 'fail' | 'skip' | undefined;
  signal?: AbortSignal | undefined;
}

/** What is learnt from one scene's files; under `skip` a run can go on from the failure. */
export async function ofScene<T>(scene: { id: string }, policy: Policy, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    policy.signal?.throwIfAborted();
    const failure = sceneError(error, scene);
    throw policy.onError === 'skip' ? unreadable([failure]) : failure;
  }
}

/** One file a band, opened to learn what the others are like. */
export interface Survey {
  /** Files of value bands, then of mask bands, of the first scene that has them all. */
  values: SourceFile[];
  masks: SourceFile[];
  /** Headers of the value bands in order. */
  bands: BandHeader[];
  warnings: string[];
  /** The CRS as the file has it, with its GeoKeys; null where it has none. */
  crs: Crs | null;
}

/** Opens the first scene's files; what differs between header and item is warned about, and the header is believed. */
export async function surveyScene(
  scene: Scene,
  source: SourceScene,
  options: {
    bands: readonly string[];
    maskBands: readonly string[];
    grid: Grid;
    cache: RasterCache;
    sensor: Sensor | null;
    resampling: Resampling;
    datumShift: DatumShift | undefined;
  },
): Promise<Survey> {
  const { bands, maskBands, sensor } = options;
  const values = await openSources(source, bands, { ...options, classes: false });
  const masks = maskBands.length ? await openSources(source, maskBands, { ...options, classes: true }) : [];
  const headers = bands.map((name) => {
    const file = values.find((f) => f.names.includes(name))!;
    return file.headers[file.names.indexOf(name)]!;
  });
  const warnings = bands.flatMap((name, i) =>
    contradictions(scene, {
      name,
      header: headers[i]!,
      files: values,
      sensor,
      isMissingGiven: source.sources[name]!.missing !== undefined,
    }),
  );
  return { values, masks, bands: headers, warnings, crs: values[0]!.raster.header.grid?.crs ?? null };
}

function contradictions(
  scene: Scene,
  {
    name,
    header,
    files,
    sensor,
    isMissingGiven,
  }: {
    name: string;
    header: BandHeader;
    files: readonly SourceFile[];
    sensor: Sensor | null;
    isMissingGiven: boolean;
  },
): string[] {
  const item = findBand(scene, name, sensor)!;
  const file = files.find((f) => f.names.includes(name))!;
  const { grid: own, width, height } = file.raster.header;
  const warnings: string[] = [];
  const differ = (what: string, itemSays: unknown, fileSays: unknown) =>
    warnings.push(
      `${scene.id} ${name}: the item says ${what} ${itemSays}, the file says ${fileSays}; the file is believed`,
    );
  if (item.dtype && item.dtype !== header.dtype) differ('type', item.dtype, header.dtype);
  if (!isMissingGiven && item.nodata != null && header.nodata !== null && !Object.is(item.nodata, header.nodata)) {
    differ('nodata', item.nodata, header.nodata);
  }
  if (item.grid && own && !sameFrame(item.grid, own)) {
    const frame = ({ width, height, affine }: Grid) => `${width} × ${height} [${affine}]`;
    differ('grid', frame(item.grid), frame(own));
  }
  if (item.grid && !own && (item.grid.width !== width || item.grid.height !== height)) {
    differ('size', `${item.grid.width} × ${item.grid.height}`, `${width} × ${height}`);
  }
  return warnings;
}

/** Equal sizes, and corners within a millionth of a pixel. */
function sameFrame(p: Grid, q: Grid): boolean {
  const near = p.affine.every((v, i) => Math.abs(v - q.affine[i]!) <= 1e-6 * Math.abs(q.affine[0]));
  return near && p.width === q.width && p.height === q.height;
}

/** Integer types that fit the 16-bit kernels as they are or widened. */
const KERNEL_OF: Partial<Record<Dtype, KernelDtype>> = { u8: 'u16', u16: 'u16', i16: 'i16' };

/**
 * The stack's type: 16-bit integers where all bands share a type and one missing value, else f32 with NaN. 8-bit bands without a
 * missing value get one beyond their range.
 */
export function kernelKind(bands: readonly BandHeader[]): CompositeSpec['kernel'] {
  const [first] = bands;
  const dtype = KERNEL_OF[first!.dtype];
  const alike = bands.every((b) => b.dtype === first!.dtype && Object.is(b.nodata, first!.nodata));
  if (!dtype || !alike) return { dtype: 'f32', nodata: null };
  if (first!.nodata === null) return first!.dtype === 'u8' ? { dtype, nodata: 0xffff } : { dtype: 'f32', nodata: null };
  return holds(first!.dtype, first!.nodata) ? { dtype, nodata: first!.nodata } : { dtype: 'f32', nodata: null };
}

/** What the inputs are as far as the outputs' types depend on it. */
export function inputKind(names: readonly string[], bands: readonly BandHeader[]): InputKind {
  const [first] = bands;
  const alike = bands.every((b) => b.dtype === first!.dtype);
  const sameNodata = bands.every((b) => Object.is(b.nodata, first!.nodata));
  const dtype = alike && !['u64', 'i64'].includes(first!.dtype) ? first!.dtype : 'f32';
  return { bands: names, dtype, nodata: sameNodata ? first!.nodata : null };
}

/** The plan's view of the surveys: one scene of each CRS. */
export async function planInput(
  spec: CompositeSpec,
  surveys: readonly Survey[],
  limits: { threads: number; memoryLimitBytes: number; canSpill: boolean },
): Promise<PlanInput> {
  const seen = surveys.map(({ values, masks }) =>
    Promise.all([
      ...values.map((file) => layerOf(file, spec, false)),
      ...masks.map((file) => layerOf(file, spec, true)),
    ]),
  );
  const [first, ...others] = await Promise.all(seen);
  const layers = first!.map((layer) => widest(layer, others.flat()));
  // Blocks follow the tiles of the finest file.
  layers.sort((a, b) => a.ratioX - b.ratioX || Number(a.mask) - Number(b.mask));
  const outputPixelBytes = spec.outputs.reduce((sum, o) => sum + o.bands.length * SAMPLE_BYTES[o.dtype], 0);
  const wholeObservations = spec.statistics.some((s) => statisticFacts(s.kind).wholeObservations);
  return {
    width: spec.grid.width,
    height: spec.grid.height,
    layers,
    footprints: footprints(spec),
    nBand: spec.bands.length,
    stackSampleBytes: spec.kernel.dtype === 'f32' ? 4 : 2,
    outputPixelBytes,
    codecBytes: codecBytes(spec, surveys),
    ...(surveys.some(isFar) && { isFar: true }),
    workPixelBytes: 4 * (wholeObservations ? spec.bands.length + 6 : 6) + 4,
    ...limits,
  };
}

async function layerOf(file: SourceFile, spec: CompositeSpec, mask: boolean): Promise<Layer> {
  const level = file.raster.header.levels[file.level]!;
  const { header } = file.raster;
  const { placement } = file;
  const source = ratiosOf(placement);
  const [ratioX, ratioY] = [1 / source.x, 1 / source.y];
  const storedBands = level.planar ? file.names.length : header.bands.length;
  const filters = spec.masks.filter((m) => file.names.includes(m.band)).map((m) => maskReach(m.steps));
  const aroundPx = mask && spec.maskWhen !== 'before-warp' ? 0 : resamplingMargin(spec.resampling, placement).x;
  const reachPx = aroundPx + (mask ? Math.max(0, ...filters) : 0);
  const names = file.names.length > 2 ? `${file.names.length} bands` : file.names.join(', ');
  return {
    name: mask ? `${names} (mask)` : names,
    usedBands: file.names.length,
    storedBands,
    bytesPerSample: SAMPLE_BYTES[file.headers[0]!.dtype],
    ratioX,
    ratioY,
    tileWidth: Math.min(level.tileWidth, level.width) * ratioX,
    tileHeight: Math.min(level.tileHeight, level.height) * ratioY,
    originCol: placement.origin.x,
    originRow: placement.origin.y,
    // A fused day's mask is made in a frame around all files of the day.
    ...(mask && spec.maskWhen === 'after-fuse' ? {} : levelSize(file, spec)),
    halo: Math.ceil(reachPx * ratioX),
    spread: spreadOf(placement),
    cellBytes: placement.kind === 'cells' ? placement.cellBytes : 0,
    mask,
    tileBytes: await meanTileBytes(file),
    slowdown: header.codec?.slowdown ?? 1,
  };
}

/** The size of a band's level, of the largest file that a scene has it in. */
function levelSize(
  { names, raster: { header }, level }: SourceFile,
  { observations }: CompositeSpec,
): Pick<Layer, 'levelWidth' | 'levelHeight'> {
  const grids = observations.flatMap(({ scenes }) => scenes.map(({ sources }) => sources[names[0]!]?.grid ?? null));
  const { width, height } = header.levels[level]!;
  const most = (size: (grid: Grid) => number) =>
    grids.reduce((largest, grid) => Math.max(largest, grid ? size(grid) : Infinity), 0);
  return {
    levelWidth: Math.max(width, Math.ceil((most((grid) => grid.width) * width) / header.width)),
    levelHeight: Math.max(height, Math.ceil((most((grid) => grid.height) * height) / header.height)),
  };
}

/** What a codec takes in each thread: as the looked-at files say, and where only other scenes need it, as their names tell. */
function codecBytes({ observations }: CompositeSpec, surveys: readonly Survey[]): number {
  const files = surveys.flatMap(({ values, masks }) => [...values, ...masks]);
  const known = Math.max(0, ...files.map(({ raster }) => raster.header.codec?.threadBytes ?? 0));
  const named = observations.some(({ scenes }) =>
    scenes.some(({ sources }) => Object.values(sources).some(({ href }) => JPEG_2000_NAME.test(href))),
  );
  return Math.max(known, named ? USUAL_CODEC.threadBytes : 0);
}

/** Whether files are behind a network. */
const isFar = ({ values, masks }: Survey) => [...values, ...masks].some(({ raster }) => raster.foresee);

/** How far a pixel's step along the target goes along each axis of the source, as parts of the whole step. */
function spreadOf(placement: Placement): Layer['spread'] {
  const { x, y } = ratiosOf(placement);
  const [xx, xy, yx, yy] = placement.steps.map(Math.abs) as [number, number, number, number];
  return [xx / x, xy / x, yx / y, yy / y];
}

/** A layer as the scenes of all CRSs need it: the finest, the most turned. */
function widest(layer: Layer, others: readonly Layer[]): Layer {
  const all = [layer, ...others.filter((other) => other.name === layer.name && other.mask === layer.mask)];
  const most = (value: (one: Layer) => number) => Math.max(...all.map(value));
  const spread = layer.spread.map((_, i) => most((one) => one.spread[i]!)) as unknown as Layer['spread'];
  const [ratioX, ratioY] = [-most((one) => -one.ratioX), -most((one) => -one.ratioY)];
  return {
    ...layer,
    ratioX,
    ratioY,
    levelWidth: most((one) => one.levelWidth ?? Infinity),
    levelHeight: most((one) => one.levelHeight ?? Infinity),
    halo: most((one) => one.halo),
    spread,
    cellBytes: most((one) => one.cellBytes),
  };
}

async function meanTileBytes(file: SourceFile): Promise<number> {
  const { raster, level, bandIndices } = file;
  const planes = raster.header.levels[level]!.planar ? bandIndices : [bandIndices[0]!];
  let sum = 0;
  for (const band of planes) sum += await raster.tileBytes({ level, col: 0, row: 0 }, band);
  return sum;
}

/** Where each scene lies, in target pixels, clipped to the grid. */
function footprints({ grid, observations }: CompositeSpec): PlanInput['footprints'] {
  const whole = { col: 0, row: 0, width: grid.width, height: grid.height };
  return observations.flatMap((observation, index) =>
    observation.scenes.map(({ footprint = whole }) => {
      const { col, row, width, height } = intersect(footprint, whole) ?? { ...whole, width: 1, height: 1 };
      return { col, row, width, height, observation: index };
    }),
  );
}

/** Writes into each scene where its value bands lie on the grid, and gives those that meet it. */
export async function scenesOnGrid(
  scenes: readonly SourceScene[],
  { bands, grid, datumShift }: { bands: readonly string[]; grid: Grid; datumShift?: DatumShift | undefined },
): Promise<SourceScene[]> {
  const whole = { col: 0, row: 0, width: grid.width, height: grid.height };
  const placed = scenes.map(async (scene): Promise<SourceScene | null> => {
    const own = new Map(bands.map((band) => [JSON.stringify(scene.sources[band]!.grid), scene.sources[band]!.grid!]));
    const found = await Promise.all([...own.values()].map((one) => footprintOf(one, grid, datumShift)));
    const meeting = found.filter((window) => window !== null);
    if (!meeting.some((window) => intersect(window, whole))) return null;
    return { ...scene, footprint: windowAround(meeting) };
  });
  return (await Promise.all(placed)).filter((scene) => scene !== null);
}
