// How time is cut into the periods of tasks.
import { InputError } from '../errors.js';
import {
  dateMs,
  dateOf,
  daysOfMonth,
  inPeriod,
  type Period,
  parsePeriod,
  periodLabel,
  periodOf,
  plusMonths,
} from './period.js';

/** A period with its two names. Plain data. */
export interface NamedPeriod extends Period {
  /** In ids of tasks; always says the start. */
  key: string;
  /** Of folders and file names. */
  label: string;
}

/** A rule; `months` cuts the year from `month` on, `season` keeps one stretch of it. */
export type Frequency =
  | { kind: 'months'; count: number; month: number }
  | { kind: 'season'; count: number; month: number }
  | { kind: 'rolling'; count: number; unit: 'Y' | 'M'; centre: boolean }
  | { kind: 'fortnights' }
  | { kind: 'dekads' }
  | { kind: 'range-seasons' }
  | { kind: 'all' }
  | { kind: 'list'; periods: readonly Period[] };

const months = (count: number, month = 1): Frequency => ({ kind: 'months', count, month });

const NAMED: Readonly<Record<string, Frequency>> = {
  annual: months(12),
  'annual-fy': months(12, 7),
  semiannual: months(6),
  seasonal: months(3, 12),
  quartely: months(3),
  quarterly: months(3),
  monthly: months(1),
  'water-year': months(12, 10),
  '3month-seasons': { kind: 'range-seasons' },
  'nov-mar': { kind: 'season', count: 5, month: 11 },
  'apr-oct': { kind: 'season', count: 7, month: 4 },
  fortnights: { kind: 'fortnights' },
  dekads: { kind: 'dekads' },
  all: { kind: 'all' },
};

/** Names that {@link parseFrequency} knows, for messages. */
export const FREQUENCY_NAMES: readonly string[] = [...Object.keys(NAMED), 'rolling-3months', 'rolling-3years'];

export interface FrequencyOptions {
  /** When a water year begins, 1–12; default October. */
  startMonth?: number | undefined;
  /** What rolling periods are called by; default: years by their middle, months by their start, as odc-stats does. */
  label?: 'start' | 'centre' | undefined;
}

/**
 * A frequency by name, `rolling-<N>months`, `rolling-<N>years`, or a list of periods (`2019-01--P2M,2019-06--P1M`).
 * @throws InputError that names what is known
 */
export function parseFrequency(text: string, { startMonth, label }: FrequencyOptions = {}): Frequency {
  const name = text.trim().toLowerCase();
  if (startMonth !== undefined && name !== 'water-year')
    throw new InputError(`it says when a water-year begins, and the frequency is ${name}`, { option: 'start-month' });
  const rolling = /^rolling-(\d{1,3})-?(month|year)s?$/.exec(name);
  if (label !== undefined && !rolling)
    throw new InputError(`it is of rolling frequencies, and the frequency is ${name}`, { option: 'period-label' });
  if (name === 'water-year' && startMonth !== undefined) {
    if (Number.isInteger(startMonth) && startMonth >= 1 && startMonth <= 12) return months(12, startMonth);
    throw new InputError(`months are 1 to 12, not ${startMonth}`, { option: 'start-month' });
  }
  if (rolling && Number(rolling[1]) > 0) {
    const unit = rolling[2] === 'year' ? 'Y' : 'M';
    return {
      kind: 'rolling',
      count: Number(rolling[1]),
      unit,
      centre: (label ?? (unit === 'Y' ? 'centre' : 'start')) === 'centre',
    };
  }
  if (Object.hasOwn(NAMED, name)) return NAMED[name]!;
  if (name.includes('--p')) return { kind: 'list', periods: text.split(',').map((part) => parsePeriod(part)) };
  throw new InputError(
    `no frequency is called ${JSON.stringify(text.slice(0, 60))}: wanted ${FREQUENCY_NAMES.join(', ')}, or periods like 2019-01--P2M,2019-06--P1M`,
    { option: 'frequency' },
  );
}

const named = (period: Period, key = periodLabel(period), label = periodLabel(period)): NamedPeriod => ({
  ...period,
  key,
  label,
});

/** Twelve months are a year; ids name its first month, where that is not January. */
function monthsFrom(year: number, month: number, count: number): NamedPeriod {
  if (count !== 12) return named(periodOf(dateMs(year, month, 1), count, 'M'));
  const period = periodOf(dateMs(year, month, 1), 1, 'Y');
  const date = new Date(period.startMs).toISOString();
  return named(period, dateOf(period.startMs).month === 1 ? undefined : `${date.slice(0, 7)}--P1Y`);
}

/** The stretch of `count` months, counted from `month` on around the year, that holds an instant. */
function stretch(timeMs: number, { count, month }: { count: number; month: number }, single: boolean): NamedPeriod[] {
  const now = dateOf(timeMs);
  const since = (now.month - month + 12) % 12;
  if (single && since >= count) return [];
  // A month before January is one of the year before.
  return [monthsFrom(now.year, now.month - (since % count), count)];
}

function dekad(timeMs: number): NamedPeriod {
  const { year, month, day } = dateOf(timeMs);
  const first = day <= 10 ? 1 : day <= 20 ? 11 : 21;
  return named(periodOf(dateMs(year, month, first), first === 21 ? daysOfMonth(year, month) - 20 : 10, 'D'));
}

const DAY_MS = 86_400_000;

/** 14 days from 1 January; the 27th has the one or two days that are left. */
function fortnight(timeMs: number): NamedPeriod {
  const { year } = dateOf(timeMs);
  const newYearMs = dateMs(year, 1, 1);
  const startMs = newYearMs + Math.floor((timeMs - newYearMs) / (14 * DAY_MS)) * 14 * DAY_MS;
  const left = (dateMs(year + 1, 1, 1) - startMs) / DAY_MS;
  return named(periodOf(startMs, Math.min(14, left), 'D'));
}

/** All windows that fit into a span, each a step of one unit after the one before. */
function rollingPeriods({ count, unit, centre }: Extract<Frequency, { kind: 'rolling' }>, span: Span): NamedPeriod[] {
  const step = unit === 'Y' ? 12 : 1;
  const periods: NamedPeriod[] = [];
  for (let i = 0; ; i++) {
    const period = periodOf(plusMonths(span.startMs, i * step), count, unit);
    if (period.endMs > span.endMs) return periods;
    const key = periodLabel(period);
    const middle = periodOf(plusMonths(period.startMs, Math.floor(count / 2) * step), count, unit);
    periods.push(named(period, key, centre ? periodLabel(middle) : key));
  }
}

interface Span {
  startMs: number;
  endMs: number;
}

/** The years that a span touches, or its months. */
function rounded({ startMs, endMs }: Span, unit: 'Y' | 'M'): Period {
  const [first, last] = [dateOf(startMs), dateOf(endMs)];
  if (unit === 'Y') return periodOf(dateMs(first.year, 1, 1), last.year - first.year + 1, 'Y');
  const count = (last.year - first.year) * 12 + last.month - first.month + 1;
  return periodOf(dateMs(first.year, first.month, 1), count, 'M');
}

/** The periods that an instant belongs to: none, one, or several that overlap. */
export type Calendar = (timeMs: number) => readonly NamedPeriod[];

/**
 * The calendar of a frequency.
 * @param range what `--temporal-range` says; null: nothing
 * @param span first and last instant of the data, where the frequency asks for it (`all`, rolling)
 * @throws InputError where a frequency needs a range and has none, or no window fits into it
 */
export function calendarOf(frequency: Frequency, range: Period | null, span: Span): Calendar {
  switch (frequency.kind) {
    case 'months':
      return (timeMs) => stretch(timeMs, frequency, false);
    case 'season':
      return (timeMs) => stretch(timeMs, frequency, true);
    case 'range-seasons': {
      if (!range)
        throw new InputError('3month-seasons begin with the month of --temporal-range, which is not given', {
          option: 'frequency',
        });
      const season = { count: 3, month: dateOf(range.startMs).month };
      return (timeMs) => stretch(timeMs, season, false);
    }
    case 'dekads':
      return (timeMs) => [dekad(timeMs)];
    case 'fortnights':
      return (timeMs) => [fortnight(timeMs)];
    case 'all': {
      const whole = named(range ?? rounded(span, 'Y'));
      return (timeMs) => (inPeriod(timeMs, whole) ? [whole] : []);
    }
    case 'list':
      return listed(frequency.periods.map((period) => named(period)));
    case 'rolling': {
      const within = range ?? rounded(span, frequency.unit);
      const windows = rollingPeriods(frequency, within);
      if (windows.length === 0)
        throw new InputError(
          `no window of ${frequency.count} ${frequency.unit === 'Y' ? 'years' : 'months'} fits into ${periodLabel(within)}`,
          { option: 'frequency' },
        );
      return listed(windows);
    }
  }
}

function listed(periods: readonly NamedPeriod[]): Calendar {
  return (timeMs) => periods.filter((period) => inPeriod(timeMs, period));
}
