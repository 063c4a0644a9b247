import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { parseBbox } from '../../geo/region.js';
import type { ChangeRunOptions } from '../../jobs/change-options.js';
import type { ChangePlan } from '../../jobs/change-plan.js';
import { type ChangeRunSummary, detectScenes, planScenes } from '../../jobs/change-run.js';
import { formatBytes, parseBytes } from '../../limit.js';
import { amount, type Flags } from '../amount-option.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise ccdc <scenes…> --store DIR` */
export function ccdcCommand(): Command {
  return new Command('ccdc')
    .description('Detect changes in a series of Landsat or Sentinel-2 scenes, with the numbers of PyCCD.')
    .argument('<scenes...>', 'STAC items or catalog (JSON), a folder, or rasters')
    .option('--store <dir>', 'the result store; chips that are in it for the same inputs are left as they are')
    .option('--json-out <dir>', 'one JSON file a chip')
    .option('--grid <name>', 'conus, alaska, hawaii, or native: the own pixels of the scenes (default)')
    .option('--chip <h,v>', 'one chip of the grid')
    .option('--tile <h,v>', 'the chips of a tile')
    .option('--bbox <w,s,e,n>', 'the chips that an area touches, lon/lat unless --bbox-crs')
    .option('--bbox-crs <crs>', 'CRS of --bbox')
    .option('--datetime <interval>', 'which scenes, like 1984-01-01/2020-12-31')
    .option('--no-thermal', 'do not use temperature')
    .addOption(new Option('--offset <mode>', "Sentinel-2's offset").choices(['auto', 'apply', 'none']))
    .option('--params <json>', "PyCCD's parameters, as JSON or a file of it")
    .option('--wide-int', 'do not wrap temperatures at 16 bits as PyCCD does')
    .option('--refresh', 'run chips again whose results are there')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--plan', 'print what would be done, and stop')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

/** PyCCD's parameters as JSON text, or a file of it. */
function parameters(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (cause) {
    const message = `neither JSON nor a file of it: ${(cause as Error).message}`;
    throw new InputError(message, { option: 'params' }, { cause });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new InputError('a JSON object of parameters is wanted', { option: 'params' });
}

function cell(flags: Flags, name: 'chip' | 'tile'): number[] | undefined {
  const text = flags[name];
  return text === undefined
    ? undefined
    : String(text)
        .split(',')
        .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
}

function changeOptions(flags: Flags): ChangeRunOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const params = parameters(text('params'));
  return {
    grid: text('grid'),
    chip: cell(flags, 'chip'),
    tile: cell(flags, 'tile'),
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    bboxCrs: text('bboxCrs'),
    datetime: text('datetime'),
    offset: text('offset') as ChangeRunOptions['offset'],
    thermal: flags.thermal === false ? false : undefined,
    detect: {
      ...(params !== undefined && { params: params as object }),
      ...(flags.wideInt === true && { wideInt: true }),
    },
    refresh: flags.refresh === true,
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
  };
}

async function run(sources: string[], flags: Flags): Promise<void> {
  const target = { store: flags.store as string | undefined, jsonOut: flags.jsonOut as string | undefined };
  if (target.store === undefined && target.jsonOut === undefined) {
    throw new UsageError('--store DIR or --json-out DIR is wanted');
  }
  const given = changeOptions(flags);
  const json = flags.json === true;
  const stop = stopSignals();
  const progress = progressReporter({ stream: process.stderr, json, label: 'ccdc', unit: 'px' });
  try {
    const options: ChangeRunOptions = {
      ...given,
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
      onWarning: (text) => progress.note(text),
    };
    if (flags.plan === true) {
      const plan = await planScenes(sources, target, options);
      process.stdout.write(json ? `${JSON.stringify(plan)}\n` : describePlan(plan));
      return;
    }
    const summary = await detectScenes(sources, target, options);
    progress.done();
    noteRetries(progress, summary.network);
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.close();
    stop.dispose();
  }
}

function describe({ grid, chips, pixels, files }: ChangeRunSummary): string {
  const shown = files.length > 12 ? [...files.slice(0, 3), `… ${files.length - 5} more`, ...files.slice(-2)] : files;
  return [
    ...shown,
    `${chips.toRun} chips of the grid ${grid} done, ${chips.unchanged} were there, ${chips.outside} lie outside of the scenes`,
    `${pixels.withSegments} pixels with segments, ${pixels.empty} without, ${pixels.failed} failed`,
    '',
  ].join('\n');
}

function describePlan({ chips, threads, rows, predictedPeakBytes, memoryLimitBytes }: ChangePlan): string {
  return [
    `chips           ${chips.toRun} to run of ${chips.asked}; ${chips.unchanged} are there, ${chips.outside} lie outside of the scenes`,
    `threads         ${threads === 0 ? 'none: in the main thread' : threads}, ${rows} rows of a chip at a time`,
    `predicted peak  ${formatBytes(predictedPeakBytes)} of ${formatBytes(memoryLimitBytes)} allowed`,
    '',
  ].join('\n');
}
