/** Adler-32 of u8[n]. */
export function adler(bytes: usize, n: i32): u32 {
  let s1: u32 = 1;
  let s2: u32 = 0;
  let from = bytes;
  let rest = n;
  const high = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const low = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  while (rest >= 16) {
    // So many bytes that no sum overflows 32 bits.
    const batch = min(rest, 4096) & ~15;
    let sums = i32x4.splat(0);
    let before = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    for (const end = from + batch; from < end; from += 16) {
      const v = v128.load(from);
      before = i32x4.add(before, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(v), high));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(v), low));
    }
    s2 = (s2 + s1 * batch + 16 * lanes(before) + lanes(weighted)) % 65521;
    s1 = (s1 + lanes(sums)) % 65521;
    rest -= batch;
  }
  for (; rest > 0; rest--) {
    s1 += load<u8>(from++);
    s2 += s1;
  }
  return ((s2 % 65521) << 16) | (s1 % 65521);
}

// @ts-ignore: decorator
@inline
function lanes(v: v128): u32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
