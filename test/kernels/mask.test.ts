import { describe, expect, it } from 'vitest';
import { InputError } from '../../build/errors.js';
import { type ClassDtype, type ClassRule, classMaskInto, orMaskInto } from '../../build/kernels/mask.js';
import { Kernels } from '../../build/kernels/memory.js';
import { seeded } from '../random.ts';
import { classMaskOf } from '../reference/mask.ts';

const ARRAYS = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array };
const k = new Kernels();

/** The kernel's mask; what lies behind `out` must stay as it was. */
function maskOf(dtype: ClassDtype, values: readonly number[], rule: ClassRule, before?: readonly number[]): number[] {
  return k.scope(() => {
    const data = ARRAYS[dtype].from(values);
    const ptr = k.alloc(data.byteLength);
    const out = k.alloc(values.length + 64);
    new ARRAYS[dtype](k.exports.memory.buffer, ptr, data.length).set(data);
    k.u8(out, values.length + 64).fill(7);
    if (before) k.u8(out, values.length).set(before);
    classMaskInto(k, { ptr, dtype, nPx: values.length }, rule, out, { combine: before ? 'or' : 'set' });
    expect(Array.from(k.u8(out + values.length, 64))).toEqual(new Array(64).fill(7));
    return Array.from(k.u8(out, values.length));
  });
}

/** Numbers over a type's range with many small ones. */
function valuesOf(dtype: ClassDtype, n: number, random: () => number): number[] {
  const bits = Number(dtype.slice(1));
  const least = dtype[0] === 'i' ? -(2 ** (bits - 1)) : 0;
  return Array.from({ length: n }, () =>
    random() < 0.5 ? Math.floor(random() * 12) : least + Math.floor(random() * 2 ** bits),
  );
}

describe('classMaskInto', () => {
  for (const dtype of Object.keys(ARRAYS) as ClassDtype[]) {
    it(`${dtype}: drop, keep and anybit of any length, set and or`, () => {
      const random = seeded(11);
      for (const n of [0, 1, 3, 15, 16, 17, 63, 64, 65, 300]) {
        const values = valuesOf(dtype, n, random);
        const before = values.map(() => (random() < 0.3 ? 1 : 0));
        const lists = [[], [0], [0, 1, 3, 8, 9, 10, 3], values.filter(() => random() < 0.1)];
        for (const mode of ['drop', 'keep', 'anybit'] as const) {
          for (const list of mode === 'anybit' ? [[], [0], [1, 3], [7], [2, 15], [31], [5, 30]] : lists) {
            // A field narrower than the bit asked for has no such bit, whatever the sign.
            const mask = 2 ** Number(dtype.slice(1)) - 1;
            const seen =
              mode === 'anybit' ? values.map((v) => Number(BigInt.asUintN(32, BigInt(v)) & BigInt(mask))) : values;
            const want = classMaskOf(seen, mode, list);
            expect(maskOf(dtype, values, { mode, values: list })).toEqual(want);
            expect(maskOf(dtype, values, { mode, values: list }, before)).toEqual(want.map((v, i) => v | before[i]!));
          }
        }
      }
    });
  }

  it('finds every value of 8 bits, signed and unsigned', () => {
    const unsigned = Array.from({ length: 256 }, (_, i) => i);
    for (const value of [0, 1, 7, 8, 127, 128, 129, 200, 255]) {
      expect(maskOf('u8', unsigned, { mode: 'drop', values: [value] }).indexOf(1)).toBe(value);
    }
    const signed = unsigned.map((v) => v - 128);
    for (const value of [-128, -1, 0, 127]) {
      expect(maskOf('i8', signed, { mode: 'drop', values: [value] }).indexOf(1)).toBe(value + 128);
    }
  });

  it('passes over values that the type cannot hold', () => {
    expect(maskOf('u8', [0, 1, 255], { mode: 'drop', values: [256, -1, 1.5] })).toEqual([0, 0, 0]);
    expect(maskOf('u32', [0, 1, 2 ** 32 - 1], { mode: 'drop', values: [2 ** 32, 2 ** 32 - 1] })).toEqual([0, 0, 1]);
    expect(maskOf('i16', [-1, 0], { mode: 'keep', values: [65535, 0] })).toEqual([1, 0]);
  });

  it('refuses bits that do not exist', () => {
    expect(() => maskOf('u16', [0], { mode: 'anybit', values: [32] })).toThrow(InputError);
    expect(() => maskOf('u16', [0], { mode: 'anybit', values: [-1] })).toThrow('bits are numbered 0 to 31, and got -1');
  });
});

describe('orMaskInto', () => {
  it('adds one mask to another', () => {
    k.scope(() => {
      const [a, b] = [k.alloc(48), k.alloc(48)];
      k.u8(a, 48).forEach((_, i, all) => {
        all[i] = i % 2;
      });
      k.u8(b, 48).forEach((_, i, all) => {
        all[i] = Number(i % 3 === 0);
      });
      orMaskInto(k, a, 48, b);
      expect(Array.from(k.u8(b, 48))).toEqual(Array.from({ length: 48 }, (_, i) => Number(i % 2 === 1 || i % 3 === 0)));
    });
  });
});
