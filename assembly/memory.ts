// The arena: 16-byte aligned bump allocation over linear memory. The only file that grows memory, and the only state.

/** Allocations start on 64 bytes, so that a row of 64 bytes is one cache line. */
const ALIGN: usize = 64;

let top: usize = 0;

/** The current end of the arena; give it to `release` to free all that was allocated since. */
export function mark(): usize {
  if (top == 0) top = (__heap_base + (ALIGN - 1)) & ~(ALIGN - 1);
  return top;
}

/** Frees everything allocated after `at` was marked. */
export function release(at: usize): void {
  top = at;
}

/** Reserves `nBytes` (64-byte aligned, content undefined) and returns the pointer, or 0 when 4 GiB would not do. */
export function alloc(nBytes: usize): usize {
  const start = mark();
  const end = (<u64>start + <u64>nBytes + 63) & ~63;
  if (end > 0xffff0000) return 0;
  const have = <u64>memory.size() << 16;
  if (end > have) {
    // In steps of 64 MiB: each growth costs the engine a new buffer, and pages that are never touched cost nothing.
    const least = <i32>((end - have + 0xffff) >> 16);
    const step = min(max(least, 1024), 65535 - memory.size());
    if (memory.grow(max(least, step)) < 0) return 0;
  }
  top = <usize>end;
  return start;
}
