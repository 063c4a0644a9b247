// Every statistic, mask and resampling in a few naive lines of f64: what the kernels must equal.
export * from './reference/geomedian.js';
export * from './reference/mask.js';
export * from './reference/order.js';
export * from './reference/plane.js';
export * from './reference/reduce.js';
export * from './reference/warp.js';
