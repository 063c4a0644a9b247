// Results of a chip as rows of bytes, one a pixel, and a head for what the pixels share.
import { FormatError } from '../../errors.js';
import { type Changes, recordLength, SegmentTable, writeRecords } from '../../stats/change.js';
import type { FoundPixel } from '../../stats/found-pixel.js';
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

/** Packs a mask into bytes from `at`, a bit a date. */
function packMask(bytes: Uint8Array, at: number, mask: Uint8Array): void {
  for (let i = 0; i < mask.length; at++) {
    let bits = 0;
    for (let bit = 0; bit < 8 && i < mask.length; bit++) if (mask[i++] !== 0) bits |= 1 << bit;
    bytes[at] = bits;
  }
}

/** What a row begins with. */
type Numbers = Pick<FoundPixel, 'nSegment' | 'cloud' | 'snow' | 'water'>;
const FAILED_NUMBERS: Numbers = { nSegment: FAILED, cloud: Number.NaN, snow: Number.NaN, water: Number.NaN };

/** Bytes that rows are put into. */
export class RowBytes {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Puts a row of {@link foundLength} at `at`. */
  found(at: number, pixel: FoundPixel): void {
    const { mask, records } = pixel;
    this.head(at, pixel);
    // Numbers may lie at any address here.
    this.bytes.set(new Uint8Array(records.buffer, records.byteOffset, records.byteLength), at + ROW_HEAD * F64);
    packMask(this.bytes, at + ROW_HEAD * F64 + records.byteLength, mask);
  }

  /** Puts a row of {@link failedLength} at `at`. */
  failed(at: number, reason: Uint8Array): void {
    this.head(at, FAILED_NUMBERS);
    this.bytes.set(reason, at + ROW_HEAD * F64);
  }

  private head(at: number, { nSegment, cloud, snow, water }: Numbers): void {
    const { view } = this;
    view.setFloat64(at, nSegment, true);
    view.setFloat64(at + F64, cloud, true);
    view.setFloat64(at + 2 * F64, snow, true);
    view.setFloat64(at + 3 * F64, water, true);
  }
}

/** Bytes of the row of a pixel that has not failed, and of one that has. */
export const foundLength = ({ records, mask }: FoundPixel) =>
  ROW_HEAD * F64 + records.byteLength + maskBytes(mask.length);
export const failedLength = (reason: Uint8Array) => ROW_HEAD * F64 + reason.length;

/** A pixel of a table; its records are written to `room`, which is made longer where it is too short. */
export class TablePixel implements FoundPixel {
  nSegment = 0;
  cloud = Number.NaN;
  snow = 0;
  water = 0;
  mask: Uint8Array = new Uint8Array(0);
  records: Float64Array = new Float64Array(0);
  private room = new Float64Array(1024);

  /** Becomes pixel `px`. */
  take({ segments, dates, ...changes }: Changes, px: number): this {
    const [from, until] = [segments.offsets[px]!, segments.offsets[px + 1]!];
    const length = (until - from) * recordLength(segments.bandNames.length);
    if (length > this.room.length) this.room = new Float64Array(2 * length);
    this.nSegment = until - from;
    this.cloud = changes.cloudProbability[px]!;
    this.snow = changes.snowProbability[px]!;
    this.water = changes.waterProbability[px]!;
    this.mask = changes.processingMask.subarray(px * dates.length, (px + 1) * dates.length);
    this.records = this.room.subarray(0, length);
    writeRecords(this.records, segments, from, until);
    return this;
  }
}

/** The rows of a table; each is lent until the next. */
export class RowWriter {
  private readonly pixel = new TablePixel();
  private buffer = new RowBytes(8192);

  /** The row of pixel `px`. */
  row(changes: Changes, px: number): Uint8Array {
    const failure = changes.failures.get(px);
    if (failure !== undefined) return this.failure(new TextEncoder().encode(failure));
    const found = this.pixel.take(changes, px);
    const length = foundLength(found);
    this.reserve(length).found(0, found);
    return this.buffer.bytes.subarray(0, length);
  }

  private failure(reason: Uint8Array): Uint8Array {
    const length = failedLength(reason);
    this.reserve(length).failed(0, reason);
    return this.buffer.bytes.subarray(0, length);
  }

  private reserve(nBytes: number): RowBytes {
    if (nBytes > this.buffer.bytes.length) this.buffer = new RowBytes(2 * nBytes);
    return this.buffer;
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
