import type { Kernels } from './memory.js';

/** Rows of bytes, `pitch` bytes from one to the next; the first one begins the array. */
export interface ByteRows {
  bytes: Uint8Array;
  pitch: number;
}

/** Copies `nRow` rows of `rowBytes` bytes to wasm memory, where they lie `to.pitch` bytes apart; they may come from there. */
export function copyRowsInto(
  k: Kernels,
  { bytes, pitch }: ByteRows,
  { nRow, rowBytes }: { nRow: number; rowBytes: number },
  to: { ptr: number; pitch: number },
): void {
  const all = bytes.subarray(0, (nRow - 1) * pitch + rowBytes);
  if (pitch === rowBytes && to.pitch === rowBytes) {
    k.u8(to.ptr, all.length).set(all);
    return;
  }
  k.scope(() => {
    let at = all.byteOffset;
    if (all.buffer !== k.exports.memory.buffer) {
      // One array operation a row would cost more, in time and in garbage, than a second copy.
      at = k.alloc(all.length);
      k.u8(at, all.length).set(all);
    }
    k.exports.copy_rows(at, pitch, nRow, rowBytes, to.ptr, to.pitch);
  });
}
