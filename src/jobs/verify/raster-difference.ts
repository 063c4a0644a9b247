// Two rasters pixel by pixel, in bounded memory.
import type { Level, NumericArray, Raster, SampleArray } from '../../io/raster.js';
import { readWindow } from '../../io/window.js';

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

/** Where samples lie, and their missing value. */
interface Side {
  data: SampleArray;
  nodata: number | null;
}

interface Total extends BandDifference {
  sum: number;
  both: number;
}

/** Where a block lies: its first pixel, and how wide it is. */
interface Place {
  col: number;
  row: number;
  width: number;
  tolerance: number;
}

function note(total: Total, i: number, [ours, theirs]: readonly [number, number], { col, row, width }: Place): void {
  total.worst = { col: col + (i % width), row: row + Math.floor(i / width), ours, theirs };
}

/** Takes a pixel into account; `apart` is null where it is valid on one side only. */
function addPixel(
  total: Total,
  i: number,
  pair: readonly [number, number],
  at: Place & { apart: number | null },
): void {
  const { apart, tolerance } = at;
  if (apart === null) {
    total.maskPx++;
    if (!total.worst) note(total, i, pair, at);
    return;
  }
  total.both++;
  total.sum += apart;
  if (apart > tolerance) total.unequalPx++;
  if (apart <= total.maximum) return;
  total.maximum = apart;
  note(total, i, pair, at);
}

/** Takes the pixels of one block into account. Most are equal, and cost two loads and two comparisons. */
function addBlock(total: Total, ours: Side, theirs: Side, place: Place): void {
  const [own, other] = [ours.data as NumericArray, theirs.data as NumericArray];
  const [ownNodata, otherNodata] = [ours.nodata, theirs.nodata];
  const sameNodata = Object.is(ownNodata, otherNodata);
  let equal = 0;
  for (let i = 0; i < own.length; i++) {
    const p = own[i]!;
    const q = other[i]!;
    if (p === q && sameNodata) {
      if (p !== ownNodata) equal++;
      continue;
    }
    const isOurs = !Number.isNaN(p) && p !== ownNodata;
    const isTheirs = !Number.isNaN(q) && q !== otherNodata;
    if (!isOurs && !isTheirs) continue;
    // The same infinity twice is no distance.
    const apart = isOurs !== isTheirs ? null : p === q ? 0 : Math.abs(p - q);
    addPixel(total, i, [p, q], { ...place, apart });
  }
  total.both += equal;
}

/** The same where a side has whole numbers of 64 bits: slowly, and exactly. */
function addWideBlock(total: Total, ours: Side, theirs: Side, place: Place): void {
  const wide = (value: number | bigint) =>
    typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
  const isValid = (value: number | bigint, nodata: number | null) =>
    !Number.isNaN(value) && (nodata === null || value !== wide(nodata));
  for (let i = 0; i < ours.data.length; i++) {
    const [p, q] = [wide(ours.data[i]!), wide(theirs.data[i]!)];
    const [isOurs, isTheirs] = [isValid(p, ours.nodata), isValid(q, theirs.nodata)];
    if (!isOurs && !isTheirs) continue;
    const exact = typeof p === 'bigint' && typeof q === 'bigint' ? Number(p > q ? p - q : q - p) : null;
    const apart = isOurs === isTheirs ? (exact ?? Math.abs(Number(p) - Number(q))) : null;
    addPixel(total, i, [Number(p), Number(q)], { ...place, apart });
  }
}

const isWide = ({ data }: Side) => data instanceof BigInt64Array || data instanceof BigUint64Array;

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
    return { data: data!, nodata: raster.header.bands[band]!.nodata };
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
        const add = isWide(own) || isWide(other) ? addWideBlock : addBlock;
        add(totals[i]!, own, other, { col, row, width: window.width, tolerance: pair.tolerance });
      }
    }
  return totals.map(({ sum, both, ...difference }) => ({ ...difference, mean: both > 0 ? sum / both : 0 }));
}
