import { type Affine, pixelToGround } from '../../geo/affine.js';
import type { Crs } from '../../geo/crs.js';
import type { ChipStatus } from './chip-place.js';
import type { PreparedChips } from './chip-prepare.js';

/** What is known of one chip. */
export interface ChipLabel {
  /** Of the point in the input, from 0. */
  index: number;
  id: string | number | null;
  /** As given, in the points' CRS. */
  x: number;
  y: number;
  /** inside: rasters cover the whole chip at every date and band; partial: not all of it; outside: no raster holds the point's pixel. */
  status: ChipStatus;
  /** Null outside. */
  crs: Crs | null;
  /** From px of the chip to the ground; null outside. */
  transform: Affine | null;
  /** The rasters or scenes that the chip is of: indices into `sources`. */
  sources: readonly number[];
  /** Labels that came with the point. */
  properties: Readonly<Record<string, unknown>> | null;
}

/** Names of what chips are cut from, and which of them each image is. */
export function sourcesOf({ candidates }: PreparedChips): { sources: string[]; sourceOf: number[] } {
  const known = new Map<string, number>();
  const sourceOf = candidates.map(({ name }) => {
    const index = known.get(name) ?? known.size;
    known.set(name, index);
    return index;
  });
  return { sources: [...known.keys()], sourceOf };
}

export function labelsOf(prepared: PreparedChips, chosen: Int32Array, sourceOf: readonly number[]): ChipLabel[] {
  const { points, placement } = prepared;
  // Most points share their frames with many others.
  const known = new Map<string, readonly number[]>();
  const sourcesOfParts = (parts: readonly number[]): readonly number[] => {
    const key = parts.join();
    let found = known.get(key);
    if (!found) {
      const images = parts.flatMap((frame) => placement.frames[frame]!.images);
      found = [...new Set(images.map((image) => sourceOf[image]!))].sort((p, q) => p - q);
      known.set(key, found);
    }
    return found;
  };
  return Array.from(chosen, (index): ChipLabel => {
    const lattice = placement.lattices[placement.lattice[index]!];
    const [a, b, , d, e] = lattice?.affine ?? [];
    const corner = lattice && pixelToGround(lattice.affine, placement.col[index]!, placement.row[index]!);
    return {
      index,
      id: points.ids[index] ?? null,
      x: points.x[index]!,
      y: points.y[index]!,
      status: placement.status[index]!,
      crs: lattice?.crs ?? null,
      transform: corner ? [a!, b!, corner[0], d!, e!, corner[1]] : null,
      sources: sourcesOfParts(placement.parts[index]!),
      properties: points.properties[index] ?? null,
    };
  });
}
