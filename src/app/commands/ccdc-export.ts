import { Command, Option } from 'commander';
import { type ExportFormat, type ExportSummary, exportResults } from '../../jobs/result-export.js';
import { openResults } from '../../jobs/result-folder.js';
import type { Flags } from '../amount-option.js';
import { areaOf, withAreaOptions } from '../area-option.js';
import { someFiles } from '../file-list.js';
import { progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise ccdc export --store DIR --format parquet --out DIR` */
export function exportCommand(): Command {
  const command = new Command('export')
    .description('Write results of a store as JSON or Parquet, chip by chip.')
    .requiredOption('--store <dir>', 'the result store')
    .addOption(new Option('--format <name>', 'what to write').choices(['json', 'parquet']).makeOptionMandatory())
    .requiredOption('--out <dir>', 'where to write: a folder, or s3://bucket/prefix');
  return withAreaOptions(command)
    .option('--gzip', 'compress JSON')
    .option('--overwrite', 'replace existing files')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const json = flags.json === true;
  const area = areaOf(flags);
  const stop = stopSignals('files that were finished stay');
  const progress = progressReporter({ stream: process.stderr, json, label: 'export', unit: 'px' });
  const store = await openResults(String(flags.store), { readOnly: true });
  try {
    const summary = await exportResults(store, String(flags.out), {
      ...area,
      format: flags.format as ExportFormat,
      gzip: flags.gzip === true,
      overwrite: flags.overwrite === true,
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.done();
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.close();
    stop.dispose();
    await store.close();
  }
}

function describe({ files, chips }: ExportSummary): string {
  return `${[...someFiles(files), `${chips.exported} chips written, ${chips.missing} missing`].join('\n')}\n`;
}
