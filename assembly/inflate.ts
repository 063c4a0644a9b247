// Deflate (RFC 1951) in a zlib frame (RFC 1950) → bytes. Table-driven Huffman decoding with a 64-bit bit buffer.
import { adler } from './adler';
import {
  DISTANCE_BITS,
  DISTANCE_SECOND,
  DISTANCE_TABLE,
  END,
  LENGTHS,
  LITERAL,
  LITERAL_BITS,
  LITERAL_SECOND,
  LITERAL_TABLE,
  NEXT,
  SECOND,
  SPECIAL,
  build,
} from './huffman';

export function inflate_scratch(): i32 {
  return <i32>(NEXT + 64);
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
