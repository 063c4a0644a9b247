// Rows of bytes from one place of memory to another.

/** in: u8[nRow][rowBytes], rows `fromPitch` bytes apart → out: the same, rows `toPitch` bytes apart. */
export function copy_rows(from: usize, fromPitch: usize, nRow: i32, rowBytes: usize, out: usize, toPitch: usize): void {
  if (fromPitch == rowBytes && toPitch == rowBytes) {
    memory.copy(out, from, <usize>nRow * rowBytes);
    return;
  }
  for (let row = 0; row < nRow; row++, from += fromPitch, out += toPitch) memory.copy(out, from, rowBytes);
}
