// Samples as TIFF stores them → samples as the machine reads them: byte order, odd bit depths, short floats.

/** In place: reverses the bytes of each sample of `size` 2, 3, 4 or 8. */
export function swap_bytes(samples: usize, nSample: i32, size: i32): void {
  const end = samples + <usize>nSample * size;
  if (size == 2) {
    for (let at = samples; at < end; at += 2) store<u16>(at, bswap<u16>(load<u16>(at)));
  } else if (size == 4) {
    for (let at = samples; at < end; at += 4) store<u32>(at, bswap<u32>(load<u32>(at)));
  } else if (size == 8) {
    for (let at = samples; at < end; at += 8) store<u64>(at, bswap<u64>(load<u64>(at)));
  } else if (size == 3) {
    for (let at = samples; at < end; at += 3) {
      const first = load<u8>(at);
      store<u8>(at, load<u8>(at + 2));
      store<u8>(at + 2, first);
    }
  }
}

/** In place: reverses the order of the bits in each byte (FillOrder 2). */
export function reverse_bits(bytes: usize, nByte: i32): void {
  for (let at = bytes, end = bytes + nByte; at < end; at++) {
    let b = <u32>load<u8>(at);
    b = ((b & 0xf0) >> 4) | ((b & 0x0f) << 4);
    b = ((b & 0xcc) >> 2) | ((b & 0x33) << 2);
    b = ((b & 0xaa) >> 1) | ((b & 0x55) << 1);
    store<u8>(at, <u8>b);
  }
}

/** Bits of `bits` 1–31 each, most significant first, rows padded to bytes → T[nRow][nSample]. */
// @ts-ignore: decorator
@inline
function widenBits<T>(rows: usize, nRow: i32, nSample: i32, bits: i32, out: usize): void {
  const rowBytes = (<usize>nSample * bits + 7) >> 3;
  const keep = ((<u64>1) << bits) - 1;
  let to = out;
  for (let row = 0; row < nRow; row++) {
    let from = rows + row * rowBytes;
    let held: u64 = 0;
    let nHeld = 0;
    for (let i = 0; i < nSample; i++) {
      while (nHeld < bits) {
        held = (held << 8) | load<u8>(from++);
        nHeld += 8;
      }
      nHeld -= bits;
      store<T>(to, <T>((held >> nHeld) & keep));
      to += sizeof<T>();
    }
  }
}

/** bits[nRow][nSample] (rows padded to bytes) → samples of `size` 1, 2 or 4 bytes. */
export function widen_bits(rows: usize, nRow: i32, nSample: i32, bits: i32, size: i32, out: usize): void {
  if (size == 1) widenBits<u8>(rows, nRow, nSample, bits, out);
  else if (size == 2) widenBits<u16>(rows, nRow, nSample, bits, out);
  else widenBits<u32>(rows, nRow, nSample, bits, out);
}

/**
 * Floats of 16 bits (5 of exponent) or 24 bits (7 of exponent), little-endian → f32[nSample], exactly; subnormals, infinities
 * and NaN are kept.
 */
export function widen_floats(samples: usize, nSample: i32, size: i32, out: usize): void {
  const mantissaBits = size == 2 ? 10 : 16;
  const exponentMax = size == 2 ? 31 : 127;
  const bias = size == 2 ? 15 : 63;
  let from = samples;
  let to = out;
  for (let i = 0; i < nSample; i++, from += size, to += 4) {
    const bits = size == 2 ? <u32>load<u16>(from) : <u32>load<u16>(from) | (<u32>load<u8>(from + 2) << 16);
    const sign = (bits >> (size * 8 - 1)) << 31;
    const exponent = <i32>(bits >> mantissaBits) & exponentMax;
    const mantissa = bits & ((1 << mantissaBits) - 1);
    if (exponent == exponentMax) {
      store<u32>(to, sign | 0x7f800000 | (mantissa << (23 - mantissaBits)));
    } else if (exponent == 0) {
      // 2^(1 − bias − mantissaBits), whose product with a whole number is exact.
      const unit = reinterpret<f32>(<u32>(127 + 1 - bias - mantissaBits) << 23);
      store<u32>(to, sign | reinterpret<u32>(<f32>mantissa * unit));
    } else {
      store<u32>(to, sign | (<u32>(exponent - bias + 127) << 23) | (mantissa << (23 - mantissaBits)));
    }
  }
}
