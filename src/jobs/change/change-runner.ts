import { countedSince, type StoreMeter } from '../../io/meter.js';
import { openRaster } from '../../io/open-raster.js';
import { networkMeter } from '../../io/stores.js';
import { Kernels, kernels } from '../../kernels/memory.js';
import { ALGORITHM } from '../../stats/change.js';
import { type ChangeJob, type ChangeSpec, changeBlock } from '../../stats/change-block.js';
import { holdInMemory } from '../../stats/hold.js';
import { rasterCache } from '../../stats/source.js';
import type { BlockRunner } from '../pool.js';
import { type PackedRows, RowPacker } from './packed-rows.js';

/** The changes of rows, and what is told of the way to them. */
export interface ChangePart {
  rows: PackedRows;
  /** What the thread moved over the network since its last rows; null where the caller's own thread counts it. */
  network: StoreMeter | null;
}

/** The buffers of rows, for the way out of a thread. */
const buffersOf = ({ bytes, ends, dates }: PackedRows) =>
  [bytes, ends, dates].map(({ buffer }) => buffer as ArrayBuffer);

/** Detects changes in rows of chips, with opened files of its own. */
export const changeRunner: BlockRunner<ChangeSpec, ChangeJob, ChangePart> = {
  name: 'changes',
  start(spec, { alone }) {
    const k = alone ? kernels() : new Kernels();
    const cache = rasterCache((href) => openRaster(href));
    const kept = { k, spec, cache, hold: holdInMemory(k) };
    const packer = new RowPacker();
    let counted = countedSince(networkMeter);
    return {
      async run(job, { signal }) {
        packer.begin(job.window.width * job.window.height);
        const facts = await changeBlock({ ...kept, ...(signal && { signal }) }, job, packer);
        const rows = packer.rows({ algorithm: ALGORITHM, ...facts });
        const network = alone ? counted() : null;
        counted = countedSince(networkMeter);
        return { result: { rows, network }, transfer: buffersOf(rows) };
      },
      close: () => cache.close(),
    };
  },
};
