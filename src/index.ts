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
export { fromOrdinal, toOrdinal } from './geo/ordinal.js';
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
export type { ChipLabel } from './jobs/chip/chip-labels.js';
export type { ChipOptions } from './jobs/chip/chip-options.js';
export type { ChipStatus } from './jobs/chip/chip-place.js';
export type { ChipMeaning } from './jobs/chip/chip-radiometry.js';
export type { ChipReport, Chips } from './jobs/chip/chip-run.js';
export type { ChipRasters, ChipTime } from './jobs/chip/chip-source.js';
export {
  type ChipBatchOptions,
  type ChipDictionary,
  chipBatches,
  chipDictionary,
  extractChips,
} from './jobs/chip/chips.js';
export type { CompositeOptions } from './jobs/composite-options.js';
export type { Plan } from './jobs/plan.js';
export { type Composite, composite, type SceneReport } from './jobs/run.js';
export { type SearchOptions, type SearchResult, searchScenes } from './jobs/search.js';
export { type Geomedian, type GeomedianOptions, geomedian } from './kernels/geomedian.js';
export { type MedoidOptions, medoid } from './kernels/medoid.js';
export { median, type OrderOptions, percentile, type QuantileRule } from './kernels/order.js';
export { count, max, mean, min, type ReduceOptions, std } from './kernels/reduce.js';
export { ALGORITHM, type ChangeCounts, type Changes, countPixels, type Segments } from './stats/change.js';
export { type ChangeBandOptions, PYCCD_BANDS } from './stats/change-bands.js';
export type { ChipData, PixelSeries } from './stats/change-input.js';
export {
  type FromJsonOptions,
  fromJSON,
  type PyccdBand,
  type PyccdModel,
  type PyccdResult,
  toJSON,
} from './stats/change-json.js';
export { PYCCD_DEFAULTS, type PyccdParameters } from './stats/change-parameters.js';
export { predict } from './stats/change-predict.js';
export { type ChangeProducts, changeProducts } from './stats/change-products.js';
export type { QaScheme } from './stats/change-qa.js';
export { type DetectChipInput, type DetectInput, type DetectOptions, detect, detectChip } from './stats/detect.js';
export { type Collection2Kind, fromCollection2 } from './stats/landsat-collection2.js';
