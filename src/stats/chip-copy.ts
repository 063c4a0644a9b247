// From decoded pixels to the chips that they lie in.
import type { Window } from '../geo/grid.js';
import { type NumericArray, SAMPLE_BYTES } from '../io/raster.js';
import type { ChipImage } from './chip-spec.js';

/** Where the planes of one chip are written. */
export interface Destination {
  data: NumericArray;
  mask: Uint8Array;
  /** Of the chip's first sample. */
  at: number;
  /** Which plane of the destination each band of the image is. */
  planes: readonly number[];
  /** px of the image */
  col: number;
  row: number;
}

/** Decoded pixels of an image, as far as they lie in it: one block, or several strips one below the other. */
export interface Area {
  /** px of the image */
  col: number;
  row: number;
  width: number;
  height: number;
  /** px from one row to the next */
  stride: number;
}

/** A rectangle of an area's plane and where its first sample goes. */
export interface Copy {
  destination: Destination;
  from: number;
  to: number;
  width: number;
  height: number;
}

/** What is added to the valid samples of a band, and where the sums stop; null: nothing. */
export interface Shift {
  by: number;
  least: number;
  most: number;
}

/** The shift of an image's i-th band. */
export function shiftOf({ shifts, dtype }: ChipImage, i: number): Shift | null {
  const by = shifts[i]!;
  if (by === 0) return null;
  if (dtype === 'f32' || dtype === 'f64')
    return { by, least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
  const bits = 8 * SAMPLE_BYTES[dtype];
  const [least, most] = dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return { by, least, most };
}

/** A valid sample with its shift, as `shiftInto` has it: within the type, and never the missing value but the one beside it. */
function shifted(value: number, { by, least, most }: Shift, nodata: number | null): number {
  const sum = Math.min(most, Math.max(least, value + by));
  // Floats have no value beside it; the mask tells them apart.
  if (sum !== nodata || most === Number.POSITIVE_INFINITY) return sum;
  return sum === most ? sum - 1 : sum + 1;
}

/** Copies the valid samples of a rectangle; all are valid when `nodata` is null and the samples are whole numbers. */
export function copySamples(
  source: NumericArray,
  { from, width, height, destination: { data, mask } }: Copy,
  to: number,
  { stride, side, nodata, shift }: { stride: number; side: number; nodata: number | null; shift: Shift | null },
): void {
  if (nodata !== null || shift || source instanceof Float32Array || source instanceof Float64Array) {
    for (let y = 0; y < height; y++) {
      const [p, q] = [from + y * stride, to + y * side];
      for (let x = 0; x < width; x++) {
        const value = source[p + x]!;
        // NaN is missing whatever nodata says.
        if (value === nodata || Number.isNaN(value)) continue;
        data[q + x] = shift ? shifted(value, shift, nodata) : value;
        mask[q + x] = 1;
      }
    }
    return;
  }
  for (let y = 0; y < height; y++) {
    const p = from + y * stride;
    const q = to + y * side;
    for (let x = 0; x < width; x++) data[q + x] = source[p + x]!;
    if (width < side) mask.fill(1, q, q + width);
  }
  // Rows as wide as the chip follow each other without a gap.
  if (width === side) mask.fill(1, to, to + height * side);
}

/** What an area and a chip share along one axis, or null. */
function overlap(first: number, count: number, chip: number, side: number): { begin: number; count: number } | null {
  const begin = Math.max(first, chip);
  const end = Math.min(first + count, chip + side);
  return end > begin ? { begin, count: end - begin } : null;
}

/** The rectangle that each chip takes from an area, but for the band. */
export function copiesOf(area: Area, destinations: readonly Destination[], side: number): Copy[] {
  const copies: Copy[] = [];
  for (const destination of destinations) {
    const y = overlap(area.row, area.height, destination.row, side);
    const x = y && overlap(area.col, area.width, destination.col, side);
    if (!x || !y) continue;
    copies.push({
      destination,
      from: (y.begin - area.row) * area.stride + x.begin - area.col,
      to: destination.at + (y.begin - destination.row) * side + x.begin - destination.col,
      width: x.count,
      height: y.count,
    });
  }
  return copies;
}

/** The rectangle around all that is copied from a block. */
export function hullOf(copies: readonly Copy[], stride: number): Window {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const { from, width, height } of copies) {
    const [col, row] = [from % stride, Math.floor(from / stride)];
    left = Math.min(left, col);
    top = Math.min(top, row);
    right = Math.max(right, col + width);
    bottom = Math.max(bottom, row + height);
  }
  return { col: left, row: top, width: right - left, height: bottom - top };
}

/** The area of a tile, or of all strips from one to another. */
export function areaOf({ level }: ChipImage, first: number, last = first): Area {
  const { tilesAcross, tileWidth, tileHeight, width, height } = level;
  const [col, row] = [(first % tilesAcross) * tileWidth, Math.floor(first / tilesAcross) * tileHeight];
  const end = (Math.floor(last / tilesAcross) + 1) * tileHeight;
  return { col, row, width: Math.min(tileWidth, width - col), height: Math.min(end, height) - row, stride: tileWidth };
}
