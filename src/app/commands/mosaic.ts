import { Command, Option } from 'commander';
import { InputError } from '../../errors.js';
import { parseBbox } from '../../geo/region.js';
import { type MosaicOptions, type MosaicSummary, mosaic } from '../../jobs/mosaic.js';
import { formatBytes, parseBytes } from '../../limit.js';
import { amount, anyNumber, type Flags, wholeWithin } from '../amount-option.js';
import { wordsOf } from '../list-option.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise mosaic <items | folder | glob of COGs> OUT.tif --bands a,b --res 120` */
export function mosaicCommand(): Command {
  return new Command('mosaic')
    .description('Put tiles together into one cloud-optimised GeoTIFF of any resolution.')
    .argument('<tiles...>', 'items, folders of them, or COGs (also globs), and last the file to write, like mosaic.tif')
    .option('--bands <names>', 'comma-separated (default: all value bands that every tile has)')
    .option('--res <size>', 'pixel size in units of the CRS (default: of the tiles)')
    .option('--like <raster>', 'take grid and extent of a raster')
    .option('--crs <crs>', 'EPSG code or WKT of the result')
    .option('--bbox <w,s,e,n>', 'area in degrees (default: around all tiles)')
    .addOption(
      new Option('--resampling <method>', 'classes want mode or nearest (default: average)').choices([
        'average',
        'nearest',
        'mode',
        'bilinear',
        'cubic',
      ]),
    )
    .option('--blocksize <px>', "side of the file's tiles (default: 1024)")
    .addOption(new Option('--compress <method>', 'default: zstd').choices(['zstd', 'deflate']))
    .option('--level <number>', 'of the compression: zstd 1 to 22 (default: 4), deflate 0 to 9')
    .option('--per-band', 'one file a band, OUT_band.tif, each with its own sample type')
    .option('--nodata <value>', 'the missing value of the bands, in place of what files and items say')
    .addOption(new Option('--on-error <policy>', 'of tiles that cannot be read').choices(['fail', 'skip']))
    .option('--overwrite', 'replace an existing file')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--json', 'print machine-readable JSON')
    .action(run);
}

function optionsOf(flags: Flags): MosaicOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const blockSize = wholeWithin(flags, 'blocksize', { least: 16, most: 8192 });
  if (blockSize !== undefined && blockSize % 16 !== 0)
    throw new InputError(`a multiple of 16 is wanted, and got ${blockSize}`, { option: 'blocksize' });
  return {
    bands: wordsOf(flags, 'bands')?.filter(Boolean),
    resolution: amount(flags, 'res'),
    like: text('like'),
    crs: text('crs'),
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    resampling: text('resampling') as MosaicOptions['resampling'],
    blockSize,
    compression: text('compress') as MosaicOptions['compression'],
    level: amount(flags, 'level', 'whole number'),
    perBand: flags.perBand === true,
    nodata: anyNumber(flags, 'nodata'),
    onError: text('onError') as MosaicOptions['onError'],
    overwrite: flags.overwrite === true,
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
  };
}

async function run(paths: string[], flags: Flags, command: Command): Promise<void> {
  const sources = paths.slice(0, -1);
  if (sources.length === 0) command.error('tiles and a file to write are wanted, like: mosaic tiles/ mosaic.tif');
  const options = optionsOf(flags);
  const stop = stopSignals();
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'mosaic', unit: 'px' });
  try {
    const summary = await mosaic(sources, paths.at(-1)!, {
      ...options,
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
      onWarning: (text) => progress.note(text),
    });
    progress.done();
    noteRetries(progress, summary.network);
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.close();
    stop.dispose();
  }
}

function describe({ files, grid, tiles }: MosaicSummary): string {
  const lines = files.map(
    ({ path, bands, dtype, bytes }) => `${path}: ${bands.join(', ')}: ${dtype}, ${formatBytes(bytes)}`,
  );
  const left = tiles.dropped.length > 0 ? `, ${tiles.dropped.length} left out` : '';
  return [...lines, `${grid.width} × ${grid.height} px of ${tiles.used} tiles${left}`, ''].join('\n');
}
