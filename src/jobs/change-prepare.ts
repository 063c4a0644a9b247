// Settles everything about a run of change detection before a pixel is read.
import { InputError } from '../errors.js';
import type { ChipGrid } from '../geo/chip-grid.js';
import { intersect, type Window } from '../geo/grid.js';
import { toOrdinal } from '../geo/ordinal.js';
import { parseInterval } from '../geo/time.js';
import { openRaster } from '../io/open-raster.js';
import type { Scene } from '../io/scene.js';
import { PYCCD_BANDS } from '../stats/change-bands.js';
import type { ChangeSpec } from '../stats/change-block.js';
import { pyccdParameters } from '../stats/change-parameters.js';
import { CHANGE_KINDS, type ChangeKind, type ChangeScene, changeScene } from '../stats/change-source.js';
import type { DetectOptions } from '../stats/detect.js';
import { selectScenes } from '../stats/select.js';
import { detectSensor } from '../stats/sensors.js';
import { type RasterCache, rasterCache } from '../stats/source.js';
import type { Source, SourceScene } from '../stats/spec.js';
import { areaGrid, chipRange, settleGrid } from './change-area.js';
import { inputsMd5, sceneInputs } from './change-inputs.js';
import type { ChangeRunOptions } from './change-options.js';
import { settleScenes } from './radiometry.js';
import { locateScenes, scenesOnGrid } from './survey.js';

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

export interface PreparedChanges {
  spec: ChangeSpec;
  grid: ChipGrid;
  chips: ChangeChip[];
  /** Chips of the area, with those that no scene meets. */
  asked: number;
}

/** Selects scenes, tells what they are, and finds the chips that they meet. */
export async function prepareChanges(scenes: readonly Scene[], options: ChangeRunOptions): Promise<PreparedChanges> {
  const cache = rasterCache((href) => openRaster(href, options.signal ? { signal: options.signal } : {}));
  try {
    return await prepare(scenes, options, cache);
  } finally {
    await cache.close();
  }
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

function detectOptions(kind: ChangeKind, thermal: boolean, { detect = {} }: ChangeRunOptions): DetectOptions {
  const { qaScheme, wideInt } = CHANGE_KINDS[kind];
  pyccdParameters(detect.params ?? {});
  return { qaScheme, wideInt, ...detect, ...(!thermal && { thermalBand: null }) };
}

async function prepare(all: readonly Scene[], options: ChangeRunOptions, cache: RasterCache): Promise<PreparedChanges> {
  const { datetime, onWarning } = options;
  if (all.length === 0) throw new InputError('there are no scenes');
  const { scenes, notes } = selectScenes(all, { interval: datetime === undefined ? null : parseInterval(datetime) });
  for (const note of notes) onWarning?.(note);
  const found = scenes.map(changeScene);
  const kind = kindOf(scenes, found);
  const thermal = usesThermal(scenes, found, options);
  const bands = PYCCD_BANDS.slice(0, thermal ? 7 : 6);
  const sources = scenes.map(({ id, timeMs }, i) => ({ id, timeMs, sources: sourcesOf(found[i]!, bands) }));
  await locateScenes(sources, cache, { onError: 'fail', ...(options.signal && { signal: options.signal }) });
  if (kind === 'sentinel-2') await shiftSources(scenes, { sources, bands, cache, options });
  const settled = settleGrid(options.grid ?? 'native', sources[0]!.sources.red!.grid!);
  const range = await chipRange(settled, options, { scenes: sources, band: 'red' });
  const grid = areaGrid(settled, range);
  const used = await scenesOnGrid(sources, { bands, grid });
  if (used.length === 0) {
    throw new InputError(`none of the ${sources.length} scenes overlaps the area`, { items: sources.map((s) => s.id) });
  }
  const spec: ChangeSpec = {
    grid,
    kind,
    bands,
    scenes: used,
    days: used.map(({ timeMs }) => toOrdinal(new Date(timeMs).toISOString())),
    options: detectOptions(kind, thermal, options),
  };
  const inputs = await sceneInputs(used);
  const chips: ChangeChip[] = [];
  const side = settled.chips.chipPx;
  const wanted = options.chips && new Set(options.chips.map(([h, v]) => `${h} ${v}`));
  for (let v = range.vMin; v <= range.vMax; v++) {
    for (let h = range.hMin; h <= range.hMax; h++) {
      if (wanted?.has(`${h} ${v}`) === false) continue;
      const window = { col: (h - range.hMin) * side, row: (v - range.vMin) * side, width: side, height: side };
      const own = [...used.keys()].filter((i) => intersect(used[i]!.footprint!, window) !== null);
      if (own.length === 0) continue;
      const md5 = inputsMd5(spec, { chips: settled.chips, inputs }, { h, v, scenes: own });
      chips.push({ h, v, window, scenes: own, inputsMd5: md5 });
    }
  }
  const asked = wanted?.size ?? (range.hMax - range.hMin + 1) * (range.vMax - range.vMin + 1);
  return { spec, grid: settled.chips, chips, asked };
}
