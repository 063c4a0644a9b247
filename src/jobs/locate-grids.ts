import type { Geometry, Position } from 'geojson';
import { InputError } from '../errors.js';
import { isGeographic, sameCrs } from '../geo/crs.js';
import { parseGridSpec } from '../geo/gridspec.js';
import { overlappingTiles, type PlanePolygon } from '../geo/polygon-overlap.js';
import { groundPolygons, lonLatRings, tileCover } from '../geo/tile-cover.js';
import { type PolygonFeature, type PolygonLayer, readPolygonLayer } from '../io/polygon-layer.js';
import type { Json } from '../io/stac-item.js';
import type { Store } from '../io/store.js';
import { anyStore } from '../io/stores.js';
import { filterOf, parseFilter } from './attribute-filter.js';

export interface LocateOptions {
  /** Conditions on attributes of the extent: `FEAT_CODE != 'sea'`. */
  attributeFilter?: string | undefined;
  store?: Store | undefined;
  signal?: AbortSignal | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/** Column and row of a tile, as the grid spells them. */
export type TileName = readonly [x: string, y: string];

/** Points that are put on the edges of polygons on their way to another CRS: every so many degrees, or units (m). */
const STEP_DEG = 0.25;
const STEP_UNITS = 25_000;

/** The features of an extent that a filter leaves. */
async function readExtent(url: string, options: LocateOptions): Promise<PolygonLayer> {
  const { attributeFilter, store = anyStore(), signal, onWarning } = options;
  const conditions = attributeFilter === undefined ? null : parseFilter(attributeFilter);
  const layer = await readPolygonLayer(url, { store, signal });
  if (layer.empty > 0) onWarning?.(`${url}: ${layer.empty} features have no shape`);
  const isMeant = conditions ? filterOf(conditions, layer.fields) : () => true;
  const features = layer.features.filter(({ properties }) => isMeant(properties));
  if (features.length === 0) {
    const of = `${layer.features.length} polygons`;
    throw new InputError(conditions ? `none of ${of} in ${url} meets ${attributeFilter}` : `${url} holds no polygon`, {
      url,
    });
  }
  return { ...layer, features };
}

const shapeOf = ({ polygons }: PolygonFeature): Geometry => ({ type: 'MultiPolygon', coordinates: polygons });

/** A layer's shapes in degrees. */
async function shapesInDegrees({ crs, features }: PolygonLayer): Promise<Geometry[]> {
  const toDegrees = await lonLatRings(crs, isGeographic(crs) ? STEP_DEG : STEP_UNITS);
  return features.map((feature) => toDegrees(shapeOf(feature)));
}

/**
 * Tiles of a named grid (or `crs;resolution;pixels`, or JSON) that share ground with polygons of a GeoJSON file or shapefile: by x, then y.
 * @throws InputError, FormatError, StoreError… as grid, file and filter demand
 */
export async function locateTiles(grid: string, extent: string, options: LocateOptions = {}): Promise<TileName[]> {
  const spec = parseGridSpec(grid);
  const layer = await readExtent(extent, options);
  const cover = await tileCover(spec);
  const tiles = new Map<string, { x: number; y: number }>();
  let lost = 0;
  for (const shape of await shapesInDegrees(layer)) {
    options.signal?.throwIfAborted();
    const found = cover.tilesOf(shape);
    if (found.length === 0) lost++;
    for (const tile of found) tiles.set(`${tile.x} ${tile.y}`, tile);
  }
  if (lost > 0)
    options.onWarning?.(`${lost} of ${layer.features.length} polygons have no place in the plane of ${grid}`);
  return [...tiles.values()].sort((a, b) => a.x - b.x || a.y - b.y).map(({ x, y }) => [String(x), String(y)] as const);
}

/** What names tiles: `x07y28` as its numbers, or two fields. */
function namesOf({ url, fields }: PolygonLayer): (properties: Json) => TileName {
  const field = (name: string) => fields.find((one) => one.toLowerCase() === name);
  const [code, ix, iy, x, y] = ['region_code', 'ix', 'iy', 'x', 'y'].map(field);
  const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '');
  if (code !== undefined)
    return (properties) => {
      const own = text(properties[code]);
      const [, col, row] = /^x(-?\d+)y(-?\d+)$/i.exec(own) ?? [];
      const [first, second, ...more] = col === undefined ? (own.match(/\d+/g) ?? []) : [col, row!];
      if (first === undefined || second === undefined || more.length > 0)
        throw new InputError(`${url}: a tile's ${code} is like x07y28, not ${JSON.stringify(own.slice(0, 40))}`, {
          url,
        });
      return [first, second];
    };
  const [a, b] = ix !== undefined && iy !== undefined ? [ix, iy] : [x, y];
  if (a === undefined || b === undefined)
    throw new InputError(
      `${url}: tiles are named by region_code, or ix and iy, or x and y; its fields are ${fields.slice(0, 40).join(', ') || 'none'}`,
      { url },
    );
  return (properties) => {
    const pair = [text(properties[a]), text(properties[b])] as const;
    if (pair.every((value) => /^-?\d+$/.test(value))) return pair;
    throw new InputError(`${url}: a tile's ${a} and ${b} are whole numbers, not ${pair.join(', ').slice(0, 60)}`, {
      url,
    });
  };
}

const planar = (rings: readonly Position[][]): PlanePolygon =>
  rings.map((ring) => ring.map((p): [number, number] => [p[0]!, p[1]!]));

/**
 * The same of tiles that are polygons of a GeoJSON file or shapefile, in their order there.
 * @throws InputError, FormatError, StoreError… as files and filter demand
 */
export async function locateShapes(tiles: string, extent: string, options: LocateOptions = {}): Promise<TileName[]> {
  const { store = anyStore(), signal, onWarning } = options;
  const grid = await readPolygonLayer(tiles, { store, signal });
  if (grid.features.length === 0) throw new InputError(`${tiles} holds no polygon`, { url: tiles });
  const nameOf = namesOf(grid);
  const names = grid.features.map(({ properties }) => nameOf(properties));
  const layer = await readExtent(extent, options);
  const planes = await extentsOn(grid, layer, onWarning);
  const found = overlappingTiles(
    grid.features.map(({ polygons }) => polygons.map(planar)),
    planes,
  );
  return found.map((index) => names[index]!);
}

/** Polygons of an extent in the CRS of the tiles. */
async function extentsOn(
  grid: PolygonLayer,
  layer: PolygonLayer,
  onWarning: LocateOptions['onWarning'],
): Promise<PlanePolygon[]> {
  if (sameCrs(grid.crs, layer.crs)) return layer.features.flatMap(({ polygons }) => polygons.map(planar));
  const toGround = await groundPolygons(grid.crs);
  const placed = (await shapesInDegrees(layer)).map(toGround);
  const lost = placed.filter((polygons) => polygons.length === 0).length;
  if (lost > 0) onWarning?.(`${lost} of ${placed.length} polygons have no place in the plane of ${grid.url}`);
  return placed.flat();
}
