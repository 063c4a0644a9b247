// Order statistics of one series of f64, in place.

/** The value of rank k (0 = smallest) of f64[n], 0 <= k < n; no larger value stands before it, no smaller one behind. */
export function select(values: usize, n: i32, k: i32): f64 {
  let low: i32 = 0, high = n - 1;
  while (low < high) {
    const pivot = load<f64>(values + (((low + high) >> 1) << 3));
    let i = low, j = high;
    do {
      while (load<f64>(values + (i << 3)) < pivot) i++;
      while (pivot < load<f64>(values + (j << 3))) j--;
      if (i <= j) {
        const p = values + (i << 3), q = values + (j << 3), value = load<f64>(p);
        store<f64>(p, load<f64>(q));
        store<f64>(q, value);
        i++;
        j--;
      }
    } while (i <= j);
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return load<f64>(values + (k << 3));
}

/** The median of f64[n]: the mean of the middle two of an even number, NaN of none. Reorders the values. */
export function medianOf(values: usize, n: i32): f64 {
  if (n == 0) return NaN;
  const middle = n >> 1, upper = select(values, n, middle);
  if (n & 1) return upper;
  let lower = load<f64>(values);
  for (let p = values + 8, end = values + (middle << 3); p < end; p += 8) lower = max(lower, load<f64>(p));
  return 0.5 * (lower + upper);
}
