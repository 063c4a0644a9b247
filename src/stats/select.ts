import { UnsupportedError } from '../errors.js';
import type { Crs } from '../geo/crs.js';
import type { Interval } from '../geo/time.js';
import type { Scene } from '../io/stac.js';

export interface Selection {
  interval?: Interval | null;
  /** 1–12 */
  months?: readonly number[] | null;
  /** 0–100; scenes that do not state their cloud cover stay. */
  maxCloudPercent?: number | null;
  /** The earliest so many. */
  limit?: number | null;
  /** West, south, east, north in degrees: scenes that surely lie outside are dropped. */
  lonLatBounds?: readonly [number, number, number, number] | null;
  /** What was searched, for the message when nothing is left. */
  source?: string;
}

export type DropReason = 'duplicate' | 'area' | 'datetime' | 'months' | 'cloud' | 'limit';

export interface Selected {
  /** By time, then id. */
  scenes: Scene[];
  dropped: { id: string; reason: DropReason }[];
  /** For the user: duplicates and the like. */
  notes: string[];
}

/** Filters scenes; an `InputError` tells what remained after each filter when none is left. */
export function selectScenes(_scenes: readonly Scene[], _selection: Selection = {}): Selected {
  throw new UnsupportedError('being written');
}

/** The CRS that all scenes share; several are an `InputError` that names scenes. Null when no scene states one. */
export function commonCrs(_scenes: readonly Scene[]): Crs | null {
  throw new UnsupportedError('being written');
}
