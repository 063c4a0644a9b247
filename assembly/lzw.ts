// LZW as TIFF has it: codes of 9 to 12 bits, most significant bit first, growing one code early; and the old kind, whose codes
// are packed least significant bit first.

const CLEAR = 256;
const END = 257;
const FIRST = 258;

/** Bytes of scratch: where each code's run began, u32[4160], and how long it is, u32[4160]. */
export function lzw_scratch(): i32 {
  return 8 * 4160;
}

/**
 * in: u8[nIn] → out: u8[nOut]. Returns the bytes written, fewer than nOut when the stream ends before, or −1 where it is corrupt.
 * Each code names an earlier run of the output: the table (scratch) keeps where it began and how long it is.
 */
// @ts-ignore: decorator
@inline
function decode(bytes: usize, nIn: i32, old: bool, scratch: usize, out: usize, nOut: i32): i32 {
  const lengths = scratch + 4160 * 4;
  const early = old ? 0 : 1;
  const end = bytes + nIn;
  const outEnd = out + nOut;
  let from = bytes;
  let to = out;
  let held: u64 = 0;
  let nHeld = 0;
  let width = 9;
  let next = FIRST;
  let before: usize = 0;
  let beforeLength: usize = 0;
  while (to < outEnd) {
    while (nHeld < width) {
      if (from >= end) return <i32>(to - out);
      if (old) held |= <u64>load<u8>(from++) << nHeld;
      else held = (held << 8) | load<u8>(from++);
      nHeld += 8;
    }
    let code: i32;
    nHeld -= width;
    if (old) {
      code = <i32>(held & ((1 << width) - 1));
      held >>= width;
    } else {
      code = <i32>((held >> nHeld) & ((1 << width) - 1));
    }
    if (code == CLEAR) {
      width = 9;
      next = FIRST;
      beforeLength = 0;
      continue;
    }
    if (code == END) return <i32>(to - out);

    let length: usize = 1;
    const start = to;
    if (code < CLEAR) {
      store<u8>(to++, <u8>code);
    } else {
      if (beforeLength == 0 || code > next || (code == next && next > 4095)) return -1;
      let run: usize;
      if (code == next) {
        // The run that is being defined: the one before and its own first byte; overlapping forward copies give just that.
        run = before;
        length = beforeLength + 1;
      } else {
        run = load<u32>(scratch + (<usize>code << 2));
        length = load<u32>(lengths + (<usize>code << 2));
      }
      let n = length < outEnd - to ? length : outEnd - to;
      if (n <= 16 && to + 16 <= outEnd && to - run >= 16) {
        v128.store(to, v128.load(run));
        to += n;
      } else {
        for (; n > 0; n--) store<u8>(to++, load<u8>(run++));
      }
    }
    if (beforeLength > 0 && next < 4096) {
      // The new run is the one before plus the first byte of this one, which stands right behind it in the output.
      store<u32>(scratch + (<usize>next << 2), <u32>before);
      store<u32>(lengths + (<usize>next << 2), <u32>(beforeLength + 1));
      next++;
      if (next + early >= (1 << width) && width < 12) width++;
    }
    before = start;
    beforeLength = length;
  }
  return <i32>(to - out);
}

export function unlzw(bytes: usize, nIn: i32, old: i32, scratch: usize, out: usize, nOut: i32): i32 {
  return old ? decode(bytes, nIn, true, scratch, out, nOut) : decode(bytes, nIn, false, scratch, out, nOut);
}

/** PackBits: u8[nIn] → u8[nOut]. Returns the bytes written, fewer than nOut when the input ends before, or −1 where a run leaves it. */
export function unpack_runs(bytes: usize, nIn: i32, out: usize, nOut: i32): i32 {
  const end = bytes + nIn;
  const outEnd = out + nOut;
  let from = bytes;
  let to = out;
  while (to < outEnd && from < end) {
    const n = <i32>load<i8>(from++);
    if (n == -128) continue;
    if (n >= 0) {
      const count = min(<usize>n + 1, outEnd - to);
      if (from + count > end) return -1;
      memory.copy(to, from, count);
      from += count;
      to += count;
    } else {
      if (from >= end) return -1;
      const count = min(<usize>(1 - n), outEnd - to);
      memory.fill(to, load<u8>(from++), count);
      to += count;
    }
  }
  return <i32>(to - out);
}
