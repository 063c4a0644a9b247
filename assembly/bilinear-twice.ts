// Bilinear of samples of 8 or 16 bits onto a grid twice as fine, as from 20 m to 10 m: weights are quarters, so that sums are whole
// sixteenths, exact in i32 as they are in f64, whatever the order. Two target columns lie between source columns c and c + 1:
// 3 c + (c + 1) and c + 3 (c + 1). u16 is biased by 0x8000 to i16, which moves a mean by a multiple of 16 sixteenths.
import { floatFour, narrowEight, noneOf, roundFour, stepOf, stepOff } from './result';
import { Resampling } from './resampling';

/** The part of a target that goes this way: columns x0 to x1, a multiple of 2, and rows y0 to y1. */
@unmanaged
export class TwiceRegion {
  x0: i32; x1: i32; y0: i32; y1: i32;
}

/** Pairs of target columns at a time. */
const GROUP: i32 = 8;

/** Whether a row's weight is quarters, and the source has the neighbours that count. */
function isQuarterRow(job: Resampling, y: i32): bool {
  const quarters = load<f64>(job.rowWeights + (<usize>y << 3)) * 4;
  const row = load<i32>(job.rows + (<usize>y << 2));
  return quarters == floor(quarters) && row >= 0 && row + i32(quarters > 0) < job.srcHeight;
}

/** Whether columns x and x + 1 lie a quarter and three behind source column `col`. */
function isPair(job: Resampling, x: i32, col: i32): bool {
  const at = job.cols + (<usize>x << 2);
  const weight = job.colWeights + (<usize>x << 3);
  return load<i32>(at) == col && load<i32>(at, 4) == col && load<f64>(weight) == 0.25 && load<f64>(weight, 8) == 0.75;
}

/** Finds the first such part of types that meet, integers of 16 bits at most; false where there is none, or none that is worth it. */
export function findTwice(job: Resampling, region: TwiceRegion): bool {
  const type = job.type;
  if (type > 3 || (job.targetType == 2 && (type & 1) != 0) || (job.targetType == 3 && type == 2)) return false;
  let x = 0;
  let col = load<i32>(job.cols);
  while (x + 1 < job.width && (col < 0 || !isPair(job, x, col))) {
    x++;
    col = load<i32>(job.cols + (<usize>x << 2));
  }
  region.x0 = x;
  for (; x + 1 < job.width && col + 1 < job.srcWidth && isPair(job, x, col); x += 2) col++;
  region.x1 = x;
  let y = 0;
  while (y < job.height && !isQuarterRow(job, y)) y++;
  region.y0 = y;
  while (y < job.height && isQuarterRow(job, y)) y++;
  region.y1 = y;
  return region.x1 - region.x0 >= 2 * GROUP && region.y1 > region.y0;
}

/** Eight samples as 16 bits. */
// @ts-ignore: decorator
@inline
function loadEight<S>(at: usize): v128 {
  if (sizeof<S>() == 2) return v128.load(at);
  return isSigned<S>() ? v128.load8x8_s(at) : v128.load8x8_u(at);
}

// @ts-ignore: decorator
@inline
function isBiased<S>(): bool {
  return sizeof<S>() == 2 && !isSigned<S>();
}

// @ts-ignore: decorator
@inline
function biased<S>(v: v128): v128 {
  return isBiased<S>() ? v128.xor(v, i16x8.splat(-32768)) : v;
}

/** The first four of an upper and a lower row of i16, by their quarters; i32. */
// @ts-ignore: decorator
@inline
function mixLow(upper: v128, lower: v128, quarters: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.shuffle(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11), quarters);
}

// @ts-ignore: decorator
@inline
function mixHigh(upper: v128, lower: v128, quarters: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.shuffle(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15), quarters);
}

/** 3 near + far. */
// @ts-ignore: decorator
@inline
function lean(near: v128, far: v128): v128 {
  return i32x4.add(i32x4.add(near, far), i32x4.add(near, near));
}

/** Sixteenths, rounded half to even. */
// @ts-ignore: decorator
@inline
function roundSixteenths(v: v128): v128 {
  const odd = v128.and(i32x4.shr_u(v, 4), i32x4.splat(1));
  return i32x4.shr_s(i32x4.add(i32x4.add(v, i32x4.splat(7)), odd), 4);
}

/** Sixteenths → four floats, or eight integers off the missing value. */
// @ts-ignore: decorator
@inline
function floats<S>(v: v128): v128 {
  const whole = isBiased<S>() ? i32x4.add(v, i32x4.splat(32768 * 16)) : v;
  return f32x4.mul(f32x4.convert_i32x4_s(whole), f32x4.splat(0.0625));
}

// @ts-ignore: decorator
@inline
function integers<S>(low: v128, high: v128, none: v128, step: v128): v128 {
  return stepOff(biased<S>(i16x8.narrow_i32x4_s(roundSixteenths(low), roundSixteenths(high))), none, step);
}

/** Eight left and eight right integers of pairs, in turn. */
// @ts-ignore: decorator
@inline
function storeIntegers(to: usize, left: v128, right: v128): void {
  v128.store(to, i16x8.shuffle(left, right, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(to, i16x8.shuffle(left, right, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** Four left and four right floats of pairs, in turn. */
// @ts-ignore: decorator
@inline
function storeFloats(to: usize, left: v128, right: v128): void {
  v128.store(to, i32x4.shuffle(left, right, 0, 4, 1, 5));
  v128.store(to, i32x4.shuffle(left, right, 2, 6, 3, 7), 16);
}

/** Four biased sums over their weights, in f64: rounded, or as floats. */
// @ts-ignore: decorator
@inline
function quotients<S, D>(sums: v128, weights: v128): v128 {
  const own = isBiased<S>() ? i32x4.add(sums, i32x4.shl(weights, 15)) : sums;
  const a = f64x2.div(f64x2.convert_low_i32x4_s(own), f64x2.convert_low_i32x4_s(weights));
  const b = f64x2.div(
    f64x2.convert_low_i32x4_s(i64x2.shuffle(own, own, 1, 1)),
    f64x2.convert_low_i32x4_s(i64x2.shuffle(weights, weights, 1, 1)),
  );
  return isFloat<D>() ? floatFour(a, b) : roundFour(a, b);
}

/** A group with missing samples, which leave their weight to the others; with `isUpper` the upper row is the nearer one. */
function storeGaps<S, D>(
  upperA: v128, upperB: v128, lowerA: v128, lowerB: v128, gap: v128, quarters: v128, isUpper: bool,
  none: v128, step: v128, to: usize,
): void {
  const hasUpperA = v128.not(i16x8.eq(upperA, gap)), hasUpperB = v128.not(i16x8.eq(upperB, gap));
  const hasLowerA = v128.not(i16x8.eq(lowerA, gap)), hasLowerB = v128.not(i16x8.eq(lowerB, gap));
  upperA = v128.and(biased<S>(upperA), hasUpperA);
  upperB = v128.and(biased<S>(upperB), hasUpperB);
  lowerA = v128.and(biased<S>(lowerA), hasLowerA);
  lowerB = v128.and(biased<S>(lowerB), hasLowerB);
  // Masks are −1.
  const counts = i16x8.neg(quarters);
  const aLow = mixLow(upperA, lowerA, quarters), aHigh = mixHigh(upperA, lowerA, quarters);
  const bLow = mixLow(upperB, lowerB, quarters), bHigh = mixHigh(upperB, lowerB, quarters);
  const nLow = mixLow(hasUpperA, hasLowerA, counts), nHigh = mixHigh(hasUpperA, hasLowerA, counts);
  const mLow = mixLow(hasUpperB, hasLowerB, counts), mHigh = mixHigh(hasUpperB, hasLowerB, counts);
  const leftLow = quotients<S, D>(lean(aLow, bLow), lean(nLow, mLow));
  const leftHigh = quotients<S, D>(lean(aHigh, bHigh), lean(nHigh, mHigh));
  const rightLow = quotients<S, D>(lean(bLow, aLow), lean(mLow, nLow));
  const rightHigh = quotients<S, D>(lean(bHigh, aHigh), lean(mHigh, nHigh));
  const a = isUpper ? hasUpperA : hasLowerA;
  const b = isUpper ? hasUpperB : hasLowerB;
  if (isFloat<D>()) {
    const low = v128.bitselect(leftLow, none, v128.extend_low<i16>(a));
    storeFloats(to, low, v128.bitselect(rightLow, none, v128.extend_low<i16>(b)));
    const high = v128.bitselect(leftHigh, none, v128.extend_high<i16>(a));
    storeFloats(to + 32, high, v128.bitselect(rightHigh, none, v128.extend_high<i16>(b)));
  } else {
    const left = stepOff(narrowEight<D>(leftLow, leftHigh), none, step);
    const right = stepOff(narrowEight<D>(rightLow, rightHigh), none, step);
    storeIntegers(to, v128.bitselect(left, none, a), v128.bitselect(right, none, b));
  }
}

/** One target row: `nPair` pairs of columns at `to`, from source columns at `upper` and `lower` on. */
function pairRow<S, D>(job: Resampling, upper: usize, lower: usize, lowerQuarters: i32, nPair: i32, to: usize): void {
  const none = noneOf<D>(job.none);
  const step = stepOf<D>(job.hasNone, job.none);
  const quarters = i32x4.splat((4 - lowerQuarters) | (lowerQuarters << 16));
  const hasGap = job.gap == job.gap;
  const gap = i16x8.splat(<i16><i32>job.gap);
  for (let i: i32 = 0; i < nPair; i += GROUP) {
    // The last group may begin within the one before.
    const first = <usize>min(i, nPair - GROUP);
    const at = first * sizeof<S>();
    const upperA = loadEight<S>(upper + at), upperB = loadEight<S>(upper + at + sizeof<S>());
    const lowerA = loadEight<S>(lower + at), lowerB = loadEight<S>(lower + at + sizeof<S>());
    const own = to + 2 * first * sizeof<D>();
    if (hasGap) {
      const a = v128.or(i16x8.eq(upperA, gap), i16x8.eq(lowerA, gap));
      if (v128.any_true(v128.or(a, v128.or(i16x8.eq(upperB, gap), i16x8.eq(lowerB, gap))))) {
        storeGaps<S, D>(upperA, upperB, lowerA, lowerB, gap, quarters, lowerQuarters < 2, none, step, own);
        continue;
      }
    }
    const aLow = mixLow(biased<S>(upperA), biased<S>(lowerA), quarters);
    const aHigh = mixHigh(biased<S>(upperA), biased<S>(lowerA), quarters);
    const bLow = mixLow(biased<S>(upperB), biased<S>(lowerB), quarters);
    const bHigh = mixHigh(biased<S>(upperB), biased<S>(lowerB), quarters);
    if (isFloat<D>()) {
      storeFloats(own, floats<S>(lean(aLow, bLow)), floats<S>(lean(bLow, aLow)));
      storeFloats(own + 32, floats<S>(lean(aHigh, bHigh)), floats<S>(lean(bHigh, aHigh)));
    } else {
      const left = integers<S>(lean(aLow, bLow), lean(aHigh, bHigh), none, step);
      storeIntegers(own, left, integers<S>(lean(bLow, aLow), lean(bHigh, aHigh), none, step));
    }
  }
}

function pairRows<S, D>(job: Resampling, region: TwiceRegion): void {
  const x0 = region.x0;
  const first = load<i32>(job.cols + (<usize>x0 << 2));
  for (let y = region.y0; y < region.y1; y++) {
    const row = load<i32>(job.rows + (<usize>y << 2));
    const quarters = <i32>(load<f64>(job.rowWeights + (<usize>y << 3)) * 4);
    const upper = job.src + (<usize>row * job.srcWidth + first) * sizeof<S>();
    // Without weight it has no say, and need not be there.
    const lower = quarters ? upper + <usize>job.srcWidth * sizeof<S>() : upper;
    pairRow<S, D>(job, upper, lower, quarters, (region.x1 - x0) >> 1, job.out + <usize>(y * job.width + x0) * sizeof<D>());
  }
}

/** Resamples the part that `findTwice` found. */
export function blendTwice(job: Resampling, region: TwiceRegion): void {
  if (job.targetType == 6) {
    if (job.type == 0) pairRows<u8, f32>(job, region);
    else if (job.type == 1) pairRows<i8, f32>(job, region);
    else if (job.type == 2) pairRows<u16, f32>(job, region);
    else pairRows<i16, f32>(job, region);
  } else if (job.targetType == 2) {
    if (job.type == 0) pairRows<u8, u16>(job, region);
    else pairRows<u16, u16>(job, region);
  } else if (job.type == 0) pairRows<u8, i16>(job, region);
  else if (job.type == 1) pairRows<i8, i16>(job, region);
  else pairRows<i16, i16>(job, region);
}
