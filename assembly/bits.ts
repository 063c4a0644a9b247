// Class numbers and bit fields → masks: integers [nPx] → u8[nPx], 1 = masked out; with `or` added to what `out` holds.

/** 1 where a value is in the set: u8[nPx] (or i8 by its bits) values, `set` of 256 bits in 32 bytes, lowest bit first. */
export function class_mask_u8(src: usize, nPx: i32, set: usize, or: i32, out: usize): void {
  const low = v128.load(set);
  const high = v128.load(set, 16);
  const bitOf = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const one = i8x16.splat(1);
  const kept = i8x16.splat(or ? -1 : 0);
  let i: i32 = 0;
  for (; i + 16 <= nPx; i += 16) {
    const v = v128.load(src + i);
    // An index from 16 on picks nothing, so each half of the set answers for its own values.
    const at = v128.and(i16x8.shr_u(v, 3), i8x16.splat(31));
    const byte = v128.or(i8x16.swizzle(low, at), i8x16.swizzle(high, i8x16.sub(at, i8x16.splat(16))));
    const bit = i8x16.swizzle(bitOf, v128.and(v, i8x16.splat(7)));
    const bad = v128.and(i8x16.eq(v128.and(byte, bit), bit), one);
    v128.store(out + i, v128.or(bad, v128.and(v128.load(out + i), kept)));
  }
  for (; i < nPx; i++) {
    const v = <u32>load<u8>(src + i);
    const bad = (load<u8>(set + (v >> 3)) >> <u8>(v & 7)) & 1;
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** 1 where `table[value]` is 1: u16[nPx] values (or i16 by their bits), u8[65536] table. */
export function class_mask_u16(src: usize, nPx: i32, table: usize, or: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const bad = load<u8>(table + load<u16>(src + (<usize>i << 1)));
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** 1 where the value is among i32[nValue] `values`, turned round by `keep`: i32[nPx] (or u32 by its bits). */
export function class_mask_i32(
  src: usize, nPx: i32, values: usize, nValue: i32, keep: i32, or: i32, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const value = load<i32>(src + (<usize>i << 2));
    let found: i32 = 0;
    for (let j: i32 = 0; j < nValue; j++) found |= i32(load<i32>(values + (<usize>j << 2)) == value);
    const bad = <u8>(found ^ keep);
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** 1 where any of `bits` is set: u16[nPx]. */
export function bit_mask_u16(src: usize, nPx: i32, bits: i32, or: i32, out: usize): void {
  const wanted = i16x8.splat(<i16>bits);
  const zero = i16x8.splat(0);
  const kept = i8x16.splat(or ? -1 : 0);
  let i: i32 = 0;
  for (; i + 16 <= nPx; i += 16) {
    const p = src + (<usize>i << 1);
    const clear = i8x16.narrow_i16x8_s(
      i16x8.eq(v128.and(v128.load(p), wanted), zero),
      i16x8.eq(v128.and(v128.load(p, 16), wanted), zero),
    );
    const bad = i8x16.add(clear, i8x16.splat(1));
    v128.store(out + i, v128.or(bad, v128.and(v128.load(out + i), kept)));
  }
  for (; i < nPx; i++) {
    const bad = <u8>(((<i32>load<u16>(src + (<usize>i << 1))) & bits) != 0);
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** 1 where any of `bits` is set: u32[nPx]. */
export function bit_mask_u32(src: usize, nPx: i32, bits: i32, or: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const bad = <u8>((load<i32>(src + (<usize>i << 2)) & bits) != 0);
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** u8[nPx] |= u8[nPx], both padded to 16. */
export function or_masks(src: usize, nPx: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i += 16) {
    v128.store(out + i, v128.or(v128.load(out + i), v128.load(src + i)));
  }
}
