// Disk morphology on bit-packed rows: one bit a pixel, 64 px an i64 word, bit 0 leftmost. A plane is [height] rows of `pitch`
// bytes, a multiple of 16, that begin and end with `guard` bytes of zeros (at least radius/8 + 16), so that shifts need no edges.
// Outside counts as clear; the caller pads by the sum of radii, so that a run of operations acts as on an endless clear plane.

/** u8[height][width] (0 = clear) → bits, at pixel (padX, padY) of a plane of zeros. padX is a multiple of 16. */
export function pack_bits(
  src: usize, width: i32, height: i32, plane: usize, pitch: usize, guard: usize, padX: i32, padY: i32,
): void {
  const zero = i8x16.splat(0);
  for (let y: i32 = 0; y < height; y++) {
    const from = src + <usize>y * width;
    const to = plane + <usize>(y + padY) * pitch + guard + (<usize>padX >> 3);
    let x: i32 = 0;
    for (; x + 16 <= width; x += 16) {
      store<u16>(to + (<usize>x >> 3), <u16>i8x16.bitmask(i8x16.ne(v128.load(from + x), zero)));
    }
    let rest: u32 = 0;
    for (let i: i32 = x; i < width; i++) rest |= <u32>(load<u8>(from + i) != 0) << (i - x);
    if (x < width) store<u16>(to + (<usize>x >> 3), <u16>rest);
  }
}

/** The inverse of pack_bits: bits → u8[height][width] of 0 and 1. */
export function unpack_bits(
  plane: usize, pitch: usize, guard: usize, padX: i32, padY: i32, out: usize, width: i32, height: i32,
): void {
  const pick = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const bit = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const one = i8x16.splat(1);
  for (let y: i32 = 0; y < height; y++) {
    const from = plane + <usize>(y + padY) * pitch + guard + (<usize>padX >> 3);
    const to = out + <usize>y * width;
    let x: i32 = 0;
    for (; x + 16 <= width; x += 16) {
      const spread = i8x16.swizzle(i16x8.splat(<i16>load<u16>(from + (<usize>x >> 3))), pick);
      v128.store(to + x, v128.and(i8x16.eq(v128.and(spread, bit), bit), one));
    }
    for (; x < width; x++) store<u8>(to + x, (load<u8>(from + (<usize>x >> 3)) >> (<u8>x & 7)) & 1);
  }
}

/** Turns set and clear round, in the pixels and not in the guards. */
export function invert_bits(plane: usize, height: i32, pitch: usize, guard: usize): void {
  for (let y: i32 = 0; y < height; y++) {
    const end = plane + <usize>(y + 1) * pitch - guard;
    for (let p = plane + <usize>y * pitch + guard; p < end; p += 16) v128.store(p, v128.not(v128.load(p)));
  }
}

/** spread |= row shifted n px right and n px left; one row between its guards. */
// @ts-ignore: decorator
@inline
function spreadBy(row: usize, bytes: usize, n: i32, spread: usize): void {
  const word = <usize>(n >> 6) << 3;
  const bits = n & 63;
  for (let i: usize = 0; i < bytes; i += 16) {
    const p = row + i;
    let both: v128;
    if (bits == 0) {
      both = v128.or(v128.load(p - word), v128.load(p + word));
    } else {
      const right = v128.or(i64x2.shl(v128.load(p - word), bits), i64x2.shr_u(v128.load(p - word - 8), 64 - bits));
      const left = v128.or(i64x2.shr_u(v128.load(p + word), bits), i64x2.shl(v128.load(p + word + 8), 64 - bits));
      both = v128.or(right, left);
    }
    v128.store(spread + i, v128.or(v128.load(spread + i), both));
  }
}

/**
 * Dilation by a disk, exact: i32[radius + 1] `halfWidths` has for each |dy| the greatest dx with dx² + dy² ≤ r². Bits in `plane`,
 * result in `out` (of the same shape, zeroed here); `spread` is scratch of one row. Rows of zeros cost a look.
 */
export function dilate_bits(
  plane: usize, height: i32, pitch: usize, guard: usize, halfWidths: usize, radius: i32, spread: usize, out: usize,
): void {
  const bytes = pitch - 2 * guard;
  memory.fill(out, 0, <usize>height * pitch);
  for (let y: i32 = 0; y < height; y++) {
    const row = plane + <usize>y * pitch + guard;
    let any = i64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const v = v128.load(row + i);
      any = v128.or(any, v);
      v128.store(spread + i, v);
    }
    if (!v128.any_true(any)) continue;
    let n: i32 = 0;
    // Rows far away are short: the spread grows from |dy| = radius down to 0.
    for (let d: i32 = radius; d >= 0; d--) {
      const halfWidth = load<i32>(halfWidths + (<usize>d << 2));
      while (n < halfWidth) spreadBy(row, bytes, ++n, spread);
      if (y - d >= 0) orRow(spread, bytes, out + <usize>(y - d) * pitch + guard);
      if (d > 0 && y + d < height) orRow(spread, bytes, out + <usize>(y + d) * pitch + guard);
    }
  }
}

// @ts-ignore: decorator
@inline
function orRow(row: usize, bytes: usize, out: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, v128.or(v128.load(out + i), v128.load(row + i)));
}
