// `FIELD op value AND …`: which features are meant.
import { InputError } from '../errors.js';
import type { Json } from '../io/stac-item.js';
import { suggestion } from '../stats/suggest.js';

const OPERATORS = ['=', '!=', '<>', '<', '<=', '>', '>=', 'LIKE'] as const;
type Operator = (typeof OPERATORS)[number];

export interface Condition {
  field: string;
  operator: Operator;
  value: string;
}

interface Token {
  text: string;
  kind: 'quoted' | 'text' | 'operator' | 'word';
}

const MAX_CHARACTERS = 10_000;
const TOKEN = /\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|(<>|!=|<=|>=|==|=|<|>)|([^\s'"<>=!]+))/y;

const wrong = (what: string) =>
  new InputError(`${what}: wanted like FEAT_CODE != 'sea' AND AREA > 10`, { option: 'attr-filter' });

function tokensOf(text: string): Token[] {
  if (text.length > MAX_CHARACTERS) throw wrong(`a filter of ${text.length} characters`);
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(trimmed);
    if (!found) throw wrong(`cannot read ${JSON.stringify(trimmed.slice(at, at + 30).trim())}`);
    const [, quoted, literal, operator, word] = found;
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll('""', '"') });
    else if (literal !== undefined) tokens.push({ kind: 'text', text: literal.replaceAll("''", "'") });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator === '==' ? '=' : operator });
    else tokens.push({ kind: 'word', text: word! });
  }
  return tokens;
}

/**
 * Conditions that all have to hold: a field (in double quotes where its name has spaces), = != <> < <= > >= or LIKE, and a number or a
 * text in single quotes.
 * @throws InputError that says what was wanted
 */
export function parseFilter(text: string): Condition[] {
  const tokens = tokensOf(text);
  const conditions: Condition[] = [];
  for (let i = 0; i < tokens.length; ) {
    if (conditions.length > 0) {
      const word = tokens[i++]!;
      if (word.kind !== 'word' || word.text.toUpperCase() !== 'AND')
        throw wrong(`conditions are joined by AND, not ${JSON.stringify(word.text.slice(0, 30))}`);
    }
    const [field, sign, value] = tokens.slice(i, i + 3);
    if (!field || (field.kind !== 'word' && field.kind !== 'quoted')) throw wrong('a field is missing');
    const operator = OPERATORS.find((one) => one === sign?.text.toUpperCase());
    if (!operator || sign!.kind === 'text' || sign!.kind === 'quoted')
      throw wrong(`no comparison is called ${JSON.stringify(sign?.text.slice(0, 30) ?? '')}`);
    if (!value || value.kind === 'operator') throw wrong(`${field.text} ${operator} is compared with nothing`);
    conditions.push({ field: field.text, operator, value: value.text });
    i += 3;
  }
  if (conditions.length === 0) throw wrong('the filter is empty');
  return conditions;
}

/** % is any text, _ any character, cases alike: greedy, going back to the last % only. */
function isLike(text: string, pattern: string): boolean {
  const [t, p] = [[...text.toLowerCase()], [...pattern.toLowerCase()]];
  let [i, k, star, mark] = [0, 0, -1, 0];
  while (i < t.length) {
    if (p[k] === '%') {
      star = k++;
      mark = i;
    } else if (k < p.length && (p[k] === '_' || p[k] === t[i])) {
      i++;
      k++;
    } else if (star >= 0) {
      k = star + 1;
      i = ++mark;
    } else return false;
  }
  while (p[k] === '%') k++;
  return k === p.length;
}

/** Less than, equal, or more than 0; texts that differ in case alone are equal, as OGR has it. */
function compare(own: unknown, value: string): { order: number; same: boolean } {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (typeof own === 'number' && Number.isFinite(number)) return { order: own - number, same: own === number };
  const text = String(own);
  return { order: text < value ? -1 : text > value ? 1 : 0, same: text.toLowerCase() === value.toLowerCase() };
}

function meets(own: unknown, { operator, value }: Condition): boolean {
  // What is not known, or is a list, meets nothing, also no "is not".
  if (own === null || own === undefined || typeof own === 'object') return false;
  if (operator === 'LIKE') return isLike(String(own), value);
  const { order, same } = compare(own, value);
  if (operator === '=') return same;
  if (operator === '!=' || operator === '<>') return !same;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

/**
 * Whether a feature meets all conditions. Names of fields are found whatever their case.
 * @param fields those that there are
 * @throws InputError for a field that is not there, with the nearest
 */
export function filterOf(conditions: readonly Condition[], fields: readonly string[]): (properties: Json) => boolean {
  const named = conditions.map((condition) => {
    const { field } = condition;
    const own =
      fields.find((name) => name === field) ?? fields.find((name) => name.toLowerCase() === field.toLowerCase());
    if (own === undefined) {
      const known = fields.length > 0 ? `; there are ${fields.slice(0, 40).join(', ')}` : '; there are none';
      throw new InputError(`no field is called ${JSON.stringify(field)}${suggestion(field, fields)}${known}`, {
        option: 'attr-filter',
      });
    }
    return { ...condition, field: own };
  });
  return (properties) => named.every((condition) => meets(properties[condition.field], condition));
}
