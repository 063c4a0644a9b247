import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';
import { schemeOf } from '../io/href.js';
import { isObject, type Json } from '../io/stac-item.js';
import { storeFor } from '../io/stores.js';
import { type StatsConfig, statsConfig } from '../jobs/task/stats-config.js';
import { parseYaml } from '../jobs/yaml.js';

/** More than one line, an object in braces, or `key: value`. */
const YAML_TEXT = /\n|^\s*\{|^\s*["']?[\w-]+["']?\s*:(\s|$)/;

/** An option's YAML: a file, an address, or text as it stands; and what to call it in messages. */
async function yamlOf(
  given: string,
  option: string,
  signal: AbortSignal | undefined,
): Promise<{ document: unknown; where: string }> {
  const read = async (text: string, where: string) => ({ document: await parseYaml(text, where), where });
  if (['s3', 'http', 'https', 'file'].includes(schemeOf(given) ?? '')) {
    const bytes = await storeFor(given).read(given, undefined, signal ? { signal } : {});
    return read(new TextDecoder().decode(bytes), given);
  }
  if (YAML_TEXT.test(given)) return read(given, `--${option}`);
  let text: string;
  try {
    text = readFileSync(given, 'utf8');
  } catch (cause) {
    throw new InputError(`cannot read ${given}: ${(cause as NodeJS.ErrnoException).code}`, { option }, { cause });
  }
  return read(text, given);
}

/** `--config`: the keys of a configuration of odc-stats. */
export async function configOption(given: string | undefined, signal?: AbortSignal): Promise<StatsConfig> {
  if (given === undefined) return {};
  const { document, where } = await yamlOf(given, 'config', signal);
  return statsConfig(document, where);
}

/** An option that takes an object of keys; undefined where it is not given. */
export async function objectOption(
  given: string | undefined,
  option: string,
  signal?: AbortSignal,
): Promise<Json | undefined> {
  if (given === undefined) return undefined;
  const { document } = await yamlOf(given, option, signal);
  if (isObject(document)) return document;
  throw new InputError(`an object of keys is wanted, and got ${JSON.stringify(document)?.slice(0, 60)}`, { option });
}
