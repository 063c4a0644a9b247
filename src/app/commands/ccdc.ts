import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import type { ChangeRunOptions } from '../../jobs/change/change-options.js';
import type { ChangePlan } from '../../jobs/change/change-plan.js';
import { type ChangeRunSummary, detectScenes, planScenes } from '../../jobs/change/change-run.js';
import { formatBytes } from '../../limit.js';
import type { Flags } from '../amount-option.js';
import { changeOptions, withChangeOptions } from '../change-flags.js';
import { someFiles } from '../file-list.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';
import { exportCommand } from './ccdc-export.js';
import { ccdcPixelCommand } from './ccdc-pixel.js';
import { ccdcPlotCommand } from './ccdc-plot.js';
import { productsCommand } from './ccdc-products.js';
import { statusCommand } from './ccdc-status.js';

/** `stackwise ccdc <scenes…> --store DIR` */
export function ccdcCommand(): Command {
  const command = new Command('ccdc')
    .description('Detect changes in a series of Landsat or Sentinel-2 scenes, with the numbers of PyCCD.')
    .argument('<scenes...>', 'STAC items or catalog (JSON), a folder, or rasters')
    .option('--store <dir>', 'the result store; chips that are in it for the same inputs are left as they are')
    .option('--json-out <dir>', 'one JSON file a chip');
  return withChangeOptions(command)
    .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']))
    .option('--refresh', 'run chips again whose results are there')
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--plan', 'print what would be done, and stop')
    .option('--json', 'print machine-readable JSON lines')
    .action(run)
    .addCommand(ccdcPixelCommand())
    .addCommand(ccdcPlotCommand())
    .addCommand(productsCommand())
    .addCommand(exportCommand())
    .addCommand(statusCommand());
}

async function run(sources: string[], flags: Flags): Promise<void> {
  const target = { store: flags.store as string | undefined, jsonOut: flags.jsonOut as string | undefined };
  if (target.store === undefined && target.jsonOut === undefined) {
    throw new UsageError('--store DIR or --json-out DIR is wanted');
  }
  const table = sources.find((source) => /\.(csv|tsv)$/i.test(source));
  if (table !== undefined) throw new InputError(`${table} is a table of pixels: ccdc pixel and ccdc plot read such`);
  const given: ChangeRunOptions = {
    ...changeOptions(flags),
    onError: flags.onError as ChangeRunOptions['onError'],
    refresh: flags.refresh === true,
  };
  if (given.chips?.length === 0) {
    process.stderr.write(`${flags.chips} names no chips: there is nothing to do\n`);
    return;
  }
  const json = flags.json === true;
  const stop = stopSignals('the chips that were done stay');
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

function describe({ grid, chips, pixels, dropped, files }: ChangeRunSummary): string {
  return [
    ...someFiles(files),
    ...dropped.map(({ id, reason }) => `left out        ${id}: ${reason}`),
    `${chips.toRun} ${chips.toRun === 1 ? 'chip' : 'chips'} of the grid ${grid} done, ${chips.unchanged} were there, ${chips.outside} lie outside of the scenes`,
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
