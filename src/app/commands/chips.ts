import { Command, Option } from 'commander';
import { UsageError } from '../../errors.js';
import { type ChipFileOptions, chipsToFiles } from '../../jobs/chip/chip-files.js';
import { parseBytes } from '../../limit.js';
import { anyNumber, type Flags } from '../amount-option.js';
import { wordsOf } from '../list-option.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise chips <rasters…> --points FILE --size N --out DIR` */
export function chipsCommand(): Command {
  return new Command('chips')
    .description('Cut a square chip around each point out of rasters or a series of scenes.')
    .argument('<rasters...>', 'rasters, a folder or glob of them, or STAC items')
    .option('--points <file>', 'GeoJSON or CSV (columns lon and lat, or x and y)')
    .option('--size <px>', 'px around the coordinate: chips have 2 × size + 1 px a side')
    .option('--out <path>', 'a folder, or a file that ends in .npy, .json or .zarr')
    .addOption(new Option('--format <format>', 'default npy').choices(['npy', 'zarr', 'geotiff', 'json']))
    .option('--gzip', 'compress the chunks of Zarr')
    .option('--points-crs <crs>', 'CRS of the points (default: what they say, else lon/lat)')
    .addOption(new Option('--anchor <anchor>', 'where the coordinate lies in the chip').choices(['centre', 'topleft']))
    .addOption(new Option('--overlap <rule>', 'which raster wins').choices(['first', 'last', 'mean', 'nearest-centre']))
    .option('--bands <names>', 'names or numbers of the bands of a date, comma-separated')
    .option('--bands-per-year <count>', 'of rasters that hold all dates as bands')
    .option('--first-year <year>', 'labels the dates of such rasters')
    .option('--dates <list>', 'labels the dates of such rasters, comma-separated')
    .option('--datetime <interval>', 'which scenes, like 2024-06-01/2024-08-31')
    .addOption(new Option('--group <group>', 'what counts as one date of scenes').choices(['solar-day', 'none']))
    .addOption(
      new Option('--offset <mode>', "Sentinel-2's offset since baseline 04.00").choices(['auto', 'apply', 'none']),
    )
    .option('--nodata <value>', 'the missing value, in place of what the files say')
    .option('--fill <value>', 'what masked samples hold')
    .option('--seed-compat', 'begin at the coordinate; the last raster wins; six bands a year from 1984')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--overwrite', 'replace existing results')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

function chipFlags(flags: Flags): ChipFileOptions {
  const text = (key: string) => flags[key] as string | undefined;
  return {
    size: anyNumber(flags, 'size')!,
    format: text('format') as ChipFileOptions['format'],
    gzip: flags.gzip === true,
    pointsCrs: text('pointsCrs'),
    anchor: text('anchor') as ChipFileOptions['anchor'],
    overlap: text('overlap') as ChipFileOptions['overlap'],
    bands: wordsOf(flags, 'bands'),
    bandsPerYear: anyNumber(flags, 'bandsPerYear'),
    firstYear: anyNumber(flags, 'firstYear'),
    dates: wordsOf(flags, 'dates'),
    datetime: text('datetime'),
    group: text('group') as ChipFileOptions['group'],
    offset: text('offset') as ChipFileOptions['offset'],
    nodata: anyNumber(flags, 'nodata'),
    fill: anyNumber(flags, 'fill'),
    compat: flags.seedCompat === true ? 'seed' : undefined,
    threads: anyNumber(flags, 'threads'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
    overwrite: flags.overwrite === true,
  };
}

async function run(rasters: string[], flags: Flags): Promise<void> {
  for (const option of ['points', 'size', 'out']) if (!flags[option]) throw new UsageError(`--${option} is wanted`);
  const options = chipFlags(flags);
  const json = flags.json === true;
  const stop = stopSignals();
  const progress = progressReporter({ stream: process.stderr, json, label: 'chips', unit: 'chips' });
  try {
    const summary = await chipsToFiles(rasters, String(flags.points), String(flags.out), {
      ...options,
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
      onWarning: (text) => progress.note(text),
    });
    progress.done();
    noteRetries(progress, summary.report);
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.close();
    stop.dispose();
  }
}

/** The files (of many only the first), and what became of the points. */
function describe({ files, report }: Awaited<ReturnType<typeof chipsToFiles>>): string {
  const shown = files.length > 12 ? [...files.slice(0, 3), `… ${files.length - 5} more`, ...files.slice(-2)] : files;
  const { inside, partial, outside, blocksDecoded, blocksTouched, requests } = report;
  const network = requests > 0 ? `, ${requests} requests` : '';
  return `${shown.join('\n')}\n${inside} inside, ${partial} partial, ${outside} outside; ${blocksDecoded} of ${blocksTouched} blocks decoded${network}\n`;
}
