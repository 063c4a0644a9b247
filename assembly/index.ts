// The ABI of the kernels: exports only. Pointers and sizes in, numbers out; see each file's first line for shapes and units.
export { alloc, mark, release } from './memory';
export { bit_mask_u16, bit_mask_u32, class_mask_i32, class_mask_u16, class_mask_u8, or_masks } from './bits';
export { pack_bits, unpack_bits, invert_bits, dilate_bits } from './morph';
export { place_f32, place_i16, place_mask, place_u16 } from './place';
export { average_scratch, resample_average } from './average';
export { axis_neighbours, axis_positions } from './axis';
export { bilinear_scratch, resample_bilinear } from './bilinear';
export { warp_nearest } from './warp';
export { warp_blend } from './warp-blend';
export { warp_area, warp_area_scratch } from './warp-area';
export { shift_f32, shift_i16, shift_u16 } from './shift';
export { fuse_f32, fuse_u16, mask_planes_f32, mask_planes_u16, status_f32, status_u16 } from './fuse';
export { count_all_f32, count_all_u16, gather_f32, gather_u16, pick_f32, pick_u16 } from './pick';
export { narrow_i16, narrow_i32, narrow_i8, narrow_u16, narrow_u32, narrow_u8 } from './narrow';
export { median_f32, median_i16, median_scratch, median_u16 } from './median';
export { quantiles_f32, quantiles_i16, quantiles_scratch, quantiles_u16 } from './quantile';
export { reduce_f32, reduce_i16, reduce_scratch, reduce_u16 } from './reduce';
export { geomedian_f32, geomedian_scratch, geomedian_u16 } from './geomedian';
export {
  halve_u8, halve_i8, halve_u16, halve_i16, halve_u32, halve_i32, halve_f32, halve_f64,
  summarize_u8, summarize_i8, summarize_u16, summarize_i16, summarize_u32, summarize_i32, summarize_f32, summarize_f64,
} from './overview';
export { pack_8, pack_16, pack_32, pack_64, pack_floats_32, pack_floats_64 } from './pack';
export { medoid_f32, medoid_i16, medoid_scratch, medoid_u16 } from './medoid';
export { unpack_8, unpack_16, unpack_32, unpack_64, sum_bytes, join_bytes } from './predictor';
export { swap_bytes, reverse_bits, widen_bits, widen_floats } from './samples';
export { unlzw, lzw_scratch, unpack_runs } from './lzw';
export { inflate, inflate_scratch } from './inflate';
export { copy_rows } from './rows';
export { cosine_sine } from './sine';
export {
  ccdc_create, ccdc_strip, ccdc_detect, ccdc_segments, ccdc_observe, ccdc_variogram, ccdc_fit, ccdc_robust, ccdc_closest,
} from './ccdc/chip';
