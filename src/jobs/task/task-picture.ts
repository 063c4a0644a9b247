// A set of tasks as a picture: how many scenes each tile has, a panel a period. SVG, nothing loaded from elsewhere.
import { indexDigits } from '../../geo/gridspec.js';
import type { TaskRow } from './task-table.js';

/** What the picture says above its panels. */
export interface PictureTitle {
  products: string;
  grid: string;
}

interface Panel {
  name: string;
  /** By `x/y`. */
  counts: ReadonlyMap<string, number>;
}

interface Frame {
  x0: number;
  y0: number;
  columns: number;
  rows: number;
  /** Side of a tile's square, px. */
  cell: number;
}

/** More panels or squares than anyone can look at become one panel of sums. */
const MAX_PANELS = 24;
const MAX_SQUARES = 40_000;
/** px */
const [PAGE_WIDTH, MARGIN, AXIS, TITLE, GAP] = [1160, 28, 46, 42, 22];
const [LIGHT, DARK] = [
  [222, 235, 241],
  [9, 58, 92],
] as const;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function colour(part: number): string {
  const mixed = LIGHT.map((from, i) => Math.round(from + (DARK[i]! - from) * part));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function panelsOf(rows: readonly TaskRow[]): Panel[] {
  const periods = new Map<string, Map<string, number>>();
  const total = new Map<string, number>();
  for (const { period, x, y, datasets } of rows) {
    const tile = `${x}/${y}`;
    const counts = periods.get(period) ?? new Map<string, number>();
    periods.set(period, counts.set(tile, datasets));
    total.set(tile, (total.get(tile) ?? 0) + datasets);
  }
  if (periods.size <= MAX_PANELS && rows.length <= MAX_SQUARES)
    return [...periods].map(([name, counts]) => ({ name, counts }));
  const [first, last] = [rows[0]!.period, rows.at(-1)!.period];
  return [{ name: `${periods.size} periods together, ${first} to ${last}`, counts: total }];
}

function frameOf(rows: readonly TaskRow[], panels: number): { frame: Frame; across: number } {
  const bounds = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity };
  for (const { x, y } of rows) {
    bounds.x0 = Math.min(bounds.x0, x);
    bounds.x1 = Math.max(bounds.x1, x);
    bounds.y0 = Math.min(bounds.y0, y);
    bounds.y1 = Math.max(bounds.y1, y);
  }
  const { x0, x1, y0, y1 } = bounds;
  const [columns, high] = [x1 - x0 + 1, y1 - y0 + 1];
  const across = Math.min(panels, columns > 60 ? 2 : 4);
  const room = (PAGE_WIDTH - 2 * MARGIN) / across - AXIS - GAP;
  const cell = Math.min(46, Math.max(2, Math.floor(Math.min(room / columns, 900 / high))));
  return { frame: { x0, y0, columns, rows: high, cell }, across };
}

/** A step of 1, 2 or 5 times a power of ten that leaves labels `room` px. */
function tickStep(cell: number, room: number): number {
  for (let power = 1; ; power *= 10) for (const step of [1, 2, 5]) if (step * power * cell >= room) return step * power;
}

function axes({ x0, y0, columns, rows, cell }: Frame, digits: number): string {
  const bottom = rows * cell;
  const labels: string[] = [];
  const stepX = tickStep(cell, 7 * digits + 8);
  for (let x = Math.ceil(x0 / stepX) * stepX; x < x0 + columns; x += stepX)
    labels.push(`<text class="tick" x="${(x - x0 + 0.5) * cell}" y="${bottom + 14}" text-anchor="middle">${x}</text>`);
  const stepY = tickStep(cell, 16);
  for (let y = Math.ceil(y0 / stepY) * stepY; y < y0 + rows; y += stepY)
    labels.push(`<text class="tick" x="-6" y="${(y0 + rows - y - 0.5) * cell + 4}" text-anchor="end">${y}</text>`);
  return labels.join('');
}

function squares({ counts }: Panel, { x0, y0, rows, cell }: Frame, most: number): string {
  const inset = cell >= 8 ? 1 : 0;
  const parts: string[] = [];
  for (const [tile, count] of counts) {
    const [x, y] = tile.split('/').map(Number) as [number, number];
    const [left, top] = [(x - x0) * cell, (y0 + rows - 1 - y) * cell];
    const part = count / most;
    const side = cell - inset;
    parts.push(
      `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="${colour(part)}"><title>${x}, ${y}: ${count}</title></rect>`,
    );
    const size = Math.min(12, Math.floor(cell / (0.62 * Math.max(2, String(count).length) + 0.3)));
    if (size >= 8)
      parts.push(
        `<text x="${left + side / 2}" y="${top + side / 2 + size * 0.36}" font-size="${size}" text-anchor="middle" class="${part > 0.5 ? 'on' : 'of'}">${count}</text>`,
      );
  }
  return parts.join('');
}

function legend(most: number): string {
  const steps = Array.from(
    { length: 24 },
    (_, i) => `<rect x="${i * 7}" width="7" height="10" fill="${colour((i + 1) / 24)}"/>`,
  );
  return `${steps.join('')}<text class="tick" x="0" y="24">1</text><text class="tick" x="168" y="24" text-anchor="end">${most}</text><text class="tick" x="178" y="9">scenes a task</text>`;
}

/** The picture of a set that has at least one task. */
export function taskPicture(rows: readonly TaskRow[], { products, grid }: PictureTitle): string {
  const panels = panelsOf(rows);
  const { frame, across } = frameOf(rows, panels.length);
  // Names of panels take some room, however small these are.
  const width = Math.max(190, frame.columns * frame.cell + AXIS + GAP);
  const height = frame.rows * frame.cell + AXIS + TITLE;
  const most = panels.reduce((max, { counts }) => [...counts.values()].reduce((a, b) => Math.max(a, b), max), 1);
  const digits = indexDigits(rows) + 1;
  const below = 92;
  const drawn = panels.map((panel, i) => {
    const [left, top] = [MARGIN + AXIS + (i % across) * width, below + TITLE + Math.floor(i / across) * height];
    const back = `<rect class="back" width="${frame.columns * frame.cell}" height="${frame.rows * frame.cell}"/>`;
    const counts = [...panel.counts.values()];
    const [low, high] = [counts.reduce((a, b) => Math.min(a, b)), counts.reduce((a, b) => Math.max(a, b))];
    const sum = `${counts.length} tile${counts.length === 1 ? '' : 's'} of ${low === high ? low : `${low} to ${high}`} scenes`;
    const name = `<text class="name" y="-24">${escaped(panel.name)}</text><text class="sum" y="-8">${sum}</text>`;
    return `<g transform="translate(${left},${top})">${name}${back}${squares(panel, frame, most)}${axes(frame, digits)}</g>`;
  });
  const pageWidth = Math.max(640, MARGIN * 2 + Math.min(across, panels.length) * width);
  const pageHeight = below + Math.ceil(panels.length / across) * height + MARGIN;
  const style =
    'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#10242f}.head{font-size:17px;font-weight:600}.tick{font-size:11px;fill:#51636d}.name{font-size:13px;font-weight:600}.sum{font-size:12px;font-weight:400;fill:#51636d}.back{fill:#f6f8f9}.on{fill:#fff}';
  const head = `<text class="head" x="${MARGIN}" y="34">${escaped(products)}</text><text class="sum" x="${MARGIN}" y="52">${rows.length} tasks on the grid ${escaped(grid)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${pageWidth}" height="${pageHeight}" viewBox="0 0 ${pageWidth} ${pageHeight}"><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>${head}<g transform="translate(${MARGIN},62)">${legend(most)}</g>${drawn.join('\n')}</svg>\n`;
}
