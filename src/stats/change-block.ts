// Rows of a chip: reads what its scenes have there, onto the chip's grid, and detects changes.
import { InputError, KernelError, UnreadableScenes } from '../errors.js';
import type { Grid, Window } from '../geo/grid.js';
import type { Kernels } from '../kernels/memory.js';
import { CHANGE_KINDS, type ChangeKind, ChangeUnits, hasFmask } from './change-source.js';
import type { ThermalUnit } from './change-stack.js';
import { type ChipFacts, type DetectOptions, detectHeld } from './detect.js';
import type { PixelSink } from './found-pixel.js';
import { type Hold, holdInMemory } from './hold.js';
import { resamplingMargin, sourceWindow } from './placement.js';
import { openSources, type RasterCache, type SourceFile, sceneError, unreadable } from './source.js';
import type { CompositeSpec, SourceScene } from './spec.js';
import { fillStack } from './stack.js';

/** All that defines the results of a run, as plain data. */
export interface ChangeSpec {
  /** The area, whose pixels windows count. */
  grid: Grid;
  kind: ChangeKind;
  /** PyCCD's names of the bands that are read. */
  bands: readonly string[];
  /** In the order of time; their sources are by those names, and `qa`. */
  scenes: readonly SourceScene[];
  /** Ordinals, one a scene. */
  days: readonly number[];
  /** Of stored numbers; not given: as the kind has it. */
  thermalUnit?: ThermalUnit;
  /** `skip`: a scene that cannot be read is named in the failure, so that the run can go on without it. */
  onError: 'fail' | 'skip';
  options: DetectOptions;
}

/** Rows of a chip. */
export interface ChangeJob {
  /** Place of the chip in the run. */
  chip: number;
  /** In pixels of the area. */
  window: Window;
  /** First row in the chip. */
  row: number;
  /** Places of the scenes that meet the chip. */
  scenes: readonly number[];
}

export interface ChangeContext {
  k: Kernels;
  spec: ChangeSpec;
  cache: RasterCache;
  signal?: AbortSignal;
  /** Where decoded pixels wait; for who reads many blocks, so that it is not made anew. */
  hold?: Hold;
}

/** Observations in the kernels' memory: i16[nTime][nBand][nPx] in PyCCD's units, and QA as u16[nTime][nPx]. */
export interface Observations {
  valuesPtr: number;
  qaPtr: number;
}

/** Scenes whose files are read at a time. */
const AT_ONCE = 8;
const QA = 'qa';

/** The stack of one date, as the machinery of composites builds it. */
function stackSpec(spec: ChangeSpec, bands: readonly string[], kernel: CompositeSpec['kernel']): CompositeSpec {
  return {
    grid: spec.grid,
    bands,
    statistics: [],
    outputs: [],
    observations: [],
    masks: [],
    maskWhen: 'before-fuse',
    resampling: 'nearest',
    kernel,
    bandDtypes: [],
    eps: 1,
    compat: null,
    region: null,
    onError: 'fail',
  };
}

/** Sample types that QA comes in; of a stack it is signed like all else there. */
const QA_DTYPES = ['u8', 'u16'];
const STACK_QA_DTYPES = [...QA_DTYPES, 'i16'];

function checkTypes(files: readonly SourceFile[], spec: ChangeSpec): void {
  const { title, dtype: wanted, nodata: missing } = CHANGE_KINDS[spec.kind];
  const isStack = spec.kind.startsWith('stack-');
  const qaTypes = isStack ? STACK_QA_DTYPES : QA_DTYPES;
  for (const { names, headers, raster, scene } of files) {
    for (const [i, { dtype, nodata }] of headers.entries()) {
      const facts = { url: raster.header.url, band: names[i]!, items: [scene.id] };
      const own = `scene ${scene.id} stores ${names[i]} as ${dtype}`;
      if (names[i] === QA) {
        if (!qaTypes.includes(dtype)) throw new InputError(`${own}: bits or classes of u8 or u16 are wanted`, facts);
      } else if (dtype !== wanted) throw new InputError(`${own}, and ${title} is ${wanted}`, facts);
      else if (nodata !== null && nodata !== missing && !isStack) {
        throw new InputError(`${own} with nodata ${nodata}, and that of ${title} is ${missing}`, facts);
      }
    }
  }
}

/** Of a file whose nodata is one of Fmask's classes, QA has none: 0 is clear there. */
function qaFile(file: SourceFile, { kind }: ChangeSpec): SourceFile {
  const headers = file.headers.map((header) => {
    const isClass = hasFmask(kind) && header.nodata !== null && header.nodata >= 0 && header.nodata <= 4;
    return isClass ? { ...header, nodata: null } : header;
  });
  return { ...file, headers };
}

/** Type and missing value of the stack that a date's bands, or its QA, are put into. */
function kernelOf({ kind }: ChangeSpec, files: readonly SourceFile[], isQa: boolean): CompositeSpec['kernel'] {
  const { dtype, nodata, qaFill } = CHANGE_KINDS[kind];
  if (!isQa) return { dtype, nodata };
  return files[0]!.headers[0]!.dtype === 'i16' ? { dtype: 'i16', nodata: -9999 } : { dtype: 'u16', nodata: qaFill };
}

/** Builds one date's planes, u16 by their bits, and hands them to `take`. */
async function readPlanes(
  { k, spec, cache, signal, hold = holdInMemory(k) }: ChangeContext,
  work: { scene: SourceScene; window: Window; bands: readonly string[] },
  take: (plane: Uint16Array, band: number) => void,
): Promise<void> {
  const { scene, window, bands } = work;
  const isQa = bands[0] === QA;
  // Classes of openSources: full resolution, the nearest pixel. A mean of pixels is no observation.
  const options = { grid: spec.grid, cache, classes: true, resampling: 'nearest' as const };
  const opened = await openSources(scene, bands, options);
  checkTypes(opened, spec);
  const files = isQa ? opened.map((file) => qaFile(file, spec)) : opened;
  const held = await Promise.all(
    files.flatMap((file) => {
      const own = sourceWindow(file.placement, window, resamplingMargin('nearest', file.placement));
      return own ? [hold.load(file, own, signal)] : [];
    }),
  );
  const stack = fillStack(k, stackSpec(spec, bands, kernelOf(spec, files, isQa)), {
    block: window,
    strip: window,
    observations: [{ scenes: [{ held, masks: [] }], masks: [] }],
  });
  const nPx = window.width * window.height;
  for (const band of bands.keys()) take(k.u16(stack.ptr + band * stack.bandStrideBytes, nPx), band);
}

/** Reads one scene's rows into its place in the series. */
async function readScene(
  context: ChangeContext,
  work: { scene: SourceScene; window: Window; units: ChangeUnits; to: Observations },
): Promise<void> {
  const { k, signal } = context;
  const { scene, window, units, to } = work;
  const { bands, onError } = context.spec;
  const nPx = window.width * window.height;
  try {
    // Views are made when they are used: memory may grow in between.
    await readPlanes(context, { scene, window, bands }, (plane, band) => {
      units.numbers(k.i16(to.valuesPtr + 2 * band * nPx, nPx), plane, band);
    });
    await readPlanes(context, { scene, window, bands: [QA] }, (plane) => units.qa(k.u16(to.qaPtr, nPx), plane));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof KernelError) throw error;
    const failure = sceneError(error, scene);
    throw onError === 'skip' ? unreadable([failure]) : failure;
  }
}

/** Reads the rows of all scenes into the arena's current scope. */
export async function readObservations(
  context: ChangeContext,
  { window, scenes }: Pick<ChangeJob, 'window' | 'scenes'>,
): Promise<Observations> {
  const { k, spec, signal } = context;
  const { bands, kind, thermalUnit } = spec;
  const units = new ChangeUnits(kind, bands, thermalUnit);
  const nPx = window.width * window.height;
  const step = bands.length * nPx;
  const valuesPtr = k.alloc(2 * scenes.length * step);
  const qaPtr = k.alloc(2 * scenes.length * nPx);
  for (let from = 0; from < scenes.length; from += AT_ONCE) {
    signal?.throwIfAborted();
    const at = k.exports.mark();
    try {
      const reads = scenes.slice(from, from + AT_ONCE).map((place, i) => {
        const t = from + i;
        const to = { valuesPtr: valuesPtr + 2 * t * step, qaPtr: qaPtr + 2 * t * nPx };
        return readScene(context, { scene: spec.scenes[place]!, window, units, to });
      });
      // Memory is given back when nobody writes there any more.
      const failures = (await Promise.allSettled(reads)).flatMap((r) => (r.status === 'rejected' ? [r.reason] : []));
      const other = failures.find((failure) => !(failure instanceof UnreadableScenes));
      if (other) throw other;
      if (failures.length > 0) throw unreadable(failures);
    } finally {
      k.exports.release(at);
    }
  }
  return { valuesPtr, qaPtr };
}

/**
 * Reads rows of a chip, detects changes in them and hands them to `sink` pixel by pixel: what comes out does not depend on how a chip is
 * cut into rows.
 */
export async function changeBlock(context: ChangeContext, job: ChangeJob, sink: PixelSink): Promise<ChipFacts> {
  const { k, spec, signal } = context;
  const { window, scenes } = job;
  const at = k.exports.mark();
  try {
    const held = await readObservations(context, job);
    signal?.throwIfAborted();
    const dates = scenes.map((place) => spec.days[place]!);
    const nPx = window.width * window.height;
    return detectHeld(k, { ...spec.options, ...held, nPx, dates, bands: spec.bands }, sink);
  } finally {
    k.exports.release(at);
  }
}
