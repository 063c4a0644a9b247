// What a run does with the scenes of a task: a name, defaults of its product, and a way from its configuration to a recipe.
import { InputError, UnsupportedError } from '../errors.js';
import type { Json } from '../io/stac-item.js';
import type { MaskRecipe } from '../stats/mask-recipe.js';
import type { MaskWhen, Resampling } from '../stats/spec.js';
import { suggestion } from '../stats/suggest.js';
import { geomedianPlugin } from './geomedian-plugin.js';
import type { ProductDefaults } from './product.js';

/** One raster of a tile: a band of a statistic under the name that the product gives it. */
export interface OutputBand {
  name: string;
  /** Key of the statistic, see `parseStatistics`. */
  statistic: string;
  /** Its band: that of the input, by its place among the recipe's bands, or one of the statistic's own by name. */
  band: number | string;
}

/** How scenes become a tile, as plain data. */
export interface Recipe {
  /** Value bands by name, as the scenes or their sensor call them. */
  bands: readonly string[];
  masks: readonly MaskRecipe[];
  /** A band of flags whose zeros are bad; used where the scenes have it. */
  contiguity: string | null;
  maskWhen: MaskWhen;
  statistics: string;
  outputs: readonly OutputBand[];
  resampling: Resampling;
  group: 'solar-day' | 'none';
  /** Names of the outputs that are red, green and blue of a picture, and which values are black and white; null: none. */
  rgb: { bands: readonly [string, string, string]; clamp: readonly [number, number] } | null;
  /** A coordinate operation between the datums of scenes and grid. */
  transformCode: string | null;
}

export interface Plugin {
  name: string;
  product: ProductDefaults;
  /** @throws InputError for keys that the plugin does not know and values that mean nothing */
  recipe(config: Json): Recipe;
}

/** Adding a plugin is a line here and its file. */
const PLUGINS: readonly Plugin[] = [geomedianPlugin('gm-generic'), geomedianPlugin('gm-s2'), geomedianPlugin('gm-ls')];

/** Of odc-stats, and not here yet: tasks of their configurations can be listed. */
const PLANNED: readonly string[] = [
  'pq',
  'pq-ls-bitmask',
  'gm-ls-bitmask',
  'fc-percentiles',
  'tcw-percentiles',
  'tc-percentiles',
  'wofs-summary',
  'wofs-summary-fh',
  'mangroves',
  'veg_count',
];

/** A plugin that is not here yet: its tasks can be listed, not run. */
function planned(name: string): Plugin {
  const plain = name.replaceAll('-', '_');
  return {
    name,
    product: { name: plain, shortName: plain, version: '0.0.0', family: 'statistics' },
    recipe() {
      throw new UnsupportedError(
        `the plugin ${name} cannot run yet; those that can are ${PLUGINS.map((one) => one.name).join(', ')}`,
      );
    },
  };
}

/** @throws InputError that names the nearest where there is none of this name */
export function pluginOf(name: string): Plugin {
  const found = PLUGINS.find((plugin) => plugin.name === name);
  if (found) return found;
  if (PLANNED.includes(name)) return planned(name);
  const known = PLUGINS.map((plugin) => plugin.name);
  throw new InputError(
    `there is no plugin "${name}"${suggestion(name, [...known, ...PLANNED])}: those here are ${known.join(', ')}`,
    { option: 'plugin' },
  );
}
