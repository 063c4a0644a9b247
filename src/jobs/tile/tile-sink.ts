// Where the blocks of a tile go: one COG a band, and a picture of three of them.
import { type CogOptions, type CogResult, type CogWriter, createCog } from '../../io/cog-writer.js';
import type { NumericArray } from '../../io/raster.js';
import { COG } from '../../io/result-item.js';
import { samplesOf } from '../../stats/composite.js';
import { rgbaOf } from '../../stats/rgba.js';
import type { Block, CompositeSpec } from '../../stats/spec.js';
import { footprintLattice } from '../../stats/valid-footprint.js';
import type { RunBlock } from '../composite-runner.js';
import type { OutputFolder } from '../output-folder.js';
import type { Prepared } from '../prepare.js';
import type { BlockSink } from '../run.js';
import type { Recipe } from './recipe.js';
import type { RunSettings } from './run-settings.js';
import type { TileNames } from './tile-name.js';
import type { GroundPolygons, TileFile } from './tile-result.js';

/** The rasters of a tile, written and named. */
export interface TileRasters {
  files: TileFile[];
  footprint: GroundPolygons;
  /** Of files, seconds of finishing them: overviews, and the way to their store. */
  seconds: number;
}

export interface TileSinkWork {
  place: OutputFolder;
  names: TileNames;
  recipe: Recipe;
  settings: RunSettings;
  signal?: AbortSignal | undefined;
  /** Called when the last block is in, before the files are finished. */
  onComputed: () => void;
}

/** A raster of the tile: where its samples stand in a block's planes, and how it is written. */
interface Layer {
  name: string;
  file: string;
  kind: TileFile['kind'];
  options: CogOptions;
  samples(block: RunBlock, window: Block): NumericArray[];
}

/** Where an output's samples stand among the planes of a block. */
function planeOf(spec: CompositeSpec, { statistic, band }: Recipe['outputs'][number]): [output: number, band: number] {
  const output = spec.outputs.findIndex((one) => one.statistic.key === statistic);
  return [output, typeof band === 'number' ? band : spec.outputs[output]!.bands.indexOf(band)];
}

/** The missing value that a file states: the result's own, else what `cog_opts` or the product say of bands that have none. */
function statedNodata(own: number | null, { product: { nodata }, cog }: RunSettings, band: string): number | null {
  const asked = own ?? cog.choicesFor(band).nodata ?? null;
  if (asked !== null || nodata === null) return asked;
  return typeof nodata === 'number' ? nodata : Object.hasOwn(nodata, band) ? nodata[band]! : null;
}

function layersOf(prepared: Prepared, work: TileSinkWork): Layer[] {
  const { spec, bandHeaders } = prepared;
  const { recipe, settings, names, place, signal } = work;
  const shared = { grid: spec.grid, overwrite: true, ...(signal && { signal }) };
  const bands = recipe.outputs.map((output): Layer => {
    const [index, band] = planeOf(spec, output);
    const { dtype, nodata } = spec.outputs[index]!;
    const { scale = 1, offset = 0 } = typeof output.band === 'number' ? bandHeaders[output.band]! : {};
    return {
      name: output.name,
      file: names.band(output.name),
      kind: 'band',
      options: {
        ...shared,
        ...settings.cog.choicesFor(output.name),
        dtype,
        bands: [{ name: output.name, scale, offset }],
        nodata: statedNodata(nodata, settings, output.name),
      },
      samples: ({ planes }) => [samplesOf(dtype, planes[index]![band]!)],
    };
  });
  const rgba = settings.cog.bands.includes('rgba') && recipe.rgb ? [rgbaLayer(recipe.rgb, bands, work, shared)] : [];
  return [...bands, ...rgba].map((layer) => ({ ...layer, file: place.pathOf(layer.file) }));
}

/** The picture of three bands in full size. */
function rgbaLayer(
  { bands, clamp }: NonNullable<Recipe['rgb']>,
  layers: readonly Layer[],
  { names, settings }: TileSinkWork,
  shared: Pick<CogOptions, 'grid' | 'overwrite'>,
): Layer {
  const [red, green, blue] = bands.map((band) => layers.find(({ name }) => name === band)!) as [Layer, Layer, Layer];
  return {
    name: 'rgba',
    file: names.rgba,
    kind: 'rgba',
    options: {
      ...shared,
      ...settings.cog.choicesFor('rgba'),
      dtype: 'u8',
      rgb: true,
      alpha: true,
      bands: ['red', 'green', 'blue', 'alpha'].map((name) => ({ name })),
      nodata: null,
    },
    samples: (block, window) => {
      const plane = (layer: Layer) => layer.samples(block, window)[0]!;
      return rgbaOf([plane(red), plane(green), plane(blue)], {
        nodata: [red.options.nodata, green.options.nodata, blue.options.nodata],
        clamp,
      });
    },
  };
}

/** One COG writer a raster; they get their names one after the other at the end, when all blocks are in. */
export async function tileSink(prepared: Prepared, work: TileSinkWork): Promise<BlockSink<TileRasters>> {
  const { place, names, signal, onComputed } = work;
  const layers = layersOf(prepared, work);
  const footprint = footprintLattice(prepared.spec.grid);
  const [first] = layers as [Layer, ...Layer[]];
  const writers: CogWriter[] = [];
  const written: string[] = [];
  const abort = async () => {
    await Promise.allSettled(writers.map((writer) => writer.abort()));
    await Promise.allSettled(written.map((path) => place.remove(path)));
  };
  try {
    for (const { file, options } of layers) writers.push(await createCog(file, options));
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    async write(result, block) {
      footprint.add(block, { data: first.samples(result, block)[0]!, nodata: first.options.nodata });
      await Promise.all(writers.map((writer, i) => writer.write(block, layers[i]!.samples(result, block))));
    },
    async finish() {
      onComputed();
      signal?.throwIfAborted();
      const began = performance.now();
      // From here on old results are replaced: without their item they do not pass for whole.
      // Who may write need not have the right to remove.
      const item = place.pathOf(names.item);
      if (await place.has(item)) await place.remove(item);
      const files: TileFile[] = [];
      for (const [i, writer] of writers.entries()) {
        const layer = layers[i]!;
        const cog = await writer.finish();
        written.push(layer.file);
        files.push(fileOf(layer, cog));
      }
      return { files, footprint: footprint.polygons(), seconds: (performance.now() - began) / 1000 };
    },
    async abort() {
      onComputed();
      await abort();
    },
  };
}

function fileOf({ name, file, kind, options }: Layer, { bytes, sha1, sha256, statistics }: CogResult): TileFile {
  const { dtype, nodata, bands } = options;
  const { scale = 1, offset = 0 } = bands[0]!;
  return {
    name: file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1),
    kind,
    key: name,
    mediaType: COG,
    bytes,
    sha1,
    sha256,
    raster: { dtype, nodata, statistics, scale, offset },
  };
}
