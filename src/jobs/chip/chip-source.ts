// What chips are cut from: rasters of places that hold all dates as bands, or the scenes of a series.
import { InputError, UnsupportedError } from '../../errors.js';
import { crsToLonLat } from '../../geo/crs.js';
import { type Grid, gridBounds } from '../../geo/grid.js';
import { middleOfBox, withinCircle } from '../../geo/longitude.js';
import { formatDay, parseInterval, solarDay } from '../../geo/time.js';
import { fileName, folderOf } from '../../io/href.js';
import { mapFew } from '../../io/map-few.js';
import type { Dtype, RasterHeader } from '../../io/raster.js';
import { dateInName } from '../../io/raster-scenes.js';
import type { Scene } from '../../io/scene.js';
import { rasterPaths, readScenes } from '../../io/stac.js';
import { selectScenes } from '../../stats/select.js';
import { detectSensor, findBand, resolveBands, type Sensor } from '../../stats/sensors.js';
import type { RasterCache } from '../../stats/source.js';
import type { ChipOptions } from './chip-options.js';

/** Headers that are read at a time. */
const AT_ONCE = 16;

/** One date of all chips. */
export interface ChipTime {
  /** `2019`, `2020-05-01`, or "" for rasters without a date. */
  label: string;
  /** ms UTC, or null where only a label is known */
  timeMs: number | null;
  year: number | null;
}

/** A file that chips may be cut from, as far as it is known before it is opened. */
export interface ChipCandidate {
  name: string;
  href: string;
  /** Null: not known before the file is opened. */
  grid: Grid | null;
  bands: number[];
  planes: number[];
  /** What the item says of missing values; a value in the file's header wins. */
  nodata: (number | null)[];
  /** Null for a raster of a place. */
  scene: Scene | null;
}

/** A candidate whose place is known. */
export type LocatedCandidate = ChipCandidate & { grid: Grid };

export interface ChipSource {
  candidates: ChipCandidate[];
  times: ChipTime[];
  bands: string[];
  sensor: Sensor | null;
}

export type ChipRasters = string | readonly string[] | readonly Scene[] | object;

const isScene = (value: unknown): value is Scene =>
  typeof value === 'object' && value !== null && 'timeMs' in value && 'bands' in value;

/** Whether a raster is of a date by its name or that of its folder. */
const hasDate = (path: string) =>
  [fileName(path), fileName(folderOf(path).replace(/[\\/]+$/, ''))].some((name) => dateInName(name) !== null);

/** The rasters or scenes behind what was given, as candidates in order. */
export async function readChipSource(
  rasters: ChipRasters,
  options: ChipOptions,
  cache: RasterCache,
): Promise<ChipSource> {
  const { signal } = options;
  const own = signal ? { signal } : {};
  if (Array.isArray(rasters) && rasters.length > 0 && rasters.every(isScene)) return sourceOfScenes(rasters, options);
  const texts = typeof rasters === 'string' ? [rasters] : rasters;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string')) {
    if (Array.isArray(texts) && texts.length === 0) throw new InputError('there are no rasters to cut chips from');
    return sourceOfScenes(await readScenes(rasters, own), options);
  }
  const paths = await rasterPaths(texts, own);
  if (!paths) return sourceOfScenes(await readScenes(texts, own), options);
  const undated = options.bandsPerYear === undefined ? paths.filter((path) => !hasDate(path)) : paths;
  if (paths.length > 0 && undated.length === 0) return sourceOfScenes(await readScenes(texts, own), options);
  if (undated.length < paths.length)
    throw new InputError(
      `${undated[0]} has no date in its name, and ${paths.length - undated.length} other rasters have: give one kind`,
      { url: undated[0]! },
    );
  if (paths.length === 0)
    throw new InputError(`no rasters in ${texts.join(', ')}: .tif, .tiff, .jp2 or .j2k files are read`);
  return sourceOfPlaces(paths, options, cache);
}

/** Bands of one date in a raster that holds `perTime` of them a date: by name, by number from 1, or all. */
function chooseBands(header: RasterHeader, perTime: number, wanted: readonly string[] | undefined) {
  const named = header.bands.slice(0, perTime).map(({ name }, i) => name || `b${i + 1}`);
  // Names that tell dates apart too (1984_red) say nothing of the other dates.
  const unique = perTime === header.bands.length && new Set(named).size === named.length;
  const names = unique ? named : named.map((_, i) => `b${i + 1}`);
  if (!wanted) return names.map((name, index) => ({ name, index }));
  return wanted.map((text) => {
    const index = /^\d+$/.test(text) ? Number(text) - 1 : names.indexOf(text);
    if (index >= 0 && index < names.length) return { name: names[index]!, index };
    const known = `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`;
    throw new InputError(`there is no band ${JSON.stringify(text)} in ${header.url}: it has ${known}`, {
      option: 'bands',
      band: text,
    });
  });
}

function timesOfPlaces(nTime: number, { firstYear, dates, bandsPerYear }: ChipOptions): ChipTime[] {
  if (dates && dates.length !== nTime)
    throw new InputError(`${dates.length} dates are given for ${nTime} dates in each raster`, { option: 'dates' });
  return Array.from({ length: nTime }, (_, t): ChipTime => {
    if (dates)
      return { label: dates[t]!, timeMs: null, year: /^\d{4}/.test(dates[t]!) ? Number(dates[t]!.slice(0, 4)) : null };
    if (firstYear !== undefined) return { label: String(firstYear + t), timeMs: null, year: firstYear + t };
    return { label: bandsPerYear === undefined ? '' : String(t + 1), timeMs: null, year: null };
  });
}

/** Rasters that hold the same bands, one date after the other, each of its place. */
async function sourceOfPlaces(paths: readonly string[], options: ChipOptions, cache: RasterCache): Promise<ChipSource> {
  if (options.datetime !== undefined)
    throw new InputError('an interval chooses scenes, and rasters of places are given', { option: 'datetime' });
  const headers = await mapFew(paths, AT_ONCE, async (path) => (await cache.open(path)).header);
  const [first] = headers;
  const nBand = first!.bands.length;
  const other = headers.find(({ bands }) => bands.length !== nBand);
  if (other)
    throw new InputError(
      `${other.url} has ${other.bands.length} bands, and ${first!.url} has ${nBand}: places need the same`,
      {
        url: other.url,
      },
    );
  const perTime = options.bandsPerYear ?? nBand;
  if (nBand % perTime !== 0)
    throw new InputError(`${first!.url} has ${nBand} bands, which ${perTime} bands a year do not divide`, {
      url: first!.url,
      option: 'bands-per-year',
    });
  const chosen = chooseBands(first!, perTime, options.bands);
  const times = timesOfPlaces(nBand / perTime, options);
  const bands = times.flatMap((_, t) => chosen.map(({ index }) => t * perTime + index));
  const candidates = headers.map((header): ChipCandidate => {
    const planes = bands.map((_, plane) => plane);
    return {
      name: header.url,
      href: header.url,
      grid: header.grid,
      bands,
      planes,
      nodata: bands.map(() => null),
      scene: null,
    };
  });
  return { candidates, times, bands: chosen.map(({ name }) => name), sensor: null };
}

async function middleLongitude(scenes: readonly Scene[]): Promise<number> {
  const [first] = scenes;
  if (first?.bbox) return middleOfBox(first.bbox);
  const grid = first && Object.values(first.bands)[0]?.grid;
  if (!grid) return 0;
  try {
    const { west, east, north, south } = gridBounds(grid);
    return withinCircle((await crsToLonLat(grid.crs))((west + east) / 2, (north + south) / 2)[0]);
  } catch {
    return 0;
  }
}

/** The scenes of a series, by solar day or each for itself. */
async function sourceOfScenes(all: readonly Scene[], options: ChipOptions): Promise<ChipSource> {
  const { group = 'solar-day', datetime, onWarning } = options;
  if (options.bandsPerYear !== undefined)
    throw new InputError('bands per year belong to rasters that hold all dates, and scenes are given', {
      option: 'bands-per-year',
    });
  const label = options.firstYear === undefined ? options.dates && 'dates' : 'first-year';
  if (label)
    throw new InputError('labels belong to rasters that hold all dates, and scenes have dates', { option: label });
  const interval = datetime === undefined ? null : parseInterval(datetime);
  const { scenes, notes } = selectScenes(all, { interval });
  for (const note of notes) onWarning?.(note);
  const sensor = detectSensor(scenes);
  const bands = resolveBands(scenes, options.bands ?? null);
  const longitudeDeg = await middleLongitude(scenes);
  const times: ChipTime[] = [];
  const timeOf = new Map<string | number, number>();
  const candidates: ChipCandidate[] = [];
  for (const scene of scenes) {
    const day = group === 'none' ? scene.id : solarDay(scene.timeMs, longitudeDeg);
    let t = timeOf.get(day);
    if (t === undefined) {
      t = times.length;
      timeOf.set(day, t);
      const iso = new Date(scene.timeMs).toISOString();
      const label = typeof day === 'number' ? formatDay(day) : iso.replace('.000', '');
      times.push({ label, timeMs: scene.timeMs, year: Number(iso.slice(0, 4)) });
    }
    const byHref = new Map<string, ChipCandidate>();
    for (const [b, name] of bands.entries()) {
      const band = findBand(scene, name, sensor);
      if (!band) throw new InputError(`scene ${scene.id} has no band ${name}`, { band: name, items: [scene.id] });
      let file = byHref.get(band.href);
      if (!file) {
        file = { name: scene.id, href: band.href, grid: band.grid, bands: [], planes: [], nodata: [], scene };
        byHref.set(band.href, file);
        candidates.push(file);
      }
      file.bands.push(band.bandIndex);
      file.planes.push(t * bands.length + b);
      file.nodata.push(band.nodata ?? null);
    }
  }
  return { candidates, times, bands, sensor };
}

/** What chips of this type cannot hold. */
export function checkDtype(header: RasterHeader, band: number): Dtype {
  const found = header.bands[band];
  if (!found)
    throw new InputError(`${header.url} has ${header.bands.length} bands, and band ${band + 1} is wanted`, {
      url: header.url,
    });
  if (found.dtype === 'u64' || found.dtype === 'i64')
    throw new UnsupportedError(
      `${header.url} holds 64-bit integers (${found.dtype}): chips are cut of up to 32 bits, f32 and f64`,
      {
        url: header.url,
      },
    );
  return found.dtype;
}
