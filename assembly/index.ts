// The ABI of the kernels: exports only. Pointers and sizes in, numbers out; see each file's first line for shapes and units.
export { alloc, mark, release } from './memory';
export { geomedian_f32, geomedian_scratch, geomedian_u16 } from './geomedian';
export { median_f32, median_i16, median_scratch, median_u16 } from './median';
export { quantiles_f32, quantiles_i16, quantiles_scratch, quantiles_u16 } from './quantile';
export { reduce_f32, reduce_i16, reduce_scratch, reduce_u16 } from './reduce';
export { medoid_f32, medoid_i16, medoid_scratch, medoid_u16 } from './medoid';
