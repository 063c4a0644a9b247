// Which chips scenes meet, as plain data that another thread can ask.
import { intersect, type Window } from '../../geo/grid.js';
import { type ChipSelection, isSelected } from './change-area.js';
import type { ChangeArea } from './change-prepare.js';

export interface Coverage extends ChipSelection {
  chipPx: number;
  /** Where scenes lie, in pixels of the range; each place once. */
  footprints: Window[];
  scenes: number;
}

export function coverageOf({ spec, grid, range, only }: ChangeArea): Coverage {
  const footprints = new Map(spec.scenes.map(({ footprint }) => [JSON.stringify(footprint), footprint!]));
  return { range, only, chipPx: grid.chipPx, footprints: [...footprints.values()], scenes: spec.scenes.length };
}

/** Whether a scene meets a chip. */
export function covers(coverage: Coverage, { h, v }: { h: number; v: number }): boolean {
  if (!isSelected(coverage, { h, v })) return false;
  const { range, chipPx, footprints } = coverage;
  const chip = { col: (h - range.hMin) * chipPx, row: (v - range.vMin) * chipPx, width: chipPx, height: chipPx };
  return footprints.some((footprint) => intersect(footprint, chip) !== null);
}
