import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseBandExpression } from '../../../build/jobs/picture/band-expression.js';

const at = (text: string, values: Record<string, number> = {}): number => {
  const { bands, evaluate } = parseBandExpression(text);
  return evaluate(bands.map((band) => values[band]!));
};

it.each([
  ['2 + 3 * 4', 14],
  ['(2 + 3) * 4', 20],
  ['10 - 4 - 3', 3],
  ['24 / 4 / 3', 2],
  ['-2 * -3', 6],
  ['--2', 2],
  ['+2 - -2', 4],
  ['1.5e2 + .5', 150.5],
])('%s = %d', (text, value) => {
  expect(at(text)).toBe(value);
});

it('names its bands, each once', () => {
  expect(parseBandExpression('(nir_08 - red) / (nir_08 + red)').bands).toEqual(['nir_08', 'red']);
  expect(at('(nir_08 - red) / (nir_08 + red)', { nir_08: 30, red: 10 })).toBe(0.5);
});

it('is what JavaScript makes of the same text', () => {
  const { expression } = fc.letrec<{ expression: string; leaf: string }>((tie) => ({
    leaf: fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 9 }).map(String)),
    expression: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      tie('expression').map((inner) => `(${inner})`),
      tie('leaf').map((inner) => `-${inner}`),
      fc
        .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/'), tie('expression'))
        .map((parts) => parts.join(' ')),
    ),
  }));
  fc.assert(
    fc.property(expression, (text) => {
      fc.pre(text.length <= 500);
      const wanted = new Function('a', 'b', 'c', `return ${text}`)(3, -7, 0.5);
      expect(at(text, { a: 3, b: -7, c: 0.5 })).toBe(wanted);
    }),
  );
});

it.each([
  ['', 'InputError', 'ends too early'],
  ['a +', 'InputError', 'ends too early'],
  ['(a', 'InputError', 'ends too early'],
  ['a)', 'InputError', 'has ")" where it may not stand'],
  ['a 2', 'InputError', 'has "2" where it may not stand'],
  ['* a', 'InputError', 'has "*" where it may not stand'],
  ['a % 2', 'UnsupportedError', 'has "%": there are +, -, *, / and parentheses'],
  ['a > 2', 'UnsupportedError', 'has ">"'],
  ['a.b', 'UnsupportedError', 'has "."'],
  ['where(a)', 'UnsupportedError', 'calls "where": there are no functions'],
])('refuses "%s"', (text, name, message) => {
  expect(() => parseBandExpression(text)).toThrow(
    expect.objectContaining({ name, message: expect.stringContaining(message) }),
  );
});
