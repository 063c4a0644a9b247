import { InputError } from '../errors.js';
import type { NumericArray } from '../io/raster.js';

export interface RgbaOptions {
  /** Of the three planes; NaN is missing whatever this says. */
  nodata: readonly [red: number | null, green: number | null, blue: number | null];
  /** Values that become 0 and 255. */
  clamp: readonly [low: number, high: number];
}

/** One colour as odc-stats makes it: (clip(x) − low) · 255 / (high − low), towards zero; 0 where there is no value. */
function shade(plane: NumericArray, nodata: number | null, [low, high]: RgbaOptions['clamp']): Uint8Array {
  const out = new Uint8Array(plane.length);
  const span = high - low;
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i]!;
    // Whole numbers stay whole up to the division, so that its floor is exact.
    if (value !== nodata && value > low) out[i] = value >= high ? 255 : Math.floor(((value - low) * 255) / span);
  }
  return out;
}

/**
 * A picture of three planes of values, pixel by pixel, so that it may be made block by block.
 * @returns red, green, blue and alpha, u8[n] each; alpha is 255 where red has a value, else 0
 */
export function rgbaOf(
  planes: readonly [red: NumericArray, green: NumericArray, blue: NumericArray],
  { nodata, clamp }: RgbaOptions,
): [red: Uint8Array, green: Uint8Array, blue: Uint8Array, alpha: Uint8Array] {
  const [low, high] = clamp;
  if (!(low < high && Number.isFinite(high - low)))
    throw new InputError(`colours run from a low to a higher value, not from ${low} to ${high}`, {
      option: 'rgb_clamp',
    });
  const [red, green, blue] = planes;
  const alpha = new Uint8Array(red.length);
  for (let i = 0; i < red.length; i++) if (red[i] !== nodata[0] && !Number.isNaN(red[i])) alpha[i] = 255;
  return [shade(red, nodata[0], clamp), shade(green, nodata[1], clamp), shade(blue, nodata[2], clamp), alpha];
}
