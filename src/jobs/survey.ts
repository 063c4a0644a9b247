import { InputError, type StackwiseError } from '../errors.js';
import { type Crs, sameCrs, UNKNOWN_CRS } from '../geo/crs.js';
import type { DatumShift } from '../geo/datum-shift.js';
import { footprintOf } from '../geo/footprint.js';
import { type Grid, intersect, windowAround } from '../geo/grid.js';
import { mapFew } from '../io/map-few.js';
import type { BandHeader, Dtype } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import type { KernelDtype } from '../kernels/memory.js';
import { findBand, type Sensor } from '../stats/sensors.js';
import { openSources, type RasterCache, type SourceFile, sceneError, unreadable } from '../stats/source.js';
import type { CompositeSpec, Resampling, Source, SourceScene } from '../stats/spec.js';
import { holds, type InputKind } from '../stats/statistic.js';
import { suggestion } from '../stats/suggest.js';

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
    fullResolution?: true | undefined;
    coarseBands?: 'copied' | undefined;
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
