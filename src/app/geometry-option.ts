import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';

/** `--geometry`: GeoJSON text, or a file of it. */
export function geometryOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
  } catch (cause) {
    throw new InputError(`--geometry is neither GeoJSON nor a file of it: ${(cause as Error).message}`, {}, { cause });
  }
}
