import { isObject, type Json } from '../../io/stac-item.js';
import { shownValue, styleColour, styleNumber, unsupportedStyle, wrongStyle } from './style-value.js';

/** Whole numbers whose bits under a mask have a value. */
export interface BitTest {
  mask: number;
  value: number;
}

/** A colour, and the pixels that have it. */
export interface ClassRule {
  /** Index among the style's bands. */
  band: number;
  /** One of these, or of bits: all, or any of them. */
  test: { values: readonly number[] } | { every: readonly BitTest[] } | { some: readonly BitTest[] };
  /** Those that do not pass instead. */
  invert: boolean;
  /** 0–255 */
  rgba: readonly [red: number, green: number, blue: number, alpha: number];
}

/** Of a band's flags, as Open Data Cube has them (`flags_definition`): bits, and names of their values. */
export type FlagDefinitions = Readonly<
  Record<string, Readonly<Record<string, { bits: number | readonly number[]; values: Json }>>>
>;

const RULE_KEYS = ['title', 'abstract', 'values', 'flags', 'invert', 'color', 'mask', 'alpha'];

function isTrue(key: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw wrongStyle(`"${key}" is true or false, and got ${shownValue(value)}`);
}

/** The bits of a flag, and what they hold where it has a value. */
function bitTest(definitions: FlagDefinitions, band: string, flag: string, wanted: unknown): BitTest {
  const known = Object.hasOwn(definitions, band) ? definitions[band]! : null;
  if (!known) throw unsupportedStyle(`"flags" of ${band}: it is not known what its bits mean`);
  if (!Object.hasOwn(known, flag))
    throw wrongStyle(`${band} has no flag "${flag}": there are ${Object.keys(known).join(', ')}`);
  const { bits, values } = known[flag]!;
  const all = typeof bits === 'number' ? [bits] : bits;
  const first = Math.min(...all);
  const found = Object.entries(values).find(([, name]) => name === wanted);
  if (!found)
    throw wrongStyle(`${flag} of ${band} is never ${shownValue(wanted)}: it is ${Object.values(values).join(', ')}`);
  return { mask: all.reduce((mask, bit) => mask | (1 << bit), 0), value: Number(found[0]) << first };
}

function testOf(rule: Json, band: string, definitions: FlagDefinitions): ClassRule['test'] {
  const { values, flags } = rule;
  if ((values === undefined) === (flags === undefined))
    throw wrongStyle(`a rule of "value_map" for ${band} takes one of "values" and "flags"`);
  if (values !== undefined) {
    if (!Array.isArray(values)) throw wrongStyle(`"values" takes a list, and got ${shownValue(values)}`);
    return { values: values.map((value) => styleNumber('values', value)) };
  }
  if (!isObject(flags)) throw wrongStyle(`"flags" takes an object, and got ${shownValue(flags)}`);
  if ('or' in flags && 'and' in flags) throw wrongStyle(`"flags" of ${band} takes one of "or" and "and"`);
  const named = flags.or ?? flags.and ?? flags;
  if (!isObject(named) || Object.keys(named).length === 0) throw wrongStyle(`"flags" of ${band} names no flag`);
  const tests = Object.entries(named).map(([flag, wanted]) => bitTest(definitions, band, flag, wanted));
  return 'or' in flags ? { some: tests } : { every: tests };
}

/** Rules in the order they are painted: of a band the first counts, so it comes last. */
export function parseValueMap(
  given: unknown,
  definitions: FlagDefinitions,
): { bands: readonly string[]; rules: ClassRule[] } {
  if (!isObject(given) || Object.keys(given).length === 0)
    throw wrongStyle('"value_map" takes an object of bands and lists of rules');
  const bands = Object.keys(given);
  const rules = bands.flatMap((name, band) => {
    const list = given[name];
    if (!Array.isArray(list)) throw wrongStyle(`"value_map" of ${name} takes a list of rules`);
    return list.toReversed().map((rule: unknown): ClassRule => {
      if (!isObject(rule)) throw wrongStyle(`a rule of "value_map" is an object, and got ${shownValue(rule)}`);
      for (const key of Object.keys(rule))
        if (!RULE_KEYS.includes(key)) throw unsupportedStyle(`"${key}" in "value_map" is not known here`);
      const opacity = isTrue('mask', rule.mask) ? 0 : styleNumber('alpha', rule.alpha ?? 1);
      if (!(opacity >= 0 && opacity <= 1)) throw wrongStyle(`"alpha" is a number from 0 to 1, not ${opacity}`);
      return {
        band,
        test: testOf(rule, name, definitions),
        invert: isTrue('invert', rule.invert),
        rgba: [...styleColour(rule.color), Math.floor(opacity * 255 + 0.5)],
      };
    });
  });
  return { bands, rules };
}
