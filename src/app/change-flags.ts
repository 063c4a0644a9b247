// Options of the commands that detect changes in scenes.
import { type Command, Option } from 'commander';
import type { ChangeRunOptions } from '../jobs/change/change-options.js';
import { parseBytes } from '../limit.js';
import { amount, type Flags } from './amount-option.js';
import { areaOf, withAreaOptions } from './area-option.js';
import { parameters } from './parameters-option.js';
import { addStackOptions, stackOptions } from './stack-option.js';

/** Adds what a series of observations is, and how changes are looked for in it. */
export function withSeriesOptions(command: Command): Command {
  command
    .option('--grid <name>', 'conus, alaska, hawaii, or native: the own pixels of the scenes (default)')
    .option('--datetime <interval>', 'which scenes, like 1984-01-01/2020-12-31')
    .option('--no-thermal', 'do not use temperature')
    .addOption(new Option('--offset <mode>', "Sentinel-2's offset").choices(['auto', 'apply', 'none']))
    .option('--params <json>', "PyCCD's parameters, as JSON or a file of it")
    .option('--wide-int', 'do not wrap temperatures at 16 bits as PyCCD does');
  return addStackOptions(command);
}

/** Adds these, and of which chips. */
export function withChangeOptions(command: Command): Command {
  return withSeriesOptions(withAreaOptions(command)).option(
    '--memory-limit <bytes>',
    'like 1GiB (default: the cgroup or RAM less a margin)',
  );
}

/** What was typed of {@link withSeriesOptions}. */
export function seriesOptions(flags: Flags): ChangeRunOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const params = parameters(text('params'));
  return {
    grid: text('grid'),
    datetime: text('datetime'),
    offset: text('offset') as ChangeRunOptions['offset'],
    thermal: flags.thermal === false ? false : undefined,
    detect: { ...(params && { params }), ...(flags.wideInt === true && { wideInt: true }) },
    ...stackOptions(flags),
  };
}

/** What was typed of {@link withChangeOptions}. */
export function changeOptions(flags: Flags): ChangeRunOptions {
  return {
    ...seriesOptions(flags),
    ...areaOf(flags),
    threads: amount(flags, 'threads', 'whole number'),
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : parseBytes(String(flags.memoryLimit)),
  };
}
