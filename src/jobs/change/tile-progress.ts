// How far a tile is, and which of its chips are to be asked for.
import { type Cell, cellName, chipsOfTile } from '../../geo/chip-grid.js';
import { ALGORITHM } from '../../stats/change.js';
import { type ChipSummary, type ResultStore, tileRange } from './result-store.js';

/**
 * What there is of a chip: all its pixels; all, some of them failed; nothing yet; a request that failed as a whole; or nothing, and no
 * scene to make it from.
 */
export type ChipState = 'complete' | 'incomplete' | 'missing' | 'failed' | 'outside';

export interface ChipProgress {
  h: number;
  v: number;
  state: ChipState;
  /** Null when it has not run. */
  summary: ChipSummary | null;
  /** Asked for, and not written yet. */
  pending: boolean;
}

interface Place {
  store: Pick<ResultStore, 'grid' | 'summaries' | 'requests'>;
  /** Whether a scene meets a chip. */
  covers: (chip: Cell) => boolean;
}

/** The chips of a tile, row by row. */
export async function tileProgress({ store, covers }: Place, tile: Cell): Promise<ChipProgress[]> {
  const range = tileRange(store.grid, tile);
  const summaries = await store.summaries(ALGORITHM, range);
  const requests = await store.requests.within(ALGORITHM, range);
  const there = new Map(summaries.map((summary) => [cellName(summary), summary]));
  const asked = new Map(requests.map((request) => [cellName(request), request]));
  return chipsOfTile(store.grid, tile).map(({ h, v }) => {
    const summary = there.get(cellName({ h, v })) ?? null;
    const request = asked.get(cellName({ h, v }));
    const state = (): ChipState => {
      if (request && request.failure !== null) return 'failed';
      if (summary) return summary.failed > 0 ? 'incomplete' : 'complete';
      return covers({ h, v }) ? 'missing' : 'outside';
    };
    return { h, v, state: state(), summary, pending: request?.failure === null };
  });
}

export interface TileCount extends Record<ChipState, number> {
  /** Of the tile: the five states in all. */
  chips: number;
  /** Asked for, and not written yet, whatever there is of them. */
  pending: number;
}

export function countProgress(progress: readonly ChipProgress[]): TileCount {
  const count = { chips: progress.length, complete: 0, incomplete: 0, missing: 0, failed: 0, outside: 0, pending: 0 };
  for (const { state, pending } of progress) {
    count[state]++;
    if (pending) count.pending++;
  }
  return count;
}

/** Which chips of a tile are meant; `changed` are those that were made from other inputs, `all` those that a scene meets. */
export const CHOICES = ['missing', 'incomplete', 'failed', 'changed', 'all'] as const;
export type Choice = (typeof CHOICES)[number];

/** The chips to be asked for; `all` without `refresh` leaves out what is complete. */
export function chooseChips(
  progress: readonly ChipProgress[],
  { only, refresh }: { only: Choice; refresh: boolean },
  inputsMd5: (chip: Cell) => string | null,
): ChipProgress[] {
  return progress.filter((chip) => {
    const { state, summary } = chip;
    if (state === 'outside') return false;
    if (only === 'all') return (refresh || state !== 'complete') && inputsMd5(chip) !== null;
    if (only !== 'changed') return state === only && (state !== 'incomplete' || inputsMd5(chip) !== null);
    const now = summary && inputsMd5(chip);
    return now !== null && summary?.inputsMd5 !== now;
  });
}
