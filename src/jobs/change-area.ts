// The grid that changes are detected on, and which of its chips.
import { InputError } from '../errors.js';
import { isAxisAligned } from '../geo/affine.js';
import { CHIP_GRIDS, type ChipGrid, chipCell, snap } from '../geo/chip-grid.js';
import {
  type Crs,
  crsToLonLat,
  describeCrs,
  isGeographic,
  LON_LAT,
  lonLatToCrs,
  parseCrs,
  projectionOf,
  sameCrs,
} from '../geo/crs.js';
import { boundsIn } from '../geo/footprint.js';
import type { Bounds, Grid } from '../geo/grid.js';
import { sameProjection } from '../geo/projection.js';
import { parseBbox, type Region, regionOfBbox, regionOfGeoJson, touchesBox } from '../geo/region.js';
import type { SourceScene } from '../stats/spec.js';
import { suggestion } from '../stats/suggest.js';
import type { ChangeRunOptions } from './change-options.js';
import { type ChipRange, chipsWithin } from './result-store.js';

const NATIVE = 'native';
/** Chips and tiles of a grid that the scenes make. */
const NATIVE_CHIP = { chipPx: 100, tileChips: 50 };
const MOST_CHIPS = 2 ** 20;

/** A grid of chips, and the CRS object behind its text. */
export interface SettledGrid {
  chips: ChipGrid;
  crs: Crs;
}

/** The CRS of the archives' grids is told from others by its parameters; their makers differ in the ellipsoid, by a few metres. */
function isKin(own: Crs, wanted: Crs): boolean {
  const [p, q] = [projectionOf(own), projectionOf(wanted)];
  if (!p || !q || Math.abs(p.ellipsoid.a - q.ellipsoid.a) > 10) return false;
  return sameProjection({ ...p, ellipsoid: q.ellipsoid, geographicEpsg: q.geographicEpsg }, q);
}

/** Where a lattice has a line next to the CRS's origin, so that all scenes on it give the same grid. */
function phase(origin: number, step: number): number {
  const rest = origin - Math.floor(origin / step) * step;
  return step - rest < 1e-6 * step ? 0 : rest;
}

function nativeGrid({ crs, affine }: Grid): SettledGrid {
  const [a, , c, , e, f] = affine;
  if (!isAxisAligned(affine) || Math.abs(Math.abs(a) - Math.abs(e)) > 1e-6 * Math.abs(a)) {
    throw new InputError('the scenes have no square pixels along their CRS: give --grid', { option: 'grid' });
  }
  const pixelSize = Math.abs(a);
  const text = crs.epsg === null ? (crs.definition ?? describeCrs(crs)) : `EPSG:${crs.epsg}`;
  const [originX, originY] = [phase(c, pixelSize), phase(f, pixelSize)];
  return { chips: { name: NATIVE, crs: text, originX, originY, pixelSize, ...NATIVE_CHIP }, crs };
}

/** The grid by its name; `first` is the grid of a band of the first scene. */
export function settleGrid(name: string, first: Grid): SettledGrid {
  if (name === NATIVE) return nativeGrid(first);
  if (!Object.hasOwn(CHIP_GRIDS, name)) {
    const known = [...Object.keys(CHIP_GRIDS), NATIVE];
    const close = suggestion(name, known);
    throw new InputError(`there is no grid "${name}"${close}: give ${known.join(', ')}`, { option: 'grid' });
  }
  const chips = CHIP_GRIDS[name as keyof typeof CHIP_GRIDS];
  const crs = parseCrs(chips.crs);
  return { chips, crs: isKin(first.crs, crs) ? first.crs : crs };
}

function cellOption(values: readonly number[], option: string): { h: number; v: number } {
  const [h, v] = values;
  if (values.length === 2 && values.every((n) => Number.isInteger(n) && Math.abs(n) <= 1e7)) return { h: h!, v: v! };
  throw new InputError(`column and row of a ${option} are wanted, got ${values.join(',')}`, { option });
}

async function extentOf({ chips, crs }: SettledGrid, scenes: readonly SourceScene[], band: string): Promise<ChipRange> {
  const frames = new Map(scenes.map(({ sources }) => [JSON.stringify(sources[band]!.grid), sources[band]!.grid!]));
  const found = (await Promise.all([...frames.values()].map((grid) => boundsIn(grid, crs)))).filter((b) => b !== null);
  if (found.length === 0) throw new InputError(`no scene has a place in ${describeCrs(crs)}`, { option: 'grid' });
  return chipsWithin(chips, [
    Math.min(...found.map(({ west }) => west)),
    Math.min(...found.map(({ south }) => south)),
    Math.max(...found.map(({ east }) => east)),
    Math.max(...found.map(({ north }) => north)),
  ]);
}

/** The chips of a run: a range of them, and which of it. */
export interface ChipArea {
  range: ChipRange;
  has(h: number, v: number): boolean;
}

/** The chips that are asked for: one, those of a tile, of a box, that polygons touch, or all that the scenes touch. */
export async function chipArea(
  grid: SettledGrid,
  options: ChangeRunOptions,
  { scenes, band }: { scenes: readonly SourceScene[]; band: string },
): Promise<ChipArea> {
  const given = (['chip', 'tile', 'at', 'bbox', 'geometry'] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new InputError(`give one area, not both --${given.join(' and --')}`);
  const { geometry } = options;
  const region = geometry === undefined ? null : await regionOfGeoJson(geometry, { crs: grid.crs });
  const range = region ? rangeWithin(grid, region) : await rangeOf(grid, options, { scenes, band });
  const count = (range.hMax - range.hMin + 1) * (range.vMax - range.vMin + 1);
  if (count <= MOST_CHIPS) return { range, has: (h, v) => !region || touchesBox(region, chipBounds(grid.chips, h, v)) };
  throw new InputError(`${count} chips are too many at once (limit ${MOST_CHIPS}): give --tile, --bbox or --geometry`);
}

/** A point in the CRS of a grid. */
export async function pointOnGrid(
  crs: Crs,
  point: NonNullable<ChangeRunOptions['at']>,
): Promise<{ x: number; y: number }> {
  const { x, y } = point;
  if (point.crs === null) return { x, y };
  const from = point.crs === undefined ? LON_LAT : parseCrs(point.crs);
  if (sameCrs(from, crs)) return { x, y };
  if (isGeographic(from) && !(Math.abs(x) <= 180 && Math.abs(y) <= 90)) {
    throw new InputError(`${x},${y} is no longitude and latitude: say in which CRS with --at-crs`, { option: 'at' });
  }
  const [lon, lat] = (await crsToLonLat(from))(x, y);
  const [ownX, ownY] = (await lonLatToCrs(crs))(lon, lat);
  if (Number.isFinite(ownX) && Number.isFinite(ownY)) return { x: ownX, y: ownY };
  throw new InputError(`${x},${y} has no place in ${describeCrs(crs)}`, { option: 'at' });
}

function rangeWithin({ chips }: SettledGrid, { bounds }: Region): ChipRange {
  return chipsWithin(chips, [bounds.west, bounds.south, bounds.east, bounds.north]);
}

function chipBounds(chips: ChipGrid, h: number, v: number): Bounds {
  const { x, y } = chipCell(chips, h, v);
  const side = chips.pixelSize * chips.chipPx;
  return { west: x, south: y - side, east: x + side, north: y };
}

async function rangeOf(
  grid: SettledGrid,
  { chip, tile, at, bbox, bboxCrs }: ChangeRunOptions,
  { scenes, band }: { scenes: readonly SourceScene[]; band: string },
): Promise<ChipRange> {
  if (chip) {
    const { h, v } = cellOption(chip, 'chip');
    return { hMin: h, vMin: v, hMax: h, vMax: v };
  }
  if (tile) {
    const { h, v } = cellOption(tile, 'tile');
    const n = grid.chips.tileChips;
    return { hMin: h * n, vMin: v * n, hMax: h * n + n - 1, vMax: v * n + n - 1 };
  }
  if (at) {
    const { h, v } = snap(grid.chips, await pointOnGrid(grid.crs, at)).chip;
    return { hMin: h, vMin: v, hMax: h, vMax: v };
  }
  if (!bbox) return extentOf(grid, scenes, band);
  const from = bboxCrs === undefined ? {} : { from: parseCrs(bboxCrs) };
  return rangeWithin(grid, await regionOfBbox(parseBbox(bbox.join(',')), { crs: grid.crs, ...from }));
}

/** The pixels of a range of chips as one grid. */
export function areaGrid({ chips, crs }: SettledGrid, { hMin, vMin, hMax, vMax }: ChipRange): Grid {
  const { x, y } = chipCell(chips, hMin, vMin);
  const { pixelSize, chipPx } = chips;
  return {
    crs,
    affine: [pixelSize, 0, x, 0, -pixelSize, y],
    width: (hMax - hMin + 1) * chipPx,
    height: (vMax - vMin + 1) * chipPx,
  };
}
