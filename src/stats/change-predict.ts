// Values that the models of segments give for a day: synthetic images.
import { InputError } from '../errors.js';
import { LAST_ORDINAL } from '../geo/ordinal.js';
import { featuresAt } from '../kernels/ccdc.js';
import { N_COEFFICIENT, type Segments } from './change.js';
import { PYCCD_DEFAULTS } from './change-parameters.js';

/**
 * The segment of a pixel that speaks for a day, or −1 where there is none: the first that contains it; between two, the earlier until its
 * break day, then the later; before all the first, after all the last.
 */
export function segmentAt({ offsets, startDay, endDay, breakDay }: Segments, px: number, day: number): number {
  const from = offsets[px]!;
  const until = offsets[px + 1]!;
  for (let i = from; i < until; i++) if (startDay[i]! <= day && day <= endDay[i]!) return i;
  let last = -1;
  for (let i = from; i < until; i++) {
    // A segment without a change ends with its break day: until the next one starts nothing speaks against it.
    const isBroken = i > from && breakDay[i - 1]! > endDay[i - 1]! && breakDay[i - 1]! <= day;
    if (startDay[i]! <= day || isBroken) last = i;
  }
  return last < 0 && until > from ? from : last;
}

/**
 * The value of each band at an ordinal day by the models, f64[nPx][nBand]; NaN where a pixel has no segment. See {@link segmentAt} for days
 * outside of segments. In the units of the input, but thermal in hundredths of a degree Celsius for segments of the standard procedure
 * (kelvin × 10 for curve QA 44 and 54), as PyCCD models it.
 * @throws InputError when the day is not between 1 and 3652060.
 */
export function predict(segments: Segments, date: number): Float64Array<ArrayBuffer> {
  if (!(date >= 1 && date <= LAST_ORDINAL + 1)) {
    throw new InputError(`an ordinal day from 1 to ${LAST_ORDINAL} is wanted, got ${date}`, { option: 'date' });
  }
  const { bandNames, offsets, intercept, coefficients, avgDaysYr } = segments;
  const nBand = bandNames.length;
  const nPx = offsets.length - 1;
  const features = featuresAt(date, avgDaysYr);
  const values = new Float64Array(nPx * nBand).fill(Number.NaN);
  for (let px = 0; px < nPx; px++) {
    const i = segmentAt(segments, px, date);
    if (i < 0) continue;
    for (let b = 0; b < nBand; b++) {
      const at = i * nBand + b;
      let value = intercept[at]!;
      for (let j = 0; j < N_COEFFICIENT; j++) value += features[j]! * coefficients[at * N_COEFFICIENT + j]!;
      values[px * nBand + b] = value;
    }
  }
  return values;
}

/** The values of one band of one segment at some days, f64[nDay], whether the segment contains them or not; in the units of {@link predict}. */
export function segmentCurve(
  { bandNames, avgDaysYr, intercept, coefficients }: Segments,
  segment: number,
  band: number,
  days: readonly number[],
): Float64Array<ArrayBuffer> {
  const at = segment * bandNames.length + band;
  return Float64Array.from(days, (day) => {
    const features = featuresAt(day, avgDaysYr);
    return features.reduce((sum, feature, j) => sum + feature * coefficients[at * N_COEFFICIENT + j]!, intercept[at]!);
  });
}

/** Missing in synthetic images, as in Landsat's own. */
export const SYNTHETIC_NODATA = -9999;
const [LEAST, MOST] = [-32_768, 32_767];
/** Whether a segment models kelvin × 10, as the simple procedures do; the others have hundredths of a degree Celsius. */
export function isInKelvin(curveQa: number, codes = PYCCD_DEFAULTS.CURVE_QA): boolean {
  return curveQa === codes.INSUF_CLEAR || curveQa === codes.PERSIST_SNOW;
}
const toKelvin10 = (celsius100: number) => (celsius100 + 27_315) / 10;

/**
 * The image that the models give for an ordinal day: for each of `names` a plane i16[nPx] in the units of PyCCD's input (reflectance ×
 * 10000, thermal in kelvin × 10 for all segments), rounded and clamped to 16 bits. {@link SYNTHETIC_NODATA} where a pixel has no segment
 * or a band was not modelled; values that would be taken for it are one more.
 */
export function syntheticImage(segments: Segments, day: number, names: readonly string[]): Int16Array<ArrayBuffer>[] {
  const { bandNames, curveQa, offsets } = segments;
  const nPx = offsets.length - 1;
  const values = predict(segments, day);
  const nBand = bandNames.length;
  const planes = names.map(() => new Int16Array(nPx).fill(SYNTHETIC_NODATA));
  const bands = names.map((name) => bandNames.indexOf(name));
  for (let px = 0; px < nPx; px++) {
    const i = segmentAt(segments, px, day);
    if (i < 0) continue;
    const isCelsius = !isInKelvin(curveQa[i]!);
    for (const [k, band] of bands.entries()) {
      if (band < 0) continue;
      const value = values[px * nBand + band]!;
      const rounded = Math.round(isCelsius && names[k] === 'thermal' ? toKelvin10(value) : value);
      planes[k]![px] = rounded === SYNTHETIC_NODATA ? rounded + 1 : Math.min(MOST, Math.max(LEAST, rounded));
    }
  }
  return planes;
}
