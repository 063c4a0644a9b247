/** What is resampled along the axes, and where to; sizes in px. */
@unmanaged
export class Resampling {
  /** Samples [srcHeight][srcWidth] of `type`; `gap` is the missing value, NaN for none. */
  type: i32; src: usize; srcWidth: i32; srcHeight: i32; gap: f64;
  /** Of each column (row) of the target the left (upper) neighbour i32, and the weight f64 of the other one. */
  cols: usize; colWeights: usize; rows: usize; rowWeights: usize;
  /** [height][width] of type 2 u16, 3 i16 or 6 f32. */
  targetType: i32; hasNone: i32; none: f64; width: i32; height: i32; out: usize;
  scratch: usize;
}
