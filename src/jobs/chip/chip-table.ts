import { type Crs, describeCrs } from '../../geo/crs.js';
import { DTYPE_NAMES } from '../../io/raster.js';
import type { ChipLabel } from './chip-labels.js';
import type { ChipReport, Chips } from './chip-run.js';

/** What is written of chips beside their samples. */
export interface ChipTable {
  shape: readonly number[];
  dtype: string;
  /** What masked samples hold. */
  fill: number;
  times: Chips['times'];
  bands: readonly string[];
  /** Of each band: value × scale + offset. */
  meanings: Chips['meanings'];
  /** Rasters or scenes that chips name by their place in this list. */
  sources: readonly string[];
  report: ChipReport;
  pointsCrs: string;
}

/** A CRS as others can read it: its code, its definition, or the nearest to one. */
const crsText = (crs: Crs | null) =>
  crs && (crs.epsg === null ? (crs.definition ?? describeCrs(crs)) : describeCrs(crs));

export function chipTable(chips: Chips, nPoint: number, report: ChipReport, pointsCrs: Crs): ChipTable {
  const { shape, dtype, fill, times, bands, meanings, sources } = chips;
  return {
    shape: [nPoint, ...shape.slice(1)],
    dtype: DTYPE_NAMES[dtype],
    fill,
    times,
    bands,
    meanings,
    sources,
    report,
    pointsCrs: crsText(pointsCrs)!,
  };
}

/** A chip's label as JSON has it. `file` is the name of its own file, null where there is none. */
export function labelRecord({ crs, ...label }: ChipLabel, file?: string | null): object {
  return { ...label, crs: crsText(crs), ...(file !== undefined && { file }) };
}

const cell = (value: unknown) => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line a chip: index, id, coordinate, status, CRS, the six numbers of the transform, its first source and how many, and its file. */
export function labelCsv(
  labels: readonly ChipLabel[],
  sources: readonly string[],
  fileOf?: (label: ChipLabel) => string | null,
): string {
  const lines = labels.map((label) => {
    const { index, id, x, y, status, crs, transform } = label;
    const from = [sources[label.sources[0]!], label.sources.length];
    const numbers = transform ?? new Array(6).fill(null);
    return [index, id, x, y, status, crsText(crs), ...numbers, ...from, ...(fileOf ? [fileOf(label)] : [])];
  });
  const header = [
    'index',
    'id',
    'x',
    'y',
    'status',
    'crs',
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'source',
    'sources',
    ...(fileOf ? ['file'] : []),
  ];
  return `${[header, ...lines].map((line) => line.map(cell).join(',')).join('\n')}\n`;
}
