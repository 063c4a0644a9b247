// The ABI of the kernels: exports only. Pointers and sizes in, numbers out; see each file's first line for shapes and units.
export { alloc, mark, release } from './memory';
export { geomedian_f32, geomedian_scratch, geomedian_u16 } from './geomedian';
