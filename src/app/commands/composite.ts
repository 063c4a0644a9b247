import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { parseBbox } from '../../geo/region.js';
import { compositeToFolder, type FolderOptions, planComposite } from '../../jobs/folder.js';
import type { Plan } from '../../jobs/plan.js';
import { formatBytes, parseBytes } from '../../limit.js';
import { suggestion } from '../../stats/suggest.js';
import { amount, anyNumber, type Flags } from '../amount-option.js';
import { geometryOf } from '../geometry-option.js';
import { collect, wordsOf } from '../list-option.js';
import { drawPreview } from '../preview.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise composite <items.json | catalog.json | folder | glob of COGs> --out DIR` */
export function compositeCommand(): Command {
  return compositeFlags()
    .description('Composite a stack of scenes: read, mask clouds, reduce over time, write one COG a statistic.')
    .argument('<scenes...>', 'STAC items or catalog (JSON), a folder, or COGs')
    .action(run);
}

function compositeFlags(): Command {
  return new Command('composite')
    .option('--out <dir>', 'where the results go')
    .option('--bands <names>', 'names or common names, comma-separated (default: all value bands of the sensor)')
    .option('--stat <list>', 'median, percentile:N, geomedian, mads, mean, min, max, std, count, medoid, first, last')
    .option('--mask <recipe>', '"BAND drop|keep|anybit LIST | opening R | dilation R"; repeatable; none', collect)
    .addOption(
      new Option('--mask-when <when>', 'mask each scene, before or after it is resampled, or the fused day').choices([
        'before-warp',
        'before-fuse',
        'after-fuse',
      ]),
    )
    .addOption(new Option('--group <group>', 'what counts as one date').choices(['solar-day', 'none']))
    .option('--bbox <w,s,e,n>', 'area, lon/lat unless --bbox-crs')
    .option('--bbox-crs <crs>', 'CRS of --bbox')
    .option('--geometry <geojson>', 'area as a GeoJSON file or text')
    .option('--like <raster>', 'take grid and extent of a raster')
    .option('--crs <crs>', 'EPSG code or WKT of the result')
    .option('--res <size>', 'pixel size in units of the CRS')
    .addOption(
      new Option('--resampling <method>', 'classes are always nearest').choices([
        'nearest',
        'bilinear',
        'cubic',
        'average',
        'mode',
      ]),
    )
    .option('--transform-code <code>', 'operation between the datums of scenes and result, like EPSG:9688')
    .option('--datetime <interval>', 'like 2024-06-01/2024-08-31, or open with ..')
    .option('--months <list>', 'like 5-9,12')
    .option('--max-cloud <percent>', 'leave out scenes with more cloud')
    .option('--limit <count>', 'at most so many scenes, the earliest')
    .option('--eps <step>', 'where the geomedian stops, in output units')
    .addOption(new Option('--compat <program>', 'conventions of another program').choices(['odc']))
    .addOption(
      new Option('--offset <mode>', "Sentinel-2's offset since baseline 04.00").choices(['auto', 'apply', 'none']),
    )
    .addOption(new Option('--rounding <mode>', 'of integer results').choices(['half-even', 'truncate']))
    .option('--nodata <value>', 'the missing value of the bands, in place of what files and items say')
    .option('--dtype <type>', 'input, uint8, int16, uint16, int32, float32, …')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--plan', 'print what would be done, and stop')
    .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']))
    .option('--overwrite', 'replace existing results')
    .option('--work-dir <dir>', 'where finished blocks wait, so that a stopped run can go on (default: in --out)')
    .option('--no-work-dir', 'keep no finished blocks')
    .option('--json', 'print machine-readable JSON lines')
    .option('--config <file>', 'options from a JSON file; the command line wins');
}

async function run(sources: string[], given: Flags): Promise<void> {
  const flags: Flags = { ...configFlags(given.config as string | undefined), ...given };
  const options = compositeOptions(flags);
  if (!flags.out && !flags.plan) throw new UsageError('--out DIR is wanted');
  const stop = stopSignals();
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'composite', unit: 'px' });
  try {
    const run = {
      ...options,
      signal: stop.signal,
      onProgress: (done: number, total: number) => progress.update(done, total),
      onWarning: (text: string) => progress.note(text),
    };
    if (flags.plan === true) {
      const plan = await planComposite(sources, run);
      process.stdout.write(json ? `${JSON.stringify(plan)}\n` : describePlan(plan));
      return;
    }
    const summary = await compositeToFolder(sources, String(flags.out), { ...run, preview: drawPreview });
    progress.done();
    noteRetries(progress, summary.network);
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${summary.files.join('\n')}\n`);
  } finally {
    progress.close();
    stop.dispose();
  }
}

/** Options of a `--config` file, by their long names as typed or in camel case. */
function configFlags(path: string | undefined): Flags {
  if (!path) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new InputError(
      `cannot read options from ${path}: ${(cause as Error).message}`,
      { option: 'config' },
      { cause },
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new InputError(`${path} is not a JSON object of options`, { option: 'config' });
  }
  // Read as if it were typed, so that the same is allowed and refused.
  const reader = compositeFlags()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  try {
    reader.parse(
      Object.entries(parsed).flatMap(([key, value]) => typed(reader.options, key, value)),
      { from: 'user' },
    );
  } catch (cause) {
    const message = (cause as Error).message.replace(/^error: /, '');
    if (cause instanceof CommanderError || cause instanceof InputError) {
      throw new InputError(`${path}: ${message}`, { option: 'config' }, { cause });
    }
    throw cause;
  }
  return reader.opts();
}

/** One entry of a configuration as arguments: lists as commas, but for the repeatable --mask. */
function typed(options: readonly Option[], key: string, value: unknown): string[] {
  const option = options.find((o) => o.long === `--${key}` || o.attributeName() === key);
  if (!option)
    throw new InputError(
      `unknown option "${key}"${suggestion(
        key,
        options.map((o) => o.long!.slice(2)),
      )}`,
    );
  const wrong = (wanted: string) => new InputError(`"${key}" takes ${wanted}, and got ${JSON.stringify(value)}`);
  if (option.isBoolean()) {
    if (typeof value !== 'boolean') throw wrong('true or false');
    return value ? [option.long!] : [];
  }
  if (option.long === '--geometry' && typeof value === 'object') return [`--geometry=${JSON.stringify(value)}`];
  const words = Array.isArray(value) ? value : [value];
  if (!words.every((word) => typeof word === 'string' || typeof word === 'number')) throw wrong('text or a number');
  if (option.long === '--mask') return words.map((word) => `--mask=${word}`);
  return [`${option.long}=${words.join(',')}`];
}

/** The text options as values; what is not given stays out, defaults stand in `compositeToFolder`. */
function compositeOptions(flags: Flags): FolderOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const given: FolderOptions = {
    bands: wordsOf(flags, 'bands')?.filter(Boolean),
    statistics: text('stat'),
    masks: flags.mask as string[] | undefined,
    maskWhen: text('maskWhen') as FolderOptions['maskWhen'],
    group: text('group') as FolderOptions['group'],
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    bboxCrs: text('bboxCrs'),
    geometry: geometryOf(text('geometry')),
    like: text('like'),
    crs: text('crs'),
    resolution: amount(flags, 'res'),
    resampling: text('resampling') as FolderOptions['resampling'],
    transformCode: text('transformCode'),
    datetime: text('datetime'),
    months: text('months'),
    maxCloudPercent: amount(flags, 'maxCloud'),
    limit: amount(flags, 'limit', 'whole number'),
    eps: amount(flags, 'eps'),
    compat: text('compat') as FolderOptions['compat'],
    rounding: text('rounding') as FolderOptions['rounding'],
    offset: text('offset') as FolderOptions['offset'],
    nodata: anyNumber(flags, 'nodata'),
    dtype: text('dtype'),
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
    onError: text('onError') as FolderOptions['onError'],
    overwrite: flags.overwrite === true,
    workDir: flags.workDir === false ? false : flags.workDir === true ? undefined : text('workDir'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function describePlan(plan: Plan): string {
  const { blocks, blockWidth, blockHeight, threads, hold, decodeFactor } = plan;
  const where = hold === 'spill' ? `a scratch file (${formatBytes(plan.spillBytes)} in all)` : 'memory';
  return [
    `blocks          ${blocks.length} of ${blockWidth} × ${blockHeight} px, strips of ${blocks[0]!.stripRows} rows`,
    `threads         ${threads === 0 ? 'none: in the main thread' : threads}`,
    `decoded pixels  wait in ${where}`,
    `decode factor   ${decodeFactor.toFixed(2)}`,
    `to read         ${formatBytes(plan.readBytes)}`,
    `predicted peak  ${formatBytes(plan.predictedPeakBytes)} of ${formatBytes(plan.memoryLimitBytes)} allowed`,
    '',
  ].join('\n');
}
