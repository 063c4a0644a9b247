import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { parseBbox } from '../../geo/region.js';
import { type Sentinel2Options, SOURCES, sentinel2ToFolder } from '../../jobs/sentinel2.js';
import { parseTone } from '../../jobs/tone.js';
import { parseBytes } from '../../limit.js';
import { amount, type Flags } from '../amount-option.js';
import { collect, wordsOf } from '../list-option.js';
import { drawPreview } from '../preview.js';
import { noteRetries, progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise sentinel2 10UDV 2019-08-26 2019-09-07 --out DIR` */
export function sentinel2Command(): Command {
  return new Command('sentinel2')
    .description('Make a cloud-free picture of a Sentinel-2 tile: find its scenes, mask, composite, write an RGB COG.')
    .argument('<tile>', 'like 10UDV')
    .argument('<start>', 'first date or time, like 2019-08-26')
    .argument('<end>', 'last date or time; a date is a whole day')
    .option('--out <dir>', 'where the results go')
    .addOption(new Option('--source <name>', 'default: sentinel-cogs').choices(Object.keys(SOURCES)))
    .option('--mirror <bucket>', 'another bucket of the same layout')
    .option('--bands <names>', 'three, for red, green and blue (default: red,green,blue)')
    .option('--stat <name>', 'median (default), geomedian, medoid, percentile:N, mean, …')
    .option('--mask <recipe>', 'instead of the mask by scene classes, where there are some; repeatable; none', collect)
    .addOption(new Option('--offset <mode>', 'the offset since baseline 04.00').choices(['auto', 'apply', 'none']))
    .option('--bbox <w,s,e,n>', 'a part of the tile, in degrees')
    .option('--max-cloud <percent>', 'leave out scenes with more cloud')
    .option('--limit <count>', 'at most so many scenes, the earliest')
    .option('--download <dir>', 'fetch into red, green and blue folders first; goes on where it was stopped')
    .option('--has-pulled', 'use what lies in --download')
    .option('--stretch <low,high>', 'percentiles that become dark and bright: an 8-bit picture')
    .option('--gamma <number>', 'of the stretch (default: 1)')
    .option('--seed-compat', "the original program's numbers: all scenes, no mask, no offset, medians truncated")
    .option('--threads <count>', 'number of threads; 0 computes in the main thread')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)')
    .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']))
    .option('--overwrite', 'replace existing results')
    .option('--json', 'print machine-readable JSON lines')
    .action((tile: string, start: string, end: string, flags: Flags) => run({ tile, start, end }, flags));
}

async function run(request: { tile: string; start: string; end: string }, flags: Flags): Promise<void> {
  if (!flags.out) throw new UsageError('--out DIR is wanted');
  const options = sentinel2Options(flags);
  const stop = stopSignals();
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'composite', unit: 'px' });
  const fetching = progressReporter({ stream: process.stderr, json, label: 'download', unit: 'B' });
  try {
    const summary = await sentinel2ToFolder(request, String(flags.out), {
      ...options,
      preview: drawPreview,
      signal: stop.signal,
      onNote: (text) => {
        fetching.close();
        progress.note(text);
      },
      onDownload: (done, total) => fetching.update(done, total),
      onWarning: (text) => progress.note(text),
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.done();
    noteRetries(progress, summary.network);
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${summary.files.join('\n')}\n`);
  } finally {
    fetching.close();
    progress.close();
    stop.dispose();
  }
}

function sentinel2Options(flags: Flags): Sentinel2Options {
  const text = (name: string) => flags[name] as string | undefined;
  const [stretch, gamma] = [text('stretch'), text('gamma')];
  if (gamma !== undefined && stretch === undefined)
    throw new InputError('--gamma belongs to --stretch, which is not given', { option: 'gamma' });
  const given: Sentinel2Options = {
    source: text('source'),
    mirror: text('mirror'),
    bands: wordsOf(flags, 'bands')?.filter(Boolean),
    statistic: text('stat'),
    masks: flags.mask as string[] | undefined,
    offset: text('offset') as Sentinel2Options['offset'],
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    maxCloudPercent: amount(flags, 'maxCloud'),
    limit: amount(flags, 'limit', 'whole number'),
    download: text('download'),
    hasPulled: flags.hasPulled === true,
    tone: stretch === undefined ? undefined : parseTone(stretch, gamma),
    seedCompat: flags.seedCompat === true,
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
    onError: text('onError') as Sentinel2Options['onError'],
    overwrite: flags.overwrite === true,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
