import { InputError } from '../errors.js';

/** How values become light: from the low to the high percentile of a band, bent by gamma. */
export interface Tone {
  /** 0–100, low < high */
  percents: readonly [low: number, high: number];
  /** Above 1 brightens the dark half. */
  gamma: number;
}

/** `2,98` and `1.2`. */
export function parseTone(stretch: string, gamma: string | undefined): Tone {
  const parts = stretch.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [low, high] = parts as [number, number];
  if (parts.length !== 2 || !(low >= 0 && high <= 100 && low < high))
    throw new InputError(`a stretch is two percentiles like 2,98, and got "${stretch}"`, { option: 'stretch' });
  const exponent = gamma === undefined ? 1 : Number(gamma);
  if (!(exponent >= 0.1 && exponent <= 10))
    throw new InputError(`gamma is a number from 0.1 to 10, and got "${gamma}"`, { option: 'gamma' });
  return { percents: [low, high], gamma: exponent };
}

/** base ** exponent, 0 or more both, by products and square roots alone: engines differ in their own power. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let n = Math.floor(exponent); n > 0; n--) result *= base;
  let rest = exponent - Math.floor(exponent);
  let root = base;
  for (let bit = 0; bit < 52 && rest > 0; bit++) {
    root = Math.sqrt(root);
    rest *= 2;
    if (rest < 1) continue;
    result *= root;
    rest -= 1;
  }
  return result;
}

/** The value below which a part (0–1) of the counted ones lies: of rank floor(part × (n − 1)). */
export function valueAt(histogram: Float64Array, part: number): number {
  const n = histogram.reduce((sum, count) => sum + count, 0);
  const rank = Math.floor(part * (n - 1));
  let seen = 0;
  for (let value = 0; value < histogram.length; value++) {
    seen += histogram[value]!;
    if (seen > rank) return value;
  }
  return 0;
}

/**
 * u8[65536]: what each 16-bit value is shown as: 1 to 255, so that 0 stays free for missing ones. `histogram` counts the band's valid
 * values.
 */
export function toneTable(histogram: Float64Array, { percents, gamma }: Tone): Uint8Array {
  const [from, to] = percents.map((percent) => valueAt(histogram, percent / 100)) as [number, number];
  const span = Math.max(1, to - from);
  return Uint8Array.from({ length: 65536 }, (_, value) => {
    const part = Math.min(1, Math.max(0, (value - from) / span));
    return 1 + Math.round(254 * (gamma === 1 ? part : power(part, 1 / gamma)));
  });
}
