import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import type { ChangeRunOptions } from '../../jobs/change-options.js';
import type { ChangePlan } from '../../jobs/change-plan.js';
import { type ChangeRunSummary, detectScenes, planScenes } from '../../jobs/change-run.js';
import { formatBytes, parseBytes } from '../../limit.js';
import { amount, type Flags } from '../amount-option.js';
import { areaOf, withAreaOptions } from '../area-option.js';
import { someFiles } from '../file-list.js';
import { progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';
import { exportCommand } from './ccdc-export.js';
import { productsCommand } from './ccdc-products.js';
import { statusCommand } from './ccdc-status.js';

/** `stackwise ccdc <scenes…> --store DIR` */
export function ccdcCommand(): Command {
  const command = new Command('ccdc')
    .description('Detect changes in a series of Landsat or Sentinel-2 scenes, with the numbers of PyCCD.')
    .argument('<scenes...>', 'STAC items or catalog (JSON), a folder, or rasters')
    .option('--store <dir>', 'the result store; chips that are in it for the same inputs are left as they are')
    .option('--json-out <dir>', 'one JSON file a chip')
    .option('--grid <name>', 'conus, alaska, hawaii, or native: the own pixels of the scenes (default)');
  return withAreaOptions(command)
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
    .action(run)
    .addCommand(productsCommand())
    .addCommand(exportCommand())
    .addCommand(statusCommand());
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

function changeOptions(flags: Flags): ChangeRunOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const params = parameters(text('params'));
  return {
    grid: text('grid'),
    ...areaOf(flags),
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
  if (given.chips?.length === 0) {
    process.stderr.write(`${flags.chips} names no chips: there is nothing to do\n`);
    return;
  }
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
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.close();
    stop.dispose();
  }
}

function describe({ grid, chips, pixels, files }: ChangeRunSummary): string {
  return [
    ...someFiles(files),
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
