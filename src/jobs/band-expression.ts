import { InputError, UnsupportedError } from '../errors.js';

/** Arithmetic of bands. */
export interface BandExpression {
  /** Each once. */
  bands: string[];
  /** The value of one pixel, from those of `bands` in their order. */
  evaluate(values: ArrayLike<number>): number;
}

type Node = (values: ArrayLike<number>) => number;

const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(\*\*|\/\/|\S))/y;
/** Deeper nesting is no formula that people write. */
const MAX_CHARACTERS = 500;

type Token = { kind: 'number'; value: number } | { kind: 'band' | 'sign'; text: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [, number, band, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) });
    else if (band !== undefined) tokens.push({ kind: 'band', text: band });
    else tokens.push({ kind: 'sign', text: sign! });
  }
  return tokens;
}

/**
 * Reads `(nir - red) / (nir + red)`: sums, differences, products, quotients, signs, parentheses, numbers and names of bands.
 * @throws InputError where it ends too early or goes on too long; UnsupportedError for other operators and for functions
 */
export function parseBandExpression(text: string): BandExpression {
  const where = `the expression "${text.slice(0, 80)}"`;
  if (text.length > MAX_CHARACTERS) throw new InputError(`${where} is longer than ${MAX_CHARACTERS} characters`);
  const tokens = tokensOf(text);
  const bands: string[] = [];
  let at = 0;
  const next = (): string | null => {
    const token = tokens[at];
    return token?.kind === 'sign' ? token.text : null;
  };
  const unexpected = () => {
    const token = tokens[at];
    if (!token) return new InputError(`${where} ends too early`);
    const got = token.kind === 'number' ? String(token.value) : token.text;
    if (token.kind === 'sign' && !'()+-*/'.includes(got))
      return new UnsupportedError(`${where} has "${got}": there are +, -, *, / and parentheses`);
    return new InputError(`${where} has "${got}" where it may not stand`);
  };
  const primary = (): Node => {
    const token = tokens[at];
    if (token?.kind === 'number') {
      at++;
      return () => token.value;
    }
    if (token?.kind === 'band') {
      at++;
      if (next() === '(') throw new UnsupportedError(`${where} calls "${token.text}": there are no functions`);
      if (!bands.includes(token.text)) bands.push(token.text);
      const band = bands.indexOf(token.text);
      return (values) => values[band]!;
    }
    if (next() !== '(') throw unexpected();
    at++;
    const inner = sum();
    if (next() !== ')') throw unexpected();
    at++;
    return inner;
  };
  const signed = (): Node => {
    const sign = next();
    if (sign !== '-' && sign !== '+') return primary();
    at++;
    const inner = signed();
    return sign === '+' ? inner : (values) => -inner(values);
  };
  const product = (): Node => {
    let left = signed();
    for (let sign = next(); sign === '*' || sign === '/'; sign = next()) {
      at++;
      const [p, q] = [left, signed()];
      left = sign === '*' ? (values) => p(values) * q(values) : (values) => p(values) / q(values);
    }
    return left;
  };
  const sum = (): Node => {
    let left = product();
    for (let sign = next(); sign === '+' || sign === '-'; sign = next()) {
      at++;
      const [p, q] = [left, product()];
      left = sign === '+' ? (values) => p(values) + q(values) : (values) => p(values) - q(values);
    }
    return left;
  };
  const evaluate = sum();
  if (at < tokens.length) throw unexpected();
  return { bands, evaluate };
}
