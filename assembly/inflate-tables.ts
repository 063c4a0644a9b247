// Tables of deflate's codes (RFC 1951), after the layout of libdeflate: indexed by the next bits of the stream, an entry holds what
// they stand for and in its low byte how many of them it takes. Codes that are longer go on in second tables.
//   literals   LITERAL | how many (1, 2) << 24 | second << 16 | first << 8 | bits of all codes
//   lengths, distances   base << 16 | bits of the code << 8 | bits of the code and the extra bits

/** One literal, or two that fit the table together: differences of smooth pixels come in short codes. */
export const LITERAL: u32 = 0x80000000;
/** Neither a literal nor a length: a pointer to a second table, the end of the block, or no code at all. */
export const SPECIAL: u32 = 0x8000;
export const SECOND: u32 = 0x4000;
export const END: u32 = 0x2000;

export const LITERAL_BITS = 11;
export const DISTANCE_BITS = 8;
export const LITERAL_SECOND = 15 - LITERAL_BITS;
export const DISTANCE_SECOND = 15 - DISTANCE_BITS;

/** Kinds of codes: of literals and lengths, of distances, and of the lengths of those codes. */
export const LITERALS = 0;
export const DISTANCES = 1;
export const CODE_LENGTHS = 2;

// Scratch of a build: counts and next codes u32[16] each.
const NEXT: usize = 64;
export const BUILD_SCRATCH: usize = NEXT + 64;

/** What a symbol stands for, without the bits of its code: (value << 16) | extra bits, or flags. */
// @ts-ignore: decorator
@inline
function literalEntry(symbol: i32): u32 {
  if (symbol < 256) return LITERAL | (1 << 24) | (<u32>symbol << 8);
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
export function build(scratch: usize, lengths: usize, nSymbol: i32, table: usize, bits: i32, second: i32, kind: i32): bool {
  const counts = scratch;
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
  if (left > 0 && (used > 1 || kind == CODE_LENGTHS)) return false;
  const size: u32 = 1 << bits;
  clear(table, size);
  let free = size;
  for (let symbol = 0; symbol < nSymbol; symbol++) {
    const n = <i32>load<u8>(lengths + symbol);
    if (n == 0) continue;
    const at = next + (<usize>n << 2);
    const stream = reversed(load<u32>(at), n);
    store<u32>(at, load<u32>(at) + 1);
    const plain = kind == LITERALS ? literalEntry(symbol) : kind == DISTANCES ? distanceEntry(symbol) : <u32>symbol << 16;
    const bare = (plain & (LITERAL | SPECIAL)) != 0;
    if (n <= bits) {
      const entry = plain + n | (bare ? 0 : <u32>n << 8);
      for (let i = stream; i < size; i += <u32>1 << n) store<u32>(table + (<usize>i << 2), entry);
      continue;
    }
    const first = table + (<usize>(stream & (size - 1)) << 2);
    if (!(load<u32>(first) & SECOND)) {
      store<u32>(first, SPECIAL | SECOND | (free << 16) | bits);
      clear(table + (<usize>free << 2), 1 << second);
      free += 1 << second;
    }
    const start = table + (<usize>(load<u32>(first) >> 16) << 2);
    const rest = n - bits;
    const entry = plain + rest | (bare ? 0 : <u32>rest << 8);
    for (let i = stream >> bits; i < (<u32>1 << second); i += <u32>1 << rest) store<u32>(start + (<usize>i << 2), entry);
  }
  if (kind == LITERALS) pairLiterals(table, bits);
  return true;
}

/** Entries that are no code. `size` is a multiple of 4. */
function clear(table: usize, size: u32): void {
  const none = i32x4.splat(SPECIAL | 1);
  for (let at = table, end = table + (<usize>size << 2); at < end; at += 16) v128.store(at, none);
}

/** Where the bits behind a literal's code hold another one, the entry takes it in: from the back, so that it meets single ones. */
function pairLiterals(table: usize, bits: i32): void {
  for (let i = (<u32>1 << bits) - 1; i > 0; i--) {
    const at = table + (<usize>i << 2);
    const first = load<u32>(at);
    const n = first & 0xff;
    const next = load<u32>(table + (<usize>(i >> n) << 2));
    const both = n + (next & 0xff);
    const fits = <i32>((first & next) >> 31) & <i32>(both <= <u32>bits);
    const pair = LITERAL | (2 << 24) | ((next & 0xff00) << 8) | (first & 0xff00) | both;
    store<u32>(at, select(pair, first, fits));
  }
}
