// How a thumbnail is drawn: the part of datacube-ows' style language that `preview_image_ows_style` of products uses.
import { isObject, type Json } from '../../io/stac-item.js';
import { suggestion } from '../../stats/suggest.js';
import { type BandExpression, parseBandExpression } from './band-expression.js';
import { type ClassRule, type FlagDefinitions, parseValueMap } from './ows-value-map.js';
import { shownValue, styleColour, styleNumber, unsupportedStyle, wrongStyle } from './style-value.js';

/** One colour of a picture: a weighted sum of bands, and the values that become 0 and 255. */
export interface Channel {
  /** By index of the style's bands. */
  weights: readonly { band: number; weight: number }[];
  range: readonly [low: number, high: number];
}

/** A colour at a value; 0–1. */
export interface RampNode {
  value: number;
  rgba: readonly [red: number, green: number, blue: number, alpha: number];
}

interface StyleOf<Kind extends string> {
  kind: Kind;
  /** What is read, each once. */
  bands: readonly string[];
}

/** Three sums of bands. */
export interface ComponentStyle extends StyleOf<'components'> {
  channels: readonly [red: Channel, green: Channel, blue: Channel];
}
/** A colour for each class. */
export interface ClassStyle extends StyleOf<'classes'> {
  /** In the order they are painted: later ones cover earlier ones. */
  rules: readonly ClassRule[];
}
/** Colours along the values of an index. */
export interface RampStyle extends StyleOf<'ramp'> {
  index: BandExpression['evaluate'];
  /** By increasing value. */
  nodes: readonly RampNode[];
}

export type OwsStyle = ComponentStyle | ClassStyle | RampStyle;

/** Keys that say nothing about the colours of a picture of one date. */
const IDLE_KEYS = [
  'name',
  'title',
  'abstract',
  'needed_bands',
  'additional_bands',
  'include_in_feature_info',
  'legend',
  'multi_date',
];
const KEYS = [
  ...IDLE_KEYS,
  'components',
  'scale_range',
  'scale_factor',
  'value_map',
  'index_function',
  'index_expression',
  'color_ramp',
  'range',
];

/** What the functions of `datacube_ows.band_utils` compute of the bands in their arguments. */
const INDEX_FUNCTIONS: Readonly<Record<string, { names: readonly string[]; formula: string }>> = {
  single_band: { names: ['band'], formula: 'band' },
  norm_diff: { names: ['band1', 'band2'], formula: '(band1 - band2) / (band1 + band2)' },
  sum_bands: { names: ['band1', 'band2'], formula: 'band1 + band2' },
  delta_bands: { names: ['band1', 'band2'], formula: 'band1 - band2' },
  band_quotient: { names: ['band1', 'band2'], formula: 'band1 / band2' },
};

/** The ramp of datacube-ows where a style has a range and no colours, over 0 to 1. */
const USUAL_RAMP: readonly (readonly [value: number, colour: string, alpha: number])[] = [
  [-1e-24, '#000080', 0],
  [0, '#000080', 1],
  [0.1, '#0000ff', 1],
  [0.3, '#00ffff', 1],
  [0.5, '#00ff00', 1],
  [0.7, '#ffff00', 1],
  [0.9, '#ff0000', 1],
  [1, '#800000', 1],
];

function rangeOf(key: string, value: unknown): [low: number, high: number] {
  if (!Array.isArray(value) || value.length !== 2) throw wrongStyle(`"${key}" takes two numbers`);
  const [low, high] = value.map((one) => styleNumber(key, one)) as [number, number];
  if (low < high) return [low, high];
  throw wrongStyle(`"${key}" goes from a low to a higher value, not from ${low} to ${high}`);
}

function componentStyle(style: Json): ComponentStyle {
  const { components, scale_factor: factor } = style;
  if (!isObject(components)) throw wrongStyle('"components" takes an object of red, green and blue');
  const usual = style.scale_range ?? (factor ? [0, 255 * styleNumber('scale_factor', factor)] : null);
  const bands: string[] = [];
  for (const key of Object.keys(components)) {
    if (key === 'alpha') throw unsupportedStyle('"alpha" among "components" is not drawn');
    if (!['red', 'green', 'blue'].includes(key)) throw wrongStyle(`unknown key "${key}" in "components"`);
  }
  const channels = ['red', 'green', 'blue'].map((colour): Channel => {
    const given = components[colour];
    if (!isObject(given)) throw wrongStyle(`"components" has no ${colour}: it takes an object of bands and weights`);
    const { scale_range: own, ...weights } = given;
    if ('function' in weights) throw unsupportedStyle(`"function" in "components" is not known here (${colour})`);
    const range = own ?? usual;
    if (range === null) throw wrongStyle(`"scale_range" is missing: it says which values of ${colour} are 0 and 255`);
    return {
      range: rangeOf('scale_range', range),
      weights: Object.entries(weights).map(([band, weight]) => {
        if (!bands.includes(band)) bands.push(band);
        return { band: bands.indexOf(band), weight: styleNumber(band, weight) };
      }),
    };
  });
  if (bands.length === 0) throw wrongStyle('"components" names no band');
  return { kind: 'components', bands, channels: channels as unknown as ComponentStyle['channels'] };
}

/** An index of `index_function` as a formula of the bands it names. */
function indexFunction(given: unknown): BandExpression {
  if (!isObject(given) || typeof given.function !== 'string')
    throw wrongStyle('"index_function" takes an object with a "function"');
  for (const key of Object.keys(given))
    if (!['function', 'mapped_bands', 'args', 'kwargs'].includes(key))
      throw unsupportedStyle(`"${key}" in "index_function" is not known here`);
  const name = given.function.replace(/^datacube_ows\.band_utils\./, '');
  if (!Object.hasOwn(INDEX_FUNCTIONS, name))
    throw unsupportedStyle(
      `"index_function" ${given.function} is not known here: there are ${Object.keys(INDEX_FUNCTIONS).join(', ')}`,
    );
  const { names, formula } = INDEX_FUNCTIONS[name]!;
  const { args = [], kwargs = {} } = given;
  if (!Array.isArray(args) || !isObject(kwargs)) throw wrongStyle('"args" is a list and "kwargs" an object');
  const values: Json = { ...Object.fromEntries(args.map((value, i) => [names[i] ?? 'args', value])), ...kwargs };
  for (const key of Object.keys(values))
    if (!names.includes(key)) throw unsupportedStyle(`"${key}" of "index_function" ${name} is not known here`);
  const bands = names.map((key) => {
    const band = values[key];
    if (typeof band !== 'string') throw wrongStyle(`"${key}" of ${name} takes a band, and got ${shownValue(band)}`);
    return band;
  });
  return { bands, evaluate: parseBandExpression(formula).evaluate };
}

function rampNodes(style: Json): RampNode[] {
  const { color_ramp: given, range } = style;
  if (given === undefined) {
    const [low, high] = rangeOf('range', range);
    return USUAL_RAMP.map(([value, colour, alpha]) => node(low + (high - low) * value, colour, alpha));
  }
  if (!Array.isArray(given) || given.length === 0) throw wrongStyle('"color_ramp" takes a list of values and colours');
  const nodes = given.map((one: unknown) => {
    if (!isObject(one) || !('value' in one)) throw wrongStyle('"color_ramp" has an entry without a "value"');
    for (const key of Object.keys(one))
      if (!['value', 'color', 'alpha'].includes(key))
        throw unsupportedStyle(`"${key}" in "color_ramp" is not known here`);
    return node(styleNumber('value', one.value), one.color, styleNumber('alpha', one.alpha ?? 1));
  });
  if (nodes.some(({ value }, i) => i > 0 && value < nodes[i - 1]!.value))
    throw wrongStyle('"color_ramp" takes values in increasing order');
  return nodes;
}

function node(value: number, colour: unknown, alpha: number): RampNode {
  if (!(alpha >= 0 && alpha <= 1)) throw wrongStyle(`"alpha" is a number from 0 to 1, not ${alpha}`);
  const [red, green, blue] = styleColour(colour);
  return { value, rgba: [red / 255, green / 255, blue / 255, alpha] };
}

function rampStyle(style: Json): RampStyle {
  const { index_function: named, index_expression: formula } = style;
  if ((named === undefined) === (formula === undefined))
    throw wrongStyle('a ramp takes one of "index_function" and "index_expression"');
  if (formula !== undefined && typeof formula !== 'string') throw wrongStyle('"index_expression" takes text');
  const { bands, evaluate } = formula === undefined ? indexFunction(named) : parseBandExpression(formula);
  if (bands.length === 0) throw wrongStyle('"index_expression" names no band');
  return { kind: 'ramp', bands, index: evaluate, nodes: rampNodes(style) };
}

/**
 * Reads `preview_image_ows_style`.
 * @param flags what the bits of bands of flags mean, for a `value_map` that asks for flags
 * @throws InputError where it contradicts datacube-ows' language; UnsupportedError, with the key, for what is not drawn here
 */
export function parseOwsStyle(style: Json, flags: FlagDefinitions = {}): OwsStyle {
  for (const key of Object.keys(style))
    if (!KEYS.includes(key)) throw unsupportedStyle(`"${key}" is not known here${suggestion(key, KEYS)}`);
  const [hasSums, hasClasses] = [style.components !== undefined, style.value_map !== undefined];
  const hasRamp = style.color_ramp !== undefined || style.range !== undefined;
  if (Number(hasSums) + Number(hasClasses) + Number(hasRamp) !== 1)
    throw wrongStyle('a style has one of "components", "value_map", and "color_ramp" or "range"');
  if (hasSums) return componentStyle(style);
  if (hasRamp) return rampStyle(style);
  const { bands, rules } = parseValueMap(style.value_map, flags);
  return { kind: 'classes', bands, rules };
}
