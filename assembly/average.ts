// Average resampling of one plane within one CRS: separable, row by row, in f64, so that a pixel's value is the same whatever the
// block. Missing samples leave their weight to the others.
import { putRow } from './result';
import { widenSamples } from './widen';

/** f64 scratch values that `resample_average` needs. */
export function average_scratch(srcWidth: i32, width: i32): i32 {
  return srcWidth + 4 * (width + 8) + 4;
}

/** The source px per target px where all edges lie between source pixels, equally far apart, within the source; 0 otherwise. */
function wholeFactor(edges: usize, width: i32, srcWidth: i32): i32 {
  const first = load<f64>(edges);
  const step = load<f64>(edges, 8) - first;
  for (let x: i32 = 0; x <= width; x++) {
    const at = load<f64>(edges + (<usize>x << 3));
    if (at != floor(at) || at < 0 || at > <f64>srcWidth || at != first + <f64>x * step) return 0;
  }
  return <i32>abs(step);
}

/** `sumRow` by a whole factor: two target px at a time, which lie a step of edges apart. Every weight is 1. */
function sumWhole(wide: usize, factor: i32, edges: usize, width: i32, sums: usize, weights: usize): void {
  const one = f64x2.splat(1);
  const step = load<f64>(edges, 8) - load<f64>(edges);
  const stride = <isize>step << 3;
  let at = wide + (<isize>min(load<f64>(edges), load<f64>(edges, 8)) << 3);
  for (let x: i32 = 0; x < width; x += 2, at += 2 * stride) {
    // Behind the last is nothing to be read: the last again.
    const next = x + 1 < width ? at + stride : at;
    let sum = f64x2.splat(0);
    let weight = f64x2.splat(0);
    for (let i: usize = 0, end = <usize>factor << 3; i < end; i += 8) {
      const v = v128.load64_lane(next + i, v128.load64_zero(at + i), 1);
      const has = f64x2.eq(v, v);
      sum = f64x2.add(sum, v128.and(v, has));
      weight = f64x2.add(weight, v128.and(one, has));
    }
    v128.store(sums + (<usize>x << 3), sum);
    v128.store(weights + (<usize>x << 3), weight);
  }
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

/** n px, a multiple of 2: what is there += w × what is added. */
function addRow(to: usize, w: f64, from: usize, n: i32): void {
  const part = f64x2.splat(w);
  for (let i: usize = 0, end = <usize>n << 3; i < end; i += 16) {
    v128.store(to + i, f64x2.add(v128.load(to + i), f64x2.mul(part, v128.load(from + i))));
  }
}

/** Average: the area-weighted mean of the valid source pixels under each target pixel; f64[width + 1] and f64[height + 1] edges. */
export function resample_average(
  type: i32, src: usize, srcWidth: i32, srcHeight: i32, hasMissing: i32, missing: f64,
  colEdges: usize, rowEdges: usize, width: i32, height: i32,
  targetType: i32, hasNone: i32, none: f64, scratch: usize, out: usize,
): void {
  const even = (width + 7) & ~7;
  const line = <usize>even << 3;
  const own = scratch;
  const all = own + 2 * line;
  const spare = all + 2 * line;
  const wide = spare + 32;
  let rowOwn: i32 = -1;
  memory.fill(own, 0, 2 * line);
  const factor = wholeFactor(colEdges, width, srcWidth);
  for (let y: i32 = 0; y < height; y++) {
    const a = load<f64>(rowEdges + (<usize>y << 3));
    const b = load<f64>(rowEdges + (<usize>y << 3), 8);
    const top = max(min(a, b), 0);
    const bottom = min(max(a, b), <f64>srcHeight);
    memory.fill(all, 0, 2 * line);
    for (let row = <i32>top; <f64>row < bottom; row++) {
      if (row != rowOwn) {
        widenSamples(type, src, <usize>row * srcWidth, srcWidth, hasMissing ? missing : NaN, wide);
        if (factor > 0) sumWhole(wide, factor, colEdges, width, own, own + line);
        else sumRow(wide, srcWidth, colEdges, width, own, own + line);
        rowOwn = row;
      }
      addRow(all, min(<f64>(row + 1), bottom) - max(<f64>row, top), own, 2 * even);
    }
    const to = out + <usize>y * width * (targetType == 6 ? 4 : 2);
    const weights = all + line;
    const least = f64.MIN_NORMAL_VALUE;
    if (targetType == 6) putRow<f32>(all, weights, width, least, hasNone, none, spare, to);
    else if (targetType == 2) putRow<u16>(all, weights, width, least, hasNone, none, spare, to);
    else putRow<i16>(all, weights, width, least, hasNone, none, spare, to);
  }
}
