// The yearly products of LCMAP: what segments say of one day, usually 1 July.
import { InputError } from '../errors.js';
import { fromOrdinal, toOrdinal } from '../geo/ordinal.js';
import type { Segments } from './change.js';
import { PYCCD_BANDS } from './change-bands.js';

/** One value a pixel. Days count from the break to the product's day. */
export interface ChangeProducts {
  /** Day of the year of the last change in the day's calendar year, 1 to 366; 0 for none. */
  timeOfChange: Uint16Array<ArrayBuffer>;
  /** Days since the last change up to the day; 0 for none, and on the day itself. */
  timeSinceChange: Uint16Array<ArrayBuffer>;
  /** Length of the vector of magnitudes of that year's last change; 0 for none. */
  changeMagnitude: Float32Array<ArrayBuffer>;
  /** Days since the start of the segment that contains the day, else since the last end of one; at most since 1982-01-01. */
  spectralStability: Uint16Array<ArrayBuffer>;
  /** Curve QA of the first segment that contains the day; 0 for none. */
  modelQuality: Uint8Array<ArrayBuffer>;
  /** Changes up to the day. */
  changeCount: Uint16Array<ArrayBuffer>;
}

/** Before this nothing was seen by the Thematic Mappers. */
const FIRST_DAY = toOrdinal('1982-01-01');
/** 65535 is left to those who need a value for "not known". */
const MOST_DAYS = 65_534;

function lengthOf(segments: Segments, i: number, bands: readonly number[]): number {
  const { magnitude, bandNames } = segments;
  const squares = bands.reduce((sum, b) => sum + magnitude[i * bandNames.length + b]! ** 2, 0);
  return Math.sqrt(squares);
}

/**
 * LCMAP's products for an ordinal day, of segments in the order of time. A change is a segment with change probability 1, on its break day.
 * Of several changes in a year the last one counts. The rules are those of the USGS program lcmap-gaia.
 * `magnitudeBands` are those of the magnitude: when not given, green, red, nir, swir1, swir2.
 * @throws InputError for a day that is no ordinal, or a band that is not there.
 */
export function changeProducts(
  segments: Segments,
  day: number,
  { magnitudeBands = PYCCD_BANDS.slice(1, 6) }: { magnitudeBands?: readonly string[] } = {},
): ChangeProducts {
  const year = fromOrdinal(day).slice(0, 4);
  const newYear = toOrdinal(`${year}-01-01`);
  const lastOfYear = toOrdinal(`${year}-12-31`);
  const bands = magnitudeBands.map((name) => {
    const band = segments.bandNames.indexOf(name);
    if (band >= 0) return band;
    const message = `no band "${name}" for magnitudes among ${segments.bandNames.join(', ')}`;
    throw new InputError(message, { option: 'magnitude-bands', band: name });
  });
  const { offsets, startDay, endDay, breakDay, changeProbability, curveQa } = segments;
  const nPx = offsets.length - 1;
  const products: ChangeProducts = {
    timeOfChange: new Uint16Array(nPx),
    timeSinceChange: new Uint16Array(nPx),
    changeMagnitude: new Float32Array(nPx),
    spectralStability: new Uint16Array(nPx),
    modelQuality: new Uint8Array(nPx),
    changeCount: new Uint16Array(nPx),
  };
  for (let px = 0; px < nPx; px++) {
    let edge = FIRST_DAY;
    let last = day;
    for (let i = offsets[px]!; i < offsets[px + 1]!; i++) {
      if (startDay[i]! <= day) edge = Math.max(edge, endDay[i]! < day ? endDay[i]! : startDay[i]!);
      if (startDay[i]! <= day && day <= endDay[i]!) products.modelQuality[px] ||= curveQa[i]!;
      if (changeProbability[i] !== 1) continue;
      const at = breakDay[i]!;
      if (at <= day) last = products.changeCount[px]!++ === 0 ? at : Math.max(last, at);
      if (at >= newYear && at <= lastOfYear && at - newYear + 1 > products.timeOfChange[px]!) {
        products.timeOfChange[px] = at - newYear + 1;
        products.changeMagnitude[px] = lengthOf(segments, i, bands);
      }
    }
    products.timeSinceChange[px] = Math.min(day - last, MOST_DAYS);
    products.spectralStability[px] = Math.min(Math.max(0, day - edge), MOST_DAYS);
  }
  return products;
}
