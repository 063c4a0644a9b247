import { InputError } from '../errors.js';
import { crsToLonLat, isGeographic } from '../geo/crs.js';
import { type Grid, gridBounds } from '../geo/grid.js';
import { sidesOf, spanOf } from '../geo/longitude.js';
import { fileName, folderOf } from './href.js';
import type { Raster, RasterHeader } from './raster.js';
import type { Scene, SceneBand } from './scene.js';

const EXTENSION = /\.[A-Za-z0-9]+$/;
/** YYYYMMDD or YYYY-MM-DD with an optional time, or YYYYDDD (day of the year) before a T or a dot as in HLS; not inside longer digits. */
const DATE = /(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?:[T_](\d{2})(\d{2})(\d{2}))?(?!\d)/g;
const DAY_OF_YEAR = /(?<!\d)((?:19|20)\d{2})([0-3]\d{2})(?:T(\d{2})(\d{2})(\d{2}))?(?![0-9])/g;
/** What band names look like at the end of a file's name; else the last word is taken. */
const BAND =
  /(?:^|[._-])((?:SR|ST|QA|nbart|nbar|oa|pixel|radsat|sr)_[A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9]*?)(?:_(?:10|20|60)m)?$/;
/** Landsat's scene names of before the collections: LE7, path and row, year and day of the year, station, version. */
const LANDSAT_SCENE = /(?<![A-Za-z0-9])L[COTEM]\d\d{6}((?:19|20)\d{2})([0-3]\d{2})[A-Z]{3}\d{2}(?!\d)/;
const AT_ONCE = 16;

function validTime(parts: readonly (string | undefined)[]): number | null {
  const [year, month, day, hour = '0', minute = '0', second = '0'] = parts;
  const timeMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const date = new Date(timeMs);
  const real = Number(year) >= 1900 && Number(year) < 2200 && date.getUTCMonth() === Number(month) - 1;
  return real && Number(day) >= 1 ? timeMs : null;
}

const DAY_MS = 86_400_000;

/** Midnight of a day of a year (1 to 366), or null. */
function timeOfDay(year: string, day: string): number | null {
  const first = validTime([year, '1', '1']);
  return first !== null && Number(day) >= 1 && Number(day) <= 366 ? first + (Number(day) - 1) * DAY_MS : null;
}

/** The first date in a name, ms UTC, or null. */
export function dateInName(name: string): number | null {
  const [, landsatYear, landsatDay] = LANDSAT_SCENE.exec(name) ?? [];
  const ofLandsat = landsatYear === undefined ? null : timeOfDay(landsatYear, landsatDay!);
  if (ofLandsat !== null) return ofLandsat;
  for (const match of name.matchAll(DATE)) {
    const timeMs = validTime(match.slice(1));
    if (timeMs !== null) return timeMs;
  }
  for (const [, year, days, hour, minute, second] of name.matchAll(DAY_OF_YEAR)) {
    const day = Number(days);
    const timeMs = day >= 1 && day <= 366 ? validTime([year, '1', '1', hour, minute, second]) : null;
    if (timeMs !== null) return timeMs + (day - 1) * 86_400_000;
  }
  return null;
}

interface File {
  url: string;
  /** Scene the file belongs to. */
  id: string;
  timeMs: number;
  /** From the name; null when the file's name is that of the scene. */
  band: string | null;
}

function place(url: string): File {
  const name = fileName(url).replace(EXTENSION, '');
  const folder = fileName(folderOf(url).replace(/[\\/]+$/, ''));
  const suffix = BAND.exec(name);
  const stem = suffix ? name.slice(0, suffix.index) : name;
  const band = suffix?.[1] ?? null;
  const inStem = dateInName(stem);
  if (inStem !== null) return { url, id: stem, timeMs: inStem, band };
  const inName = dateInName(name);
  // A name that is one word: what its folder says is of the folder.
  if (inName !== null && stem === '') return { url, id: name, timeMs: inName, band: null };
  const inFolder = dateInName(folder);
  if (inFolder !== null) return { url, id: folder, timeMs: inFolder, band: band ?? name };
  if (inName !== null) return { url, id: name, timeMs: inName, band: null };
  throw new InputError(`no date in the name of ${url} or of its folder; write it as YYYYMMDD, or give STAC items`, {
    url,
  });
}

function bandsOf({ band, url }: File, header: RasterHeader): [string, SceneBand][] {
  const many = header.bands.length > 1;
  return header.bands.map((info, bandIndex) => [
    many ? (info.name ?? `b${bandIndex + 1}`) : (band ?? info.name ?? 'b1'),
    {
      href: url,
      bandIndex,
      name: info.name,
      commonName: null,
      dtype: info.dtype,
      nodata: info.nodata,
      scale: info.scale,
      offset: info.offset,
      grid: header.grid,
    },
  ]);
}

/** [west, south, east, north] in degrees around a grid, west > east across the antimeridian, or null where its CRS cannot be transformed. */
async function lonLatBox(grid: Grid | null): Promise<Scene['bbox']> {
  if (!grid) return null;
  try {
    const toLonLat = await crsToLonLat(grid.crs);
    const { west, south, east, north } = gridBounds(grid);
    const xs: number[] = [];
    const ys: number[] = [];
    for (let i = 0; i <= 8; i++)
      for (let j = 0; j <= 8; j++) {
        const [lon, lat] = toLonLat(west + ((east - west) * i) / 8, south + ((north - south) * j) / 8);
        xs.push(lon);
        ys.push(lat);
      }
    const [w, e] = sidesOf(isGeographic(grid.crs) ? { west, east } : spanOf(xs));
    return [w, Math.min(...ys), e, Math.max(...ys)];
  } catch {
    return null;
  }
}

/** Told of a scene that is left out because a file of it cannot be opened; what it throws ends the reading. */
export type OnUnreadable = (scene: { id: string }, error: unknown) => void;

/**
 * Scenes of bare rasters. A file's name is taken apart as stem, separator (one of . _ -) and band: `S2A_31UDS_20200105_B04.tif`,
 * `LC08_…_20201031_…_SR_B4.TIF`. Files with the same stem in one folder are one scene when the stem holds a date (YYYYMMDD,
 * YYYY-MM-DD or YYYYDDD, time optional; or Landsat's LE70350321999205EDC00); files without a date in their name make one scene a folder,
 * dated by the folder's name (`20200105/B04.tif`). A file whose name ends in its date is a scene of its own. A file of several bands
 * gives them by their descriptions, else b1, b2, …
 */
export async function scenesOfRasters(
  urls: readonly string[],
  openRaster: (url: string) => Promise<Raster>,
  onUnreadable?: OnUnreadable,
): Promise<Scene[]> {
  const scenes = new Map<string, Scene>();
  const unreadable = new Set<string>();
  for (let start = 0; start < urls.length; start += AT_ONCE) {
    const files = urls.slice(start, start + AT_ONCE).map(place);
    const headers = await Promise.all(
      files.map(async ({ url, id }) => {
        try {
          const raster = await openRaster(url);
          await raster.close();
          return raster.header;
        } catch (error) {
          if (!onUnreadable) throw error;
          onUnreadable({ id }, error);
          return null;
        }
      }),
    );
    for (const [index, file] of files.entries()) {
      const header = headers[index]!;
      const key = `${folderOf(file.url)}\n${file.id}`;
      if (header === null) {
        unreadable.add(key);
        continue;
      }
      const scene = scenes.get(key) ?? {
        id: file.id,
        collection: null,
        timeMs: file.timeMs,
        cloudCoverPercent: null,
        bbox: await lonLatBox(header.grid),
        geometry: null,
        crs: header.grid?.crs ?? null,
        platform: null,
        bands: Object.create(null) as Record<string, SceneBand>,
        href: null,
      };
      scenes.set(key, scene);
      for (const [name, band] of bandsOf(file, header))
        scene.bands[name in scene.bands ? `${file.band ?? file.id}_${name}` : name] = band;
    }
  }
  for (const key of unreadable) scenes.delete(key);
  return [...scenes.values()];
}
