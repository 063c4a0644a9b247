// What a plan depends on, from surveys of the scenes.
import { type Grid, intersect } from '../geo/grid.js';
import { JPEG_2000_NAME, USUAL_CODEC } from '../io/jp2-header.js';
import { SAMPLE_BYTES } from '../io/raster.js';
import { type Placement, ratiosOf, resamplingMargin } from '../stats/placement.js';
import { maskReach } from '../stats/scene-mask.js';
import type { SourceFile } from '../stats/source.js';
import type { CompositeSpec } from '../stats/spec.js';
import { statisticFacts } from '../stats/statistic.js';
import type { RunLimits } from './composite-options.js';
import type { Layer, PlanInput } from './plan.js';
import type { Survey } from './survey.js';

/** The plan's view of the surveys: one scene of each CRS. */
export async function planInput(
  spec: CompositeSpec,
  surveys: readonly Survey[],
  limits: RunLimits,
): Promise<PlanInput> {
  const seen = surveys.map(({ values, masks }) =>
    Promise.all([
      ...values.map((file) => layerOf(file, spec, false)),
      ...masks.map((file) => layerOf(file, spec, true)),
    ]),
  );
  const [first, ...others] = await Promise.all(seen);
  const layers = first!.map((layer) => widest(layer, others.flat()));
  // Blocks follow the tiles of the finest file.
  layers.sort((a, b) => a.ratioX - b.ratioX || Number(a.mask) - Number(b.mask));
  const outputPixelBytes = spec.outputs.reduce((sum, o) => sum + o.bands.length * SAMPLE_BYTES[o.dtype], 0);
  const wholeObservations = spec.statistics.some((s) => statisticFacts(s.kind).wholeObservations);
  return {
    width: spec.grid.width,
    height: spec.grid.height,
    layers,
    footprints: footprints(spec),
    nBand: spec.bands.length,
    stackSampleBytes: spec.kernel.dtype === 'f32' ? 4 : 2,
    outputPixelBytes,
    codecBytes: codecBytes(spec, surveys),
    ...(surveys.some(isFar) && { isFar: true }),
    workPixelBytes: 4 * (wholeObservations ? spec.bands.length + 6 : 6) + 4,
    ...limits,
  };
}

async function layerOf(file: SourceFile, spec: CompositeSpec, mask: boolean): Promise<Layer> {
  const level = file.raster.header.levels[file.level]!;
  const { header } = file.raster;
  const { placement } = file;
  const source = ratiosOf(placement);
  const [ratioX, ratioY] = [1 / source.x, 1 / source.y];
  const storedBands = level.planar ? file.names.length : header.bands.length;
  const filters = spec.masks.filter((m) => file.names.includes(m.band)).map((m) => maskReach(m.steps));
  const aroundPx =
    mask && spec.maskWhen !== 'before-warp' ? 0 : resamplingMargin(spec.resampling, placement, file.sharpness).x;
  const reachPx = aroundPx + (mask ? Math.max(0, ...filters) : 0);
  const names = file.names.length > 2 ? `${file.names.length} bands` : file.names.join(', ');
  return {
    name: mask ? `${names} (mask)` : names,
    usedBands: file.names.length,
    storedBands,
    bytesPerSample: SAMPLE_BYTES[file.headers[0]!.dtype],
    ratioX,
    ratioY,
    tileWidth: Math.min(level.tileWidth, level.width) * ratioX,
    tileHeight: Math.min(level.tileHeight, level.height) * ratioY,
    originCol: placement.origin.x,
    originRow: placement.origin.y,
    // A fused day's mask is made in a frame around all files of the day.
    ...(mask && spec.maskWhen === 'after-fuse' ? {} : levelSize(file, spec)),
    halo: Math.ceil(reachPx * ratioX),
    spread: spreadOf(placement),
    cellBytes: placement.kind === 'cells' ? placement.cellBytes : 0,
    mask,
    tileBytes: await meanTileBytes(file),
    slowdown: header.codec?.slowdown ?? 1,
  };
}

/** The size of a band's level, of the largest file that a scene has it in. */
function levelSize(
  { names, raster: { header }, level }: SourceFile,
  { observations }: CompositeSpec,
): Pick<Layer, 'levelWidth' | 'levelHeight'> {
  const grids = observations.flatMap(({ scenes }) => scenes.map(({ sources }) => sources[names[0]!]?.grid ?? null));
  const { width, height } = header.levels[level]!;
  const most = (size: (grid: Grid) => number) =>
    grids.reduce((largest, grid) => Math.max(largest, grid ? size(grid) : Infinity), 0);
  return {
    levelWidth: Math.max(width, Math.ceil((most((grid) => grid.width) * width) / header.width)),
    levelHeight: Math.max(height, Math.ceil((most((grid) => grid.height) * height) / header.height)),
  };
}

/** What a codec takes in each thread: as the looked-at files say, and where only other scenes need it, as their names tell. */
function codecBytes({ observations }: CompositeSpec, surveys: readonly Survey[]): number {
  const files = surveys.flatMap(({ values, masks }) => [...values, ...masks]);
  const known = Math.max(0, ...files.map(({ raster }) => raster.header.codec?.threadBytes ?? 0));
  const named = observations.some(({ scenes }) =>
    scenes.some(({ sources }) => Object.values(sources).some(({ href }) => JPEG_2000_NAME.test(href))),
  );
  return Math.max(known, named ? USUAL_CODEC.threadBytes : 0);
}

/** Whether files are behind a network. */
const isFar = ({ values, masks }: Survey) => [...values, ...masks].some(({ raster }) => raster.foresee);

/** How far a pixel's step along the target goes along each axis of the source, as parts of the whole step. */
function spreadOf(placement: Placement): Layer['spread'] {
  const { x, y } = ratiosOf(placement);
  const [xx, xy, yx, yy] = placement.steps.map(Math.abs) as [number, number, number, number];
  return [xx / x, xy / x, yx / y, yy / y];
}

/** A layer as the scenes of all CRSs need it: the finest, the most turned. */
function widest(layer: Layer, others: readonly Layer[]): Layer {
  const all = [layer, ...others.filter((other) => other.name === layer.name && other.mask === layer.mask)];
  const most = (value: (one: Layer) => number) => Math.max(...all.map(value));
  const spread = layer.spread.map((_, i) => most((one) => one.spread[i]!)) as unknown as Layer['spread'];
  const [ratioX, ratioY] = [-most((one) => -one.ratioX), -most((one) => -one.ratioY)];
  return {
    ...layer,
    ratioX,
    ratioY,
    levelWidth: most((one) => one.levelWidth ?? Infinity),
    levelHeight: most((one) => one.levelHeight ?? Infinity),
    halo: most((one) => one.halo),
    spread,
    cellBytes: most((one) => one.cellBytes),
  };
}

async function meanTileBytes(file: SourceFile): Promise<number> {
  const { raster, level, bandIndices } = file;
  const planes = raster.header.levels[level]!.planar ? bandIndices : [bandIndices[0]!];
  let sum = 0;
  for (const band of planes) sum += await raster.tileBytes({ level, col: 0, row: 0 }, band);
  return sum;
}

/** Where each scene lies, in target pixels, clipped to the grid. */
function footprints({ grid, observations }: CompositeSpec): PlanInput['footprints'] {
  const whole = { col: 0, row: 0, width: grid.width, height: grid.height };
  return observations.flatMap((observation, index) =>
    observation.scenes.map(({ footprint = whole }) => {
      const { col, row, width, height } = intersect(footprint, whole) ?? { ...whole, width: 1, height: 1 };
      return { col, row, width, height, observation: index };
    }),
  );
}
