// From decoded source pixels to planes of the target grid, nearest; within one CRS, so per axis.
// Missing samples: of integers one value (`hasMissing` 0 when none), of floats NaN as well; a missing target sample is `none`.

// @ts-ignore: decorator
@inline
export function isMissing<S>(v: S, hasMissing: i32, missing: S): bool {
  if (isFloat<S>()) return v != v || (hasMissing != 0 && v == missing);
  return hasMissing != 0 && v == missing;
}

// @ts-ignore: decorator
@inline
function fill<D>(to: usize, n: i32, none: D): void {
  for (let x: i32 = 0; x < n; x++) store<D>(to + <usize>x * sizeof<D>(), none);
}

/** Copies each source pixel twice, for a grid twice as fine; with `phase` 1 the first only once. n target px. */
// @ts-ignore: decorator
@inline
function doubleRow<D>(from: usize, to: usize, n: i32, phase: i32): void {
  let x: i32 = phase;
  if (phase) store<D>(to, load<D>(from));
  const step: i32 = 32 / <i32>sizeof<D>();
  for (; x + step <= n; x += step) {
    const v = v128.load(from + <usize>((x + phase) >> 1) * sizeof<D>());
    const p = to + <usize>x * sizeof<D>();
    if (sizeof<D>() == 1) {
      v128.store(p, i8x16.shuffle(v, v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
      v128.store(p, i8x16.shuffle(v, v, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15), 16);
    } else if (sizeof<D>() == 2) {
      v128.store(p, i16x8.shuffle(v, v, 0, 0, 1, 1, 2, 2, 3, 3));
      v128.store(p, i16x8.shuffle(v, v, 4, 4, 5, 5, 6, 6, 7, 7), 16);
    } else {
      v128.store(p, i32x4.shuffle(v, v, 0, 0, 1, 1));
      v128.store(p, i32x4.shuffle(v, v, 2, 2, 3, 3), 16);
    }
  }
  for (; x < n; x++) store<D>(to + <usize>x * sizeof<D>(), load<D>(from + <usize>((x + phase) >> 1) * sizeof<D>()));
}

const CONSECUTIVE: i32 = 1;
const TWICE: i32 = 2;
const TWICE_FROM_SECOND: i32 = 3;

/** What the columns of a map are, from `first` to `last` exclusive (outside them −1), or 0 when none of these. */
function patternOf(cols: usize, first: i32, last: i32): i32 {
  const c0 = load<i32>(cols + (<usize>first << 2));
  let one: i32 = 1;
  let two: i32 = 1;
  let odd: i32 = 1;
  for (let x: i32 = first; x < last; x++) {
    const step = load<i32>(cols + (<usize>x << 2)) - c0;
    one &= i32(step == x - first);
    two &= i32(step == (x - first) >> 1);
    odd &= i32(step == (x - first + 1) >> 1);
  }
  return one ? CONSECUTIVE : two ? TWICE : odd ? TWICE_FROM_SECOND : 0;
}

/** S[srcHeight][srcWidth] → D[height][width] by i32[width] columns and i32[height] rows, −1 = outside. */
// @ts-ignore: decorator
@inline
function place<S, D>(
  src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: S, none: D, out: usize,
): void {
  let first: i32 = 0;
  while (first < width && load<i32>(cols + (<usize>first << 2)) < 0) first++;
  let last: i32 = width;
  while (last > first && load<i32>(cols + (<usize>(last - 1) << 2)) < 0) last--;
  // Runs may be copied as they are when types agree and missing stays missing (or cannot occur).
  let pattern: i32 = 0;
  if (sizeof<S>() == sizeof<D>() && isFloat<S>() == isFloat<D>() && isSigned<S>() == isSigned<D>()) {
    if (last > first && (hasMissing == 0 || <D>missing == none)) pattern = patternOf(cols, first, last);
  }
  const size = sizeof<D>();
  const rowBytes = <usize>width * size;
  const c0 = first < last ? <usize>load<i32>(cols + (<usize>first << 2)) : 0;
  for (let y: i32 = 0; y < height; y++) {
    const row = load<i32>(rows + (<usize>y << 2));
    const to = out + <usize>y * rowBytes;
    if (y > 0 && load<i32>(rows + (<usize>(y - 1) << 2)) == row) {
      memory.copy(to, to - rowBytes, rowBytes);
      continue;
    }
    if (row < 0) {
      fill<D>(to, width, none);
      continue;
    }
    const from = src + <usize>row * srcWidth * sizeof<S>();
    fill<D>(to, first, none);
    fill<D>(to + <usize>last * size, width - last, none);
    const at = to + <usize>first * size;
    if (pattern == CONSECUTIVE) memory.copy(at, from + c0 * size, <usize>(last - first) * size);
    else if (pattern != 0) doubleRow<D>(from + c0 * size, at, last - first, pattern - TWICE);
    else {
      for (let x: i32 = first; x < last; x++) {
        const c = load<i32>(cols + (<usize>x << 2));
        const v = load<S>(from + <usize>max(c, 0) * sizeof<S>());
        store<D>(to + <usize>x * size, c < 0 || isMissing<S>(v, hasMissing, missing) ? none : <D>v);
      }
    }
  }
}

/** Nearest into u16, see `place`. `type` of the source's samples: 0 u8, 2 u16. */
export function place_u16(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): void {
  const n = <u16><i32>none;
  if (type == 0) place<u8, u16>(src, srcWidth, cols, rows, width, height, hasMissing, <u8><i32>missing, n, out);
  else place<u16, u16>(src, srcWidth, cols, rows, width, height, hasMissing, <u16><i32>missing, n, out);
}

/** Nearest into i16. `type`: 0 u8, 1 i8, 3 i16. */
export function place_i16(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): void {
  const n = <i16><i32>none;
  const m = <i32>missing;
  if (type == 0) place<u8, i16>(src, srcWidth, cols, rows, width, height, hasMissing, <u8>m, n, out);
  else if (type == 1) place<i8, i16>(src, srcWidth, cols, rows, width, height, hasMissing, <i8>m, n, out);
  else place<i16, i16>(src, srcWidth, cols, rows, width, height, hasMissing, <i16>m, n, out);
}

/** Nearest into f32, missing is NaN. `type`: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64. */
export function place_f32(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, out: usize,
): void {
  const n = <f32>NaN;
  const m = <i64>missing;
  if (type == 0) place<u8, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <u8>m, n, out);
  else if (type == 1) place<i8, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <i8>m, n, out);
  else if (type == 2) place<u16, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <u16>m, n, out);
  else if (type == 3) place<i16, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <i16>m, n, out);
  else if (type == 4) place<u32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <u32>m, n, out);
  else if (type == 5) place<i32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <i32>m, n, out);
  else if (type == 6) place<f32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, <f32>missing, n, out);
  else place<f64, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, n, out);
}

/** Nearest placing of a mask u8[…][srcWidth] → u8[height][width]; outside counts as masked out. */
export function place_mask(
  src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32, out: usize,
): void {
  place<u8, u8>(src, srcWidth, cols, rows, width, height, 0, 0, 1, out);
}
