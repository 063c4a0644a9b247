import { openRaster } from '../io/open-raster.js';
import { Kernels, kernels } from '../kernels/memory.js';
import { compositeBlock } from '../stats/composite.js';
import { rasterCache } from '../stats/source.js';
import type { Block, BlockResult, CompositeSpec } from '../stats/spec.js';
import type { BlockRunner } from './pool.js';

/** Composites block by block with opened files of its own, and with kernels of its own unless it has the thread to itself. */
export const compositeRunner: BlockRunner<CompositeSpec, Block, BlockResult> = {
  name: 'composite',
  start(spec, { alone }) {
    // Tiles are decoded by the thread's kernels: where those may be the session's too, pixels are placed from where they lie.
    const k = alone ? kernels() : new Kernels();
    const cache = rasterCache((href) => openRaster(href));
    return {
      async run(block, { signal }) {
        const result = await compositeBlock({ k, spec, cache, ...(signal && { signal }) }, block);
        return { result, transfer: result.planes.flat().map((plane) => plane.buffer) };
      },
      close: () => cache.close(),
    };
  },
};
