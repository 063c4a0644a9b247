// What a mosaic is put together from: tiles as scenes, in the order of their names.
import { InputError } from '../errors.js';
import { isAxisAligned } from '../geo/affine.js';
import { sameCrs } from '../geo/crs.js';
import { type Bounds, type Grid, gridBounds } from '../geo/grid.js';
import { fileName, folderOf } from '../io/href.js';
import { mapFew } from '../io/map-few.js';
import { openRaster } from '../io/open-raster.js';
import type { RasterHeader } from '../io/raster.js';
import type { Scene, SceneBand } from '../io/scene.js';
import { rasterPaths, readItems } from '../io/stac.js';
import { isObject, sceneOfItem } from '../io/stac-item.js';

/** Files whose headers are read at a time. */
const AT_ONCE = 16;

interface Named {
  /** Orders tiles: where two have data, the first name counts. */
  name: string;
  scene: Scene;
}

/** The tile that an item describes, called by its title where it has one: ids of datasets are random. */
function tileOfItem(item: unknown, href: string | null, index: number): Named {
  const scene = sceneOfItem(item, href, index);
  const title = isObject(item) && isObject(item.properties) ? item.properties.title : undefined;
  return { name: typeof title === 'string' && title !== '' ? title : scene.id, scene };
}

/** The band that a file's name ends in, after one of . _ - */
function bandAtEnd(stem: string, names: readonly string[]): string | null {
  const fitting = names.filter((name) => stem.endsWith(name) && /[._-]$/.test(stem.slice(0, -name.length)));
  return fitting.reduce<string | null>((best, name) => (best && best.length > name.length ? best : name), null);
}

/** Which tile a file belongs to, and its bands: by the names wanted that file names end in, else by the descriptions inside. */
function bandsOfFile(url: string, header: RasterHeader, wanted: readonly string[]): { tile: string; names: string[] } {
  const stem = fileName(url).replace(/\.[A-Za-z0-9]+$/, '');
  const own = header.bands.map(({ name }, i) => name || `b${i + 1}`);
  const single = header.bands.length === 1;
  const band = single ? (bandAtEnd(stem, wanted) ?? bandAtEnd(stem, own)) : null;
  return band === null ? { tile: stem, names: own } : { tile: stem.slice(0, -band.length - 1), names: [band] };
}

/** Tiles of files without items: those of one folder whose names differ in the band alone are one tile. */
async function tilesOfRasters(
  urls: readonly string[],
  { bands = [], signal }: { bands?: readonly string[] | undefined; signal?: AbortSignal | undefined },
): Promise<Named[]> {
  const headers = await mapFew(urls, AT_ONCE, async (url) => {
    const raster = await openRaster(url, signal ? { signal } : {});
    await raster.close();
    return raster.header;
  });
  const tiles = new Map<string, Named>();
  for (const [i, url] of urls.entries()) {
    const header = headers[i]!;
    const { tile, names } = bandsOfFile(url, header, bands);
    const key = folderOf(url) + tile;
    const named = tiles.get(key) ?? { name: tile, scene: bareScene(tile, header) };
    tiles.set(key, named);
    for (const [bandIndex, name] of names.entries()) {
      if (name in named.scene.bands)
        throw new InputError(`${url} has the band ${name}, which ${named.scene.bands[name]!.href} has too`, { url });
      named.scene.bands[name] = sceneBand(url, header, bandIndex);
    }
  }
  return [...tiles.values()];
}

function bareScene(id: string, { grid }: RasterHeader): Scene {
  return {
    id,
    collection: null,
    timeMs: 0,
    cloudCoverPercent: null,
    bbox: null,
    geometry: null,
    crs: grid?.crs ?? null,
    platform: null,
    bands: Object.create(null) as Record<string, SceneBand>,
    href: null,
  };
}

function sceneBand(href: string, { bands, grid }: RasterHeader, bandIndex: number): SceneBand {
  const { name, dtype, nodata, scale, offset } = bands[bandIndex]!;
  return { href, bandIndex, name, commonName: null, dtype, nodata, scale, offset, grid };
}

/**
 * Tiles of items, folders of them, or bare rasters (also globs), by name. Their times are their places in that order, so that whatever
 * goes by time goes by name. Names that are given twice become names of their own.
 */
export async function mosaicTiles(
  sources: readonly string[],
  options: { bands?: readonly string[] | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Scene[]> {
  const reading = options.signal ? { signal: options.signal } : {};
  const rasters = await rasterPaths(sources, reading);
  const named: Named[] = rasters && rasters.length > 0 ? await tilesOfRasters(rasters, options) : [];
  if (named.length === 0)
    for await (const { item, href, index } of readItems(sources, reading)) named.push(tileOfItem(item, href, index));
  if (named.length === 0) throw new InputError(`no tiles in ${sources.join(', ').slice(0, 200)}`);
  // By code points, so that the order is the same in all places.
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const times = new Map<string, number>();
  return named.map(({ name, scene }, index) => {
    const seen = (times.get(name) ?? 0) + 1;
    times.set(name, seen);
    // Tiles are results: what their inputs were shifted by is in them.
    const { radiometry, ...rest } = scene;
    return { ...rest, id: seen === 1 ? name : `${name} (${seen})`, timeMs: index, bbox: null };
  });
}

/** Pairs of tiles of one CRS that share ground: how many, and the first. */
export function overlaps(tiles: readonly { id: string; grid: Grid }[]): {
  count: number;
  first: [string, string] | null;
} {
  const open: { id: string; grid: Grid; bounds: Bounds; px: number }[] = [];
  const placed = tiles
    .filter(({ grid }) => isAxisAligned(grid.affine))
    .map(({ id, grid }) => ({ id, grid, bounds: gridBounds(grid), px: Math.abs(grid.affine[0]) }))
    .sort((a, b) => a.bounds.west - b.bounds.west);
  let count = 0;
  let first: [string, string] | null = null;
  for (const tile of placed) {
    const { west, south, north } = tile.bounds;
    // Half a pixel of shared edge is rounding.
    const left = open.filter(({ bounds, px }) => bounds.east > west + px / 2);
    for (const other of left) {
      const shared = Math.min(other.bounds.north, north) - Math.max(other.bounds.south, south);
      if (shared <= tile.px / 2 || !sameCrs(other.grid.crs, tile.grid.crs)) continue;
      count++;
      const pair: [string, string] = other.id < tile.id ? [other.id, tile.id] : [tile.id, other.id];
      if (first === null || pair.join('\n') < first.join('\n')) first = pair;
    }
    open.splice(0, open.length, ...left, tile);
  }
  return { count, first };
}
