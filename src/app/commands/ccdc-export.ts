import { Command, Option } from 'commander';
import { type ExportFormat, type ExportSummary, exportResults } from '../../jobs/change/result-export.js';
import type { Flags } from '../amount-option.js';
import { areaOf, withAreaOptions } from '../area-option.js';
import { someFiles } from '../file-list.js';
import { readResults } from '../read-results.js';

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
  await readResults(
    flags,
    { label: 'export', unit: 'px', left: 'files that were finished stay' },
    async ({ store, signal, progress, onProgress }) => {
      const summary = await exportResults(store, String(flags.out), {
        ...area,
        format: flags.format as ExportFormat,
        gzip: flags.gzip === true,
        overwrite: flags.overwrite === true,
        signal,
        onProgress,
      });
      progress.done();
      process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
    },
  );
}

function describe({ files, chips }: ExportSummary): string {
  return `${[...someFiles(files), `${chips.exported} chips written, ${chips.missing} missing`].join('\n')}\n`;
}
