import { type Command, Option } from 'commander';
import { QA_SCHEMES } from '../stats/change-qa.js';
import { type StackOptions, THERMAL_UNITS } from '../stats/change-stack.js';
import type { Flags } from './amount-option.js';
import { wordsOf } from './list-option.js';

/** What files do not say of themselves: stacks of one file a date, and tables. */
export function addStackOptions(command: Command): Command {
  return command
    .option('--stack-bands <names>', 'bands of a stack in their order: blue,green,red,nir,swir1,swir2,thermal,qa')
    .addOption(new Option('--qa-scheme <scheme>', 'how QA is read where names do not tell').choices([...QA_SCHEMES]))
    .addOption(new Option('--thermal-unit <unit>', 'of stacks: kelvin × 10, or °C × 100').choices([...THERMAL_UNITS]));
}

export function stackOptions(flags: Flags): StackOptions {
  const { qaScheme, thermalUnit } = flags;
  return {
    stackBands: wordsOf(flags, 'stackBands'),
    qaScheme: qaScheme as StackOptions['qaScheme'],
    thermalUnit: thermalUnit as StackOptions['thermalUnit'],
  };
}
