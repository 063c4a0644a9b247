import { UnsupportedError } from '../errors.js';
import { createCog } from '../io/cog-writer.js';
import { openRaster } from '../io/open-raster.js';
import type { Raster } from '../io/raster.js';
import { readWindow } from '../io/window.js';
import { type Tone, toneTable } from './tone.js';

const BANDS = [0, 1, 2];

/** Rows of tiles, a window each. */
function* stripsOf(raster: Raster) {
  const { width, height, levels } = raster.header;
  const step = levels[0]!.tileHeight;
  for (let row = 0; row < height; row += step) yield { col: 0, row, width, height: Math.min(step, height - row) };
}

async function histogramsOf(raster: Raster, signal: AbortSignal | undefined): Promise<Float64Array[]> {
  const histograms = BANDS.map(() => new Float64Array(65536));
  for (const window of stripsOf(raster)) {
    signal?.throwIfAborted();
    const planes = await readWindow(raster, { level: 0, window, bands: BANDS });
    for (const [i, plane] of planes.entries()) {
      const { nodata } = raster.header.bands[i]!;
      const histogram = histograms[i]!;
      const values = plane as Uint16Array;
      for (let px = 0; px < values.length; px++) if (values[px] !== nodata) histogram[values[px]!]!++;
    }
  }
  return histograms;
}

/** What each value is shown as; 0 for missing ones. A loop, since `from` with a function takes ten times as long. */
function toned(plane: Uint16Array, table: Uint8Array, nodata: number | null): Uint8Array {
  const out = new Uint8Array(plane.length);
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i]!;
    out[i] = value === nodata ? 0 : table[value]!;
  }
  return out;
}

/** An 8-bit picture (a COG of red, green and blue, 0 = missing) of the first three bands of a raster of u8 or u16. */
export async function writeRgb(
  from: string,
  to: string,
  options: { tone: Tone; overwrite: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const { tone, overwrite, signal } = options;
  const raster = await openRaster(from);
  try {
    const { grid, bands } = raster.header;
    const dtype = bands[0]!.dtype;
    if (!grid || bands.length < 3 || (dtype !== 'u16' && dtype !== 'u8'))
      throw new UnsupportedError(`${from}: a stretched picture is made of three bands of uint16, not of ${dtype}`, {
        url: from,
      });
    const tables = (await histogramsOf(raster, signal)).map((histogram) => toneTable(histogram, tone));
    const names = ['red', 'green', 'blue'].map((name) => ({ name }));
    const writer = await createCog(to, {
      grid,
      dtype: 'u8',
      bands: names,
      nodata: 0,
      rgb: true,
      overwrite,
      ...(signal && { signal }),
    });
    try {
      for (const window of stripsOf(raster)) {
        signal?.throwIfAborted();
        const planes = await readWindow(raster, { level: 0, window, bands: BANDS });
        const shown = planes.map((plane, i) => toned(plane as Uint16Array, tables[i]!, bands[i]!.nodata));
        await writer.write(window, shown);
      }
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await raster.close();
  }
}
