// Which points are cut together, where not all chips fit in memory.
import type { PreparedChips } from './chip-prepare.js';

/** All points in their order. */
export const allOf = (nPoint: number) => Int32Array.from({ length: nPoint }, (_, i) => i);

/** All points from north to south on each lattice, so that those of a pass are neighbours. */
export function pointsByPlace({ placement: { lattice, row, col }, points }: PreparedChips): Int32Array {
  return allOf(points.x.length).sort(
    (p, q) => lattice[p]! - lattice[q]! || row[p]! - row[q]! || col[p]! - col[q]! || p - q,
  );
}

/** As many points at a time as fit: a multiple of `by` where so many do. */
export function* passesOf(points: Int32Array, fitting: number, by: number): Generator<Int32Array> {
  const step = fitting >= by ? fitting - (fitting % by) : fitting;
  for (let first = 0; first < points.length; first += step) yield points.subarray(first, first + step);
}
