import { InputError } from '../../errors.js';
import { addTo } from '../../io/meter.js';
import { type Dtype, type NumericArray, SAMPLE_BYTES } from '../../io/raster.js';
import { formatBytes } from '../../limit.js';
import type { ChipSpec } from '../../stats/chip-spec.js';
import { chipSamples } from '../../stats/chips.js';
import { runBlocks } from '../pool.js';
import { type ChipLabel, labelsOf, sourcesOf } from './chip-labels.js';
import { type ChipMemory, clearChips } from './chip-memory.js';
import { ChipMerger } from './chip-merge.js';
import { type ChipPlan, planChips } from './chip-plan.js';
import { chipsInMemory, type PreparedChips } from './chip-prepare.js';
import type { ChipMeaning } from './chip-radiometry.js';
import { chipRunner } from './chip-runner.js';
import type { ChipTime } from './chip-source.js';

export interface ChipReport {
  inside: number;
  partial: number;
  outside: number;
  /** Blocks that chips touch, and blocks that were decoded: the same, pass for pass. */
  blocksTouched: number;
  blocksDecoded: number;
  /** Over the network, headers included. */
  requests: number;
  bytes: number;
  retries: number;
}

/** Chips at points, in the order of the points. */
export interface Chips {
  /** [nPoint][nTime][nBand][side][side] of the rasters' dtype; masked samples hold `fill`. May lie in shared memory. */
  data: NumericArray;
  /** Like `data`: 1 where there is a valid sample. */
  mask: Uint8Array;
  shape: readonly [nPoint: number, nTime: number, nBand: number, side: number, side: number];
  dtype: Dtype;
  fill: number;
  times: readonly ChipTime[];
  bands: readonly string[];
  /** By band: value × scale + offset; 1 and 0 where nothing says it, or the rasters differ. */
  meanings: readonly ChipMeaning[];
  labels: readonly ChipLabel[];
  sources: readonly string[];
  report: ChipReport;
}

export function emptyReport(): ChipReport {
  return { inside: 0, partial: 0, outside: 0, blocksTouched: 0, blocksDecoded: 0, requests: 0, bytes: 0, retries: 0 };
}

/** Images of a chip in the order in which they win. */
function imagesInOrder({ placement, settings }: PreparedChips, point: number): number[] {
  const images = placement.parts[point]!.flatMap((frame) => placement.frames[frame]!.images);
  if (settings.overlap === 'nearest-centre') return images;
  images.sort((p, q) => p - q);
  return settings.overlap === 'last' ? images.reverse() : images;
}

function mergerOf(
  prepared: PreparedChips,
  plan: ChipPlan,
  chosen: Int32Array,
  to: { spec: ChipSpec; data: NumericArray; mask: Uint8Array },
) {
  const { spec, data, mask } = to;
  const expected = new Map<number, number>();
  for (const { chips, merged } of plan.jobs)
    for (const [i, chip] of chips.entries()) if (merged[i]) expected.set(chip, (expected.get(chip) ?? 0) + 1);
  const chipLength = spec.nPlane * spec.side * spec.side;
  return new ChipMerger(expected, {
    dtype: spec.dtype,
    side: spec.side,
    images: spec.images,
    overlap: prepared.settings.overlap,
    orderOf: (chip) => imagesInOrder(prepared, chosen[chip]!),
    placeOf: (chip) => ({
      data: data.subarray(chip * chipLength, (chip + 1) * chipLength),
      mask: mask.subarray(chip * chipLength, (chip + 1) * chipLength),
    }),
  });
}

/** Cuts the chips of some points into `memory`, where they stay until it is taken again; `onBlocks` hears of each block that is done. */
export async function runChips(
  prepared: PreparedChips,
  chosen: Int32Array,
  memory: ChipMemory,
  onBlocks: (done: number, total: number) => void = () => {},
): Promise<Chips> {
  const { settings, times, bands, meanings, dtype, fill, images, candidates } = prepared;
  const { side, threads, signal } = settings;
  const nPlane = times.length * bands.length;
  const length = chosen.length * nPlane * side * side;
  if (chosen.length > chipsInMemory(prepared))
    throw new InputError(
      `${chosen.length} chips take ${formatBytes(length * (SAMPLE_BYTES[dtype] + 1))}, more than the memory limit or an array can hold: ` +
        'take them in batches (chipBatches), or as files (chipsToFiles)',
      { option: 'memory-limit' },
    );
  const plan = planChips(images, prepared.placement, chosen, { side, threads });
  const own = { data: memory.take('data', length * SAMPLE_BYTES[dtype]), mask: memory.take('mask', length) };
  const data = chipSamples(dtype, own.data.buffer, length);
  const mask = new Uint8Array(own.mask.buffer, 0, length);
  clearChips(prepared, chosen, {
    ...(own.data.isNew && fill === 0 ? {} : { data }),
    ...(own.mask.isNew ? {} : { mask }),
    isShared: memory.isShared,
  });
  const spec: ChipSpec = {
    images: candidates.map((_, i) => images.get(i)!),
    dtype,
    side,
    nPlane,
    target: memory.isShared ? { data: own.data.buffer, mask: own.mask.buffer } : null,
  };
  const merger = mergerOf(prepared, plan, chosen, { spec, data, mask });
  const report = { ...emptyReport(), ...prepared.opening.pop(), blocksTouched: plan.blocksTouched };
  onBlocks(0, plan.blocksTouched);
  await runBlocks(chipRunner, spec, plan.jobs, {
    threads,
    describe: (job) => `blocks of ${candidates[job.image]!.href}`,
    onResult: async (result) => {
      for (const part of result.parts) merger.add(part);
      report.blocksDecoded += result.blocksDecoded;
      addTo(report, result.network);
      onBlocks(report.blocksDecoded, plan.blocksTouched);
    },
    ...(signal && { signal }),
  });
  const { sources, sourceOf } = sourcesOf(prepared);
  const labels = labelsOf(prepared, chosen, sourceOf);
  for (const { status } of labels) report[status]++;
  const shape = [chosen.length, times.length, bands.length, side, side] as const;
  return { data, mask, shape, dtype, fill, times, bands, meanings, labels, sources, report };
}
