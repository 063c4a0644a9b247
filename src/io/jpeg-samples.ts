// From coefficients to samples as libjpeg does it, bit for bit: its accurate integer IDCT (jidctint.c), its triangle-filter
// upsampling (jdsample.c) and its colour conversion (jdcolor.c).

/** One component's samples, [height][width], width and height whole blocks. */
export interface JpegPlane {
  samples: Uint8Array;
  /** px, a multiple of 8 */
  stride: number;
  /** px that belong to the picture */
  width: number;
  height: number;
}

const workspace = new Int32Array(64);

/** One pass over 8 values that are `step` apart; results are descaled by `shift`. */
function pass(from: Int32Array, to: Int32Array, at: number, step: number, shift: number): void {
  const half = 1 << (shift - 1);
  const s = (n: number): number => from[at + n * step]!;
  const e1 = (s(2) + s(6)) * 4433;
  const e2 = e1 - s(6) * 15137;
  const e3 = e1 + s(2) * 6270;
  const e0 = (s(0) + s(4)) << 13;
  const e4 = (s(0) - s(4)) << 13;
  const [t10, t13, t11, t12] = [e0 + e3, e0 - e3, e4 + e2, e4 - e2];
  const z5 = (s(7) + s(3) + s(5) + s(1)) * 9633;
  const z1 = (s(7) + s(1)) * -7373;
  const z2 = (s(5) + s(3)) * -20995;
  const z3 = (s(7) + s(3)) * -16069 + z5;
  const z4 = (s(5) + s(1)) * -3196 + z5;
  const o0 = s(7) * 2446 + z1 + z3;
  const o1 = s(5) * 16819 + z2 + z4;
  const o2 = s(3) * 25172 + z2 + z3;
  const o3 = s(1) * 12299 + z1 + z4;
  to[at] = (t10 + o3 + half) >> shift;
  to[at + 7 * step] = (t10 - o3 + half) >> shift;
  to[at + step] = (t11 + o2 + half) >> shift;
  to[at + 6 * step] = (t11 - o2 + half) >> shift;
  to[at + 2 * step] = (t12 + o1 + half) >> shift;
  to[at + 5 * step] = (t12 - o1 + half) >> shift;
  to[at + 3 * step] = (t13 + o0 + half) >> shift;
  to[at + 4 * step] = (t13 - o0 + half) >> shift;
}

const clamp = (v: number): number => Math.min(Math.max(v, 0), 255);

/** Dequantized coefficients i32[8][8] → 8 × 8 samples at `at` of a plane. */
export function inverseDct(coefficients: Int32Array, samples: Uint8Array, at: number, stride: number): void {
  for (let col = 0; col < 8; col++) pass(coefficients, workspace, col, 8, 11);
  for (let row = 0; row < 8; row++) {
    pass(workspace, workspace, row * 8, 1, 18);
    const to = at + row * stride;
    for (let col = 0; col < 8; col++) samples[to + col] = clamp(workspace[row * 8 + col]! + 128);
  }
}

/** Two rows mixed three to one, then the same along the row: one output row of a component halved both ways. */
function mixBoth(near: Uint8Array, far: Uint8Array, n: number, out: Uint8Array): void {
  const sum = (i: number): number => near[i]! * 3 + far[i]!;
  out[0] = (sum(0) * 4 + 8) >> 4;
  out[2 * n - 1] = (sum(n - 1) * 4 + 7) >> 4;
  for (let i = 0; i < n; i++) {
    if (i > 0) out[2 * i] = (sum(i) * 3 + sum(i - 1) + 8) >> 4;
    if (i < n - 1) out[2 * i + 1] = (sum(i) * 3 + sum(i + 1) + 7) >> 4;
  }
}

function mixAlong(row: Uint8Array, n: number, out: Uint8Array): void {
  out[0] = row[0]!;
  out[2 * n - 1] = row[n - 1]!;
  for (let i = 0; i < n; i++) {
    if (i > 0) out[2 * i] = (row[i]! * 3 + row[i - 1]! + 1) >> 2;
    if (i < n - 1) out[2 * i + 1] = (row[i]! * 3 + row[i + 1]! + 2) >> 2;
  }
}

/** One row of a component brought to full resolution; h and v say how many times it is coarser. */
export function upsampleRow(plane: JpegPlane, y: number, h: number, v: number, out: Uint8Array): void {
  const { samples, stride, width, height } = plane;
  const rowAt = (row: number): Uint8Array => {
    const inside = Math.min(Math.max(row, 0), height - 1);
    return samples.subarray(inside * stride, inside * stride + width);
  };
  const row = Math.floor(y / v);
  const near = rowAt(row);
  if (h === 1 && v === 1) {
    out.set(near.subarray(0, out.length));
  } else if (h === 2 && v === 1 && width > 2) {
    mixAlong(near, width, out);
  } else if (h === 2 && v === 2 && width > 2) {
    mixBoth(near, rowAt(y % 2 === 0 ? row - 1 : row + 1), width, out);
  } else if (h === 1 && v === 2) {
    const far = rowAt(y % 2 === 0 ? row - 1 : row + 1);
    const bias = y % 2 === 0 ? 1 : 2;
    for (let i = 0; i < width; i++) out[i] = (near[i]! * 3 + far[i]! + bias) >> 2;
  } else {
    for (let i = 0; i < width * h && i < out.length; i++) out[i] = near[Math.floor(i / h)]!;
  }
}

/** In place, [nPx][3]: YCbCr → RGB. */
export function rgbOfYcbcr(pixels: Uint8Array): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const y = pixels[i]!;
    const cb = pixels[i + 1]! - 128;
    const cr = pixels[i + 2]! - 128;
    pixels[i] = clamp(y + ((91881 * cr + 32768) >> 16));
    pixels[i + 1] = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
    pixels[i + 2] = clamp(y + ((116130 * cb + 32768) >> 16));
  }
}
