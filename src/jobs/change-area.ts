// The grid that changes are detected on, and which of its chips.
import { InputError } from '../errors.js';
import { isAxisAligned } from '../geo/affine.js';
import { CHIP_GRIDS, type ChipGrid, chipCell } from '../geo/chip-grid.js';
import { type Crs, describeCrs, parseCrs, projectionOf } from '../geo/crs.js';
import { boundsIn } from '../geo/footprint.js';
import type { Grid } from '../geo/grid.js';
import { sameProjection } from '../geo/projection.js';
import { parseBbox, regionOfBbox } from '../geo/region.js';
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

/** The chips that are asked for: one, a list, those of a tile, of a box, or all that the scenes touch. */
export async function chipRange(
  grid: SettledGrid,
  options: ChangeRunOptions,
  { scenes, band }: { scenes: readonly SourceScene[]; band: string },
): Promise<ChipRange> {
  return checkRange((await givenRange(grid, options)) ?? (await extentOf(grid, scenes, band)));
}

/** @throws InputError for more chips than there should be at once. */
export function checkRange(range: ChipRange): ChipRange {
  const count = (range.hMax - range.hMin + 1) * (range.vMax - range.vMin + 1);
  if (count <= MOST_CHIPS) return range;
  throw new InputError(`${count} chips are too many at once (limit ${MOST_CHIPS}): give --tile or --bbox`);
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

/** One area of a grid of chips, in one of the ways to give it. */
export interface AreaOptions {
  /** Column and row of a chip, or of a tile. */
  chip?: readonly number[] | undefined;
  tile?: readonly number[] | undefined;
  /** Columns and rows of chips. */
  chips?: readonly (readonly number[])[] | undefined;
  /** West, south, east, north; lon/lat unless `bboxCrs`. The chips that it touches are meant as a whole. */
  bbox?: readonly number[] | undefined;
  bboxCrs?: string | undefined;
}

/** The chips of an area; null when none is given. Of a list it is the range around it. */
export async function givenRange(grid: SettledGrid, area: AreaOptions): Promise<ChipRange | null> {
  const given = (['chip', 'chips', 'tile', 'bbox'] as const).filter((name) => area[name] !== undefined);
  if (given.length > 1) throw new InputError(`give one area, not both --${given.join(' and --')}`);
  const { chip, chips, tile, bbox, bboxCrs } = area;
  if (chip) {
    const { h, v } = cellOption(chip, 'chip');
    return { hMin: h, vMin: v, hMax: h, vMax: v };
  }
  if (chips) {
    if (chips.length === 0) throw new InputError('no chips are given', { option: 'chips' });
    return rangeAround(chips.map((one) => cellOption(one, 'chip')));
  }
  if (tile) {
    const { h, v } = cellOption(tile, 'tile');
    const n = grid.chips.tileChips;
    return { hMin: h * n, vMin: v * n, hMax: h * n + n - 1, vMax: v * n + n - 1 };
  }
  if (!bbox) return null;
  const from = bboxCrs === undefined ? {} : { from: parseCrs(bboxCrs) };
  const { bounds } = await regionOfBbox(parseBbox(bbox.join(',')), { crs: grid.crs, ...from });
  return chipsWithin(grid.chips, [bounds.west, bounds.south, bounds.east, bounds.north]);
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
