import type { BandHeader, Dtype } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import { darkestSample } from '../stats/darkest.js';
import { type OffsetMode, type SettledRadiometry, settleRadiometry } from '../stats/radiometry.js';
import { bandKey, type Sensor } from '../stats/sensors.js';
import type { RasterCache } from '../stats/source.js';
import type { CompositeSpec, SourceScene } from '../stats/spec.js';

/** What a run knows when its radiometry is settled. */
interface RadiometryWork {
  bands: readonly string[];
  sensor: Sensor | null;
  cache: RasterCache;
  options: {
    offset?: OffsetMode | undefined;
    signal?: AbortSignal | undefined;
    onWarning?: ((text: string) => void) | undefined;
  };
}

/** Settles what is added to the numbers of all scenes, asking pixels of files where metadata leaves doubt; tells what there is to warn of. */
export async function settleScenes(scenes: readonly Scene[], work: RadiometryWork): Promise<SettledRadiometry> {
  const { bands, sensor, cache } = work;
  const { offset = 'auto', signal, onWarning } = work.options;
  const settled = await settleRadiometry({
    scenes,
    bands,
    mode: offset,
    find: (scene, name) => {
      const key = bandKey(scene, name, sensor);
      return key === null ? null : { key, band: scene.bands[key]! };
    },
    // A scene that cannot be read is found out about where all are read.
    darkest: async ({ band: { href, bandIndex, nodata = null } }) => {
      const raster = await cache.open(href).catch(() => null);
      return raster && darkestSample(raster, { bandIndex, nodata, signal }).catch(() => null);
    },
  });
  signal?.throwIfAborted();
  for (const warning of settled.warnings) onWarning?.(warning);
  return settled;
}

/** What numbers mean then, by band: where a file of another sensor than Sentinel-2 has scale or offset, it is believed. */
export function meantBy<T extends Pick<BandHeader, 'scale' | 'offset'>>(
  { facts }: SettledRadiometry,
  scenes: readonly Scene[],
  headers: readonly T[],
): T[] {
  const isEsa = scenes.some(({ radiometry }) => radiometry);
  return headers.map((header, i) => {
    const { scale, offset } = facts[i]!;
    if (!isEsa && (header.scale !== 1 || header.offset !== 0)) return header;
    return { ...header, scale: scale ?? header.scale, offset: offset ?? header.offset };
  });
}

/** Writes into the sources what is added to their numbers; gives the headers with what the numbers then mean. */
export async function applyRadiometry(
  scenes: readonly Scene[],
  work: RadiometryWork & { sources: readonly SourceScene[]; headers: readonly BandHeader[] },
): Promise<{ isShifted: boolean; headers: BandHeader[] }> {
  const { sources, bands, headers } = work;
  const settled = await settleScenes(scenes, work);
  const byId = new Map(scenes.map((scene) => [`${scene.id} ${scene.timeMs}`, scene]));
  let isShifted = false;
  for (const { id, timeMs, sources: own } of sources) {
    const scene = byId.get(`${id} ${timeMs}`)!;
    for (const name of bands) {
      const shiftDn = settled.shiftDn(scene, name);
      if (shiftDn === 0) continue;
      own[name]!.shiftDn = shiftDn;
      isShifted = true;
    }
  }
  return { isShifted, headers: meantBy(settled, scenes, headers) };
}

/** The stack's type where numbers are shifted: float results keep what falls below the least integer. */
export function shiftedKernel(
  kernel: CompositeSpec['kernel'],
  { shifted, outputType }: { shifted: boolean; outputType: Dtype | null },
): CompositeSpec['kernel'] {
  const isFloat = outputType === 'f32' || outputType === 'f64';
  return shifted && isFloat ? { dtype: 'f32', nodata: null } : kernel;
}
