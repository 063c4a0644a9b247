// What a run of tasks is told, and what comes of it.
import { cores, memoryLimitBytes as platformMemoryLimit } from '#platform';
import { InputError } from '../../errors.js';
import { parseDatumShift } from '../../geo/datum-shift.js';
import { checkGridSpec, type GridSpec, tileSides } from '../../geo/gridspec.js';
import { hrefMap } from '../../io/href-map.js';
import type { Json } from '../../io/stac-item.js';
import type { OffsetMode } from '../../stats/radiometry.js';
import { suggestion } from '../../stats/suggest.js';
import { type OwsStyle, parseOwsStyle } from '../picture/ows-style.js';
import { PROCESS_BYTES } from '../plan.js';
import { type PropertyFilter, parsePropertyFilter } from '../task/task-property.js';
import { type CogChoices, parseCogOpts } from './cog-opts.js';
import { pluginOf } from './plugin.js';
import { type Product, productOf } from './product.js';
import type { Plugin, Recipe } from './recipe.js';
import { formatRegion, outputLocation } from './tile-name.js';

/** How tasks are run; the keys of odc-stats in words of TypeScript. */
export interface RunOptions {
  /** `gm-s2`, `gm-ls`, `gm-generic`. */
  plugin: string;
  pluginConfig?: Json | undefined;
  /** Name, version and the like, see `Product`. */
  product?: Json | undefined;
  /** A folder or s3://bucket/prefix; `{product}`, `{name}`, `{short_name}`, `{version}`, `{version_dashed}` and `{version_raw}` are filled in. */
  location: string;
  cogOpts?: Json | undefined;
  /** Tasks whose outputs are there are computed again. */
  overwrite?: boolean | undefined;
  /** JSON objects joined by `|`: which scenes of a task count. */
  datasetFilters?: string | Json | undefined;
  /** `30` or `y,x`: other pixels on the same tiles. */
  resolution?: string | undefined;
  /** In place of the plugin's. */
  resampling?: string | undefined;
  compat?: 'odc' | undefined;
  /** The offset of Sentinel-2's newer baselines; default auto, under `compat` none. */
  offset?: OffsetMode | undefined;
  /** The missing value of the inputs' bands, in place of what files and items say. */
  nodata?: number | undefined;
  /** `skip`: scenes that cannot be read are dropped and recorded. Default fail. */
  onError?: 'fail' | 'skip' | undefined;
  /** Writes `.odc-metadata.yaml`, `.proc-info.yaml` and thumbnail too. Default true. */
  eodatasets3?: boolean | undefined;
  /** `s3://bucket/=DIR`, … */
  hrefMap?: readonly string[] | undefined;
  /** -1: all cores. */
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  /** Tasks that compute at a time, each within its share of the memory; the next one's inputs are looked at and the last one's files finished meanwhile. Default 1. */
  concurrency?: number | undefined;
  /** Seconds a task may take; 0: any. */
  maxProcessingTime?: number | undefined;
  heartbeatFile?: string | undefined;
  /** Where finished blocks wait; false: nowhere. Default: `.stackwise-work` in a location on the disk. */
  workDir?: string | false | undefined;
  /** Gets a line of JSON a task: what became of it, and where the time went. */
  reportFile?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
  onNote?: ((text: string) => void) | undefined;
}

/** Everything of a run that is the same for all its tasks. */
export interface RunSettings {
  plugin: Plugin;
  /**
   * Made when the first task runs: a listing does not need it.
   * @throws InputError, UnsupportedError as the plugin demands, and for a thumbnail of other bands
   */
  recipe(): Recipe;
  product: Product;
  location: string;
  cog: CogChoices;
  /** Of thumbnails; null: none are drawn. */
  style: OwsStyle | null;
  filter: PropertyFilter | null;
  hrefMap: ((href: string) => string) | null;
  threads: number;
  concurrency: number;
  /** Of each of the tasks that compute at a time. */
  taskMemoryBytes: number;
  /** What shaped the numbers, for the records of the outputs. */
  config: Json;
  options: RunOptions;
  /** Keys of the shelves in the work place, as they were when first asked for. */
  shelves?: Promise<string[]>;
}

const whole = (value: number, option: string, [least, most]: [number, number?]): number => {
  if (Number.isInteger(value) && value >= least && value <= (most ?? value)) return value;
  const range = most === undefined ? `from ${least}` : `from ${least} to ${most}`;
  throw new InputError(`${option} is a whole number ${range}, and got ${value}`, { option });
};

/**
 * Settles what a run is told.
 * @throws InputError for what means nothing: unknown plugins, keys and placeholders (naming the nearest), values out of range
 */
export function settleRun(options: RunOptions): RunSettings {
  const { pluginConfig = {}, cogOpts, datasetFilters, concurrency = 1, threads = -1 } = options;
  const plugin = pluginOf(options.plugin);
  const product = productOf(options.product, plugin.product);
  const resampling = options.resampling === undefined ? {} : { resampling: options.resampling };
  const config: Json = { ...pluginConfig, ...resampling };
  // A format that is none is one mistake, not one of each task.
  formatRegion(product.regionCodeFormat, { x: 0, y: 0 });
  // Theirs has empty text for none.
  const hasFilters = datasetFilters !== undefined && datasetFilters !== '';
  const style = product.preview && parseOwsStyle(product.preview);
  const makeRecipe = () => {
    const made = plugin.recipe(config);
    if (options.eodatasets3 !== false) checkPreview(style, made);
    return made;
  };
  let recipe: Recipe | null = null;
  if (options.resolution !== undefined) parseResolution(options.resolution);
  // So is a code that nobody knows.
  if (typeof config.transform_code === 'string') parseDatumShift(config.transform_code);
  const { maxProcessingTime = 0 } = options;
  if (!(maxProcessingTime >= 0))
    throw new InputError(`max-processing-time is seconds from 0, and got ${maxProcessingTime}`, {
      option: 'max-processing-time',
    });
  return {
    plugin,
    recipe: () => {
      recipe ??= makeRecipe();
      return recipe;
    },
    product,
    location: outputLocation(options.location, product),
    cog: parseCogOpts(cogOpts),
    style,
    filter: hasFilters ? parsePropertyFilter(datasetFilters, 'dataset-filters') : null,
    hrefMap: options.hrefMap?.length ? hrefMap(options.hrefMap) : null,
    threads: threads < 0 ? cores() : whole(threads, 'threads', [0, 1024]),
    concurrency: whole(concurrency, 'concurrency', [1]),
    taskMemoryBytes: shareOf(options.memoryLimitBytes ?? platformMemoryLimit(), concurrency),
    config: {
      plugin: options.plugin,
      plugin_config: config,
      product: options.product ?? {},
      ...(cogOpts && { cog_opts: cogOpts }),
      ...(hasFilters && { dataset_filters: datasetFilters }),
      ...(options.resolution !== undefined && { resolution: options.resolution }),
      ...(options.compat && { compat: options.compat }),
      ...(options.offset && { offset: options.offset }),
      ...(options.nodata !== undefined && { nodata: options.nodata }),
    },
    options,
  };
}

/** @throws InputError for a thumbnail of bands that are not made: told before a tile is computed for it */
function checkPreview(style: OwsStyle | null, { outputs }: Recipe): void {
  const names = outputs.map(({ name }) => name);
  const lacking = style?.bands.find((band) => !names.includes(band));
  if (lacking === undefined) return;
  throw new InputError(
    `preview_image_ows_style: there is no band "${lacking}"${suggestion(lacking, names)}: there are ${names.join(', ')}`,
    { option: 'product', band: lacking },
  );
}

/** Lines for people: what is done otherwise than asked for, and what is asked for in vain. */
export function settingNotes({ cog, recipe, plugin }: RunSettings): string[] {
  const { outputs: made, rgb } = recipe();
  const outputs = made.map(({ name }) => name);
  const strange = cog.bands.filter((band) => band !== 'rgba' && !outputs.includes(band));
  const vain = strange.map(
    (band) => `cog_opts has options of "${band}", which ${plugin.name} does not make${suggestion(band, outputs)}`,
  );
  const isBlind = rgb === null && cog.bands.includes('rgba');
  return [...cog.notes, ...vain, ...(isBlind ? ['no rgba is made: rgb_bands names none of its bands'] : [])];
}

/** What each of some tasks may plan with: what the process itself takes is there once, and in each plan. */
function shareOf(limitBytes: number, tasks: number): number {
  return Math.min(limitBytes, Math.floor(PROCESS_BYTES + Math.max(0, limitBytes - PROCESS_BYTES) / tasks));
}

/** How far a tile may be from a whole number of pixels. */
const WHOLE_PX = 1e-8;

/**
 * `30`, or `y,x` (`-30,30`), without their signs.
 * @throws InputError for what is no size of pixels
 */
function parseResolution(text: string): [y: number, x: number] {
  const sizes = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Math.abs(Number(part))));
  if (sizes.length > 2 || !sizes.every((size) => size > 0 && Number.isFinite(size)))
    throw new InputError(`a resolution is like 30 or -30,30 (y, x), and got "${text}"`, { option: 'resolution' });
  const [y, x = y] = sizes as [number, number?];
  return [y, x];
}

/**
 * The same tiles in pixels of another size: `30`, or `y,x` (`-30,30`).
 * @throws InputError unless the size divides the sides of a tile
 */
export function withResolution(spec: GridSpec, text: string): GridSpec {
  const [y, x] = parseResolution(text);
  const [sideX, sideY] = tileSides(spec);
  const [width, height] = [sideX / x, sideY / y];
  const isWhole = [width, height].every((px) => Math.abs(px - Math.round(px)) <= WHOLE_PX);
  if (!isWhole)
    throw new InputError(
      `a resolution of ${text} does not divide the tiles of ${spec.name}, which are ${sideX} × ${sideY}: give a divisor`,
      { option: 'resolution' },
    );
  return checkGridSpec({
    ...spec,
    resolutionX: x,
    resolutionY: y,
    width: Math.round(width),
    height: Math.round(height),
  });
}
