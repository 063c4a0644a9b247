// Landsat Collection 2 Level 2 in the units that PyCCD knows from Collection 1 ARD.
import { InputError } from '../errors.js';

/** What a Collection 2 band holds: surface reflectance (SR_B…) or surface temperature (ST_B…). */
export type Collection2Kind = 'reflectance' | 'temperature';

/** Missing in Collection 2, and in the units of Collection 1 ARD. */
const FILL = 0;
const ARD_FILL = -9999;

/** Thousands of the scales and offsets of the units: reflectance × 10000 = 0.275 DN − 2000, kelvin × 10 = 0.0341802 DN + 1490. */
const UNITS: Record<Collection2Kind, { scale: number; offset: number; divisor: number }> = {
  reflectance: { scale: 275, offset: -2_000_000, divisor: 1000 },
  temperature: { scale: 341_802, offset: 14_900_000_000, divisor: 10_000_000 },
};

/**
 * Digital numbers of Collection 2 (u16) as reflectance × 10000 or kelvin × 10, rounded to the nearest (halves up), fill −9999: reflectance
 * is 2.75e-5 DN − 0.2, temperature 0.00341802 DN + 149. Use it with `qaScheme: 'landsat-c2'` and, as fill must not wrap, `wideInt`.
 *
 * Surface temperature is missing where its inputs are, also on clear days; PyCCD leaves such observations out. `thermalBand: null` keeps
 * them.
 * @throws InputError for an unknown kind.
 */
export function fromCollection2(digital: Uint16Array, kind: Collection2Kind): Int16Array<ArrayBuffer> {
  const units = Object.hasOwn(UNITS, kind) ? UNITS[kind] : undefined;
  if (!units)
    throw new InputError(`reflectance or temperature is wanted, got ${JSON.stringify(kind)}`, { option: 'kind' });
  const { scale, offset, divisor } = units;
  return Int16Array.from(digital, (value) =>
    value === FILL ? ARD_FILL : Math.round((value * scale + offset) / divisor),
  );
}
