// What each band is for in change detection.
import { InputError } from '../errors.js';
import type { CcdcBands } from '../kernels/ccdc.js';
import { type PyccdParameters, pyccdParameters } from './change-parameters.js';
import { suggestion } from './suggest.js';

/** PyCCD's bands in its order. */
export const PYCCD_BANDS = ['blue', 'green', 'red', 'nir', 'swir1', 'swir2', 'thermal'] as const;
const MOST_BANDS = 64;
/** Degrees of freedom of PyCCD's thresholds, whatever DETECTION_BANDS says. */
const PYCCD_DOF = 5;

/** Roles of bands by name, where they differ from PyCCD's. */
export interface ChangeBandOptions {
  /** Bands in which changes are looked for. When not given: green, red, nir, swir1, swir2, and the bands must be PyCCD's. */
  detectionBands?: readonly string[];
  /** Bands that Tmask looks at; an empty list switches it off. When not given: green and swir1, which must be there. */
  tmaskBands?: readonly string[];
  /** The band of brightness temperature (kelvin × 10); null when there is none. When not given: `thermal`, which must be there. */
  thermalBand?: string | null;
  /** Bands whose values count between 0 and 10000 only. When not given: those of PyCCD's six that are there. */
  reflectanceBands?: readonly string[];
  /** The band by which bright observations of mostly cloudy pixels are left out; null for no such filter. When not given: `green`. */
  greenBand?: string | null;
}

export interface ResolvedBands extends CcdcBands {
  names: readonly string[];
  /** Of the thresholds: as many as detection bands, but 5 as in PyCCD when its own parameter chose them. */
  dof: number;
}

function indexOf(names: readonly string[], name: string, option: string): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  const close = suggestion(name, names);
  throw new InputError(`${option}: no band "${name}" among ${names.join(', ')}${close}`, { option, band: name });
}

function indicesOf(names: readonly string[], wanted: readonly string[], option: string): number[] {
  if (new Set(wanted).size !== wanted.length) {
    throw new InputError(`${option} names a band twice: ${wanted.join(', ')}`, { option });
  }
  return wanted.map((name) => indexOf(names, name, option));
}

/** Bands by the option, else by the indices of PyCCD's parameter. */
function chosen(
  names: readonly string[],
  given: readonly string[] | undefined,
  parameter: readonly number[],
  option: string,
): number[] {
  const wanted = given ?? parameter.map((i) => PYCCD_BANDS[i]!);
  if (!given) {
    const missing = wanted.find((name) => !names.includes(name));
    if (missing) {
      const message = `${option} is needed: its default has "${missing}", which is not among ${names.join(', ')}`;
      throw new InputError(message, { option, band: missing });
    }
  }
  return indicesOf(names, wanted, option);
}

/** Without detection bands of the caller's own, the bands must be PyCCD's: a misspelt one is not taken for another band. */
function checkUsual(names: readonly string[], thermalBand: string | null): void {
  const usual = [...PYCCD_BANDS.slice(0, 6), ...(thermalBand === null ? [] : [thermalBand])];
  const missing = usual.find((name) => !names.includes(name));
  const unknown = names.find((name) => !usual.includes(name) && name !== 'thermal');
  if (missing === undefined && unknown === undefined) return;
  const what =
    unknown === undefined
      ? `no band "${missing}" among ${names.join(', ')}`
      : `unknown band "${unknown}"${suggestion(unknown, PYCCD_BANDS)}`;
  const cure = missing === thermalBand ? 'thermalBand: null if there is none' : 'detectionBands for other bands';
  throw new InputError(`${what}: give ${usual.join(', ')}, or say ${cure}`, {
    option: 'bands',
    band: unknown ?? missing!,
  });
}

/**
 * Finds the bands' roles. `given` are the parameters that the caller set.
 * @throws InputError for names that are not there, given twice or missing.
 */
export function resolveBands(
  names: readonly string[],
  options: ChangeBandOptions,
  given: Partial<PyccdParameters> = {},
): ResolvedBands {
  if (names.length < 1 || names.length > MOST_BANDS) {
    throw new InputError(`change detection takes 1 to ${MOST_BANDS} bands, got ${names.length}`, { option: 'bands' });
  }
  indicesOf(names, names, 'bands');
  const { DETECTION_BANDS, TMASK_BANDS } = pyccdParameters(given);
  const { detectionBands, tmaskBands, thermalBand = 'thermal', reflectanceBands, greenBand } = options;
  if (!detectionBands) checkUsual(names, thermalBand);
  const detection = chosen(names, detectionBands, DETECTION_BANDS, 'detectionBands');
  if (detection.length === 0) throw new InputError('detectionBands is empty', { option: 'detectionBands' });
  const tmask = chosen(names, tmaskBands, TMASK_BANDS, 'tmaskBands');
  const present = PYCCD_BANDS.slice(0, 6).filter((name) => names.includes(name));
  const green = greenBand === undefined ? (names.includes('green') ? 'green' : null) : greenBand;
  return {
    names,
    nBand: names.length,
    detection,
    tmask,
    reflectance: indicesOf(names, reflectanceBands ?? present, 'reflectanceBands'),
    thermal: thermalBand === null ? null : indexOf(names, thermalBand, 'thermalBand'),
    green: green === null ? null : indexOf(names, green, 'greenBand'),
    dof: !detectionBands && given.DETECTION_BANDS ? PYCCD_DOF : detection.length,
  };
}
