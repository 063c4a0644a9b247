// Bilinear and average resampling of one plane within one CRS: separable, row by row, in f64, so that a pixel's value is the same
// whatever the block. Missing samples leave their weight to the others.

/** Bilinear pixels with less valid weight than this are missing, as in gdalwarp. */
const LEAST_WEIGHT: f64 = 1e-5;

/** NaN either side of a widened row, so that neighbours outside need no test. */
const MARGIN: i32 = 2;

// @ts-ignore: decorator
@inline
function widen<S>(from: usize, n: i32, hasMissing: i32, missing: f64, to: usize): void {
  for (let i: i32 = 0; i < n; i++) {
    const v = <f64>load<S>(from + <usize>i * sizeof<S>());
    store<f64>(to + (<usize>i << 3), hasMissing && v == missing ? NaN : v);
  }
}

/** One source row of samples `type` (0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64) as f64[n] with NaN for missing. */
function widenRow(type: i32, src: usize, row: i32, n: i32, hasMissing: i32, missing: f64, to: usize): void {
  const at = <usize>row * n;
  if (type == 0) widen<u8>(src + at, n, hasMissing, missing, to);
  else if (type == 1) widen<i8>(src + at, n, hasMissing, missing, to);
  else if (type == 2) widen<u16>(src + (at << 1), n, hasMissing, missing, to);
  else if (type == 3) widen<i16>(src + (at << 1), n, hasMissing, missing, to);
  else if (type == 4) widen<u32>(src + (at << 2), n, hasMissing, missing, to);
  else if (type == 5) widen<i32>(src + (at << 2), n, hasMissing, missing, to);
  else if (type == 6) widen<f32>(src + (at << 2), n, hasMissing, missing, to);
  else widen<f64>(src + (at << 3), n, hasMissing, missing, to);
}

/** Integers round half to even, stay in range, and step off the missing value as GDAL does: down, or up from the least value. */
// @ts-ignore: decorator
@inline
export function putInteger<D>(to: usize, value: f64, least: f64, most: f64, hasNone: i32, none: f64): void {
  let whole = nearest<f64>(value);
  whole = whole < least ? least : whole > most ? most : whole;
  if (hasNone && whole == none) whole += whole == least ? 1 : -1;
  store<D>(to, <D>whole);
}

/** f64[width] sums and weights → a row of the target's `type` (2 u16, 3 i16, 6 f32); missing below the `least` weight. */
function putRow(
  type: i32, sums: usize, weights: usize, width: i32, least: f64, hasNone: i32, none: f64, to: usize,
): void {
  for (let x: i32 = 0; x < width; x++) {
    const weight = load<f64>(weights + (<usize>x << 3));
    const value = load<f64>(sums + (<usize>x << 3)) / weight;
    const some = weight >= least;
    if (type == 6) store<f32>(to + (<usize>x << 2), some ? <f32>value : NaN);
    else if (!some) store<u16>(to + (<usize>x << 1), <u16><i32>none);
    else if (type == 2) putInteger<u16>(to + (<usize>x << 1), value, 0, 65535, hasNone, none);
    else putInteger<i16>(to + (<usize>x << 1), value, -32768, 32767, hasNone, none);
  }
}

/** f64 scratch values that `resample_bilinear` and `resample_average` need. */
export function resample_scratch(srcWidth: i32, width: i32): i32 {
  return srcWidth + 2 * MARGIN + 8 * width;
}

/**
 * One source row between each pair of neighbours: f64[3][width] `line` = sums, weights, and 1 where the nearer of the two is valid;
 * all 0 for a row outside.
 */
function blendRow(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, row: i32, hasMissing: i32, missing: f64,
  cols: usize, colWeights: usize, width: i32, wide: usize, line: usize,
): void {
  if (row < 0 || row >= srcHeight) {
    memory.fill(line, 0, 3 * (<usize>width << 3));
    return;
  }
  widenRow(type, src, row, srcWidth, hasMissing, missing, wide);
  const weights = line + (<usize>width << 3);
  const near = weights + (<usize>width << 3);
  for (let x: i32 = 0; x < width; x++) {
    const p = wide + (<isize>load<i32>(cols + (<usize>x << 2)) << 3);
    const w = load<f64>(colWeights + (<usize>x << 3));
    const a = load<f64>(p);
    const b = load<f64>(p, 8);
    const hasA = a == a;
    // A neighbour without weight has no say, not even an infinite one.
    const hasB = b == b && w > 0;
    store<f64>(line + (<usize>x << 3), (hasA ? a * (1 - w) : 0) + (hasB ? b * w : 0));
    store<f64>(weights + (<usize>x << 3), (hasA ? 1 - w : 0) + (hasB ? w : 0));
    store<f64>(near + (<usize>x << 3), (w < 0.5 ? hasA : hasB) ? 1 : 0);
  }
}

/**
 * Bilinear: each target pixel of [height][width] from the four source pixels of [srcHeight][srcWidth] around its centre; i32[width]
 * `cols` are the left ones (−2 … srcWidth − 1), f64[width] `colWeights` the weights of the right ones, likewise rows. Missing where
 * the nearest of the four is, as in gdalwarp.
 */
export function resample_bilinear(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, hasMissing: i32, missing: f64,
  cols: usize, colWeights: usize, rows: usize, rowWeights: usize, width: i32, height: i32,
  targetType: i32, hasNone: i32, none: f64, scratch: usize, out: usize,
): void {
  const wide = openRow(scratch, srcWidth);
  const line = <usize>width << 3;
  let upper = scratch + (<usize>(srcWidth + 2 * MARGIN) << 3);
  let lower = upper + 3 * line;
  const mix = lower + 3 * line;
  // The source rows that `upper` and `lower` hold; neither yet.
  let rowUpper: i32 = i32.MIN_VALUE;
  let rowLower: i32 = i32.MIN_VALUE;
  for (let y: i32 = 0; y < height; y++) {
    const row = load<i32>(rows + (<usize>y << 2));
    if (row == rowLower || row + 1 == rowUpper) {
      const swap = upper;
      upper = lower;
      lower = swap;
      const swapRow = rowUpper;
      rowUpper = rowLower;
      rowLower = swapRow;
    }
    if (rowUpper != row) {
      blendRow(type, src, srcWidth, srcHeight, row, hasMissing, missing, cols, colWeights, width, wide, upper);
      rowUpper = row;
    }
    if (rowLower != row + 1) {
      blendRow(type, src, srcWidth, srcHeight, row + 1, hasMissing, missing, cols, colWeights, width, wide, lower);
      rowLower = row + 1;
    }
    const w = load<f64>(rowWeights + (<usize>y << 3));
    for (let i: usize = 0; i < 2 * line; i += 8) {
      const a = load<f64>(upper + i) * (1 - w);
      store<f64>(mix + i, w > 0 ? a + load<f64>(lower + i) * w : a);
    }
    const near = (w < 0.5 ? upper : lower) + 2 * line;
    for (let i: usize = 0; i < line; i += 8) {
      store<f64>(mix + line + i, load<f64>(mix + line + i) * load<f64>(near + i));
    }
    const to = out + <usize>y * width * (targetType == 6 ? 4 : 2);
    putRow(targetType, mix, mix + line, width, LEAST_WEIGHT, hasNone, none, to);
  }
}

/** Where a widened row begins: behind its margin, which is set to NaN. */
// @ts-ignore: decorator
@inline
function openRow(scratch: usize, srcWidth: i32): usize {
  const wide = scratch + (MARGIN << 3);
  for (let i: i32 = 0; i < MARGIN; i++) {
    store<f64>(scratch + (<usize>i << 3), NaN);
    store<f64>(wide + (<usize>(srcWidth + i) << 3), NaN);
  }
  return wide;
}

/** Sums and weights f64[width] of the valid samples of one widened row between the edges f64[width + 1]. */
function sumRow(wide: usize, srcWidth: i32, edges: usize, width: i32, sums: usize, weights: usize): void {
  for (let x: i32 = 0; x < width; x++) {
    const a = load<f64>(edges + (<usize>x << 3));
    const b = load<f64>(edges + (<usize>x << 3), 8);
    const left = max(min(a, b), 0);
    const right = min(max(a, b), <f64>srcWidth);
    let sum: f64 = 0;
    let weight: f64 = 0;
    for (let col = <i32>left; <f64>col < right; col++) {
      const v = load<f64>(wide + (<usize>col << 3));
      const w = min(<f64>(col + 1), right) - max(<f64>col, left);
      if (v != v) continue;
      sum += w * v;
      weight += w;
    }
    store<f64>(sums + (<usize>x << 3), sum);
    store<f64>(weights + (<usize>x << 3), weight);
  }
}

/** Average: the area-weighted mean of the valid source pixels under each target pixel; f64[width + 1] and f64[height + 1] edges. */
export function resample_average(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, hasMissing: i32, missing: f64,
  colEdges: usize, rowEdges: usize, width: i32, height: i32,
  targetType: i32, hasNone: i32, none: f64, scratch: usize, out: usize,
): void {
  const wide = openRow(scratch, srcWidth);
  const line = <usize>width << 3;
  const own = scratch + (<usize>(srcWidth + 2 * MARGIN) << 3);
  const all = own + 2 * line;
  let rowOwn: i32 = -1;
  for (let y: i32 = 0; y < height; y++) {
    const a = load<f64>(rowEdges + (<usize>y << 3));
    const b = load<f64>(rowEdges + (<usize>y << 3), 8);
    const top = max(min(a, b), 0);
    const bottom = min(max(a, b), <f64>srcHeight);
    memory.fill(all, 0, 2 * line);
    for (let row = <i32>top; <f64>row < bottom; row++) {
      if (row != rowOwn) {
        widenRow(type, src, row, srcWidth, hasMissing, missing, wide);
        sumRow(wide, srcWidth, colEdges, width, own, own + line);
        rowOwn = row;
      }
      const w = min(<f64>(row + 1), bottom) - max(<f64>row, top);
      for (let i: usize = 0; i < 2 * line; i += 8) {
        store<f64>(all + i, load<f64>(all + i) + w * load<f64>(own + i));
      }
    }
    const to = out + <usize>y * width * (targetType == 6 ? 4 : 2);
    putRow(targetType, all, all + line, width, f64.MIN_NORMAL_VALUE, hasNone, none, to);
  }
}
