// The `plugin_config` of a configuration: keys that all plugins share are read here, those of one plugin by it.
import { InputError } from '../../errors.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Resampling } from '../../stats/spec.js';
import { suggestion } from '../../stats/suggest.js';

export interface PluginConfig {
  resampling: Resampling;
  group: 'solar-day' | 'none';
  rgbClamp: readonly [number, number];
  transformCode: string | null;
  has(key: string): boolean;
  text(key: string): string | null;
  /** A list of names, or one; null where it is not given. */
  names(key: string): string[] | null;
  /** A list of names and numbers. */
  list(key: string): (string | number)[] | null;
  object(key: string): Json | null;
}

const SHARED = ['resampling', 'group_by', 'rgb_bands', 'rgb_clamp', 'transform_code', 'area_of_interest'];
/** Of theirs, about how its work is cut and what it loads: nothing of it changes a number. */
const SHARED_IGNORED = ['chunks', 'basis', 'input_bands', 'optional_bands', 'measurements'];
/** As GDAL calls them, where ours differ. */
const RESAMPLINGS: Readonly<Record<string, Resampling>> = {
  nearest: 'nearest',
  near: 'nearest',
  bilinear: 'bilinear',
  cubic: 'cubic',
  average: 'average',
  mode: 'mode',
};

/** @throws InputError for a method that there is not */
export function parseResampling(text: string): Resampling {
  const method = Object.hasOwn(RESAMPLINGS, text) ? RESAMPLINGS[text] : undefined;
  if (method) return method;
  throw new InputError(
    `there is no resampling "${text}"${suggestion(text, Object.keys(RESAMPLINGS))}: give nearest, bilinear, cubic, average or mode`,
    { option: 'resampling' },
  );
}

function pair(value: unknown): readonly [number, number] | null {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite)
    ? (value as [number, number])
    : null;
}

/** West, south, east, north in degrees; west > east across the antimeridian. One operation serves all of a run: it chooses nothing. */
function isArea(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 4 || !value.every(Number.isFinite)) return false;
  const [west, south, east, north] = value as [number, number, number, number];
  return Math.max(Math.abs(west), Math.abs(east)) <= 180 && Math.max(-south, north) <= 90 && south <= north;
}

/**
 * Checks the keys of a plugin's configuration, and gives what all plugins have in common.
 * @throws InputError for a key that the plugin does not know (it names the nearest) and values that are none
 */
export function pluginConfig(
  plugin: string,
  config: Json,
  { own, ignored }: { own: readonly string[]; ignored: readonly string[] },
): PluginConfig {
  const wrong = (what: string) => new InputError(`${plugin}: ${what}`, { option: 'plugin-config' });
  const known = [...own, ...SHARED, ...ignored, ...SHARED_IGNORED];
  for (const key of Object.keys(config))
    if (!known.includes(key)) throw wrong(`unknown key "${key}"${suggestion(key, known)}`);
  const value = (key: string) => config[key] ?? null;
  const got = (key: string) => JSON.stringify(config[key])?.slice(0, 80);
  const text = (key: string): string | null => {
    const own = value(key);
    if (own === null || typeof own === 'string') return own;
    throw wrong(`"${key}" takes text, and got ${got(key)}`);
  };
  const list = (key: string): (string | number)[] | null => {
    const own = value(key);
    if (own === null) return null;
    const all = Array.isArray(own) ? own : [own];
    if (all.every((one) => typeof one === 'string' || Number.isInteger(one))) return all;
    throw wrong(`"${key}" takes a list of names or whole numbers, and got ${got(key)}`);
  };
  const names = (key: string) => list(key)?.map(String) ?? null;
  const group = text('group_by') ?? 'solar_day';
  if (group !== 'solar_day' && group !== 'none') throw wrong(`group_by is solar_day or none, and got ${group}`);
  const given = value('rgb_clamp');
  const clamp = given === null ? ([1, 3000] as const) : pair(given);
  if (!clamp || clamp[1] <= clamp[0]) throw wrong(`rgb_clamp is [least, most], and got ${got('rgb_clamp')}`);
  const area = value('area_of_interest');
  if (area !== null && !isArea(area))
    throw wrong(`area_of_interest is [west, south, east, north] in degrees, and got ${got('area_of_interest')}`);
  return {
    resampling: parseResampling(text('resampling') ?? 'bilinear'),
    group: group === 'none' ? 'none' : 'solar-day',
    rgbClamp: clamp,
    transformCode: text('transform_code'),
    has: (key) => value(key) !== null,
    text,
    names,
    list,
    object(key) {
      const own = value(key);
      if (own === null || isObject(own)) return own;
      throw wrong(`"${key}" takes an object, and got ${got(key)}`);
    },
  };
}
