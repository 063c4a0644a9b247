import { join } from 'node:path';
import { Command } from 'commander';
import { compositeToFolder } from '../../jobs/folder.js';
import { amount, type Flags } from '../amount-option.js';
import { drawPreview } from '../preview.js';
import { progressReporter } from '../progress.js';
import { simulateScenes } from '../simulate.js';
import { stopSignals } from '../stop.js';
import { demoChangesCommand } from './demo-changes.js';

/** `stackwise demo`: simulates a year of Sentinel-2 and composites it. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Simulate a small Sentinel-2 collection, composite it, and print where the results are.')
    .option('--out <dir>', 'where scenes and results go; results of an earlier demo are replaced', 'build/demo')
    .option('--size <px>', 'of the scenes', '512')
    .option('--dates <count>', 'how many days', '24')
    .option('--seed <number>', 'another seed, another land', '1')
    .option('--json', 'print machine-readable JSON lines')
    .action(run)
    .addCommand(demoChangesCommand());
}

async function run(flags: Flags): Promise<void> {
  const out = String(flags.out);
  const json = flags.json === true;
  const scenes = join(out, 'scenes');
  const whole = (name: string) => amount(flags, name, 'whole number')!;
  const shape = { size: whole('size'), dates: whole('dates'), seed: whole('seed') };
  const stop = stopSignals();
  const { signal } = stop;
  const reporter = (label: string, unit: string) => progressReporter({ stream: process.stderr, json, label, unit });
  let progress = reporter('simulate', 'scenes');
  const onProgress = (done: number, total: number) => progress.update(done, total);
  try {
    const { path } = await simulateScenes(scenes, { ...shape, signal, onProgress });
    progress.done();
    progress = reporter('composite', 'px');
    const { files } = await compositeToFolder(path, join(out, 'result'), {
      statistics: 'median,geomedian,mads,count',
      overwrite: true,
      preview: drawPreview,
      signal,
      onProgress,
      onWarning: (text: string) => progress.note(text),
    });
    progress.done();
    process.stdout.write(json ? `${JSON.stringify({ scenes: path, files })}\n` : `${[path, ...files].join('\n')}\n`);
  } finally {
    progress.close();
    stop.dispose();
  }
}
