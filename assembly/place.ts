// From decoded source pixels to planes of the target grid: nearest, bilinear, average; within one CRS, so per axis.
// Missing samples: of integers one value (`hasMissing` 0 when none), of floats NaN as well; a missing target sample is `none`.

// @ts-ignore: decorator
@inline
function isMissing<S>(v: S, hasMissing: i32, missing: f64): bool {
  if (isFloat<S>()) return v != v || (hasMissing != 0 && <f64>v == missing);
  return hasMissing != 0 && <f64>v == missing;
}

/** Copies two source pixels a time for a grid twice as fine: u16 → u16 with the same missing value. `n` target px from an even one. */
// @ts-ignore: decorator
@inline
function doubleRow(from: usize, to: usize, n: i32): void {
  let x: i32 = 0;
  for (; x + 16 <= n; x += 16) {
    const v = v128.load(from + <usize>x);
    v128.store(to + (<usize>x << 1), i16x8.shuffle(v, v, 0, 0, 1, 1, 2, 2, 3, 3));
    v128.store(to + (<usize>x << 1), i16x8.shuffle(v, v, 4, 4, 5, 5, 6, 6, 7, 7), 16);
  }
  for (; x < n; x++) store<u16>(to + (<usize>x << 1), load<u16>(from + (<usize>(x >> 1) << 1)));
}

/** What the columns of a map are, from `first` to `last` exclusive (outside them −1): 1 = consecutive, 2 = each twice, else 0. */
// @ts-ignore: decorator
@inline
function patternOf(cols: usize, first: i32, last: i32): i32 {
  const c0 = load<i32>(cols + (<usize>first << 2));
  let one: i32 = 1;
  let two: i32 = 1;
  for (let x: i32 = first; x < last; x++) {
    const c = load<i32>(cols + (<usize>x << 2));
    one &= i32(c == c0 + x - first);
    two &= i32(c == c0 + ((x - first) >> 1));
  }
  return one ? 1 : two ? 2 : 0;
}

/** S[srcHeight][srcWidth] → D[height][width] by i32[width] columns and i32[height] rows, −1 = outside. */
// @ts-ignore: decorator
@inline
function place<S, D>(
  src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): void {
  let first: i32 = 0;
  while (first < width && load<i32>(cols + (<usize>first << 2)) < 0) first++;
  let last: i32 = width;
  while (last > first && load<i32>(cols + (<usize>(last - 1) << 2)) < 0) last--;
  // Runs may be copied as they are when types agree and missing stays missing (or cannot occur).
  let runs: i32 = 0;
  if (sizeof<S>() == sizeof<D>() && isFloat<S>() == isFloat<D>() && isSigned<S>() == isSigned<D>()) {
    runs = i32(hasMissing == 0 || missing == none);
  }
  const pattern = runs && last > first ? patternOf(cols, first, last) : 0;
  const size = <usize>sizeof<D>();
  const rowBytes = <usize>width * size;
  for (let y: i32 = 0; y < height; y++) {
    const row = load<i32>(rows + (<usize>y << 2));
    const to = out + <usize>y * rowBytes;
    if (y > 0 && load<i32>(rows + (<usize>(y - 1) << 2)) == row) {
      memory.copy(to, to - rowBytes, rowBytes);
      continue;
    }
    if (row < 0) {
      for (let x: i32 = 0; x < width; x++) store<D>(to + <usize>x * size, <D>none);
      continue;
    }
    const from = src + <usize>row * srcWidth * sizeof<S>();
    for (let x: i32 = 0; x < first; x++) store<D>(to + <usize>x * size, <D>none);
    for (let x: i32 = last; x < width; x++) store<D>(to + <usize>x * size, <D>none);
    const c0 = first < last ? <usize>load<i32>(cols + (<usize>first << 2)) : 0;
    if (pattern == 1) {
      memory.copy(to + <usize>first * size, from + c0 * size, <usize>(last - first) * size);
    } else if (pattern == 2 && sizeof<D>() == 2) {
      doubleRow(from + (c0 << 1), to + (<usize>first << 1), last - first);
    } else {
      for (let x: i32 = first; x < last; x++) {
        const c = load<i32>(cols + (<usize>x << 2));
        const v = load<S>(from + <usize>max(c, 0) * sizeof<S>());
        store<D>(to + <usize>x * size, c < 0 || isMissing<S>(v, hasMissing, missing) ? <D>none : <D>v);
      }
    }
  }
}

/** A value as the target stores it: integers round half to even, stay in range, and step off the missing value. */
// @ts-ignore: decorator
@inline
function put<D>(to: usize, value: f64, hasNone: i32, none: f64): void {
  if (isFloat<D>()) {
    store<D>(to, <D>value);
    return;
  }
  const least = isSigned<D>() ? <f64>-32768.0 : <f64>0.0;
  const most = isSigned<D>() ? <f64>32767.0 : <f64>65535.0;
  let whole = Math.min(Math.max(nearest<f64>(value), least), most);
  if (hasNone && whole == none) whole += whole < most ? 1 : -1;
  store<D>(to, <D>whole);
}

/**
 * Bilinear: each target pixel from the four source pixels around its centre; i32[width] left columns, f64[width] weights of the
 * right ones, likewise rows. Columns and rows may lie outside; samples outside and missing ones leave their weight to the others.
 */
// @ts-ignore: decorator
@inline
function bilinear<S, D>(
  src: usize, srcWidth: i32, srcHeight: i32, cols: usize, colWeights: usize, rows: usize, rowWeights: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): void {
  for (let y: i32 = 0; y < height; y++) {
    const row = load<i32>(rows + (<usize>y << 2));
    const wy = load<f64>(rowWeights + (<usize>y << 3));
    for (let x: i32 = 0; x < width; x++) {
      const col = load<i32>(cols + (<usize>x << 2));
      const wx = load<f64>(colWeights + (<usize>x << 3));
      let sum: f64 = 0;
      let weight: f64 = 0;
      for (let j: i32 = 0; j < 2; j++) {
        for (let i: i32 = 0; i < 2; i++) {
          const w = (i ? wx : 1 - wx) * (j ? wy : 1 - wy);
          if (w == 0 || col + i < 0 || col + i >= srcWidth || row + j < 0 || row + j >= srcHeight) continue;
          const v = load<S>(src + (<usize>(row + j) * srcWidth + <usize>(col + i)) * sizeof<S>());
          if (isMissing<S>(v, hasMissing, missing)) continue;
          sum += w * <f64>v;
          weight += w;
        }
      }
      const to = out + (<usize>y * width + <usize>x) * sizeof<D>();
      if (weight < 1e-5) store<D>(to, <D>none);
      else put<D>(to, sum / weight, hasNone, none);
    }
  }
}

/** Average: the area-weighted mean of the valid source pixels under each target pixel; f64[width + 1] and f64[height + 1] edges. */
// @ts-ignore: decorator
@inline
function average<S, D>(
  src: usize, srcWidth: i32, srcHeight: i32, colEdges: usize, rowEdges: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): void {
  for (let y: i32 = 0; y < height; y++) {
    const ya = load<f64>(rowEdges + (<usize>y << 3));
    const yb = load<f64>(rowEdges + (<usize>y << 3), 8);
    const top = Math.max(Math.min(ya, yb), 0);
    const bottom = Math.min(Math.max(ya, yb), <f64>srcHeight);
    for (let x: i32 = 0; x < width; x++) {
      const xa = load<f64>(colEdges + (<usize>x << 3));
      const xb = load<f64>(colEdges + (<usize>x << 3), 8);
      const left = Math.max(Math.min(xa, xb), 0);
      const right = Math.min(Math.max(xa, xb), <f64>srcWidth);
      let sum: f64 = 0;
      let weight: f64 = 0;
      for (let row = <i32>Math.floor(top); <f64>row < bottom; row++) {
        const h = Math.min(<f64>(row + 1), bottom) - Math.max(<f64>row, top);
        for (let col = <i32>Math.floor(left); <f64>col < right; col++) {
          const w = h * (Math.min(<f64>(col + 1), right) - Math.max(<f64>col, left));
          const v = load<S>(src + (<usize>row * srcWidth + <usize>col) * sizeof<S>());
          if (w <= 0 || isMissing<S>(v, hasMissing, missing)) continue;
          sum += w * <f64>v;
          weight += w;
        }
      }
      const to = out + (<usize>y * width + <usize>x) * sizeof<D>();
      if (weight > 0) put<D>(to, sum / weight, hasNone, none);
      else store<D>(to, <D>none);
    }
  }
}

/** Nearest; see `place`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function place_u16(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): i32 {
  if (type == 0) {
    place<u8, u16>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 2) {
    place<u16, u16>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  return -1;
}

/** Nearest; see `place`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function place_i16(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): i32 {
  if (type == 1) {
    place<i8, i16>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 3) {
    place<i16, i16>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 0) {
    place<u8, i16>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  return -1;
}

/** Nearest; see `place`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function place_f32(
  type: i32, src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32,
  hasMissing: i32, missing: f64, none: f64, out: usize,
): i32 {
  if (type == 0) {
    place<u8, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 1) {
    place<i8, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 2) {
    place<u16, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 3) {
    place<i16, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 4) {
    place<u32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 5) {
    place<i32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 6) {
    place<f32, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  if (type == 7) {
    place<f64, f32>(src, srcWidth, cols, rows, width, height, hasMissing, missing, none, out);
    return 0;
  }
  return -1;
}

/** See `bilinear`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function bilinear_u16(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, cols: usize, colWeights: usize, rows: usize, rowWeights: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 0) {
    bilinear<u8, u16>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 2) {
    bilinear<u16, u16>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** See `bilinear`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function bilinear_i16(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, cols: usize, colWeights: usize, rows: usize, rowWeights: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 1) {
    bilinear<i8, i16>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 3) {
    bilinear<i16, i16>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 0) {
    bilinear<u8, i16>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** See `bilinear`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function bilinear_f32(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, cols: usize, colWeights: usize, rows: usize, rowWeights: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 0) {
    bilinear<u8, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 1) {
    bilinear<i8, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 2) {
    bilinear<u16, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 3) {
    bilinear<i16, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 4) {
    bilinear<u32, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 5) {
    bilinear<i32, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 6) {
    bilinear<f32, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 7) {
    bilinear<f64, f32>(
      src, srcWidth, srcHeight, cols, colWeights, rows, rowWeights,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** See `average`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function average_u16(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, colEdges: usize, rowEdges: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 0) {
    average<u8, u16>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 2) {
    average<u16, u16>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** See `average`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function average_i16(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, colEdges: usize, rowEdges: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 1) {
    average<i8, i16>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 3) {
    average<i16, i16>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 0) {
    average<u8, i16>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** See `average`. `type` numbers the source's samples: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64; −1 is returned for one that does not fit. */
export function average_f32(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, colEdges: usize, rowEdges: usize,
  width: i32, height: i32, hasMissing: i32, missing: f64, hasNone: i32, none: f64, out: usize,
): i32 {
  if (type == 0) {
    average<u8, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 1) {
    average<i8, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 2) {
    average<u16, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 3) {
    average<i16, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 4) {
    average<u32, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 5) {
    average<i32, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 6) {
    average<f32, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  if (type == 7) {
    average<f64, f32>(
      src, srcWidth, srcHeight, colEdges, rowEdges,
      width, height, hasMissing, missing, hasNone, none, out,
    );
    return 0;
  }
  return -1;
}

/** Nearest placing of a mask u8[…][srcWidth] → u8[height][width]; outside counts as masked out. */
export function place_mask(
  src: usize, srcWidth: i32, cols: usize, rows: usize, width: i32, height: i32, out: usize,
): void {
  place<u8, u8>(src, srcWidth, cols, rows, width, height, 0, 1, 1, out);
}
