// Values of a style, and what is said of those that are none.
import { InputError, UnsupportedError } from '../../errors.js';

const OPTION = { option: 'preview_image_ows_style' } as const;
export const wrongStyle = (what: string) => new InputError(`preview_image_ows_style: ${what}`, OPTION);
export const unsupportedStyle = (what: string) => new UnsupportedError(`preview_image_ows_style: ${what}`, OPTION);
export const shownValue = (value: unknown) => JSON.stringify(value)?.slice(0, 60) ?? 'nothing';

/** A number, or a text that is one. */
export function styleNumber(key: string, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw wrongStyle(`"${key}" takes a number, and got ${shownValue(value)}`);
}

/** `#rrggbb` or `#rgb` → 0–255 each. */
export function styleColour(value: unknown): [red: number, green: number, blue: number] {
  const digits = typeof value === 'string' ? /^#(?:([0-9a-f]{6})|([0-9a-f]{3}))$/i.exec(value) : null;
  if (!digits) {
    if (typeof value === 'string' && /^[a-z]+$/i.test(value))
      throw unsupportedStyle(`the colour "${value}" is a name: write it as #rrggbb`);
    throw wrongStyle(`"color" is written as #rrggbb, and got ${shownValue(value)}`);
  }
  const six = digits[1] ?? [...digits[2]!].map((digit) => digit + digit).join('');
  return [0, 2, 4].map((at) => Number.parseInt(six.slice(at, at + 2), 16)) as [number, number, number];
}
