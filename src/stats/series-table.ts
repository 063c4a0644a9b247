// Series of one pixel as a table: a row a date, or a list a column.
import { InputError } from '../errors.js';
import { rowsOf, separatorOf } from '../io/csv.js';
import { isObject } from '../io/stac-item.js';

/** Columns by name, as they are written there; values of a row stand at one place in all. */
export interface SeriesTable {
  columns: ReadonlyMap<string, readonly unknown[]>;
  length: number;
}

/** Names as they are compared: `SR_B4`, `sr b4` and `sr.b4` are one. */
export const columnName = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');

const MOST_ROWS = 2_000_000;

function tableOfRows(header: readonly string[], rows: readonly (readonly unknown[])[]): SeriesTable {
  const columns = new Map<string, unknown[]>();
  for (const [i, name] of header.entries()) {
    if (name !== '' && !columns.has(name))
      columns.set(
        name,
        rows.map((row) => row[i]),
      );
  }
  return { columns, length: rows.length };
}

/** A table of text with a header; commas, semicolons or tabs between cells. */
export function tableOfCsv(text: string, name: string): SeriesTable {
  const rows = rowsOf(text, separatorOf(text));
  const header = rows.next().value?.cells.map(columnName) ?? [];
  const cells: string[][] = [];
  for (const row of rows) {
    cells.push(row.cells);
    if (cells.length > MOST_ROWS) throw new InputError(`${name} has more than ${MOST_ROWS} rows`);
  }
  return tableOfRows(header, cells);
}

/** Whether a JSON document is a series: a list of rows that are no features, or an object with a list of dates. */
export function isSeriesJson(document: unknown): boolean {
  if (Array.isArray(document))
    return document.length > 0 && document.every((row) => isObject(row) && !('assets' in row));
  return isObject(document) && Array.isArray(document.dates);
}

/** A table of JSON: a list of rows, or lists by name beside `dates`, those of bands also within `bands`. */
export function tableOfJson(document: unknown, name: string): SeriesTable {
  if (Array.isArray(document)) {
    const rows = document.filter(isObject);
    const header = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return tableOfRows(
      header.map(columnName),
      rows.map((row) => header.map((key) => row[key])),
    );
  }
  const object = isObject(document) ? document : {};
  const lists = { ...object, ...(isObject(object.bands) ? object.bands : {}) };
  const columns = new Map<string, readonly unknown[]>();
  for (const [key, list] of Object.entries(lists)) if (Array.isArray(list)) columns.set(columnName(key), list);
  const length = columns.get('dates')?.length ?? 0;
  const uneven = [...columns].find(([, list]) => list.length !== length);
  if (uneven)
    throw new InputError(`${name}: ${uneven[0]} has ${uneven[1].length} values, and there are ${length} dates`);
  return { columns, length };
}
