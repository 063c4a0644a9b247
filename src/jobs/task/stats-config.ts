// The configuration of odc-stats: one document for `save-tasks` and `run`, each of which passes over what is the other's.
import { InputError } from '../../errors.js';
import { isObject, type Json } from '../../io/stac-item.js';
import { suggestion } from '../../stats/suggest.js';

type Kind = 'text' | 'number' | 'whole number' | 'boolean' | 'list' | 'object' | 'text or object' | 'text or list';
type Reader = 'save-tasks' | 'run';

const SAVE: readonly Reader[] = ['save-tasks'];
const RUN: readonly Reader[] = ['run'];
const BOTH: readonly Reader[] = ['save-tasks', 'run'];

/** Every key, what it takes, and whose it is. Dashes and underscores are alike. */
const KEYS = {
  // Of save-tasks, as odc-stats has them.
  grid: ['text or object', SAVE],
  year: ['whole number', SAVE],
  temporal_range: ['text', SAVE],
  frequency: ['text', SAVE],
  env: ['text', SAVE],
  tiles: ['text or list', SAVE],
  gqa: ['number', SAVE],
  usgs_collection_category: ['text', SAVE],
  dataset_filter: ['text or object', SAVE],
  ignore_time: ['list', SAVE],
  optional_products: ['list', SAVE],
  input_products: ['text', SAVE],
  // Of save-tasks, ours.
  sources: ['list', SAVE],
  stac: ['text', SAVE],
  collections: ['list', SAVE],
  bucket: ['text', SAVE],
  tile: ['text', SAVE],
  path_row: ['text', SAVE],
  mirror: ['text', SAVE],
  prefer: ['text', SAVE],
  all_processings: ['boolean', SAVE],
  out: ['text', SAVE],
  start_month: ['whole number', SAVE],
  period_label: ['text', SAVE],
  geometry: ['text or object', SAVE],
  first_feature: ['boolean', SAVE],
  max_cloud: ['number', SAVE],
  allow_empty: ['boolean', SAVE],
  // Of both.
  overwrite: ['boolean', BOTH],
  href_map: ['list', BOTH],
  compat: ['text', BOTH],
  // Of run.
  plugin: ['text', RUN],
  plugin_config: ['object', RUN],
  filedb: ['text', RUN],
  output_location: ['text', RUN],
  location: ['text', RUN],
  threads: ['number', RUN],
  memory_limit: ['text', RUN],
  s3_acl: ['text', RUN],
  s3_public: ['boolean', RUN],
  aws_unsigned: ['boolean', RUN],
  apply_eodatasets3: ['boolean', RUN],
  dataset_filters: ['text or object', RUN],
  heartbeat_filepath: ['text', RUN],
  max_processing_time: ['number', RUN],
  job_queue_max_lease: ['number', RUN],
  renew_safety_margin: ['number', RUN],
  future_poll_interval: ['number', RUN],
  cog_opts: ['object', RUN],
  product: ['object', RUN],
  resolution: ['text or list', RUN],
  resampling: ['text', RUN],
  // Of run, ours.
  on_error: ['text', RUN],
  offset: ['text', RUN],
  nodata: ['number', RUN],
  work_dir: ['text', RUN],
  concurrency: ['whole number', RUN],
  report: ['text', RUN],
} as const satisfies Record<string, readonly [Kind, readonly Reader[]]>;

export type StatsKey = keyof typeof KEYS;

interface Values {
  text: string;
  number: number;
  'whole number': number;
  boolean: boolean;
  list: string[];
  object: Json;
  'text or object': string | Json;
  'text or list': string | readonly unknown[];
}

/** Keys that a document has, checked; those that are null in it count as not given. */
export type StatsConfig = { [K in StatsKey]?: Values[(typeof KEYS)[K][0]] };

const isScalar = (value: unknown) => typeof value === 'string' || typeof value === 'number' || value instanceof Date;
const textOf = (value: unknown) => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value));

/** A value as its kind, undefined where it is none. */
function readValue(kind: Kind, value: unknown): unknown {
  if (kind === 'text') return isScalar(value) ? textOf(value) : undefined;
  if (kind === 'boolean') return typeof value === 'boolean' ? value : undefined;
  if (kind === 'object') return isObject(value) ? value : undefined;
  if (kind === 'number' || kind === 'whole number') {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    const good =
      typeof number === 'number' && Number.isFinite(number) && (kind === 'number' || Number.isInteger(number));
    return good ? number : undefined;
  }
  if (kind === 'list') {
    const list = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : undefined;
    return list?.every(isScalar) ? list.map((one) => textOf(one).trim()) : undefined;
  }
  if (isScalar(value)) return textOf(value);
  const fits = kind === 'text or list' ? Array.isArray(value) : isObject(value) && !(value instanceof Date);
  return fits ? value : undefined;
}

/**
 * Checks a document.
 * @param where it is from, for messages
 * @throws InputError for keys that neither command knows (it names the nearest) and values of a wrong kind
 */
export function statsConfig(document: unknown, where: string): StatsConfig {
  if (document === null || document === undefined) return {};
  const wrong = (what: string) => new InputError(`${where}: ${what}`, { option: 'config' });
  if (!isObject(document)) throw wrong('a configuration is an object of keys');
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    const key = name.replaceAll('-', '_');
    if (!Object.hasOwn(KEYS, key)) throw wrong(`unknown key "${name}"${suggestion(key, Object.keys(KEYS))}`);
    if (value === null || value === undefined) continue;
    if (Object.hasOwn(config, key)) throw wrong(`"${key}" is given twice`);
    const [kind] = KEYS[key as StatsKey];
    const read = readValue(kind, value);
    if (read === undefined)
      throw wrong(
        `"${name}" takes ${kind === 'list' ? 'a list' : kind}, and got ${JSON.stringify(value).slice(0, 80)}`,
      );
    config[key] = read;
  }
  return config as StatsConfig;
}

/** The keys that a command reads. */
export function configOf(config: StatsConfig, reader: Reader): StatsConfig {
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => (KEYS[key as StatsKey][1] as readonly Reader[]).includes(reader)),
  );
}
