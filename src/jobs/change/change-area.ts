// The grid that changes are detected on, and which of its chips.
import { InputError } from '../../errors.js';
import { isAxisAligned } from '../../geo/affine.js';
import { CHIP_GRIDS, type ChipGrid, cellName, chipCell, snap } from '../../geo/chip-grid.js';
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
} from '../../geo/crs.js';
import { boundsIn } from '../../geo/footprint.js';
import type { Bounds, Grid } from '../../geo/grid.js';
import { sameProjection } from '../../geo/projection.js';
import { parseBbox, type Region, regionOfBbox, regionOfGeoJson, touchesBox } from '../../geo/region.js';
import type { SourceScene } from '../../stats/spec.js';
import { suggestion } from '../../stats/suggest.js';
import { type ChipRange, chipsWithin, tileRange } from './result-store.js';

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
    const came = isAxisAligned(affine) ? `${Math.abs(a)} × ${Math.abs(e)}` : 'turned';
    const message = `${NATIVE} takes scenes of square pixels along their CRS, and these are ${came}: give a grid`;
    throw new InputError(message, { option: 'grid' });
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

/** One area of a grid of chips, in one of the ways to give it; chips are meant as a whole. */
export interface AreaOptions {
  /** Column and row of a chip, or of a tile. */
  chip?: readonly number[] | undefined;
  tile?: readonly number[] | undefined;
  /** Columns and rows of chips. */
  chips?: readonly (readonly number[])[] | undefined;
  /** The chip that a point lies in: lon/lat, or in `crs`; null is the grid's own. */
  at?: { x: number; y: number; crs?: string | null | undefined } | undefined;
  /** West, south, east, north; lon/lat unless `bboxCrs`. The chips that it touches. */
  bbox?: readonly number[] | undefined;
  bboxCrs?: string | undefined;
  /** GeoJSON polygons in lon/lat: the chips that they touch. */
  geometry?: unknown;
}

/** Chips of a grid, as plain data. */
export interface ChipSelection {
  range: ChipRange;
  /** Which of the range, by {@link cellName}; null for all. */
  only: ReadonlySet<string> | null;
}

/** Whether a selection has a chip. */
export function isSelected({ range, only }: ChipSelection, chip: { h: number; v: number }): boolean {
  const { hMin, vMin, hMax, vMax } = range;
  if (chip.h < hMin || chip.h > hMax || chip.v < vMin || chip.v > vMax) return false;
  return only === null || only.has(cellName(chip));
}

/** The chips of a selection, row by row. */
export function* selectedChips({ range, only }: ChipSelection): Generator<{ h: number; v: number }> {
  if (only) {
    const cells = [...only].map((name) => name.split(' ').map(Number) as [number, number]);
    for (const [h, v] of cells.sort(([h1, v1], [h2, v2]) => v1 - v2 || h1 - h2)) yield { h, v };
    return;
  }
  for (let v = range.vMin; v <= range.vMax; v++) for (let h = range.hMin; h <= range.hMax; h++) yield { h, v };
}

/**
 * How many chips a selection has.
 * @throws InputError when they are too many to be listed.
 */
export function countSelected({ range, only }: ChipSelection): number {
  return only?.size ?? checkCount(range);
}

function checkCount({ hMin, vMin, hMax, vMax }: ChipRange): number {
  const count = (hMax - hMin + 1) * (vMax - vMin + 1);
  if (count <= MOST_CHIPS) return count;
  throw new InputError(`${count} chips are too many at once (limit ${MOST_CHIPS}): give --tile, --bbox or --geometry`);
}

/** The least range around chips. */
export function rangeAround(chips: readonly { h: number; v: number }[]): ChipRange {
  const range = { hMin: Infinity, vMin: Infinity, hMax: -Infinity, vMax: -Infinity };
  for (const { h, v } of chips) {
    range.hMin = Math.min(range.hMin, h);
    range.vMin = Math.min(range.vMin, v);
    range.hMax = Math.max(range.hMax, h);
    range.vMax = Math.max(range.vMax, v);
  }
  return range;
}

/** The chips that are asked for: those of an area, or all that the scenes touch. */
export async function selectChips(
  grid: SettledGrid,
  area: AreaOptions,
  { scenes, band }: { scenes: readonly SourceScene[]; band: string },
): Promise<ChipSelection> {
  return (await givenChips(grid, area)) ?? { range: await extentOf(grid, scenes, band), only: null };
}

/** The chips of an area; null when none is given. */
export async function givenChips(grid: SettledGrid, area: AreaOptions): Promise<ChipSelection | null> {
  const given = (['chip', 'chips', 'tile', 'at', 'bbox', 'geometry'] as const).filter(
    (name) => area[name] !== undefined,
  );
  if (given.length > 1) throw new InputError(`give one area, not both --${given.join(' and --')}`);
  if (area.chips) return listedChips(area.chips);
  if (area.geometry !== undefined) return touchedChips(grid, area.geometry);
  const range = await givenRange(grid, area);
  return range && { range, only: null };
}

function listedChips(chips: readonly (readonly number[])[]): ChipSelection {
  if (chips.length === 0) throw new InputError('no chips are given', { option: 'chips' });
  const cells = chips.map((one) => cellOption(one, 'chip'));
  return { range: rangeAround(cells), only: new Set(cells.map(cellName)) };
}

async function touchedChips(grid: SettledGrid, geometry: unknown): Promise<ChipSelection> {
  const region = await regionOfGeoJson(geometry, { crs: grid.crs });
  const range = rangeWithin(grid, region);
  checkCount(range);
  const only = new Set<string>();
  for (const { h, v } of selectedChips({ range, only: null })) {
    if (touchesBox(region, chipBounds(grid.chips, h, v))) only.add(cellName({ h, v }));
  }
  return { range, only };
}

/** A point in the CRS of a grid. */
export async function pointOnGrid(crs: Crs, point: NonNullable<AreaOptions['at']>): Promise<{ x: number; y: number }> {
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

/** A chip, tile, point or box. */
async function givenRange(
  grid: SettledGrid,
  { chip, tile, at, bbox, bboxCrs }: AreaOptions,
): Promise<ChipRange | null> {
  if (chip) {
    const { h, v } = cellOption(chip, 'chip');
    return { hMin: h, vMin: v, hMax: h, vMax: v };
  }
  if (tile) return tileRange(grid.chips, cellOption(tile, 'tile'));
  if (at) {
    const { h, v } = snap(grid.chips, await pointOnGrid(grid.crs, at)).chip;
    return { hMin: h, vMin: v, hMax: h, vMax: v };
  }
  if (!bbox) return null;
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
