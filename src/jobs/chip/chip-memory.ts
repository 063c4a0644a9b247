import { InputError } from '../../errors.js';
import type { NumericArray } from '../../io/raster.js';
import { formatBytes } from '../../limit.js';
import type { PreparedChips } from './chip-prepare.js';

/** Memory that threads can write to, where there is such; the calling thread needs none of that kind. Kept from pass to pass. */
export class ChipMemory {
  readonly isShared: boolean;
  readonly #make: (bytes: number) => ArrayBufferLike;
  readonly #kept: Record<'data' | 'mask', ArrayBufferLike | null> = { data: null, mask: null };

  constructor(threads: number) {
    const canShare = typeof SharedArrayBuffer !== 'undefined';
    this.isShared = threads === 0 || canShare;
    this.#make = threads > 0 && canShare ? (bytes) => new SharedArrayBuffer(bytes) : (bytes) => new ArrayBuffer(bytes);
  }

  /** Memory of at least so many bytes: what was there before where that is enough, else new, which holds 0 throughout. */
  take(what: 'data' | 'mask', bytes: number): { buffer: ArrayBufferLike; isNew: boolean } {
    const kept = this.#kept[what];
    if (kept && kept.byteLength >= bytes) return { buffer: kept, isNew: false };
    let buffer: ArrayBufferLike;
    try {
      buffer = this.#make(bytes);
    } catch (cause) {
      const message = `the system does not give the ${formatBytes(bytes)} that chips take: set a lower memory limit`;
      throw new InputError(message, { option: 'memory-limit' }, { cause });
    }
    this.#kept[what] = buffer;
    return { buffer, isNew: true };
  }
}

/**
 * Empties chips, but for those that one raster will write throughout: it is known to where samples are whole numbers and none is
 * missing. Where parts are merged, the mask tells what has been written.
 */
export function clearChips(
  { placement, images, dtype, fill }: PreparedChips,
  chosen: Int32Array,
  { data, mask, isShared }: { data?: NumericArray; mask?: Uint8Array; isShared: boolean },
): void {
  const { status, parts, frames } = placement;
  const isFloat = dtype === 'f32' || dtype === 'f64';
  const hasHoles = isFloat || [...images.values()].some(({ nodata }) => nodata.some((value) => value !== null));
  const isWritten = (point: number) =>
    status[point] === 'inside' && parts[point]!.length === 1 && !frames[parts[point]![0]!]!.repeats;
  const array = data ?? mask;
  if (!array) return;
  const length = array.length / chosen.length;
  for (const [chip, point] of chosen.entries()) {
    if (isShared && !hasHoles && isWritten(point)) continue;
    data?.fill(fill, chip * length, (chip + 1) * length);
    mask?.fill(0, chip * length, (chip + 1) * length);
  }
}
