// Spans of the calendar as odc-stats writes them: 2019--P1Y, 2019-03--P3M, 2019-03-07--P10D.
import { InputError } from '../errors.js';

/** A whole number of years, months or days from the beginning of a day. Local time by the sun or UTC: its user says which. Plain data. */
export interface Period {
  /** First millisecond, as if it were UTC. */
  startMs: number;
  /** Last millisecond. */
  endMs: number;
  count: number;
  unit: PeriodUnit;
}

export type PeriodUnit = 'Y' | 'M' | 'D';

/** `odc`: ends as odc-stats computes them; see {@link periodOf}. */
export type PeriodCompat = 'odc' | null;

const DAY_MS = 86_400_000;
const MAX_COUNT: Readonly<Record<PeriodUnit, number>> = { Y: 1000, M: 12_000, D: 400_000 };

/** Ms of a date; days and months beyond the calendar's go over into the next, years are 1 to 9999. */
export function dateMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** Days of a month, 1–12. */
export function daysOfMonth(year: number, month: number): number {
  return new Date(dateMs(year, month + 1, 0)).getUTCDate();
}

/** Year, month 1–12 and day of an instant. */
export function dateOf(timeMs: number): { year: number; month: number; day: number } {
  const date = new Date(timeMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** The day so many months later; where its month is too short, that month's last day. */
export function plusMonths(timeMs: number, months: number): number {
  const { year, month, day } = dateOf(timeMs);
  const at = dateOf(dateMs(year, month + months, 1));
  return dateMs(at.year, at.month, Math.min(day, daysOfMonth(at.year, at.month)));
}

/** The first instant after the period. */
function nextMs(startMs: number, count: number, unit: PeriodUnit): number {
  return unit === 'D' ? startMs + count * DAY_MS : plusMonths(startMs, unit === 'Y' ? 12 * count : count);
}

/**
 * The period of so many units from a day on. It ends by the calendar: a month from 30 January ends before 30 February would begin, that
 * is before the month's last day. Under `odc` it ends as long after the end of the calendar period that holds its start as it began
 * after that one's beginning: a month from 30 January ends on 1 March.
 */
export function periodOf(startMs: number, count: number, unit: PeriodUnit, compat: PeriodCompat = null): Period {
  if (!(Number.isInteger(count) && count >= 1 && count <= MAX_COUNT[unit]))
    throw new InputError(
      `a period has 1 to ${MAX_COUNT[unit]} ${{ Y: 'years', M: 'months', D: 'days' }[unit]}, not ${count}`,
    );
  const { year, month } = dateOf(startMs);
  const calendarMs = unit === 'Y' ? dateMs(year, 1, 1) : unit === 'M' ? dateMs(year, month, 1) : startMs;
  const endMs =
    compat === 'odc' ? nextMs(calendarMs, count, unit) + (startMs - calendarMs) - 1 : nextMs(startMs, count, unit) - 1;
  return { startMs, endMs, count, unit };
}

/**
 * `START--P<N><unit>`: START is a year, month or day, the unit Y, M, W (7 days) or D. Both ends belong to it.
 * @throws InputError that says what was wanted
 */
export function parsePeriod(text: string, compat: PeriodCompat = null): Period {
  const wrong = (why: string) =>
    new InputError(
      `${why}: ${JSON.stringify(text.slice(0, 60))}; wanted START--P<N><unit> like 2019--P1Y, 2019-03--P3M or 2019-03-07--P10D`,
      {
        option: 'temporal-range',
      },
    );
  const match = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?--P(\d{1,6})([A-Z])$/i.exec(text.trim());
  if (!match) throw wrong('not a period');
  const [year, month, day, count] = [match[1], match[2] ?? 1, match[3] ?? 1, match[4]].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const letter = match[5]!.toUpperCase();
  if (!['Y', 'M', 'W', 'D'].includes(letter)) throw wrong(`no unit is called ${letter}`);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month))
    throw wrong('not a date of the calendar');
  if (count < 1) throw wrong('a period is not empty');
  const startMs = dateMs(year, month, day);
  return letter === 'W'
    ? periodOf(startMs, count * 7, 'D', compat)
    : periodOf(startMs, count, letter as PeriodUnit, compat);
}

/** The shortest text that reads back to the same: years from 1 January on by the year, months from a first by the month. */
export function periodLabel({ startMs, count, unit }: Period): string {
  const { month, day } = dateOf(startMs);
  const date = new Date(startMs).toISOString().slice(0, 10);
  if (unit === 'Y' && month === 1 && day === 1) return `${date.slice(0, 4)}--P${count}Y`;
  if (unit === 'M' && day === 1) return `${date.slice(0, 7)}--P${count}M`;
  return `${date}--P${count}${unit}`;
}

export function inPeriod(timeMs: number, { startMs, endMs }: Period): boolean {
  return timeMs >= startMs && timeMs <= endMs;
}
