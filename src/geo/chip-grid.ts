// Grids of tiles and chips, as the archives of Landsat ARD are cut.
import { InputError } from '../errors.js';

/** A grid of square chips of pixels, and of square tiles of chips, that counts to the right and down from its origin. */
export interface ChipGrid {
  name: string;
  /** The CRS as PROJ parameters, or as AUTHORITY:CODE. */
  crs: string;
  /** Upper-left corner of tile (0, 0) and chip (0, 0), in units of the CRS. */
  originX: number;
  originY: number;
  /** Side of a pixel in units of the CRS. */
  pixelSize: number;
  /** Side of a chip in pixels. */
  chipPx: number;
  /** Side of a tile in chips. */
  tileChips: number;
}

/** Column and row of a chip or a tile. */
export interface Cell {
  h: number;
  v: number;
}

/** What a cell is called in maps and sets. */
export const cellName = ({ h, v }: Cell): string => `${h} ${v}`;

/** A cell of the grid, and its upper-left corner. */
export interface ChipCell extends Cell {
  x: number;
  y: number;
}

const albers = (parallels: string, lat: number, lon: number) =>
  `+proj=aea ${parallels} +lat_0=${lat} +lon_0=${lon} +x_0=0 +y_0=0 +a=6378140 +rf=298.257 +units=m +no_defs`;
const ARD = { pixelSize: 30, chipPx: 100, tileChips: 50 };

/** The grids of Landsat ARD. */
export const CHIP_GRIDS: Readonly<Record<'conus' | 'alaska' | 'hawaii', ChipGrid>> = {
  conus: {
    name: 'conus',
    crs: albers('+lat_1=29.5 +lat_2=45.5', 23, -96),
    originX: -2565585,
    originY: 3314805,
    ...ARD,
  },
  alaska: { name: 'alaska', crs: albers('+lat_1=55 +lat_2=65', 50, -154), originX: -851715, originY: 2474325, ...ARD },
  hawaii: { name: 'hawaii', crs: albers('+lat_1=8 +lat_2=18', 3, -157), originX: -444345, originY: 2168895, ...ARD },
};

/** Cells are counted in 32 bits. */
const MOST_CELLS = 2 ** 31 - 1;

/**
 * Checks a grid that came from elsewhere.
 * @throws InputError unless its numbers are finite and its sizes whole and positive (at most 1000 pixels and 1000 chips a side).
 */
export function checkChipGrid(grid: ChipGrid): ChipGrid {
  const { name, crs, originX, originY, pixelSize, chipPx, tileChips } = grid;
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= 1000;
  const isRight =
    typeof name === 'string' &&
    typeof crs === 'string' &&
    [originX, originY, pixelSize].every((n) => Number.isFinite(n)) &&
    pixelSize > 0 &&
    isSide(chipPx) &&
    isSide(tileChips);
  if (isRight) return grid;
  const wanted = 'a finite origin, a pixel size above 0, and chips and tiles of 1 to 1000 a side';
  throw new InputError(`a grid of chips needs ${wanted}, got ${JSON.stringify(grid)}`, { option: 'grid' });
}

function cellOf(grid: ChipGrid, { h, v }: { h: number; v: number }, side: number): ChipCell {
  return { h, v, x: grid.originX + h * side, y: grid.originY - v * side };
}

function cellAt(grid: ChipGrid, { x, y }: { x: number; y: number }, side: number): ChipCell {
  const h = Math.floor((x - grid.originX) / side);
  const v = Math.floor((grid.originY - y) / side);
  if (!(Math.abs(h) < MOST_CELLS && Math.abs(v) < MOST_CELLS)) {
    throw new InputError(`(${x}, ${y}) is no point of the grid ${grid.name}`, { option: 'point' });
  }
  return cellOf(grid, { h, v }, side);
}

const chipSide = ({ pixelSize, chipPx }: ChipGrid) => pixelSize * chipPx;
const tileSide = (grid: ChipGrid) => chipSide(grid) * grid.tileChips;

/** The tile and the chip that a point (in the grid's CRS) lies in. A point on an edge belongs to the cell right of it or below. */
export function snap(grid: ChipGrid, point: { x: number; y: number }): { tile: ChipCell; chip: ChipCell } {
  return { tile: cellAt(grid, point, tileSide(grid)), chip: cellAt(grid, point, chipSide(grid)) };
}

/** Tiles and chips around a point: 3 × 3 of each, x ascending, then y ascending. */
export function near(grid: ChipGrid, point: { x: number; y: number }): { tile: ChipCell[]; chip: ChipCell[] } {
  const { tile, chip } = snap(grid, point);
  const around = ({ h, v }: ChipCell, side: number) =>
    [-1, 0, 1].flatMap((dh) => [1, 0, -1].map((dv) => cellOf(grid, { h: h + dh, v: v + dv }, side)));
  return { tile: around(tile, tileSide(grid)), chip: around(chip, chipSide(grid)) };
}

/** The tile that a chip belongs to. */
export function tileOfChip({ tileChips: n }: ChipGrid, { h, v }: Cell): Cell {
  return { h: Math.floor(h / n), v: Math.floor(v / n) };
}

/** The chip in column h and row v. */
export function chipCell(grid: ChipGrid, h: number, v: number): ChipCell {
  return cellOf(grid, { h, v }, chipSide(grid));
}

/** The chips of a tile, row by row. */
export function chipsOfTile(grid: ChipGrid, tile: { h: number; v: number }): ChipCell[] {
  const n = grid.tileChips;
  return Array.from({ length: n * n }, (_, i) => chipCell(grid, tile.h * n + (i % n), tile.v * n + Math.floor(i / n)));
}
