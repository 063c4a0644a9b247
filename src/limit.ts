import { InputError } from './errors.js';

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kb: 1e3,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 1e6,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 1e9,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 1e12,
  tib: 2 ** 40,
};

/** Parses `1GiB`, `768 MiB`, `1.5g` or plain bytes. */
export function parseBytes(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = match ? UNITS[match[2]!.toLowerCase()] : undefined;
  if (!match || unit === undefined || Number(match[1]) <= 0) {
    throw new InputError(`a number of bytes like 1GiB or 768MiB is wanted, and "${text}" is not one`, {
      option: 'memory-limit',
    });
  }
  return Math.floor(Number(match[1]) * unit);
}

/** `1.50 GiB`, `768 MiB`: three digits, rounded up so that a limit named in an error is enough. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size) {
      const digits = bytes >= 100 * size ? 0 : bytes >= 10 * size ? 1 : 2;
      const step = 10 ** digits;
      return `${(Math.ceil((bytes / size) * step) / step).toFixed(digits)} ${unit}`;
    }
  }
  return `${Math.ceil(bytes)} bytes`;
}
