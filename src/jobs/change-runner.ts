import { openRaster } from '../io/open-raster.js';
import { Kernels, kernels } from '../kernels/memory.js';
import type { Changes } from '../stats/change.js';
import { type ChangeJob, type ChangeSpec, changeBlock } from '../stats/change-block.js';
import { rasterCache } from '../stats/source.js';
import type { BlockRunner } from './pool.js';

/** The buffers of results, for the way out of a thread. */
function buffersOf({ segments: s, ...changes }: Changes): ArrayBuffer[] {
  const arrays = [...Object.values(changes), ...Object.values(s)].filter((value) => ArrayBuffer.isView(value));
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** Detects changes in rows of chips, with opened files of its own. */
export const changeRunner: BlockRunner<ChangeSpec, ChangeJob, Changes> = {
  name: 'changes',
  start(spec, { alone }) {
    const k = alone ? kernels() : new Kernels();
    const cache = rasterCache((href) => openRaster(href));
    return {
      async run(job, { signal }) {
        const result = await changeBlock({ k, spec, cache, ...(signal && { signal }) }, job);
        return { result, transfer: buffersOf(result) };
      },
      close: () => cache.close(),
    };
  },
};
