import type { DatumShift } from '../geo/datum-shift.js';
import type { Grid, Window } from '../geo/grid.js';
import type { Region } from '../geo/region.js';
import type { Dtype } from '../io/raster.js';
import type { KernelDtype } from '../kernels/memory.js';
import type { MaskRecipe } from './mask-recipe.js';
import type { Statistic, StatisticOutput } from './statistic.js';

export type Resampling = 'nearest' | 'bilinear' | 'cubic' | 'average' | 'mode';
/** `before-warp`: before scenes are resampled, in the bands' own pixels; `before-fuse`: after that, before a day's scenes are fused. */
export type MaskWhen = 'before-warp' | 'before-fuse' | 'after-fuse';

/** Where one band of one scene is: a file, a band in it, and its frame as far as it is known before the file is opened. */
export interface Source {
  href: string;
  /** 0-based */
  bandIndex: number;
  /** Null: not known before the file is opened; the file's header wins in any case. */
  grid: Grid | null;
  /** What the item says of missing values; a value in the file's header wins. */
  nodata: number | null;
  /** The missing value, in place of what file and item say; not given: theirs. */
  missing?: number;
  /** Added to valid samples; not given: nothing. See `radiometry`. */
  shiftDn?: number;
}

/** One scene of a composite, reduced to what a thread needs. */
export interface SourceScene {
  id: string;
  /** ms UTC */
  timeMs: number;
  /** Value bands and mask bands by name. */
  sources: Record<string, Source>;
  /** Where it may lie on the target grid, in its pixels; not given: its files are asked. */
  footprint?: Window;
}

/** What counts as one date: one scene, or the scenes of one solar day in order of time. */
export interface Observation {
  timeMs: number;
  scenes: SourceScene[];
}

/** All that defines a composite's numbers, as plain data: the same spec gives the same pixels on any machine, block by block. */
export interface CompositeSpec {
  grid: Grid;
  bands: readonly string[];
  statistics: readonly Statistic[];
  outputs: readonly StatisticOutput[];
  observations: readonly Observation[];
  masks: readonly MaskRecipe[];
  maskWhen: MaskWhen;
  resampling: Resampling;
  /**
   * Bilinear takes bands of coarser pixels than the finest of the scene as if they were copied into its pixels, as odc-stats loads them; not
   * given: it blends their own.
   */
  coarseBands?: 'copied';
  /** Between the grid's datum and that of scenes; not given: datums are taken as one. */
  datumShift?: DatumShift;
  /** What the stack is made of in wasm: the bands' common type, or f32 with NaN. */
  kernel: { dtype: KernelDtype; nodata: number | null };
  /** Sample types of the bands as the first scene has them; a file that differs is an error. */
  bandDtypes: readonly Dtype[];
  /** Step at which the geomedian stops, in stored units. */
  eps: number;
  compat: 'odc' | null;
  /** `truncate`: what falls between integers goes to the lower one; not given: half to even. */
  rounding?: 'truncate';
  /** `first` and `last` of each band by itself; not given: of dates on which all bands are valid. */
  eachBand?: true;
  /** Value bands are read at full resolution; not given: at the overview that serves the grid. */
  fullResolution?: true;
  /** `--geometry` in the grid's CRS, or null; pixels whose centre is outside have no data. */
  region: Region | null;
  /** `skip`: a scene that cannot be read is named in the failure, so that the run can go on without it. */
  onError: 'fail' | 'skip';
}

/** One thread's work: a window of the target grid, cut into strips of rows. */
export interface Block {
  index: number;
  col: number;
  row: number;
  /** px */
  width: number;
  height: number;
  /** Rows that are in wasm at once as a full stack. */
  stripRows: number;
  /** Where decoded source pixels wait for their strip. */
  hold: 'memory' | 'spill';
  /** Bytes that are read before their turn; not given: none. */
  aheadBytes?: number;
}

/** Where the time of blocks went, ms of a thread. */
export interface PhaseMs {
  /** Waiting for bytes and decoding them, masks with it. */
  read: number;
  /** Placing pixels on the target grid. */
  warp: number;
  /** Statistics. */
  compute: number;
}

/** A finished block: for each output its bands, [height][width] each. */
export interface BlockResult {
  index: number;
  planes: Uint8Array<ArrayBuffer>[][];
  ms: PhaseMs;
}

/** The state in which a file was read: `[href, state]`; null where its store cannot tell one state from another. */
export type SourceState = readonly [href: string, state: string | null];
