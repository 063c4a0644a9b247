#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { InputError, StackwiseError, UsageError } from '../errors.js';
import { version } from '../version.js';
import { ccdcCommand } from './commands/ccdc.js';
import { chipsCommand } from './commands/chips.js';
import { compositeCommand } from './commands/composite.js';
import { demoCommand } from './commands/demo.js';
import { infoCommand } from './commands/info.js';
import { saveTasksCommand } from './commands/save-tasks.js';
import { searchCommand } from './commands/search.js';
import { sentinel2Command } from './commands/sentinel2.js';
import { tasksCommand } from './commands/tasks.js';

/** Every subcommand is one file in `commands/` and one line here. */
const COMMANDS = [
  compositeCommand,
  sentinel2Command,
  chipsCommand,
  ccdcCommand,
  saveTasksCommand,
  tasksCommand,
  searchCommand,
  infoCommand,
  demoCommand,
];

/** 0 done, 1 failed, 2 wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('stackwise')
    .description('Turns stacks of satellite images into statistics.')
    .version(version, '--version', 'print the version')
    .exitOverride()
    // One line an error, whoever finds it; the help that a missing command prints stays as it is.
    .configureOutput({ outputError: (text, write) => write(`stackwise: ${lineOf(text.replace(/^error: /, ''))}\n`) });
  for (const make of COMMANDS) {
    program.addCommand(make().option('--debug', 'print stack traces').copyInheritedSettings(program));
  }
  try {
    await program.parseAsync([...argv]);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`stackwise: ${oneLine(error)}\n`);
    if (argv.includes('--debug')) process.stderr.write(`${stackOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

const lineOf = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, ' ');

function oneLine(error: unknown): string {
  const text = lineOf(error instanceof Error ? error.message : String(error));
  // An option that does not parse is named as it is typed.
  const option = error instanceof InputError && error.facts.option;
  if (option && !text.includes(`--${option}`)) return `--${option}: ${text}`;
  return error instanceof StackwiseError ? text : `unexpected: ${text}`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.stack}\ncaused by ${stackOf(error.cause)}` : String(error.stack);
}

// The S3 client speaks of its own later versions, in each thread, where one line an error is promised; the version here is pinned.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// Whoever reads the output may have read enough: `stackwise tasks set | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await main(process.argv);
