// The near end of the work thread: hands it what is asked for, and knows what it does.
import { Worker } from 'node:worker_threads';
import { unpackError, WorkerError } from '../../errors.js';
import type { Cell, ChipGrid } from '../../geo/chip-grid.js';
import { type Coverage, covers } from '../../jobs/change/change-coverage.js';
import type { RequestOutcome } from '../../jobs/change/change-requests.js';
import type { RunnerEvent } from '../../jobs/change/request-runner.js';
import type { FromWork, TileOutcome, TileRequest, ToWork, WorkOrder } from './work-order.js';

/** A thread that holds a transaction must not be ended from outside; this long it may take to end by itself. */
const STOP_MS = 10_000;

export class Desk {
  grid!: ChipGrid;
  coverage!: Coverage;
  running: readonly Cell[] = [];
  /** Rejects when the thread ends by itself. */
  readonly failed: Promise<never>;
  private readonly thread: Worker;
  private readonly ready: Promise<void>;
  private readonly exited: Promise<void>;
  private readonly asked = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  private readonly listeners = new Set<(event: RunnerEvent) => void>();
  private isReady: () => void = () => {};
  private fail: (error: Error) => void = () => {};
  private lastId = 0;
  private stopping = false;

  private constructor(order: WorkOrder) {
    const thread = new Worker(new URL('./work-thread.js', import.meta.url), { workerData: order });
    this.thread = thread;
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => {});
    this.exited = new Promise((resolve) => thread.once('exit', () => resolve()));
    thread.on('message', (message: FromWork) => this.take(message));
    thread.once('error', (cause) => this.end(new WorkerError(`the work thread died: ${cause.message}`, {}, { cause })));
    thread.once('exit', () => this.end(new WorkerError('the work thread ended')));
  }

  /** Starts the thread; waits until scenes are found and the store is open. */
  static async open(order: WorkOrder, signal: AbortSignal): Promise<Desk> {
    // It may have been told to stop while its files were loaded.
    signal.throwIfAborted();
    const desk = new Desk(order);
    const stop = () => desk.end(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([desk.ready, desk.failed]);
      return desk;
    } catch (error) {
      desk.post({ type: 'stop' });
      desk.thread.unref();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Whether a scene meets a chip. */
  covers(chip: Cell): boolean {
    return covers(this.coverage, chip);
  }

  listen(listener: (event: RunnerEvent) => void): void {
    this.listeners.add(listener);
  }

  /** Asks for chips: they are in the store when this returns. */
  async request(chips: readonly Cell[], options: { refresh: boolean; atMs: number }): Promise<RequestOutcome> {
    return this.ask((id) => ({ type: 'chips', id, chips, ...options }));
  }

  async requestTile(request: TileRequest): Promise<TileOutcome> {
    return this.ask((id) => ({ type: 'tile', id, request }));
  }

  /** Ends the thread: what it holds is given back. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.post({ type: 'stop' });
    const late = new Promise((resolve) => setTimeout(resolve, STOP_MS).unref());
    await Promise.race([this.exited, late]);
    this.thread.unref();
  }

  private ask<T>(make: (id: number) => ToWork): Promise<T> {
    const id = ++this.lastId;
    return new Promise<T>((resolve, reject) => {
      if (this.stopping) return reject(new WorkerError('the service stops'));
      this.asked.set(id, { resolve: resolve as (answer: never) => void, reject });
      this.post(make(id));
    });
  }

  private post(message: ToWork): void {
    this.thread.postMessage(message);
  }

  /** The thread answers no more. */
  private end(error: Error): void {
    for (const { reject } of this.asked.values()) reject(error);
    this.asked.clear();
    if (!this.stopping) this.fail(error);
  }

  private take(message: FromWork): void {
    if (message.type === 'answer' || message.type === 'refused') {
      const asked = this.asked.get(message.id);
      this.asked.delete(message.id);
      if (message.type === 'answer') asked?.resolve(message.answer as never);
      else asked?.reject(unpackError(message.error));
      return;
    }
    if (message.type === 'fatal') {
      this.end(unpackError(message.error));
      return;
    }
    if (message.type === 'ready') {
      this.grid = message.grid;
      this.coverage = message.coverage;
      this.isReady();
      return;
    }
    if (message.type === 'scenes') this.coverage = message.coverage;
    if (message.type === 'running') this.running = message.chips;
    for (const listener of this.listeners) listener(message);
  }
}
