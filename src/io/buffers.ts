// Buffers for compressed tiles. A fresh one for each would be garbage faster than engines collect it: they let tens of megabytes
// outside of their heap gather first, in each thread.

/** So many buffers wait for their next use; more are only there while as many tiles are being read. */
const MAX_WAITING = 16;
/** Larger ones are rare, and not kept. */
const MAX_BYTES = 2 ** 22;

const waiting: Uint8Array[] = [];

function take(length: number): Uint8Array {
  const i = waiting.findIndex((buffer) => buffer.length >= length);
  if (i >= 0) return waiting.splice(i, 1)[0]!;
  if (length > MAX_BYTES) return new Uint8Array(length);
  // Powers of two, so that tiles of about one size fit into one another's.
  let size = 2 ** 16;
  while (size < length) size *= 2;
  return new Uint8Array(size);
}

function giveBack(buffer: Uint8Array): void {
  if (buffer.length > MAX_BYTES) return;
  waiting.push(buffer);
  // The smallest come first and are taken first.
  waiting.sort((a, b) => a.length - b.length);
  if (waiting.length > MAX_WAITING) waiting.shift();
}

/** Lends `use` a buffer of at least `length` bytes, whatever they hold, until it has settled. */
export async function withBuffer<T>(length: number, use: (buffer: Uint8Array) => Promise<T>): Promise<T> {
  const buffer = take(length);
  try {
    return await use(buffer);
  } finally {
    giveBack(buffer);
  }
}
