// Segments as they leave: f64 records of 6 numbers (start, end, break day, observations, change probability, curve QA) and for each
// band magnitude, RMSE, intercept and 7 coefficients.
import { BLOCK_BYTES, FEATURE_BYTES, Fit, INTERCEPT, MAGNITUDE, Pixel, RMSE } from './state';

export const HEAD_NUMBERS: i32 = 6, BAND_NUMBERS: i32 = 10;

/** Magnitudes of all lanes 0. */
export function clearMagnitudes(pixel: Pixel): void {
  for (let v = 0; v < pixel.chip.nVec; v++) v128.store(pixel.fit.blocks + v * BLOCK_BYTES, f64x2.splat(0), MAGNITUDE);
}

// @ts-ignore: decorator
@inline
function writeBand(fit: Fit, lane: usize, to: usize, firstDay: f64): void {
  const slope = load<f64>(lane);
  store<f64>(to, load<f64>(lane, MAGNITUDE));
  store<f64>(to, load<f64>(lane, RMSE), 8);
  store<f64>(to, load<f64>(lane, INTERCEPT) - slope * firstDay, 16);
  for (let j = 0; j < 7; j++) store<f64>(to + (j << 3), j < fit.nFeature ? load<f64>(lane + (j << 4)) : 0, 24);
}

/** Appends the fit's models, with the magnitudes in its blocks. */
export function append(pixel: Pixel, start: i32, end: i32, change: i32, count: i32, probability: f64, curveQa: i32): void {
  const chip = pixel.chip, nBand = chip.nBand, firstDay = <f64>load<i32>(chip.days);
  if (pixel.nSegment == pixel.maxSegments) return;
  let to = pixel.segments + (<usize>(pixel.nSegment * (HEAD_NUMBERS + nBand * BAND_NUMBERS)) << 3);
  store<f64>(to, <f64>start);
  store<f64>(to, <f64>end, 8);
  store<f64>(to, <f64>change, 16);
  store<f64>(to, <f64>count, 24);
  store<f64>(to, probability, 32);
  store<f64>(to, <f64>curveQa, 40);
  to += HEAD_NUMBERS << 3;
  for (let band = 0; band < nBand; band++, to += BAND_NUMBERS << 3) {
    const lane = (load<i32>(chip.columns + (band << 2)) - FEATURE_BYTES) >> 3;
    writeBand(pixel.fit, pixel.fit.blocks + (lane >> 1) * BLOCK_BYTES + ((lane & 1) << 3), to, firstDay);
  }
  pixel.nSegment++;
}
