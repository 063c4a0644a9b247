// What change detection says of pixels, one after the other, and the table that keeps it.
import { ALGORITHM, type Changes, type Segments, SegmentTable } from './change.js';

/** A pixel that has not failed. The object and its arrays are lent until the next pixel. */
export interface FoundPixel {
  nSegment: number;
  /** Probabilities, see {@link Changes}. */
  cloud: number;
  snow: number;
  water: number;
  /** u8[nTime]: 1 where an observation was used. */
  mask: Uint8Array;
  /** f64[nSegment][6 + 10 nBand], see CcdcRun.records. */
  records: Float64Array;
}

/** Takes pixels in their order. */
export interface PixelSink {
  found(pixel: FoundPixel): void;
  failed(reason: string): void;
}

const NO_RECORDS = new Float64Array(0);

/** Collects pixels into a table. */
export class ChangeTable implements PixelSink {
  private readonly table: SegmentTable;
  private readonly dates: Int32Array;
  private readonly mask: Uint8Array;
  private readonly cloud: Float64Array;
  private readonly snow: Float64Array;
  private readonly water: Float64Array;
  private readonly failures = new Map<number, string>();
  private px = 0;

  constructor(nPx: number, facts: Pick<Segments, 'bandNames' | 'avgDaysYr'> & { dates: Int32Array }) {
    this.table = new SegmentTable(nPx, facts);
    this.dates = facts.dates;
    this.mask = new Uint8Array(nPx * facts.dates.length);
    this.cloud = new Float64Array(nPx);
    this.snow = new Float64Array(nPx);
    this.water = new Float64Array(nPx);
  }

  found({ cloud, snow, water, mask, records }: FoundPixel): void {
    const { px } = this;
    this.cloud[px] = cloud;
    this.snow[px] = snow;
    this.water[px] = water;
    this.mask.set(mask, px * this.dates.length);
    this.table.push(records);
    this.px++;
  }

  failed(reason: string): void {
    const { px } = this;
    this.failures.set(px, reason);
    this.cloud[px] = this.snow[px] = this.water[px] = Number.NaN;
    this.table.push(NO_RECORDS);
    this.px++;
  }

  changes(): Changes {
    return {
      algorithm: ALGORITHM,
      nPx: this.px,
      dates: this.dates,
      processingMask: this.mask,
      cloudProbability: this.cloud,
      snowProbability: this.snow,
      waterProbability: this.water,
      failures: this.failures,
      segments: this.table.segments(),
    };
  }
}
