import { readFileSync } from 'node:fs';
import { InputError, UsageError } from '../errors.js';
import { selectionLines } from '../jobs/task/task-select.js';

/** Tasks as arguments: `@file` stands for the lines of the file. Slices may begin with a dash, so unknown options come here too. */
export function selectionOf(given: readonly string[]): string[] {
  return given.flatMap((text) => {
    if (text.startsWith('--')) throw new UsageError(`unknown option '${text}'`);
    if (!text.startsWith('@')) return [text];
    const lines = selectionLines(readList(text.slice(1)));
    // Nothing given means all tasks: a list that came out empty must not.
    if (lines.length === 0) throw new InputError(`no task is named in ${text.slice(1)}`);
    return lines;
  });
}

function readList(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InputError(`cannot read tasks from ${path}: ${(cause as NodeJS.ErrnoException).code}`, {}, { cause });
  }
}
