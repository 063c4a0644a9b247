import type { Raster } from '../io/raster.js';
import { readWindow } from '../io/window.js';

/** The part of valid pixels that counts as the darkest. */
const PART = 0.001;
/** Levels at least this wide show shadows and water of their own, px. */
const ENOUGH_PX = 512;
/** What is looked at, px: one block of a raster without overviews is enough. */
const MOST_PX = 1024;

/**
 * The number below which the darkest 0.1 % of valid samples of a band lie, from a small overview, or the middle of a raster without;
 * null where nothing is valid.
 */
export async function darkestSample(
  raster: Raster,
  { bandIndex, nodata, signal }: { bandIndex: number; nodata: number | null; signal?: AbortSignal | undefined },
): Promise<number | null> {
  const { levels, bands } = raster.header;
  const level = levels.reduce((best, { width }, i) => (width >= ENOUGH_PX ? i : best), 0);
  const { width, height } = levels[level]!;
  const window = {
    width: Math.min(width, MOST_PX),
    height: Math.min(height, MOST_PX),
    col: Math.max(0, (width - MOST_PX) >> 1),
    row: Math.max(0, (height - MOST_PX) >> 1),
  };
  const [samples] = await readWindow(raster, { level, window, bands: [bandIndex], ...(signal && { signal }) });
  const missing = bands[bandIndex]?.nodata ?? nodata ?? 0;
  const valid = Float64Array.from(samples as ArrayLike<number>).filter((v) => v !== missing && Number.isFinite(v));
  return valid.length === 0 ? null : valid.sort()[Math.floor(valid.length * PART)]!;
}
