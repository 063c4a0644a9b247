// Results as JSON: the rows that LCMAP's services give, one a pixel.
import { createHash } from 'node:crypto';
import { chipCell } from '../../geo/chip-grid.js';
import { pixelOf } from '../../stats/change.js';
import { toJSON } from '../../stats/change-json.js';
import { type ChipPixels, type ChipResult, type PixelResult, pixelCorner, type ResultStore } from './result-store.js';

/** What LCMAP's services say of a pixel. Times are ISO 8601. */
export interface ResultRow {
  chip_x: number;
  chip_y: number;
  /** Upper-left corner of the pixel. */
  x: number;
  y: number;
  algorithm: string;
  /** PyCCD's result as JSON text, or why the pixel failed. */
  result: string;
  /** MD5 of that text. */
  result_md5: string;
  result_ok: boolean;
  result_produced: string;
  inputs_md5: string;
}

/** A pixel with what a row says of its chip. */
interface PixelToShow extends Omit<PixelResult, 'chip'> {
  chip: Pick<ChipResult, 'h' | 'v' | 'inputsMd5' | 'producedMs'>;
}

/** The row of a pixel. */
export function resultRow(store: Pick<ResultStore, 'grid'>, { chip, x, y, changes }: PixelToShow): ResultRow {
  const corner = chipCell(store.grid, chip.h, chip.v);
  const failure = changes.failures.get(0);
  const result = failure ?? JSON.stringify(toJSON(changes));
  return {
    chip_x: corner.x,
    chip_y: corner.y,
    x,
    y,
    algorithm: changes.algorithm,
    result,
    result_md5: createHash('md5').update(result).digest('hex'),
    result_ok: failure === undefined,
    result_produced: new Date(chip.producedMs).toISOString(),
    inputs_md5: chip.inputsMd5,
  };
}

/** Rows are handed on in pieces of about this size. */
const PIECE_CHARS = 2 ** 15;

/** The rows of a chip as a JSON array, in pieces of text: all of it is never in memory. */
export function* chipJson(store: Pick<ResultStore, 'grid'>, given: ChipResult | ChipPixels): Generator<string> {
  const chip = 'chip' in given ? given.chip : given;
  const changesOf = 'chip' in given ? given.pixel : (px: number) => pixelOf(given.changes, px);
  const { grid } = store;
  const corner = chipCell(grid, chip.h, chip.v);
  let piece = '[';
  for (let px = 0; px < grid.chipPx ** 2; px++) {
    const pixel = { chip, ...pixelCorner(grid, corner, px), changes: changesOf(px) };
    piece += `${px > 0 ? ',' : ''}\n${JSON.stringify(resultRow(store, pixel))}`;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}\n]\n`;
}
