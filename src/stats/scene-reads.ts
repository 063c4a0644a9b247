import { liesAlong } from '../geo/footprint.js';
import { intersect, type Window } from '../geo/grid.js';
import type { MaskRecipe } from './mask-recipe.js';
import { type AxisMap, placeAlong, resamplingMargin, sourceWindow } from './placement.js';
import { maskReach, maskWindow } from './scene-mask.js';
import { checkSamples, openSources, type RasterCache, type SourceFile } from './source.js';
import type { Block, CompositeSpec, SourceScene } from './spec.js';

/** What a block reads of a scene: the windows of its files. */
export interface SceneReads {
  values: { file: SourceFile; window: Window }[];
  /** Of each mask band. */
  masks: { band: string; recipes: readonly MaskRecipe[]; file: SourceFile }[];
}

/** Opens the files of a scene and tells what a block needs of them; null where it needs nothing. */
export async function sceneReads(
  { spec, cache }: { spec: CompositeSpec; cache: RasterCache },
  { scene, block }: { scene: SourceScene; block: Block },
): Promise<SceneReads | null> {
  const { grid, resampling, datumShift, fullResolution, coarseBands } = spec;
  const target = { grid, cache, resampling, datumShift, fullResolution, coarseBands };
  const files = await openSources(scene, spec.bands, { ...target, classes: false });
  checkSamples(files, spec);
  const values = files.flatMap((file) => {
    const window = sourceWindow(file.placement, block, resamplingMargin(resampling, file.placement, file.sharpness));
    return window ? [{ file, window }] : [];
  });
  // What masks a scene beside the block may reach into it, once the day is fused.
  if (values.length === 0 && spec.maskWhen !== 'after-fuse') return null;
  const masks: SceneReads['masks'] = [];
  for (const [band, recipes] of recipesByBand(spec.masks)) {
    const [file] = await openSources(scene, [band], { ...target, classes: true });
    masks.push({ band, recipes, file: file! });
  }
  return { values, masks };
}

/** All windows that are surely read: with `after-fuse` the masks' are those of whole days, and not told here. */
export function windowsOf({ values, masks }: SceneReads, spec: CompositeSpec, block: Block): SceneReads['values'] {
  if (spec.maskWhen === 'after-fuse') return values;
  const ofMasks = masks.flatMap(({ file, recipes }) => {
    const own = { target: block, ...(spec.maskWhen === 'before-warp' && { values }) };
    const window = maskWindow(file.placement, own, recipes);
    return window ? [{ file, window }] : [];
  });
  return [...values, ...ofMasks];
}

function recipesByBand(recipes: readonly MaskRecipe[]): Map<string, MaskRecipe[]> {
  const byBand = new Map<string, MaskRecipe[]>();
  for (const recipe of recipes) byBand.set(recipe.band, [...(byBand.get(recipe.band) ?? []), recipe]);
  return byBand;
}

/** False when the scene's known footprint lies outside the block: its files need not even be opened. */
export function mayMeet(spec: CompositeSpec, scene: SourceScene, block: Block): boolean {
  const { grid, bands } = spec;
  const reach = spec.maskWhen === 'after-fuse' ? dayMaskReach(spec, scene) : 0;
  if (scene.footprint) {
    // A pixel of slack: the file's own header decides in the end.
    const slack = 1 + reach;
    const { col, row, width, height } = block;
    const around = { col: col - slack, row: row - slack, width: width + 2 * slack, height: height + 2 * slack };
    return intersect(scene.footprint, around) !== null;
  }
  const overlaps = ({ scale, offset }: AxisMap, size: number, begin: number, count: number) => {
    const [p, q] = [-offset / scale, (size - offset) / scale];
    return Math.min(p, q) < begin + count + 1 && Math.max(p, q) > begin - 1;
  };
  // Bands of one scene may cover different areas.
  return bands.some((band) => {
    const own = scene.sources[band]?.grid;
    if (!own || !liesAlong(own, grid) || reach > 0) return true;
    const { x, y } = placeAlong(own, grid);
    return overlaps(x, own.width, block.col, block.width) && overlaps(y, own.height, block.row, block.height);
  });
}

/** How far the filters of a day's mask reach out of a scene, in target px; as good as everywhere where that is not known. */
function dayMaskReach({ masks }: CompositeSpec, { footprint, sources }: SourceScene): number {
  const reaches = masks.map(({ band, steps }) => {
    const own = sources[band]?.grid;
    const reachPx = maskReach(steps);
    if (reachPx === 0) return 0;
    if (!footprint || !own) return 2 ** 30;
    return Math.ceil(reachPx * Math.max(footprint.width / own.width, footprint.height / own.height));
  });
  return Math.max(0, ...reaches);
}
