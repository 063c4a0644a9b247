// Tile grids by name, as odc-stats has them, or of one's own.
import { InputError } from '../errors.js';
import { type Crs, parseCrs } from './crs.js';
import type { Grid } from './grid.js';

/** A lattice of equal tiles over a CRS, counted to the right and upward from its origin. Plain data. */
export interface GridSpec {
  name: string;
  crs: Crs;
  /** The lower left corner of tile (0, 0), in units of the CRS. */
  originX: number;
  originY: number;
  /** Size of a pixel, both positive. */
  resolutionX: number;
  resolutionY: number;
  /** Of a tile, px. */
  width: number;
  height: number;
}

/** A tile's column and row; rows count upward. */
export interface TileIndex {
  x: number;
  y: number;
}

/** Tiles [x0, x1) × [y0, y1). */
export interface TileRange {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** EPSG code, origin x and y; tiles of 96 km that pixels of 10, 20, 30 and 60 m divide. */
const FAMILIES: Readonly<Record<string, readonly [epsg: number, originX: number, originY: number]>> = {
  au: [3577, -2_688_000, -5_472_000],
  au_extended: [3577, -4_416_000, -6_912_000],
  africa: [6933, -17_376_000, -7_392_000],
  global: [6933, -17_376_000, -7_392_000],
  pacific: [3832, -3_000_000, -4_000_000],
};
const FAMILY_SIDE_M = 96_000;
const FAMILY_RESOLUTIONS_M = [10, 20, 30, 60];

/** px; what one raster can be. */
const MAX_SIDE_PX = 65_536;
/** Beyond this a tile's index is a mistake. */
const MAX_INDEX = 1_000_000;

/** The names that {@link gridSpecOf} knows. */
export const GRID_NAMES: readonly string[] = [
  ...Object.keys(FAMILIES).flatMap((family) => FAMILY_RESOLUTIONS_M.map((res) => `${family}_${res}`)),
  'albers_au_25',
];

function ofEpsg(epsg: number): Crs {
  return { epsg, definition: null, geoKeys: null };
}

/** By name, `-` and `_` alike; the spelling that was given stays its name. Null for names that are not known. */
function namedGrid(name: string): GridSpec | null {
  const plain = name.trim().toLowerCase().replaceAll('-', '_');
  if (plain === 'albers_au_25') {
    const square = { resolutionX: 25, resolutionY: 25, width: 4000, height: 4000 };
    return { name, crs: ofEpsg(3577), originX: 0, originY: 0, ...square };
  }
  const [, family = '', res = ''] = /^([a-z_]+)_(\d+)$/.exec(plain) ?? [];
  const found = Object.hasOwn(FAMILIES, family) ? FAMILIES[family]! : null;
  const resolution = Number(res);
  if (!found || !FAMILY_RESOLUTIONS_M.includes(resolution)) return null;
  const [epsg, originX, originY] = found;
  const side = FAMILY_SIDE_M / resolution;
  return {
    name,
    crs: ofEpsg(epsg),
    originX,
    originY,
    resolutionX: resolution,
    resolutionY: resolution,
    width: side,
    height: side,
  };
}

/** `10` or `-10x10` (y × x, the sign of y says only that rows go down). */
function pair(text: string): [y: number, x: number] {
  const parts = text.split('x').map((part) => (part.trim() === '' ? Number.NaN : Math.abs(Number(part))));
  return parts.length === 1 ? [parts[0]!, parts[0]!] : parts.length === 2 ? [parts[0]!, parts[1]!] : [Number.NaN, 0];
}

/**
 * A grid by its name (`au_extended_30`), as `crs;resolution;pixels` (`epsg:6936;10;9600`, `epsg:6936;-10x10;9600x9600`: y × x, its
 * origin in 0, 0), or as JSON `{"crs", "resolution", "shape", "origin"?, "name"?}`: numbers, or pairs of y and x.
 * @throws InputError that says what was wanted
 */
export function parseGridSpec(text: string): GridSpec {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return checkGridSpec(ofJson(trimmed));
  const parts = trimmed.split(';');
  if (parts.length === 3) {
    const [crs, resolution, pixels] = parts.map((part) => part.trim()) as [string, string, string];
    const [resolutionY, resolutionX] = pair(resolution);
    const [height, width] = pair(pixels);
    const name = `${crs.toLowerCase()}_${resolution}_${pixels}`;
    const size = { resolutionX, resolutionY, width, height };
    return checkGridSpec({ name, crs: parseCrs(crs), originX: 0, originY: 0, ...size });
  }
  const named = namedGrid(trimmed);
  if (named) return named;
  throw new InputError(
    `no grid is called ${JSON.stringify(trimmed.slice(0, 60))}: wanted au, au_extended, africa, global or pacific with _10, _20, _30 or _60, albers_au_25, or crs;resolution;pixels`,
    { option: 'grid' },
  );
}

function ofJson(text: string): GridSpec {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`a grid that is not JSON: ${(cause as Error).message}`, { option: 'grid' }, { cause });
  }
  const two = (value: unknown, otherwise: number): [number, number] => {
    if (value === undefined || value === null) return [otherwise, otherwise];
    const list = Array.isArray(value) ? value : [value, value];
    return list.length === 2 ? [Number(list[0]), Number(list[1])] : [Number.NaN, Number.NaN];
  };
  if (typeof given.crs !== 'string') throw new InputError('a grid as JSON needs "crs" as text', { option: 'grid' });
  const [resolutionY, resolutionX] = two(given.resolution, Number.NaN).map(Math.abs) as [number, number];
  const [height, width] = two(given.shape, Number.NaN);
  const [originY, originX] = two(given.origin, 0);
  const name = typeof given.name === 'string' ? given.name : `${given.crs.toLowerCase()}_${resolutionX}_${width}`;
  return { name, crs: parseCrs(given.crs), originX, originY, resolutionX, resolutionY, width, height };
}

/**
 * Checks a grid that came from elsewhere.
 * @throws InputError unless its resolution is positive, its origin finite, and its tiles have 1 to 65 536 px a side
 */
export function checkGridSpec(spec: GridSpec): GridSpec {
  const { resolutionX, resolutionY, originX, originY, width, height } = spec;
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE_PX;
  const good =
    [resolutionX, resolutionY].every((size) => Number.isFinite(size) && size > 0) &&
    [originX, originY].every(Number.isFinite) &&
    isSide(width) &&
    isSide(height) &&
    /^[\w.:+;-]{1,100}$/.test(spec.name);
  if (good) return spec;
  const wanted = `a plain name, a positive resolution, and tiles of 1 to ${MAX_SIDE_PX} px a side`;
  const { name } = spec;
  const got = JSON.stringify({ name, resolutionX, resolutionY, originX, originY, width, height });
  throw new InputError(`a grid of tiles needs ${wanted}, got ${got.slice(0, 200)}`, { option: 'grid' });
}

/** Sides of a tile in units of the CRS. */
export function tileSides({ resolutionX, resolutionY, width, height }: GridSpec): [x: number, y: number] {
  return [resolutionX * width, resolutionY * height];
}

/** The pixels of a tile, north up. */
export function tileGrid(spec: GridSpec, { x, y }: TileIndex): Grid {
  if (!(Number.isInteger(x) && Number.isInteger(y) && Math.abs(x) <= MAX_INDEX && Math.abs(y) <= MAX_INDEX))
    throw new InputError(`a tile has a whole column and row within ±${MAX_INDEX}, not ${x}, ${y}`, { option: 'tiles' });
  const [sideX, sideY] = tileSides(spec);
  return {
    crs: spec.crs,
    affine: [spec.resolutionX, 0, spec.originX + x * sideX, 0, -spec.resolutionY, spec.originY + (y + 1) * sideY],
    width: spec.width,
    height: spec.height,
  };
}

/** The tile that a point of the CRS lies in. */
export function tileAt(spec: GridSpec, x: number, y: number): TileIndex {
  const [sideX, sideY] = tileSides(spec);
  return { x: Math.floor((x - spec.originX) / sideX), y: Math.floor((y - spec.originY) / sideY) };
}

/** `x0:x1,y0:y1`, half-open; `x,y` is one tile. */
export function parseTileRange(text: string): TileRange {
  const wrong = new InputError(`tiles are "x0:x1,y0:y1" (ends not counted), not ${JSON.stringify(text.slice(0, 60))}`, {
    option: 'tiles',
  });
  const sides = text.split(',').map((side) => {
    const match = /^\s*([+-]?\d{1,7})(?:\s*:\s*([+-]?\d{1,7}))?\s*$/.exec(side);
    if (!match) throw wrong;
    const start = Number(match[1]);
    return [start, match[2] === undefined ? start + 1 : Number(match[2])] as const;
  });
  if (sides.length !== 2) throw wrong;
  const [[x0, x1], [y0, y1]] = sides as [readonly [number, number], readonly [number, number]];
  if (x1 <= x0 || y1 <= y0)
    throw new InputError(`the tiles ${text} are none: ends are not counted`, { option: 'tiles' });
  return { x0, x1, y0, y1 };
}

export function inTileRange({ x, y }: TileIndex, { x0, x1, y0, y1 }: TileRange): boolean {
  return x >= x0 && x < x1 && y >= y0 && y < y1;
}

/** Digits that the widest index of some tiles takes. */
export function indexDigits(tiles: Iterable<TileIndex>): number {
  let most = 0;
  for (const { x, y } of tiles) most = Math.max(most, Math.abs(x), Math.abs(y));
  return String(most).length;
}

/** A number as Python's `{:0Nd}` writes it: the sign takes a place. */
export function padded(value: number, digits: number): string {
  return value < 0 ? `-${String(-value).padStart(digits - 1, '0')}` : String(value).padStart(digits, '0');
}

/** `x07y28`, as odc-stats names tiles. */
export function regionCode({ x, y }: TileIndex, digits: number): string {
  return `x${padded(x, digits)}y${padded(y, digits)}`;
}
