// Class numbers and bit fields → masks: integers [nPx] → u8[nPx], 1 = masked out.

/** Sets (or with `or` adds) 1 where `table[value]` is 1: u8[nPx] values, u8[256] table. */
export function look_up_u8(src: usize, nPx: i32, table: usize, or: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const bad = load<u8>(table + load<u8>(src + i));
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** The same for u16[nPx] values (or i16 by their bits) and a u8[65536] table. */
export function look_up_u16(src: usize, nPx: i32, table: usize, or: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const bad = load<u8>(table + load<u16>(src + (<usize>i << 1)));
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** i32[nPx] values: 1 where any of `bits` is set, or (bits = 0) where the value is among i32[nValue], turned round by `keep`. */
export function look_up_i32(
  src: usize, nPx: i32, bits: i32, values: usize, nValue: i32, keep: i32, or: i32, out: usize,
): void {
  for (let i: i32 = 0; i < nPx; i++) {
    const value = load<i32>(src + (<usize>i << 2));
    let bad = <u8>((value & bits) != 0);
    if (bits == 0) {
      let found: i32 = 0;
      for (let j: i32 = 0; j < nValue; j++) found |= i32(load<i32>(values + (<usize>j << 2)) == value);
      bad = <u8>(found ^ keep);
    }
    store<u8>(out + i, or ? load<u8>(out + i) | bad : bad);
  }
}

/** u8[nPx] |= u8[nPx], both padded to 16. */
export function or_masks(src: usize, nPx: i32, out: usize): void {
  for (let i: i32 = 0; i < nPx; i += 16) {
    v128.store(out + i, v128.or(v128.load(out + i), v128.load(src + i)));
  }
}
