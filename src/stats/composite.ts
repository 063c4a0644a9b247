import type { StackwiseError } from '../errors.js';
import type { Window } from '../geo/grid.js';
import { insideMask, type Region } from '../geo/region.js';
import { type Dtype, SAMPLE_BYTES } from '../io/raster.js';
import type { Kernels } from '../kernels/memory.js';
import { narrowInto } from '../kernels/narrow.js';
import { erased } from './erased.js';
import { evaluateStrip, type WasmPlane } from './evaluate.js';
import { type Hold, holdInMemory, holdInSpill } from './hold.js';
import type { ReadAhead } from './read-ahead.js';
import { nativeMasks } from './scene-mask.js';
import { mayMeet, sceneReads } from './scene-reads.js';
import { type RasterCache, type SourceFile, sceneError, unreadable } from './source.js';
import type { Block, BlockResult, CompositeSpec, Observation, SourceScene } from './spec.js';
import { type DayMask, fillStack, type LoadedObservation, type LoadedScene } from './stack.js';
import type { StatisticOutput } from './statistic.js';

export interface BlockContext {
  k: Kernels;
  spec: CompositeSpec;
  cache: RasterCache;
  /** Knows of this block; not given: scenes are read at their turn. */
  ahead?: ReadAhead;
  signal?: AbortSignal;
}

/**
 * Computes one block: decodes what it needs, then strip by strip builds the stack and evaluates every statistic.
 * The result does not depend on how the grid is cut into blocks and strips.
 */
export async function compositeBlock(context: BlockContext, block: Block): Promise<BlockResult> {
  const { k, spec } = context;
  const at = k.exports.mark();
  const hold = block.hold === 'spill' ? holdInSpill(k) : holdInMemory(k);
  const ms = { read: 0, warp: 0, compute: 0 };
  const timed = stopwatch();
  try {
    const observations = await loadObservations(context, block, hold);
    ms.read = timed();
    const planes = spec.outputs.map(({ bands, dtype }) =>
      bands.map(() => new Uint8Array(block.width * block.height * SAMPLE_BYTES[dtype])),
    );
    for (let row = 0; row < block.height; row += block.stripRows) {
      // In the main thread nobody could press Ctrl-C, or a button, without a pause between strips.
      if (context.signal && row > 0) await new Promise((resume) => setTimeout(resume));
      else await context.ahead?.pause();
      context.signal?.throwIfAborted();
      const height = Math.min(block.stripRows, block.height - row);
      const strip: Window = { col: block.col, row: block.row + row, width: block.width, height };
      k.scope(() => {
        timed();
        const stack = fillStack(k, spec, { block, strip, observations });
        ms.warp += timed();
        evaluateStrip(k, stack, spec, (output, band, plane) => {
          const target = planes[spec.outputs.indexOf(output)]![band]!;
          const size = SAMPLE_BYTES[output.dtype];
          const n = strip.width * height;
          k.scope(() => target.set(convert(k, { plane, output, n, spec }), row * block.width * size));
        });
        ms.compute += timed();
      });
    }
    if (spec.region) cutToRegion(spec, spec.region, { block, planes });
    return { index: block.index, planes, ms };
  } finally {
    k.exports.release(at);
    hold.close();
  }
}

/** Ms since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return last - before;
  };
}

/** The bytes of `n` samples of a plane as the output stores them; they hold until the scope ends. */
function convert(
  k: Kernels,
  { plane, output, n, spec }: { plane: WasmPlane; output: StatisticOutput; n: number; spec: CompositeSpec },
): Uint8Array {
  const { dtype } = output;
  const bytes = n * SAMPLE_BYTES[dtype];
  const sameMissing = plane.nodata === output.nodata || plane.nodata === null;
  if (plane.dtype === dtype && (dtype === 'f32' || sameMissing)) return k.u8(plane.ptr, bytes);
  const f32 = plane.dtype === 'f32' ? k.f32(plane.ptr, n) : widened(k, plane, n);
  if (dtype === 'f32') return new Uint8Array(f32.buffer, f32.byteOffset, bytes);
  if (dtype === 'f64') return new Uint8Array(Float64Array.from(f32).buffer);
  const ptr = k.alloc(bytes);
  const source = plane.dtype === 'f32' ? plane.ptr : f32.byteOffset;
  const isOdc = spec.compat === 'odc' && output.statistic.kind === 'geomedian';
  const rounding = spec.rounding ?? (isOdc ? 'truncate' : 'half-even');
  narrowInto(k, source, n, { ptr, dtype: dtype as IntegerOutput }, { rounding, nodata: output.nodata ?? 0 });
  return k.u8(ptr, bytes);
}

type IntegerOutput = Exclude<Dtype, 'f32' | 'f64' | 'u64' | 'i64'>;

/** An integer plane as f32 with NaN for missing, in the arena. */
function widened(k: Kernels, plane: WasmPlane, n: number): Float32Array {
  const ptr = k.alloc(n * 4);
  const from = plane.dtype === 'i16' ? k.i16(plane.ptr, n) : k.u16(plane.ptr, n);
  const to = k.f32(ptr, n);
  for (let i = 0; i < n; i++) to[i] = from[i] === plane.nodata ? Number.NaN : from[i]!;
  return to;
}

/** Takes away the pixels outside `--geometry`. */
function cutToRegion(
  spec: CompositeSpec,
  region: Region,
  { block, planes }: { block: Block; planes: readonly Uint8Array<ArrayBuffer>[][] },
): void {
  const inside = insideMask(region, spec.grid, block);
  for (const [i, { dtype, nodata }] of spec.outputs.entries()) {
    for (const plane of planes[i]!) {
      const samples = samplesOf(dtype, plane);
      for (let px = 0; px < inside.length; px++) if (!inside[px]) samples[px] = nodata ?? 0;
    }
  }
}

/** Bytes of a result as samples. */
export function samplesOf(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>) {
  const Arrays = {
    u8: Uint8Array,
    i8: Int8Array,
    u16: Uint16Array,
    i16: Int16Array,
    u32: Uint32Array,
    i32: Int32Array,
    f32: Float32Array,
    f64: Float64Array,
  };
  return new Arrays[dtype as keyof typeof Arrays](bytes.buffer);
}

/** Decodes what the block needs of every observation that meets it. With `skip`, all scenes that fail are named in one error. */
async function loadObservations(context: BlockContext, block: Block, hold: Hold): Promise<LoadedObservation[]> {
  const failures: StackwiseError[] = [];
  const loaded: LoadedObservation[] = [];
  for (const observation of context.spec.observations) {
    context.signal?.throwIfAborted();
    const one = await loadObservation(context, { observation, block, hold, failures });
    if (one) loaded.push(one);
  }
  if (failures.length > 0) throw unreadable(failures);
  return loaded;
}

async function loadObservation(
  context: BlockContext,
  work: { observation: Observation; block: Block; hold: Hold; failures: StackwiseError[] },
): Promise<LoadedObservation | null> {
  const { k, spec, signal } = context;
  const { grid, datumShift } = spec;
  const scenes: LoadedScene[] = [];
  const maskFiles = new Map<string, SourceFile[]>();
  for (const scene of work.observation.scenes) {
    if (!mayMeet(spec, scene, work.block)) continue;
    try {
      const one = await loadScene(context, { ...work, scene, maskFiles });
      if (one) scenes.push(one);
    } catch (error) {
      if (signal?.aborted || (error as Error).name === 'KernelError') throw error;
      const failure = sceneError(error, scene);
      if (spec.onError === 'fail') throw failure;
      work.failures.push(failure);
    }
  }
  if (scenes.length === 0) return null;
  const masks: DayMask[] = [];
  for (const [band, files] of maskFiles) {
    const recipes = spec.masks.filter((recipe) => recipe.band === band);
    const day = { recipes, grid, datumShift, target: work.block, scenes: work.observation.scenes, signal };
    masks.push(await nativeMasks(k, files, day));
  }
  return { scenes, masks };
}

/** Loads a scene's bands; its masks at once, or (after-fuse) leaves their files in `maskFiles` for the whole day. */
async function loadScene(
  context: BlockContext,
  work: { scene: SourceScene; block: Block; hold: Hold; maskFiles: Map<string, SourceFile[]> },
): Promise<LoadedScene | null> {
  const { k, spec, ahead, signal } = context;
  const { scene, block, hold, maskFiles } = work;
  const { grid, datumShift } = spec;
  const reads = await (ahead ? ahead.readsOf(block, scene) : sceneReads(context, { scene, block }));
  if (!reads) return null;
  await ahead?.pause();
  signal?.throwIfAborted();
  const held = await Promise.all(reads.values.map(({ file, window }) => hold.load(file, window, signal)));
  const masks: DayMask[] = [];
  for (const { band, recipes, file } of reads.masks) {
    if (spec.maskWhen === 'after-fuse') maskFiles.set(band, [...(maskFiles.get(band) ?? []), file]);
    else {
      const own = { ...(spec.maskWhen === 'before-warp' && { values: reads.values }) };
      const work = { recipes, grid, datumShift, target: block, scenes: [scene], signal, ...own };
      masks.push(await nativeMasks(k, [file], work));
    }
  }
  if (held.length === 0) return null;
  if (spec.maskWhen !== 'before-warp') return { held, masks };
  return { held: held.map((one) => erased(k, one, masks)), masks: [] };
}
