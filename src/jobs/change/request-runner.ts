// Runs the chips that are asked for, for as long as somebody asks.
import { memoryLimitBytes as platformMemoryLimit } from '#platform';
import { InputError, messageOf, StackwiseError, StoreError } from '../../errors.js';
import { type Cell, cellName } from '../../geo/chip-grid.js';
import { sleep } from '../../io/retry.js';
import type { Scene } from '../../io/scene.js';
import { ALGORITHM, type ChangeCounts } from '../../stats/change.js';
import type { ChangeJob } from '../../stats/change-block.js';
import { type Coverage, coverageOf, covers } from './change-coverage.js';
import { checkInputs, forgetFiles } from './change-inputs.js';
import type { ChangeRunOptions } from './change-options.js';
import { chipJobs, planChanges, rowsOf } from './change-plan.js';
import { type ChangeArea, type ChangeChip, chipOf, prepareArea } from './change-prepare.js';
import type { ChangeRequest } from './change-requests.js';
import { type ChangePart, changeRunner } from './change-runner.js';
import { type LanePool, lanePool } from './lane-pool.js';
import { countParts, type PackedRows } from './packed-rows.js';
import type { ResultStore } from './result-store.js';

/** What a runner says while it runs. */
export type RunnerEvent =
  | { type: 'scenes'; coverage: Coverage }
  | { type: 'running'; chips: Cell[] }
  | { type: 'written'; chip: Cell; ms: number; pixels: ChangeCounts }
  | { type: 'failed'; chip: Cell; reason: string }
  | { type: 'note'; text: string };

export interface RequestRunnerOptions {
  find: (signal: AbortSignal) => Promise<Scene[]>;
  options: ChangeRunOptions;
  /** Scenes are looked for anew after so many ms; when not given, only when files changed or a refresh asks for it. */
  rescanMs?: number | undefined;
  /** Wait when the store takes nothing: a full disk, say. */
  storeWaitMs?: number | undefined;
  onEvent: (event: RunnerEvent) => void;
}

/** The scenes as they were found, and threads that read them. */
interface Ready {
  area: ChangeArea;
  coverage: Coverage;
  lanes: LanePool<ChangeJob, ChangePart>;
  atMs: number;
}

/** Chips under way: while one waits for its last rows, threads begin the next. */
const AT_ONCE = 2;
/** A refresh makes do with scenes that were looked for within this time. */
const FRESH_MS = 60_000;
/** How often a chip is begun anew because its files change. */
const MOST_TRIES = 3;
const STORE_WAIT_MS = 5000;
/** For a server, its answers and what is read for them. */
const SERVER_BYTES = 128 * 2 ** 20;

function hasChanged(error: unknown): boolean {
  return error instanceof StoreError && error.facts.status === 'CHANGED';
}

/** The disk is full: no fault of the chip, whose results may be larger than the record of a failure, which would fit. */
const hasNoRoom = (error: unknown) => error instanceof StoreError && error.facts.status === 'ENOSPC';

const textOf = (error: unknown) => {
  const message = messageOf(error);
  return error instanceof StackwiseError ? message : `unexpected: ${message}`;
};

export class RequestRunner {
  readonly area: () => ChangeArea;
  private ready: Ready;
  private readonly given: RequestRunnerOptions;
  private readonly stopper: AbortController;
  private readonly underWay = new Map<string, { cell: Cell; done: Promise<void> }>();
  private readonly tries = new Map<string, number>();
  private isStale = false;
  private wakeUp: () => void = () => {};
  private isAwake = false;

  private constructor(ready: Ready, given: RequestRunnerOptions, stopper: AbortController) {
    this.ready = ready;
    this.given = given;
    this.stopper = stopper;
    this.area = () => this.ready.area;
  }

  /** Finds the scenes; `stopper` is what {@link stop} aborts, for who wants to end this too. */
  static async open(given: RequestRunnerOptions, stopper = new AbortController()): Promise<RequestRunner> {
    const area = await findArea(given, stopper.signal);
    // Says now what is wrong with threads and limit; how many rows fit depends on the chip.
    rowsFor(area, 1, given.options);
    return new RequestRunner(readyFor(area, given.options), given, stopper);
  }

  get coverage(): Coverage {
    return this.ready.coverage;
  }

  /** Whether a scene meets a chip. */
  readonly covers = (chip: Cell): boolean => covers(this.ready.coverage, chip);

  /** There may be something to do. */
  wake(): void {
    this.isAwake = true;
    this.wakeUp();
  }

  /** Looks for scenes anew before the next chip. */
  rescan(): void {
    this.isStale = true;
    this.wake();
  }

  /** Runs until it is stopped: what is under way then is given back, and still waits in the store. */
  async run(store: ResultStore): Promise<void> {
    const { signal } = this.stopper;
    const timer = this.given.rescanMs && setInterval(() => this.rescan(), this.given.rescanMs);
    try {
      while (!signal.aborted) {
        const next = await this.next(store);
        if (next?.refresh && Date.now() - this.ready.atMs > FRESH_MS) this.isStale = true;
        if (this.isStale) await this.renew();
        else if (next) this.begin(store, next);
        else await this.slept();
        if (this.underWay.size >= AT_ONCE) await Promise.race([...this.underWay.values()].map(({ done }) => done));
      }
      await Promise.all([...this.underWay.values()].map(({ done }) => done));
    } finally {
      if (timer) clearInterval(timer);
    }
  }

  /** Gives back what is under way, at once, and ends the threads. */
  async stop(): Promise<void> {
    this.stopper.abort(new StackwiseError('stopped'));
    this.wake();
    await this.ready.lanes.close();
  }

  /** The first that waits and is not under way. */
  private async next(store: ResultStore): Promise<ChangeRequest | null> {
    const waiting = await store.requests.next(this.underWay.size + 1);
    return waiting.find((request) => !this.underWay.has(cellName(request))) ?? null;
  }

  /** Waits for {@link wake}: for the one loop of {@link run}. */
  private async slept(): Promise<void> {
    if (!this.isAwake) {
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
    }
    this.isAwake = false;
  }

  /** A chip's wait for its store. {@link slept} is the loop's alone: who slept beside it would be woken in its place. */
  private pause(): Promise<void> {
    return sleep(this.given.storeWaitMs ?? STORE_WAIT_MS, this.stopper.signal).catch(() => {});
  }

  private say(event: RunnerEvent): void {
    if (!this.stopper.signal.aborted) this.given.onEvent(event);
  }

  /** Scenes anew, when nothing reads the old ones any more. */
  private async renew(): Promise<void> {
    await Promise.all([...this.underWay.values()].map(({ done }) => done));
    this.isStale = false;
    const { signal } = this.stopper;
    try {
      forgetFiles(this.ready.area.spec.scenes);
      const area = await findArea(this.given, signal);
      const before = this.ready;
      this.ready = readyFor(area, this.given.options);
      await before.lanes.close();
      this.say({ type: 'scenes', coverage: this.coverage });
    } catch (error) {
      // The old ones serve on; the next refresh tries again, not each chip.
      this.ready.atMs = Date.now();
      this.say({ type: 'note', text: `scenes could not be looked for anew: ${textOf(error)}` });
    }
  }

  private begin(store: ResultStore, request: ChangeRequest): void {
    const { h, v } = request;
    const name = cellName(request);
    const done = this.runChip(store, { h, v }).finally(() => {
      this.underWay.delete(name);
      this.sayRunning();
      this.wake();
    });
    this.underWay.set(name, { cell: { h, v }, done });
    this.sayRunning();
  }

  private sayRunning(): void {
    this.say({ type: 'running', chips: [...this.underWay.values()].map(({ cell }) => cell) });
  }

  /** Runs a chip, or says in the store why not; fails never. */
  private async runChip(store: ResultStore, cell: Cell): Promise<void> {
    const started = performance.now();
    try {
      const chip = chipOf(this.ready.area, cell.h, cell.v);
      if (!chip) throw new InputError('no scene meets the chip');
      const parts = await this.detect(chip);
      await checkInputs(this.ready.area, chip.scenes);
      this.stopper.signal.throwIfAborted();
      const { h, v, inputsMd5 } = chip;
      const result = { h, v, parts, inputsMd5, producedMs: Date.now() };
      await store.writePacked(result);
      this.tries.delete(cellName(cell));
      this.say({ type: 'written', chip: cell, ms: performance.now() - started, pixels: countParts(parts) });
    } catch (error) {
      if (!this.stopper.signal.aborted) await this.giveUp(store, cell, error);
    }
  }

  private async detect(chip: ChangeChip): Promise<PackedRows[]> {
    const { area, lanes } = this.ready;
    const rows = rowsFor(area, chip.scenes.length, this.given.options);
    const rest = new AbortController();
    const parts = chipJobs(chip, { place: 0, rows }).map((job) => lanes.run(job, rest.signal));
    try {
      return (await Promise.all(parts)).map(({ rows: own }) => own);
    } catch (error) {
      // Rows that still wait need not run.
      rest.abort(error);
      await Promise.allSettled(parts);
      throw error;
    }
  }

  /** A chip whose files changed is tried again with the scenes as they are now; one that finds no room waits on; others are recorded as failed. */
  private async giveUp(store: ResultStore, cell: Cell, error: unknown): Promise<void> {
    const tries = (this.tries.get(cellName(cell)) ?? 0) + 1;
    this.tries.set(cellName(cell), tries);
    if (hasChanged(error)) this.isStale = true;
    if (hasChanged(error) && tries < MOST_TRIES) return;
    this.tries.delete(cellName(cell));
    const reason = textOf(error);
    if (hasNoRoom(error)) {
      this.say({ type: 'note', text: `chip ${cell.h}, ${cell.v}: ${reason}; it is tried again` });
      return this.pause();
    }
    try {
      await store.requests.fail(ALGORITHM, cell, reason);
      this.say({ type: 'failed', chip: cell, reason });
    } catch (cause) {
      this.say({ type: 'note', text: `chip ${cell.h}, ${cell.v}: ${reason}; and ${textOf(cause)}` });
      await this.pause();
    }
  }
}

async function findArea({ find, options }: RequestRunnerOptions, signal: AbortSignal): Promise<ChangeArea> {
  return prepareArea(await find(signal), { ...options, signal });
}

function readyFor(area: ChangeArea, { threads = 1 }: ChangeRunOptions): Ready {
  const describe = ({ row }: ChangeJob) => `row ${row}`;
  return {
    area,
    coverage: coverageOf(area),
    lanes: lanePool(changeRunner, area.spec, { threads, describe }),
    atMs: Date.now(),
  };
}

/** Rows of a chip of so many dates that a thread takes at a time. */
function rowsFor({ spec, grid }: ChangeArea, nTime: number, options: ChangeRunOptions): number {
  const { threads, memoryLimitBytes = platformMemoryLimit() } = options;
  const plan = planChanges({
    chips: { asked: 1, outside: 0, unchanged: 0, toRun: 1 },
    chipPx: grid.chipPx,
    nBand: spec.bands.length,
    nTime,
    options: { threads, memoryLimitBytes: memoryLimitBytes - SERVER_BYTES },
  });
  return rowsOf(plan, 0);
}
