import { InputError } from '../errors.js';
import { intersect } from '../geo/grid.js';
import type { Raster, RasterHeader, SampleArray, WindowRequest } from './raster.js';
import { filledArray } from './samples.js';

/** How much coarser than asked for an overview may be: sizes are rounded up, so a halving is never quite a half. */
const SLACK = 1.01;

/** What every engine can hold in one array of f64. */
const MAX_WINDOW_PX = 2 ** 28;

/**
 * The coarsest level that is still at least as fine as the target, 0 when none is or the file has no place on the ground.
 *
 * @param target size of a wanted pixel along x and y, in units of the raster's CRS
 */
export function chooseLevel(header: RasterHeader, target: readonly [x: number, y: number]): number {
  if (!header.grid) return 0;
  const [a, b, , d, e] = header.grid.affine;
  const own = [Math.sqrt(a * a + d * d), Math.sqrt(b * b + e * e)] as const;
  let best = 0;
  header.levels.forEach(({ width, height }, level) => {
    const fine =
      (own[0] * header.width) / width <= target[0] * SLACK && (own[1] * header.height) / height <= target[1] * SLACK;
    if (fine && width < header.levels[best]!.width) best = level;
  });
  return best;
}

/** Copies the part of a tile that lies in the window, row by row. */
function copyRows(
  from: { data: SampleArray; col: number; row: number; width: number },
  to: { data: SampleArray; col: number; row: number; width: number },
  part: { col: number; row: number; width: number; height: number },
): void {
  for (let y = part.row; y < part.row + part.height; y++) {
    const start = (y - from.row) * from.width + part.col - from.col;
    const row = from.data.subarray(start, start + part.width);
    // Both arrays are of the band's dtype.
    (to.data as Float64Array).set(row as Float64Array, (y - to.row) * to.width + part.col - to.col);
  }
}

/**
 * The pixels of a window at one level, an array [height][width] per band of the band's dtype; outside the raster and in tiles that
 * are not in the file: nodata, or 0. Each tile is decoded once.
 */
export async function readWindow(
  raster: Raster,
  { level, window, bands, signal }: WindowRequest,
): Promise<SampleArray[]> {
  const { header } = raster;
  const shape = header.levels[level];
  if (!shape) throw new InputError(`${header.url}: level ${level} is wanted, and there are ${header.levels.length}`);
  const { width, height, col, row } = window;
  if (!(Number.isInteger(col) && Number.isInteger(row) && width >= 1 && height >= 1)) {
    throw new InputError(`a window of ${width} × ${height} px at ${col}, ${row} is wanted: whole pixels, at least one`);
  }
  if (width * height > MAX_WINDOW_PX) {
    throw new InputError(`a window of ${width} × ${height} px is wanted, and at most ${MAX_WINDOW_PX} px fit an array`);
  }
  const out = bands.map((band) => {
    const found = header.bands[band];
    if (!found) throw new InputError(`${header.url}: band ${band + 1} is wanted, and there are ${header.bands.length}`);
    return filledArray(found.dtype, width * height, found.nodata);
  });
  const inside = intersect(window, { col: 0, row: 0, width: shape.width, height: shape.height });
  if (!inside || bands.length === 0) return out;
  const { tileWidth, tileHeight } = shape;
  const lastRow = Math.floor((inside.row + inside.height - 1) / tileHeight);
  const lastCol = Math.floor((inside.col + inside.width - 1) / tileWidth);
  for (let tileRow = Math.floor(inside.row / tileHeight); tileRow <= lastRow; tileRow++) {
    for (let tileCol = Math.floor(inside.col / tileWidth); tileCol <= lastCol; tileCol++) {
      const ref = { level, col: tileCol, row: tileRow };
      const tile = { col: tileCol * tileWidth, row: tileRow * tileHeight, width: tileWidth, height: tileHeight };
      const part = intersect(inside, tile)!;
      const take = (data: SampleArray, i: number) => {
        copyRows({ ...tile, data }, { col, row, width, data: out[i]! }, part);
      };
      await raster.readTile(ref, bands, take, signal ? { signal } : {});
    }
  }
  return out;
}
