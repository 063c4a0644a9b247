import { InputError, UnsupportedError } from '../../errors.js';

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

/** A formula as it is read, token by token. */
class Reader {
  readonly bands: string[] = [];
  readonly #tokens: Token[];
  readonly #where: string;
  #at = 0;

  constructor(text: string) {
    this.#where = `the expression "${text.slice(0, 80)}"`;
    if (text.length > MAX_CHARACTERS)
      throw new InputError(`${this.#where} is longer than ${MAX_CHARACTERS} characters`);
    this.#tokens = tokensOf(text);
  }

  /** The whole formula. */
  all(): Node {
    const node = this.#sum();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return node;
  }

  /** Takes one of some signs, or nothing. */
  #take(...signs: string[]): string | null {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return null;
    this.#at++;
    return token.text;
  }

  #unexpected(): InputError | UnsupportedError {
    const token = this.#tokens[this.#at];
    if (!token) return new InputError(`${this.#where} ends too early`);
    const got = token.kind === 'number' ? String(token.value) : token.text;
    if (token.kind === 'sign' && !'()+-*/'.includes(got))
      return new UnsupportedError(`${this.#where} has "${got}": there are +, -, *, / and parentheses`);
    return new InputError(`${this.#where} has "${got}" where it may not stand`);
  }

  #sum(): Node {
    let left = this.#product();
    for (let sign = this.#take('+', '-'); sign; sign = this.#take('+', '-')) {
      const [p, q] = [left, this.#product()];
      left = sign === '+' ? (values) => p(values) + q(values) : (values) => p(values) - q(values);
    }
    return left;
  }

  #product(): Node {
    let left = this.#signed();
    for (let sign = this.#take('*', '/'); sign; sign = this.#take('*', '/')) {
      const [p, q] = [left, this.#signed()];
      left = sign === '*' ? (values) => p(values) * q(values) : (values) => p(values) / q(values);
    }
    return left;
  }

  #signed(): Node {
    const sign = this.#take('+', '-');
    if (!sign) return this.#primary();
    const inner = this.#signed();
    return sign === '+' ? inner : (values) => -inner(values);
  }

  #primary(): Node {
    if (this.#take('(')) {
      const inner = this.#sum();
      if (!this.#take(')')) throw this.#unexpected();
      return inner;
    }
    const token = this.#tokens[this.#at];
    if (!token || token.kind === 'sign') throw this.#unexpected();
    this.#at++;
    if (token.kind === 'number') return () => token.value;
    if (this.#take('(')) throw new UnsupportedError(`${this.#where} calls "${token.text}": there are no functions`);
    if (!this.bands.includes(token.text)) this.bands.push(token.text);
    const band = this.bands.indexOf(token.text);
    return (values) => values[band]!;
  }
}

/**
 * Reads `(nir - red) / (nir + red)`: sums, differences, products, quotients, signs, parentheses, numbers and names of bands.
 * @throws InputError where it ends too early or goes on too long; UnsupportedError for other operators and for functions
 */
export function parseBandExpression(text: string): BandExpression {
  const reader = new Reader(text);
  const evaluate = reader.all();
  return { bands: reader.bands, evaluate };
}
