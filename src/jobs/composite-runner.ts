import { countedSince, type StoreMeter } from '../io/meter.js';
import { openRaster } from '../io/open-raster.js';
import { diskMeter, networkMeter } from '../io/stores.js';
import { Kernels, kernels } from '../kernels/memory.js';
import { compositeBlock } from '../stats/composite.js';
import { readAhead } from '../stats/read-ahead.js';
import { rasterCache } from '../stats/source.js';
import type { Block, BlockResult, CompositeSpec, SourceState } from '../stats/spec.js';
import type { BlockRunner } from './pool.js';
import { stateOf } from './source-states.js';

/** A block, and what is told of the way to it. */
export interface RunBlock extends BlockResult {
  /** Files that the thread read for the first time. */
  sources: SourceState[];
  /** What the thread moved over the network since its last block; null where the caller's own thread counts it. */
  network: StoreMeter | null;
  /** Bytes that it read from the disk, likewise. */
  diskBytes: number;
}

/** Composites block by block with opened files of its own, and with kernels of its own unless it has the thread to itself. */
export const compositeRunner: BlockRunner<CompositeSpec, Block, RunBlock> = {
  name: 'composite',
  looksAhead: true,
  start(spec, { alone }) {
    // Tiles are decoded by the thread's kernels: where those may be the session's too, pixels are placed from where they lie.
    const k = alone ? kernels() : new Kernels();
    const met = new Set<string>();
    let isNew: string[] = [];
    const cache = rasterCache(async (href) => {
      const raster = await openRaster(href);
      if (!met.has(href)) isNew.push(href);
      met.add(href);
      return raster;
    });
    const ahead = readAhead({ spec, cache });
    let counted = countedSince(networkMeter);
    let countedDisk = countedSince(diskMeter);
    return {
      async run(block, { signal, next }) {
        if (block.aheadBytes) for (const one of next ? [block, next] : [block]) ahead.expect(one);
        const context = { k, spec, cache, ...(block.aheadBytes && { ahead }), ...(signal && { signal }) };
        const done = await compositeBlock(context, block).finally(() => ahead.done(block));
        const opened = isNew;
        isNew = [];
        const sources = await Promise.all(opened.map(async (href) => [href, await stateOf(href)] as const));
        const network = alone ? counted() : null;
        const diskBytes = alone ? countedDisk().bytes : 0;
        counted = countedSince(networkMeter);
        countedDisk = countedSince(diskMeter);
        return {
          result: { ...done, sources, network, diskBytes },
          transfer: done.planes.flat().map((plane) => plane.buffer),
        };
      },
      async close() {
        ahead.close();
        await cache.close();
      },
    };
  },
};
