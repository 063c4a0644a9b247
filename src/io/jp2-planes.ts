import type { Codestream } from './codestream.js';
import type { Level, SampleArray } from './raster.js';

/** A tile as the codec gives it: pixel by pixel, unsigned, clipped to the image. */
export interface DecodedTile {
  /** u8 or u16 [height][width][components] */
  bytes: Uint8Array;
  width: number;
  height: number;
}

type Samples = Uint8Array | Uint16Array;

/** The signed samples of unsigned ones, which were moved up by half of their range. */
function signedOf(samples: Samples, bits: number): SampleArray {
  const half = 2 ** (bits - 1);
  const out = samples instanceof Uint16Array ? new Int16Array(samples.buffer) : new Int8Array(samples.buffer);
  for (let i = 0; i < samples.length; i++) out[i] = samples[i]! - half;
  return out;
}

/** The planes of a tile, [tileHeight][tileWidth] each of the band's dtype, 0 outside of the image. */
export function planesOf({ bytes, width, height }: DecodedTile, codestream: Codestream, level: Level): SampleArray[] {
  const { components, bits, signed } = codestream;
  const { tileWidth, tileHeight } = level;
  const whole = width === tileWidth && height === tileHeight;
  const samples = bits > 8 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
  const Samples = bits > 8 ? Uint16Array : Uint8Array;
  const place = (own: Samples): SampleArray => (signed ? signedOf(own, bits) : own);
  const padded = (own: SampleArray): SampleArray => {
    if (whole) return own;
    const out = new (own.constructor as new (length: number) => Samples)(tileWidth * tileHeight);
    for (let row = 0; row < height; row++) {
      out.set((own as Samples).subarray(row * width, (row + 1) * width), row * tileWidth);
    }
    return out;
  };
  if (components === 1) return [padded(place(samples))];
  return Array.from({ length: components }, (_, component) => {
    const own = new Samples(width * height);
    for (let i = 0, from = component; i < own.length; i++, from += components) own[i] = samples[from]!;
    return padded(place(own));
  });
}
