// What QA values mean to change detection: one class for each of 65536 values.
import { InputError } from '../errors.js';
import { type PyccdParameters, QA_NAMES } from './change-parameters.js';

/** Classes as the kernels number them (assembly/ccdc/state.ts). */
const CLASS = { fill: 0, clear: 1, water: 2, shadow: 3, snow: 4, cloud: 5, other: 6, unknown: 255 } as const;

/** What a class is called; undefined for a value without one. */
export const classOf = (code: number): keyof typeof CLASS | undefined =>
  (Object.keys(CLASS) as (keyof typeof CLASS)[]).find((name) => CLASS[name] === code);

export const QA_SCHEMES = ['pyccd', 'fmask', 'landsat-c2'] as const;

/**
 * How QA is read. `pyccd`: by the QA_ parameters, which without any are those of Landsat Collection 1 ARD (pixel_qa). `fmask`: classes 0
 * clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255 fill. `landsat-c2`: QA_PIXEL of Landsat Collection 2.
 */
export type QaScheme = (typeof QA_SCHEMES)[number];

const FMASK = { QA_FILL: 255, QA_CLEAR: 0, QA_WATER: 1, QA_SHADOW: 2, QA_SNOW: 3, QA_CLOUD: 4 };

type QaParameters = Pick<PyccdParameters, 'QA_BITPACKED' | (typeof QA_NAMES)[number]>;

/** Tables made before, by what they were made of. */
const known = new Map<string, Uint8Array<ArrayBuffer>>();
const MOST_KNOWN = 16;

/** PyCCD's order: the first that applies wins; cirrus and terrain occlusion alone count as clear. */
function packedClass(value: number, p: QaParameters): number {
  const has = (bit: number) => ((value >> bit) & 1) === 1;
  if (has(p.QA_FILL)) return CLASS.fill;
  if (has(p.QA_CLOUD)) return CLASS.cloud;
  if (has(p.QA_SHADOW)) return CLASS.shadow;
  if (has(p.QA_SNOW)) return CLASS.snow;
  if (has(p.QA_WATER)) return CLASS.water;
  if (has(p.QA_CLEAR)) return CLASS.clear;
  if (has(p.QA_CIRRUS1) && has(p.QA_CIRRUS2)) return CLASS.clear;
  return has(p.QA_OCCLUSION) ? CLASS.clear : CLASS.unknown;
}

/** A value that is no class takes part in nothing but the count of what is not fill. */
function plainClass(value: number, p: QaParameters): number {
  // The order of PyCCD's tests does not matter: a value is one class. If two parameters are equal, the first here wins.
  if (value === p.QA_FILL) return CLASS.fill;
  if (value === p.QA_CLEAR) return CLASS.clear;
  if (value === p.QA_WATER) return CLASS.water;
  if (value === p.QA_SNOW) return CLASS.snow;
  if (value === p.QA_CLOUD) return CLASS.cloud;
  return value === p.QA_SHADOW ? CLASS.shadow : CLASS.other;
}

/**
 * Collection 2 in the order that PyCCD has for Collection 1: fill (bit 0), cloud (3) or dilated cloud (1), shadow (4), snow (5), water
 * (7), clear (6). High-confidence cirrus (2) is not looked at, as PyCCD does not where another class is set. What has none of
 * these bits is unknown.
 */
function collection2Class(value: number): number {
  const has = (bit: number) => ((value >> bit) & 1) === 1;
  if (has(0)) return CLASS.fill;
  if (has(3) || has(1)) return CLASS.cloud;
  if (has(4)) return CLASS.shadow;
  if (has(5)) return CLASS.snow;
  if (has(7)) return CLASS.water;
  return has(6) ? CLASS.clear : CLASS.unknown;
}

/** Whether QA holds bits, and the parameters that name its values. */
function reading(scheme: QaScheme, parameters: QaParameters): { isPacked: boolean; p: QaParameters } {
  const p = scheme === 'fmask' ? { ...parameters, ...FMASK } : parameters;
  return { isPacked: scheme === 'landsat-c2' || (scheme === 'pyccd' && p.QA_BITPACKED), p };
}

/** A u16 value that stands for "no class" where QA holds classes; null where it holds bits. */
export function unclassedValue(scheme: QaScheme, parameters: QaParameters): number | null {
  const { isPacked, p } = reading(scheme, parameters);
  if (isPacked) return null;
  const taken = QA_NAMES.map((name) => p[name]);
  let value = 65535;
  while (taken.includes(value)) value--;
  return value;
}

/**
 * u8[65536]: the class of each QA value; 255 where it has none, and the pixel fails.
 * @throws InputError for an unknown scheme.
 */
export function qaCodes(scheme: QaScheme, parameters: QaParameters): Uint8Array<ArrayBuffer> {
  if (!QA_SCHEMES.includes(scheme)) {
    const got = JSON.stringify(scheme);
    throw new InputError(`qaScheme must be pyccd, fmask or landsat-c2, got ${got}`, { option: 'qaScheme' });
  }
  const { isPacked, p } = reading(scheme, parameters);
  const key = JSON.stringify([scheme, isPacked, ...QA_NAMES.map((name) => p[name])]);
  let codes = known.get(key);
  if (!codes) {
    codes = Uint8Array.from({ length: 65536 }, (_, value) => {
      if (scheme === 'landsat-c2') return collection2Class(value);
      return isPacked ? packedClass(value, p) : plainClass(value, p);
    });
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, codes);
  }
  return codes;
}
