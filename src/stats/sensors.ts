import { UnsupportedError } from '../errors.js';
import type { Scene, SceneBand } from '../io/stac.js';
import type { MaskRecipe } from './mask-recipe.js';

/** A family of scenes with the same bands and mask band: a row of docs/masks.md. */
export interface Sensor {
  id: string;
  title: string;
  /** Bands that are composited by default, in order: their name and what else they are called. */
  valueBands: readonly { name: string; aliases: readonly string[] }[];
  /** Mask and quality bands, likewise. */
  maskBands: readonly { name: string; aliases: readonly string[] }[];
  /** Default recipes (text for parseMask), OR-ed. */
  masks: readonly string[];
}

/** The sensor that all scenes share by their bands, collection and platform; null when none of the table fits. */
export function detectSensor(_scenes: readonly Scene[]): Sensor | null {
  throw new UnsupportedError('being written');
}

/** The band of a scene by its name there, the sensor's name or alias, or its common name; null when it has none. */
export function findBand(_scene: Scene, _name: string, _sensor: Sensor | null): SceneBand | null {
  throw new UnsupportedError('being written');
}

/**
 * The names of the bands asked for as the first scene spells them, in request order; null asks for all value bands that every
 * scene has. An unknown name, or a scene without the band, is an `InputError`. Look them up per scene with `findBand`.
 */
export function resolveBands(_scenes: readonly Scene[], _names: readonly string[] | null): string[] {
  throw new UnsupportedError('being written');
}

/** The sensor's default recipes with the mask band spelled as in the scenes; an `InputError` asks for --mask where there is none. */
export function defaultMasks(_scenes: readonly Scene[]): MaskRecipe[] {
  throw new UnsupportedError('being written');
}
