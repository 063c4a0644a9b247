// Deflate (RFC 1951) in a zlib frame (RFC 1950) → bytes. Table-driven Huffman decoding with a 64-bit bit buffer, after the layout
// of libdeflate: an entry holds the symbol's value, the bits of its code and the bits of code and extra bits together.

const LITERAL: u32 = 0x80000000;
/** Neither a literal nor a length: a pointer to a second table, the end of the block, or no code at all. */
const SPECIAL: u32 = 0x8000;
const SECOND: u32 = 0x4000;
const END: u32 = 0x2000;

const LITERAL_BITS = 11;
const DISTANCE_BITS = 8;
const LITERAL_SECOND = 15 - LITERAL_BITS;
const DISTANCE_SECOND = 15 - DISTANCE_BITS;

// Scratch: tables u32[2^11 + 144·2^4], u32[2^8 + 16·2^7], code lengths u8[320 + 32], counts and next codes u32[16] each.
const LITERAL_TABLE: usize = 0;
const DISTANCE_TABLE: usize = LITERAL_TABLE + 4 * (2048 + 144 * 16);
const LENGTHS: usize = DISTANCE_TABLE + 4 * (256 + 16 * 128);
const COUNTS: usize = LENGTHS + 384;
const NEXT: usize = COUNTS + 64;

export function inflate_scratch(): i32 {
  return <i32>(NEXT + 64);
}

/** What a symbol stands for, without the bits of its code: (value << 16) | extra bits, or flags. */
// @ts-ignore: decorator
@inline
function literalEntry(symbol: i32): u32 {
  if (symbol < 256) return LITERAL | (<u32>symbol << 16);
  if (symbol == 256) return SPECIAL | END;
  if (symbol > 285) return SPECIAL;
  if (symbol == 285) return <u32>258 << 16;
  const i = symbol - 257;
  if (i < 8) return <u32>(i + 3) << 16;
  const extra = (i >> 2) - 1;
  return (<u32>(((4 + (i & 3)) << extra) + 3) << 16) | extra;
}

// @ts-ignore: decorator
@inline
function distanceEntry(symbol: i32): u32 {
  if (symbol > 29) return SPECIAL;
  if (symbol < 4) return <u32>(symbol + 1) << 16;
  const extra = (symbol >> 1) - 1;
  return (<u32>(((2 + (symbol & 1)) << extra) + 1) << 16) | extra;
}

/** Reverses the low `n` bits: codes come most significant bit first in a stream of least significant ones. */
// @ts-ignore: decorator
@inline
function reversed(code: u32, n: i32): u32 {
  let v = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  v = ((v & 0x3333) << 2) | ((v >> 2) & 0x3333);
  v = ((v & 0x0f0f) << 4) | ((v >> 4) & 0x0f0f);
  v = ((v & 0x00ff) << 8) | (v >> 8);
  return v >> (16 - n);
}

/** Code lengths u8[nSymbol] → a table with second tables behind it. Returns false for lengths that are no prefix code. */
function build(scratch: usize, lengths: usize, nSymbol: i32, table: usize, bits: i32, second: i32, kind: i32): bool {
  const counts = scratch + COUNTS;
  const next = scratch + NEXT;
  memory.fill(counts, 0, 64);
  for (let i = 0; i < nSymbol; i++) {
    const at = counts + (<usize>load<u8>(lengths + i) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let left: i32 = 1;
  let code: u32 = 0;
  let used: u32 = 0;
  store<u32>(counts, 0);
  for (let n = 1; n < 16; n++) {
    const count = load<u32>(counts + (<usize>n << 2));
    left = (left << 1) - <i32>count;
    if (left < 0) return false;
    used += count;
    code = (code + load<u32>(counts + (<usize>(n - 1) << 2))) << 1;
    store<u32>(next + (<usize>n << 2), code);
  }
  // Only a code of at most one symbol may leave codes unused, and not that of the lengths of codes.
  if (left > 0 && (used > 1 || kind == 2)) return false;
  const size: u32 = 1 << bits;
  for (let i: u32 = 0; i < size; i++) store<u32>(table + (<usize>i << 2), SPECIAL | 1);
  let free = size;
  for (let symbol = 0; symbol < nSymbol; symbol++) {
    const n = <i32>load<u8>(lengths + symbol);
    if (n == 0) continue;
    const at = next + (<usize>n << 2);
    const stream = reversed(load<u32>(at), n);
    store<u32>(at, load<u32>(at) + 1);
    const plain = kind == 0 ? literalEntry(symbol) : kind == 1 ? distanceEntry(symbol) : <u32>symbol << 16;
    if (n <= bits) {
      const entry = plain + n | (plain & SPECIAL ? 0 : <u32>n << 8);
      for (let i = stream; i < size; i += <u32>1 << n) store<u32>(table + (<usize>i << 2), entry);
      continue;
    }
    const first = table + (<usize>(stream & (size - 1)) << 2);
    if (!(load<u32>(first) & SECOND)) {
      store<u32>(first, SPECIAL | SECOND | (free << 16) | bits);
      for (let i: u32 = 0; i < (<u32>1 << second); i++) store<u32>(table + (<usize>(free + i) << 2), SPECIAL | 1);
      free += 1 << second;
    }
    const start = table + (<usize>(load<u32>(first) >> 16) << 2);
    const rest = n - bits;
    const entry = plain + rest | (plain & SPECIAL ? 0 : <u32>rest << 8);
    for (let i = stream >> bits; i < (<u32>1 << second); i += <u32>1 << rest) store<u32>(start + (<usize>i << 2), entry);
  }
  return true;
}

/** Order in which the lengths of the code of code lengths come. */
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// Where the reader is; set at the start of each call, and of no meaning after it.
let at: usize = 0;
let held: u64 = 0;
let nHeld: i32 = 0;

/** Fills the bit buffer to at least 56 bits; up to 8 bytes behind the input are looked at. */
// @ts-ignore: decorator
@inline
function refill(): void {
  held |= load<u64>(at) << nHeld;
  at += (63 - nHeld) >> 3;
  nHeld |= 56;
}

// @ts-ignore: decorator
@inline
function take(n: i32): u32 {
  const value = <u32>(held & ((<u64>1 << n) - 1));
  held >>= n;
  nHeld -= n;
  return value;
}

/** The codes of a dynamic block. */
function readCodes(scratch: usize, end: usize): bool {
  refill();
  const nLiteral = <i32>take(5) + 257;
  const nDistance = <i32>take(5) + 1;
  const nCode = <i32>take(4) + 4;
  if (nLiteral > 286 || nDistance > 30) return false;
  const lengths = scratch + LENGTHS;
  memory.fill(lengths, 0, 352);
  for (let i = 0; i < nCode; i++) {
    if (i == 8) refill();
    store<u8>(lengths + load<u8>(ORDER + i), <u8>take(3));
  }
  const table = scratch + DISTANCE_TABLE;
  if (!build(scratch, lengths, 19, table, 7, 0, 2)) return false;
  memory.fill(lengths, 0, 19);
  const n = nLiteral + nDistance;
  for (let i = 0; i < n; ) {
    refill();
    if (at > end + 8) return false;
    const entry = load<u32>(table + (<usize>(held & 127) << 2));
    if (entry & SPECIAL) return false;
    take(<i32>(entry & 0xff));
    const symbol = <i32>(entry >> 16);
    if (symbol < 16) {
      store<u8>(lengths + i++, <u8>symbol);
      continue;
    }
    let value: u8 = 0;
    let count: i32;
    if (symbol == 16) {
      if (i == 0) return false;
      value = load<u8>(lengths + i - 1);
      count = 3 + <i32>take(2);
    } else {
      count = symbol == 17 ? 3 + <i32>take(3) : 11 + <i32>take(7);
    }
    if (i + count > n) return false;
    memory.fill(lengths + i, value, count);
    i += count;
  }
  if (load<u8>(lengths + 256) == 0) return false;
  // The lengths of the distances move behind the literals' last, where they do not stand in each other's way.
  return build(scratch, lengths + nLiteral, nDistance, table, DISTANCE_BITS, DISTANCE_SECOND, 1)
    && build(scratch, lengths, nLiteral, scratch + LITERAL_TABLE, LITERAL_BITS, LITERAL_SECOND, 0);
}

function fixedCodes(scratch: usize): void {
  const lengths = scratch + LENGTHS;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  build(scratch, lengths, 288, scratch + LITERAL_TABLE, LITERAL_BITS, LITERAL_SECOND, 0);
  memory.fill(lengths, 5, 32);
  build(scratch, lengths, 32, scratch + DISTANCE_TABLE, DISTANCE_BITS, DISTANCE_SECOND, 1);
}

/** Copies `length` bytes from `distance` before; writes up to 15 bytes more than asked for. */
// @ts-ignore: decorator
@inline
function copyBack(to: usize, distance: usize, length: usize): void {
  let from = to - distance;
  const end = to + length;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance == 1) {
    const v = i8x16.splat(load<i8>(from));
    do {
      v128.store(to, v);
      to += 16;
    } while (to < end);
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(from));
      to += 8;
      from += 8;
    } while (to < end);
  } else {
    do {
      store<u8>(to++, load<u8>(from++));
    } while (to < end);
  }
}

/** One block of Huffman codes. Returns the new end of the output (behind outEnd, by less than 300, when there is more), or 0 where the data is corrupt. */
function readBlock(scratch: usize, end: usize, out: usize, start: usize, outEnd: usize): usize {
  const literals = scratch + LITERAL_TABLE;
  const distances = scratch + DISTANCE_TABLE;
  let to = start;
  let bits = held;
  let n = nHeld;
  let from = at;
  let result: usize = 0;
  while (true) {
    if (from > end + 8) break;
    bits |= load<u64>(from) << n;
    from += (63 - n) >> 3;
    n |= 56;
    let entry = load<u32>(literals + (<usize>(bits & ((1 << LITERAL_BITS) - 1)) << 2));
    if (entry & LITERAL) {
      bits >>= (entry & 0xff);
      n -= entry & 0xff;
      store<u8>(to++, <u8>(entry >> 16));
      entry = load<u32>(literals + (<usize>(bits & ((1 << LITERAL_BITS) - 1)) << 2));
      if (entry & LITERAL) {
        bits >>= (entry & 0xff);
        n -= entry & 0xff;
        store<u8>(to++, <u8>(entry >> 16));
        entry = load<u32>(literals + (<usize>(bits & ((1 << LITERAL_BITS) - 1)) << 2));
        if (entry & LITERAL) {
          bits >>= (entry & 0xff);
          n -= entry & 0xff;
          store<u8>(to++, <u8>(entry >> 16));
          if (to > outEnd) {
            result = to;
            break;
          }
          continue;
        }
      }
      if (to > outEnd) {
        result = to;
        break;
      }
      bits |= load<u64>(from) << n;
      from += (63 - n) >> 3;
      n |= 56;
    }
    if (entry & SPECIAL) {
      if (entry & SECOND) {
        bits >>= LITERAL_BITS;
        n -= LITERAL_BITS;
        entry = load<u32>(literals + (<usize>((entry >> 16) + <u32>(bits & ((1 << LITERAL_SECOND) - 1))) << 2));
        if (entry & LITERAL) {
          bits >>= (entry & 0xff);
          n -= entry & 0xff;
          store<u8>(to++, <u8>(entry >> 16));
          if (to > outEnd) {
            result = to;
            break;
          }
          continue;
        }
      }
      if (entry & SPECIAL) {
        if (!(entry & END)) break;
        bits >>= (entry & 0xff);
        n -= entry & 0xff;
        result = to;
        break;
      }
    }
    let all = entry & 0xff;
    const length = (entry >> 16) + (<u32>(bits & ((<u64>1 << all) - 1)) >> ((entry >> 8) & 0x1f));
    bits >>= all;
    n -= all;
    entry = load<u32>(distances + (<usize>(bits & ((1 << DISTANCE_BITS) - 1)) << 2));
    if (entry & SPECIAL) {
      if (!(entry & SECOND)) break;
      bits >>= DISTANCE_BITS;
      n -= DISTANCE_BITS;
      entry = load<u32>(distances + (<usize>((entry >> 16) + <u32>(bits & ((1 << DISTANCE_SECOND) - 1))) << 2));
      if (entry & SPECIAL) break;
    }
    all = entry & 0xff;
    const distance: usize = (entry >> 16) + (<u32>(bits & ((<u64>1 << all) - 1)) >> ((entry >> 8) & 0x1f));
    bits >>= all;
    n -= all;
    if (distance > to - out) break;
    copyBack(to, distance, length);
    to += length;
    if (to > outEnd) {
      result = to;
      break;
    }
  }
  held = bits;
  nHeld = n;
  at = from;
  return result;
}

/** Adler-32 of u8[n]. */
function adler(bytes: usize, n: i32): u32 {
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

/**
 * in: a zlib stream u8[nIn] with 16 readable bytes behind it → out: u8[nOut] with 320 writable bytes behind it. Returns the bytes
 * written: nOut where the stream holds as many or more, fewer where it ends before, −1 where it is corrupt or cut off, −2 where
 * the checksum differs (checked when the stream ends within nOut).
 */
export function inflate(bytes: usize, nIn: i32, scratch: usize, out: usize, nOut: i32): i32 {
  if (nIn < 2) return -1;
  const head = (<u32>load<u8>(bytes) << 8) | load<u8>(bytes + 1);
  if (head % 31 != 0 || (head & 0x0f00) != 0x0800 || (head & 0x20) != 0) return -1;
  const end = bytes + nIn;
  const outEnd = out + nOut;
  at = bytes + 2;
  held = 0;
  nHeld = 0;
  let to = out;
  let last: u32 = 0;
  while (!last) {
    refill();
    if (at > end + 8) return -1;
    last = take(1);
    const kind = take(2);
    if (kind == 0) {
      // Back to the first whole byte that has not been taken.
      at -= nHeld >> 3;
      held = 0;
      nHeld = 0;
      if (at + 4 > end) return -1;
      const length = <usize>load<u16>(at);
      if ((length ^ load<u16>(at + 2)) != 0xffff) return -1;
      at += 4;
      if (at + length > end) return -1;
      const count = min(length, outEnd - to);
      memory.copy(to, at, count);
      to += count;
      at += length;
      if (count < length) return nOut;
      continue;
    }
    if (kind == 3) return -1;
    if (kind == 1) fixedCodes(scratch);
    else if (!readCodes(scratch, end)) return -1;
    to = readBlock(scratch, end, out, to, outEnd);
    if (to == 0) return -1;
    if (at - (nHeld >> 3) > end) return -1;
    if (to > outEnd) return nOut;
  }
  at -= nHeld >> 3;
  if (at + 4 > end) return -1;
  return bswap<u32>(load<u32>(at)) == adler(out, <i32>(to - out)) ? <i32>(to - out) : -2;
}
