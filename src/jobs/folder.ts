import { sha256 } from '#platform';
import { InputError } from '../errors.js';
import { type CogResult, type CogWriter, createCog } from '../io/cog-writer.js';
import type { StoreMeter } from '../io/meter.js';
import { DTYPE_NAMES } from '../io/raster.js';
import { resultItem } from '../io/result-item.js';
import type { Scene } from '../io/scene.js';
import { readScenes } from '../io/stac.js';
import { samplesOf } from '../stats/composite.js';
import { formatMask } from '../stats/mask-recipe.js';
import { type StatisticOutput, statisticFacts } from '../stats/statistic.js';
import { version } from '../version.js';
import type { Claim } from './claim.js';
import type { CompositeOptions } from './composite-options.js';
import { type KeptBlocks, keptBlocks } from './kept-blocks.js';
import { type OutputFolder, outputFolder } from './output-folder.js';
import type { Plan } from './plan.js';
import { type Prepared, prepareComposite } from './prepare.js';
import { type BlockSink, runWithout, type SceneReport } from './run.js';

export interface FolderOptions extends CompositeOptions {
  overwrite?: boolean | undefined;
  /** The statistic, of three bands, whose raster is `rgb.tif`, shown in colour. */
  rgb?: string | undefined;
  /**
   * A folder of the local disk for finished blocks, so that the same call goes on where a killed one stopped; false keeps none.
   * Default: `.stackwise-work` in the folder of the results where that is on the disk, none for buckets.
   */
  workDir?: string | false | undefined;
  /** Draws `preview.png` of the finished rasters; the application's, since drawing is no part of a job. */
  preview?: ((request: PreviewRequest) => Promise<Uint8Array | null>) | undefined;
}

/** What a preview is drawn from. */
export interface PreviewRequest {
  /** Paths of the rasters by statistic. */
  rasters: Record<string, string>;
  bands: readonly string[];
  /** The used scene with the most cloud. */
  cloudiest: Scene;
  commonNames: Record<string, string>;
}

/** What a run left behind. */
export interface FolderSummary {
  files: string[];
  scenes: SceneReport;
  grid: { width: number; height: number };
  /** `restored` of `total` were finished by an earlier run. */
  blocks: { total: number; restored: number };
  /** Requests, bytes and repeated requests of scenes and results. */
  network: StoreMeter;
}

/** The plan of a composite, without running it. */
export async function planComposite(sources: string | readonly string[], options: CompositeOptions): Promise<Plan> {
  const { signal } = options;
  const scenes = await readScenes(single(sources), { ...(signal && { signal }) });
  return (await prepareComposite(scenes, options)).plan;
}

function single(sources: string | readonly string[]): string | readonly string[] {
  return typeof sources !== 'string' && sources.length === 1 ? sources[0]! : sources;
}

/**
 * Composites scenes into a folder of the disk or of a bucket (`s3://bucket/prefix`): one COG a statistic, `preview.png`, and last of
 * all `item.json`: where it is, all is there. Nothing carries its final name before it is whole.
 * @throws InputError when a result exists already and `overwrite` is not given, or another process is at work in the folder.
 */
export async function compositeToFolder(
  sources: string | readonly string[],
  folder: string,
  options: FolderOptions,
): Promise<FolderSummary> {
  const place = outputFolder(folder);
  let claim: Claim | null = null;
  const claimed = async () => {
    await place.make();
    claim ??= await place.claim();
  };
  try {
    return await compositeInto(place, sources, { ...options, claimed });
  } finally {
    await (claim as Claim | null)?.release();
  }
}

/** The work of {@link compositeToFolder}; `claimed` makes the folder and keeps others out of it before anything is written there. */
export async function compositeInto(
  place: OutputFolder,
  sources: string | readonly string[],
  { claimed, ...options }: FolderOptions & { claimed: () => Promise<void> },
): Promise<FolderSummary> {
  const { signal } = options;
  const scenes = await readScenes(single(sources), { ...(signal && { signal }) });
  const itemPath = place.pathOf('item.json');
  const previewPath = place.pathOf('preview.png');
  let kept: KeptBlocks | null = null;
  const run = await runWithout(scenes, options, async (prepared) => {
    await claimed();
    const opened = await openRun(prepared, place, options);
    kept = opened.kept;
    return opened.sink;
  });
  const { prepared, result, dropped, network, restoredBlocks } = run;
  const files = result.map(({ path }) => path);
  try {
    const preview = await options.preview?.(previewRequest(prepared, files));
    if (preview) await place.write(previewPath, preview);
    const item = await describeRun(prepared, { result, options, place, preview: Boolean(preview) });
    signal?.throwIfAborted();
    await place.write(itemPath, new TextEncoder().encode(`${JSON.stringify(item, null, 2)}\n`));
    await (kept as KeptBlocks | null)?.done();
    const { width, height } = prepared.spec.grid;
    return {
      files: [...files, itemPath, ...(preview ? [previewPath] : [])],
      scenes: { used: prepared.sceneCount, dropped },
      grid: { width, height },
      blocks: { total: prepared.plan.blocks.length, restored: restoredBlocks },
      network,
    };
  } catch (error) {
    await removeAll(place, [...files, previewPath]);
    await (kept as KeptBlocks | null)?.leave(error);
    throw error;
  }
}

const rasterName = (key: string, { rgb }: FolderOptions) => (key === rgb ? 'rgb.tif' : `${key}.tif`);

/** The sink of a run's results, and what is kept of its blocks. */
async function openRun(
  prepared: Prepared,
  place: OutputFolder,
  options: FolderOptions,
): Promise<{ sink: BlockSink<WrittenOutput[]>; kept: KeptBlocks | null }> {
  const { overwrite = false, workDir = place.workDir } = options;
  const { spec } = prepared;
  const names = spec.outputs.map(({ statistic }) => rasterName(statistic.key, options));
  const paths = names.map((name) => place.pathOf(name));
  const itemPath = place.pathOf('item.json');
  const kept = workDir ? await keptBlocks(workDir, spec, { ...options, isOwn: workDir === place.workDir }) : null;
  try {
    // Of a run that was killed at its very end some results may have their names, but not the item.
    const goesOn = kept !== null && kept.count > 0 && !(await place.has(itemPath));
    for (const path of [...paths, itemPath, ...(options.preview ? [place.pathOf('preview.png')] : [])]) {
      if (!overwrite && !goesOn && (await place.has(path))) {
        throw new InputError(`${path} exists already: give --overwrite to replace it, or another --out`);
      }
    }
    if (goesOn) await place.sweep(names);
    const sink = await folderSink(prepared, {
      place,
      paths,
      itemPath,
      options: { ...options, overwrite: overwrite || goesOn },
    });
    return { sink: kept ? kept.around(sink) : sink, kept };
  } catch (error) {
    await (kept?.count === 0 ? kept.leave(error) : kept?.release());
    throw error;
  }
}

async function removeAll(place: OutputFolder, paths: readonly string[]): Promise<void> {
  await Promise.allSettled(paths.map((path) => place.remove(path)));
}

interface WrittenOutput {
  output: StatisticOutput;
  path: string;
  cog: CogResult;
}

/** One COG writer an output; all get their names together at the end. */
async function folderSink(
  prepared: Prepared,
  work: { place: OutputFolder; paths: readonly string[]; itemPath: string; options: FolderOptions },
): Promise<BlockSink<WrittenOutput[]>> {
  const { spec } = prepared;
  const { place, paths, itemPath, options } = work;
  const { signal, overwrite = false } = options;
  const writers: CogWriter[] = [];
  const written: WrittenOutput[] = [];
  const abort = async () => {
    await Promise.allSettled(writers.map((writer) => writer.abort()));
    await removeAll(
      place,
      written.map(({ path }) => path),
    );
  };
  try {
    for (const [i, output] of spec.outputs.entries()) {
      const { dtype, nodata, bands } = output;
      const writer = await createCog(paths[i]!, {
        grid: spec.grid,
        dtype,
        nodata,
        bands: bands.map((name, band) => ({ name, ...bandScale(prepared, output, band) })),
        overviews: 'average',
        rgb: output.statistic.key === options.rgb,
        overwrite,
        ...(signal && { signal }),
      });
      writers.push(writer);
    }
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    async write({ planes }, window) {
      await Promise.all(
        writers.map((writer, i) => {
          const { dtype } = spec.outputs[i]!;
          return writer.write(
            window,
            planes[i]!.map((bytes) => samplesOf(dtype, bytes)),
          );
        }),
      );
    },
    async finish() {
      signal?.throwIfAborted();
      // From here on old results are replaced: without their item they do not pass for whole.
      await place.remove(itemPath);
      for (const [i, writer] of writers.entries()) {
        written.push({ output: spec.outputs[i]!, path: paths[i]!, cog: await writer.finish() });
      }
      return written;
    },
    abort,
  };
}

/** Values stay in the scenes' units, so their scale and offset hold for bands of the input; differences (std) have no offset. */
function bandScale({ bandHeaders }: Prepared, { statistic }: StatisticOutput, band: number) {
  if (statisticFacts(statistic.kind).bands !== 'input') return {};
  const { scale, offset } = bandHeaders[band]!;
  return { scale, offset: statistic.kind === 'std' ? 0 : offset };
}

/** What a true-colour picture is made of, as STAC calls it. */
const VISIBLE = ['red', 'green', 'blue'];

function previewRequest({ spec, scenes, sensor }: Prepared, files: readonly string[]): PreviewRequest {
  const cloud = (scene: Scene) => scene.cloudCoverPercent ?? -1;
  const commonNames: Record<string, string> = {};
  for (const band of spec.bands) {
    const known = sensor?.valueBands.find(({ name, aliases }) => name === band || aliases.includes(band));
    const names = [scenes[0]!.bands[band]?.commonName, band, known?.name, ...(known?.aliases ?? [])];
    const common = names.find((name) => name && VISIBLE.includes(name)) ?? names[0];
    if (common) commonNames[band] = common;
  }
  return {
    rasters: Object.fromEntries(spec.outputs.map(({ statistic }, i) => [statistic.key, files[i]!])),
    bands: spec.bands,
    cloudiest: scenes.reduce((a, b) => (cloud(b) > cloud(a) ? b : a)),
    commonNames,
  };
}

/** Names a run by its first and last day and by what it was made of: equal inputs and options have equal names. */
function runId({ spec, scenes }: Prepared, { nodata }: FolderOptions): string {
  const days = [spec.observations[0]!, spec.observations.at(-1)!].map(({ timeMs }) =>
    new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', ''),
  );
  const { grid, bands, statistics, masks, maskWhen, resampling, eps, compat } = spec;
  const recipe = {
    grid: [grid.affine, grid.width, grid.height],
    bands,
    statistics,
    masks,
    maskWhen,
    resampling,
    eps,
    compat,
    ...(spec.rounding && { rounding: spec.rounding }),
    ...(spec.datumShift && { transformCode: spec.datumShift.code }),
    ...(nodata !== undefined && { nodata: String(nodata) }),
  };
  const shifts = spec.observations.flatMap((o) =>
    o.scenes.flatMap((s) => bands.map((b) => s.sources[b]!.shiftDn ?? 0)),
  );
  const hash = sha256();
  hash.update(
    new TextEncoder().encode(
      JSON.stringify([recipe, scenes.map(({ id }) => id), ...(shifts.some(Boolean) ? [shifts] : [])]),
    ),
  );
  return `composite-${days.join('-')}-${hash.hex().slice(0, 8)}`;
}

/** The run as a STAC item. */
function describeRun(
  prepared: Prepared,
  work: { result: readonly WrittenOutput[]; options: FolderOptions; place: OutputFolder; preview: boolean },
) {
  const { spec, scenes } = prepared;
  const { result, options, place, preview } = work;
  return resultItem({
    id: runId(prepared, options),
    grid: spec.grid,
    scenes: scenes.map((scene) => ({ ...scene, href: scene.href && place.linkTo(scene.href) })),
    version,
    preview,
    facts: {
      statistics: spec.statistics.map(({ key }) => key),
      mask: spec.masks.map(formatMask),
      maskWhen: spec.maskWhen,
      group: options.group ?? 'solar-day',
      resampling: spec.resampling,
      eps: spec.eps,
      compat: spec.compat,
      ...(spec.rounding && { rounding: spec.rounding }),
      ...(spec.datumShift && { transformCode: spec.datumShift.code }),
      ...(options.nodata !== undefined && { nodata: Number.isNaN(options.nodata) ? 'nan' : options.nodata }),
      ...(scenes.some(({ radiometry }) => radiometry) && { offset: options.offset ?? 'auto' }),
    },
    assets: result.map(({ output, cog }) => ({
      key: output.statistic.key,
      href: `./${rasterName(output.statistic.key, options)}`,
      dtype: DTYPE_NAMES[output.dtype],
      nodata: output.nodata,
      bytes: cog.bytes,
      sha256: cog.sha256,
      bands: output.bands.map((name, band) => ({
        name,
        statistics: cog.statistics[band]!,
        ...bandScale(prepared, output, band),
      })),
    })),
  });
}
