// What a plugin makes of the scenes of a task, as plain data.
import type { Json } from '../../io/stac-item.js';
import type { MaskRecipe } from '../../stats/mask-recipe.js';
import type { MaskWhen, Resampling } from '../../stats/spec.js';
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
