import { InputError } from '../errors.js';
import { formatTileId, parseTileId } from '../geo/mgrs.js';
import { parseInterval } from '../geo/time.js';
import type { ArchiveName } from '../io/archive.js';
import { schemeOf } from '../io/href.js';
import type { Scene } from '../io/scene.js';
import type { Json } from '../io/stac-item.js';
import { networkMeter } from '../io/stores.js';
import { formatBytes } from '../limit.js';
import { parseMasks } from '../stats/mask-recipe.js';
import { defaultMasks, detectSensor } from '../stats/sensors.js';
import { parseStatistics, statisticFacts } from '../stats/statistic.js';
import type { DownloadReport } from './download.js';
import { compositeInto, type FolderOptions, type FolderSummary } from './folder.js';
import { itemCollection } from './item-collection.js';
import { type OutputFolder, outputFolder } from './output-folder.js';
import { pulledItems, pullScenes } from './pulled.js';
import { writeRgb } from './rgb.js';
import { searchScenes } from './search.js';
import type { Tone } from './tone.js';

/** Where scenes of Sentinel-2 come from. */
export const SOURCES: Readonly<Record<string, ArchiveName>> = {
  'sentinel-cogs': 'sentinel-cogs',
  l2a: 'sentinel-s2-l2a',
  l1c: 'sentinel-s2-l1c',
};

export interface Sentinel2Request {
  /** `10UDV` */
  tile: string;
  /** A date or time each; both ends are included. */
  start: string;
  end: string;
}

export interface Sentinel2Options extends FolderOptions {
  /** A key of `SOURCES`; default sentinel-cogs, and l1c with `seedCompat`. */
  source?: string | undefined;
  /** Another bucket of the source's layout. */
  mirror?: string | undefined;
  /** One statistic that gives a value a band; default median. */
  statistic?: string | undefined;
  /** Files are fetched into this folder first. */
  download?: string | undefined;
  /** Nothing is searched or fetched: what lies in `download` is used. */
  hasPulled?: boolean | undefined;
  /** Makes `rgb.tif` an 8-bit picture. */
  tone?: Tone | undefined;
  /**
   * The numbers of the program that this replaces: every scene of its own, 0 as missing, no mask, no offset, medians truncated.
   */
  seedCompat?: boolean | undefined;
  onNote?: ((text: string) => void) | undefined;
  onDownload?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

export interface Sentinel2Summary extends FolderSummary {
  download: DownloadReport | null;
}

/** What is composited, with its items. */
interface Input {
  scenes: Scene[];
  items: Json[];
}

function archiveOf({ source, seedCompat }: Sentinel2Options): ArchiveName {
  const name = source ?? (seedCompat ? 'l1c' : 'sentinel-cogs');
  if (Object.hasOwn(SOURCES, name)) return SOURCES[name]!;
  throw new InputError(`the source is one of ${Object.keys(SOURCES).join(', ')}, and got "${name}"`, {
    option: 'source',
  });
}

/** `start/end`, each a date or time by itself. */
function intervalText({ start, end }: Sentinel2Request): string {
  for (const [option, text] of Object.entries({ start, end })) {
    if (text.includes('/')) throw new InputError(`a date like 2019-08-26 is wanted, and got "${text}"`, { option });
    if (text !== '..') asOption(option, () => parseInterval(text));
  }
  const text = `${start}/${end}`;
  asOption('end', () => parseInterval(text));
  return text;
}

/** An error about a time, named as the request calls it. */
function asOption(option: string, parse: () => unknown): void {
  try {
    parse();
  } catch (cause) {
    throw cause instanceof InputError ? new InputError(cause.message, { ...cause.facts, option }, { cause }) : cause;
  }
}

/** The tile that a scene's name says, as in S2A_10UDV_20190826_0_L2A or S2A_MSIL1C_…_T10UDV_…; null: none. */
function tileInName(id: string): string | null {
  const text = /(?:^|_)T?(\d{1,2}[C-X][A-Z][A-V])(?=_|$)/.exec(id)?.[1];
  return text ? text.replace(/^0/, '') : null;
}

/** Leaves out what was fetched of other tiles into the same folder. */
function onTile(
  { scenes, items }: Input,
  tile: string,
  { download, onNote }: { download: string; onNote: Sentinel2Options['onNote'] },
): Input {
  const tiles = scenes.map(({ id }) => tileInName(id) ?? tile);
  const isOn = (_: unknown, i: number) => tiles[i] === tile;
  const others = [...new Set(tiles)].filter((other) => other !== tile).join(', ');
  const kept = { scenes: scenes.filter(isOn), items: items.filter(isOn) };
  if (kept.scenes.length === 0)
    throw new InputError(`${download} holds scenes of ${others} at that time, and none of ${tile}`, {
      option: 'download',
    });
  if (others) onNote?.(`scenes of ${others} in ${download} are left out`);
  return kept;
}

async function findInput(request: Sentinel2Request, options: Sentinel2Options): Promise<Input> {
  const { download, hasPulled, onNote, signal, maxCloudPercent, limit } = options;
  const tile = formatTileId(parseTileId(request.tile));
  const common = { datetime: intervalText(request), maxCloudPercent, limit, signal, onNote };
  if (hasPulled) {
    if (download === undefined)
      throw new InputError('--has-pulled says that files lie in --download DIR, which is not given');
    const found = await searchScenes({ ...common, sources: await pulledItems(download, onNote) });
    return onTile(found, tile, { download, onNote });
  }
  const archive = archiveOf(options);
  const allProcessings = options.seedCompat ?? false;
  const found = await searchScenes({ ...common, bucket: archive, tile, mirror: options.mirror, allProcessings });
  onNote?.(`${found.scenes.length} scenes found in ${found.searched} (${found.requests} requests)`);
  return found;
}

/** The options of the composite: the mask where there are classes, one raster of the statistic and one of the counts. */
function compositeOptions(input: Input, key: string, options: Sentinel2Options): FolderOptions {
  const { tone, seedCompat } = options;
  const hasClasses = detectSensor(input.scenes) !== null;
  const compat: Partial<FolderOptions> = seedCompat
    ? { masks: ['none'], group: 'none', offset: 'none', rounding: 'truncate' }
    : {};
  return {
    ...options,
    dtype: options.dtype ?? 'uint16',
    bands: options.bands ?? ['red', 'green', 'blue'],
    statistics: `${options.statistic ?? 'median'},count`,
    masks: options.masks ?? (hasClasses ? undefined : ['none']),
    ...(tone === undefined && { rgb: key }),
    ...compat,
  };
}

/** Refuses what cannot be a picture, before anything is fetched; gives the name of the statistic's raster. */
function pictureKey(options: Sentinel2Options): string {
  const { statistic = 'median', bands, masks, offset, seedCompat } = options;
  const [wanted, ...more] = parseStatistics(statistic);
  if (more.length > 0) throw new InputError('one statistic makes the picture', { option: 'stat' });
  if (statisticFacts(wanted!.kind).bands !== 'input')
    throw new InputError(`${statistic} gives no value for each band, so it makes no picture`, { option: 'stat' });
  if (seedCompat && wanted!.kind !== 'median') throw new InputError('--seed-compat is a median', { option: 'stat' });
  if (seedCompat && masks?.some((mask) => mask !== 'none'))
    throw new InputError('--seed-compat is without a mask', { option: 'mask' });
  if (seedCompat && offset !== undefined && offset !== 'none')
    throw new InputError('--seed-compat is without an offset', { option: 'offset' });
  if (bands && bands.length !== 3)
    throw new InputError(`a picture has three bands, for red, green and blue, and got ${bands.length}`, {
      option: 'bands',
    });
  return wanted!.key;
}

/**
 * A picture of a Sentinel-2 tile without clouds: finds the scenes of a tile and time, reads them where they are or fetches them first,
 * composites red, green and blue, and writes `rgb.tif`, `count.tif`, `scenes.json`, `preview.png` and `item.json`.
 */
export async function sentinel2ToFolder(
  request: Sentinel2Request,
  folder: string,
  options: Sentinel2Options = {},
): Promise<Sentinel2Summary> {
  const { overwrite = false, signal, onNote } = options;
  const key = pictureKey(options);
  const { download } = options;
  if (download !== undefined && ![null, 'file'].includes(schemeOf(download)))
    throw new InputError(`files are fetched into a folder of the disk, not into ${download}`, { option: 'download' });
  parseTileId(request.tile);
  intervalText(request);
  const place = outputFolder(folder);
  await refuseExisting(place, overwrite);
  const input = await findInput(request, options);
  const settled = compositeOptions(input, key, options);
  let items = input.items;
  let report: DownloadReport | null = null;
  if (download !== undefined && !options.hasPulled) {
    const recipes = settled.masks ? parseMasks(settled.masks) : defaultMasks(input.scenes);
    const before = networkMeter.retries;
    const bands = [...new Set([...settled.bands!, ...recipes.map(({ band }) => band)])];
    const pulled = await pullScenes(download, { ...input, bands }, { signal, onProgress: options.onDownload });
    report = pulled.report;
    onNote?.(describe(report, download, networkMeter.retries - before));
    const wanted = new Set(input.scenes.map(({ id }) => id));
    const all = await searchScenes({ sources: pulled.path, signal });
    items = all.items.filter((_, i) => wanted.has(all.scenes[i]!.id));
  }
  await place.make();
  const claim = await place.claim();
  try {
    await refuseExisting(place, overwrite);
    const summary = await makePicture(place, items, { ...settled, key });
    return { ...summary, download: report };
  } finally {
    await claim.release();
  }
}

async function refuseExisting(place: OutputFolder, overwrite: boolean): Promise<void> {
  const path = place.pathOf('item.json');
  if (!overwrite && (await place.has(path)))
    throw new InputError(`${path} exists already: give --overwrite to replace it, or another --out`);
}

/** Composites items into a folder that no other process writes to. `key`: of the picture's raster. */
async function makePicture(
  place: OutputFolder,
  items: readonly Json[],
  { key, ...options }: Sentinel2Options & { key: string },
): Promise<FolderSummary> {
  const { tone, signal } = options;
  const scenesPath = place.pathOf('scenes.json');
  await place.write(scenesPath, itemCollection(items, place));
  const summary = await compositeInto(place, scenesPath, {
    ...options,
    claimed: async () => {},
    // Before the item is written: where it is, all is there.
    preview: async (drawn) => {
      if (tone) await writeRgb(drawn.rasters[key]!, place.pathOf('rgb.tif'), { tone, overwrite: true, signal });
      return (await options.preview?.(drawn)) ?? null;
    },
  });
  const rgb = tone ? [place.pathOf('rgb.tif')] : [];
  return { ...summary, files: [...rgb, ...summary.files, scenesPath] };
}

function describe({ fetched, kept, resumed, bytes }: DownloadReport, folder: string, retries: number): string {
  const again = retries > 0 ? `, ${retries} requests sent again after a passing fault` : '';
  const parts = resumed > 0 ? `, ${resumed} of them gone on with` : '';
  return `${fetched} files fetched into ${folder} (${formatBytes(bytes)})${parts}, ${kept} there already${again}`;
}
