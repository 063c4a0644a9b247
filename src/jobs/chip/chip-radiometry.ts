// What the numbers of chips mean: those of scenes are taken to equal reflectance, as in composites.
import type { RasterHeader } from '../../io/raster.js';
import type { Sensor } from '../../stats/sensors.js';
import type { RasterCache } from '../../stats/source.js';
import { meantBy, settleScenes } from '../radiometry.js';
import type { ChipOptions } from './chip-options.js';
import type { ChipCandidate } from './chip-source.js';

/** What a band's numbers mean: value × scale + offset; 1 and 0 where nothing says it, or the rasters differ. */
export interface ChipMeaning {
  scale: number;
  offset: number;
}

export interface ChipRadiometry {
  /** By band. */
  meanings: ChipMeaning[];
  /** What is added to the valid samples of each band of a candidate. */
  shiftsOf(candidate: ChipCandidate): number[];
}

/** What the files say of each band, where all say the same. */
function statedMeanings(
  used: ReadonlyMap<number, RasterHeader>,
  { candidates, bands }: { candidates: readonly ChipCandidate[]; bands: readonly string[] },
): ChipMeaning[] {
  const stated = bands.map((): ChipMeaning[] => []);
  for (const [index, header] of used) {
    const { bands: own, planes } = candidates[index]!;
    for (const [i, band] of own.entries()) {
      const found = header.bands[band];
      if (found) stated[planes[i]! % bands.length]!.push({ scale: found.scale, offset: found.offset });
    }
  }
  return stated.map(([first, ...others]) => {
    const alike = first && others.every(({ scale, offset }) => scale === first.scale && offset === first.offset);
    return alike ? first : { scale: 1, offset: 0 };
  });
}

/** Settles the radiometry of the candidates that are used, by their place. */
export async function chipRadiometry(
  used: ReadonlyMap<number, RasterHeader>,
  work: {
    candidates: readonly ChipCandidate[];
    bands: readonly string[];
    sensor: Sensor | null;
    cache: RasterCache;
    options: ChipOptions;
  },
): Promise<ChipRadiometry> {
  const { candidates, bands } = work;
  const meanings = statedMeanings(used, work);
  const scenes = [...new Set([...used.keys()].flatMap((index) => candidates[index]!.scene ?? []))];
  if (scenes.length === 0) return { meanings, shiftsOf: ({ planes }) => planes.map(() => 0) };
  const settled = await settleScenes(scenes, work);
  return {
    meanings: meantBy(settled, scenes, meanings),
    shiftsOf: ({ scene, planes }) =>
      planes.map((plane) => (scene ? settled.shiftDn(scene, bands[plane % bands.length]!) : 0)),
  };
}
