import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { type ObservedPixel, observePixel, type PixelOptions, pixelChanges } from '../../jobs/change/change-pixel.js';
import { openResults } from '../../jobs/change/result-folder.js';
import type { Changes } from '../../stats/change.js';
import { toJSON } from '../../stats/change-json.js';
import type { Flags } from '../amount-option.js';
import { seriesOptions, withSeriesOptions } from '../change-flags.js';
import { numbersOf } from '../list-option.js';
import { stopSignals } from '../stop.js';

/** Options of the commands that look at one pixel. */
export function addPixelOptions(command: Command): Command {
  const own = command
    .argument('<sources...>', 'scenes as for ccdc, or a table of one place (CSV, JSON)')
    .option('--at <x,y>', 'the place: lon,lat unless --at-crs')
    .option('--at-crs <crs>', 'CRS of --at')
    .option('--pixel <x,y>', "the place in the grid's own CRS")
    .option('--point <name>', 'which place of a table of several')
    .option('--store <dir>', 'take the results of a store instead of detecting anew')
    .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']));
  return withSeriesOptions(own);
}

function place(flags: Flags, name: 'at' | 'pixel'): { x: number; y: number } | null {
  const given = flags[name];
  if (given === undefined) return null;
  const numbers = numbersOf(String(given));
  if (numbers.length === 2 && numbers.every(Number.isFinite)) return { x: numbers[0]!, y: numbers[1]! };
  throw new InputError(`two numbers are wanted, like -106.92,40.29, got "${given}"`, { option: name });
}

function pixelOptions(flags: Flags): PixelOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const [at, pixel] = [place(flags, 'at'), place(flags, 'pixel')];
  if (at && pixel) throw new UsageError('give one place, not both --at and --pixel');
  return {
    ...seriesOptions(flags),
    ...(at && { at: { ...at, crs: text('atCrs') } }),
    ...(pixel && { at: { ...pixel, crs: null } }),
    point: text('point'),
    onError: text('onError') as PixelOptions['onError'],
  };
}

async function gridOf(store: string): Promise<string> {
  const results = await openResults(store, { readOnly: true });
  await results.close();
  return results.grid.name;
}

/** Reads the pixel that the flags name, and finds its changes. */
export async function lookAtPixel(
  sources: readonly string[],
  flags: Flags,
): Promise<{ observed: ObservedPixel; changes: Changes }> {
  const given = pixelOptions(flags);
  const store = flags.store as string | undefined;
  const stop = stopSignals();
  try {
    const grid = given.grid ?? (store === undefined ? undefined : await gridOf(store));
    const onWarning = (text: string) => process.stderr.write(`${text}\n`);
    const observed = await observePixel(sources, { ...given, grid, signal: stop.signal, onWarning });
    return { observed, changes: await pixelChanges(observed, store) };
  } finally {
    stop.dispose();
  }
}

/** `stackwise ccdc pixel <scenes… | table> --at lon,lat` */
export function ccdcPixelCommand(): Command {
  return addPixelOptions(new Command('pixel'))
    .description("Detect the changes of one pixel, and print them as PyCCD's JSON.")
    .action(async (sources: string[], flags: Flags) => {
      const { changes } = await lookAtPixel(sources, flags);
      process.stdout.write(`${JSON.stringify(toJSON(changes))}\n`);
    });
}
