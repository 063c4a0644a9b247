import { pixelToGround } from '../geo/affine.js';
import { type CellPart, type CellRing, type Cells, outlineCells, ringArea } from '../geo/cell-outline.js';
import { shortenOutlines } from '../geo/cell-shortcut.js';
import type { Grid, GroundPolygons, Window } from '../geo/grid.js';

/** Cells along the longer side of a grid at most. */
const MAX_CELLS = 512;
/** Corners of all polygons at most: scattered data are outlined in larger cells. */
const MAX_CORNERS = 1000;

/** Where a grid has data, in cells of some pixels: seen block by block, told as polygons. */
export interface FootprintLattice {
  /** Adds a window [height][width] of a band (NaN is missing whatever `nodata` says), or of a mask (nodata 0). Any order, any overlap. */
  add(window: Window, plane: { data: ArrayLike<number>; nodata: number | null }): void;
  /**
   * Polygons on the ground that hold every valid pixel, and beyond them less than two cells' breadth: a cell with one is held whole,
   * and lines that stand for many corners run through cells beside. Outer rings are counter-clockwise where y points up.
   */
  polygons(): GroundPolygons;
}

/** Cells of twice the side: set where one of the four is. */
function coarser({ width, height, data }: Cells): Cells {
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const out = new Uint8Array(w * h);
  for (let row = 0; row < height; row++)
    for (let col = 0; col < width; col++) if (data[row * width + col] === 1) out[(row >> 1) * w + (col >> 1)] = 1;
  return { width: w, height: h, data: out };
}

const cornersOf = (parts: readonly CellPart[]) =>
  parts.reduce((sum, { outer, holes }) => holes.reduce((n, hole) => n + hole.length, sum + outer.length), 0);

/** The outlines in as fine cells as the number of corners allows, and the side of these cells (px). */
function outlines(
  cells: Cells,
  sidePx: number,
  size: { width: number; height: number },
): { parts: CellPart[]; sidePx: number } {
  const place = (col: number, row: number) =>
    [Math.min(col, size.width / sidePx), Math.min(row, size.height / sidePx)] as const;
  const parts = shortenOutlines(cells, outlineCells(cells), place);
  if (cornersOf(parts) <= MAX_CORNERS || Math.max(cells.width, cells.height) === 1) return { parts, sidePx };
  return outlines(coarser(cells), sidePx * 2, size);
}

/** A closed ring on the ground, turned the way that is wanted. */
function groundRing(grid: Grid, ring: CellRing, sidePx: number, turn: 1 | -1): [number, number][] {
  const points = ring.map(([col, row]) =>
    pixelToGround(grid.affine, Math.min(col * sidePx, grid.width), Math.min(row * sidePx, grid.height)),
  );
  if (Math.sign(ringArea(points)) !== turn) points.reverse();
  return [...points, points[0]!];
}

/** Starts with nothing valid. */
export function footprintLattice(grid: Grid): FootprintLattice {
  const sidePx = Math.max(1, Math.ceil(Math.max(grid.width, grid.height) / MAX_CELLS));
  const cells: Cells = {
    width: Math.ceil(grid.width / sidePx),
    height: Math.ceil(grid.height / sidePx),
    data: new Uint8Array(Math.ceil(grid.width / sidePx) * Math.ceil(grid.height / sidePx)),
  };
  return {
    add(window, { data, nodata }) {
      const { col: left, width } = window;
      for (let y = 0; y < window.height; y++) {
        const line = Math.floor((window.row + y) / sidePx) * cells.width;
        for (let x = 0; x < width; ) {
          const cell = Math.floor((left + x) / sidePx);
          const end = Math.min(width, (cell + 1) * sidePx - left);
          if (cells.data[line + cell] === 0) {
            for (let at = y * width + x; at < y * width + end; at++) {
              const value = data[at]!;
              if (value === nodata || Number.isNaN(value)) continue;
              cells.data[line + cell] = 1;
              break;
            }
          }
          x = end;
        }
      }
    },
    polygons() {
      const { parts, sidePx: side } = outlines(cells, sidePx, grid);
      return parts.map(({ outer, holes }) => [
        groundRing(grid, outer, side, 1),
        ...holes.map((hole) => groundRing(grid, hole, side, -1)),
      ]);
    },
  };
}
