// What change detection finds, as plain tables: segments of all pixels one after the other, and what was said of each pixel.
import { RECORD_BAND, RECORD_HEAD } from '../kernels/ccdc.js';

/** The name by which PyCCD calls the version that the numbers are those of. */
export const ALGORITHM = 'lcmap-pyccd:2018.10.17';

/** Coefficients of a model: slope a day, then cos and sin of one, two and three cycles a year. */
export const N_COEFFICIENT = 7;

/**
 * Segments of all pixels. Those of pixel p are offsets[p] to offsets[p + 1] − 1, in PyCCD's order. Days are ordinals (0001-01-01 is 1). A
 * band's value at day t is intercept + slope · t + Σ harmonics of w = 2π t / avgDaysYr.
 */
export interface Segments {
  bandNames: readonly string[];
  avgDaysYr: number;
  /** [nPx + 1] */
  offsets: Uint32Array;
  startDay: Int32Array;
  endDay: Int32Array;
  breakDay: Int32Array;
  observationCount: Int32Array;
  /** 1 where a change ended the segment, else 0. */
  changeProbability: Float64Array;
  /** 4, 6 or 8 coefficients; 14 before the first segment, 24 after the last, 44 insufficiently clear, 54 permanent snow. */
  curveQa: Uint8Array;
  /** [nSegment][nBand] */
  magnitude: Float64Array;
  rmse: Float64Array;
  intercept: Float64Array;
  /** [nSegment][nBand][7] */
  coefficients: Float64Array;
}

/** The result of change detection for one or many pixels. */
export interface Changes {
  algorithm: string;
  nPx: number;
  /** Ascending ordinals of the input's dates. */
  dates: Int32Array;
  /** u8[nPx][nTime]: 1 where an observation was used, by the ascending dates. */
  processingMask: Uint8Array;
  /** [nPx]; NaN where nothing but fill was seen (cloud) and where a pixel failed. */
  cloudProbability: Float64Array;
  snowProbability: Float64Array;
  waterProbability: Float64Array;
  /** Pixels that failed, and why; they have no segments. */
  failures: ReadonlyMap<number, string>;
  segments: Segments;
}

/** How many pixels have segments, have none, and failed. */
export interface ChangeCounts {
  withSegments: number;
  empty: number;
  failed: number;
}

export function countPixels({ nPx, failures, segments: { offsets } }: Changes): ChangeCounts {
  let withSegments = 0;
  for (let px = 0; px < nPx; px++) if (offsets[px + 1]! > offsets[px]!) withSegments++;
  return { withSegments, empty: nPx - withSegments - failures.size, failed: failures.size };
}

/** One pixel's part of the results, sharing its numbers. */
export function pixelOf(changes: Changes, px: number): Changes {
  const { segments: s, dates, failures } = changes;
  const [from, until] = [s.offsets[px]!, s.offsets[px + 1]!];
  const nBand = s.bandNames.length;
  const failure = failures.get(px);
  return {
    algorithm: changes.algorithm,
    nPx: 1,
    dates,
    processingMask: changes.processingMask.subarray(px * dates.length, (px + 1) * dates.length),
    cloudProbability: changes.cloudProbability.subarray(px, px + 1),
    snowProbability: changes.snowProbability.subarray(px, px + 1),
    waterProbability: changes.waterProbability.subarray(px, px + 1),
    failures: new Map(failure === undefined ? [] : [[0, failure]]),
    segments: {
      bandNames: s.bandNames,
      avgDaysYr: s.avgDaysYr,
      offsets: Uint32Array.of(0, until - from),
      startDay: s.startDay.subarray(from, until),
      endDay: s.endDay.subarray(from, until),
      breakDay: s.breakDay.subarray(from, until),
      observationCount: s.observationCount.subarray(from, until),
      changeProbability: s.changeProbability.subarray(from, until),
      curveQa: s.curveQa.subarray(from, until),
      magnitude: s.magnitude.subarray(from * nBand, until * nBand),
      rmse: s.rmse.subarray(from * nBand, until * nBand),
      intercept: s.intercept.subarray(from * nBand, until * nBand),
      coefficients: s.coefficients.subarray(from * nBand * N_COEFFICIENT, until * nBand * N_COEFFICIENT),
    },
  };
}

type Numbers = Int32Array | Uint8Array | Float64Array;

function joined<T extends Numbers>(arrays: readonly T[]): T {
  const [first] = arrays;
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const all = new (first!.constructor as new (length: number) => T)(length);
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Results of parts of the pixels, of the same dates and bands, one after the other. */
export function joinChanges(parts: readonly Changes[]): Changes {
  const [first] = parts as [Changes];
  const each = <T extends Numbers>(of: (part: Changes) => T) => joined(parts.map(of));
  const failures = new Map<number, string>();
  const nPx = parts.reduce((sum, part) => sum + part.nPx, 0);
  const offsets = new Uint32Array(nPx + 1);
  let px = 0;
  for (const { nPx: own, failures: failed, segments } of parts) {
    for (const [i, reason] of failed) failures.set(px + i, reason);
    const before = offsets[px]!;
    for (let i = 1; i <= own; i++) offsets[px + i] = before + segments.offsets[i]!;
    px += own;
  }
  return {
    algorithm: first.algorithm,
    nPx,
    dates: first.dates,
    processingMask: each((part) => part.processingMask),
    cloudProbability: each((part) => part.cloudProbability),
    snowProbability: each((part) => part.snowProbability),
    waterProbability: each((part) => part.waterProbability),
    failures,
    segments: {
      bandNames: first.segments.bandNames,
      avgDaysYr: first.segments.avgDaysYr,
      offsets,
      startDay: each(({ segments }) => segments.startDay),
      endDay: each(({ segments }) => segments.endDay),
      breakDay: each(({ segments }) => segments.breakDay),
      observationCount: each(({ segments }) => segments.observationCount),
      changeProbability: each(({ segments }) => segments.changeProbability),
      curveQa: each(({ segments }) => segments.curveQa),
      magnitude: each(({ segments }) => segments.magnitude),
      rmse: each(({ segments }) => segments.rmse),
      intercept: each(({ segments }) => segments.intercept),
      coefficients: each(({ segments }) => segments.coefficients),
    },
  };
}

/** Writes segments `from` to `until` − 1 as records, f64[n][6 + 10 nBand]: the inverse of {@link SegmentTable}. */
export function writeRecords(records: Float64Array, segments: Segments, from: number, until: number): void {
  const nBand = segments.bandNames.length;
  let at = 0;
  for (let i = from; i < until; i++) {
    records[at] = segments.startDay[i]!;
    records[at + 1] = segments.endDay[i]!;
    records[at + 2] = segments.breakDay[i]!;
    records[at + 3] = segments.observationCount[i]!;
    records[at + 4] = segments.changeProbability[i]!;
    records[at + 5] = segments.curveQa[i]!;
    at += RECORD_HEAD;
    for (let band = i * nBand; band < (i + 1) * nBand; band++) {
      records[at] = segments.magnitude[band]!;
      records[at + 1] = segments.rmse[band]!;
      records[at + 2] = segments.intercept[band]!;
      for (let j = 0; j < N_COEFFICIENT; j++) {
        records[at + 3 + j] = segments.coefficients[band * N_COEFFICIENT + j]!;
      }
      at += RECORD_BAND;
    }
  }
}

/** Numbers of a record of one segment of so many bands. */
export function recordLength(nBand: number): number {
  return RECORD_HEAD + RECORD_BAND * nBand;
}

/** Collects records pixel by pixel. */
export class SegmentTable {
  private records = new Float64Array(0);
  private nSegment = 0;
  private nPx = 0;
  private readonly offsets: Uint32Array;
  private readonly bandNames: readonly string[];
  private readonly avgDaysYr: number;

  constructor(nPx: number, { bandNames, avgDaysYr }: Pick<Segments, 'bandNames' | 'avgDaysYr'>) {
    this.offsets = new Uint32Array(nPx + 1);
    this.bandNames = bandNames;
    this.avgDaysYr = avgDaysYr;
  }

  private get length(): number {
    return recordLength(this.bandNames.length);
  }

  /** Adds the next pixel's records, f64[n][6 + 10 nBand]; see CcdcRun.records. */
  push(records: Float64Array): void {
    const { length } = this;
    const end = this.nSegment * length + records.length;
    if (end > this.records.length) {
      // At first a segment a pixel, for most have one or two.
      const grown = new Float64Array(Math.max(end, 2 * this.records.length, (this.offsets.length - 1) * length));
      grown.set(this.records);
      this.records = grown;
    }
    this.records.set(records, this.nSegment * length);
    this.nSegment += records.length / length;
    this.nPx++;
    this.offsets[this.nPx] = this.nSegment;
  }

  segments(): Segments {
    const { records, nSegment: n, length, bandNames, avgDaysYr, offsets } = this;
    const nBand = bandNames.length;
    const table: Segments = {
      bandNames,
      avgDaysYr,
      offsets,
      startDay: new Int32Array(n),
      endDay: new Int32Array(n),
      breakDay: new Int32Array(n),
      observationCount: new Int32Array(n),
      changeProbability: new Float64Array(n),
      curveQa: new Uint8Array(n),
      magnitude: new Float64Array(n * nBand),
      rmse: new Float64Array(n * nBand),
      intercept: new Float64Array(n * nBand),
      coefficients: new Float64Array(n * nBand * N_COEFFICIENT),
    };
    for (let i = 0; i < n; i++) {
      let at = i * length;
      table.startDay[i] = records[at]!;
      table.endDay[i] = records[at + 1]!;
      table.breakDay[i] = records[at + 2]!;
      table.observationCount[i] = records[at + 3]!;
      table.changeProbability[i] = records[at + 4]!;
      table.curveQa[i] = records[at + 5]!;
      at += RECORD_HEAD;
      for (let band = i * nBand; band < (i + 1) * nBand; band++) {
        table.magnitude[band] = records[at]!;
        table.rmse[band] = records[at + 1]!;
        table.intercept[band] = records[at + 2]!;
        for (let j = 0; j < N_COEFFICIENT; j++) table.coefficients[band * N_COEFFICIENT + j] = records[at + 3 + j]!;
        at += RECORD_BAND;
      }
    }
    return table;
  }
}
