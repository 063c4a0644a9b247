// Which chips of a result store are asked for.
import { InputError } from '../../errors.js';
import type { ChipGrid } from '../../geo/chip-grid.js';
import { parseCrs } from '../../geo/crs.js';
import type { Grid } from '../../geo/grid.js';
import { type AreaOptions, areaGrid, countSelected, givenChips, isSelected, rangeAround } from './change-area.js';
import type { ChipRange, ChipSummary, ResultStore } from './result-store.js';

/** All chips that a grid can have. */
export const ALL_CHIPS: ChipRange = { hMin: -(2 ** 31), vMin: -(2 ** 31), hMax: 2 ** 31 - 1, vMax: 2 ** 31 - 1 };

export interface FoundChips {
  range: ChipRange;
  /** Those of the area that have run, row by row. */
  chips: ChipSummary[];
  /** Chips that were asked for. */
  asked: number;
}

/** The CRS object behind a grid's text. */
export const settledGrid = (chips: ChipGrid) => ({ chips, crs: parseCrs(chips.crs) });

/** The pixels of a range of the grid's chips as one grid. */
export function gridOfRange(chips: ChipGrid, range: ChipRange): Grid {
  return areaGrid(settledGrid(chips), range);
}

/**
 * The chips of an area that have run; without an area, all of the store.
 * @throws InputError when there are none.
 */
export async function findChips(store: ResultStore, algorithm: string, area: AreaOptions): Promise<FoundChips> {
  const given = await givenChips(settledGrid(store.grid), area);
  const found = await store.summaries(algorithm, given?.range ?? ALL_CHIPS);
  const chips = given ? found.filter((chip) => isSelected(given, chip)) : found;
  if (chips.length === 0) {
    const { hMin, vMin, hMax, vMax } = given?.range ?? ALL_CHIPS;
    const where = given ? `chips ${hMin}, ${vMin} to ${hMax}, ${vMax} of the grid ${store.grid.name}` : 'the store';
    throw new InputError(`nothing of ${where} has run by ${algorithm}`);
  }
  const selection = given ?? { range: rangeAround(chips), only: null };
  // Pictures have the pixels of the whole range.
  countSelected({ ...selection, only: null });
  return { range: selection.range, chips, asked: countSelected(selection) };
}
