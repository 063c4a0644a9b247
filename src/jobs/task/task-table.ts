// Tables of a set's tasks, in the columns and properties of odc-stats.
import type { FeatureCollection } from 'geojson';
import { FormatError } from '../../errors.js';
import { padded, regionCode } from '../../geo/gridspec.js';
import type { TileOutlines } from '../../geo/tile-outline.js';
import { countDays, parseTaskKey, sceneCounts, signed, type TaskKey } from './task.js';
import type { TaskDraft } from './task-cut.js';

/** A task of a set, as its table lists it. */
export interface TaskRow extends TaskKey {
  datasets: number;
  /** Distinct days of UTC. */
  days: number;
}

export function taskRows(drafts: readonly TaskDraft[]): TaskRow[] {
  return drafts.map(({ period, x, y, timesMs }) => ({
    period,
    x,
    y,
    datasets: timesMs.length,
    days: countDays(timesMs, 0),
  }));
}

const COLUMNS = '"T","X","Y","datasets","days"';
const places = (value: number) => String(value).padStart(4);

/** `"2019--P1Y", +0005, -0006,   12,   10` */
export function writeTaskCsv(rows: readonly TaskRow[]): string {
  const lines = rows.map(
    ({ period, x, y, datasets, days }) =>
      `"${period}", ${signed(x)}, ${signed(y)}, ${places(datasets)}, ${places(days)}\n`,
  );
  return `${COLUMNS}\n${lines.join('')}`;
}

/** @throws FormatError for a table of other columns, or a row that is no task */
export function readTaskCsv(text: string, url: string): TaskRow[] {
  const [columns, ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (columns?.trim() !== COLUMNS) throw new FormatError(`${url} is no table of tasks: wanted ${COLUMNS}`, { url });
  return lines.map((line, i) => {
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    const numbers = cells.slice(1).map(Number);
    if (cells.length !== 5 || !numbers.every(Number.isInteger))
      throw new FormatError(`${url}: row ${i + 1} is no task: ${line.slice(0, 80)}`, { url });
    const key = parseTaskKey(cells.slice(0, 3).join('/'))!;
    return { ...key, datasets: numbers[2]!, days: numbers[3]! };
  });
}

/** The tiles of one period, a feature each. */
export function taskGeoJson(drafts: readonly TaskDraft[], outlines: TileOutlines, digits: number): FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: drafts.map(({ x, y, timesMs, solarOffsetHours }) => ({
      type: 'Feature',
      geometry: outlines.outlineOf({ x, y }),
      properties: {
        title: `${padded(x, digits)},${padded(y, digits)}`,
        region_code: regionCode({ x, y }, digits),
        ix: x,
        iy: y,
        utc_offset: solarOffsetHours,
        total: timesMs.length,
        days: countDays(timesMs, solarOffsetHours),
      },
    })),
  };
}

/** `x05/y06/2019--P1Y days=070 ds=0071`: as a dry run of odc-stats begins. */
export function taskLine({ datasets, days, ...key }: TaskRow, digits: number, periodLabel = key.period): string {
  // Not cut in the middle, as folders are: a negative number would be torn, and its line is no id then.
  const tile = `x${padded(key.x, digits)}/y${padded(key.y, digits)}`;
  return `${tile}/${periodLabel} ${sceneCounts(days, datasets)}`;
}
