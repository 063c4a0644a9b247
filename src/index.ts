export * from './errors.js';
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
export type { Planes } from './io/raster.js';
