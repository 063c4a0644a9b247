// Options of the commands that detect changes in scenes.
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { parseBbox } from '../geo/region.js';
import type { ChangeRunOptions } from '../jobs/change-options.js';
import { parseBytes } from '../limit.js';
import { amount, type Flags } from './amount-option.js';

/** Adds them to a command. */
export function withChangeOptions(command: Command): Command {
  return command
    .option('--grid <name>', 'conus, alaska, hawaii, or native: the own pixels of the scenes (default)')
    .option('--chip <h,v>', 'one chip of the grid')
    .option('--tile <h,v>', 'the chips of a tile')
    .option('--bbox <w,s,e,n>', 'the chips that an area touches, lon/lat unless --bbox-crs')
    .option('--bbox-crs <crs>', 'CRS of --bbox')
    .option('--datetime <interval>', 'which scenes, like 1984-01-01/2020-12-31')
    .option('--no-thermal', 'do not use temperature')
    .addOption(new Option('--offset <mode>', "Sentinel-2's offset").choices(['auto', 'apply', 'none']))
    .option('--params <json>', "PyCCD's parameters, as JSON or a file of it")
    .option('--wide-int', 'do not wrap temperatures at 16 bits as PyCCD does')
    .option('--memory-limit <bytes>', 'like 1GiB (default: the cgroup or RAM less a margin)');
}

/** PyCCD's parameters as JSON text, or a file of it. */
function parameters(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (cause) {
    const message = `neither JSON nor a file of it: ${(cause as Error).message}`;
    throw new InputError(message, { option: 'params' }, { cause });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new InputError('a JSON object of parameters is wanted', { option: 'params' });
}

function cell(flags: Flags, name: 'chip' | 'tile'): number[] | undefined {
  const text = flags[name];
  return text === undefined
    ? undefined
    : String(text)
        .split(',')
        .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
}

/** What was typed of them. */
export function changeOptions(flags: Flags): ChangeRunOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const params = parameters(text('params'));
  return {
    grid: text('grid'),
    chip: cell(flags, 'chip'),
    tile: cell(flags, 'tile'),
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    bboxCrs: text('bboxCrs'),
    datetime: text('datetime'),
    offset: text('offset') as ChangeRunOptions['offset'],
    thermal: flags.thermal === false ? false : undefined,
    detect: {
      ...(params !== undefined && { params: params as object }),
      ...(flags.wideInt === true && { wideInt: true }),
    },
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
  };
}
