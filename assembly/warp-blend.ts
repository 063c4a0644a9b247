// Bilinear and cubic samples for a target grid in another CRS, cell by cell (see cell.ts), in f64. What differs between the quick way
// and the careful one is only which tests are made: where both can be taken they give the same bits.
import { CELL, HALF, UNIT, cellCol, cellRow, cellSize, isInside, lineOf } from './cell';
import { missingAt, putResult, sampleAt } from './tap';

/** Less valid weight than this is none, as in gdalwarp: between four pixels, and under a wider kernel. */
const LEAST_OF_FOUR: f64 = 1e-5;
const LEAST: f64 = 1e-6;

// @ts-ignore: decorator
@inline
function mix4(a: f64, b: f64, c: f64, d: f64, fx: f64, fy: f64): f64 {
  return (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy;
}

// @ts-ignore: decorator
@inline
function part(x: i64): f64 {
  return <f64>(<u32>x) * UNIT;
}

/**
 * The weight of the right one of two neighbours at `f` between their centres, as if each were `sharp` pixels of one value: between those
 * there is nothing to blend but around their common edge.
 */
// @ts-ignore: decorator
@inline
function sharpened(f: f64, sharp: f64): f64 {
  return sharp == 1 ? f : max(0, min(1, (f - 0.5) * sharp + 0.5));
}

/** A sample as f64, NaN outside and where missing. */
function tap(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, col: i32, row: i32,
): f64 {
  if (<u32>col >= <u32>width || <u32>row >= <u32>height) return NaN;
  const v = sampleAt(type, src, row * width + col);
  return missingAt(v, hasMissing, missing) ? NaN : v;
}

/** Bilinear at a position in 2⁻³² px: missing (NaN) where the nearest of the four is, else the mean of the valid ones by weight. */
function bilinearAt(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, x: i64, y: i64, sharp: f64,
): f64 {
  const near = tap(type, src, width, height, hasMissing, missing, <i32>(x >> 32), <i32>(y >> 32));
  if (near != near) return NaN;
  const col = <i32>((x - HALF) >> 32);
  const row = <i32>((y - HALF) >> 32);
  const fx = sharpened(part(x - HALF), sharp);
  const fy = sharpened(part(y - HALF), sharp);
  const a = tap(type, src, width, height, hasMissing, missing, col, row);
  const b = tap(type, src, width, height, hasMissing, missing, col + 1, row);
  const c = tap(type, src, width, height, hasMissing, missing, col, row + 1);
  const d = tap(type, src, width, height, hasMissing, missing, col + 1, row + 1);
  if (a == a && b == b && c == c && d == d) {
    const mixed = mix4(a, b, c, d, fx, fy);
    if (mixed == mixed) return mixed;
  }
  // A neighbour without weight has no say, not even an infinite one.
  const wa = a == a ? (1 - fx) * (1 - fy) : 0;
  const wb = b == b ? fx * (1 - fy) : 0;
  const wc = c == c ? (1 - fx) * fy : 0;
  const wd = d == d ? fx * fy : 0;
  const weight = wa + wb + wc + wd;
  if (weight < LEAST_OF_FOUR) return NaN;
  const sum = (wa > 0 ? a * wa : 0) + (wb > 0 ? b * wb : 0) + (wc > 0 ? c * wc : 0) + (wd > 0 ? d * wd : 0);
  return sum / weight;
}

/** Weight of the `i`-th of four neighbours, Catmull and Rom (a = −0.5), at `f` between the second and the third. */
// @ts-ignore: decorator
@inline
function cubicWeight(i: i32, f: f64): f64 {
  if (i == 0) return 0.5 * f * (-1 + f * (2 - f));
  if (i == 1) return 1 + 0.5 * f * f * (3 * f - 5);
  if (i == 2) return 0.5 * f * (1 + f * (4 - 3 * f));
  return 0.5 * f * f * (f - 1);
}

/** Four samples beginning at `at`, as two f64x2: the first two, or with `high` the others. */
// @ts-ignore: decorator
@inline
function pair<S>(at: usize, high: bool): v128 {
  if (isFloat<S>()) return f64x2.promote_low_f32x4(v128.load64_zero(high ? at + 8 : at));
  const four = sizeof<S>() == 1
    ? v128.extend_low<u16>(v128.extend_low<u8>(v128.load32_zero(at)))
    : isSigned<S>() ? v128.load16x4_s(at) : v128.load16x4_u(at);
  return f64x2.convert_low_i32x4_s(high ? i64x2.shuffle(four, four, 1, 1) : four);
}

/** Cubic from the 4 × 4 samples whose first is at `at`, rows `pitch` bytes apart; NaN where one is missing. */
// @ts-ignore: decorator
@inline
function cubic16<S>(at: usize, pitch: usize, fx: f64, fy: f64, hasMissing: i32, missing: f64): f64 {
  let left = f64x2.splat(0);
  let right = f64x2.splat(0);
  let bad = f64x2.splat(0);
  const none = f64x2.splat(hasMissing != 0 ? missing : NaN);
  for (let i = 0; i < 4; i++) {
    const p = pair<S>(at + <usize>i * pitch, false);
    const q = pair<S>(at + <usize>i * pitch, true);
    bad = v128.or(bad, v128.or(f64x2.eq(p, none), f64x2.eq(q, none)));
    const w = f64x2.splat(cubicWeight(i, fy));
    left = f64x2.add(left, f64x2.mul(p, w));
    right = f64x2.add(right, f64x2.mul(q, w));
  }
  if (v128.any_true(bad)) return NaN;
  left = f64x2.mul(left, f64x2.replace_lane(f64x2.splat(cubicWeight(0, fx)), 1, cubicWeight(1, fx)));
  right = f64x2.mul(right, f64x2.replace_lane(f64x2.splat(cubicWeight(2, fx)), 1, cubicWeight(3, fx)));
  const both = f64x2.add(left, right);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** Cubic at a position; bilinear where one of the 16 pixels is missing or outside, as in gdalwarp. */
function cubicAt(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, x: i64, y: i64,
): f64 {
  const col = <i32>((x - HALF) >> 32) - 1;
  const row = <i32>((y - HALF) >> 32) - 1;
  if (col >= 0 && row >= 0 && col + 4 <= width && row + 4 <= height) {
    const fx = part(x - HALF);
    const fy = part(y - HALF);
    let c0: f64 = 0;
    let c1: f64 = 0;
    let c2: f64 = 0;
    let c3: f64 = 0;
    for (let i = 0; i < 4; i++) {
      const w = cubicWeight(i, fy);
      c0 += tap(type, src, width, height, hasMissing, missing, col, row + i) * w;
      c1 += tap(type, src, width, height, hasMissing, missing, col + 1, row + i) * w;
      c2 += tap(type, src, width, height, hasMissing, missing, col + 2, row + i) * w;
      c3 += tap(type, src, width, height, hasMissing, missing, col + 3, row + i) * w;
    }
    const even = c0 * cubicWeight(0, fx) + c2 * cubicWeight(2, fx);
    const odd = c1 * cubicWeight(1, fx) + c3 * cubicWeight(3, fx);
    const sum = even + odd;
    if (sum == sum) return sum;
  }
  return bilinearAt(type, src, width, height, hasMissing, missing, x, y, 1);
}

/** The kernel at a distance in its own units: a triangle, or Catmull and Rom. */
// @ts-ignore: decorator
@inline
function kernelAt(cubic: bool, distance: f64): f64 {
  const d = abs(distance);
  if (!cubic) return max(1 - d, 0);
  if (d <= 1) return d * d * (1.5 * d - 2.5) + 1;
  return d < 2 ? d * d * (2.5 - 0.5 * d) - 4 * d + 2 : 0;
}

/** A kernel widened by `ratioX`, `ratioY` (source px a target px) over the valid pixels; missing where the nearest one is. */
function widenedAt(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, x: i64, y: i64,
  cubic: bool, ratioX: f64, ratioY: f64,
): f64 {
  const midCol = <i32>(x >> 32);
  const midRow = <i32>(y >> 32);
  const near = tap(type, src, width, height, hasMissing, missing, midCol, midRow);
  if (near != near) return NaN;
  const fx = part(x) - 0.5;
  const fy = part(y) - 0.5;
  const reachX = <i32>ceil(cubic ? 2 * ratioX : ratioX) + 1;
  const reachY = <i32>ceil(cubic ? 2 * ratioY : ratioY) + 1;
  let sum: f64 = 0;
  let weight: f64 = 0;
  for (let j = max(-reachY, -midRow), endRow = min(reachY, height - 1 - midRow); j <= endRow; j++) {
    const wy = kernelAt(cubic, (<f64>j - fy) / ratioY);
    if (wy == 0) continue;
    for (let i = max(-reachX, -midCol), endCol = min(reachX, width - 1 - midCol); i <= endCol; i++) {
      const w = wy * kernelAt(cubic, (<f64>i - fx) / ratioX);
      if (w == 0) continue;
      const v = sampleAt(type, src, (midRow + j) * width + midCol + i);
      if (missingAt(v, hasMissing, missing)) continue;
      sum += w * v;
      weight += w;
    }
  }
  return weight < LEAST ? NaN : sum / weight;
}

/** n px of one line in cells wholly inside, quickly; what is missing somewhere goes the careful way. */
// @ts-ignore: decorator
@inline
function blendLine<S>(
  type: i32, src: usize, width: i32, height: i32, hasMissing: i32, missing: f64, line: usize, begin: i32, n: i32,
  cubic: bool, sharp: f64, targetType: i32, hasNone: i32, none: f64, to: usize,
): void {
  const size = sizeof<S>();
  const pitch = <usize>width * size;
  const stepX = load<i64>(line, 8) << 1;
  const stepY = load<i64>(line, 24) << 1;
  let x = load<i64>(line) + load<i64>(line, 8) * <i64>begin - HALF;
  let y = load<i64>(line, 16) + load<i64>(line, 24) * <i64>begin - HALF;
  // Equal to nothing where no value means missing.
  const gap = hasMissing != 0 ? missing : NaN;
  for (let i = 0; i < n; i++, x += stepX, y += stepY) {
    const at = src + <usize>(<i32>(y >> 32) * width + <i32>(x >> 32)) * size;
    let value: f64;
    if (cubic) {
      value = cubic16<S>(at - pitch - size, pitch, part(x), part(y), hasMissing, missing);
      if (value != value) value = cubicAt(type, src, width, height, hasMissing, missing, x + HALF, y + HALF);
    } else {
      const a = <f64>load<S>(at);
      const b = <f64>load<S>(at + size);
      const c = <f64>load<S>(at + pitch);
      const d = <f64>load<S>(at + pitch + size);
      value = mix4(a, b, c, d, sharpened(part(x), sharp), sharpened(part(y), sharp));
      if (value != value || a == gap || b == gap || c == gap || d == gap) {
        value = bilinearAt(type, src, width, height, hasMissing, missing, x + HALF, y + HALF, sharp);
      }
    }
    putResult(targetType, to, i, value, hasNone, none);
  }
}

/**
 * Bilinear, or with `cubic` cubic, as `warp_nearest`; a ratio above 1 widens the kernel along that axis; `sharp` (1 or more, of bilinear only):
 * see `sharpened`. `targetType`: 2 u16, 3 i16, 6 f32. `scratch`: 32 bytes.
 */
export function warp_blend(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, originX: f64, originY: f64, hasMissing: i32, missing: f64,
  cells: usize, nCell: i32, col: i32, row: i32, width: i32, height: i32,
  targetType: i32, hasNone: i32, none: f64, cubic: i32, ratioX: f64, ratioY: f64, sharp: f64, scratch: usize, out: usize,
): void {
  const w = srcWidth;
  const h = srcHeight;
  const wide = ratioX > 1 || ratioY > 1;
  const size = targetType == 6 ? 4 : 2;
  for (let cell = cells, last = cells + <usize>nCell * CELL; cell < last; cell += CELL) {
    const firstCol = max(cellCol(cell), col);
    const n = min(cellCol(cell) + cellSize(cell), col + width) - firstCol;
    const firstRow = max(cellRow(cell), row);
    const endRow = min(cellRow(cell) + cellSize(cell), row + height);
    if (n <= 0) continue;
    const quick = !wide && isInside(cell, originX, originY, w, h, cubic ? 1.5 : 0.5);
    const begin = 2 * (firstCol - cellCol(cell)) + 1;
    for (let y = firstRow; y < endRow; y++) {
      lineOf(cell, 2 * (y - cellRow(cell)) + 1, originX, originY, scratch);
      const to = out + <usize>((y - row) * width + firstCol - col) * size;
      if (quick && (type == 0 || type == 2 || type == 3 || type == 6)) {
        if (type == 0) blendLine<u8>(0, src, w, h, hasMissing, missing, scratch, begin, n, cubic != 0, sharp, targetType, hasNone, none, to);
        else if (type == 2) blendLine<u16>(2, src, w, h, hasMissing, missing, scratch, begin, n, cubic != 0, sharp, targetType, hasNone, none, to);
        else if (type == 3) blendLine<i16>(3, src, w, h, hasMissing, missing, scratch, begin, n, cubic != 0, sharp, targetType, hasNone, none, to);
        else blendLine<f32>(6, src, w, h, hasMissing, missing, scratch, begin, n, cubic != 0, sharp, targetType, hasNone, none, to);
        continue;
      }
      for (let i = 0; i < n; i++) {
        const half = <i64>(begin + 2 * i);
        const px = load<i64>(scratch) + load<i64>(scratch, 8) * half;
        const py = load<i64>(scratch, 16) + load<i64>(scratch, 24) * half;
        const value = wide
          ? widenedAt(type, src, w, h, hasMissing, missing, px, py, cubic != 0, ratioX, ratioY)
          : cubic ? cubicAt(type, src, w, h, hasMissing, missing, px, py)
          : bilinearAt(type, src, w, h, hasMissing, missing, px, py, sharp);
        putResult(targetType, to, i, value, hasNone, none);
      }
    }
  }
}
