// Where results of change detection are kept: the port, and what all stores have in common.
import { InputError } from '../../errors.js';
import { type ChipCell, type ChipGrid, chipCell, snap } from '../../geo/chip-grid.js';
import { type Changes, countPixels, N_COEFFICIENT, pixelOf } from '../../stats/change.js';
import type { ChangeRequests } from './change-requests.js';
import type { PackedRows } from './packed-rows.js';

/** The results of a chip, by its column and row in the store's grid. */
export interface ChipResult {
  h: number;
  v: number;
  /** All pixels, row by row. Its `algorithm` is a part of the key. */
  changes: Changes;
  /** MD5 of what the results were made from. */
  inputsMd5: string;
  /** When they were made, in milliseconds since 1970. */
  producedMs: number;
}

/** The same, its pixels packed into rows where they were found. */
export interface PackedChip extends Omit<ChipResult, 'changes'> {
  /** Of the same algorithm, dates and bands; their pixels one after the other are the chip's. */
  parts: readonly PackedRows[];
}

/** What is said of a chip without reading its pixels. */
export interface ChipSummary {
  h: number;
  v: number;
  inputsMd5: string;
  producedMs: number;
  withSegments: number;
  /** Pixels in which nothing was found: they ran, unlike those of a chip that is not there. */
  empty: number;
  failed: number;
}

/** The result of one pixel; x and y are its upper-left corner. */
export interface PixelResult {
  chip: ChipSummary;
  x: number;
  y: number;
  /** Of one pixel; `failures` has its reason under 0 if it failed. */
  changes: Changes;
}

/** The pixels of a chip, all of one moment, each decoded when it is asked for. */
export interface ChipPixels {
  chip: ChipSummary;
  /** Pixel `px`, row by row. */
  pixel(px: number): Changes;
}

/** Columns and rows of chips, the last ones included. */
export interface ChipRange {
  hMin: number;
  vMin: number;
  hMax: number;
  vMax: number;
}

/**
 * Results of change detection by algorithm and chip. A chip is there with all its pixels or not at all, whatever happens to the process
 * that writes it. Reads see the chips that were there at one moment.
 */
export interface ResultStore {
  readonly grid: ChipGrid;
  /** Chips that are to be run. */
  readonly requests: ChangeRequests;
  /**
   * Writes a chip in one transaction, in place of what was there of it. What was requested of it is answered by that.
   * @throws InputError when it has not as many pixels as the grid's chips; StoreError when the store takes nothing.
   */
  write(chip: ChipResult): Promise<void>;
  /** {@link write} of a chip that is packed. */
  writePacked(chip: PackedChip): Promise<void>;
  /** A chip; null when it has not run. */
  chip(algorithm: string, at: { h: number; v: number }): Promise<ChipResult | null>;
  /** A chip without decoding all of it at once; null when it has not run. */
  pixels(algorithm: string, at: { h: number; v: number }): Promise<ChipPixels | null>;
  /** The pixel that a point (in the grid's CRS) lies in; null when its chip has not run. */
  pixel(algorithm: string, point: { x: number; y: number }): Promise<PixelResult | null>;
  /** What is said of the chips of a range that have run, row by row. */
  summaries(algorithm: string, range: ChipRange): Promise<ChipSummary[]>;
  /** Removes a chip; false when there was none. */
  remove(algorithm: string, at: { h: number; v: number }): Promise<boolean>;
  close(): Promise<void>;
}

/** Checks a chip before it is written, and says what there is to say of it. */
export function summaryOf(grid: ChipGrid, { changes, ...chip }: ChipResult): ChipSummary {
  checkFacts(grid, chip, changes);
  checkLengths(changes, `chip ${chip.h}, ${chip.v}`);
  const { h, v, inputsMd5, producedMs } = chip;
  return { h, v, inputsMd5, producedMs, ...countPixels(changes) };
}

/** @throws InputError for a chip of another size than the grid's, and for what a key or a record cannot hold. */
export function checkFacts(
  grid: ChipGrid,
  { h, v, inputsMd5, producedMs }: Omit<ChipResult, 'changes'>,
  { algorithm, nPx }: Pick<Changes, 'algorithm' | 'nPx'>,
): void {
  const wanted = grid.chipPx ** 2;
  if (nPx !== wanted) {
    throw new InputError(`chip ${h}, ${v}: ${wanted} pixels are wanted, got ${nPx}`, { option: 'changes' });
  }
  if (!/^[0-9a-f]{32}$/.test(inputsMd5)) {
    throw new InputError(`chip ${h}, ${v}: inputsMd5 must be an MD5 in hexadecimal, got "${inputsMd5}"`, {
      option: 'inputsMd5',
    });
  }
  checkKey(algorithm, { h, v });
  if (!isTime(producedMs)) {
    throw new InputError(`chip ${h}, ${v}: producedMs must be a time, got ${producedMs}`, { option: 'producedMs' });
  }
}

/** The latest and earliest times that have a date. */
const MOST_MS = 8.64e15;

/** Whether a number is a time in milliseconds since 1970. */
export const isTime = (ms: number): boolean => Math.abs(ms) <= MOST_MS;

/** @throws InputError when arrays have not as many numbers as there are pixels, dates and segments. */
function checkLengths({ nPx, dates, processingMask, segments: s, ...pixels }: Changes, where: string): void {
  const n = s.offsets[nPx] ?? 0;
  const isSorted = s.offsets[0] === 0 && s.offsets.every((offset, i) => i === 0 || offset >= s.offsets[i - 1]!);
  const nBand = s.bandNames.length;
  const wanted: [number, readonly ArrayLike<number>[]][] = [
    [nPx + 1, [s.offsets]],
    [nPx * dates.length, [processingMask]],
    [nPx, [pixels.cloudProbability, pixels.snowProbability, pixels.waterProbability]],
    [n, [s.startDay, s.endDay, s.breakDay, s.observationCount, s.changeProbability, s.curveQa]],
    [n * nBand, [s.magnitude, s.rmse, s.intercept]],
    [n * nBand * N_COEFFICIENT, [s.coefficients]],
  ];
  if (isSorted && wanted.every(([length, arrays]) => arrays.every((array) => array.length === length))) return;
  throw new InputError(`${where}: its arrays do not fit together`, { option: 'changes' });
}

const MOST_CELLS = 2 ** 31;

/** @throws InputError unless h and v are whole numbers of 32 bits. */
function checkCell({ h, v }: { h: number; v: number }): void {
  const isCell = (n: number) => Number.isInteger(n) && n >= -MOST_CELLS && n < MOST_CELLS;
  if (!isCell(h) || !isCell(v))
    throw new InputError(`no chip ${h}, ${v}: whole numbers are wanted`, { option: 'chip' });
}

const LONGEST_NAME = 255;

/** @throws InputError unless it is a text of 1 to 255 characters without controls. */
function checkAlgorithm(algorithm: string): void {
  const isName = algorithm.length >= 1 && algorithm.length <= LONGEST_NAME && /^[\x20-\x7e]*$/.test(algorithm);
  if (isName) return;
  const wanted = `1 to ${LONGEST_NAME} printable characters of ASCII`;
  throw new InputError(`an algorithm's name must be ${wanted}, got ${JSON.stringify(algorithm)}`, {
    option: 'algorithm',
  });
}

/** @throws InputError for an algorithm or a chip that cannot be. */
export function checkKey(algorithm: string, at: { h: number; v: number }): void {
  checkAlgorithm(algorithm);
  checkCell(at);
}

/** The same for the chips of a range. */
export function checkRange(algorithm: string, { hMin, vMin, hMax, vMax }: ChipRange): void {
  checkKey(algorithm, { h: hMin, v: vMin });
  checkCell({ h: hMax, v: vMax });
}

/** Chip and place in it of the pixel that a point lies in. */
export function pixelAt(grid: ChipGrid, point: { x: number; y: number }): { chip: ChipCell; px: number } {
  const { chip } = snap(grid, point);
  const last = grid.chipPx - 1;
  // A point next to the far edge of its chip may round to the next pixel.
  const place = (distance: number) => Math.min(last, Math.max(0, Math.floor(distance / grid.pixelSize)));
  return { chip, px: place(chip.y - point.y) * grid.chipPx + place(point.x - chip.x) };
}

/** Upper-left corner of a pixel of a chip. */
export function pixelCorner(grid: ChipGrid, { x, y }: { x: number; y: number }, px: number): { x: number; y: number } {
  const [row, col] = [Math.floor(px / grid.chipPx), px % grid.chipPx];
  return { x: x + col * grid.pixelSize, y: y - row * grid.pixelSize };
}

/** Chips that a box (in the grid's CRS, its far edges left out) touches. */
export function chipsWithin(grid: ChipGrid, [left, bottom, right, top]: Bbox): ChipRange {
  if (!(left < right && bottom < top)) {
    throw new InputError(`bbox must be left, bottom, right, top, got ${[left, bottom, right, top].join(', ')}`, {
      option: 'bbox',
    });
  }
  const first = snap(grid, { x: left, y: top }).chip;
  const last = snap(grid, { x: right, y: bottom }).chip;
  const touches = { h: last.x < right ? last.h : last.h - 1, v: last.y > bottom ? last.v : last.v - 1 };
  return { hMin: first.h, vMin: first.v, hMax: touches.h, vMax: touches.v };
}

/** left, bottom, right, top */
export type Bbox = readonly [number, number, number, number];

/** The pixels whose centres lie in a box (in the grid's CRS; left and top edges included), chip by chip. */
export async function* pixelsWithin(store: ResultStore, algorithm: string, bbox: Bbox): AsyncGenerator<PixelResult> {
  const { grid } = store;
  const [left, bottom, right, top] = bbox;
  const half = grid.pixelSize / 2;
  for (const summary of await store.summaries(algorithm, chipsWithin(grid, bbox))) {
    const chip = await store.chip(algorithm, summary);
    if (!chip) continue;
    const corner = chipCell(grid, chip.h, chip.v);
    // It may have been written again since it was listed.
    const now = summaryOf(grid, chip);
    for (let px = 0; px < chip.changes.nPx; px++) {
      const { x, y } = pixelCorner(grid, corner, px);
      const [centreX, centreY] = [x + half, y - half];
      if (centreX < left || centreX >= right || centreY > top || centreY <= bottom) continue;
      yield { chip: now, x, y, changes: pixelOf(chip.changes, px) };
    }
  }
}

/** The chips of a tile. */
export function tileRange({ tileChips: n }: ChipGrid, { h, v }: { h: number; v: number }): ChipRange {
  return { hMin: h * n, vMin: v * n, hMax: h * n + n - 1, vMax: v * n + n - 1 };
}

/** How many chips of a tile are whole, have failed pixels, and have not run. */
export interface TileCounts {
  complete: number;
  incomplete: number;
  missing: number;
}

/** Counts the chips of a tile, from one small record a chip. */
export async function countChips(
  store: ResultStore,
  algorithm: string,
  tile: { h: number; v: number },
): Promise<TileCounts> {
  const n = store.grid.tileChips;
  const found = await store.summaries(algorithm, tileRange(store.grid, tile));
  const incomplete = found.filter(({ failed }) => failed > 0).length;
  return { complete: found.length - incomplete, incomplete, missing: n * n - found.length };
}
