// Results of a chip as rows of bytes, one a pixel, and a head for what the pixels share.
import { FormatError } from '../errors.js';
import { type Changes, recordLength, type Segments, SegmentTable, writeRecords } from '../stats/change.js';
import { type ChipSummary, isTime } from './result-store.js';

/*
 * A row: f64 number of segments, or −1 when the pixel failed; f64 probabilities of cloud, snow and water; the segments' records; then
 * the processing mask, a bit a date. A failed pixel has its reason in UTF-8 in place of the records. Little-endian, as all
 * processors are that Node runs on.
 */
const ROW_HEAD = 4;
const F64 = 8;
const FAILED = -1;
/** Of a chip, a byte a date and pixel. */
const MOST_MASK_BYTES = 2 ** 32;

/** What the pixels of a chip share. */
export interface ChipHead {
  summary: ChipSummary;
  bandNames: string[];
  avgDaysYr: number;
  dates: number[];
}

/** What is needed of it to read rows. */
interface SharedFacts {
  bandNames: readonly string[];
  avgDaysYr: number;
  dates: ArrayLike<number>;
}

const isCount = (n: unknown) => Number.isInteger(n) && (n as number) >= 0;
const isName = (text: unknown) => typeof text === 'string';

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/**
 * What is said of a chip, from its record.
 * @throws FormatError when it is damaged.
 */
export function readSummary(bytes: Uint8Array): ChipSummary {
  return checkSummary(parsed(bytes));
}

function checkSummary(value: unknown): ChipSummary {
  const { h, v, inputsMd5, producedMs, withSegments, empty, failed } = (value ?? {}) as ChipSummary;
  const isRight =
    [h, v].every(Number.isInteger) &&
    isName(inputsMd5) &&
    typeof producedMs === 'number' &&
    isTime(producedMs) &&
    [withSegments, empty, failed].every(isCount);
  if (isRight) return value as ChipSummary;
  throw new FormatError("the store is damaged: a chip's record does not say what there is of it");
}

/**
 * What the pixels of a chip share, from its record.
 * @throws FormatError when it is damaged.
 */
export function readHead(bytes: Uint8Array): ChipHead {
  const head = (parsed(bytes) ?? {}) as ChipHead;
  checkSummary(head.summary);
  const { bandNames, avgDaysYr, dates } = head;
  const isRight =
    [bandNames, dates].every(Array.isArray) &&
    bandNames.every(isName) &&
    dates.every((day) => (day | 0) === day) &&
    avgDaysYr > 0;
  if (isRight) return head;
  throw new FormatError("the store is damaged: a chip's record does not say what its pixels share");
}

const maskBytes = (nTime: number) => Math.ceil(nTime / 8);

function packMask(target: Uint8Array, mask: Uint8Array): void {
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) target[i >> 3]! |= 1 << (i & 7);
}

/** Numbers of the row of a pixel that has not failed. */
const numbersOf = ({ offsets, bandNames }: Segments, px: number) =>
  ROW_HEAD + (offsets[px + 1]! - offsets[px]!) * recordLength(bandNames.length);

/** Bytes of the row of pixel `px`. */
export function rowLength({ segments, dates, failures }: Changes, px: number): number {
  const failure = failures.get(px);
  if (failure !== undefined) return ROW_HEAD * F64 + new TextEncoder().encode(failure).length;
  return numbersOf(segments, px) * F64 + maskBytes(dates.length);
}

/** The row of a pixel; the bytes lend themselves until the next row. */
export class RowWriter {
  private buffer = new Float64Array(1024);

  /** The row of pixel `px`. */
  row(changes: Changes, px: number): Uint8Array {
    const { segments, dates } = changes;
    const failure = changes.failures.get(px);
    if (failure !== undefined) return this.failure(new TextEncoder().encode(failure));
    const [from, until] = [segments.offsets[px]!, segments.offsets[px + 1]!];
    const nNumber = numbersOf(segments, px);
    const bytes = this.reserve(nNumber * F64 + maskBytes(dates.length));
    this.head(until - from, changes, px);
    writeRecords(this.buffer.subarray(ROW_HEAD, nNumber), segments, from, until);
    const mask = bytes.subarray(nNumber * F64).fill(0);
    packMask(mask, changes.processingMask.subarray(px * dates.length, (px + 1) * dates.length));
    return bytes;
  }

  private failure(reason: Uint8Array): Uint8Array {
    const bytes = this.reserve(ROW_HEAD * F64 + reason.length);
    this.buffer.fill(Number.NaN, 1, ROW_HEAD);
    this.buffer[0] = FAILED;
    bytes.set(reason, ROW_HEAD * F64);
    return bytes;
  }

  private head(nSegment: number, changes: Changes, px: number): void {
    this.buffer[0] = nSegment;
    this.buffer[1] = changes.cloudProbability[px]!;
    this.buffer[2] = changes.snowProbability[px]!;
    this.buffer[3] = changes.waterProbability[px]!;
  }

  private reserve(nBytes: number): Uint8Array {
    const nNumber = Math.ceil(nBytes / F64);
    if (nNumber > this.buffer.length) this.buffer = new Float64Array(2 * nNumber);
    return new Uint8Array(this.buffer.buffer, 0, nBytes);
  }
}

/** The rows of all pixels; each is lent until the next. */
export function* rowsOf(writer: RowWriter, changes: Changes): Generator<Uint8Array> {
  for (let px = 0; px < changes.nPx; px++) yield writer.row(changes, px);
}

/** Collects rows, pixel by pixel, into results. */
export class RowReader {
  private readonly algorithm: string;
  private readonly table: SegmentTable;
  private readonly dates: Int32Array;
  private readonly mask: Uint8Array;
  private readonly probabilities: Float64Array;
  private readonly failures = new Map<number, string>();
  private readonly length: number;
  private readonly nPx: number;
  /** A row at an address where numbers may lie. */
  private copy = new Float64Array(0);
  private px = 0;

  /** @throws FormatError for more masks than there can be. */
  constructor(algorithm: string, { bandNames, avgDaysYr, dates }: SharedFacts, nPx: number) {
    if (nPx * dates.length > MOST_MASK_BYTES) {
      throw new FormatError(`the store is damaged: ${dates.length} dates of ${nPx} pixels`);
    }
    this.algorithm = algorithm;
    this.table = new SegmentTable(nPx, { bandNames, avgDaysYr });
    this.dates = Int32Array.from(dates);
    this.mask = new Uint8Array(nPx * dates.length);
    this.probabilities = new Float64Array(3 * nPx);
    this.length = recordLength(bandNames.length);
    this.nPx = nPx;
  }

  /**
   * Takes the next pixel's row.
   * @throws FormatError when it is not as long as it says.
   */
  push(row: Uint8Array): void {
    const { px, nPx, length, dates } = this;
    if (row.length < ROW_HEAD * F64) throw new FormatError(`the store's row of pixel ${px} is damaged: it has no head`);
    const numbers = this.aligned(row);
    const nSegment = numbers[0]!;
    this.px++;
    for (let i = 0; i < 3; i++) this.probabilities[i * nPx + px] = numbers[i + 1]!;
    if (nSegment === FAILED) {
      this.failures.set(px, new TextDecoder().decode(row.subarray(ROW_HEAD * F64)));
      this.table.push(new Float64Array(0));
      return;
    }
    const maskAt = (ROW_HEAD + nSegment * length) * F64;
    if (!(Number.isInteger(nSegment) && nSegment >= 0) || row.length !== maskAt + maskBytes(dates.length)) {
      throw new FormatError(`the store's row of pixel ${px} is damaged: ${row.length} bytes for ${nSegment} segments`);
    }
    this.table.push(numbers.subarray(ROW_HEAD, maskAt / F64));
    const mask = this.mask.subarray(px * dates.length, (px + 1) * dates.length);
    for (let i = 0, at = maskAt; i < mask.length; at++) {
      const bits = row[at]!;
      for (let bit = 0; bit < 8 && i < mask.length; bit++) mask[i++] = (bits >> bit) & 1;
    }
  }

  private aligned(row: Uint8Array): Float64Array {
    const nNumber = Math.ceil(row.length / F64);
    if (nNumber > this.copy.length) this.copy = new Float64Array(2 * nNumber);
    new Uint8Array(this.copy.buffer).set(row);
    return this.copy;
  }

  /** @throws FormatError when rows are missing. */
  changes(): Changes {
    const { px, nPx, probabilities: p, algorithm } = this;
    if (px !== nPx) throw new FormatError(`the store is damaged: ${px} of a chip's ${nPx} pixels are there`);
    return {
      algorithm,
      nPx,
      dates: this.dates,
      processingMask: this.mask,
      cloudProbability: p.subarray(0, nPx),
      snowProbability: p.subarray(nPx, 2 * nPx),
      waterProbability: p.subarray(2 * nPx),
      failures: this.failures,
      segments: this.table.segments(),
    };
  }
}
