import { InputError } from '../../errors.js';
import type { PointsInput } from '../../io/points.js';
import type { NumericArray } from '../../io/raster.js';
import { ChipMemory } from './chip-memory.js';
import type { ChipOptions } from './chip-options.js';
import { allOf, passesOf, pointsByPlace } from './chip-passes.js';
import { chipsInMemory, prepareChips } from './chip-prepare.js';
import { type Chips, runChips } from './chip-run.js';
import type { ChipRasters } from './chip-source.js';

/**
 * Cuts a square chip of 2 × size + 1 px around each point, all of them into one array, in the order of the points. A chip lies on the
 * pixels of the raster that holds its point (floor of the inverse affine of the coordinate in the raster's CRS); what no raster covers
 * is masked, and so are chips of points outside of all rasters. Each block of a file is decoded once, however many chips touch it.
 *
 * @param rasters folder, glob or list of rasters, STAC items, or scenes; see docs/chips.md for how dates are found
 * @param points file (GeoJSON, CSV), GeoJSON object, or list of [x, y]
 * @throws InputError, FormatError, StoreError… as the reading, the options or the memory limit demand; the reason of `signal`.
 */
export async function extractChips(rasters: ChipRasters, points: PointsInput, options: ChipOptions): Promise<Chips> {
  const prepared = await prepareChips(rasters, points, options);
  const memory = new ChipMemory(prepared.settings.threads);
  return runChips(prepared, allOf(prepared.points.x.length), memory, options.onProgress);
}

export interface ChipBatchOptions extends ChipOptions {
  /** Chips a batch; default 32. The last one may have fewer. */
  batchSize?: number | undefined;
  /**
   * `input` (the default), or `place`: from north to south, so that passes share few blocks; each label has its point's `index`. It
   * matters where all chips do not fit in memory at a time.
   */
  order?: 'input' | 'place' | undefined;
  /**
   * Whether a batch's arrays may be used again for a later one: spares a copy where the loop is done with a batch before it asks for
   * the next. Default false.
   */
  reuse?: boolean | undefined;
}

/**
 * The chips of {@link extractChips} in batches, for training loops: in the order of the points or of the ground, each a `Chips` of its own. They are cut
 * in passes of as many chips as the memory limit allows (a lower one brings the first batch sooner); a block is decoded once a pass.
 * When one pass has all, or with `reuse`, batches are views of one array; else each has memory of its own.
 */
export async function* chipBatches(
  rasters: ChipRasters,
  points: PointsInput,
  options: ChipBatchOptions,
): AsyncGenerator<Chips, void, undefined> {
  const { batchSize = 32, order = 'input', reuse = false } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new InputError(`a batch has at least one chip, and batchSize is ${batchSize}`, { option: 'batch-size' });
  if (order !== 'input' && order !== 'place')
    throw new InputError(`order is input or place, and got "${order}"`, { option: 'order' });
  const prepared = await prepareChips(rasters, points, options);
  const inOrder = order === 'place' ? pointsByPlace(prepared) : allOf(prepared.points.x.length);
  const memory = new ChipMemory(prepared.settings.threads);
  const areViews = reuse || inOrder.length <= chipsInMemory(prepared);
  // Batches that are copies wait for the garbage collector, some at a time.
  const fitting = chipsInMemory(prepared, areViews ? 0 : 3 * batchSize);
  for (const chosen of passesOf(inOrder, fitting, batchSize)) {
    const pass = await runChips(prepared, chosen, memory, options.onProgress);
    for (let first = 0; first < chosen.length; first += batchSize) {
      options.signal?.throwIfAborted();
      const batch = viewOf(pass, first, Math.min(chosen.length, first + batchSize));
      // The next pass takes the memory of this one.
      yield areViews ? batch : { ...batch, data: batch.data.slice(), mask: batch.mask.slice() };
    }
  }
}

/** Chips [first, end) as a view. The report stays that of the whole pass. */
function viewOf(chips: Chips, first: number, end: number): Chips {
  const [, nTime, nBand, side] = chips.shape;
  const length = nTime * nBand * side * side;
  return {
    ...chips,
    data: chips.data.subarray(first * length, end * length),
    mask: chips.mask.subarray(first * length, end * length),
    shape: [end - first, nTime, nBand, side, side],
    labels: chips.labels.slice(first, end),
  };
}

/** Chips by coordinate. */
export interface ChipDictionary {
  /** [nBand, side, side] of each array */
  shape: readonly [nBand: number, side: number, side: number];
  /** By `lon,lat` as given: an array a date. */
  chips: Map<string, NumericArray[]>;
  /** Coordinates that came more than once, and how often; the dictionary has each once. */
  duplicates: Map<string, number>;
}

/**
 * The form of an older extractor: for each coordinate `lon,lat` an array [nBand, side, side] a date, views of `chips.data`. All
 * coordinates are there, those outside of all rasters masked throughout; equal ones have the same chip, so that one entry holds them.
 */
export function chipDictionary({ data, shape, labels }: Chips): ChipDictionary {
  const [, nTime, nBand, side] = shape;
  const length = nBand * side * side;
  const dictionary: ChipDictionary = { shape: [nBand, side, side], chips: new Map(), duplicates: new Map() };
  for (const [i, { x, y }] of labels.entries()) {
    const key = `${x},${y}`;
    if (dictionary.chips.has(key)) {
      dictionary.duplicates.set(key, (dictionary.duplicates.get(key) ?? 1) + 1);
      continue;
    }
    const at = (t: number) => (i * nTime + t) * length;
    dictionary.chips.set(
      key,
      Array.from({ length: nTime }, (_, t) => data.subarray(at(t), at(t) + length)),
    );
  }
  return dictionary;
}
