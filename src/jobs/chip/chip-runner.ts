import { openRaster } from '../../io/open-raster.js';
import type { ChipJob, ChipJobResult, ChipSpec } from '../../stats/chip-spec.js';
import { ChipStage, cutChips } from '../../stats/chips.js';
import { rasterCache } from '../../stats/source.js';
import type { BlockRunner } from '../pool.js';

/** Cuts chips job by job, with opened files of its own. */
export const chipRunner: BlockRunner<ChipSpec, ChipJob, ChipJobResult> = {
  name: 'chips',
  start(spec) {
    const cache = rasterCache((href) => openRaster(href));
    const stage = new ChipStage();
    return {
      async run(job, { signal }) {
        const result = await cutChips({ spec, cache, stage, ...(signal && { signal }) }, job);
        return { result, transfer: result.parts.flatMap(({ data, mask }) => [data, mask]) };
      },
      close: () => cache.close(),
    };
  },
};
