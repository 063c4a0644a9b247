import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { compositeToFolder, type FolderOptions, planComposite } from '../../jobs/folder.js';
import type { Plan } from '../../jobs/plan.js';
import { formatBytes, parseBytes } from '../../limit.js';
import { drawPreview } from '../preview.js';
import { progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

const collect = (value: string, previous: string[] = []) => [...previous, value];

/** `stackwise composite <items.json | catalog.json | folder | glob of COGs> --out DIR` */
export function compositeCommand(): Command {
  return new Command('composite')
    .description('Composite a stack of scenes: read, mask clouds, reduce over time, write one COG a statistic.')
    .argument('<scenes...>', 'STAC items or catalog (JSON), a folder, or COGs')
    .option('--out <dir>', 'where the results go')
    .option('--bands <names>', 'names or common names, comma-separated (default: all value bands of the sensor)')
    .option('--stat <list>', 'median, percentile:N, geomedian, mads, mean, min, max, std, count, medoid, first, last')
    .option('--mask <recipe>', '"BAND drop|keep|anybit LIST | opening R | dilation R"; repeatable; none', collect)
    .addOption(
      new Option('--mask-when <when>', 'mask each scene, or the fused day').choices(['before-fuse', 'after-fuse']),
    )
    .addOption(new Option('--group <group>', 'what counts as one date').choices(['solar-day', 'none']))
    .option('--bbox <w,s,e,n>', 'area, lon/lat unless --bbox-crs')
    .option('--bbox-crs <crs>', 'CRS of --bbox')
    .option('--geometry <geojson>', 'area as a GeoJSON file or text')
    .option('--like <raster>', 'take grid and extent of a raster')
    .option('--crs <crs>', 'EPSG code or WKT of the result')
    .option('--res <size>', 'pixel size in units of the CRS')
    .addOption(
      new Option('--resampling <method>', 'classes are always nearest').choices(['nearest', 'bilinear', 'average']),
    )
    .option('--datetime <interval>', 'like 2024-06-01/2024-08-31, or open with ..')
    .option('--months <list>', 'like 5-9,12')
    .option('--max-cloud <percent>', 'leave out scenes with more cloud')
    .option('--limit <count>', 'at most so many scenes, the earliest')
    .option('--eps <step>', 'where the geomedian stops, in output units')
    .addOption(new Option('--compat <program>', 'conventions of another program').choices(['odc']))
    .option('--dtype <type>', 'input, uint8, int16, uint16, int32, float32, …')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--plan', 'print what would be done, and stop')
    .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']))
    .option('--overwrite', 'replace existing results')
    .option('--json', 'print machine-readable JSON lines')
    .option('--config <file>', 'options from a JSON file; the command line wins')
    .action(run);
}

type Flags = Record<string, string | string[] | boolean | undefined>;

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
    for (const { id, reason } of summary.scenes.dropped)
      if (!json && reason.length > 8) progress.note(`dropped ${id}: ${reason}`);
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
  const known = new Map(compositeCommand().options.map((o) => [o.long?.slice(2), o.attributeName()]));
  const flags: Flags = {};
  for (const [key, value] of Object.entries(parsed)) {
    const name = known.get(key) ?? [...known.values()].find((attribute) => attribute === key);
    if (!name) throw new InputError(`${path} has an unknown option "${key}"`, { option: 'config' });
    flags[name] = typeof value === 'number' ? String(value) : (value as string | string[] | boolean);
    if (name === 'mask' && typeof value === 'string') flags[name] = [value];
    if (['bands', 'stat', 'months', 'bbox'].includes(name) && Array.isArray(value)) flags[name] = value.join(',');
    if (name === 'geometry' && typeof value === 'object') flags[name] = JSON.stringify(value);
  }
  return flags;
}

function count(flags: Flags, name: string, option: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 0) {
    throw new InputError(`--${option} takes a whole number of 0 or more, and got "${text}"`, { option });
  }
  return value;
}

function amount(flags: Flags, name: string, option: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) {
    throw new InputError(`--${option} takes a number of 0 or more, and got "${text}"`, { option });
  }
  return value;
}

/** The text options as values; what is not given stays out, defaults stand in `compositeToFolder`. */
function compositeOptions(flags: Flags): FolderOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const given: FolderOptions = {
    bands: text('bands')
      ?.split(',')
      .map((b) => b.trim())
      .filter(Boolean),
    statistics: text('stat'),
    masks: flags.mask as string[] | undefined,
    maskWhen: text('maskWhen') as FolderOptions['maskWhen'],
    group: text('group') as FolderOptions['group'],
    bbox: text('bbox')?.split(',').map(Number),
    bboxCrs: text('bboxCrs'),
    geometry: geometryOf(text('geometry')),
    like: text('like'),
    crs: text('crs'),
    resolution: amount(flags, 'res', 'res'),
    resampling: text('resampling') as FolderOptions['resampling'],
    datetime: text('datetime'),
    months: text('months'),
    maxCloudPercent: amount(flags, 'maxCloud', 'max-cloud'),
    limit: count(flags, 'limit', 'limit'),
    eps: amount(flags, 'eps', 'eps'),
    compat: text('compat') as FolderOptions['compat'],
    dtype: text('dtype'),
    threads: count(flags, 'threads', 'threads'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
    onError: text('onError') as FolderOptions['onError'],
    overwrite: flags.overwrite === true,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** `--geometry`: GeoJSON text, or a file of it. */
function geometryOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (cause) {
    throw new InputError(`--geometry is neither GeoJSON nor a file of it: ${(cause as Error).message}`, {}, { cause });
  }
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
