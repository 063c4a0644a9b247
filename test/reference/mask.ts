// Masks in naive lines: what the bit-packed kernels must equal.

export interface Step {
  op: 'dilation' | 'erosion' | 'opening' | 'closing';
  radiusPx: number;
}

export function classMaskOf(
  values: ArrayLike<number>,
  mode: 'drop' | 'keep' | 'anybit',
  list: readonly number[],
): number[] {
  return Array.from(values, (value) => {
    if (mode === 'anybit') return list.some((bit) => Math.floor((value >>> 0) / 2 ** bit) % 2 === 1) ? 1 : 0;
    return Number(list.includes(value) === (mode === 'drop'));
  });
}

/** Filters on an endless clear plane: a wide clear rim, every step pixel by pixel, the rim cut off at the end. */
export function morphologyOf(mask: ArrayLike<number>, width: number, height: number, steps: readonly Step[]): number[] {
  const rim = steps.reduce((sum, { radiusPx }) => sum + 2 * Math.floor(radiusPx), 1);
  const [w, h] = [width + 2 * rim, height + 2 * rim];
  let plane = Array.from({ length: w * h }, (_, i) => {
    const [x, y] = [(i % w) - rim, Math.floor(i / w) - rim];
    return x >= 0 && x < width && y >= 0 && y < height && mask[y * width + x] ? 1 : 0;
  });
  for (const { op, radiusPx } of steps) {
    if (op === 'erosion' || op === 'opening') plane = spread(plane, w, 0, radiusPx);
    if (op !== 'erosion') plane = spread(plane, w, 1, radiusPx);
    if (op === 'closing') plane = spread(plane, w, 0, radiusPx);
  }
  return Array.from(
    { length: width * height },
    (_, i) => plane[(Math.floor(i / width) + rim) * w + (i % width) + rim]!,
  );
}

/** Every pixel of `value` gives its value to the disk around it. */
function spread(plane: readonly number[], width: number, value: number, radius: number): number[] {
  const out = [...plane];
  const n = Math.floor(radius);
  for (const [i, v] of plane.entries()) {
    if (v !== value) continue;
    for (let dy = -n; dy <= n; dy++) {
      for (let dx = -n; dx <= n; dx++) {
        const x = (i % width) + dx;
        const at = i + dy * width + dx;
        if (dx * dx + dy * dy <= radius * radius && x >= 0 && x < width && at >= 0 && at < out.length) out[at] = value;
      }
    }
  }
  return out;
}
