// Two rasters pixel by pixel, in bounded memory.
import type { BandHeader, Level, Raster, SampleArray } from '../io/raster.js';
import { readWindow } from '../io/window.js';

/** How one band of two rasters differs. */
export interface BandDifference {
  px: number;
  /** Both valid, and farther apart than the tolerance. */
  unequalPx: number;
  /** Valid in one of them only. */
  maskPx: number;
  /** Of |difference| where both are valid; 0 where nothing is. */
  maximum: number;
  mean: number;
  /** Where the maximum is, and the values there; of a difference of masks only, its first place. Null when all is equal. */
  worst: { col: number; row: number; ours: number; theirs: number } | null;
}

/** Pixels of a band that are held at a time, at least a tile of the file. */
const BLOCK_PX = 2 ** 21;

/** Blocks that are whole tiles of a level. */
function blockOf({ width, tileWidth, tileHeight, height }: Level): { width: number; height: number } {
  const across = Math.max(1, Math.floor(Math.min(width, 2048) / tileWidth)) * tileWidth;
  const wide = Math.min(width, across);
  const rows = Math.max(1, Math.floor(BLOCK_PX / wide));
  // A strip as high as the file is read in parts all the same.
  const high = rows < tileHeight ? rows : Math.floor(rows / tileHeight) * tileHeight;
  return { width: wide, height: Math.min(height, high) };
}

function isValid(value: number | bigint, nodata: number | null): boolean {
  if (typeof value === 'bigint') return nodata === null || value !== bigOf(nodata);
  return !Number.isNaN(value) && value !== nodata;
}

const bigOf = (value: number) => (Number.isInteger(value) ? BigInt(value) : null);

/** Infinite where one is, 0 where both are the same infinity. */
function distance(p: number | bigint, q: number | bigint): number {
  if (p === q) return 0;
  if (typeof p === 'bigint' && typeof q === 'bigint') return Number(p > q ? p - q : q - p);
  return Math.abs(Number(p) - Number(q));
}

interface Pair {
  ours: { data: SampleArray; header: BandHeader };
  theirs: { data: SampleArray; header: BandHeader };
}

/** Takes the pixels of one block into account; `at` is its first pixel, `width` its row. */
function addBlock(
  total: BandDifference & { sum: number; both: number },
  { ours, theirs }: Pair,
  { col, row, width, tolerance }: { col: number; row: number; width: number; tolerance: number },
): void {
  for (let i = 0; i < ours.data.length; i++) {
    const [p, q] = [ours.data[i]!, theirs.data[i]!];
    const [isOurs, isTheirs] = [isValid(p, ours.header.nodata), isValid(q, theirs.header.nodata)];
    const place = () => ({
      col: col + (i % width),
      row: row + Math.floor(i / width),
      ours: Number(p),
      theirs: Number(q),
    });
    if (isOurs !== isTheirs) {
      total.maskPx++;
      total.worst ??= place();
      continue;
    }
    if (!isOurs) continue;
    const apart = distance(p, q);
    total.both++;
    total.sum += apart;
    if (apart > tolerance) total.unequalPx++;
    if (apart > total.maximum) {
      total.maximum = apart;
      total.worst = place();
    }
  }
}

/**
 * Compares bands (0-based) of two rasters of one size; `tolerance` is the largest |difference| that counts as equal.
 * @throws FormatError, StoreError as the reading demands
 */
export async function bandDifferences(
  [ours, theirs]: readonly [Raster, Raster],
  bands: readonly { ours: number; theirs: number; tolerance: number }[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<BandDifference[]> {
  const { width, height, levels } = ours.header;
  const block = blockOf(levels[0]!);
  const totals = bands.map(() => ({
    ...{ px: width * height, unequalPx: 0, maskPx: 0, maximum: 0, mean: 0, sum: 0, both: 0 },
    worst: null as BandDifference['worst'],
  }));
  const read = async (
    raster: Raster,
    band: number,
    window: { col: number; row: number; width: number; height: number },
  ) => {
    const [data] = await readWindow(raster, { level: 0, window, bands: [band], ...(signal && { signal }) });
    return { data: data!, header: raster.header.bands[band]! };
  };
  for (let row = 0; row < height; row += block.height)
    for (let col = 0; col < width; col += block.width) {
      signal?.throwIfAborted();
      const window = {
        ...{ col, row },
        width: Math.min(block.width, width - col),
        height: Math.min(block.height, height - row),
      };
      for (const [i, pair] of bands.entries()) {
        const [own, other] = await Promise.all([read(ours, pair.ours, window), read(theirs, pair.theirs, window)]);
        addBlock(
          totals[i]!,
          { ours: own, theirs: other },
          { col, row, width: window.width, tolerance: pair.tolerance },
        );
      }
    }
  return totals.map(({ sum, both, ...difference }) => ({ ...difference, mean: both > 0 ? sum / both : 0 }));
}
