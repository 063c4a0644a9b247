// The series of one pixel for change detection, from a table: which column is what, and in which units.
import { InputError } from '../errors.js';
import { toOrdinal } from '../geo/ordinal.js';
import { PYCCD_BANDS } from './change-bands.js';
import type { PixelSeries } from './change-input.js';
import type { QaScheme } from './change-qa.js';
import { BAND_NUMBERS, kelvinOfCelsius } from './change-source.js';
import type { StackOptions } from './change-stack.js';
import type { DetectOptions } from './detect.js';
import { fromCollection2 } from './landsat-collection2.js';
import type { SeriesTable } from './series-table.js';

/** A pixel's observations, and what tells how they are read. */
export interface ObservedSeries {
  series: PixelSeries;
  options: Pick<DetectOptions, 'qaScheme' | 'wideInt' | 'thermalBand'>;
  /** What the numbers are of. */
  source: string;
}

export interface SeriesOptions extends Omit<StackOptions, 'stackBands'> {
  /** Of a table of several pixels, which: what its column of names says. */
  point?: string | undefined;
  thermal?: boolean | undefined;
}

const DATES =
  'date,dates,datetime,acquired,acquisition_date,date_acquired,sensing_time,time,timestamp,ordinal,system_time_start';
const POINTS = 'pixel_id,point_id,sample_id,site_id,point,sample,site,pixel,id';
const PLATFORMS = 'satellite,spacecraft_id,spacecraft,platform,sensor';
const QA: readonly (readonly [names: string, scheme: QaScheme | null])[] = [
  ['pixel_qa,pixelqa', 'pyccd'],
  ['qa_pixel', 'landsat-c2'],
  ['fmask,cfmask', 'fmask'],
  ['qa,qas', null],
];
const ALIASES: Readonly<Record<string, string>> = {
  nir: 'nir08',
  swir1: 'swir16,swir_1',
  swir2: 'swir22,swir_2',
  thermal: 'lwir11,lwir,temperature,bt',
};
/** How numbers stand in names of columns: b4, sr_b4, srb4, sr_band4; those of temperature have names of their own. */
const NUMBERED = (n: number, band: string) =>
  (band === 'thermal' ? ['b', 'bt_b', 'btb', 'bt_band', 'st_b'] : ['b', 'sr_b', 'srb', 'sr_band']).map(
    (p) => `${p}${n}`,
  );
const FILL = -9999;

type Column = readonly unknown[];

function columnOf({ columns }: SeriesTable, names: string): Column | null {
  const name = names.split(',').find((one) => columns.has(one));
  return name === undefined ? null : columns.get(name)!;
}

const isEmpty = (cell: unknown) => cell === undefined || cell === null || String(cell).trim() === '';

/** A day of 1950 to 2100 as an ordinal, as YYYYDDD or YYYYMMDD; a time in ms since 1970; or a date as text. */
function dayOf(cell: unknown, where: string): number {
  const text = String(cell ?? '').trim();
  const number = /^\d+(\.0*)?$|^\d(\.\d+)?e\+?\d+$/i.test(text) ? Number(text) : Number.NaN;
  const compact = String(Math.trunc(number));
  if (number >= 711_858 && number <= 767_009) return Math.trunc(number);
  if (/^(19|20)\d{6}$/.test(compact)) return toOrdinal(compact.replace(/(....)(..)(..)/, '$1-$2-$3'));
  const days = Number(compact.slice(4));
  if (/^(19|20)\d{5}$/.test(compact) && days >= 1 && days <= 366)
    return toOrdinal(`${compact.slice(0, 4)}-01-01`) + days - 1;
  if (Math.abs(number) > 1e9 && Math.abs(number) < 1e13) return Math.floor(number / 86_400_000) + 719_163;
  try {
    if (Number.isNaN(number)) return toOrdinal(text.replace(' ', 'T').slice(0, text.includes(':') ? undefined : 10));
  } catch {
    // Said below.
  }
  throw new InputError(`${where}: "${text.slice(0, 40)}" is no date: YYYY-MM-DD, YYYYMMDD, YYYYDDD or an ordinal`);
}

function numberOf(cell: unknown, where: string): number {
  if (isEmpty(cell)) return Number.NaN;
  const value = Number(cell);
  if (Number.isFinite(value)) return value;
  if (/^(nan|na|null|none)$/i.test(String(cell).trim())) return Number.NaN;
  throw new InputError(`${where}: "${String(cell).slice(0, 40)}" is no number`);
}

/** Rows of one pixel of a table that may have several. */
function rowsOfPoint(table: SeriesTable, name: string, point: string | undefined): number[] {
  const rows = Array.from({ length: table.length }, (_, i) => i);
  const ids = columnOf(table, POINTS)?.map(String);
  if (!ids) {
    if (point === undefined) return rows;
    throw new InputError(`${name} has no column that names pixels (${POINTS.replaceAll(',', ', ')})`, {
      option: 'point',
    });
  }
  const known = [...new Set(ids)];
  // A name for each row is none of a pixel.
  if (point === undefined && (known.length === 1 || known.length === table.length)) return rows;
  const shown = known.slice(0, 12).join(', ');
  if (point === undefined)
    throw new InputError(`${name} has ${known.length} pixels: say which (${shown})`, { option: 'point' });
  const own = rows.filter((row) => ids[row] === point);
  if (own.length > 0) return own;
  throw new InputError(`${name} has no pixel "${point}": it has ${shown}`, { option: 'point' });
}

interface Found {
  column: (row: number) => Column | null;
  isCollection2: boolean;
}

/** Where a band stands: by its name, else by its number, which is that of each row's instrument. */
function bandColumn(table: SeriesTable, band: string, index: number, name: string): Found | null {
  const named = columnOf(table, `${band},${band}s,${ALIASES[band] ?? ''},sr_${band}`);
  if (named) return { column: () => named, isCollection2: false };
  const of = (numbers: readonly number[]) => columnOf(table, NUMBERED(numbers[index]!, band).join(','));
  const [tm, oli] = [of(BAND_NUMBERS.tm), of(BAND_NUMBERS.oli)];
  if (!tm && !oli) return null;
  const isCollection2 = [...table.columns.keys()].some((key) => /^sr_b\d/.test(key));
  const platforms = columnOf(table, PLATFORMS);
  if (!platforms) {
    const wanted = `beside numbered bands a column of platforms is wanted (${PLATFORMS.replaceAll(',', ', ')})`;
    throw new InputError(`${name}: ${wanted}`, { band });
  }
  const isOli = platforms.map((platform) => Number(/(\d+)\D*$/.exec(String(platform))?.[1]) >= 8);
  return { column: (row) => (isOli[row] ? oli : tm), isCollection2 };
}

/** Numbers of a band in PyCCD's units. */
function inUnits(
  values: number[],
  band: string,
  { isCollection2 }: Found,
  options: SeriesOptions,
  name: string,
): ArrayLike<number> {
  const wrong = (what: string, option?: string) => new InputError(`${name}: ${what}`, option ? { option } : {});
  const there = values.filter((value) => value !== FILL);
  if (isCollection2) {
    if (!there.every((v) => Number.isInteger(v) && v >= 0 && v <= 65535))
      throw wrong(`${band} is no stored number of Collection 2`);
    return fromCollection2(
      Uint16Array.from(values, (v) => Math.max(0, v)),
      band === 'thermal' ? 'temperature' : 'reflectance',
    );
  }
  if (band === 'thermal') {
    if (options.thermalUnit === 'celsius-100') return values.map(kelvinOfCelsius);
    const cold = there.find((value) => value !== 0 && value < 1000);
    if (cold !== undefined)
      throw wrong(`thermal of ${cold} is no kelvin × 10: celsius-100 if it is °C × 100`, 'thermal-unit');
  } else if (
    there.length > 0 &&
    there.every((value) => Math.abs(value) <= 2) &&
    there.some((value) => !Number.isInteger(value))
  ) {
    throw wrong(`${band} of ${there.find((v) => !Number.isInteger(v))}: reflectance × 10000 is wanted`);
  }
  return values.every(Number.isInteger) ? values : Float64Array.from(values);
}

/**
 * The series of one pixel of a table. Columns are told by their names: a date, PyCCD's bands by their own or STAC's common names or by Landsat's
 * numbers beside a column of platforms, and QA. Rows without QA, or of zeros alone, hold nothing. Columns SR_B… with QA_PIXEL are
 * stored numbers of Collection 2.
 * @throws InputError for what is missing or cannot be read, naming column and row.
 */
export function seriesOfTable(table: SeriesTable, name: string, options: SeriesOptions = {}): ObservedSeries {
  const dates = columnOf(table, DATES);
  const qaFound = QA.map(([names, scheme]) => ({ column: columnOf(table, names), scheme })).find(
    ({ column }) => column,
  );
  const bands = PYCCD_BANDS.map((band, i) => [band, bandColumn(table, band, i, name)] as const);
  const missing = dates ? (bands.slice(0, 6).find(([, found]) => !found)?.[0] ?? (qaFound ? null : 'qa')) : 'date';
  if (missing !== null) {
    const has = [...table.columns.keys()].slice(0, 30).join(', ');
    throw new InputError(`${name} has no column of ${missing}; it has ${has || 'nothing'}`, { band: missing });
  }
  const qaScheme = options.qaScheme ?? qaFound!.scheme;
  if (!qaScheme)
    throw new InputError(`${name} does not say how its QA is read: give pyccd, fmask or landsat-c2`, {
      option: 'qa-scheme',
    });
  const cell = (row: number, band: string, found: Found | null) => {
    const column = found?.column(row) ?? null;
    return column === null ? null : numberOf(column[row], `${name}, row ${row + 1}, ${band}`);
  };
  const rows = rowsOfPoint(table, name, options.point).filter((row) => {
    const qa = numberOf(qaFound!.column![row], `${name}, row ${row + 1}, QA`);
    const isNothing = bands.slice(0, 6).every(([band, found]) => !cell(row, band, found));
    return !Number.isNaN(qa) && !(qa === 0 && isNothing);
  });
  if (rows.length === 0) throw new InputError(`${name} holds no observations`);
  const hasThermal = rows.every((row) => cell(row, 'thermal', bands[6]![1]) !== null);
  const thermal = hasThermal && options.thermal !== false;
  const series = bands.slice(0, thermal ? 7 : 6).map(([band, found]) => {
    const values = rows.map((row) => cell(row, band, found) ?? Number.NaN).map((v) => (Number.isNaN(v) ? FILL : v));
    return [band, inUnits(values, band, found!, options, name)] as const;
  });
  const isCollection2 = bands[0]![1]!.isCollection2;
  return {
    series: {
      dates: rows.map((row) => dayOf(dates![row], `${name}, row ${row + 1}`)),
      bands: Object.fromEntries(series),
      qa: rows.map((row) => numberOf(qaFound!.column![row], `${name}, row ${row + 1}, QA`)),
    },
    options: { qaScheme, ...(isCollection2 && { wideInt: true }), ...(!thermal && { thermalBand: null }) },
    source: name,
  };
}
