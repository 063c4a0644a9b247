import type { Composite, CompositeOptions } from '../../build/index.js';
import { sha256 } from '../../build/io/sha256.js';

/** Every kind of kernel: order statistics, sums, the geomedian, whole observations, masks with morphology, and resampling. */
export const OPTIONS: CompositeOptions = {
  bands: ['B02', 'B03', 'B04', 'B11'],
  statistics: 'median,percentile:25,mean,std,geomedian,mads,count,medoid',
  resampling: 'bilinear',
  dtype: 'float32',
};

/** The same scenes in another CRS: positions come from the engine's sines, and must not show it. */
export const WARPED: CompositeOptions = {
  ...OPTIONS,
  crs: 'EPSG:3035',
  resampling: 'cubic',
  statistics: 'median,count',
};

/** What must be the same everywhere, as one JSON text a statistic: names, samples (hash and a few numbers), frame. */
export function digestOf({ results }: Pick<Composite, 'results'>): Record<string, string> {
  const digest = (data: ArrayBufferView) => {
    const hash = sha256();
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return hash.hex();
  };
  return Object.fromEntries(
    Object.entries(results).map(([key, { names, data, grid }]) => {
      const { affine, width, height } = grid;
      const middle = Math.floor((height / 2) * width + width / 2);
      const samples = data.map((band) => ({ sha256: digest(band), middle: [...band.subarray(middle, middle + 3)] }));
      return [key, JSON.stringify({ names, affine, width, height, samples })];
    }),
  );
}
