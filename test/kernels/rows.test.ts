import { describe, expect, it } from 'vitest';
import { Kernels } from '../../build/kernels/memory.js';
import { copyRowsInto } from '../../build/kernels/rows.js';
import { seeded } from '../random.js';

const k = new Kernels();
const random = seeded(41);

describe('rows of bytes', () => {
  it('come to their place from wherever they are, and nothing else changes', () => {
    for (let i = 0; i < 200; i++) {
      const [nRow, rowBytes] = [1 + (i % 9), 1 + Math.floor(random() * 70)];
      const [pitch, toPitch] = [rowBytes + (i % 3) * 5, rowBytes + (i % 4) * 3];
      k.scope(() => {
        const [from, to] = [k.alloc(nRow * pitch), k.alloc(nRow * toPitch)];
        const source = new Uint8Array(nRow * pitch).map(() => random() * 256);
        k.u8(from, source.length).set(source);
        const expected = new Uint8Array(nRow * toPitch).fill(7);
        for (let y = 0; y < nRow; y++) {
          for (let x = 0; x < rowBytes; x++) expected[y * toPitch + x] = source[y * pitch + x]!;
        }
        for (const bytes of [source, k.u8(from, source.length)]) {
          k.u8(to, expected.length).fill(7);
          copyRowsInto(k, { bytes, pitch }, { nRow, rowBytes }, { ptr: to, pitch: toPitch });
          expect(k.u8(to, expected.length)).toEqual(expected);
        }
      });
    }
  });
});
