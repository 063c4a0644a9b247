// Rows of a decoded TIFF tile, pixel-interleaved → one band in planar order, predictor undone on the way.

/** in: T[nRow][width][nBand] → out: T[nRow][width] of one band; `predict` 1 sums along the row (predictor 2). */
// @ts-ignore: decorator
@inline
function unpack<T>(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  const size = sizeof<T>();
  const step = <usize>nBand * size;
  let to = out;
  for (let row = 0; row < nRow; row++) {
    let from = rows + <usize>row * width * step + <usize>band * size;
    const end = to + <usize>width * size;
    if (predict) {
      let sum: T = 0;
      for (; to < end; to += size, from += step) {
        sum += load<T>(from);
        store<T>(to, sum);
      }
    } else {
      for (; to < end; to += size, from += step) store<T>(to, load<T>(from));
    }
  }
}

/** Running sums of one band's rows, T[nRow][width]: within a vector by shifted adds, between vectors by the last lane. */
// @ts-ignore: decorator
@inline
function sumRows<T>(rows: usize, nRow: i32, width: i32, out: usize): void {
  const size = sizeof<T>();
  const vectorBytes = (<usize>width * size) & ~15;
  let from = rows;
  let to = out;
  for (let row = 0; row < nRow; row++) {
    const end = to + <usize>width * size;
    const vectorEnd = to + vectorBytes;
    let carry = i8x16.splat(0);
    for (; to < vectorEnd; to += 16, from += 16) {
      let v = v128.load(from);
      const zero = i8x16.splat(0);
      if (size == 1) {
        v = i8x16.add(v, v128.shuffle<u8>(zero, v, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
        v = i8x16.add(v, v128.shuffle<u8>(zero, v, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
        v = i8x16.add(v, v128.shuffle<u8>(zero, v, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
        v = i8x16.add(v, v128.shuffle<u8>(zero, v, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
        v = i8x16.add(v, carry);
        carry = v128.shuffle<u8>(v, v, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15);
      } else if (size == 2) {
        v = i16x8.add(v, v128.shuffle<u16>(zero, v, 0, 8, 9, 10, 11, 12, 13, 14));
        v = i16x8.add(v, v128.shuffle<u16>(zero, v, 0, 1, 8, 9, 10, 11, 12, 13));
        v = i16x8.add(v, v128.shuffle<u16>(zero, v, 0, 1, 2, 3, 8, 9, 10, 11));
        v = i16x8.add(v, carry);
        carry = v128.shuffle<u16>(v, v, 7, 7, 7, 7, 7, 7, 7, 7);
      } else {
        v = i32x4.add(v, v128.shuffle<u32>(zero, v, 0, 4, 5, 6));
        v = i32x4.add(v, v128.shuffle<u32>(zero, v, 0, 1, 4, 5));
        v = i32x4.add(v, carry);
        carry = v128.shuffle<u32>(v, v, 3, 3, 3, 3);
      }
      v128.store(to, v);
    }
    let sum: T = size == 1 ? <T>i8x16.extract_lane_u(carry, 0)
      : size == 2 ? <T>i16x8.extract_lane_u(carry, 0) : <T>i32x4.extract_lane(carry, 0);
    for (; to < end; to += size, from += size) {
      sum += load<T>(from);
      store<T>(to, sum);
    }
  }
}

export function unpack_8(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  if (predict && nBand == 1) sumRows<u8>(rows, nRow, width, out);
  else unpack<u8>(rows, nBand, band, nRow, width, predict, out);
}

export function unpack_16(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  if (predict && nBand == 1) sumRows<u16>(rows, nRow, width, out);
  else unpack<u16>(rows, nBand, band, nRow, width, predict, out);
}

export function unpack_32(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  if (predict && nBand == 1) sumRows<u32>(rows, nRow, width, out);
  else unpack<u32>(rows, nBand, band, nRow, width, predict, out);
}

export function unpack_64(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  unpack<u64>(rows, nBand, band, nRow, width, predict, out);
}

/**
 * In place, bytes[nRow][rowBytes]: adds to each byte the one nBand before it in its row: the first half of undoing predictor 3
 * (Adobe's TIFF Technical Note 3).
 */
export function sum_bytes(rows: usize, nRow: i32, rowBytes: i32, nBand: i32): void {
  if (nBand == 1) {
    sumRows<u8>(rows, nRow, rowBytes, rows);
    return;
  }
  for (let row = 0; row < nRow; row++) {
    const start = rows + <usize>row * rowBytes;
    for (let at = start + nBand, end = start + rowBytes; at < end; at++) {
      store<u8>(at, load<u8>(at) + load<u8>(at - nBand));
    }
  }
}

/**
 * bytes[nRow][size][width][nBand], most significant first (predictor 3 after sum_bytes) → one band's floats of `size` bytes,
 * [nRow][width], little-endian.
 */
export function join_bytes(rows: usize, nBand: i32, band: i32, nRow: i32, width: i32, size: i32, out: usize): void {
  const plane = <usize>width * nBand;
  for (let row = 0; row < nRow; row++) {
    const rowOut = out + <usize>row * width * size;
    for (let byte = 0; byte < size; byte++) {
      let from = rows + (<usize>row * size + byte) * plane + band;
      let to = rowOut + (size - 1 - byte);
      for (const end = to + <usize>width * size; to < end; to += size, from += nBand) store<u8>(to, load<u8>(from));
    }
  }
}
