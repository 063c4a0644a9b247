import { join } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../../errors.js';
import { compositeToFolder } from '../../jobs/folder.js';
import { drawPreview } from '../preview.js';
import { progressReporter } from '../progress.js';
import { simulateScenes } from '../simulate.js';
import { stopSignals } from '../stop.js';

interface DemoFlags {
  out: string;
  size: string;
  dates: string;
  seed: string;
  json?: boolean;
}

/** `stackwise demo`: simulates a year of Sentinel-2 and composites it. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Simulate a small Sentinel-2 collection, composite it, and print where the results are.')
    .option('--out <dir>', 'where scenes and results go; results of an earlier demo are replaced', 'build/demo')
    .option('--size <px>', 'of the scenes', '512')
    .option('--dates <count>', 'how many days', '24')
    .option('--seed <number>', 'another seed, another land', '1')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

function whole(text: string, option: string): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= 0) return value;
  throw new InputError(`--${option} takes a whole number of 0 or more, and got "${text}"`, { option });
}

async function run({ out, size, dates, seed, json = false }: DemoFlags): Promise<void> {
  const scenes = join(out, 'scenes');
  const shape = { size: whole(size, 'size'), dates: whole(dates, 'dates'), seed: whole(seed, 'seed') };
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
