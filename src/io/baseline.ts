import type { SceneBand } from './scene.js';
import type { Json } from './stac-item.js';

const BASELINE = /_N(\d{2})\.?(\d{2})(?:_|\.|$)/;

/** `04.00` from a product's or datastrip's name; null where there is none. */
export function baselineInName(name: string): string | null {
  const found = BASELINE.exec(name);
  return found && `${found[1]}.${found[2]}`;
}

/** The first of some properties that is text, or null. */
export const textOf = (properties: Json, ...names: string[]): string | null => {
  const found = names.map((name) => properties[name]).find((value) => typeof value === 'string' && value !== '');
  return (found as string | undefined) ?? null;
};

/**
 * The processing baseline of a Sentinel-2 item, like `04.00`: stated, or in the name of its product; null for what is no product of
 * ESA's. Other archives' items name the product that they were made from, which says nothing of their own numbers.
 */
export function processingBaseline(properties: Json, id: string): string | null {
  const stated = textOf(properties, 's2:processing_baseline', 'sentinel:processing_baseline');
  if (stated && /^\d{1,2}\.\d{2}$/.test(stated)) return stated.padStart(5, '0');
  const product = textOf(properties, 's2:product_uri', 'sentinel:product_id') ?? id;
  return /^S2[A-D]_MSIL(1C|2A)_/.test(product) ? baselineInName(product) : null;
}

const REFLECTANCE = /^(B(0[1-9]|1[0-2]|8A)(_\d+m)?|coastal|blue|green|red|rededge\d*|nir\d*|swir\d+|cirrus)(-jp2)?$/i;

/** Whether a band of Sentinel-2 holds reflectance, by its key, name or common name. */
export function isReflectance(key: string, { name, commonName }: Pick<SceneBand, 'name' | 'commonName'>): boolean {
  return [key, name, commonName].some((text) => text !== null && REFLECTANCE.test(text));
}
