import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../build/io/png.js';
import { seeded } from '../random.ts';

/** A reader for just what the encoder writes: 8 bits, one IDAT, filter 1. */
function decode(png: Uint8Array): { width: number; height: number; colourType: number; data: number[] } {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const colourType = png[25]!;
  const channels = { 0: 1, 2: 3, 6: 4 }[colourType]!;
  const raw = inflateSync(png.subarray(41, 41 + view.getUint32(33)));
  const data: number[] = [];
  for (let row = 0, at = 0; row < height; row++) {
    expect(raw[at++]).toBe(1);
    const start = data.length;
    for (let i = 0; i < width * channels; i++) {
      data.push((raw[at++]! + (i < channels ? 0 : data[start + i - channels]!)) & 255);
    }
  }
  return { width, height, colourType, data };
}

describe('encodePng', () => {
  for (const [channels, colourType] of [
    [1, 0],
    [3, 2],
    [4, 6],
  ] as const) {
    it(`keeps every byte of ${channels} channels`, async () => {
      const random = seeded(channels);
      const [width, height] = [13, 7];
      const data = Uint8Array.from({ length: width * height * channels }, () => random() * 256);
      const png = await encodePng({ width, height, channels, data });
      expect(decode(png)).toEqual({ width, height, colourType, data: [...data] });
    });
  }

  it('closes its chunks with the CRC of the standard', async () => {
    const png = await encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) });
    expect([...png.subarray(-12)]).toEqual([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
  });

  it('refuses data of another size', async () => {
    await expect(encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) })).rejects.toThrow(
      'a PNG of 2 × 2 × 3 does not fit 4 bytes of data',
    );
  });
});
