import { join } from 'node:path';
import { Command } from 'commander';
import { detectScenes } from '../../jobs/change/change-run.js';
import { removeResults } from '../../jobs/change/result-folder.js';
import { amount, type Flags } from '../amount-option.js';
import { progressReporter } from '../progress.js';
import { simulateArchive } from '../simulate-archive.js';
import { stopSignals } from '../stop.js';

/** `stackwise demo changes`: simulates years of Landsat and detects changes in them. */
export function demoChangesCommand(): Command {
  return new Command('changes')
    .description('Simulate years of Landsat, detect changes in them, and print where the results are.')
    .option('--out <dir>', 'where scenes and results go; results of an earlier demo are replaced', 'build/demo-changes')
    .option('--size <px>', 'of the scenes, of 30 m', '200')
    .option('--years <count>', 'how many', '8')
    .option('--seed <number>', 'another seed, another land', '1')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const out = String(flags.out);
  const json = flags.json === true;
  const store = join(out, 'results');
  const whole = (name: string) => amount(flags, name, 'whole number')!;
  const shape = { size: whole('size'), years: whole('years'), seed: whole('seed') };
  const stop = stopSignals();
  const { signal } = stop;
  const reporter = (label: string, unit: string) => progressReporter({ stream: process.stderr, json, label, unit });
  let progress = reporter('simulate', 'scenes');
  const onProgress = (done: number, total: number) => progress.update(done, total);
  try {
    const items = await simulateArchive(join(out, 'scenes'), { ...shape, signal, onProgress });
    progress.done();
    progress = reporter('ccdc', 'px');
    await removeResults(store);
    const { chips, pixels } = await detectScenes(items, { store }, { grid: 'conus', signal, onProgress });
    progress.done();
    process.stdout.write(
      json
        ? `${JSON.stringify({ scenes: items, store, chips, pixels })}\n`
        : `${items}\n${store}\n${chips.toRun} chips, ${pixels.withSegments} pixels with segments, ${pixels.empty} without\n`,
    );
  } finally {
    progress.close();
    stop.dispose();
  }
}
