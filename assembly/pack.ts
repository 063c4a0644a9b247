// Rows of planar bands → the bytes of a pixel-interleaved (chunky) TIFF tile, with the predictor already applied.

/** in: T[nBand][nRow][width] → out: T[nRow][width][nBand]; `predict` 1 subtracts the same band of the pixel before (predictor 2). */
// @ts-ignore: decorator
@inline
function pack<T>(planes: usize, nBand: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  const size = sizeof<T>();
  const step = <usize>nBand * size;
  const planeBytes = <usize>nRow * width * size;
  for (let row = 0; row < nRow; row++) {
    const rowIn = planes + <usize>row * width * size;
    const rowOut = out + <usize>row * width * step;
    for (let band = 0; band < nBand; band++) {
      let from = rowIn + <usize>band * planeBytes;
      const end = from + <usize>width * size;
      let to = rowOut + <usize>band * size;
      if (predict) {
        let before: T = 0;
        for (; from < end; from += size, to += step) {
          const value = load<T>(from);
          store<T>(to, value - before);
          before = value;
        }
      } else {
        for (; from < end; from += size, to += step) store<T>(to, load<T>(from));
      }
    }
  }
}

/**
 * in: float bits T[nBand][nRow][width] → out: bytes[nRow][sizeof(T)][width][nBand], most significant first, each less the byte nBand
 * before it in the row (predictor 3, Adobe's TIFF Technical Note 3).
 */
// @ts-ignore: decorator
@inline
function packFloats<T>(planes: usize, nBand: i32, nRow: i32, width: i32, out: usize): void {
  const size = sizeof<T>();
  const planeBytes = <usize>nRow * width * size;
  const rowSamples = <usize>width * nBand;
  const rowBytes = rowSamples * size;
  for (let row = 0; row < nRow; row++) {
    const rowIn = planes + <usize>row * width * size;
    const rowOut = out + <usize>row * rowBytes;
    for (let band = 0; band < nBand; band++) {
      let from = rowIn + <usize>band * planeBytes;
      const end = from + <usize>width * size;
      let to = rowOut + band;
      for (; from < end; from += size, to += nBand) {
        let value = load<T>(from);
        let at = to + rowBytes - rowSamples;
        for (let byte: usize = 0; byte < size; byte++) {
          store<u8>(at, <u8>value);
          value >>= 8;
          at -= rowSamples;
        }
      }
    }
    // Backwards and in place: a block of 16 and the block nBand below it are both loaded before the store changes either.
    let at = rowOut + rowBytes;
    const first = rowOut + nBand;
    while (at >= first + 16) {
      at -= 16;
      v128.store(at, i8x16.sub(v128.load(at), v128.load(at - nBand)));
    }
    while (at > first) {
      at--;
      store<u8>(at, load<u8>(at) - load<u8>(at - nBand));
    }
  }
}

export function pack_8(planes: usize, nBand: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  pack<u8>(planes, nBand, nRow, width, predict, out);
}

export function pack_16(planes: usize, nBand: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  pack<u16>(planes, nBand, nRow, width, predict, out);
}

export function pack_32(planes: usize, nBand: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  pack<u32>(planes, nBand, nRow, width, predict, out);
}

export function pack_64(planes: usize, nBand: i32, nRow: i32, width: i32, predict: i32, out: usize): void {
  pack<u64>(planes, nBand, nRow, width, predict, out);
}

export function pack_floats_32(planes: usize, nBand: i32, nRow: i32, width: i32, out: usize): void {
  packFloats<u32>(planes, nBand, nRow, width, out);
}

export function pack_floats_64(planes: usize, nBand: i32, nRow: i32, width: i32, out: usize): void {
  packFloats<u64>(planes, nBand, nRow, width, out);
}
