import { readFileSync } from 'node:fs';
import { InputError, UsageError } from '../errors.js';
import { selectionLines } from '../jobs/task-select.js';

/** Tasks as arguments: `@file` stands for the lines of the file. Slices may begin with a dash, so unknown options come here too. */
export function selectionOf(given: readonly string[]): string[] {
  return given.flatMap((text) => {
    if (text.startsWith('--')) throw new UsageError(`unknown option '${text}'`);
    if (!text.startsWith('@')) return [text];
    try {
      return selectionLines(readFileSync(text.slice(1), 'utf8'));
    } catch (cause) {
      throw new InputError(
        `cannot read tasks from ${text.slice(1)}: ${(cause as NodeJS.ErrnoException).code}`,
        {},
        { cause },
      );
    }
  });
}
