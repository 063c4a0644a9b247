// Rows of a chip: reads what its scenes have there, onto the chip's grid, and detects changes.
import { InputError } from '../errors.js';
import type { Grid, Window } from '../geo/grid.js';
import type { Kernels } from '../kernels/memory.js';
import type { Changes } from './change.js';
import { CHANGE_KINDS, type ChangeKind, ChangeUnits } from './change-source.js';
import { type DetectOptions, detectChip } from './detect.js';
import { holdInMemory } from './hold.js';
import { resamplingMargin, sourceWindow } from './placement.js';
import { openSources, type RasterCache, type SourceFile } from './source.js';
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
}

/** Scenes whose files are read at a time. */
const AT_ONCE = 8;
const QA = 'qa';

/** The stack of one date, as the machinery of composites builds it. */
function stackSpec(spec: ChangeSpec, bands: readonly string[], nodata: number): CompositeSpec {
  const { dtype } = CHANGE_KINDS[spec.kind];
  return {
    grid: spec.grid,
    bands,
    statistics: [],
    outputs: [],
    observations: [],
    masks: [],
    maskWhen: 'before-fuse',
    resampling: 'nearest',
    kernel: { dtype: bands[0] === QA ? 'u16' : dtype, nodata },
    bandDtypes: [],
    eps: 1,
    compat: null,
    region: null,
    onError: 'fail',
  };
}

/** Sample types that QA comes in. */
const QA_DTYPES = ['u8', 'u16'];

function checkTypes(files: readonly SourceFile[], spec: ChangeSpec): void {
  const { title, dtype: wanted, nodata: missing } = CHANGE_KINDS[spec.kind];
  for (const { names, headers, raster, scene } of files) {
    for (const [i, { dtype, nodata }] of headers.entries()) {
      const facts = { url: raster.header.url, band: names[i]!, items: [scene.id] };
      const own = `scene ${scene.id} stores ${names[i]} as ${dtype}`;
      if (names[i] === QA) {
        if (!QA_DTYPES.includes(dtype)) throw new InputError(`${own}: bits or classes of u8 or u16 are wanted`, facts);
      } else if (dtype !== wanted) throw new InputError(`${own}, and ${title} is ${wanted}`, facts);
      else if (nodata !== null && nodata !== missing) {
        throw new InputError(`${own} with nodata ${nodata}, and that of ${title} is ${missing}`, facts);
      }
    }
  }
}

/** Builds one date's planes, u16 by their bits, and hands them to `take`. */
async function readPlanes(
  { k, spec, cache, signal }: ChangeContext,
  work: { scene: SourceScene; window: Window; bands: readonly string[]; nodata: number },
  take: (plane: Uint16Array, band: number) => void,
): Promise<void> {
  const { scene, window, bands, nodata } = work;
  // Classes of openSources: full resolution, the nearest pixel. A mean of pixels is no observation.
  const options = { grid: spec.grid, cache, classes: true, resampling: 'nearest' as const };
  const files = await openSources(scene, bands, options);
  checkTypes(files, spec);
  const hold = holdInMemory(k);
  const held = await Promise.all(
    files.flatMap((file) => {
      const own = sourceWindow(file.placement, window, resamplingMargin('nearest', file.placement));
      return own ? [hold.load(file, own, signal)] : [];
    }),
  );
  const stack = fillStack(k, stackSpec(spec, bands, nodata), {
    block: window,
    strip: window,
    observations: [{ scenes: [{ held, masks: [] }], masks: [] }],
  });
  const nPx = window.width * window.height;
  for (const band of bands.keys()) take(k.u16(stack.ptr + band * stack.bandStrideBytes, nPx), band);
}

/** Reads the rows of all scenes: data [nTime][nBand][nPx] in PyCCD's units, and QA [nTime][nPx]. */
async function readStack(context: ChangeContext, { window, scenes }: ChangeJob) {
  const { k, spec, signal } = context;
  const { bands, kind } = spec;
  const facts = CHANGE_KINDS[kind];
  const units = new ChangeUnits(kind, bands);
  const nPx = window.width * window.height;
  const data = new Int16Array(scenes.length * bands.length * nPx);
  const qa = new Uint16Array(scenes.length * nPx);
  for (let from = 0; from < scenes.length; from += AT_ONCE) {
    signal?.throwIfAborted();
    const at = k.exports.mark();
    try {
      const few = scenes.slice(from, from + AT_ONCE);
      await Promise.all(
        few.map(async (place, i) => {
          const scene = spec.scenes[place]!;
          const t = from + i;
          await readPlanes(context, { scene, window, bands, nodata: facts.nodata }, (plane, band) => {
            const to = (t * bands.length + band) * nPx;
            units.numbers(data.subarray(to, to + nPx), plane, band);
          });
          await readPlanes(context, { scene, window, bands: [QA], nodata: facts.qaFill }, (plane) => {
            units.qa(qa.subarray(t * nPx, (t + 1) * nPx), plane);
          });
        }),
      );
    } finally {
      k.exports.release(at);
    }
  }
  return { data, qa };
}

/** Reads rows of a chip and detects changes in them: what comes out does not depend on how a chip is cut into rows. */
export async function changeBlock(context: ChangeContext, job: ChangeJob): Promise<Changes> {
  const { spec } = context;
  const { data, qa } = await readStack(context, job);
  context.signal?.throwIfAborted();
  return detectChip({
    ...spec.options,
    dates: job.scenes.map((place) => spec.days[place]!),
    data,
    qa,
    rows: job.window.height,
    cols: job.window.width,
    bands: spec.bands,
  });
}
