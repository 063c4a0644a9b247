import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { expand } from '../../build/kernels/codec.js';
import { seeded } from '../random.js';

const inflate = (bytes: Uint8Array, most: number) => expand({ bytes, packing: 'deflate' }, most);
const unlzw = (bytes: Uint8Array, most: number) => expand({ bytes, packing: 'lzw' }, most);
const unpackRuns = (bytes: Uint8Array, most: number) => expand({ bytes, packing: 'runs' }, most);

const random = seeded(23);

/** Bytes of six characters: noise, a random walk, runs, repeats, few small values, sparse. */
function sample(kind: number, n: number): Uint8Array {
  let walk = 0;
  return new Uint8Array(n).map((_, i) => {
    if (kind === 0) return random() * 256;
    if (kind === 1) walk += random() * 5 - 2.5;
    if (kind === 2 && random() < 0.02) walk = random() * 256;
    if (kind === 1 || kind === 2) return walk;
    if (kind === 3) return i % 37;
    return kind === 4 ? random() * random() * random() * 40 : random() < 0.5 ? 0 : random() * 8;
  });
}

describe('inflate against node:zlib', () => {
  it('gives the same bytes for every level, strategy and kind of data', () => {
    for (let i = 0; i < 600; i++) {
      const raw = sample(i % 6, Math.floor(random() ** 3 * 150_000));
      const packed = deflateSync(raw, {
        level: i % 10,
        memLevel: 1 + (i % 9),
        strategy: i % 5,
        windowBits: 9 + (i % 7),
      });
      expect(Buffer.compare(inflate(packed, raw.length), raw), `case ${i}`).toBe(0);
      const half = raw.length >> 1;
      expect(Buffer.compare(inflate(packed, half), raw.subarray(0, half)), `half of case ${i}`).toBe(0);
      expect(inflate(packed, raw.length + 1)).toHaveLength(raw.length);
    }
  });

  it('refuses what is cut off or changed, and never gives other bytes than node:zlib', () => {
    for (let i = 0; i < 600; i++) {
      const raw = sample(i % 6, 10 + Math.floor(random() * 20_000));
      const packed = deflateSync(raw, { level: 1 + (i % 9) });
      expect(() => inflate(packed.subarray(0, packed.length - 1 - (i % 9)), raw.length + 1)).toThrow(
        /corrupt|checksum/,
      );
      const changed = Buffer.from(packed);
      const at = 2 + Math.floor(random() * (packed.length - 2));
      changed[at] = changed[at]! ^ (1 << (i % 8));
      try {
        const got = inflate(changed, raw.length + 1);
        expect(Buffer.compare(got, inflateSync(changed).subarray(0, raw.length + 1))).toBe(0);
      } catch (error) {
        if ((error as Error).name === 'AssertionError') throw error;
      }
    }
  });

  it('survives noise', () => {
    for (let i = 0; i < 2000; i++) {
      const noise = sample(0, 2 + (i % 300));
      noise[0] = 0x78;
      noise[1] = 0x9c;
      try {
        expect(inflate(noise, 5000).length).toBeLessThanOrEqual(5000);
      } catch (error) {
        expect((error as Error).name).toBe('FormatError');
      }
    }
  });
});

/** LZW the naive way: a map of all strings; codes of `old` files come least significant bit first and grow one later. */
function lzw(bytes: Uint8Array, old: boolean): Uint8Array {
  const bits: number[] = [];
  let width = 9;
  const put = (code: number): void => {
    for (let i = 0; i < width; i++) bits.push((code >> (old ? i : width - 1 - i)) & 1);
  };
  let codes = new Map<string, number>();
  const clear = (): void => {
    put(256);
    codes = new Map(Array.from({ length: 256 }, (_, i) => [String.fromCharCode(i), i]));
    width = 9;
  };
  clear();
  let next = 258;
  let run = '';
  for (const byte of bytes) {
    const longer = run + String.fromCharCode(byte);
    if (codes.has(longer)) {
      run = longer;
      continue;
    }
    put(codes.get(run)!);
    codes.set(longer, next++);
    if (next + (old ? 0 : 1) > 1 << width) width++;
    if (next === 4094) {
      clear();
      next = 258;
    }
    run = String.fromCharCode(byte);
  }
  if (run) put(codes.get(run)!);
  next++;
  if (next + (old ? 0 : 1) > 1 << width && width < 12) width++;
  put(257);
  const out = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    out[i >> 3]! |= bit << (old ? i & 7 : 7 - (i & 7));
  });
  return out;
}

describe('LZW and PackBits', () => {
  it('undo a naive encoder, both kinds', () => {
    for (let i = 0; i < 36; i++) {
      const raw = sample(i % 6, i < 12 ? i : Math.floor(random() * 30_000));
      for (const old of [false, true]) {
        expect(Buffer.compare(unlzw(lzw(raw, old), raw.length), raw), `case ${i}, ${old}`).toBe(0);
      }
    }
  });

  it('survive noise', () => {
    for (let i = 0; i < 2000; i++) {
      const noise = sample(0, i % 400);
      for (const decode of [unlzw, unpackRuns]) {
        try {
          expect(decode(noise, 3000).length).toBeLessThanOrEqual(3000);
        } catch (error) {
          expect((error as Error).name).toBe('FormatError');
        }
      }
    }
  });

  it('PackBits: literals, runs, and the byte that means nothing', () => {
    const packed = new Uint8Array([254, 170, 2, 128, 0, 42, 128, 253, 170, 3, 128, 0, 42, 34, 247, 170]);
    const hex = 'aaaaaa80002aaaaaaaaa80002a22aaaaaaaaaaaaaaaaaaaa';
    expect(Buffer.from(unpackRuns(packed, 24)).toString('hex')).toBe(hex);
    expect(unpackRuns(packed, 5)).toHaveLength(5);
  });
});
