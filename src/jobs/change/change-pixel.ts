// One pixel of scenes or of a table: its observations, and the changes in them.
import { InputError } from '../../errors.js';
import { crsToLonLat } from '../../geo/crs.js';
import type { Window } from '../../geo/grid.js';
import { fileName } from '../../io/href.js';
import { openRaster } from '../../io/open-raster.js';
import type { Store } from '../../io/store.js';
import { anyStore } from '../../io/stores.js';
import { kernels } from '../../kernels/memory.js';
import { ALGORITHM, type Changes } from '../../stats/change.js';
import { type ChangeContext, readObservations } from '../../stats/change-block.js';
import type { PixelSeries } from '../../stats/change-input.js';
import { type ObservedSeries, type SeriesOptions, seriesOfTable } from '../../stats/change-series.js';
import { CHANGE_KINDS } from '../../stats/change-source.js';
import { type DetectOptions, detect } from '../../stats/detect.js';
import { isSeriesJson, tableOfCsv, tableOfJson } from '../../stats/series-table.js';
import { rasterCache } from '../../stats/source.js';
import { pointOnGrid } from './change-area.js';
import type { ChangeRunOptions } from './change-options.js';
import { type PreparedChanges, prepareChanges } from './change-prepare.js';
import { withReadable } from './change-scenes.js';
import { openResults } from './result-folder.js';

/** A pixel's observations, how changes are looked for in them, and where it is. */
export interface ObservedPixel {
  series: PixelSeries;
  options: DetectOptions;
  /** What the numbers are of: a kind of scenes, or a table. */
  source: string;
  /** Of its centre, where that is known. */
  place: { x: number; y: number; lon: number; lat: number } | null;
  /** Name of its grid of chips, null for a table. */
  grid: string | null;
}

export interface PixelOptions extends ChangeRunOptions, SeriesOptions {}

const TABLE = /\.(csv|tsv|txt)$/i;
const JSON_NAME = /\.json$/i;
const MAX_TABLE_BYTES = 512 * 2 ** 20;

async function textOf(url: string, store: Store, signal: AbortSignal | undefined): Promise<string> {
  const options = signal ? { signal } : {};
  const { bytes } = await store.stat(url, options);
  if (bytes > MAX_TABLE_BYTES) {
    throw new InputError(`${url} has ${bytes} bytes: the limit for a table is ${MAX_TABLE_BYTES}`, { url });
  }
  return new TextDecoder().decode(await store.read(url, undefined, options));
}

/** The series of a table (CSV, or JSON that is one); null when the source is none. */
async function tableSeries(source: string, options: PixelOptions): Promise<ObservedSeries | null> {
  const store = anyStore();
  if (TABLE.test(source)) {
    return seriesOfTable(tableOfCsv(await textOf(source, store, options.signal), source), source, options);
  }
  if (!JSON_NAME.test(source)) return null;
  let document: unknown;
  try {
    document = JSON.parse(await textOf(source, store, options.signal));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new InputError(`${source} is not JSON: ${cause.message}`, { url: source }, { cause });
  }
  return isSeriesJson(document) ? seriesOfTable(tableOfJson(document, source), source, options) : null;
}

/** A pixel's numbers [nTime][nBand], and QA [nTime]. */
async function seriesAt(context: ChangeContext, work: { window: Window; scenes: readonly number[] }) {
  const { k, spec } = context;
  const nTime = work.scenes.length;
  const at = k.exports.mark();
  try {
    const { valuesPtr, qaPtr } = await readObservations(context, work);
    return { data: k.i16(valuesPtr, nTime * spec.bands.length).slice(), qa: k.u16(qaPtr, nTime).slice() };
  } finally {
    k.exports.release(at);
  }
}

/** Reads the pixel's series as its chip's run has it: of all scenes that meet the chip. */
async function seriesOfScenes(
  { spec, chips, grid }: PreparedChanges,
  { at: point, signal }: PixelOptions,
): Promise<Omit<ObservedPixel, 'options'>> {
  const [chip] = chips;
  const at = await pointOnGrid(spec.grid.crs, point!);
  const [a, , c, , e, f] = spec.grid.affine;
  const last = grid.chipPx - 1;
  const [col, row] = [Math.floor((at.x - c) / a), Math.floor((at.y - f) / e)].map((n) =>
    Math.min(last, Math.max(0, n)),
  ) as [number, number];
  const window = { col, row, width: 1, height: 1 };
  const cache = rasterCache((href) => openRaster(href));
  try {
    const { scenes } = chip!;
    const context = { k: kernels(), spec, cache, ...(signal && { signal }) };
    const { data, qa } = await seriesAt(context, { window, scenes });
    const bands = spec.bands.map((name, b) => [
      name,
      Int16Array.from(scenes, (_, t) => data[t * spec.bands.length + b]!),
    ]);
    const [x, y] = [c + (col + 0.5) * a, f + (row + 0.5) * e];
    const [lon, lat] = (await crsToLonLat(spec.grid.crs))(x, y);
    return {
      series: { dates: scenes.map((place) => spec.days[place]!), bands: Object.fromEntries(bands), qa },
      source: CHANGE_KINDS[spec.kind].title,
      place: { x, y, lon, lat },
      grid: grid.name,
    };
  } finally {
    await cache.close();
  }
}

/**
 * The observations of one pixel: of a table, or of scenes at `options.point`.
 * @throws InputError for a table or scenes that cannot be read so, or where the point is missing or outside of them.
 */
export async function observePixel(sources: readonly string[], options: PixelOptions): Promise<ObservedPixel> {
  const table = sources.length === 1 ? await tableSeries(sources[0]!, options) : null;
  const { params, wideInt, alpha } = options.detect ?? {};
  const own = {
    ...(params && { params }),
    ...(wideInt !== undefined && { wideInt }),
    ...(alpha !== undefined && { alpha }),
  };
  if (table) {
    if (options.at !== undefined) throw new InputError(`${sources[0]} is a table of one place`, { option: 'at' });
    return { ...table, source: fileName(table.source), options: { ...table.options, ...own }, place: null, grid: null };
  }
  if (options.at === undefined) throw new InputError('which pixel of the scenes: give --at lon,lat or --pixel x,y');
  const { result } = await withReadable(sources, options, async (readable) => {
    const prepared = await prepareChanges(readable, options);
    return { ...(await seriesOfScenes(prepared, options)), options: prepared.spec.options };
  });
  return result;
}

/** What is found in a pixel's observations, or what a store has found there: of the same dates. */
export async function pixelChanges({ series, options, place, grid }: ObservedPixel, store?: string): Promise<Changes> {
  if (store === undefined) return detect({ ...series, ...options });
  const wrong = (what: string) => new InputError(what, { option: 'store' });
  if (!place) throw wrong('a table has no place in a store');
  const results = await openResults(store, { readOnly: true });
  try {
    const { name, pixelSize } = results.grid;
    if (name !== grid) throw wrong(`${store} is on the grid ${name}, and the pixel on ${grid}`);
    const found = await results.pixel(ALGORITHM, place);
    if (!found) throw wrong(`${store} has no results at ${place.x}, ${place.y}: its chip has not run`);
    const apart = Math.max(Math.abs(found.x + pixelSize / 2 - place.x), Math.abs(found.y - pixelSize / 2 - place.y));
    if (apart > 0.01 * pixelSize) throw wrong(`${store} has other pixels than the scenes: its results are of others`);
    const failure = found.changes.failures.get(0);
    if (failure) throw wrong(`the pixel failed: ${failure}`);
    return found.changes;
  } finally {
    await results.close();
  }
}
