// Stacks: files that hold a whole date, all bands and QA, as users of YATSM and PyCCD keep them.
import { InputError } from '../errors.js';
import type { Scene, SceneBand } from '../io/scene.js';
import { PYCCD_BANDS } from './change-bands.js';
import type { QaScheme } from './change-qa.js';
import { suggestion } from './suggest.js';

/** Units of the thermal band: kelvin × 10 (PyCCD's), or degrees Celsius × 100 (of early ESPA orders, and so of YATSM's stacks). */
export const THERMAL_UNITS = ['kelvin-10', 'celsius-100'] as const;
export type ThermalUnit = (typeof THERMAL_UNITS)[number];

/** What stacks do not say of themselves. */
export interface StackOptions {
  /** Names of a stack's bands in their order: PyCCD's and `qa`, `-` for a band that is not used. */
  stackBands?: readonly string[] | undefined;
  /** How QA is read, where names do not tell it. */
  qaScheme?: QaScheme | undefined;
  thermalUnit?: ThermalUnit | undefined;
}

/** A stack's bands under PyCCD's names, thermal null where it has none, and how its QA is read. */
export interface Stack {
  bands: Record<string, SceneBand | null>;
  qa: SceneBand;
  qaScheme: QaScheme;
}

const QA = 'qa';
const UNUSED = '-';
const NAMES: readonly string[] = [...PYCCD_BANDS, QA];
const UNNAMED = /^b\d+$/;

/** What bands are described as, in words that are joined: "SWIR 1 (x 10,000)" is swir1x10000. The first that fits. */
const DESCRIBED: readonly (readonly [name: string, described: RegExp])[] = [
  [QA, /fmask|pixel_?qa|qa_?pixel|^qa$|^quality$/],
  ['blue', /^blue/],
  ['green', /^green/],
  ['red', /^red(?!edge)/],
  ['nir', /^nir/],
  ['swir1', /^swir_?16?(?!\d)/],
  ['swir2', /^swir_?22?(?!\d)/],
  ['thermal', /^(thermal|temp|bt|t_?b|lwir|brightness)/],
];

const SCHEMES: readonly (readonly [QaScheme, RegExp])[] = [
  ['fmask', /fmask/],
  ['landsat-c2', /qa_?pixel/],
  ['pyccd', /pixel_?qa/],
];

const joined = (text: string) =>
  text
    .toLowerCase()
    .replace(/[x×*]\s*10[\d,]*|\(.*?\)/g, '')
    .replace(/[^a-z0-9_]/g, '');

/** Whether a scene is one bare file of several bands: no item says what they are. */
export function isStack({ bands, collection, platform, href }: Scene): boolean {
  const all = Object.values(bands);
  const isBare = collection === null && platform === null && href === null;
  return isBare && all.length > 1 && all.every((band) => band.href === all[0]!.href);
}

/** @throws InputError unless the names are PyCCD's bands, each once, and qa. */
export function checkStackBands(names: readonly string[]): void {
  const wrong = (what: string) =>
    new InputError(`${what}: give ${NAMES.join(',')} in the order of the stack, - for others`, {
      option: 'stack-bands',
    });
  const unknown = names.find((name) => name !== UNUSED && !NAMES.includes(name));
  if (unknown !== undefined) throw wrong(`there is no band "${unknown}"${suggestion(unknown, NAMES)}`);
  const twice = NAMES.find((name) => names.filter((other) => other === name).length > 1);
  if (twice !== undefined) throw wrong(`${twice} stands there twice`);
  const missing = NAMES.find((name) => name !== 'thermal' && !names.includes(name));
  if (missing !== undefined) throw wrong(`${missing} is missing`);
}

/** Names of a stack's bands in the order of the file: those given, or by their descriptions, or the usual order. */
function namesOf(id: string, keys: readonly string[], given: readonly string[] | undefined): (string | null)[] {
  const facts = { option: 'stack-bands', items: [id] };
  if (given) {
    if (given.length === keys.length) return given.map((name) => (name === UNUSED ? null : name));
    throw new InputError(`scene ${id} has ${keys.length} bands, and ${given.length} names are given for them`, facts);
  }
  if (keys.every((key) => UNNAMED.test(key))) {
    if (keys.length === NAMES.length) return [...NAMES];
    const usual = `the usual order is that of ${NAMES.length} bands: ${NAMES.join(',')}`;
    throw new InputError(`scene ${id} has ${keys.length} bands without names (${usual}): say which is which`, facts);
  }
  const found = keys.map((key) => DESCRIBED.find(([, described]) => described.test(joined(key)))?.[0] ?? null);
  const lacking = NAMES.find((name) => name !== 'thermal' && !found.includes(name));
  const twice = found.find((name, i) => name !== null && found.indexOf(name) !== i);
  if (lacking === undefined && twice === undefined) return found;
  const what = twice === undefined ? `no band is ${lacking}` : `two bands may be ${twice}`;
  throw new InputError(`scene ${id}: ${what} among ${keys.join(', ').slice(0, 200)}: say which is which`, facts);
}

function schemeOf(id: string, key: string, given: QaScheme | undefined): QaScheme {
  const told = SCHEMES.find(([, name]) => name.test(joined(key)))?.[0];
  const scheme = given ?? told;
  if (scheme) return scheme;
  throw new InputError(`scene ${id} does not say how its QA is read: give pyccd, fmask or landsat-c2`, {
    option: 'qa-scheme',
    items: [id],
  });
}

/**
 * What is what in a stack: its bands by `stackBands`, else by their descriptions, else, of exactly eight bands without any, in PyCCD's order
 * with QA last.
 * @throws InputError where that does not tell.
 */
export function stackOf({ id, bands }: Scene, { stackBands, qaScheme }: StackOptions): Stack {
  if (stackBands) checkStackBands(stackBands);
  const all = Object.entries(bands).sort(([, a], [, b]) => a.bandIndex - b.bandIndex);
  const names = namesOf(
    id,
    all.map(([key]) => key),
    stackBands,
  );
  const [qaKey, qa] = all[names.indexOf(QA)]!;
  const named = PYCCD_BANDS.map((name) => [name, all[names.indexOf(name)]?.[1] ?? null] as const);
  return { bands: Object.fromEntries(named), qa, qaScheme: schemeOf(id, qaKey, qaScheme) };
}
