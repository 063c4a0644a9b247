import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';

/** PyCCD's parameters as JSON text, or a file of it. */
export function parameters(text: string | undefined): object | undefined {
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
