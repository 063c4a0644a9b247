// Settles everything about a run of change detection before a pixel is read.
import { InputError } from '../../errors.js';
import type { ChipGrid } from '../../geo/chip-grid.js';
import { describeCrs, sameCrs } from '../../geo/crs.js';
import { intersect, type Window } from '../../geo/grid.js';
import { toOrdinal } from '../../geo/ordinal.js';
import { parseInterval } from '../../geo/time.js';
import { openRaster } from '../../io/open-raster.js';
import type { Scene } from '../../io/scene.js';
import { PYCCD_BANDS } from '../../stats/change-bands.js';
import type { ChangeSpec } from '../../stats/change-block.js';
import { CHANGE_KINDS, type ChangeKind, type ChangeScene, changeScene } from '../../stats/change-source.js';
import { THERMAL_UNITS } from '../../stats/change-stack.js';
import { checkDetectOptions, type DetectOptions } from '../../stats/detect.js';
import { selectScenes } from '../../stats/select.js';
import { detectSensor } from '../../stats/sensors.js';
import { type RasterCache, rasterCache } from '../../stats/source.js';
import type { Source, SourceScene } from '../../stats/spec.js';
import { settleScenes } from '../radiometry.js';
import { locateScenes, scenesOnGrid } from '../survey.js';
import {
  areaGrid,
  type ChipSelection,
  countSelected,
  isSelected,
  type SettledGrid,
  selectChips,
  selectedChips,
  settleGrid,
} from './change-area.js';
import { inputsMd5, sceneInputs } from './change-inputs.js';
import type { ChangeRunOptions } from './change-options.js';

/** A chip of a run. */
export interface ChangeChip {
  h: number;
  v: number;
  /** In pixels of the area. */
  window: Window;
  /** Places of the scenes that meet it. */
  scenes: number[];
  inputsMd5: string;
}

/** Scenes of one kind on a grid of chips. */
export interface ChangeArea extends ChipSelection {
  spec: ChangeSpec;
  grid: ChipGrid;
  /** One a scene, see {@link sceneInputs}. */
  inputs: readonly string[];
}

export interface PreparedChanges extends ChangeArea {
  chips: ChangeChip[];
  /** Chips of the area, with those that no scene meets. */
  asked: number;
}

/** Selects scenes, tells what they are, and finds where they lie on the grid. */
export async function prepareArea(scenes: readonly Scene[], options: ChangeRunOptions): Promise<ChangeArea> {
  const cache = rasterCache((href) => openRaster(href, options.signal ? { signal: options.signal } : {}));
  try {
    return await prepare(scenes, options, cache);
  } finally {
    await cache.close();
  }
}

/** The same, with the chips that the scenes meet. */
export async function prepareChanges(scenes: readonly Scene[], options: ChangeRunOptions): Promise<PreparedChanges> {
  const area = await prepareArea(scenes, options);
  const asked = countSelected(area);
  const chips: ChangeChip[] = [];
  for (const { h, v } of selectedChips(area)) {
    const chip = chipOf(area, h, v, chips.at(-1)?.scenes);
    if (chip) chips.push(chip);
  }
  if (chips.length === 0) throw nowhere(area.spec.scenes);
  return { ...area, chips, asked };
}

/**
 * A chip with the scenes that meet it; null when none does, or it is not of the area. `alike` is the list of another chip, which is used
 * again where it is the same: thousands of lists of thousands would be much memory.
 */
export function chipOf(area: ChangeArea, h: number, v: number, alike: number[] = []): ChangeChip | null {
  const { spec, grid, range, inputs } = area;
  if (!isSelected(area, { h, v })) return null;
  const side = grid.chipPx;
  const window = { col: (h - range.hMin) * side, row: (v - range.vMin) * side, width: side, height: side };
  const found = [...spec.scenes.keys()].filter((i) => intersect(spec.scenes[i]!.footprint!, window) !== null);
  if (found.length === 0) return null;
  const scenes = found.length === alike.length && found.every((place, i) => place === alike[i]) ? alike : found;
  return { h, v, window, scenes, inputsMd5: inputsMd5(spec, { chips: grid, inputs }, { h, v, scenes }) };
}

function nowhere(scenes: readonly { id: string }[]): InputError {
  return new InputError(`none of the ${scenes.length} scenes overlaps the area`, { items: scenes.map(({ id }) => id) });
}

/** One kind for all: numbers and QA of several do not go together in a series. */
function kindOf(scenes: readonly Scene[], found: readonly ChangeScene[]): ChangeKind {
  const { kind } = found[0]!;
  const other = found.findIndex((one) => one.kind !== kind);
  if (other < 0) return kind;
  const [a, b] = [CHANGE_KINDS[kind], CHANGE_KINDS[found[other]!.kind]];
  throw new InputError(`scene ${scenes[0]!.id} is ${a.title}, and ${scenes[other]!.id} is ${b.title}: give one kind`, {
    items: [scenes[other]!.id],
  });
}

/** Whether temperature is used: where all scenes have it and nobody says no. */
function usesThermal(scenes: readonly Scene[], found: readonly ChangeScene[], options: ChangeRunOptions): boolean {
  if (options.thermal === false) return false;
  const lacking = found.findIndex(({ bands }) => bands.thermal === null);
  if (lacking < 0) return true;
  const hasAny = found.some(({ bands }) => bands.thermal !== null);
  if (hasAny || options.thermal === true) {
    const message = `scene ${scenes[lacking]!.id} has no thermal band: leave it out, or give --no-thermal`;
    throw new InputError(message, { band: 'thermal', items: [scenes[lacking]!.id] });
  }
  return false;
}

function sourcesOf({ bands, qa }: ChangeScene, names: readonly string[]): Record<string, Source> {
  const all = [...names.map((name) => [name, bands[name]!] as const), ['qa', qa] as const];
  const sources = all.map(([name, { href, bandIndex, grid, nodata = null }]) => {
    return [name, { href, bandIndex, grid, nodata }] as const;
  });
  return Object.fromEntries(sources);
}

/** Sentinel-2's offset, as it is settled for composites. */
async function shiftSources(
  scenes: readonly Scene[],
  work: { sources: readonly SourceScene[]; bands: readonly string[]; cache: RasterCache; options: ChangeRunOptions },
): Promise<void> {
  const { sources, bands, cache, options } = work;
  const spelled = bands.map((name) => S2_NAMES[name]!);
  const settled = await settleScenes(scenes, { bands: spelled, sensor: detectSensor(scenes), cache, options });
  for (const [i, scene] of scenes.entries()) {
    for (const name of bands) {
      const shiftDn = settled.shiftDn(scene, S2_NAMES[name]!);
      if (shiftDn !== 0) sources[i]!.sources[name]!.shiftDn = shiftDn;
    }
  }
}

/** PyCCD's bands as the table of sensors spells them. */
const S2_NAMES: Readonly<Record<string, string>> = {
  blue: 'B02',
  green: 'B03',
  red: 'B04',
  nir: 'B08',
  swir1: 'B11',
  swir2: 'B12',
};

/** Checked here, so that no thread finds what is wrong with them. */
function detectOptions(kind: ChangeKind, bands: readonly string[], { detect = {} }: ChangeRunOptions): DetectOptions {
  const { qaScheme, wideInt } = CHANGE_KINDS[kind];
  const options = { qaScheme, wideInt, ...detect, ...(!bands.includes('thermal') && { thermalBand: null }) };
  checkDetectOptions(bands, options);
  return options;
}

/** Scenes in other CRSs than the grid are brought onto it by the nearest pixel: of a grid of the scenes' own pixels that is told. */
function warnOfCrs(
  sources: readonly SourceScene[],
  { chips, crs }: SettledGrid,
  onWarning?: (text: string) => void,
): void {
  if (chips.name !== 'native') return;
  const others = sources.filter(({ sources: own }) => !sameCrs(own.red!.grid!.crs, crs));
  if (others.length === 0) return;
  const names = [...new Set(others.map(({ sources: own }) => describeCrs(own.red!.grid!.crs)))].join(', ');
  const which = `${others.length} of ${sources.length} scenes are in ${names}`;
  onWarning?.(
    `${which}, and are brought onto the pixels of the first, in ${describeCrs(crs)}: --grid names another grid`,
  );
}

/** What scenes are, and how their QA is read. */
function settleKind(scenes: readonly Scene[], options: ChangeRunOptions) {
  const found = scenes.map((scene) => changeScene(scene, options));
  const kind = kindOf(scenes, found);
  const { title, qaScheme } = CHANGE_KINDS[kind];
  if (options.qaScheme !== undefined && options.qaScheme !== qaScheme) {
    throw new InputError(`${options.qaScheme} is not how QA of ${title} is read: ${qaScheme}`, { option: 'qa-scheme' });
  }
  const thermal = usesThermal(scenes, found, options);
  const { thermalUnit } = options;
  const isStack = kind.startsWith('stack-');
  if (thermalUnit !== undefined && !THERMAL_UNITS.includes(thermalUnit)) {
    throw new InputError(`${THERMAL_UNITS.join(' or ')} is wanted, got "${thermalUnit}"`, { option: 'thermal-unit' });
  }
  if (thermalUnit !== undefined && !isStack) {
    throw new InputError(`it is for stacks: temperatures of ${title} have a known unit`, { option: 'thermal-unit' });
  }
  if (isStack && thermal && thermalUnit === undefined) {
    const units = 'kelvin-10 (kelvin × 10) or celsius-100 (degrees Celsius × 100), or --no-thermal';
    throw new InputError(`stacks do not say in which unit their temperatures are: give ${units}`, {
      option: 'thermal-unit',
    });
  }
  return { found, kind, thermal, ...(isStack && thermal && thermalUnit !== undefined && { thermalUnit }) };
}

async function prepare(all: readonly Scene[], options: ChangeRunOptions, cache: RasterCache): Promise<ChangeArea> {
  const { datetime, onWarning, signal, onError = 'fail' } = options;
  if (all.length === 0) throw new InputError('there are no scenes');
  if (!['fail', 'skip'].includes(onError)) {
    throw new InputError(`on-error is one of fail, skip, and got "${onError}"`, { option: 'on-error' });
  }
  const { scenes, notes } = selectScenes(all, { interval: datetime === undefined ? null : parseInterval(datetime) });
  for (const note of notes) onWarning?.(note);
  const { found: own, kind, thermal, ...units } = settleKind(scenes, options);
  const bands = PYCCD_BANDS.slice(0, thermal ? 7 : 6);
  const sources = scenes.map(({ id, timeMs }, i) => ({ id, timeMs, sources: sourcesOf(own[i]!, bands) }));
  const ownOptions = detectOptions(kind, bands, options);
  await locateScenes(sources, cache, { onError, ...(signal && { signal }) });
  if (kind === 'sentinel-2') await shiftSources(scenes, { sources, bands, cache, options });
  const settled = settleGrid(options.grid ?? 'native', sources[0]!.sources.red!.grid!);
  warnOfCrs(sources, settled, onWarning);
  const selection = await selectChips(settled, options, { scenes: sources, band: 'red' });
  const grid = areaGrid(settled, selection.range);
  const used = await scenesOnGrid(sources, { bands, grid });
  if (used.length === 0) throw nowhere(sources);
  const days = used.map(({ timeMs }) => toOrdinal(new Date(timeMs).toISOString()));
  const spec: ChangeSpec = { grid, kind, bands, scenes: used, days, options: ownOptions, onError, ...units };
  return { ...selection, spec, grid: settled.chips, inputs: await sceneInputs(used) };
}
