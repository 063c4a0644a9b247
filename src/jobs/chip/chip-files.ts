import { InputError } from '../../errors.js';
import { folderOf, schemeOf } from '../../io/href.js';
import type { PointsInput } from '../../io/points.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import type { ChipLabel } from './chip-labels.js';
import { ChipMemory } from './chip-memory.js';
import type { ChipOptions } from './chip-options.js';
import { allOf, passesOf, pointsByPlace } from './chip-passes.js';
import { chipsInMemory, type PreparedChips, prepareChips } from './chip-prepare.js';
import { type ChipReport, type Chips, emptyReport, runChips } from './chip-run.js';
import type { ChipRasters } from './chip-source.js';
import { chipTable, labelCsv, labelRecord } from './chip-table.js';
import {
  type ChipForm,
  type ChipFormat,
  type ChipWriter,
  jsonWriter,
  npyWriter,
  tiffName,
  tiffWriter,
  zarrWriter,
} from './chip-writers.js';

export interface ChipFileOptions extends ChipOptions {
  /** Default: by the ending of the output (.npy, .json, .zarr), else npy. */
  format?: ChipFormat | undefined;
  /** Whether Zarr chunks are compressed; default false. */
  gzip?: boolean | undefined;
  /** Whether existing results are replaced; default false. */
  overwrite?: boolean | undefined;
}

/** What a run left behind. */
export interface ChipFilesSummary {
  files: string[];
  shape: readonly number[];
  dtype: string;
  report: ChipReport;
}

const FORMATS: readonly ChipFormat[] = ['npy', 'zarr', 'geotiff', 'json'];
const ENDINGS: Partial<Record<ChipFormat, RegExp>> = { npy: /\.npy$/i, json: /\.json$/i, zarr: /\.zarr\/?$/i };

/** The folder that files go to, and their names: the output is a folder, or one file whose ending says its format. */
function placesOf(out: string, { format, gzip }: ChipFileOptions) {
  const told = FORMATS.find((one) => ENDINGS[one]?.test(out)) ?? null;
  const chosen = format ?? told ?? 'npy';
  if (!FORMATS.includes(chosen))
    throw new InputError(`format is one of ${FORMATS.join(', ')}, and got "${chosen}"`, { option: 'format' });
  if (gzip && chosen !== 'zarr')
    throw new InputError(`chunks of zarr are compressed, and the format is ${chosen}`, { option: 'gzip' });
  const isOne = told !== null;
  if (told !== null && told !== chosen)
    throw new InputError(`${out} is the name of ${told}, and the format is ${chosen}`, { option: 'format' });
  const one = out.replace(/\/$/, '');
  const folder = outputFolder(isOne ? folderOf(one) || '.' : out);
  const stem = isOne ? one.slice(folderOf(one).length).replace(/\.[^.]+$/, '') : 'chips';
  const path = folder.pathOf(`${stem}.${chosen}`);
  const maskPath = folder.pathOf(isOne ? `${stem}.mask.npy` : 'mask.npy');
  const tables = [folder.pathOf(`${stem}.csv`), ...(chosen === 'json' ? [] : [folder.pathOf(`${stem}.json`)])];
  const marks = { npy: [path, maskPath], json: [path], zarr: [`${path}/zarr.json`], geotiff: [] }[chosen];
  return {
    format: chosen,
    folder,
    path,
    maskPath,
    tables,
    marks: [...marks, ...tables],
    one: isOne ? stem : undefined,
  };
}

async function openWriter(format: ChipFormat, form: ChipForm): Promise<ChipWriter> {
  if (format === 'npy') return npyWriter(form);
  if (format === 'json') return jsonWriter(form);
  return format === 'zarr' ? zarrWriter(form) : tiffWriter(form);
}

/** Passes of points that fit in memory: in the order of the points where one does, or the writer wants it. */
function passes(prepared: PreparedChips, { inOrderBy }: ChipWriter): Iterable<Int32Array> {
  const nPoint = prepared.points.x.length;
  const fitting = chipsInMemory(prepared);
  const byPlace = inOrderBy === null && fitting < nPoint;
  return passesOf(byPlace ? pointsByPlace(prepared) : allOf(nPoint), fitting, inOrderBy ?? 1);
}

/** @throws InputError when one of the results is there already */
async function refuseExisting(folder: OutputFolder, marks: readonly string[]): Promise<void> {
  for (const path of marks)
    if (await folder.has(path))
      throw new InputError(`the output ${path} exists already; it is replaced only with overwrite`, { url: path });
}

interface Gathered {
  labels: ChipLabel[];
  report: ChipReport;
  last: Chips;
}

/** Runs all passes into the writer. */
async function runPasses(prepared: PreparedChips, writer: ChipWriter, options: ChipFileOptions): Promise<Gathered> {
  const nPoint = prepared.points.x.length;
  const labels = new Array<ChipLabel>(nPoint);
  const report = emptyReport();
  const memory = new ChipMemory(prepared.settings.threads);
  let donePoints = 0;
  let last: Chips | null = null;
  for (const chosen of passes(prepared, writer)) {
    const chips = await runChips(prepared, chosen, memory, (done, total) => {
      // Blocks of the passes to come are not counted yet: progress is that of the points.
      const part = total === 0 ? 1 : done / total;
      options.onProgress?.(Math.floor(donePoints + part * chosen.length), nPoint);
    });
    await writer.write(chips);
    for (const label of chips.labels) labels[label.index] = label;
    for (const key of Object.keys(report) as (keyof ChipReport)[]) report[key] += chips.report[key];
    donePoints += chosen.length;
    last = { ...chips, data: chips.data.subarray(0, 0), mask: chips.mask.subarray(0, 0) };
  }
  return { labels, report, last: last! };
}

/**
 * Cuts chips like `extractChips` into files of the disk or a bucket, in passes that keep to the memory limit: `npy` (chips.npy and
 * mask.npy), `zarr` (a Zarr 3 group of both), `geotiff` (a file a chip) or `json`. Beside them chips.json and chips.csv tell each
 * chip's coordinate, status, place and sources; they are written last.
 *
 * `onProgress` counts points here.
 * @throws InputError when no point lies in any raster, when a result exists already and `overwrite` is not given, or when another
 * process is at work there
 */
export async function chipsToFiles(
  rasters: ChipRasters,
  points: PointsInput,
  out: string,
  options: ChipFileOptions,
): Promise<ChipFilesSummary> {
  const { overwrite = false } = options;
  const places = placesOf(out, options);
  const { folder, marks, one } = places;
  if (!overwrite) await refuseExisting(folder, marks);
  const prepared = await prepareChips(rasters, points, options);
  const { placement, points: found } = prepared;
  if (placement.status.every((status) => status === 'outside'))
    throw new InputError(
      `none of the ${found.x.length} points lies in any of the ${prepared.candidates.length} rasters`,
      { option: 'points' },
    );
  await folder.make();
  const claim = await folder.claim(one);
  try {
    if (!overwrite) await refuseExisting(folder, marks);
    return await writeChips(prepared, places, out, options);
  } finally {
    await claim.release();
  }
}

/** Cuts and writes into a place that no other process writes to. */
async function writeChips(
  prepared: PreparedChips,
  { format, folder, path, maskPath, tables, marks }: ReturnType<typeof placesOf>,
  out: string,
  options: ChipFileOptions,
): Promise<ChipFilesSummary> {
  const { overwrite = false, gzip = false } = options;
  const { points: found, times, bands, dtype, fill, settings } = prepared;
  // Where files of the run before are replaced one by one, what says that all are there goes first.
  if (format === 'zarr' || format === 'geotiff') for (const mark of marks) await folder.remove(mark);
  const shape = [found.x.length, times.length, bands.length, settings.side, settings.side] as const;
  const passChips = chipsInMemory(prepared);
  const sequential = ![null, 'file'].includes(schemeOf(out));
  const writer = await openWriter(format, {
    folder,
    path,
    maskPath,
    shape,
    dtype,
    fill,
    gzip,
    overwrite,
    sequential,
    passChips,
  });
  try {
    const { labels, report, last } = await runPasses(prepared, writer, options);
    const table = chipTable(last, shape[0], report, found.crs);
    const files = await writer.finish(table);
    const fileOf = format === 'geotiff' ? tiffName : undefined;
    const text = new TextEncoder();
    await folder.write(tables[0]!, text.encode(labelCsv(labels, last.sources, fileOf)));
    if (tables[1]) {
      const records = labels.map((label) => JSON.stringify(labelRecord(label, fileOf?.(label))));
      const head = JSON.stringify(table).slice(0, -1);
      await folder.write(tables[1], text.encode(`${head},"chips":[\n${records.join(',\n')}\n]}\n`));
    }
    return { files: [...files, ...tables], shape, dtype: table.dtype, report };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
