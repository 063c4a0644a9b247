// Change products of a result store as COGs, one a product and date, and an item a date.
import { memoryLimitBytes as platformMemoryLimit } from '#platform';
import { InputError } from '../../errors.js';
import { fromOrdinal, toOrdinal } from '../../geo/ordinal.js';
import { type CogOptions, type CogResult, type CogWriter, createCog } from '../../io/cog-writer.js';
import { DTYPE_NAMES, SAMPLE_BYTES } from '../../io/raster.js';
import { rasterItem } from '../../io/result-item.js';
import { formatBytes } from '../../limit.js';
import { ALGORITHM } from '../../stats/change.js';
import { changeRasters, PRODUCTS, type ProductName, productNames, USUAL_PRODUCTS } from '../../stats/change-rasters.js';
import { version } from '../../version.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import { productStem } from '../product-name.js';
import type { AreaOptions } from './change-area.js';
import { type FoundChips, findChips, gridOfRange } from './result-area.js';
import type { ChipResult, ResultStore } from './result-store.js';

export interface ProductOptions extends AreaOptions {
  /** Days like 2014-07-01. */
  dates: readonly string[];
  /** Names of {@link PRODUCTS}; all but SYNTHETIC when not given. */
  products?: readonly string[] | undefined;
  /** Bands of the change magnitude; green, red, nir, swir1, swir2 when not given. */
  magnitudeBands?: readonly string[] | undefined;
  algorithm?: string | undefined;
  overwrite?: boolean | undefined;
  /** When dates do not fit together, chips are read again for the rest. */
  memoryLimitBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Pixels of chips. */
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

export interface ProductSummary {
  files: string[];
  grid: { width: number; height: number };
  /** Of the area; incomplete ones have failed pixels. */
  chips: { complete: number; incomplete: number; missing: number };
}

/** What does not change between dates. */
interface Work {
  store: ResultStore;
  algorithm: string;
  found: FoundChips;
  place: OutputFolder;
  products: readonly ProductName[];
  /** Of the synthetic image. */
  bands: readonly string[];
  options: ProductOptions;
}

/** The files of a date. */
interface DateFiles {
  date: string;
  day: number;
  itemPath: string;
  stem: string;
  paths: string[];
}

const TILE_PX = 512;
/** The process itself with a chip. */
const BASE_BYTES = 200 * 2 ** 20;
/** Each has two files open. */
const MOST_FILES = 256;

const nBandOf = (name: ProductName, bands: readonly string[]) => (name === 'SYNTHETIC' ? bands.length : 1);

/** Tiles of two rows wait in each file for the chips that complete them. */
function bytesOfDate({ store, found, products, bands }: Work): number {
  const { hMin, hMax } = found.range;
  const across = Math.ceil(((hMax - hMin + 1) * store.grid.chipPx) / TILE_PX);
  const samples = products.map((name) => SAMPLE_BYTES[PRODUCTS[name].dtype] * nBandOf(name, bands));
  return 2 * across * TILE_PX ** 2 * samples.reduce((a, b) => a + b, 0);
}

/** Dates that are made together. */
function passesOf(work: Work, dates: readonly DateFiles[]): DateFiles[][] {
  const { memoryLimitBytes = platformMemoryLimit() } = work.options;
  const each = bytesOfDate(work);
  const fitting = Math.floor((memoryLimitBytes - BASE_BYTES) / each);
  if (fitting < 1) {
    const wanted = formatBytes(BASE_BYTES + each);
    const message = `these products of one date need ${wanted}, and ${formatBytes(memoryLimitBytes)} are allowed`;
    throw new InputError(message, { option: 'memory-limit' });
  }
  const most = Math.max(1, Math.min(fitting, Math.floor(MOST_FILES / work.products.length)));
  return Array.from({ length: Math.ceil(dates.length / most) }, (_, i) => dates.slice(i * most, (i + 1) * most));
}

function filesOf({ store, found, place, products }: Work, date: string): DateFiles {
  const stem = productStem(store.grid, found.range, date);
  const paths = products.map((name) => place.pathOf(`${stem}_${name}.tif`));
  return { date, day: toOrdinal(date), stem, itemPath: place.pathOf(`${stem}.json`), paths };
}

const bandNames = (name: ProductName, bands: readonly string[]) => {
  const { band } = PRODUCTS[name];
  return band === null ? bands : [band.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
};

/** Writers that are open, and what stops them. Each has a signal of its own: many that listen to one are taken for a leak. */
class OpenWriters {
  readonly all: { writer: CogWriter; stop: AbortController }[] = [];
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = () => {
    for (const { stop } of this.all) stop.abort(this.signal?.reason);
  };

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
    signal?.addEventListener('abort', this.onAbort);
  }

  async open(path: string, options: CogOptions): Promise<CogWriter> {
    this.signal?.throwIfAborted();
    const stop = new AbortController();
    const writer = await createCog(path, { ...options, signal: stop.signal });
    this.all.push({ writer, stop });
    return writer;
  }

  async close(): Promise<void> {
    this.signal?.removeEventListener('abort', this.onAbort);
    await Promise.allSettled(this.all.map(({ writer }) => writer.abort()));
  }
}

async function openDate(work: Work, files: DateFiles, open: OpenWriters): Promise<CogWriter[]> {
  const { store, found, products, bands, algorithm, options } = work;
  const { overwrite = false } = options;
  const writers: CogWriter[] = [];
  const grid = gridOfRange(store.grid, found.range);
  const tileSize = Math.min(TILE_PX, Math.ceil(Math.max(grid.width, grid.height) / 16) * 16);
  for (const [i, name] of products.entries()) {
    const { title, dtype, nodata } = PRODUCTS[name];
    const writer = await open.open(files.paths[i]!, {
      grid,
      dtype,
      nodata,
      bands: bandNames(name, bands).map((band) => ({ name: band })),
      overviews: 'nearest',
      tileSize,
      // Chips that have not run stay nodata.
      sparse: true,
      metadata: { TITLE: title, DATE: files.date, ALGORITHM: algorithm },
      overwrite,
    });
    writers.push(writer);
  }
  return writers;
}

/** Gives the files of a date their names, and last of all writes the item. */
async function finishDate(work: Work, files: DateFiles, writers: readonly CogWriter[]): Promise<string[]> {
  const { place, options } = work;
  const named: string[] = [];
  try {
    // From here on old results are replaced: without their item they do not pass for whole.
    await place.remove(files.itemPath);
    const cogs: CogResult[] = [];
    for (const [i, writer] of writers.entries()) {
      cogs.push(await writer.finish());
      named.push(files.paths[i]!);
    }
    options.signal?.throwIfAborted();
    const item = await itemOf(work, files, cogs);
    await place.write(files.itemPath, new TextEncoder().encode(`${JSON.stringify(item, null, 2)}\n`));
  } catch (error) {
    await Promise.allSettled(named.map((path) => place.remove(path)));
    throw error;
  }
  return [...named, files.itemPath];
}

function itemOf(work: Work, { date, stem }: DateFiles, cogs: readonly CogResult[]): Promise<object> {
  const { store, algorithm, found, products, bands, options } = work;
  const { name: gridName, tileChips, chipPx } = store.grid;
  return rasterItem({
    id: stem,
    grid: gridOfRange(store.grid, found.range),
    times: { datetime: `${date}T00:00:00Z` },
    version,
    lineage: `${products.join(', ')} of ${date} from segments of ${algorithm}`,
    expression: {
      algorithm,
      date,
      products,
      grid: { name: gridName, chipPx, tileChips },
      chips: { ...found.range, ...countsOf(found) },
      ...(options.magnitudeBands && { magnitudeBands: options.magnitudeBands }),
    },
    links: [],
    assets: products.map((name, i) => ({
      key: name,
      href: `./${stem}_${name}.tif`,
      dtype: DTYPE_NAMES[PRODUCTS[name].dtype],
      nodata: PRODUCTS[name].nodata,
      bytes: cogs[i]!.bytes,
      sha256: cogs[i]!.sha256,
      bands: bandNames(name, bands).map((band, b) => ({ name: band, statistics: cogs[i]!.statistics[b]! })),
    })),
  });
}

function countsOf({ chips, asked }: FoundChips): ProductSummary['chips'] {
  const incomplete = chips.filter(({ failed }) => failed > 0).length;
  return { complete: chips.length - incomplete, incomplete, missing: asked - chips.length };
}

async function writeChip(work: Work, chip: ChipResult, writers: ReadonlyMap<DateFiles, CogWriter[]>): Promise<void> {
  const { store, found, products, bands, options } = work;
  const side = store.grid.chipPx;
  const { hMin, vMin } = found.range;
  const window = { col: (chip.h - hMin) * side, row: (chip.v - vMin) * side, width: side, height: side };
  for (const [{ day }, own] of writers) {
    const planes = changeRasters(chip.changes, { day, products, bands, magnitudeBands: options.magnitudeBands });
    for (const [i, writer] of own.entries()) await writer.write(window, planes[i]!);
  }
}

/** The dates of one pass, each chip read once. */
async function runPass(work: Work, dates: readonly DateFiles[], onChip: () => void): Promise<string[]> {
  const { store, algorithm, found, options } = work;
  const open = new OpenWriters(options.signal);
  const writers = new Map<DateFiles, CogWriter[]>();
  try {
    for (const files of dates) writers.set(files, await openDate(work, files, open));
    for (const at of found.chips) {
      options.signal?.throwIfAborted();
      const chip = await store.chip(algorithm, at);
      if (chip) await writeChip(work, chip, writers);
      else options.onWarning?.(`chip ${at.h}, ${at.v} was removed meanwhile: it is nodata`);
      onChip();
    }
    const files: string[] = [];
    for (const [date, own] of writers) files.push(...(await finishDate(work, date, own)));
    return files;
  } finally {
    await open.close();
  }
}

/** The bands of the synthetic image are those of the first chip. */
async function bandsOf(store: ResultStore, algorithm: string, { chips }: FoundChips): Promise<readonly string[]> {
  const first = chips[0]!;
  return (await store.chip(algorithm, first))?.changes.segments.bandNames ?? [];
}

/** Whole days, each once. */
function datesOf({ dates }: ProductOptions): string[] {
  if (dates.length === 0) throw new InputError('a date like 2014-07-01 is wanted', { option: 'date' });
  try {
    return [...new Set(dates.map((date) => fromOrdinal(toOrdinal(date))))];
  } catch (cause) {
    throw cause instanceof InputError ? new InputError(cause.message, { option: 'date' }, { cause }) : cause;
  }
}

/**
 * Writes change products of the chips of an area into a folder of the disk or of a bucket: a COG a product and date, and for each date
 * last of all a STAC item: where it is, all of the date is there. Chips that have not run and pixels that failed are nodata, which is
 * not 0: "no change". Chips are read once for all dates that fit into the memory limit.
 * @throws InputError when no chip of the area has run, for options that make no sense, or where a file is there and `overwrite` is not.
 */
export async function productsToFolder(
  store: ResultStore,
  folder: string,
  options: ProductOptions,
): Promise<ProductSummary> {
  const { algorithm = ALGORITHM, products: asked = USUAL_PRODUCTS, overwrite = false, onProgress } = options;
  const dates = datesOf(options);
  const products = productNames(asked);
  const found = await findChips(store, algorithm, options);
  const bands = products.includes('SYNTHETIC') ? await bandsOf(store, algorithm, found) : [];
  const work: Work = { store, algorithm, found, place: outputFolder(folder), products, bands, options };
  const files = dates.map((date) => filesOf(work, date));
  const passes = passesOf(work, files);
  for (const path of overwrite ? [] : files.flatMap(({ paths, itemPath }) => [...paths, itemPath])) {
    if (!(await work.place.has(path))) continue;
    throw new InputError(`${path} exists already: give --overwrite to replace it, or another --out`);
  }
  await work.place.make();
  const chipPx = store.grid.chipPx ** 2;
  const total = passes.length * found.chips.length * chipPx;
  let done = 0;
  onProgress?.(done, total);
  const written: string[] = [];
  for (const pass of passes) {
    const onChip = () => {
      done += chipPx;
      onProgress?.(done, total);
    };
    written.push(...(await runPass(work, pass, onChip)));
  }
  const { width, height } = gridOfRange(store.grid, found.range);
  return { files: written, grid: { width, height }, chips: countsOf(found) };
}
