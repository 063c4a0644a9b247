import { InputError } from '../errors.js';
import type { MorphologyStep } from '../kernels/mask.js';
import { suggestion } from './suggest.js';

/** Which pixels one band takes out: those of (`drop`) or not of (`keep`) a class list, or with any of some bits set (`anybit`). */
export interface MaskRecipe {
  band: string;
  mode: 'drop' | 'keep' | 'anybit';
  /** Class values, or bit numbers (0 = least significant) for `anybit`; sorted, unique. */
  values: number[];
  /** Applied in order to the mask (1 = out). */
  steps: MorphologyStep[];
}

const MODES = ['drop', 'keep', 'anybit'] as const;
const OPS = ['opening', 'closing', 'dilation', 'erosion'] as const;
const EXAMPLE = 'like "SCL drop 3,8,9,10 | opening 2 | dilation 5"';
const MAX_RADIUS_PX = 255;

interface Token {
  text: string;
  /** Characters from the start of the recipe. */
  at: number;
}

function tokens(text: string): Token[] {
  return [...text.matchAll(/\||[^\s|]+/g)].map((match) => ({ text: match[0], at: match.index }));
}

function wrong(text: string, what: string, at: number): InputError {
  return new InputError(`mask ${JSON.stringify(text)}: ${what} at character ${at + 1}; ${EXAMPLE}`, { option: 'mask' });
}

function parseValues(text: string, list: Token[], mode: MaskRecipe['mode']): number[] {
  const end = list.at(-1);
  if (!end) throw wrong(text, `after ${mode} a list of numbers is missing`, text.length);
  const highest = mode === 'anybit' ? 31 : 65_535;
  const values = new Set<number>();
  for (const token of list)
    for (const part of token.text.split(',').filter((p) => p !== '')) {
      const value = /^\d+$/.test(part) ? Number(part) : Number.NaN;
      if (!(value <= highest))
        throw wrong(
          text,
          `${JSON.stringify(part)} is not a ${mode === 'anybit' ? 'bit' : 'class'} from 0 to ${highest}`,
          token.at,
        );
      values.add(value);
    }
  if (values.size === 0) throw wrong(text, 'a list of numbers is missing', end.at);
  return [...values].sort((a, b) => a - b);
}

function parseStep(text: string, part: Token[], at: number): MorphologyStep {
  const [name, radius, extra] = part;
  const op = OPS.find((known) => known === name?.text);
  if (!name) throw wrong(text, `after | one of ${OPS.join(', ')} is missing`, at);
  if (!op) throw wrong(text, `unknown step ${JSON.stringify(name.text)}${suggestion(name.text, OPS)}`, name.at);
  if (!radius) throw wrong(text, `${op} needs a radius in px`, name.at);
  if (extra) throw wrong(text, `unexpected ${JSON.stringify(extra.text)}`, extra.at);
  const radiusPx = /^\d+$/.test(radius.text) ? Number(radius.text) : Number.NaN;
  if (!(radiusPx <= MAX_RADIUS_PX))
    throw wrong(
      text,
      `the radius ${JSON.stringify(radius.text)} is not a whole number of px from 0 to ${MAX_RADIUS_PX}`,
      radius.at,
    );
  return { op, radiusPx };
}

/**
 * Parses `BAND drop|keep|anybit LIST [| opening|closing|dilation|erosion R]…`; LIST is separated by commas or spaces, R is px of the
 * mask band (0 does nothing). `none` is no mask: null. Anything else is an `InputError` that says where.
 */
export function parseMask(text: string): MaskRecipe | null {
  const all = tokens(text);
  if (all.length === 1 && all[0]!.text.toLowerCase() === 'none') return null;
  const parts: Token[][] = [[]];
  const bars: number[] = [0];
  for (const token of all) {
    if (token.text === '|') {
      parts.push([]);
      bars.push(token.at);
    } else parts.at(-1)!.push(token);
  }
  const [band, verb, ...list] = parts[0]!;
  if (!band) throw wrong(text, 'the name of a mask band is missing', 0);
  if (!verb) throw wrong(text, `after ${band.text} one of ${MODES.join(', ')} is missing`, text.length);
  const mode = MODES.find((known) => known === verb.text);
  if (!mode) throw wrong(text, `unknown ${JSON.stringify(verb.text)}${suggestion(verb.text, MODES)}`, verb.at);
  const steps = parts.slice(1).map((part, index) => parseStep(text, part, bars[index + 1]!));
  return { band: band.text, mode, values: parseValues(text, list, mode), steps };
}

/** All of `--mask`: recipes that are OR-ed. `none` must stand alone. */
export function parseMasks(texts: readonly string[]): MaskRecipe[] {
  const recipes = texts.map(parseMask).filter((recipe) => recipe !== null);
  if (recipes.length < texts.length && texts.length > 1)
    throw new InputError('mask "none" cannot stand beside other masks', { option: 'mask' });
  return recipes;
}

/** The text that {@link parseMask} turns into this recipe. */
export function formatMask({ band, mode, values, steps }: MaskRecipe): string {
  return [`${band} ${mode} ${values.join(',')}`, ...steps.map(({ op, radiusPx }) => `${op} ${radiusPx}`)].join(' | ');
}
