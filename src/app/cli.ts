#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { InputError, messageOf, StackwiseError, UsageError } from '../errors.js';
import { version } from '../version.js';
import { ccdcCommand } from './commands/ccdc.js';
import { chipsCommand } from './commands/chips.js';
import { compositeCommand } from './commands/composite.js';
import { demoCommand } from './commands/demo.js';
import { infoCommand } from './commands/info.js';
import { locateGridsCommand } from './commands/locate-grids.js';
import { mosaicCommand } from './commands/mosaic.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { saveTasksCommand } from './commands/save-tasks.js';
import { searchCommand } from './commands/search.js';
import { sentinel2Command } from './commands/sentinel2.js';
import { serveCommand } from './commands/serve.js';
import { tasksCommand } from './commands/tasks.js';
import { verifyCommand } from './commands/verify.js';

/** Every subcommand is one file in `commands/` and one line here. */
const COMMANDS = [
  compositeCommand,
  sentinel2Command,
  chipsCommand,
  ccdcCommand,
  serveCommand,
  saveTasksCommand,
  tasksCommand,
  runCommand,
  reportCommand,
  verifyCommand,
  mosaicCommand,
  locateGridsCommand,
  searchCommand,
  infoCommand,
  demoCommand,
];

/** 0 done, 1 failed, 2 wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('stackwise')
    .description('Turns stacks of satellite images into statistics.')
    .version(version, '--version', 'print the version')
    // Options behind the name of a command are its own, also those that the one around it has.
    .enablePositionalOptions()
    .exitOverride()
    // One line an error, whoever finds it; the help that a missing command prints stays as it is.
    .configureOutput({ outputError: (text, write) => write(`stackwise: ${lineOf(text.replace(/^error: /, ''))}\n`) });
  let running: Command | null = null;
  program.hook('preAction', (_, command) => {
    running = command;
  });
  for (const make of COMMANDS) {
    program.addCommand(adopted(make(), program));
  }
  try {
    await program.parseAsync([...argv]);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`stackwise: ${oneLine(error, running)}\n`);
    if (argv.includes('--debug')) process.stderr.write(`${stackOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** A command and those in it: they end and print as the program does. */
function adopted(command: Command, parent: Command): Command {
  command.option('--debug', 'print stack traces').copyInheritedSettings(parent);
  for (const own of command.commands) adopted(own, command);
  return command;
}

const lineOf = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, ' ');

function oneLine(error: unknown, command: Command | null): string {
  const text = lineOf(messageOf(error));
  const name = error instanceof InputError && error.facts.option ? typedName(error.facts.option, command) : null;
  if (name && !text.includes(name)) return `${name}: ${text}`;
  return error instanceof StackwiseError ? text : `unexpected: ${text}`;
}

/** What does not parse, as the command line calls it; null for what only programs can give. */
function typedName(option: string, command: Command | null): string | null {
  if (command?.registeredArguments.some((argument) => argument.name() === option)) return `<${option}>`;
  return command?.options.some(({ long }) => long === `--${option}`) ? `--${option}` : null;
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
  // Not where work is under way: it says so in the exit code.
  process.exit(process.exitCode ?? 0);
});

process.exitCode = await main(process.argv);
