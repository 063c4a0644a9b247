// The numbers behind a picture of one pixel: observations, what became of them, segments and their curves.
import { InputError } from '../errors.js';
import { fromOrdinal } from '../geo/ordinal.js';
import type { Changes } from './change.js';
import { type PixelSeries, sortedDates } from './change-input.js';
import { pyccdParameters } from './change-parameters.js';
import { isInKelvin, segmentCurve } from './change-predict.js';
import { classOf, qaCodes } from './change-qa.js';
import type { DetectOptions } from './detect.js';
import { suggestion } from './suggest.js';

/** What became of an observation; `left-out`: clear, but out of range, a double, or found to be cloud or an outlier on the way. */
export const OBSERVATION_STATES = ['used', 'left-out', 'cloud', 'shadow', 'snow'] as const;
export type ObservationState = (typeof OBSERVATION_STATES)[number];

export interface FigureBand {
  name: string;
  unit: 'reflectance' | '°C' | 'value';
  /** One an observation; null where it is missing. */
  values: (number | null)[];
  /** One a segment: values at `days` of the segment. */
  curves: number[][];
}

export interface FigureSegment {
  start: string;
  end: string;
  break: string;
  /** Whether a change ended it. */
  changed: boolean;
  observationCount: number;
  curveQa: number;
  startDay: number;
  endDay: number;
  breakDay: number;
  /** Ordinals at which the curves are given. */
  days: number[];
}

export interface ChangeFigure {
  algorithm: string;
  dates: string[];
  /** Ordinals, ascending. */
  days: number[];
  states: ObservationState[];
  bands: FigureBand[];
  segments: FigureSegment[];
}

/** Bands that tell most of vegetation, water and soil. */
const USUAL = ['red', 'nir', 'swir1'];
/** Points of the longest curve. */
const CURVE_POINTS = 1200;
const REFLECTANCE = ['blue', 'green', 'red', 'nir', 'swir1', 'swir2'];

function chosenBands(names: readonly string[], wanted: readonly string[] | undefined): string[] {
  if (wanted === undefined) {
    const usual = USUAL.filter((name) => names.includes(name));
    return usual.length > 0 ? usual : names.slice(0, 3);
  }
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined && wanted.length > 0) return [...new Set(wanted)];
  const what =
    unknown === undefined ? 'no band is named' : `there is no band "${unknown}"${suggestion(unknown, names)}`;
  throw new InputError(`${what}: give some of ${names.join(', ')}`, { option: 'bands' });
}

/** Days from the first to the last of a segment in whole steps, both ends included. */
function daysOf(startDay: number, endDay: number, step: number): number[] {
  const days: number[] = [];
  for (let day = startDay; day < endDay; day += step) days.push(day);
  return [...days, endDay];
}

/** Stored numbers as they are shown: reflectance as a part of 1, temperature in degrees Celsius. */
function shown(name: string, isThermal: boolean): { unit: FigureBand['unit']; value: (stored: number) => number } {
  if (isThermal) return { unit: '°C', value: (kelvin10) => kelvin10 / 10 - 273.15 };
  if (REFLECTANCE.includes(name)) return { unit: 'reflectance', value: (stored) => stored / 10_000 };
  return { unit: 'value', value: (stored) => stored };
}

/**
 * What there is to see of a pixel. `changes` are its results, of the same dates.
 * @throws InputError when `bands` are none of the series, or the results are of other dates.
 */
export function changeFigure(
  series: PixelSeries,
  changes: Changes,
  { bands, detect = {} }: { bands?: readonly string[] | undefined; detect?: DetectOptions } = {},
): ChangeFigure {
  const { days, order } = sortedDates(series.dates);
  if (changes.dates.length !== days.length || changes.dates.some((day, i) => day !== days[i])) {
    throw new InputError(
      `the results are of ${changes.dates.length} other dates than the ${days.length} of the scenes`,
    );
  }
  const { segments } = changes;
  const parameters = pyccdParameters(detect.params ?? {});
  const codes = qaCodes(detect.qaScheme ?? 'pyccd', parameters);
  const classes = Array.from(order, (place) => classOf(codes[series.qa[place]! & 0xffff]!) ?? 'other');
  const kept = [...days.keys()].filter((i) => classes[i] !== 'fill' && classes[i] !== 'unknown');
  const states = kept.map((i): ObservationState => {
    if (changes.processingMask[i] === 1) return 'used';
    const own = classes[i]!;
    return own === 'cloud' || own === 'shadow' || own === 'snow' ? own : 'left-out';
  });
  const nSegment = segments.startDay.length;
  const span = nSegment > 0 ? Math.max(...segments.endDay) - Math.min(...segments.startDay) : 0;
  const step = Math.max(1, Math.ceil(span / CURVE_POINTS));
  const list = Array.from({ length: nSegment }, (_, i): FigureSegment => {
    const [startDay, endDay, breakDay] = [segments.startDay[i]!, segments.endDay[i]!, segments.breakDay[i]!];
    return {
      start: fromOrdinal(startDay),
      end: fromOrdinal(endDay),
      break: fromOrdinal(breakDay),
      changed: segments.changeProbability[i] === 1,
      observationCount: segments.observationCount[i]!,
      curveQa: segments.curveQa[i]!,
      startDay,
      endDay,
      breakDay,
      days: daysOf(startDay, endDay, step),
    };
  });
  const thermalBand = detect.thermalBand === undefined ? 'thermal' : detect.thermalBand;
  const shownBands = chosenBands(Object.keys(series.bands), bands).map((name): FigureBand => {
    const isThermal = name === thermalBand;
    const { unit, value } = shown(name, isThermal);
    const at = segments.bandNames.indexOf(name);
    const curves = list.map(({ days: own, curveQa }, i) => {
      const isCelsius = isThermal && !isInKelvin(curveQa, parameters.CURVE_QA);
      return Array.from(segmentCurve(segments, i, at, own), (v) => (isCelsius ? v / 100 : value(v)));
    });
    const values = kept.map((i) => {
      const stored = series.bands[name]![order[i]!]!;
      return stored === -9999 ? null : value(stored);
    });
    return { name, unit, values, curves };
  });
  return {
    algorithm: changes.algorithm,
    dates: kept.map((i) => fromOrdinal(days[i]!)),
    days: kept.map((i) => days[i]!),
    states,
    bands: shownBands,
    segments: list,
  };
}
