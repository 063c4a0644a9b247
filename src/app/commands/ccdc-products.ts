import { Command } from 'commander';
import { type ProductSummary, productsToFolder } from '../../jobs/change/change-folder.js';
import { parseBytes } from '../../limit.js';
import type { Flags } from '../amount-option.js';
import { areaOf, withAreaOptions } from '../area-option.js';
import { someFiles } from '../file-list.js';
import { wordsOf } from '../list-option.js';
import { readResults } from '../read-results.js';

/** `stackwise ccdc products --store DIR --date 2014-07-01 --out DIR` */
export function productsCommand(): Command {
  const command = new Command('products')
    .description('Write change products of a date, and the synthetic image, from a result store as COGs.')
    .requiredOption('--store <dir>', 'the result store')
    .requiredOption('--date <days>', 'days like 2014-07-01, separated by commas')
    .requiredOption('--out <dir>', 'where to write: a folder, or s3://bucket/prefix');
  return withAreaOptions(command)
    .option('--product <names>', 'SCTIME,SCLAST,SCMAG,SCSTAB,SCMQA,SCCOUNT (default: these) and SYNTHETIC')
    .option('--magnitude-bands <names>', 'bands of SCMAG (default green,red,nir,swir1,swir2)')
    .option('--overwrite', 'replace existing results')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const json = flags.json === true;
  const area = areaOf(flags);
  const memoryLimitBytes = flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit));
  await readResults(
    flags,
    { label: 'products', unit: 'px', left: 'files that were finished stay' },
    async ({ store, signal, progress, onProgress }) => {
      const summary = await productsToFolder(store, String(flags.out), {
        ...area,
        dates: wordsOf(flags, 'date')!,
        products: wordsOf(flags, 'product'),
        magnitudeBands: wordsOf(flags, 'magnitudeBands'),
        overwrite: flags.overwrite === true,
        memoryLimitBytes,
        signal,
        onProgress,
        onWarning: (text) => progress.note(text),
      });
      progress.done();
      process.stdout.write(json ? `${JSON.stringify(summary)}\n` : describe(summary));
    },
  );
}

function describe({ files, grid, chips }: ProductSummary): string {
  return [
    ...someFiles(files),
    `${grid.width} × ${grid.height} px: ${chips.complete} chips complete, ${chips.incomplete} with failed pixels, ${chips.missing} missing`,
    '',
  ].join('\n');
}
