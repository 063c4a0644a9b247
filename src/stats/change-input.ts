// Checks what change detection is given, and brings it into the kernels' types.
import { InputError } from '../errors.js';
import { LAST_ORDINAL } from '../geo/ordinal.js';
import type { CcdcValues } from '../kernels/ccdc.js';
import type { PixelArray } from '../kernels/strip.js';

/** Series of one pixel, all of one length. */
export interface PixelSeries {
  /** Ordinals (0001-01-01 is 1) in any order. */
  dates: ArrayLike<number>;
  /** A series by name of the band. */
  bands: Readonly<Record<string, ArrayLike<number>>>;
  qa: ArrayLike<number>;
}

/** Series of the pixels of a chip. */
export interface ChipData {
  /** Ordinals (0001-01-01 is 1) in any order, [nTime]. */
  dates: ArrayLike<number>;
  /** [nTime][nBand][rows][cols] */
  data: PixelArray;
  /** [nTime][rows][cols] */
  qa: ArrayLike<number>;
  rows: number;
  cols: number;
  /** Names of the bands in their order; PyCCD's seven when not given. */
  bands?: readonly string[];
}

const MOST_DATES = 65_535;
/** More than an ARD tile has; the results alone take 28 bytes a pixel. */
const MOST_PX = 2 ** 25;

/** Dates ascending, and the place of each in the input; equal dates keep their order. */
export function sortedDates(dates: ArrayLike<number>): { days: Int32Array; order: Uint32Array } {
  const n = dates.length;
  if (n > MOST_DATES) {
    throw new InputError(`change detection takes at most ${MOST_DATES} dates, got ${n}`, { option: 'dates' });
  }
  for (let i = 0; i < n; i++) {
    const day = dates[i]!;
    if (!(Number.isInteger(day) && day >= 1 && day <= LAST_ORDINAL)) {
      const wanted = `whole ordinals from 1 to ${LAST_ORDINAL}`;
      throw new InputError(`dates must be ${wanted}, got ${day} at ${i}`, { option: 'dates' });
    }
  }
  const order = new Uint32Array(n);
  let isAscending = true;
  let isDescending = true;
  for (let i = 0; i < n; i++) {
    order[i] = i;
    isAscending &&= i === 0 || dates[i - 1]! <= dates[i]!;
    isDescending &&= i === 0 || dates[i - 1]! > dates[i]!;
  }
  // Mostly they come in order, or in that of LCMAP: newest first.
  if (!isAscending && isDescending) order.reverse();
  else if (!isAscending) order.sort((a, b) => dates[a]! - dates[b]! || a - b);
  const days = new Int32Array(n);
  for (let i = 0; i < n; i++) days[i] = dates[order[i]!]!;
  return { days, order };
}

/**
 * QA as u16. Of packed values the low 16 bits count; a class beyond 16 bits (a fill of −9999, say) becomes `unclassed`, a value that is
 * no class. null: they are packed.
 */
export function qaValues(qa: ArrayLike<number>, length: number, unclassed: number | null): Uint16Array {
  if (qa.length !== length) throw new InputError(`qa must have ${length} values, got ${qa.length}`, { option: 'qa' });
  if (qa instanceof Uint16Array) return qa;
  const values = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const value = qa[i]!;
    if (!Number.isInteger(value)) {
      throw new InputError(`qa must be whole numbers, got ${value} at ${i}`, { option: 'qa' });
    }
    const fits = unclassed === null || (value >= 0 && value <= 65535);
    values[i] = fits ? value : unclassed;
  }
  return values;
}

function finite(values: Float32Array | Float64Array, where: (i: number) => string): Float64Array {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw new InputError(`values must be finite, got ${values[i]} ${where(i)}`, { option: 'data' });
    }
  }
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

const kindOf = (value: unknown) => (typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value);

/** Values as the kernels read them: 16-bit integers stay so, other integers become 32-bit, floats (and u32) f64. */
function widened(values: PixelArray, where: (i: number) => string): CcdcValues {
  if (!ArrayBuffer.isView(values) || values instanceof DataView || typeof values[0] === 'bigint') {
    throw new InputError(`a typed array of numbers is wanted ${where(0)}, got ${kindOf(values)}`, { option: 'data' });
  }
  if (values instanceof Int16Array || values instanceof Int32Array) return values;
  if (values instanceof Float32Array || values instanceof Float64Array) return finite(values, where);
  return values instanceof Uint32Array ? Float64Array.from(values) : Int32Array.from(values);
}

/** Checks a chip's data and sizes: [nTime][nBand][rows][cols]. */
export function chipValues(
  data: PixelArray,
  { nTime, nBand, rows, cols }: { nTime: number; nBand: number; rows: number; cols: number },
): CcdcValues {
  for (const [name, value] of Object.entries({ rows, cols })) {
    if (!(Number.isInteger(value) && value >= 0)) {
      throw new InputError(`${name} must be a whole number that is not negative, got ${value}`, { option: name });
    }
  }
  if (rows * cols > MOST_PX) throw new InputError(`a chip takes at most ${MOST_PX} px, got ${rows} × ${cols}`);
  const length = nTime * nBand * rows * cols;
  if (data.length !== length) {
    const sizes = `${nTime} dates × ${nBand} bands × ${rows} rows × ${cols} cols`;
    throw new InputError(`data must have ${length} values (${sizes}), got ${data.length}`, { option: 'data' });
  }
  return widened(data, (i) => `in data at ${i}`);
}

/** A band as a typed array: a plain one must hold integers of 16 bits, or of 32 when they are wide. */
function typedBand(name: string, values: ArrayLike<number>, isWide: boolean): PixelArray {
  if (ArrayBuffer.isView(values)) return values as PixelArray;
  const typed = isWide ? new Int32Array(values.length) : new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    typed[i] = values[i]!;
    if (typed[i] === values[i]) continue;
    const wanted = isWide ? '32-bit integers' : '16-bit integers (or wideInt, or a typed array)';
    throw new InputError(`band ${name} must hold ${wanted}, got ${values[i]} at ${i}`, { band: name });
  }
  return typed;
}

/** One pixel as a chip of one: its bands together in the widest type that any of them has. */
export function pixelChip(
  { dates, bands, qa }: PixelSeries,
  names: readonly string[],
  { isWide, unclassed }: { isWide: boolean; unclassed: number | null },
): { values: CcdcValues; qa: Uint16Array } {
  const nTime = dates.length;
  const columns = names.map((name) => {
    const given = bands[name];
    if (given?.length !== nTime) {
      throw new InputError(`band ${name} must have ${nTime} values, one a date, got ${given?.length}`, { band: name });
    }
    return widened(typedBand(name, given, isWide), (i) => `in band ${name} at ${i}`);
  });
  const length = nTime * names.length;
  const values = columns.some((c) => c instanceof Float64Array)
    ? new Float64Array(length)
    : columns.every((c) => c instanceof Int16Array)
      ? new Int16Array(length)
      : new Int32Array(length);
  columns.forEach((column, b) => {
    for (let t = 0; t < nTime; t++) values[t * names.length + b] = column[t]!;
  });
  return { values, qa: qaValues(qa, nTime, unclassed) };
}
