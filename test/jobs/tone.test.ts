import { describe, expect, it } from 'vitest';
import { parseTone, toneTable, valueAt } from '../../build/jobs/tone.js';

function histogram(values: readonly number[]): Float64Array {
  const counts = new Float64Array(65536);
  for (const value of values) counts[value]!++;
  return counts;
}

describe('tones', () => {
  it('stand between two percentiles', () => {
    const values = Array.from({ length: 101 }, (_, i) => 1000 + i);
    expect([0, 0.02, 0.5, 0.98, 1].map((part) => valueAt(histogram(values), part))).toEqual([
      1000, 1002, 1050, 1098, 1100,
    ]);
    const table = toneTable(histogram(values), { percents: [0, 100], gamma: 1 });
    expect([0, 1000, 1050, 1100, 65535].map((v) => table[v])).toEqual([1, 1, 128, 255, 255]);
  });

  it('are bent by gamma as powers are', () => {
    const ends = histogram([0, 1000]);
    for (const gamma of [0.1, 0.45, 1, 1.5, 2.2, 10]) {
      const table = toneTable(ends, { percents: [0, 100], gamma });
      for (let v = 0; v <= 1000; v++) {
        const exact = 1 + 254 * (v / 1000) ** (1 / gamma);
        // Half-way the last bit of a power decides.
        expect([Math.round(exact - 1e-9), Math.round(exact + 1e-9)]).toContain(table[v]);
      }
    }
  });

  it('exist for one value and for none', () => {
    expect(toneTable(histogram([7]), { percents: [2, 98], gamma: 1 })[7]).toBe(1);
    expect(toneTable(histogram([]), { percents: [2, 98], gamma: 1 })[0]).toBe(1);
  });

  it('are parsed', () => {
    expect(parseTone('2,98', undefined)).toEqual({ percents: [2, 98], gamma: 1 });
    expect(parseTone('0, 99.5', '2.2')).toEqual({ percents: [0, 99.5], gamma: 2.2 });
    for (const text of ['2', '98,2', '2,101', '-1,98', '2,98,99', 'a,b', ',98'])
      expect(() => parseTone(text, undefined)).toThrow('a stretch is');
    for (const text of ['0', 'x', '11', '-1']) expect(() => parseTone('2,98', text)).toThrow('gamma is a number');
  });
});
