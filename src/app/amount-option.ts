import { InputError } from '../errors.js';

/** Options as they were typed, by name in camel case. */
export type Flags = Record<string, string | string[] | boolean | undefined>;

/** An option's number, 0 or more. */
export function amount(flags: Flags, name: string, kind: 'number' | 'whole number' = 'number'): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = String(text).trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0 || (kind === 'whole number' && !Number.isInteger(value))) {
    const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new InputError(`--${option} takes a ${kind} of 0 or more, and got "${text}"`, { option });
  }
  return value;
}
