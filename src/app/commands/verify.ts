import { Command } from 'commander';
import { FormatError, InputError } from '../../errors.js';
import { type VerifyReport, type VerifySummary, verify } from '../../jobs/verify/verify.js';
import type { ComparedBand } from '../../jobs/verify/verify-against.js';
import { formatBytes } from '../../limit.js';
import { amount, type Flags } from '../amount-option.js';
import { collect } from '../list-option.js';
import { progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';

/** `stackwise verify <folder | item | s3://…> [--against FOLDER]` */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('Look whether results are whole: files, sums, rasters; and whether their pixels are those of others.')
    .argument('<results...>', 'folders (also s3://bucket/prefix) or items')
    .option('--against <results>', 'compare pixels with those of these results')
    .option(
      '--tolerance <band=value>',
      'the largest difference that counts as equal, of a band or of all; repeatable',
      collect,
    )
    .option('--unequal <percent>', 'share of the pixels of a band that may differ (default: 0)')
    .option('--json', 'print machine-readable JSON lines')
    .action(run);
}

/** `red=2`, `2`, or several between commas. */
function tolerancesOf(flags: Flags): Record<string, number> {
  const words = [flags.tolerance ?? []].flat().flatMap((text) => String(text).split(','));
  const tolerances: Record<string, number> = Object.create(null);
  for (const word of words) {
    const [, name = '*', value = ''] = /^(?:(.+)=)?([^=]*)$/.exec(word.trim()) ?? [];
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (!(number >= 0))
      throw new InputError(`a tolerance is like red=2 or 2, not ${JSON.stringify(word)}`, { option: 'tolerance' });
    tolerances[name] = number;
  }
  return tolerances;
}

async function run(sources: string[], flags: Flags, command: Command): Promise<void> {
  const against = flags.against as string | undefined;
  if (against === undefined && (flags.tolerance !== undefined || flags.unequal !== undefined))
    command.error('--tolerance and --unequal belong to --against, which is not given');
  const options = { against, tolerance: tolerancesOf(flags), unequalPercent: amount(flags, 'unequal') };
  const stop = stopSignals('nothing was changed');
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'verify', unit: ' items' });
  try {
    const summary = await verify(sources, {
      ...options,
      signal: stop.signal,
      onReport: (report) => json && process.stdout.write(`${JSON.stringify(report)}\n`),
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.done();
    if (!json) process.stdout.write(describe(summary).map(plainLine).join(''));
    if (summary.wrong > 0) throw new FormatError(failure(summary));
  } finally {
    progress.close();
    stop.dispose();
  }
}

/** Names are data: nothing in them ends a line, or speaks to the terminal. */
const plainLine = (text: string) => `${text.replaceAll(/\p{Cc}/gu, '\ufffd')}\n`;

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function failure({ wrong, items, problems, reports }: VerifySummary): string {
  const bands = reports.flatMap(({ against }) => against?.bands ?? []).filter(({ isEqual }) => !isEqual).length;
  const what = [
    ...(problems > 0 ? [counted(problems, 'problem')] : []),
    ...(bands > 0 ? [`other pixels in ${counted(bands, 'band')}`] : []),
  ];
  return `${wrong} of ${items} results are damaged or differ: ${what.join(', ')}`;
}

function describe(summary: VerifySummary): string[] {
  const { reports, items, files, bytes } = summary;
  const problems = reports.flatMap((report) =>
    report.problems.map(({ where, what, wanted, got }) => `${where}: ${what}: wanted ${wanted}, got ${got}`),
  );
  const compared = reports.filter(({ against }) => against !== null);
  const unsummed = reports.reduce((sum, report) => sum + report.files - report.summed, 0);
  const rest = unsummed > 0 ? `, ${unsummed} of them without a sum` : '';
  return [
    ...(compared.length > 0 ? table(compared) : []),
    ...problems,
    `${counted(items, 'result')}, ${counted(files, 'file')}, ${formatBytes(bytes)}${rest}`,
  ];
}

const HEAD = ['result', 'id', 'band', 'unequal', 'share', 'max |Δ|', 'mean |Δ|', 'mask', 'worst at', ''];

/** A line a band of each pair. */
function table(reports: readonly VerifyReport[]): string[] {
  const rows = reports.flatMap(({ title, against }) =>
    against!.bands.map((band) => [title ?? '', against!.sameId ? 'same' : 'differs', ...bandCells(band)]),
  );
  const cells = [HEAD, ...rows];
  const widths = HEAD.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const isText = (i: number) => i < 3 || i > 7;
  return cells.map((row) =>
    row
      .map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

function bandCells({ asset, band, px, unequalPx, maskPx, maximum, mean, worst, isEqual }: ComparedBand): string[] {
  const share = (100 * (unequalPx + maskPx)) / px;
  return [
    asset === band ? band : `${asset}.${band}`,
    String(unequalPx),
    `${share === 0 ? 0 : share.toPrecision(3)} %`,
    String(Number(maximum.toPrecision(6))),
    String(Number(mean.toPrecision(3))),
    String(maskPx),
    worst ? `${worst.col},${worst.row} (${worst.ours} / ${worst.theirs})` : '-',
    isEqual ? 'equal' : 'DIFFERS',
  ];
}
