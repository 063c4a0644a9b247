import { InputError } from '../errors.js';

/** What a document may hold; hostile ones are longer. */
const MAX_CHARACTERS = 2 ** 20;

/**
 * A YAML document as plain values, read as PyYAML does (YAML 1.1: `yes` is true, dates are dates). Aliases may not multiply.
 * @param where it is from, for messages
 */
export async function parseYaml(text: string, where: string): Promise<unknown> {
  if (text.length > MAX_CHARACTERS)
    throw new InputError(`${where} has ${text.length} characters: the limit is ${MAX_CHARACTERS}`, {
      option: 'config',
    });
  const { parse } = await import('yaml');
  try {
    return parse(text, { version: '1.1', merge: true, prettyErrors: false, logLevel: 'error', maxAliasCount: 100 });
  } catch (cause) {
    throw new InputError(`${where} is not YAML: ${(cause as Error).message}`, { option: 'config' }, { cause });
  }
}
