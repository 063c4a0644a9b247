// A simulated Landsat archive: many years of one piece of ground, as change detection wants them.
import { InputError } from '../../errors.js';
import { type Land, makeLand } from './land.js';
import { chance } from './noise.js';
import { renderBand } from './scene.js';
import { makeSky, type Sky } from './sky.js';
import { greennessAt, MATERIALS } from './spectra.js';

export interface SeriesOptions {
  /** Default 1; the same seed gives the same pixels on every machine. */
  seed?: number;
  /** Default 8. */
  years?: number;
  /** px of 30 m along each side; default 200. */
  size?: number;
}

/** One acquisition to be. */
interface SeriesDate {
  timeMs: number;
  /** Months since its year began, [0, 12). */
  month: number;
  seed: number;
  cover: number;
  /** Whether the wood was cleared by then. */
  after: boolean;
}

export interface Series {
  size: number;
  land: Land;
  dates: SeriesDate[];
}

/** One acquisition in the units of Collection 1: reflectance × 10000, kelvin × 10, bits of pixel_qa; [size][size] each. */
interface SeriesImage {
  /** Blue, green, red, nir, swir1, swir2, thermal. */
  bands: Int16Array[];
  qa: Uint16Array;
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2003, 0, 9, 18, 24, 31);
const REVISIT_DAYS = 16;
/** Saturates, as Landsat does. */
const BRIGHTEST = 16_000;
const QA = { clear: 66, water: 68, shadow: 72, cloud: 96 } as const;
const REFLECTIVE = 6;

/** When and under which sky; the wood goes after six tenths of the time. */
export function planSeries({ seed = 1, years = 8, size = 200 }: SeriesOptions = {}): Series {
  const inRange =
    Number.isInteger(years) && years >= 1 && years <= 60 && Number.isInteger(size) && size >= 20 && size <= 5000;
  if (!inRange) {
    throw new InputError(
      `a simulated archive has 1 to 60 years of 20 to 5000 px a side, not ${years} years of ${size} px`,
    );
  }
  const nDate = Math.floor((years * 365.25) / REVISIT_DAYS);
  const dates = Array.from({ length: nDate }, (_, t): SeriesDate => {
    const timeMs = FIRST_MS + t * REVISIT_DAYS * DAY_MS;
    const year = new Date(timeMs).getUTCFullYear();
    const part = (timeMs - Date.UTC(year, 0, 1)) / (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1));
    const u = chance(t, 0, seed + 900);
    return { timeMs, month: 12 * part, seed: seed + 7919 * (t + 1), cover: 0.98 * u * u, after: t >= 0.6 * nDate };
  });
  return { size, land: makeLand(size, seed), dates };
}

/** Summers are warm, clouds cold and shadows cool. */
function thermal(series: Series, date: SeriesDate, sky: Sky): Int16Array {
  const { land, size } = series;
  const material = date.after ? land.materialAfter : land.material;
  const greenness = greennessAt(date.month);
  const fromSummer = Math.abs(date.month - 6.7) / 6;
  const ground = 3080 - 260 * Math.min(1, fromSummer) ** 2;
  return Int16Array.from({ length: size * size }, (_, i) => {
    const cooled = ground - 45 * greenness[material[i]!]! - 25 * sky.shadow[i]!;
    return Math.round(cooled - 420 * sky.cloud[i]! * sky.thickness[i]! + 8 * (chance(i, 5, date.seed) - 0.5));
  });
}

function pixelQa(series: Series, date: SeriesDate, sky: Sky): Uint16Array {
  const { land, size } = series;
  const material = date.after ? land.materialAfter : land.material;
  return Uint16Array.from({ length: size * size }, (_, i) => {
    if (sky.cloud[i]! > 0.3) return QA.cloud;
    if (sky.shadow[i]! > 0.3) return QA.shadow;
    return MATERIALS[material[i]!]!.name === 'water' ? QA.water : QA.clear;
  });
}

/** The pixels of one acquisition. */
export function renderDate(series: Series, date: SeriesDate): SeriesImage {
  const { land, size } = series;
  const { seed, cover } = date;
  const sky = makeSky({ size, seed, cover, cirrusCover: 0, shadowPx: [-4, -7] });
  const bands = Array.from({ length: REFLECTIVE }, (_, band) => {
    return Int16Array.from(renderBand(land, date, band, sky), (value) => Math.min(BRIGHTEST, value));
  });
  return { bands: [...bands, thermal(series, date, sky)], qa: pixelQa(series, date, sky) };
}
