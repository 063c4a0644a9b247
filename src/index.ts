/**
 * Stacks of satellite images → statistics.
 *
 * ```ts
 * import { composite, readScenes, writeCog } from 'stackwise';
 * const scenes = await readScenes('items.json');
 * const { results } = await composite(scenes, { bands: ['B04', 'B03', 'B02'], statistics: 'median,count' });
 * await writeCog('median.tif', results.median);
 * ```
 */
export {
  type ErrorFacts,
  FormatError,
  InputError,
  KernelError,
  StackwiseError,
  StoreError,
  UnreadableScenes,
  UnsupportedError,
  WorkerError,
} from './errors.js';
export type { Crs } from './geo/crs.js';
export type { Grid, Window } from './geo/grid.js';
export {
  type BandStatistics,
  type CogBand,
  type CogOptions,
  type CogResult,
  type CogWriter,
  createCog,
  encodeCog,
  writeCog,
} from './io/cog-writer.js';
export { encodePng, type PngImage } from './io/png.js';
export { type Points, type PointsInput, type ReadPointsOptions, readPoints } from './io/points.js';
export type { Dtype, NumericArray, Planes } from './io/raster.js';
export { withRetry } from './io/retry.js';
export type { S3Options } from './io/s3-options.js';
export { s3Store } from './io/s3-store.js';
export type { Scene, SceneBand } from './io/scene.js';
export { type ReadScenesOptions, readScenes } from './io/stac.js';
export type { Store } from './io/store.js';
export type { ChipLabel } from './jobs/chip-labels.js';
export type { ChipOptions } from './jobs/chip-options.js';
export type { ChipStatus } from './jobs/chip-place.js';
export type { ChipMeaning } from './jobs/chip-radiometry.js';
export type { ChipReport, Chips } from './jobs/chip-run.js';
export type { ChipRasters, ChipTime } from './jobs/chip-source.js';
export {
  type ChipBatchOptions,
  type ChipDictionary,
  chipBatches,
  chipDictionary,
  extractChips,
} from './jobs/chips.js';
export type { Plan } from './jobs/plan.js';
export type { CompositeOptions } from './jobs/prepare.js';
export { type Composite, composite, type SceneReport } from './jobs/run.js';
export { type SearchOptions, type SearchResult, searchScenes } from './jobs/search.js';
export { type Geomedian, type GeomedianOptions, geomedian } from './kernels/geomedian.js';
export { type MedoidOptions, medoid } from './kernels/medoid.js';
export { median, type OrderOptions, percentile, type QuantileRule } from './kernels/order.js';
export { count, max, mean, min, type ReduceOptions, std } from './kernels/reduce.js';
