// Medoids: the observation with the smallest sum of Euclidean distances to all others, in f64, two pixels a vector.

/** Sums closer than this are equal: the same distances added in another order must not break a tie. */
const TIE: f64 = 1 - 1e-12;

/** Bytes of scratch for the medoid kernels. */
export function medoid_scratch(nBand: usize, nTime: usize): usize {
  return nTime * (nBand + 3) * 16;
}

// u16[nBand][nTime][nPx], strides in bytes -> index of the date i32[nPx], -1 = no date valid in all bands
export function medoid_u16(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize, nodata: i32, hasNodata: bool, scratch: usize, out: usize,
): void {
  medoids<u16>(src, bandStride, timeStride, nBand, nTime, nPx, hasNodata ? <f64>nodata : NaN, scratch, out);
}

// i16, as medoid_u16
export function medoid_i16(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize, nodata: i32, hasNodata: bool, scratch: usize, out: usize,
): void {
  medoids<i16>(src, bandStride, timeStride, nBand, nTime, nPx, hasNodata ? <f64>nodata : NaN, scratch, out);
}

// f32, NaN and infinities missing, otherwise as medoid_u16
export function medoid_f32(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize, scratch: usize, out: usize,
): void {
  medoids<f32>(src, bandStride, timeStride, nBand, nTime, nPx, NaN, scratch, out);
}

function medoids<T>(
  src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nPx: usize, nodata: f64, scratch: usize, out: usize,
): void {
  for (let x: usize = 0; x < nPx; x += 2) {
    const end = gather<T>(src + x * sizeof<T>(), bandStride, timeStride, nBand, nTime, nodata, scratch);
    const best = central(scratch, end, nBand);
    store<i32>(out + (x << 2), <i32>f64x2.extract_lane(best, 0));
    store<i32>(out + (x << 2), <i32>f64x2.extract_lane(best, 1), 4);
  }
}

/** Rows of the dates on which either pixel is valid: f64x2 date, mask, sum of distances (0), then the bands (0 where missing). */
function gather<T>(src: usize, bandStride: usize, timeStride: usize, nBand: usize, nTime: usize, nodata: f64, rows: usize): usize {
  const gap = f64x2.splat(nodata), zero = f64x2.splat(0);
  let r = rows;
  for (let t: usize = 0; t < nTime; t++, src += timeStride) {
    let valid = i64x2.splat(-1);
    for (let b: usize = 0, p = src, to = r + 48; b < nBand; b++, p += bandStride, to += 16) {
      const v = f64x2.replace_lane(f64x2.splat(<f64>load<T>(p)), 1, <f64>load<T>(p + sizeof<T>()));
      // v - v is not 0 for NaN and infinities.
      valid = v128.and(valid, v128.andnot(f64x2.eq(f64x2.sub(v, v), zero), f64x2.eq(v, gap)));
      v128.store(to, v);
    }
    if (i8x16.bitmask(valid) == 0) continue;
    for (let b: usize = 0, to = r + 48; b < nBand; b++, to += 16) v128.store(to, v128.and(v128.load(to), valid));
    v128.store(r, f64x2.splat(<f64>t));
    v128.store(r, valid, 16);
    v128.store(r, zero, 32);
    r += (nBand + 3) << 4;
  }
  return r;
}

/** The date of the row with the smallest sum, as f64x2; -1 without rows. */
function central(rows: usize, end: usize, nBand: usize): v128 {
  const rowBytes = (nBand + 3) << 4, bandBytes = nBand << 4;
  for (let i = rows; i < end; i += rowBytes) {
    const own = v128.load(i, 16);
    let sum = v128.load(i, 32);
    for (let k = i + rowBytes; k < end; k += rowBytes) {
      let d2 = f64x2.splat(0);
      for (let b: usize = 0; b < bandBytes; b += 16) {
        const e = f64x2.sub(v128.load(i + b, 48), v128.load(k + b, 48));
        d2 = f64x2.add(d2, f64x2.mul(e, e));
      }
      const d = v128.and(f64x2.sqrt(d2), v128.and(own, v128.load(k, 16)));
      sum = f64x2.add(sum, d);
      v128.store(k, f64x2.add(v128.load(k, 32), d), 32);
    }
    v128.store(i, sum, 32);
  }
  let best = f64x2.splat(-1), least = f64x2.splat(Infinity);
  for (let r = rows; r < end; r += rowBytes) {
    const sum = v128.load(r, 32);
    const better = v128.and(v128.load(r, 16), f64x2.lt(sum, f64x2.mul(least, f64x2.splat(TIE))));
    least = v128.bitselect(sum, least, better);
    best = v128.bitselect(v128.load(r), best, better);
  }
  return best;
}
