import { StackwiseError } from '../errors.js';
import { invert, pixelToGround } from '../geo/affine.js';
import { type Grid, intersect } from '../geo/grid.js';
import { openRaster } from '../io/open-raster.js';
import { encodePng } from '../io/png.js';
import type { Raster, SampleArray } from '../io/raster.js';
import { chooseLevel, readWindow } from '../io/window.js';
import type { PreviewRequest } from '../jobs/folder.js';
import { type Canvas, type Colour, drawText, fillRect, textWidth } from './lettering.js';

/** px of the whole picture at most. */
const MAX_WIDTH_PX = 1536;
/** Small results are enlarged until a panel is at least so wide, so that labels fit. */
const MIN_PANEL_PX = 240;
const GAP_PX = 6;
const LABEL_PX = 28;
const PAPER: Colour = [19, 22, 27];
const INK: Colour = [222, 226, 230];
const MISSING: Colour = [44, 48, 56];

/** Statistics that look like a picture, the best first. */
const PICTURES = ['geomedian', 'median', 'p50', 'medoid', 'mean', 'last', 'first'];
/** Matplotlib's viridis at nine places. */
const VIRIDIS: readonly Colour[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

interface Panel {
  label: string;
  /** [height][width][3] */
  data: Uint8Array;
  /** The largest value of the colour ramp, where the panel has one. */
  rampTo?: number;
}

function ramp(part: number): Colour {
  const at = Math.min(1, Math.max(0, part)) * (VIRIDIS.length - 1);
  const i = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const mix = (c: number) => Math.round(VIRIDIS[i]![c]! + (VIRIDIS[i + 1]![c]! - VIRIDIS[i]![c]!) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

/** The grid of the panels over the composite's area. */
function panelGrid(grid: Grid, panels: number): Grid {
  const most = Math.floor((MAX_WIDTH_PX - (panels + 1) * GAP_PX) / panels);
  const whole = Math.max(grid.width, grid.height);
  const factor =
    whole > most ? most / whole : Math.max(1, Math.min(Math.floor(most / whole), Math.ceil(MIN_PANEL_PX / whole)));
  const width = Math.max(1, Math.round(grid.width * factor));
  const height = Math.max(1, Math.round(grid.height * factor));
  const [a, b, c, d, e, f] = grid.affine;
  const [sx, sy] = [grid.width / width, grid.height / height];
  return { crs: grid.crs, affine: [a * sx, b * sy, c, d * sx, e * sy, f], width, height };
}

/**
 * Values of bands at the pixel centres of a grid of the same CRS, NaN where there are none: f32[height][width] each. Reads the
 * overview that fits, one row of tiles at a time.
 */
async function sampleRaster(raster: Raster, bands: readonly number[], target: Grid): Promise<Float32Array[]> {
  const { header } = raster;
  const out = bands.map(() => new Float32Array(target.width * target.height).fill(Number.NaN));
  if (!header.grid) return out;
  const [a, , , , e] = target.affine;
  const level = chooseLevel(header, [Math.abs(a), Math.abs(e)]);
  const { width, height, tileHeight } = header.levels[level]!;
  const toSource = invert(header.grid.affine);
  const source = (x: number, y: number): [number, number] => {
    const [col, row] = pixelToGround(toSource, ...pixelToGround(target.affine, x + 0.5, y + 0.5));
    return [Math.floor((col * width) / header.width), Math.floor((row * height) / header.height)];
  };
  const cols = Array.from({ length: target.width }, (_, x) => source(x, 0)[0]);
  const rows = Array.from({ length: target.height }, (_, y) => source(0, y)[1]);
  const left = Math.min(...cols);
  const needed = { col: left, row: 0, width: Math.max(...cols) - left + 1, height };
  for (let top = 0; top < height; top += tileHeight) {
    const lines = rows.flatMap((row, y) => (row >= top && row < Math.min(height, top + tileHeight) ? [y] : []));
    const window = intersect(needed, { col: 0, row: top, width, height: Math.min(tileHeight, height - top) });
    if (lines.length === 0 || !window) continue;
    const planes = await readWindow(raster, { level, window, bands });
    planes.forEach((plane: SampleArray, i) => {
      const { nodata } = header.bands[bands[i]!]!;
      for (const y of lines) {
        for (let x = 0; x < target.width; x++) {
          const col = cols[x]! - window.col;
          if (col < 0 || col >= window.width) continue;
          const value = Number(plane[(rows[y]! - window.row) * window.width + col]);
          if (value !== nodata) out[i]![y * target.width + x] = value;
        }
      }
    });
  }
  return out;
}

/** The value below which a part of the valid ones lies. */
function quantile(planes: readonly Float32Array[], part: number): number {
  const values = Float32Array.from(
    planes.flatMap((plane) => [...plane.filter((v, i) => i % 5 === 0 && !Number.isNaN(v))]),
  ).sort();
  return values.length > 0 ? values[Math.floor(part * (values.length - 1))]! : 0;
}

/** From values to light: each band from its own dark end, all to one bright end, so that colours stay true. */
interface Stretch {
  from: number[];
  to: number;
}

function stretchOf(planes: readonly Float32Array[]): Stretch {
  return { from: planes.map((plane) => 0.8 * quantile([plane], 0.005)), to: 1.06 * quantile(planes, 0.99) };
}

function shade(planes: readonly Float32Array[], { from, to }: Stretch): Uint8Array {
  const out = new Uint8Array(planes[0]!.length * 3);
  for (let i = 0; i < planes[0]!.length; i++) {
    if (planes.some((plane) => Number.isNaN(plane[i]))) {
      out.set(MISSING, 3 * i);
      continue;
    }
    for (let c = 0; c < 3; c++) {
      const k = planes.length === 3 ? c : 0;
      const t = Math.min(1, Math.max(0, (planes[k]![i]! - from[k]!) / Math.max(1e-9, to - from[k]!)));
      out[3 * i + c] = Math.round(255 * (0.45 * t + 0.55 * Math.sqrt(t)));
    }
  }
  return out;
}

/** Bands for red, green and blue, or the first one for a grey picture. */
function pictureBands(bands: readonly string[], commonNames: Readonly<Record<string, string>>): string[] {
  const find = (colour: string) => bands.find((band) => (commonNames[band] ?? band).toLowerCase() === colour);
  const found = ['red', 'green', 'blue'].map(find);
  return found.every((band) => band !== undefined) ? (found as string[]) : [bands[0]!];
}

async function withRaster<T>(url: string, use: (raster: Raster) => Promise<T>): Promise<T> {
  const raster = await openRaster(url);
  try {
    return await use(raster);
  } finally {
    await raster.close();
  }
}

/** The cloudiest input in the same light, or null when it cannot be read: a preview is not worth failing for. */
async function inputPanel(
  { cloudiest }: PreviewRequest,
  names: string[],
  grid: Grid,
  stretch: Stretch,
): Promise<Panel | null> {
  try {
    const planes: Float32Array[] = [];
    for (const name of names) {
      const band = cloudiest.bands[name];
      if (!band) return null;
      const [plane] = await withRaster(band.href, (raster) => sampleRaster(raster, [band.bandIndex], grid));
      const { nodata } = band;
      planes.push(typeof nodata === 'number' ? plane!.map((v) => (v === nodata ? Number.NaN : v)) : plane!);
    }
    const cloud = cloudiest.cloudCoverPercent;
    const day = new Date(cloudiest.timeMs).toISOString().slice(0, 10);
    return { label: cloud === null ? day : `${day}  ${Math.round(cloud)}% cloud`, data: shade(planes, stretch) };
  } catch (error) {
    if (error instanceof StackwiseError) return null;
    throw error;
  }
}

async function countPanel(url: string, grid: Grid): Promise<Panel> {
  const [counts] = await withRaster(url, (raster) => sampleRaster(raster, [0], grid));
  const most = counts!.filter((value) => value >= 0).reduce((best, value) => Math.max(best, value), 1);
  const data = new Uint8Array(counts!.length * 3);
  counts!.forEach((value, i) => {
    data.set(Number.isNaN(value) ? MISSING : ramp(value / most), 3 * i);
  });
  return { label: 'clear dates', data, rampTo: Math.round(most) };
}

function drawRamp(canvas: Canvas, { col, width, to }: { col: number; width: number; to: number }): void {
  const text = String(to);
  const bar = Math.max(24, Math.floor(width * 0.26));
  const right = col + width - textWidth(text, 2);
  const left = right - 8 - bar;
  const zero = left - 8 - textWidth('0', 2);
  if (zero < col + textWidth('clear dates', 2) + 8) return;
  drawText(canvas, '0', { col: zero, row: 7, colour: INK, scale: 2 });
  drawText(canvas, text, { col: right, row: 7, colour: INK, scale: 2 });
  for (let x = 0; x < bar; x++) fillRect(canvas, { col: left + x, row: 9, width: 1, height: 10 }, ramp(x / (bar - 1)));
}

/** Panels side by side, each under its label. */
function compose(panels: readonly Panel[], { width, height }: Grid): Canvas {
  const canvas: Canvas = {
    width: panels.length * (width + GAP_PX) + GAP_PX,
    height: height + LABEL_PX + GAP_PX,
    data: new Uint8Array(0),
  };
  canvas.data = new Uint8Array(canvas.width * canvas.height * 3);
  fillRect(canvas, { col: 0, row: 0, width: canvas.width, height: canvas.height }, PAPER);
  panels.forEach(({ label, data, rampTo }, k) => {
    const col = GAP_PX + k * (width + GAP_PX);
    const scale = textWidth(label, 2) <= width ? 2 : 1;
    if (textWidth(label, scale) <= width)
      drawText(canvas, label, { col: col + 1, row: scale === 2 ? 7 : 10, colour: INK, scale });
    if (rampTo !== undefined) drawRamp(canvas, { col, width, to: rampTo });
    for (let y = 0; y < height; y++) {
      canvas.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((LABEL_PX + y) * canvas.width + col) * 3);
    }
  });
  return canvas;
}

/**
 * A PNG of a result: its best picture (true colour where there are red, green and blue, else the first band in grey), the cloudiest
 * input in the same light, and the count in colours; what there is of these. At most 1536 px wide. Null when no raster can be shown.
 */
export async function drawPreview(request: PreviewRequest): Promise<Uint8Array | null> {
  const { rasters, bands, commonNames } = request;
  const key =
    PICTURES.find((name) => rasters[name]) ?? Object.keys(rasters).find((name) => name !== 'count' && name !== 'mads');
  const shown = key ?? Object.keys(rasters)[0];
  if (shown === undefined) return null;
  const names = key ? pictureBands(bands, commonNames) : [];
  const panelCount = key ? (rasters.count ? 3 : 2) : 1;
  const { grid, planes } = await withRaster(rasters[shown]!, async (raster) => {
    const { header } = raster;
    const frame = panelGrid(header.grid!, panelCount);
    const indices = key ? names.map((name) => Math.max(0, bands.indexOf(name))) : [0];
    return { grid: frame, planes: await sampleRaster(raster, indices, frame) };
  });
  if (shown === 'count') return encodePng({ ...compose([await countPanel(rasters.count!, grid)], grid), channels: 3 });
  const stretch = stretchOf(planes);
  const panels: (Panel | null)[] = [{ label: shown, data: shade(planes, stretch) }];
  if (key) panels.push(await inputPanel(request, names, grid, stretch));
  if (key && rasters.count) panels.push(await countPanel(rasters.count, grid));
  return encodePng({
    ...compose(
      panels.filter((panel) => panel !== null),
      grid,
    ),
    channels: 3,
  });
}
