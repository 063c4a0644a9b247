import { chance, doubled, fractalNoise, smoothstep } from './noise.js';

/** What is between the ground and the sensor: 0–1, f32[size][size] each. */
export interface Sky {
  size: number;
  /** How much the clouds hide. */
  cloud: Float32Array;
  /** How bright they are, 0–1. */
  thickness: Float32Array;
  shadow: Float32Array;
  cirrus: Float32Array;
}

export interface SkyRequest {
  /** px of 20 m */
  size: number;
  seed: number;
  /** Part of the sky under clouds, 0–1. */
  cover: number;
  /** Part under cirrus, 0–1. */
  cirrusCover: number;
  /** Where shadows fall, px of 20 m from the cloud: to the north-west in the morning of the northern half. */
  shadowPx: readonly [col: number, row: number];
}

/** The value that a part of a field lies above. */
function thresholdOf(field: Float32Array, part: number): number {
  const sample = field.filter((_, i) => i % 7 === 0).sort();
  return sample[Math.min(sample.length - 1, Math.floor((1 - part) * sample.length))]!;
}

/** The sky over the land, at 20 m. */
export function makeSky({ size, seed, cover, cirrusCover, shadowPx }: SkyRequest): Sky {
  const [dx, dy] = shadowPx;
  const margin = Math.max(Math.abs(dx), Math.abs(dy));
  const width = size + 2 * margin;
  // Clouds are heaps of about a kilometre: the same whatever the size of the picture.
  const field = fractalNoise({
    width,
    height: width,
    scale: 90,
    octaves: 6,
    seed,
    col: Math.floor(chance(seed, 1, 5) * 5000),
  });
  const threshold = cover > 0.001 ? thresholdOf(field, cover) : Infinity;
  const veil = fractalNoise({ width: size, height: size, scale: 60, octaves: 4, seed: seed + 77, stretch: 4 });
  const veilFrom = cirrusCover > 0 ? thresholdOf(veil, cirrusCover) : Infinity;
  const nPx = size * size;
  const sky: Sky = {
    size,
    cloud: new Float32Array(nPx),
    thickness: new Float32Array(nPx),
    shadow: new Float32Array(nPx),
    cirrus: new Float32Array(nPx),
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      const at = field[(y + margin) * width + x + margin]! - threshold;
      const towardSun = field[(y + margin - dy) * width + x + margin - dx]! - threshold;
      sky.cloud[i] = smoothstep(-0.012, 0.03, at);
      sky.thickness[i] = smoothstep(-0.03, 0.16, at);
      sky.shadow[i] = smoothstep(-0.006, 0.022, towardSun) * (1 - sky.cloud[i]!);
      sky.cirrus[i] = smoothstep(-0.03, 0.12, veil[i]! - veilFrom);
    }
  }
  return sky;
}

/** The same sky at 10 m. */
export function doubledSky({ size, cloud, thickness, shadow, cirrus }: Sky): Sky {
  const up = (field: Float32Array) => doubled(field, size, size);
  return { size: 2 * size, cloud: up(cloud), thickness: up(thickness), shadow: up(shadow), cirrus: up(cirrus) };
}
