// One pixel of a strip: the classes of its observations, and the rows that a procedure keeps.
import { medianOf } from '../select';
import { cosine_sine } from '../sine';
import { Chip, CLEAR, CLOUD, F64, FEATURE_BYTES, FILL, I16, Pixel, rowAt, SNOW, UNKNOWN, WATER } from './state';

/** Which mask applies, and whether the thermal band is taken to hundredths of a degree Celsius. */
export const STANDARD: i32 = 0, PERMANENT_SNOW: i32 = 1, INSUFFICIENT_CLEAR: i32 = 2;

const LEAST_REFLECTANCE: f64 = 0, MOST_REFLECTANCE: f64 = 10000;
const LEAST_THERMAL: f64 = -9320, MOST_THERMAL: f64 = 7070;

/** Counts the classes of pixel px; false when a QA value has none. */
export function classify(pixel: Pixel, px: usize): bool {
  const chip = pixel.chip;
  let nFill = 0, nCloud = 0, nSnow = 0, nClear = 0, nWater = 0;
  for (let t = 0, p = chip.qa + (px << 1); t < chip.nTime; t++, p += chip.qaStride) {
    const value = load<u16>(p), code = load<u8>(chip.qaCodes + value);
    if (code == UNKNOWN) {
      pixel.badQa = value;
      return false;
    }
    nFill += <i32>(code == FILL);
    nCloud += <i32>(code == CLOUD);
    nSnow += <i32>(code == SNOW);
    nClear += <i32>(code == CLEAR);
    nWater += <i32>(code == WATER);
  }
  pixel.nData = chip.nTime - nFill;
  pixel.nCloud = nCloud;
  pixel.nSnow = nSnow;
  pixel.nClear = nClear;
  pixel.nWater = nWater;
  return true;
}

export function procedureOf(pixel: Pixel): i32 {
  const chip = pixel.chip, nUsable = <f64>(pixel.nClear + pixel.nWater);
  if (nUsable / <f64>pixel.nData >= chip.clearPct) return STANDARD;
  const snow = <f64>pixel.nSnow / (nUsable + <f64>pixel.nSnow + 0.01);
  return snow >= chip.snowPct ? PERMANENT_SNOW : INSUFFICIENT_CLEAR;
}

/** The stored value, or for the thermal band of the standard procedure hundredths of a degree Celsius: in 16 bits if it wraps. */
// @ts-ignore: decorator
@inline
function valueAt(chip: Chip, at: usize, px: usize, toCelsius: bool): f64 {
  if (chip.dtype == I16) {
    const value = <i32>load<i16>(at + (px << 1));
    if (!toCelsius) return <f64>value;
    const celsius = value * 10 - 27315;
    return chip.wraps ? <f64><i16>celsius : <f64>celsius;
  }
  const value = chip.dtype == F64 ? load<f64>(at + (px << 3)) : <f64>load<i32>(at + (px << 2));
  return toCelsius ? value * 10.0 - 27315.0 : value;
}

/** Where date t stands in the strip. */
// @ts-ignore: decorator
@inline
function placeOf(chip: Chip, t: i32): usize {
  return <usize>load<u32>(chip.order + (t << 2));
}

/** Writes the bands of date t to the row; whether all are in range. */
function readBands(chip: Chip, t: i32, px: usize, row: usize, toCelsius: bool): bool {
  let isGood = true;
  for (let band = 0, at = chip.values + placeOf(chip, t) * chip.timeStride; band < chip.nBand; band++, at += chip.bandStride) {
    const isThermal = band == chip.thermal, value = valueAt(chip, at, px, isThermal && toCelsius);
    store<f64>(row + load<i32>(chip.columns + (band << 2)), value);
    if (isThermal) isGood = isGood && value > LEAST_THERMAL && value < MOST_THERMAL;
    else if (load<u8>(chip.isReflectance + band)) isGood = isGood && value > LEAST_REFLECTANCE && value < MOST_REFLECTANCE;
  }
  return isGood;
}

/** Takes out what is at or above the median of green by the filter's width. */
function dropBright(pixel: Pixel): void {
  const chip = pixel.chip;
  if (chip.green < 0 || pixel.n == 0) return;
  const column = load<i32>(chip.columns + (chip.green << 2)), to = pixel.scratch;
  for (let i = 0; i < pixel.n; i++) store<f64>(to + (i << 3), load<f64>(rowAt(pixel, i) + column));
  const limit = medianOf(to, pixel.n) + chip.medianGreenFilter;
  let n = 0;
  for (let i = 0; i < pixel.n; i++) {
    if (!(load<f64>(rowAt(pixel, i) + column) < limit)) continue;
    store<i32>(pixel.live + (n++ << 2), load<i32>(pixel.live + (i << 2)));
  }
  pixel.n = n;
}

/** The features of date t, computed when they are first asked for. */
function featuresOf(chip: Chip, t: i32): usize {
  const at = chip.features + (t << 6);
  if (load<f64>(at) == 0) {
    const day = load<i32>(chip.days + (t << 2)), angle = 6.283185307179586 / chip.avgDaysYr * <f64>day;
    store<f64>(at, 1);
    store<f64>(at, <f64>(day - load<i32>(chip.days)), 8);
    cosine_sine(angle, at + 16);
    cosine_sine(2 * angle, at + 32);
    cosine_sine(3 * angle, at + 48);
  }
  return at;
}

/** Fills the pixel's rows with what the procedure keeps: clear and water in range (and all snow), one observation a day. */
export function observe(pixel: Pixel, px: usize, procedure: i32): void {
  const chip = pixel.chip, rowBytes = chip.rowBytes, lanes = rowBytes - FEATURE_BYTES;
  let n = 0, lastDay = i32.MIN_VALUE;
  for (let t = 0; t < chip.nTime; t++) {
    const value = load<u16>(chip.qa + placeOf(chip, t) * chip.qaStride + (px << 1));
    const code = load<u8>(chip.qaCodes + value), isSnow = procedure == PERMANENT_SNOW && code == SNOW;
    if (code != CLEAR && code != WATER && !isSnow) continue;
    const day = load<i32>(chip.days + (t << 2));
    if (day == lastDay) continue;
    const row = pixel.rows + n * rowBytes;
    memory.fill(row + FEATURE_BYTES, 0, lanes);
    if (!readBands(chip, t, px, row, procedure == STANDARD) && !isSnow) continue;
    memory.copy(row, featuresOf(chip, t), FEATURE_BYTES);
    store<i32>(pixel.dates + (n << 2), t);
    store<i32>(pixel.live + (n << 2), n);
    lastDay = day;
    n++;
  }
  pixel.n = n;
  if (procedure == INSUFFICIENT_CLEAR) dropBright(pixel);
}

// u8[nTime]: 1 where an observation is live
export function writeMask(pixel: Pixel, mask: usize): void {
  memory.fill(mask, 0, pixel.chip.nTime);
  for (let i = 0; i < pixel.n; i++) store<u8>(mask + load<i32>(pixel.dates + (load<i32>(pixel.live + (i << 2)) << 2)), 1);
}
