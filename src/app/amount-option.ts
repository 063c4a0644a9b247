import { InputError } from '../errors.js';

/** Options as they were typed, by name in camel case. */
export type Flags = Record<string, string | string[] | boolean | undefined>;

const optionOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** An option's number of any sign, or nan. */
export function anyNumber(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = String(text).trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) || /^nan$/i.test(String(text))) return value;
  throw new InputError(`a number is wanted, and "${text}" is not one`, { option: optionOf(name) });
}

/** An option's whole number within bounds. */
export function wholeWithin(
  flags: Flags,
  name: string,
  { least, most }: { least: number; most: number },
): number | undefined {
  const value = amount(flags, name, 'whole number');
  if (value === undefined || (value >= least && value <= most)) return value;
  const option = optionOf(name);
  throw new InputError(`a whole number from ${least} to ${most} is wanted, and got ${value}`, { option });
}

/** An option's number, 0 or more. */
export function amount(flags: Flags, name: string, kind: 'number' | 'whole number' = 'number'): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = String(text).trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0 || (kind === 'whole number' && !Number.isInteger(value))) {
    const option = optionOf(name);
    throw new InputError(`--${option} takes a ${kind} of 0 or more, and got "${text}"`, { option });
  }
  return value;
}
