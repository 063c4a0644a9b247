// The ABI of the kernels: exports only. Pointers and sizes in, numbers out; see each file's first line for shapes and units.
export { alloc, mark, release } from './memory';
export {
  halve_u8, halve_i8, halve_u16, halve_i16, halve_u32, halve_i32, halve_f32, halve_f64,
  summarize_u8, summarize_i8, summarize_u16, summarize_i16, summarize_u32, summarize_i32, summarize_f32, summarize_f64,
} from './overview';
export { pack_8, pack_16, pack_32, pack_64, pack_floats_32, pack_floats_64 } from './pack';
