import { InputError } from '../../errors.js';
import { openRaster } from '../../io/open-raster.js';
import { encodePng } from '../../io/png.js';
import type { NumericArray, Raster } from '../../io/raster.js';
import { chooseLevel, readWindow } from '../../io/window.js';
import type { OwsStyle } from './ows-style.js';
import { renderStyle } from './style-render.js';

export interface ThumbnailRequest {
  style: OwsStyle;
  /** Files of the style's bands (their first band each), all on one grid: paths or URLs. */
  bands: ReadonlyMap<string, string>;
  /** How many times smaller than the bands; default 10, as odc-stats has it. */
  factor?: number;
  signal?: AbortSignal;
}

export interface Thumbnail {
  bytes: Uint8Array;
  mediaType: 'image/png';
  /** px */
  width: number;
  /** px */
  height: number;
}

/** Gathers rows of a picture into means over the pixels of a smaller one. */
interface Reduction {
  /** u8[nRow][width][4] of the large picture, from `row` on; alpha is left out. */
  add(rgba: Uint8Array, row: number): void;
  picture(): { width: number; height: number; data: Uint8Array };
}

/** Each large pixel counts by the area it shares with a small one. */
export function reduction(
  large: { width: number; height: number },
  small: { width: number; height: number },
): Reduction {
  const [perCol, perRow] = [small.width / large.width, small.height / large.height];
  const sums = new Float64Array(small.width * small.height * 3);
  const line = new Float64Array(small.width * 3);
  /** The first small pixel that a large one meets, its share there, and that in the next. */
  const share = (at: number, per: number, most: number): [first: number, own: number, next: number] => {
    const first = Math.min(most - 1, Math.floor(at * per));
    const next = first + 1 < most ? Math.max(0, (at + 1) * per - (first + 1)) : 0;
    return [first, per - next, next];
  };
  const cols = Array.from({ length: large.width }, (_, col) => share(col, perCol, small.width));
  const addLine = (row: number, weight: number): void => {
    if (weight === 0) return;
    const at = row * line.length;
    for (let i = 0; i < line.length; i++) sums[at + i] = sums[at + i]! + line[i]! * weight;
  };
  return {
    add(rgba, row) {
      const rowBytes = large.width * 4;
      for (let y = 0; y * rowBytes < rgba.length; y++) {
        line.fill(0);
        for (const [col, [first, own, next]] of cols.entries()) {
          const from = y * rowBytes + col * 4;
          for (let c = 0; c < 3; c++) {
            line[first * 3 + c] = line[first * 3 + c]! + rgba[from + c]! * own;
            if (next > 0) line[first * 3 + 3 + c] = line[first * 3 + 3 + c]! + rgba[from + c]! * next;
          }
        }
        const [first, own, next] = share(row + y, perRow, small.height);
        addLine(first, own);
        addLine(first + 1, next);
      }
    },
    picture: () => ({ ...small, data: Uint8Array.from(sums, (sum) => Math.round(sum)) }),
  };
}

/** The rasters of the style's bands, of one size. */
async function openBands({ style, bands, signal }: ThumbnailRequest): Promise<Raster[]> {
  const opened: Raster[] = [];
  try {
    for (const band of style.bands) {
      const url = bands.get(band);
      if (url === undefined)
        throw new InputError(
          `preview_image_ows_style: there is no band "${band}": there are ${[...bands.keys()].join(', ')}`,
          { option: 'preview_image_ows_style', band },
        );
      opened.push(await openRaster(url, signal ? { signal } : {}));
    }
    const [first, ...others] = opened.map(({ header }) => header);
    const other = others.find(({ width, height }) => width !== first!.width || height !== first!.height);
    if (other)
      throw new InputError(
        `${other.url} has ${other.width} × ${other.height} px, ${first!.url} ${first!.width} × ${first!.height}`,
      );
  } catch (error) {
    await Promise.all(opened.map((raster) => raster.close()));
    throw error;
  }
  return opened;
}

/**
 * Draws a small picture of finished bands. Their overviews are read where values may be averaged; of classes all pixels are drawn, and
 * then their colours are averaged. What has no value is black.
 * @throws InputError where a band of the style is not there
 */
export async function drawThumbnail(request: ThumbnailRequest): Promise<Thumbnail> {
  const { style, factor = 10, signal } = request;
  if (!(factor >= 1)) throw new InputError(`a thumbnail is 1 or more times smaller, not ${factor}`);
  const rasters = await openBands(request);
  try {
    const { header } = rasters[0]!;
    const [a, b, , d, e] = header.grid?.affine ?? [1, 0, 0, 0, 1, 0];
    const target = [factor * Math.sqrt(a * a + d * d), factor * Math.sqrt(b * b + e * e)] as const;
    const level = style.kind === 'classes' ? 0 : chooseLevel(header, target);
    const { width, height, tileHeight } = header.levels[level]!;
    const small = {
      width: Math.min(width, Math.max(1, Math.round(header.width / factor))),
      height: Math.min(height, Math.max(1, Math.round(header.height / factor))),
    };
    const reduced = reduction({ width, height }, small);
    for (let row = 0; row < height; row += tileHeight) {
      const window = { col: 0, row, width, height: Math.min(tileHeight, height - row) };
      const planes = new Map<string, { data: NumericArray; nodata: number | null }>();
      for (const [i, raster] of rasters.entries()) {
        const [data] = await readWindow(raster, { level, window, bands: [0], ...(signal && { signal }) });
        // Bands that this package writes have no 64-bit integers.
        planes.set(style.bands[i]!, { data: data as NumericArray, nodata: raster.header.bands[0]!.nodata });
      }
      reduced.add(renderStyle(style, planes), row);
    }
    return { bytes: await encodePng({ ...reduced.picture(), channels: 3 }), mediaType: 'image/png', ...small };
  } finally {
    await Promise.all(rasters.map((raster) => raster.close()));
  }
}
