// Which chips scenes meet, as plain data that another thread can ask.
import { intersect, type Window } from '../geo/grid.js';
import type { ChangeArea } from './change-prepare.js';
import type { ChipRange } from './result-store.js';

export interface Coverage {
  range: ChipRange;
  chipPx: number;
  /** Where scenes lie, in pixels of the range; each place once. */
  footprints: Window[];
  scenes: number;
}

export function coverageOf({ spec, grid, range }: ChangeArea): Coverage {
  const footprints = new Map(spec.scenes.map(({ footprint }) => [JSON.stringify(footprint), footprint!]));
  return { range, chipPx: grid.chipPx, footprints: [...footprints.values()], scenes: spec.scenes.length };
}

/** Whether a scene meets a chip. */
export function covers({ range, chipPx, footprints }: Coverage, { h, v }: { h: number; v: number }): boolean {
  const { hMin, vMin, hMax, vMax } = range;
  if (h < hMin || h > hMax || v < vMin || v > vMax) return false;
  const chip = { col: (h - hMin) * chipPx, row: (v - vMin) * chipPx, width: chipPx, height: chipPx };
  return footprints.some((footprint) => intersect(footprint, chip) !== null);
}
