/** 32 well-mixed bits of a lattice point. */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The same as a number in [0, 1). */
export function chance(x: number, y: number, seed: number): number {
  return hash(x, y, seed) / 2 ** 32;
}

/** 0 below `from`, 1 above `to`, and a smooth way between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

export interface NoiseRequest {
  width: number;
  height: number;
  /** px of the largest features. */
  scale: number;
  /** Each has half the size and half the height of the one before. */
  octaves: number;
  seed: number;
  /** Where the field begins in the endless plane, px. */
  col?: number;
  row?: number;
  /** How much longer features are along x. */
  stretch?: number;
}

/** Smooth random hills of several sizes, in [0, 1), mean near 0.5: f32[height][width]. Part of an endless plane. */
export function fractalNoise(request: NoiseRequest): Float32Array {
  const { width, height, scale, octaves, seed, col = 0, row = 0, stretch = 1 } = request;
  const out = new Float32Array(width * height);
  let [amplitude, total] = [1, 0];
  for (let octave = 0; octave < octaves; octave++) {
    const step = 2 ** octave / scale;
    for (let y = 0; y < height; y++) {
      const gy = (row + y) * step;
      const cellY = Math.floor(gy);
      const fy = gy - cellY;
      const wy = fy * fy * (3 - 2 * fy);
      let cell = Number.NaN;
      let [left, right] = [0, 0];
      for (let x = 0; x < width; x++) {
        const gx = ((col + x) * step) / stretch;
        const cellX = Math.floor(gx);
        if (cellX !== cell) {
          const key = seed + 101 * octave;
          left = chance(cellX, cellY, key) * (1 - wy) + chance(cellX, cellY + 1, key) * wy;
          right = chance(cellX + 1, cellY, key) * (1 - wy) + chance(cellX + 1, cellY + 1, key) * wy;
          cell = cellX;
        }
        const fx = gx - cellX;
        out[y * width + x]! += amplitude * (left + (right - left) * fx * fx * (3 - 2 * fx));
      }
    }
    total += amplitude;
    amplitude /= 2;
  }
  for (let i = 0; i < out.length; i++) out[i]! /= total;
  return out;
}

/** A field of half the resolution at full resolution, bilinear with pixel centres in place: f32[2·height][2·width]. */
export function doubled(field: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(4 * width * height);
  for (let y = 0; y < 2 * height; y++) {
    const near = (y >> 1) * width;
    const far = Math.min(height - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1))) * width;
    for (let x = 0; x < 2 * width; x++) {
      const a = x >> 1;
      const b = Math.min(width - 1, Math.max(0, a + (x & 1 ? 1 : -1)));
      out[y * 2 * width + x] =
        0.5625 * field[near + a]! + 0.1875 * (field[near + b]! + field[far + a]!) + 0.0625 * field[far + b]!;
    }
  }
  return out;
}
