// Cells of a target grid: squares of target px whose corners' source positions are known, and between which positions are bilinear.
// A cell is f64[11]: col, row, size (1–32, a power of two), then x, y of the upper left, upper right, lower left and lower right
// corner, in source px from the outer edge, multiples of 2⁻²⁰ and below 2²⁸. In fixed point of 2⁻³² px every position between them is
// exact: nothing depends on where a line is begun, or on how the target is cut.

/** Bytes of a cell. */
export const CELL: usize = 88;
/** Half a px, and a px as a number. */
export const HALF: i64 = 1 << 31;
export const UNIT: f64 = 1 / 4294967296.0;

// @ts-ignore: decorator
@inline
export function cellCol(cell: usize): i32 {
  return <i32>load<f64>(cell);
}

// @ts-ignore: decorator
@inline
export function cellRow(cell: usize): i32 {
  return <i32>load<f64>(cell, 8);
}

// @ts-ignore: decorator
@inline
export function cellSize(cell: usize): i32 {
  return <i32>load<f64>(cell, 16);
}

/** The corner at byte `at` of a cell, less the source's origin, in 2⁻²⁰ px. */
// @ts-ignore: decorator
@inline
function corner(cell: usize, at: usize, origin: f64): i64 {
  return <i64>((load<f64>(cell + at) - origin) * 1048576.0);
}

/** One coordinate along a line: position at the cell's left edge and step of half a px, in 2⁻³² px. `at`: 24 for x, 32 for y. */
// @ts-ignore: decorator
@inline
function along(cell: usize, at: usize, origin: f64, below: i64, halves: i64, shift: i64, to: usize): void {
  const left = corner(cell, at, origin) * (halves - below) + corner(cell, at + 32, origin) * below;
  const right = corner(cell, at + 16, origin) * (halves - below) + corner(cell, at + 48, origin) * below;
  store<i64>(to, (left * halves) << shift);
  store<i64>(to, (right - left) << shift, 8);
}

/**
 * The line `below` half px under a cell's upper edge → i64[4]: x at the left edge, its step a half px, y and its step, in 2⁻³² px of
 * a source that begins at (originX, originY).
 */
export function lineOf(cell: usize, below: i32, originX: f64, originY: f64, to: usize): void {
  const halves = <i64>(2 * cellSize(cell));
  const shift = 12 - 2 * (63 - clz<i64>(halves));
  along(cell, 24, originX, <i64>below, halves, shift, to);
  along(cell, 32, originY, <i64>below, halves, shift, to + 16);
}

/** Whether all positions of a cell lie at least `margin` px inside a source of width × height px. */
export function isInside(cell: usize, originX: f64, originY: f64, width: i32, height: i32, margin: f64): bool {
  for (let at: usize = 24; at < CELL; at += 16) {
    const x = load<f64>(cell + at) - originX;
    const y = load<f64>(cell + at, 8) - originY;
    if (!(x >= margin && x < <f64>width - margin && y >= margin && y < <f64>height - margin)) return false;
  }
  return true;
}
