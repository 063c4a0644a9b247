// What the server and its work thread say to each other.
import type { PackedError } from '../../errors.js';
import type { Cell, ChipGrid } from '../../geo/chip-grid.js';
import type { Coverage } from '../../jobs/change/change-coverage.js';
import type { ChangeRunOptions } from '../../jobs/change/change-options.js';
import type { RequestOutcome } from '../../jobs/change/change-requests.js';
import type { RunnerEvent } from '../../jobs/change/request-runner.js';
import type { Choice } from '../../jobs/change/tile-progress.js';
import type { SceneSources } from './scene-sources.js';

/** All that the thread needs, as plain data. */
export interface WorkOrder {
  scenes: SceneSources;
  /** Folder of the result store. */
  store: string;
  options: Omit<ChangeRunOptions, 'signal' | 'onProgress' | 'onWarning'>;
  /** How many chips may wait. */
  queueLimit: number;
  rescanMs: number | undefined;
}

export interface TileRequest {
  tile: Cell;
  only: Choice;
  refresh: boolean;
  atMs: number;
}

export interface TileOutcome extends RequestOutcome {
  /** Chips that are left as they are. */
  there: number;
  outside: number;
}

/** Server → thread. */
export type ToWork =
  | { type: 'chips'; id: number; chips: readonly Cell[]; refresh: boolean; atMs: number }
  | { type: 'tile'; id: number; request: TileRequest }
  | { type: 'stop' };

/** Thread → server. */
export type FromWork =
  | { type: 'ready'; grid: ChipGrid; coverage: Coverage }
  | { type: 'answer'; id: number; answer: RequestOutcome | TileOutcome }
  | { type: 'refused'; id: number; error: PackedError }
  | { type: 'fatal'; error: PackedError }
  | RunnerEvent;
