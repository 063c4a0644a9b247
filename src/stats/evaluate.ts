import type { Dtype } from '../io/raster.js';
import { geomedianInto } from '../kernels/geomedian.js';
import { medoidInto } from '../kernels/medoid.js';
import type { Column, Kernels, StackView } from '../kernels/memory.js';
import { medianInto, quantilesInto } from '../kernels/order.js';
import { countAllInto, firstInto, gatherInto, lastInto } from '../kernels/pick.js';
import { reduceInto } from '../kernels/reduce.js';
import type { CompositeSpec } from './spec.js';
import type { StatisticKind, StatisticOutput } from './statistic.js';

/** A plane of `nPx` samples in wasm memory, which holds for the time of the call only. */
export interface WasmPlane {
  ptr: number;
  dtype: Dtype;
  /** The missing value of an integer plane, or null; floats have NaN. */
  nodata: number | null;
}

/** Takes a finished band of an output. */
export type Emit = (output: StatisticOutput, band: number, plane: WasmPlane) => void;

/** What the families of statistics work on: one strip of the stack. */
interface Strip {
  k: Kernels;
  stack: StackView;
  spec: CompositeSpec;
  emit: Emit;
}

/** Statistics that share a kernel call; adding a statistic is one line here and one in `statistic.ts`. */
const FAMILIES: {
  kinds: readonly StatisticKind[];
  run: (strip: Strip, outputs: readonly StatisticOutput[]) => void;
}[] = [
  { kinds: ['median'], run: evaluateMedian },
  { kinds: ['percentile'], run: evaluatePercentiles },
  { kinds: ['mean', 'std', 'min', 'max'], run: evaluateReductions },
  { kinds: ['geomedian', 'mads', 'count'], run: evaluateGeomedian },
  { kinds: ['medoid', 'first', 'last'], run: evaluatePicks },
];

/** Computes every statistic of the spec on one strip of the stack [nBand][nTime][nPx]. */
export function evaluateStrip(k: Kernels, stack: StackView, spec: CompositeSpec, emit: Emit): void {
  for (const { kinds, run } of FAMILIES) {
    const outputs = spec.outputs.filter((output) => kinds.includes(output.statistic.kind));
    if (outputs.length > 0) k.scope(() => run({ k, stack, spec, emit }, outputs));
  }
}

function f32Plane(ptr: number): WasmPlane {
  return { ptr, dtype: 'f32', nodata: null };
}

/** One band of a stack. */
export function bandColumn(stack: StackView, band: number): Column {
  const { dtype, nTime, nPx, timeStrideBytes, nodata } = stack;
  return { ptr: stack.ptr + band * stack.bandStrideBytes, dtype, nTime, nPx, timeStrideBytes, nodata };
}

function evaluateMedian({ k, stack, spec, emit }: Strip, outputs: readonly StatisticOutput[]): void {
  const output = outputs[0]!;
  // The kernel rounds half to even.
  const same = output.dtype === stack.dtype && stack.dtype !== 'f32' && spec.rounding === undefined;
  const ptr = k.alloc(stack.nPx * 4);
  for (let band = 0; band < stack.nBand; band++) {
    const column = bandColumn(stack, band);
    medianInto(k, column, same ? { ptr, dtype: 'same', nodata: output.nodata ?? 0 } : { ptr, dtype: 'f32' });
    emit(output, band, same ? { ptr, dtype: stack.dtype, nodata: output.nodata } : f32Plane(ptr));
  }
}

/** All percentiles of a band come from one sort. */
function evaluatePercentiles({ k, stack, spec, emit }: Strip, outputs: readonly StatisticOutput[]): void {
  const fractions = outputs.map((output) => (output.statistic.percent ?? 50) / 100);
  const rule = spec.compat === 'odc' ? 'nearest-rank' : 'linear';
  const ptr = k.alloc(stack.nPx * 4 * fractions.length);
  for (let band = 0; band < stack.nBand; band++) {
    quantilesInto(k, bandColumn(stack, band), { fractions, rule }, ptr);
    for (const [i, output] of outputs.entries()) emit(output, band, f32Plane(ptr + i * stack.nPx * 4));
  }
}

function evaluateReductions({ k, stack, emit }: Strip, outputs: readonly StatisticOutput[]): void {
  const planes = outputs.map((output) => ({ output, ptr: k.alloc(stack.nPx * 4) }));
  const out = Object.fromEntries(planes.map(({ output, ptr }) => [output.statistic.kind, ptr]));
  for (let band = 0; band < stack.nBand; band++) {
    reduceInto(k, bandColumn(stack, band), out);
    for (const { output, ptr } of planes) emit(output, band, f32Plane(ptr));
  }
}

/** Geomedian, MADs and count come from one staging of the strip; the count alone needs no geomedian. */
function evaluateGeomedian({ k, stack, spec, emit }: Strip, outputs: readonly StatisticOutput[]): void {
  const find = (kind: StatisticKind) => outputs.find((output) => output.statistic.kind === kind);
  const [geomedian, mads, count] = [find('geomedian'), find('mads'), find('count')];
  const { nPx, nBand } = stack;
  const countPtr = k.alloc(nPx * 2);
  if (!geomedian && !mads) {
    countAllInto(k, stack, countPtr);
  } else {
    const medianPtr = k.alloc(nPx * nBand * 4);
    const madsPtr = mads ? k.alloc(nPx * 3 * 4) : 0;
    const madShift = spec.compat === 'odc' ? -1 : 0;
    const out = { median: medianPtr, ...(mads && { mads: madsPtr }), count: countPtr };
    geomedianInto(k, stack, { eps: spec.eps, madShift }, out);
    for (let band = 0; geomedian && band < nBand; band++) {
      emit(geomedian, band, f32Plane(medianPtr + band * nPx * 4));
    }
    const kernelOrder = ['emad', 'smad', 'bcmad'];
    for (const [i, name] of (mads?.bands ?? []).entries()) {
      emit(mads!, i, f32Plane(madsPtr + kernelOrder.indexOf(name) * nPx * 4));
    }
  }
  if (count) emit(count, 0, { ptr: countPtr, dtype: 'u16', nodata: null });
}

/** Each band as a stack of its own. */
function bandsOf(stack: StackView): StackView[] {
  return Array.from({ length: stack.nBand }, (_, band) => ({
    ...stack,
    ptr: stack.ptr + band * stack.bandStrideBytes,
    nBand: 1,
  }));
}

function evaluatePicks({ k, stack, spec, emit }: Strip, outputs: readonly StatisticOutput[]): void {
  const pick = { medoid: medoidInto, first: firstInto, last: lastInto } as const;
  const { nPx, nBand, dtype } = stack;
  const index = k.alloc(nPx * 4);
  const bytes = dtype === 'f32' ? 4 : 2;
  const ptr = k.alloc(nPx * nBand * bytes);
  for (const output of outputs) {
    const kind = output.statistic.kind as keyof typeof pick;
    const whole = spec.eachBand === undefined || kind === 'medoid';
    for (const [i, part] of (whole ? [stack] : bandsOf(stack)).entries()) {
      pick[kind](k, part, index);
      gatherInto(k, part, index, ptr + i * nPx * bytes, stack.nodata ?? 0);
    }
    for (let band = 0; band < nBand; band++) {
      emit(output, band, { ptr: ptr + band * nPx * bytes, dtype, nodata: stack.nodata });
    }
  }
}
