// Bilinear resampling of one plane within one CRS: separable, row by row, in f64, so that a pixel's value is the same whatever the
// block. Missing samples leave their weight to the others; where none is missing, weights are 1 and drop out.
import { blendTwice, findTwice, TwiceRegion } from './bilinear-twice';
import { Resampling } from './resampling';
import { noneOf, putEight, putRow, stepOf } from './result';
import { widenSamples } from './widen';

/** Pixels with less valid weight than this are missing, as in gdalwarp. */
const LEAST_WEIGHT: f64 = 1e-5;

/** Columns at a time: what a row of them needs stays in the nearest cache, and a missing sample slows down no more than these. */
const STRIP: i32 = 256;

/** A source row between each pair of neighbours. */
@unmanaged
class Line {
  row: i32;
  /** Whether all weights are 1; then only sums are there. */
  whole: i32;
  /** f64[STRIP] sums, weights, and i64 masks: −1 where the nearer of the two is valid. */
  sums: usize; weights: usize; near: usize;
}

const BYTES: usize = <usize>STRIP << 3;
const LINE_BYTES: usize = 32 + 3 * BYTES;
const JOB_BYTES: usize = 112;
const HEAD_BYTES: usize = JOB_BYTES + 16;

/** f64 scratch values that `resample_bilinear` needs. */
export function bilinear_scratch(srcWidth: i32): i32 {
  const fixed = HEAD_BYTES + 2 * LINE_BYTES + 4 * BYTES + 32;
  return srcWidth + 8 + <i32>(fixed >> 3);
}

/** An empty line of no row. */
function newLine(at: usize): Line {
  const line = changetype<Line>(at);
  line.row = i32.MIN_VALUE;
  line.whole = 0;
  line.sums = at + 32;
  line.weights = line.sums + BYTES;
  line.near = line.weights + BYTES;
  return line;
}

/** `span` samples of a source row from column `first` on, NaN outside; whether one is missing. */
function openRow(job: Resampling, row: i32, first: i32, span: i32, wide: usize): bool {
  const from = max(first, 0);
  const n = min(first + span, job.srcWidth) - from;
  for (let i: i32 = first; i < 0; i++) store<f64>(wide + (<usize>(i - first) << 3), NaN);
  for (let i: i32 = job.srcWidth; i < first + span; i++) store<f64>(wide + (<usize>(i - first) << 3), NaN);
  if (n <= 0) return true;
  const at = <usize>row * job.srcWidth + from;
  const some = widenSamples(job.type, job.src, at, n, job.gap, wide + (<usize>(from - first) << 3));
  return some || n < span;
}

/** Sums alone: no sample is missing. `places` are the left neighbours' in `wide`, bytes; n even. */
function blendWhole(line: Line, wide: usize, places: usize, colWeights: usize, n: i32): void {
  const one = f64x2.splat(1);
  const zero = f64x2.splat(0);
  const sums = line.sums;
  for (let x: i32 = 0; x < n; x += 2) {
    const p = v128.load(wide + <usize>load<i32>(places + (<usize>x << 2)));
    const q = v128.load(wide + <usize>load<i32>(places + (<usize>x << 2), 4));
    const w = v128.load(colWeights + (<usize>x << 3));
    const a = f64x2.mul(i64x2.shuffle(p, q, 0, 2), f64x2.sub(one, w));
    // A neighbour without weight has no say, not even an infinite one.
    const b = v128.and(f64x2.mul(i64x2.shuffle(p, q, 1, 3), w), f64x2.gt(w, zero));
    v128.store(sums + (<usize>x << 3), f64x2.add(a, b));
  }
}

/** Sums, weights and masks; as `blendWhole`. */
function blendGaps(line: Line, wide: usize, places: usize, colWeights: usize, n: i32): void {
  const one = f64x2.splat(1);
  const half = f64x2.splat(0.5);
  const zero = f64x2.splat(0);
  for (let x: i32 = 0; x < n; x += 2) {
    const p = v128.load(wide + <usize>load<i32>(places + (<usize>x << 2)));
    const q = v128.load(wide + <usize>load<i32>(places + (<usize>x << 2), 4));
    const w = v128.load(colWeights + (<usize>x << 3));
    const a = i64x2.shuffle(p, q, 0, 2);
    const b = i64x2.shuffle(p, q, 1, 3);
    const rest = f64x2.sub(one, w);
    const hasA = f64x2.eq(a, a);
    const hasB = v128.and(f64x2.eq(b, b), f64x2.gt(w, zero));
    const i = <usize>x << 3;
    v128.store(line.sums + i, f64x2.add(v128.and(f64x2.mul(a, rest), hasA), v128.and(f64x2.mul(b, w), hasB)));
    v128.store(line.weights + i, f64x2.add(v128.and(rest, hasA), v128.and(w, hasB)));
    v128.store(line.near + i, v128.bitselect(hasA, hasB, f64x2.lt(w, half)));
  }
}

/** Vertically between two lines without gaps, into the target; n px. `w` is the lower line's weight. */
function mixWhole<D>(job: Resampling, upper: Line, lower: Line, w: f64, n: i32, spare: usize, out: usize): void {
  const none = noneOf<D>(job.none);
  const step = stepOf<D>(job.hasNone, job.none);
  const rest = f64x2.splat(1 - w);
  const part = f64x2.splat(w);
  const both = i64x2.splat(w > 0 ? -1 : 0);
  for (let x: i32 = 0; x < n; x += 8) {
    const u = upper.sums + (<usize>x << 3);
    const l = lower.sums + (<usize>x << 3);
    const own = out + <usize>x * sizeof<D>();
    const a = mixPair(u, l, rest, part, both);
    const b = mixPair(u + 16, l + 16, rest, part, both);
    const c = mixPair(u + 32, l + 32, rest, part, both);
    const d = mixPair(u + 48, l + 48, rest, part, both);
    putEight<D>(a, b, c, d, none, step, n - x < 8 ? spare : own);
    if (n - x < 8) memory.copy(own, spare, <usize>(n - x) * sizeof<D>());
  }
}

/** Two of the upper line × `rest` + two of the lower × `part`, but for `both` 0 without the lower: it may be infinite. */
// @ts-ignore: decorator
@inline
function mixPair(upper: usize, lower: usize, rest: v128, part: v128, both: v128): v128 {
  const a = f64x2.mul(v128.load(upper), rest);
  return v128.bitselect(f64x2.add(a, f64x2.mul(v128.load(lower), part)), a, both);
}

/** Vertically between two lines: sums and weights f64[n] at `mix`, where the nearest sample is missing a weight of 0; n even. */
function mixGaps(upper: Line, lower: Line, w: f64, n: i32, mix: usize): void {
  const rest = f64x2.splat(1 - w);
  const part = f64x2.splat(w);
  const both = i64x2.splat(w > 0 ? -1 : 0);
  const near = w < 0.5 ? upper.near : lower.near;
  for (let i: usize = 0, end = <usize>n << 3; i < end; i += 16) {
    v128.store(mix + i, mixPair(upper.sums + i, lower.sums + i, rest, part, both));
    const weight = mixPair(upper.weights + i, lower.weights + i, rest, part, both);
    v128.store(mix + BYTES + i, v128.and(weight, v128.load(near + i)));
  }
}

/** Gives a line without gaps the weights and masks that it stands for. */
function weigh(line: Line, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 3; i < end; i += 16) {
    v128.store(line.weights + i, f64x2.splat(1));
    v128.store(line.near + i, i64x2.splat(-1));
  }
}

/** Fills a line with row `row`, if it is not there yet. */
function blendLine(job: Resampling, line: Line, row: i32, first: i32, span: i32, whole: bool, places: usize, n: i32): void {
  if (line.row == row) return;
  line.row = row;
  line.whole = 0;
  if (row < 0 || row >= job.srcHeight) {
    memory.fill(line.sums, 0, 3 * BYTES);
    return;
  }
  const colWeights = places + BYTES;
  const wide = colWeights + BYTES;
  if (openRow(job, row, first, span, wide) || !whole) return blendGaps(line, wide, places, colWeights, n);
  blendWhole(line, wide, places, colWeights, n);
  line.whole = 1;
}

/** Two rows into one of the target, n px at `out`. */
function mixRow<D>(job: Resampling, upper: Line, lower: Line, w: f64, n: i32, mix: usize, out: usize): void {
  const spare = mix + 2 * BYTES;
  if (upper.whole && (w == 0 || lower.whole) && 1 - w + w == 1) return mixWhole<D>(job, upper, lower, w, n, spare, out);
  const even = (n + 7) & ~7;
  if (upper.whole) weigh(upper, even);
  if (lower.whole) weigh(lower, even);
  mixGaps(upper, lower, w, even, mix);
  putRow<D>(mix, mix + BYTES, n, LEAST_WEIGHT, job.hasNone, job.none, spare, out);
}

/** Rows y0 to y1 of n ≤ STRIP columns from x0 on. */
function blendStrip(job: Resampling, x0: i32, n: i32, y0: i32, y1: i32): void {
  let upper = newLine(job.scratch);
  let lower = newLine(job.scratch + LINE_BYTES);
  const mix = job.scratch + 2 * LINE_BYTES;
  const places = mix + 2 * BYTES + 32;
  const even = (n + 7) & ~7;
  const cols = job.cols + (<usize>x0 << 2);
  let first = i32.MAX_VALUE;
  let last = i32.MIN_VALUE;
  for (let x: i32 = 0; x < n; x++) {
    first = min(first, load<i32>(cols + (<usize>x << 2)));
    last = max(last, load<i32>(cols + (<usize>x << 2)));
  }
  let whole = true;
  for (let x: i32 = 0; x < even; x++) {
    // Columns behind the last are the first source px alone.
    const w: f64 = x < n ? load<f64>(job.colWeights + (<usize>(x0 + x) << 3)) : 0;
    store<i32>(places + (<usize>x << 2), x < n ? (load<i32>(cols + (<usize>x << 2)) - first) << 3 : 0);
    store<f64>(places + BYTES + (<usize>x << 3), w);
    if (1 - w + w != 1) whole = false;
  }
  for (let y = y0; y < y1; y++) {
    const row = load<i32>(job.rows + (<usize>y << 2));
    const w = load<f64>(job.rowWeights + (<usize>y << 3));
    if (row == lower.row || row + 1 == upper.row) {
      const swap = upper;
      upper = lower;
      lower = swap;
    }
    blendLine(job, upper, row, first, last + 2 - first, whole, places, even);
    blendLine(job, lower, row + 1, first, last + 2 - first, whole, places, even);
    const at = <usize>(y * job.width + x0);
    if (job.targetType == 6) mixRow<f32>(job, upper, lower, w, n, mix, job.out + (at << 2));
    else if (job.targetType == 2) mixRow<u16>(job, upper, lower, w, n, mix, job.out + (at << 1));
    else mixRow<i16>(job, upper, lower, w, n, mix, job.out + (at << 1));
  }
}

/** Columns x0 to x1 of rows y0 to y1. */
function blendPart(job: Resampling, x0: i32, x1: i32, y0: i32, y1: i32): void {
  if (y0 >= y1) return;
  for (let x = x0; x < x1; x += STRIP) blendStrip(job, x, min(STRIP, x1 - x), y0, y1);
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
  const job = changetype<Resampling>(scratch);
  job.type = type; job.src = src; job.srcWidth = srcWidth; job.srcHeight = srcHeight;
  job.gap = hasMissing ? missing : NaN;
  job.cols = cols; job.colWeights = colWeights; job.rows = rows; job.rowWeights = rowWeights;
  job.targetType = targetType; job.hasNone = hasNone; job.none = none;
  job.width = width; job.height = height; job.out = out;
  job.scratch = scratch + HEAD_BYTES;
  const region = changetype<TwiceRegion>(scratch + JOB_BYTES);
  if (!findTwice(job, region)) return blendPart(job, 0, width, 0, height);
  blendTwice(job, region);
  blendPart(job, 0, width, 0, region.y0);
  blendPart(job, 0, region.x0, region.y0, region.y1);
  blendPart(job, region.x1, width, region.y0, region.y1);
  blendPart(job, 0, width, region.y1, height);
}
