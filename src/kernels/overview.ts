import type { Kernels } from './memory.js';

/** Sample types that can be reduced and packed, as the raster files store them. */
export type PackDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';

/** How four pixels become one: the top-left one, the mean of the valid, or the most frequent valid value (ties: the smallest). */
export type OverviewMethod = 'nearest' | 'average' | 'mode';

/** A plane of one band in wasm memory: [height][stridePx], of which `width` px count. Missing: NaN and `nodata`. */
export interface PlaneView {
  ptr: number;
  dtype: PackDtype;
  /** px */
  width: number;
  /** px */
  height: number;
  /** px */
  stridePx: number;
  nodata: number | null;
}

/** What is known of the valid samples of a plane; `squares` is the sum of squared distances from the mean. */
export interface Summary {
  count: number;
  minimum: number;
  maximum: number;
  mean: number;
  squares: number;
}

const METHODS: Record<OverviewMethod, number> = { nearest: 0, average: 1, mode: 2 };

/** Bytes of one sample. */
export const SAMPLE_BYTES: Readonly<Record<PackDtype, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  f64: 8,
};

/**
 * Halves a plane to [⌈height/2⌉][strideOutPx] of the same dtype at `out`. An odd last row or column is reduced from what there
 * is; integer averages round half to even; where no pixel is valid the result is nodata (NaN or 0 without one). An average that
 * happens to equal nodata is missing in the overview.
 */
export function halveInto(
  k: Kernels,
  plane: PlaneView,
  method: OverviewMethod,
  out: { ptr: number; stridePx: number },
): void {
  const { ptr, dtype, width, height, stridePx, nodata } = plane;
  const halve = k.exports[`halve_${dtype}`];
  const has = nodata !== null && !Number.isNaN(nodata) ? 1 : 0;
  halve(ptr, width, height, stridePx, METHODS[method], has, has ? nodata! : 0, out.ptr, out.stridePx);
}

/** Count, minimum, maximum, mean and squared deviations of a plane's valid samples, in f64. */
export function summarize(k: Kernels, plane: PlaneView): Summary {
  const { ptr, dtype, width, height, stridePx, nodata } = plane;
  const has = nodata !== null && !Number.isNaN(nodata) ? 1 : 0;
  return k.scope(() => {
    const out = k.alloc(5 * 8);
    k.exports[`summarize_${dtype}`](ptr, width, height, stridePx, has, has ? nodata! : 0, out);
    const [count, minimum, maximum, mean, squares] = k.f64(out, 5) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { count, minimum, maximum, mean, squares };
  });
}

/** The summary of two disjoint sets of samples (Chan, Golub and LeVeque 1979); not exactly commutative, so mind the order. */
export function mergeSummaries(p: Summary, q: Summary): Summary {
  if (p.count === 0) return q;
  if (q.count === 0) return p;
  const count = p.count + q.count;
  const delta = q.mean - p.mean;
  return {
    count,
    minimum: Math.min(p.minimum, q.minimum),
    maximum: Math.max(p.maximum, q.maximum),
    mean: p.mean + (delta * q.count) / count,
    squares: p.squares + q.squares + ((delta * delta * p.count) / count) * q.count,
  };
}
