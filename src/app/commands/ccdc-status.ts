import { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { storeStatus, type TileStatus } from '../../jobs/change/result-status.js';
import type { Flags } from '../amount-option.js';
import { cellOf } from '../area-option.js';
import { collect } from '../list-option.js';
import { readResults } from '../read-results.js';

/** `stackwise ccdc status --store DIR` */
export function statusCommand(): Command {
  return new Command('status')
    .description('Count complete, incomplete and missing chips of a result store, tile by tile.')
    .requiredOption('--store <dir>', 'the result store')
    .option('--tile <h,v>', 'a tile; may be given again (default: all that the store has something of)', collect)
    .option('--missing', 'print the chips that have not run, a line h,v each: for `ccdc --chips`')
    .option('--json', 'print machine-readable JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const json = flags.json === true;
  const missing = flags.missing === true;
  if (json && missing) throw new UsageError('give --missing or --json, not both: the JSON has the missing chips');
  const tiles = (flags.tile as string[] | undefined)?.map((text) => cellOf(text, 'tile'));
  await readResults(flags, { label: 'status', unit: 'chips' }, async ({ store, signal, progress, onProgress }) => {
    const status = await storeStatus(store, {
      tiles,
      reasons: !missing,
      signal,
      onProgress,
    });
    progress.close();
    if (missing) process.stdout.write(linesOf(status));
    else process.stdout.write(json ? `${JSON.stringify({ grid: store.grid.name, tiles: status })}\n` : tableOf(status));
  });
}

const linesOf = (tiles: readonly TileStatus[]) =>
  tiles.flatMap(({ missingChips }) => missingChips.map(({ h, v }) => `${h},${v}\n`)).join('');

const HEADS = ['tile', 'complete', 'incomplete', 'missing', 'with segments', 'without', 'failed'];

/** Columns of numbers, aligned to the right; then the reasons of failures. */
function tableOf(tiles: readonly TileStatus[]): string {
  if (tiles.length === 0) return 'nothing has run yet\n';
  const rows = tiles.map(({ h, v, complete, incomplete, missing, pixels }) =>
    [`${h},${v}`, complete, incomplete, missing, pixels.withSegments, pixels.empty, pixels.failed].map(String),
  );
  const widths = HEADS.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) => cells.map((text, i) => text.padStart(widths[i]!)).join('  ');
  const failures = tiles.flatMap(({ h, v, failures: all }) =>
    all.map(({ reason, pixels, samples }) => {
      const places = samples.map(({ x, y }) => `(${x}, ${y})`).join(', ');
      return `tile ${h},${v}: ${pixels} px failed: ${reason}; as at ${places}`;
    }),
  );
  return [line(HEADS), ...rows.map(line), ...failures, ''].join('\n');
}
