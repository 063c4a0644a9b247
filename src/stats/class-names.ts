// What the values of mask bands are called.
import { InputError } from '../errors.js';
import { suggestion } from './suggest.js';

/** Bands by their names, and the names of their values as Open Data Cube defines them. */
const TABLES: readonly { band: RegExp; values: Readonly<Record<string, number>> }[] = [
  {
    // Sentinel-2 Level-2A, scene classification.
    band: /^scl$/i,
    values: {
      'no data': 0,
      'saturated or defective': 1,
      'dark area pixels': 2,
      'cloud shadows': 3,
      vegetation: 4,
      'bare soils': 5,
      water: 6,
      unclassified: 7,
      'cloud medium probability': 8,
      'cloud high probability': 9,
      'thin cirrus': 10,
      'snow or ice': 11,
    },
  },
  {
    // Fmask of Geoscience Australia's surface reflectance.
    band: /^(oa_)?fmask$/i,
    values: { nodata: 0, valid: 1, clear: 1, cloud: 2, shadow: 3, cloud_shadow: 3, snow: 4, water: 5 },
  },
];

const plain = (name: string) =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ');

/**
 * The values of some classes of a mask band: names (case, spaces and underscores do not matter), numbers, or several joined by `|`.
 * @throws InputError for a name that the band does not have, and for names where no table of the band is known
 */
export function classValues(band: string, classes: readonly (string | number)[]): number[] {
  const table = TABLES.find((one) => one.band.test(band))?.values ?? null;
  const values = new Set<number>();
  for (const word of classes.flatMap((one) => String(one).split('|')).map((one) => one.trim())) {
    if (/^\d+$/.test(word)) {
      values.add(Number(word));
      continue;
    }
    if (!table)
      throw new InputError(`the classes of ${band} have no names here: give numbers in place of "${word}"`, { band });
    const name = Object.keys(table).find((known) => plain(known) === plain(word));
    if (name === undefined)
      throw new InputError(
        `${band} has no class "${word}"${suggestion(word, Object.keys(table))}; it has ${Object.keys(table).join(', ')}`,
        { band },
      );
    values.add(table[name]!);
  }
  return [...values].sort((a, b) => a - b);
}
