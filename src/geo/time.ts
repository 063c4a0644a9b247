import { InputError } from '../errors.js';

/** A span of time, both ends included (ms UTC); null is open. */
export interface Interval {
  startMs: number | null;
  endMs: number | null;
}

const DAY_MS = 86_400_000;
const DATETIME = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s*([Zz]|[+-]\d{2}:?\d{2})?)?$/;

function impossible(text: string, wanted: string): InputError {
  return new InputError(`not a ${wanted}: ${JSON.stringify(text.slice(0, 60))}`, { option: 'datetime' });
}

/**
 * Ms UTC of an RFC 3339 date or time; a time without a zone is UTC, a bare date is its first millisecond. Parsed by hand, because
 * engines differ in what else `Date.parse` takes and roll 30 February over.
 */
export function parseDatetime(text: string): number {
  const match = DATETIME.exec(text.trim());
  if (!match) throw impossible(text, 'date or time like 2020-05-09 or 2020-05-09T10:30:00Z');
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as number[];
  const dayMs = Date.UTC(year!, month! - 1, day!);
  const date = new Date(dayMs);
  date.setUTCFullYear(year!); // Date.UTC takes the years 0–99 for 1900–1999
  const real = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day!;
  if (!real || hour! > 24 || minute! > 59 || second! > 60) throw impossible(text, 'date of the calendar');
  const milliseconds = match[7] ? Math.floor(Number(match[7]) * 1000) : 0;
  const zone = match[8] ?? 'Z';
  const sign = zone.startsWith('-') ? -1 : 1;
  const digits = zone.replace(/[^0-9]/g, '').padStart(4, '0');
  const zoneMinutes = sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2)));
  return date.getTime() + ((hour! * 60 + minute! - zoneMinutes) * 60 + second!) * 1000 + milliseconds;
}

/** The last millisecond that `text` names: of the year, month or day when nothing finer is said, else the instant itself. */
function lastOf(text: string): number {
  const match = /^(\d{4})(?:-(\d{2}))?$/.exec(text);
  if (match) {
    parseDatetime(`${match[1]}-${match[2] ?? '12'}-01`);
    return Date.UTC(Number(match[1]), match[2] ? Number(match[2]) : 12, 1) - 1;
  }
  const timeMs = parseDatetime(text);
  return text.length === 10 ? timeMs + DAY_MS - 1 : timeMs;
}

function firstOf(text: string): number {
  if (/^\d{4}$/.test(text)) return parseDatetime(`${text}-01-01`);
  if (/^\d{4}-\d{2}$/.test(text)) return parseDatetime(`${text}-01`);
  return parseDatetime(text);
}

/**
 * `--datetime`: an instant, a day, a month or a year, or two of them as `a/b` (`../b`, `a/..`: open). Whole days: `2020-05-01/2020-05-31`
 * includes all of the 31st.
 */
export function parseInterval(text: string): Interval {
  const parts = text.trim().split('/');
  if (parts.length > 2) throw impossible(text, 'time interval like 2020-05-01/2020-05-31');
  const [start, end] = parts.length === 1 ? [parts[0]!, parts[0]!] : [parts[0]!, parts[1]!];
  const open = (part: string) => part === '..' || (part === '' && parts.length === 2);
  if (open(start) && open(end)) throw impossible(text, 'time interval with at least one end');
  const interval = { startMs: open(start) ? null : firstOf(start), endMs: open(end) ? null : lastOf(end) };
  if (interval.startMs !== null && interval.endMs !== null && interval.startMs > interval.endMs)
    throw new InputError(`the interval ${text} ends before it starts`, { option: 'datetime' });
  return interval;
}

export function inInterval(timeMs: number, { startMs, endMs }: Interval): boolean {
  return (startMs === null || timeMs >= startMs) && (endMs === null || timeMs <= endMs);
}

/** `--months`: "6-8,12" → [6, 7, 8, 12]; "11-2" goes over the year's end. Sorted, 1–12. */
export function parseMonths(text: string): number[] {
  const months = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,2})(?:\s*-\s*(\d{1,2}))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || first < 1 || first > 12 || last < 1 || last > 12)
      throw new InputError(`months are 1 to 12, like "6-8,12", not ${JSON.stringify(text.slice(0, 60))}`, {
        option: 'months',
      });
    for (let month = first; ; month = (month % 12) + 1) {
      months.add(month);
      if (month === last) break;
    }
  }
  return [...months].sort((a, b) => a - b);
}

/** Month of the year in UTC, 1–12. */
export function monthOf(timeMs: number): number {
  return new Date(timeMs).getUTCMonth() + 1;
}

/**
 * The local day by the sun, as days since 1970-01-01: UTC plus int(lon / 15 + 0.5) hours, truncated towards zero as odc-stats does, so
 * that task sets agree with theirs. `lonDeg`: the scene's centre, −180 to 180.
 */
export function solarDay(timeMs: number, lonDeg: number): number {
  return Math.floor((timeMs + Math.trunc(lonDeg / 15 + 0.5) * 3_600_000) / DAY_MS);
}

/** YYYY-MM-DD of days since 1970-01-01. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
