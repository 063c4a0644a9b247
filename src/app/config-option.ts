import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';
import { schemeOf } from '../io/href.js';
import { storeFor } from '../io/stores.js';
import { type StatsConfig, statsConfig } from '../jobs/stats-config.js';
import { parseYaml } from '../jobs/yaml.js';

/** `--config`: YAML as a file, an address, or text as it stands (more than one line, or `key: value`). */
export async function configOption(given: string | undefined, signal?: AbortSignal): Promise<StatsConfig> {
  if (given === undefined) return {};
  const scheme = schemeOf(given);
  if (scheme !== null && ['s3', 'http', 'https', 'file'].includes(scheme)) {
    const bytes = await storeFor(given).read(given, undefined, signal ? { signal } : {});
    return statsConfig(await parseYaml(new TextDecoder().decode(bytes), given), given);
  }
  if (/\n|^\s*\{|^[\w-]+:\s/.test(given)) return statsConfig(await parseYaml(given, '--config'), '--config');
  let text: string;
  try {
    text = readFileSync(given, 'utf8');
  } catch (cause) {
    throw new InputError(
      `cannot read ${given}: ${(cause as NodeJS.ErrnoException).code}`,
      { option: 'config' },
      { cause },
    );
  }
  return statsConfig(await parseYaml(text, given), given);
}
