import type { Flags } from './amount-option.js';

/** For options that may be given again. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];

/** An option's words between commas. */
export function wordsOf(flags: Flags, name: string): string[] | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  return String(text)
    .split(',')
    .map((word) => word.trim());
}

/** Numbers between commas; what is none is NaN. */
export const numbersOf = (text: string): number[] =>
  text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
