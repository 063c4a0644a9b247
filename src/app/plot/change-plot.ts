// The picture of one pixel's changes: a panel a band, one below the other, over a common axis of time.

import type { ChangeFigure, FigureBand, FigureSegment } from '../../stats/change-figure.js';
import { OBSERVATION_STATES } from '../../stats/change-figure.js';
import { type Axis, timeAxis, valueAxis } from './axis.js';
import { DRAWING_ORDER, MARKS, marksPath } from './marks.js';
import { element, escapeText, fitting, px, text, textWidth } from './svg.js';

const WIDTH = 960;
const LEFT = 62;
const RIGHT = 26;
const INNER = WIDTH - LEFT - RIGHT;
const PANEL_HEIGHT = 148;
const GAP = 22;
const LANE = 20;
const LABEL_ROW = 15;

const INK = '#1b2430';
const SOFT = '#5b6673';
const GRID = '#e8ecf0';
const FRAME = '#c9d0d7';
const CURVE = '#d55e00';
const BREAK_LINE = { stroke: INK, 'stroke-width': '1.3', 'stroke-dasharray': '4 3' };
const FONT = "'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif";

const BAND_TITLES: Readonly<Record<string, string>> = {
  blue: 'Blue',
  green: 'Green',
  red: 'Red',
  nir: 'Near infrared',
  swir1: 'Shortwave infrared 1',
  swir2: 'Shortwave infrared 2',
  thermal: 'Temperature',
};

export interface PlotText {
  title: string;
  subtitle: string;
}

type ToX = (day: number) => number;

/** Codes of models that stand at an end of the series and are not looked at for changes. */
const isMarginal = ({ curveQa }: FigureSegment) => curveQa === 14 || curveQa === 24;

function panel(
  band: FigureBand,
  figure: ChangeFigure,
  { toX, time, top }: { toX: ToX; time: Axis; top: number },
): string {
  const used = band.values.filter((value, i): value is number => value !== null && figure.states[i] === 'used');
  const all = band.values.filter((value): value is number => value !== null);
  const axis = valueAxis(used.length > 4 ? used : all, band.curves.flat());
  const toY = (value: number) => top + PANEL_HEIGHT * (1 - (value - axis.from) / (axis.to - axis.from));
  const bottom = top + PANEL_HEIGHT;
  const lines = [
    ...time.ticks.filter(({ label }) => label !== '').map(({ at }) => `M${px(toX(at))} ${px(top)}V${px(bottom)}`),
    ...axis.ticks.map(({ at }) => `M${px(LEFT)} ${px(toY(at))}H${px(LEFT + INNER)}`),
  ];
  const beyond = all.filter((value) => value < axis.from || value > axis.to).length;
  const marks = DRAWING_ORDER.map((state) =>
    marksPath(
      state,
      band.values.flatMap((value, i) => {
        const isSeen = value !== null && figure.states[i] === state && value >= axis.from && value <= axis.to;
        return isSeen ? [[toX(figure.days[i]!), toY(value)] as const] : [];
      }),
    ),
  );
  const unit = band.unit === 'value' ? '' : ` (${band.unit})`;
  const titleOf = `${BAND_TITLES[band.name] ?? band.name}${unit}`;
  return [
    element('path', { d: lines.join(''), stroke: GRID, fill: 'none' }),
    ...marks,
    ...band.curves.map((values, i) => curvePath(figure.segments[i]!, values, { toX, toY, axis })),
    element('path', { d: `M${px(LEFT)} ${px(top)}V${px(bottom)}H${px(LEFT + INNER)}`, stroke: FRAME, fill: 'none' }),
    ...axis.ticks.map(({ at, label }) => text(LEFT - 8, toY(at) + 4, label, { 'text-anchor': 'end', fill: SOFT })),
    text(LEFT, top - 7, titleOf, { 'font-weight': '600', fill: INK }),
    beyond > 0
      ? text(LEFT + INNER, top - 7, `${beyond} beyond the axis`, {
          'text-anchor': 'end',
          fill: SOFT,
          'font-size': '11',
        })
      : '',
  ].join('\n');
}

/** A model's curve over the days of its segment. */
function curvePath(
  segment: FigureSegment,
  values: readonly number[],
  { toX, toY, axis }: { toX: ToX; toY: (value: number) => number; axis: Axis },
): string {
  let isDrawn = false;
  const steps = values.map((value, i) => {
    // What leaves the panel by much is cut there.
    const isIn = value >= axis.from && value <= axis.to;
    const step = isIn ? `${isDrawn ? 'L' : 'M'}${px(toX(segment.days[i]!))} ${px(toY(value))}` : '';
    isDrawn = isIn;
    return step;
  });
  const d = steps.join('');
  if (d === '') return '';
  return element('path', {
    d,
    fill: 'none',
    stroke: CURVE,
    'stroke-width': '1.7',
    'stroke-linejoin': 'round',
    'stroke-linecap': 'round',
    'stroke-dasharray': isMarginal(segment) ? '5 3' : undefined,
  });
}

/** Rows such that what stands in one does not overlap; null where `most` rows do not do. */
function rowsOf(spans: readonly (readonly [from: number, to: number])[], most: number): (number | null)[] {
  const ends: number[] = [];
  return spans.map(([from, to]) => {
    const free = ends.findIndex((end) => end <= from);
    const row = free >= 0 ? free : ends.length;
    if (row >= most) return null;
    ends[row] = to;
    return row;
  });
}

/** Segments as bars with their numbers of observations, and the days of the changes above. */
function segmentStrip(figure: ChangeFigure, toX: ToX, top: number): { svg: string; barsTop: number; height: number } {
  const { segments } = figure;
  const breaks = segments.filter(({ changed }) => changed);
  const labelWidth = textWidth('2000-00-00', 12) + 10;
  const middle = (day: number) => Math.min(LEFT + INNER - labelWidth / 2, Math.max(LEFT + labelWidth / 2, toX(day)));
  const labelRows = rowsOf(
    breaks.map(({ breakDay }) => [middle(breakDay) - labelWidth / 2, middle(breakDay) + labelWidth / 2]),
    3,
  );
  const nRow = Math.max(0, ...labelRows.map((row) => (row ?? 0) + 1));
  const lanes = rowsOf(
    segments.map(({ startDay, endDay }) => [toX(startDay), toX(endDay)]),
    3,
  );
  const nLane = Math.max(0, ...lanes.map((lane) => (lane ?? 0) + 1));
  const barsTop = top + nRow * LABEL_ROW + (nRow > 0 ? 4 : 0);
  const bars = segments.flatMap((segment, i) => {
    const lane = lanes[i];
    if (lane === null || lane === undefined) return [];
    const [x, y] = [toX(segment.startDay), barsTop + lane * LANE];
    const width = Math.max(2, toX(segment.endDay) - x);
    const fits = [`${segment.observationCount} observations`, String(segment.observationCount)].find(
      (label) => textWidth(label, 11) + 8 <= width,
    );
    const fill = isMarginal(segment) ? '#fdf3ea' : '#f8d9bf';
    return [
      element('rect', { x, y, width, height: 14, rx: '2.5', fill, stroke: CURVE, 'stroke-width': '.8' }),
      fits ? text(x + width / 2, y + 10.8, fits, { 'text-anchor': 'middle', 'font-size': '11', fill: '#7a3600' }) : '',
    ];
  });
  const labels = breaks.flatMap(({ breakDay, break: date }, i) => {
    const row = labelRows[i];
    if (row === null || row === undefined) return [];
    const y = top + (nRow - row) * LABEL_ROW - 3;
    return [text(middle(breakDay), y, date, { 'text-anchor': 'middle', 'font-weight': '600', fill: INK })];
  });
  return { svg: [...bars, ...labels].join('\n'), barsTop, height: nLane * LANE - 6 };
}

/** Lines of the changes through some spans of height, so that they do not cross what is written between. */
function breakLines(
  { segments }: ChangeFigure,
  toX: ToX,
  spans: readonly (readonly [top: number, bottom: number])[],
): string {
  const changed = segments.filter((segment) => segment.changed);
  const d = changed.flatMap(({ breakDay }) => spans.map(([y, end]) => `M${px(toX(breakDay))} ${px(y)}V${px(end)}`));
  if (d.length === 0) return '';
  return element('path', { d: d.join(''), ...BREAK_LINE, fill: 'none' });
}

function yearLabels(time: Axis, toX: ToX, y: number): string {
  const ticks = time.ticks.map(({ at, label }) => `M${px(toX(at))} ${px(y)}v${label === '' ? 3 : 6}`);
  const labels = time.ticks.filter(({ label }) => label !== '');
  return [
    element('path', { d: ticks.join(''), stroke: FRAME, fill: 'none' }),
    ...labels.map(({ at, label }) => text(toX(at), y + 19, label, { 'text-anchor': 'middle', fill: SOFT })),
  ].join('\n');
}

/** What is in the picture, from left to right, in as many rows as it takes. */
function legend(figure: ChangeFigure, top: number): { svg: string; height: number } {
  const seen = [...OBSERVATION_STATES].map((state) => ({ state, n: figure.states.filter((s) => s === state).length }));
  const line = (style: Readonly<Record<string, string>>) => (x: number, y: number) =>
    element('path', { d: `M${px(x)} ${px(y)}h24`, fill: 'none', ...style });
  const curve = { stroke: CURVE, 'stroke-width': '1.7' };
  const items: { label: string; markWidth: number; mark: (x: number, y: number) => string }[] = [
    ...seen
      .filter(({ n }) => n > 0)
      .map(({ state, n }) => ({
        label: `${MARKS[state].label} (${n})`,
        markWidth: 8,
        mark: (x: number, y: number) => marksPath(state, [[x + 4, y]]),
      })),
    ...(figure.segments.some((s) => !isMarginal(s)) ? [{ label: 'model', markWidth: 24, mark: line(curve) }] : []),
    ...(figure.segments.some(isMarginal)
      ? [{ label: 'model at an end', markWidth: 24, mark: line({ ...curve, 'stroke-dasharray': '5 3' }) }]
      : []),
    ...(figure.segments.some(({ changed }) => changed)
      ? [
          {
            label: 'change',
            markWidth: 24,
            mark: line(BREAK_LINE),
          },
        ]
      : []),
  ];
  let [x, row] = [LEFT, 0];
  const parts = items.map(({ label, markWidth, mark }) => {
    const width = markWidth + 7 + textWidth(label, 12);
    if (x > LEFT && x + width > LEFT + INNER) [x, row] = [LEFT, row + 1];
    const y = top + 10 + row * 20;
    const svg = mark(x, y - 4) + text(x + markWidth + 7, y, label, { fill: INK });
    x += width + 22;
    return svg;
  });
  return { svg: parts.join('\n'), height: (row + 1) * 20 };
}

/** The picture as a file of SVG: 960 px wide, on white. */
export function changePlot(figure: ChangeFigure, { title, subtitle }: PlotText): string {
  const { days, segments } = figure;
  const first = Math.min(days[0] ?? 1, ...segments.map(({ startDay }) => startDay));
  const last = Math.max(days.at(-1) ?? 1, ...segments.map(({ endDay }) => endDay));
  const time = timeAxis(first, last, { widthPx: INNER });
  const toX = (day: number) => LEFT + (INNER * (day - time.from)) / (time.to - time.from);
  const stripTop = 72;
  const strip = segmentStrip(figure, toX, stripTop);
  const panelsTop = strip.barsTop + strip.height + 30;
  const tops = figure.bands.map((_, i) => panelsTop + i * (PANEL_HEIGHT + GAP + 6));
  const bottom = tops.at(-1)! + PANEL_HEIGHT;
  const key = legend(figure, bottom + 38);
  const height = Math.ceil(bottom + 38 + key.height + 12);
  const body = [
    element('rect', { width: WIDTH, height, fill: '#ffffff' }),
    text(LEFT, 34, fitting(title, 20, INNER), { 'font-size': '19', 'font-weight': '700', fill: INK }),
    text(LEFT, 55, fitting(subtitle, 12.5, INNER), { 'font-size': '12.5', fill: SOFT }),
    ...figure.bands.map((band, i) => panel(band, figure, { toX, time, top: tops[i]! })),
    strip.svg,
    breakLines(figure, toX, [
      [strip.barsTop - 3, strip.barsTop + strip.height],
      ...tops.map((y) => [y, y + PANEL_HEIGHT] as const),
    ]),
    yearLabels(time, toX, bottom),
    key.svg,
  ];
  const root = { xmlns: 'http://www.w3.org/2000/svg', width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` };
  const label = element('title', {}, escapeText(title));
  const style = { 'font-family': FONT, 'font-size': '12', role: 'img' };
  return `${element('svg', { ...root, ...style }, `\n${[label, ...body].filter((part) => part !== '').join('\n')}\n`)}\n`;
}
