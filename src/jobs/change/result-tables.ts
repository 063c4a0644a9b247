// Results of a chip as tables: a row a segment, a row a pixel, and a row for the chip.
import { type ChipGrid, chipCell } from '../../geo/chip-grid.js';
import { toOrdinal } from '../../geo/ordinal.js';
import type { ParquetColumn } from '../../io/parquet.js';
import { N_COEFFICIENT } from '../../stats/change.js';
import { type ChipResult, pixelCorner, summaryOf } from './result-store.js';

const EPOCH = toOrdinal('1970-01-01');
/** Names of a model's coefficients: slope a day, then cos and sin of one, two and three cycles a year. */
const COEFFICIENTS = ['slope', 'cos1', 'sin1', 'cos2', 'sin2', 'cos3', 'sin3'];

/** Chip and upper-left corner of the pixel for each of the rows. */
function placeColumns(grid: ChipGrid, { h, v }: ChipResult, pixels: Uint32Array): ParquetColumn[] {
  const corner = chipCell(grid, h, v);
  const corners = Array.from(pixels, (px) => pixelCorner(grid, corner, px));
  const n = pixels.length;
  return [
    { name: 'cx', type: 'f64', data: new Float64Array(n).fill(corner.x) },
    { name: 'cy', type: 'f64', data: new Float64Array(n).fill(corner.y) },
    { name: 'px', type: 'f64', data: Float64Array.from(corners, ({ x }) => x) },
    { name: 'py', type: 'f64', data: Float64Array.from(corners, ({ y }) => y) },
    { name: 'chip_h', type: 'i32', data: new Int32Array(n).fill(h) },
    { name: 'chip_v', type: 'i32', data: new Int32Array(n).fill(v) },
  ];
}

/** Every `count`-th number from `at`. */
const everyNth = (all: Float64Array, at: number, count: number) =>
  Float64Array.from({ length: all.length / count }, (_, i) => all[i * count + at]!);

/** A row a segment: days as ordinals and as dates, and for each band magnitude, rmse and the model. */
export function segmentsTable(grid: ChipGrid, chip: ChipResult): ParquetColumn[] {
  const { segments: s, nPx } = chip.changes;
  const pixels = new Uint32Array(s.startDay.length);
  for (let px = 0; px < nPx; px++) pixels.fill(px, s.offsets[px]!, s.offsets[px + 1]!);
  const days = { start: s.startDay, end: s.endDay, break: s.breakDay };
  const nBand = s.bandNames.length;
  return [
    ...placeColumns(grid, chip, pixels),
    ...Object.entries(days).flatMap(([name, data]): ParquetColumn[] => [
      { name: `${name}_day`, type: 'i32', data },
      { name: `${name}_date`, type: 'date', data: data.map((day) => day - EPOCH) },
    ]),
    { name: 'observation_count', type: 'i32', data: s.observationCount },
    { name: 'change_probability', type: 'f64', data: s.changeProbability },
    { name: 'curve_qa', type: 'i32', data: Int32Array.from(s.curveQa) },
    ...s.bandNames.flatMap((band, b): ParquetColumn[] => [
      { name: `${band}_magnitude`, type: 'f64', data: everyNth(s.magnitude, b, nBand) },
      { name: `${band}_rmse`, type: 'f64', data: everyNth(s.rmse, b, nBand) },
      { name: `${band}_intercept`, type: 'f64', data: everyNth(s.intercept, b, nBand) },
      ...COEFFICIENTS.map((name, j): ParquetColumn => {
        const data = everyNth(s.coefficients, b * N_COEFFICIENT + j, nBand * N_COEFFICIENT);
        return { name: `${band}_${name}`, type: 'f64', data };
      }),
    ]),
  ];
}

/** Bits of a processing mask, the first date in the lowest bit of the first byte. */
function maskBits(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) bits[i >> 3]! |= mask[i]! << (i & 7);
  return bits;
}

/** A row a pixel, those without segments and those that failed among them. */
export function pixelsTable(grid: ChipGrid, chip: ChipResult): ParquetColumn[] {
  const { changes } = chip;
  const { nPx, failures, segments, processingMask, dates } = changes;
  const pixels = Array.from({ length: nPx }, (_, px) => px);
  const isOk = (px: number) => !failures.has(px);
  return [
    ...placeColumns(grid, chip, Uint32Array.from(pixels)),
    {
      name: 'segment_count',
      type: 'i32?',
      data: pixels.map((px) => (isOk(px) ? segments.offsets[px + 1]! - segments.offsets[px]! : null)),
    },
    { name: 'failure', type: 'text', data: pixels.map((px) => failures.get(px) ?? null) },
    { name: 'cloud_probability', type: 'f64', data: changes.cloudProbability },
    { name: 'snow_probability', type: 'f64', data: changes.snowProbability },
    { name: 'water_probability', type: 'f64', data: changes.waterProbability },
    {
      name: 'mask',
      type: 'bytes',
      data: pixels.map((px) =>
        isOk(px) ? maskBits(processingMask.subarray(px * dates.length, (px + 1) * dates.length)) : null,
      ),
    },
  ];
}

/** One row: what the pixels share, and how many of them have segments. */
export function chipTable(grid: ChipGrid, chip: ChipResult): ParquetColumn[] {
  const { h, v, changes, inputsMd5, producedMs } = chip;
  const { x, y } = chipCell(grid, h, v);
  const { withSegments, empty, failed } = summaryOf(grid, chip);
  const count = (name: string, n: number): ParquetColumn => ({ name, type: 'i32', data: Int32Array.of(n) });
  const text = (name: string, value: string): ParquetColumn => ({ name, type: 'text', data: [value] });
  return [
    { name: 'cx', type: 'f64', data: Float64Array.of(x) },
    { name: 'cy', type: 'f64', data: Float64Array.of(y) },
    count('chip_h', h),
    count('chip_v', v),
    text('grid', grid.name),
    text('crs', grid.crs),
    { name: 'pixel_size', type: 'f64', data: Float64Array.of(grid.pixelSize) },
    count('chip_px', grid.chipPx),
    text('algorithm', changes.algorithm),
    text('inputs_md5', inputsMd5),
    { name: 'produced', type: 'time', data: [producedMs] },
    { name: 'avg_days_yr', type: 'f64', data: Float64Array.of(changes.segments.avgDaysYr) },
    count('with_segments', withSegments),
    count('empty', empty),
    count('failed', failed),
    { name: 'dates', type: 'dates', data: [Array.from(changes.dates, (day) => day - EPOCH)] },
  ];
}
