// Deflate (RFC 1951) in a zlib frame (RFC 1950) → bytes. Table-driven Huffman decoding with a 64-bit bit buffer; the tables are those of
// inflate-tables.ts.
import {
  build, BUILD_SCRATCH, CODE_LENGTHS, DISTANCE_BITS, DISTANCE_SECOND, DISTANCES, END, LITERAL, LITERAL_BITS, LITERAL_SECOND, LITERALS,
  SECOND, SPECIAL,
} from './inflate-tables';

// Scratch: tables u32[2^11 + 144·2^4], u32[2^8 + 16·2^7], code lengths u8[320 + 32], that of a build.
const LITERAL_TABLE: usize = 0;
const DISTANCE_TABLE: usize = LITERAL_TABLE + 4 * (2048 + 144 * 16);
const LENGTHS: usize = DISTANCE_TABLE + 4 * (256 + 16 * 128);
const BUILD: usize = LENGTHS + 384;

export function inflate_scratch(): i32 {
  return <i32>(BUILD + BUILD_SCRATCH);
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
  if (!build(scratch + BUILD, lengths, 19, table, 7, 0, CODE_LENGTHS)) return false;
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
  return build(scratch + BUILD, lengths + nLiteral, nDistance, table, DISTANCE_BITS, DISTANCE_SECOND, DISTANCES)
    && build(scratch + BUILD, lengths, nLiteral, scratch + LITERAL_TABLE, LITERAL_BITS, LITERAL_SECOND, LITERALS);
}

function fixedCodes(scratch: usize): void {
  const lengths = scratch + LENGTHS;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  build(scratch + BUILD, lengths, 288, scratch + LITERAL_TABLE, LITERAL_BITS, LITERAL_SECOND, LITERALS);
  memory.fill(lengths, 5, 32);
  build(scratch + BUILD, lengths, 32, scratch + DISTANCE_TABLE, DISTANCE_BITS, DISTANCE_SECOND, DISTANCES);
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

/**
 * One block of Huffman codes. Returns the new end of the output (behind outEnd, by less than 300, when there is more), or 0 where the
 * data is corrupt. Of `n` only the low byte means anything: shifts take their count modulo 64, so entries are subtracted whole.
 */
function readBlock(scratch: usize, end: usize, out: usize, start: usize, outEnd: usize): usize {
  const literals = scratch + LITERAL_TABLE;
  const distances = scratch + DISTANCE_TABLE;
  const literalMask: u64 = (1 << LITERAL_BITS) - 1;
  const inputEnd = end + 8;
  let to = start;
  let bits = held;
  let n: u32 = nHeld;
  let from = at;
  let result: usize = 0;
  while (true) {
    if (to > outEnd) {
      result = to;
      break;
    }
    if (from > inputEnd) break;
    bits |= load<u64>(from) << n;
    from += ((63 - n) >> 3) & 7;
    n |= 56;
    let entry = load<u32>(literals + (<usize>(bits & literalMask) << 2));
    if (entry & LITERAL) {
      bits >>= entry;
      n -= entry;
      store<u16>(to, entry >> 8);
      to += (entry >> 24) & 3;
      entry = load<u32>(literals + (<usize>(bits & literalMask) << 2));
      if (entry & LITERAL) {
        bits >>= entry;
        n -= entry;
        store<u16>(to, entry >> 8);
        to += (entry >> 24) & 3;
        entry = load<u32>(literals + (<usize>(bits & literalMask) << 2));
        if (entry & LITERAL) {
          bits >>= entry;
          n -= entry;
          store<u16>(to, entry >> 8);
          to += (entry >> 24) & 3;
          entry = load<u32>(literals + (<usize>(bits & literalMask) << 2));
          if (entry & LITERAL) {
            bits >>= entry;
            n -= entry;
            store<u16>(to, entry >> 8);
            to += (entry >> 24) & 3;
            continue;
          }
        }
      }
      bits |= load<u64>(from) << n;
      from += ((63 - n) >> 3) & 7;
      n |= 56;
    }
    if (entry & SPECIAL) {
      if (entry & SECOND) {
        bits >>= LITERAL_BITS;
        n -= LITERAL_BITS;
        entry = load<u32>(literals + (<usize>((entry >> 16) + <u32>(bits & ((1 << LITERAL_SECOND) - 1))) << 2));
        if (entry & LITERAL) {
          bits >>= entry;
          n -= entry;
          store<u8>(to++, <u8>(entry >> 8));
          continue;
        }
      }
      if (entry & SPECIAL) {
        if (!(entry & END)) break;
        bits >>= entry;
        n -= entry;
        result = to;
        break;
      }
    }
    const length = (entry >> 16) + (<u32>(bits & (((<u64>1) << entry) - 1)) >> ((entry >> 8) & 0x1f));
    bits >>= entry;
    n -= entry;
    entry = load<u32>(distances + (<usize>(bits & ((1 << DISTANCE_BITS) - 1)) << 2));
    if (entry & SPECIAL) {
      if (!(entry & SECOND)) break;
      bits >>= DISTANCE_BITS;
      n -= DISTANCE_BITS;
      entry = load<u32>(distances + (<usize>((entry >> 16) + <u32>(bits & ((1 << DISTANCE_SECOND) - 1))) << 2));
      if (entry & SPECIAL) break;
    }
    const distance: usize = (entry >> 16) + (<u32>(bits & (((<u64>1) << entry) - 1)) >> ((entry >> 8) & 0x1f));
    bits >>= entry;
    n -= entry;
    if (distance > to - out) break;
    copyBack(to, distance, length);
    to += length;
  }
  held = bits;
  nHeld = n & 63;
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
