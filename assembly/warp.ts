// Nearest source pixels for a target grid in another CRS, cell by cell (see cell.ts). The target holds its missing value beforehand.
import { CELL, cellCol, cellRow, cellSize, isInside, lineOf } from './cell';
import { isMissing } from './place';
import { missingAt, sampleAt } from './tap';

/** n px of one line: x, y and their steps a px in 2⁻³² px. */
// @ts-ignore: decorator
@inline
function nearestLine<S, D>(
  src: usize, width: i32, height: i32, inside: bool, line: usize, begin: i32, n: i32,
  hasMissing: i32, missing: S, none: D, to: usize,
): void {
  const halfX = load<i64>(line, 8);
  const halfY = load<i64>(line, 24);
  let x = load<i64>(line) + halfX * <i64>begin;
  let y = load<i64>(line, 16) + halfY * <i64>begin;
  const stepX = halfX << 1;
  const stepY = halfY << 1;
  const end = to + <usize>n * sizeof<D>();
  // Nothing to look for where missing samples are missing in the target as they are.
  const plain = hasMissing == 0 || (sizeof<S>() == sizeof<D>() && <D>missing == none);
  if (inside && plain) {
    for (; to < end; to += sizeof<D>()) {
      const at = <i32>(y >> 32) * width + <i32>(x >> 32);
      store<D>(to, <D>load<S>(src + <usize>at * sizeof<S>()));
      x += stepX;
      y += stepY;
    }
    return;
  }
  for (; to < end; to += sizeof<D>()) {
    const col = <i32>(x >> 32);
    const row = <i32>(y >> 32);
    if (<u32>col < <u32>width && <u32>row < <u32>height) {
      const v = load<S>(src + <usize>(row * width + col) * sizeof<S>());
      if (!isMissing<S>(v, hasMissing, missing)) store<D>(to, <D>v);
    }
    x += stepX;
    y += stepY;
  }
}

/** Nearest samples of the types that need no kernel of their own, into i16 or f32. */
function nearestLineAny(
  type: i32, src: usize, width: i32, height: i32, line: usize, begin: i32, n: i32,
  hasMissing: i32, missing: f64, targetType: i32, to: usize,
): void {
  for (let i = 0; i < n; i++) {
    const half = <i64>(begin + 2 * i);
    const col = <i32>((load<i64>(line) + load<i64>(line, 8) * half) >> 32);
    const row = <i32>((load<i64>(line, 16) + load<i64>(line, 24) * half) >> 32);
    if (<u32>col >= <u32>width || <u32>row >= <u32>height) continue;
    const v = sampleAt(type, src, row * width + col);
    if (missingAt(v, hasMissing, missing)) continue;
    if (targetType == 6) store<f32>(to + (<usize>i << 2), <f32>v);
    else store<i16>(to + (<usize>i << 1), <i16>v);
  }
}

/**
 * S[srcHeight][srcWidth] of `type` (0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64) → the window [height][width] at (col, row)
 * of the target, of `targetType` (0 u8, 2 u16, 3 i16, 6 f32). `scratch`: 32 bytes. Px without a valid source sample are left alone.
 */
export function warp_nearest(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, originX: f64, originY: f64, hasMissing: i32, missing: f64,
  cells: usize, nCell: i32, col: i32, row: i32, width: i32, height: i32,
  targetType: i32, none: f64, scratch: usize, out: usize,
): void {
  const size: usize = targetType == 6 ? 4 : targetType == 0 ? 1 : 2;
  const bits = <u16><i32>missing;
  const empty = <u16><i32>none;
  for (let cell = cells, last = cells + <usize>nCell * CELL; cell < last; cell += CELL) {
    const firstCol = max(cellCol(cell), col);
    const n = min(cellCol(cell) + cellSize(cell), col + width) - firstCol;
    const firstRow = max(cellRow(cell), row);
    const endRow = min(cellRow(cell) + cellSize(cell), row + height);
    if (n <= 0) continue;
    const inside = isInside(cell, originX, originY, srcWidth, srcHeight, 0);
    const begin = 2 * (firstCol - cellCol(cell)) + 1;
    for (let y = firstRow; y < endRow; y++) {
      lineOf(cell, 2 * (y - cellRow(cell)) + 1, originX, originY, scratch);
      const to = out + <usize>((y - row) * width + firstCol - col) * size;
      // Of 16 bits only equality matters here, not the sign.
      if (size == 2 && type == 0) {
        nearestLine<u8, u16>(src, srcWidth, srcHeight, inside, scratch, begin, n, hasMissing, <u8>bits, empty, to);
      } else if (size == 2 && (type == 2 || type == 3)) {
        nearestLine<u16, u16>(src, srcWidth, srcHeight, inside, scratch, begin, n, hasMissing, bits, empty, to);
      } else if (size == 1) {
        nearestLine<u8, u8>(src, srcWidth, srcHeight, inside, scratch, begin, n, hasMissing, <u8>bits, <u8>empty, to);
      } else if (type == 6) {
        nearestLine<f32, f32>(src, srcWidth, srcHeight, inside, scratch, begin, n, hasMissing, <f32>missing, NaN, to);
      } else if (type == 2) {
        nearestLine<u16, f32>(src, srcWidth, srcHeight, inside, scratch, begin, n, hasMissing, bits, NaN, to);
      } else {
        nearestLineAny(type, src, srcWidth, srcHeight, scratch, begin, n, hasMissing, missing, targetType, to);
      }
    }
  }
}
