import { InputError } from '../errors.js';
import { pixelToGround } from '../geo/affine.js';
import { type Crs, crsToLonLat, datumNote, datumOf, describeCrs, isGeographic, parseCrs, sameCrs } from '../geo/crs.js';
import { type DatumShift, datumName, shiftApplies } from '../geo/datum-shift.js';
import { boundsIn } from '../geo/footprint.js';
import { type Bounds, type Grid, targetGrid } from '../geo/grid.js';
import { middleOfBox, turnsOf, withinCircle } from '../geo/longitude.js';
import { parseBbox, type Region, regionOfBbox, regionOfGeoJson } from '../geo/region.js';
import type { Scene } from '../io/scene.js';
import { commonCrs } from '../stats/select.js';
import type { RasterCache } from '../stats/source.js';
import type { CompositeOptions } from './composite-options.js';
import { ofScene } from './survey.js';

/** The CRS of the target: the one asked for, or that of all scenes (of a file where no item states one). */
export async function targetCrs(
  scenes: readonly Scene[],
  { cache, options, like }: { cache: RasterCache; options: CompositeOptions; like: Grid | null },
): Promise<Crs> {
  const asked = options.crs === undefined ? null : parseCrs(options.crs);
  if (asked && like && !sameCrs(asked, like.crs)) {
    throw new InputError('--crs differs from the CRS of --like: give one of them', { option: 'crs' });
  }
  const stated = like?.crs ?? asked ?? commonCrs(scenes);
  if (stated) return stated;
  const href = Object.values(scenes[0]!.bands)[0]?.href;
  const grid = href ? (await ofScene(scenes[0]!, options, () => cache.open(href))).header.grid : null;
  if (!grid) throw new InputError(`neither the item nor the files of ${scenes[0]!.id} state a CRS`);
  return grid.crs;
}

/** The target's grid: of the options, around the scenes or an area. */
export async function frameOf(
  grids: readonly Grid[],
  {
    crs,
    like,
    bounds,
    options,
    datumShift,
  }: {
    crs: Crs;
    like: Grid | null;
    bounds: Bounds | null;
    options: CompositeOptions;
    datumShift: DatumShift | undefined;
  },
): Promise<Grid> {
  const crss = distinctCrss(grids);
  for (const own of crss) checkWay(own, crs, { options, datumShift });
  if (datumShift) checkShift(datumShift, crss, { crs, options });
  const extent = bounds || like ? null : await extentIn(grids, crs, datumShift);
  const { resolution } = options;
  return targetGrid({
    grids,
    bounds,
    extent,
    like,
    resolution: resolution === undefined ? null : [resolution, resolution],
    crs,
  });
}

function distinctCrss(grids: readonly Grid[]): Crs[] {
  const found: Crs[] = [];
  for (const { crs } of grids) if (!found.some((other) => other === crs || sameCrs(other, crs))) found.push(crs);
  return found;
}

/** Scenes in another CRS than the target are an error unless that was asked for, and their datum may need a word. */
function checkWay(
  own: Crs,
  crs: Crs,
  { options, datumShift }: { options: CompositeOptions; datumShift: DatumShift | undefined },
): void {
  if (sameCrs(own, crs)) return;
  if (options.crs === undefined && options.like === undefined) {
    throw new InputError(
      `there are scenes in ${describeCrs(crs)} and in ${describeCrs(own)}: say with --crs which one the result is to have`,
      { option: 'crs' },
    );
  }
  const note = datumShift && shiftApplies(datumShift, own, crs) ? null : datumNote(own, crs);
  if (note) options.onWarning?.(note);
}

/**
 * An operation moves the scenes of at least one CRS; where none needs to be moved, that is told.
 * @throws InputError where scenes are on another datum than the result, and the operation leads from none of theirs
 */
function checkShift(
  shift: DatumShift,
  crss: readonly Crs[],
  { crs, options }: { crs: Crs; options: CompositeOptions },
): void {
  if (crss.some((own) => shiftApplies(shift, own, crs))) return;
  const target = datumOf(crs);
  const names = [...new Set(crss.map((own) => datumName(datumOf(own))))].join(', ');
  const between = `${shift.code} leads from ${datumName(shift.from)} to ${datumName(shift.to)} or back`;
  if (target !== null && crss.every((own) => datumOf(own) === target)) {
    options.onWarning?.(`${between}, and all scenes are on ${names} like the result: nothing is shifted`);
    return;
  }
  throw new InputError(`${between}, and the scenes are on ${names}, the result on ${datumName(target)}`, {
    option: 'transform-code',
  });
}

/** Around all grids, in one CRS. */
async function extentIn(grids: readonly Grid[], crs: Crs, datumShift: DatumShift | undefined): Promise<Bounds> {
  // Most dates lie where the first one does.
  const frames = new Map(grids.map((grid) => [JSON.stringify(grid), grid]));
  const found = await Promise.all([...frames.values()].map((grid) => boundsIn(grid, crs, datumShift)));
  const all = found.filter((bounds) => bounds !== null);
  if (all.length === 0) throw new InputError(`no scene has a place in ${describeCrs(crs)}`, { option: 'crs' });
  const turns = isGeographic(crs) ? turnsOf(all) : all.map(() => 0);
  const side = (pick: (bounds: Bounds, turned: number) => number) => all.map((one, i) => pick(one, 360 * turns[i]!));
  return {
    west: Math.min(...side(({ west }, turned) => west + turned)),
    south: Math.min(...side(({ south }) => south)),
    east: Math.max(...side(({ east }, turned) => east + turned)),
    north: Math.max(...side(({ north }) => north)),
  };
}

export async function gridOf(href: string, cache: RasterCache): Promise<Grid> {
  const { grid } = (await cache.open(href)).header;
  if (!grid) throw new InputError(`${href} has no georeference to take a grid from`, { url: href, option: 'like' });
  return grid;
}

export async function regionOf(options: CompositeOptions, crs: Crs): Promise<Region | null> {
  const areas = ['bbox', 'geometry', 'like'].filter((name) => options[name as 'bbox'] !== undefined);
  if (areas.length > 1) throw new InputError(`give one area, not both --${areas.join(' and --')}`);
  if (options.bboxCrs !== undefined && !options.bbox) {
    throw new InputError('--bbox-crs belongs to --bbox, which is not given', { option: 'bbox-crs' });
  }
  const from = options.bboxCrs === undefined ? {} : { from: parseCrs(options.bboxCrs) };
  if (options.bbox) return regionOfBbox(parseBbox(options.bbox.join(',')), { crs, ...from });
  if (options.geometry !== undefined) return regionOfGeoJson(options.geometry, { crs });
  return null;
}

/** The longitude whose clock decides about days: of the grid's middle, or of the scene where the CRS cannot be transformed. */
export async function middleLongitude(grid: Grid, scene: Scene): Promise<number> {
  try {
    const toLonLat = await crsToLonLat(grid.crs);
    return withinCircle(toLonLat(...pixelToGround(grid.affine, grid.width / 2, grid.height / 2))[0]);
  } catch {
    return scene.bbox ? middleOfBox(scene.bbox) : 0;
  }
}
