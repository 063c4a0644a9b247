import { InputError } from '../errors.js';
import { type CsvRow, rowsOf, separatorOf } from './csv.js';
import type { PointList } from './points.js';

const X_NAMES = ['lon', 'longitude', 'lng', 'long', 'x', 'easting'];
const Y_NAMES = ['lat', 'latitude', 'y', 'northing'];
const ID_NAMES = ['id', 'name', 'pid', 'point', 'point_id'];

/** Points of a table whose header names their columns: lon or x, lat or y, and maybe id; the other columns become properties. */
export function pointsOfCsv(text: string, name: string): PointList {
  const rows = rowsOf(text, separatorOf(text));
  const header: string[] = (rows.next().value as CsvRow | undefined)?.cells.map((cell) => cell.trim()) ?? [];
  const columnOf = (names: readonly string[]) => header.findIndex((cell) => names.includes(cell.toLowerCase()));
  const [xColumn, yColumn, idColumn] = [columnOf(X_NAMES), columnOf(Y_NAMES), columnOf(ID_NAMES)];
  if (xColumn < 0 || yColumn < 0) {
    const got = header.slice(0, 12).join(', ').slice(0, 120);
    throw new InputError(
      `${name} needs a header with the columns lon and lat, or x and y, and has: ${got || 'nothing'}`,
    );
  }
  const found: PointList = { coordinates: [], ids: [], properties: [] };
  for (const { cells, line } of rows) {
    const numbers = [cells[xColumn], cells[yColumn]].map((cell) => (cell?.trim() ? Number(cell) : Number.NaN));
    if (!numbers.every(Number.isFinite)) {
      const [x = '', y = ''] = [cells[xColumn], cells[yColumn]];
      throw new InputError(`${name}, line ${line}: coordinates that are no numbers: "${x}", "${y}"`);
    }
    found.coordinates.push(numbers[0]!, numbers[1]!);
    found.ids.push(idColumn < 0 ? null : (cells[idColumn] ?? ''));
    const rest = header.flatMap((key, i) =>
      [xColumn, yColumn, idColumn].includes(i) || key === '' ? [] : [[key, cells[i] ?? ''] as const],
    );
    found.properties.push(rest.length > 0 ? Object.fromEntries(rest) : null);
  }
  return found;
}
