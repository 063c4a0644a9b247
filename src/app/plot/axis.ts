// Axes: which part of the numbers is shown, and where the ticks are.
import { fromOrdinal, toOrdinal } from '../../geo/ordinal.js';

export interface Tick {
  at: number;
  /** Empty for a tick between labels. */
  label: string;
}

export interface Axis {
  from: number;
  to: number;
  ticks: Tick[];
}

/** Part of the observations beyond the axis at either end, so that a few outliers do not press the others together. */
const TRIM = 0.01;
const PAD = 0.08;
const NICE = [1, 2, 2.5, 5, 10];

function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

function labelOf(value: number, decimals: number): string {
  const label = value.toFixed(decimals);
  return Number(label) === 0 ? label.replace('-', '') : label.replace('-', '\u2212');
}

/** The axis of values by most of them, and by the curves as long as these stay near; at least `count` − 1 steps or so. */
export function valueAxis(values: readonly number[], curves: readonly number[], count = 5): Axis {
  const sorted = [...values].sort((a, b) => a - b);
  const trim = sorted.length > 20 ? TRIM : 0;
  let [low, high] = sorted.length > 0 ? [quantile(sorted, trim), quantile(sorted, 1 - trim)] : [0, 1];
  const room = (high - low) / 2;
  for (const value of curves) {
    low = Math.min(low, Math.max(value, quantile(sorted.length > 0 ? sorted : [0], trim) - room));
    high = Math.max(high, Math.min(value, quantile(sorted.length > 0 ? sorted : [1], 1 - trim) + room));
  }
  if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
  const pad = PAD * (high - low);
  const from = low >= 0 ? Math.max(0, low - pad) : low - pad;
  const to = high + pad;
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * NICE.find((nice) => nice * power >= raw * 0.999)!;
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step / power === 2.5 ? 1 : 0));
  const ticks: Tick[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++)
    ticks.push({ at: i * step, label: labelOf(i * step, decimals) });
  return { from, to, ticks };
}

const YEAR_STEPS = [1, 2, 5, 10, 20, 50, 100, 500];
const MONTHS_OF_SHORT = 3;

/** The axis of time: years, or quarters where there are few; labels at least `gapPx` apart. */
export function timeAxis(
  firstDay: number,
  lastDay: number,
  { widthPx, gapPx = 46 }: { widthPx: number; gapPx?: number },
): Axis {
  const span = Math.max(60, lastDay - firstDay);
  const [from, to] = [firstDay - 0.015 * span, firstDay + 1.015 * span];
  const within = ({ at }: Tick) => at >= from && at <= to;
  const yearOf = (day: number) => Number(fromOrdinal(Math.min(3_652_059, Math.max(1, Math.round(day)))).slice(0, 4));
  const [firstYear, lastYear] = [yearOf(from), yearOf(to) + 1];
  const day = (year: number, month: number) =>
    toOrdinal(`${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-01`);
  const years = Array.from({ length: lastYear - firstYear + 1 }, (_, i) => firstYear + i).filter(
    (y) => y >= 1 && y <= 9999,
  );
  if (span < 3 * 366) {
    const ticks = years.flatMap((year) =>
      [1, 4, 7, 10].map((month) => ({ at: day(year, month), label: `${year}-${String(month).padStart(2, '0')}` })),
    );
    const every = Math.ceil((gapPx * 1.4) / ((widthPx * 30.4 * MONTHS_OF_SHORT) / (to - from)));
    return {
      from,
      to,
      ticks: ticks.filter(within).map((tick, i) => (i % every === 0 ? tick : { ...tick, label: '' })),
    };
  }
  const yearPx = (widthPx * 365.25) / (to - from);
  const step = YEAR_STEPS.find((years) => years * yearPx >= gapPx) ?? 1000;
  const ticks = years.map((year) => ({ at: day(year, 1), label: year % step === 0 ? String(year) : '' }));
  return { from, to, ticks: ticks.filter(within).filter(({ label }) => label !== '' || yearPx > 6) };
}
