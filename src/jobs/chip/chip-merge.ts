// Chips of which several rasters have the same samples: which of them stands in the result.
import type { Dtype, NumericArray } from '../../io/raster.js';
import type { ChipImage, ChipOverlap, ChipPart } from '../../stats/chip-spec.js';
import { chipSamples } from '../../stats/chips.js';

/** A chip's samples in the result: [nPlane][side][side]. */
export interface ChipPlace {
  data: NumericArray;
  mask: Uint8Array;
}

interface OpenPart {
  data: NumericArray;
  mask: Uint8Array;
  planes: readonly number[];
}

const isWhole = (array: NumericArray) => !(array instanceof Float32Array || array instanceof Float64Array);

/** Writes the samples of a part that are valid where the place has none yet. */
export function fillFrom(place: ChipPlace, { data, mask, planes }: OpenPart, chipPx: number): void {
  for (const [i, plane] of planes.entries()) {
    const [from, to] = [i * chipPx, plane * chipPx];
    for (let px = 0; px < chipPx; px++) {
      if (mask[from + px] === 0 || place.mask[to + px] !== 0) continue;
      place.data[to + px] = data[from + px]!;
      place.mask[to + px] = 1;
    }
  }
}

/** Means of the valid samples, summed in the order of the parts; whole numbers are rounded, halves up. */
function meanOf(place: ChipPlace, parts: readonly OpenPart[], chipPx: number): void {
  const sum = new Float64Array(place.data.length);
  const count = new Uint32Array(place.data.length);
  for (const { data, mask, planes } of parts) {
    for (const [i, plane] of planes.entries()) {
      const [from, to] = [i * chipPx, plane * chipPx];
      for (let px = 0; px < chipPx; px++) {
        if (mask[from + px] === 0) continue;
        sum[to + px]! += data[from + px]!;
        count[to + px]!++;
      }
    }
  }
  const whole = isWhole(place.data);
  for (let i = 0; i < sum.length; i++) {
    if (count[i] === 0 || place.mask[i] !== 0) continue;
    const mean = sum[i]! / count[i]!;
    place.data[i] = whole ? Math.floor(mean + 0.5) : mean;
    place.mask[i] = 1;
  }
}

/** How the parts of chips become one. */
export interface MergeOptions {
  dtype: Dtype;
  side: number;
  images: readonly ChipImage[];
  overlap: ChipOverlap;
  /** Images of a chip in the order in which they win. */
  orderOf: (chip: number) => readonly number[];
  placeOf: (chip: number) => ChipPlace;
}

/**
 * Gathers the parts of chips until all of a chip are there, and writes them as the rule says: whatever the order in which the parts
 * come, the result is the same.
 */
export class ChipMerger {
  readonly #waiting = new Map<number, { missing: number; parts: Map<number, OpenPart> }>();
  readonly #options: MergeOptions;

  /** @param expected how many parts that are to be merged come of each chip */
  constructor(expected: ReadonlyMap<number, number>, options: MergeOptions) {
    this.#options = options;
    for (const [chip, missing] of expected) this.#waiting.set(chip, { missing, parts: new Map() });
  }

  add({ chip, image, merged, data, mask }: ChipPart): void {
    const { dtype, side, images } = this.#options;
    const open = { data: chipSamples(dtype, data), mask: new Uint8Array(mask), planes: images[image]!.planes };
    const waiting = merged ? this.#waiting.get(chip) : undefined;
    if (!waiting) {
      fillFrom(this.#options.placeOf(chip), open, side * side);
      return;
    }
    const before = waiting.parts.get(image);
    // Blocks of one image have no pixel in common.
    if (before) fillFrom(before, { ...open, planes: open.planes.map((_, i) => i) }, side * side);
    else waiting.parts.set(image, open);
    if (--waiting.missing > 0) return;
    this.#waiting.delete(chip);
    this.#finish(chip, waiting.parts);
  }

  #finish(chip: number, found: ReadonlyMap<number, OpenPart>): void {
    const { overlap, orderOf, placeOf, side } = this.#options;
    const parts = orderOf(chip).flatMap((image) => found.get(image) ?? []);
    const place = placeOf(chip);
    if (overlap === 'mean') meanOf(place, parts, side * side);
    else for (const part of parts) fillFrom(place, part, side * side);
  }
}
