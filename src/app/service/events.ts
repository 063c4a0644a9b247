// Progress of tiles as streams of events, for whoever looks on.
import type { ServerResponse } from 'node:http';
import { type Cell, type ChipGrid, cellName, tileOfChip } from '../../geo/chip-grid.js';
import type { App } from './app.js';
import { Refusal } from './refusal.js';
import { errors, exactly, TILE } from './schemas.js';
import type { Service } from './service.js';
import { reportTile } from './tiles.js';

const MOST_STREAMS = 100;
/** Changes within this time are one event. */
const TOGETHER_MS = 200;
/** Proxies end connections on which nothing moves; what other processes wrote is noticed then. */
const HEARTBEAT_MS = 15_000;
/** A client that takes nothing any more. */
const MOST_WAITING_BYTES = 2 ** 16;
const RETRY_MS = 2000;

interface Watch {
  tile: Cell;
  streams: Set<ServerResponse>;
  timer: NodeJS.Timeout | null;
  last: string;
}

/** The streams, by tile. */
export class TileEvents {
  private readonly watches = new Map<string, Watch>();
  /** An event's text; null where a tile cannot be looked at. */
  private readonly report: (tile: Cell) => Promise<string | null>;
  private readonly grid: ChipGrid;
  private readonly heart: NodeJS.Timeout;
  private count = 0;
  private closed = false;

  constructor(service: Pick<Service, 'store' | 'desk'>, onError: (error: unknown) => void) {
    this.report = async (tile) => {
      try {
        return JSON.stringify(await reportTile(service, tile));
      } catch (error) {
        onError(error);
        return null;
      }
    };
    this.grid = service.store.grid;
    this.heart = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
  }

  get size(): number {
    return this.count;
  }

  /** A chip is another one than before. */
  touch(chip: Cell): void {
    const watch = this.watches.get(cellName(tileOfChip(this.grid, chip)));
    if (watch) this.soon(watch);
  }

  /** Scenes are others: any tile may be. */
  touchAll(): void {
    for (const watch of this.watches.values()) this.soon(watch);
  }

  async open(tile: Cell, stream: ServerResponse): Promise<void> {
    const name = cellName(tile);
    const watch = this.watches.get(name) ?? { tile, streams: new Set(), timer: null, last: '' };
    this.watches.set(name, watch);
    watch.streams.add(stream);
    this.count++;
    stream.once('close', () => {
      this.count--;
      watch.streams.delete(stream);
      if (watch.streams.size > 0) return;
      if (watch.timer) clearTimeout(watch.timer);
      this.watches.delete(name);
    });
    stream.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Nothing comes after the stream: else the end of the service would wait for the connection.
      connection: 'close',
      'x-accel-buffering': 'no',
    });
    stream.write(`retry: ${RETRY_MS}\n\n`);
    const text = await this.report(tile);
    // Where it fails the next heartbeat tries again.
    if (text === null) return;
    watch.last ||= text;
    send(stream, eventOf(text));
  }

  get isFull(): boolean {
    return this.closed || this.count >= MOST_STREAMS;
  }

  /** Ends all streams. */
  close(): void {
    this.closed = true;
    clearInterval(this.heart);
    for (const { streams, timer } of this.watches.values()) {
      if (timer) clearTimeout(timer);
      for (const stream of streams) stream.end();
    }
  }

  private beat(): void {
    for (const watch of this.watches.values()) {
      for (const stream of watch.streams) send(stream, ': heartbeat\n\n');
      this.soon(watch);
    }
  }

  private soon(watch: Watch): void {
    watch.timer ??= setTimeout(() => void this.tell(watch), TOGETHER_MS).unref();
  }

  private async tell(watch: Watch): Promise<void> {
    watch.timer = null;
    const text = await this.report(watch.tile);
    if (text === null || text === watch.last || this.closed) return;
    watch.last = text;
    for (const stream of watch.streams) send(stream, eventOf(text));
  }
}

const eventOf = (text: string) => `event: progress\ndata: ${text}\n\n`;

function send(stream: ServerResponse, text: string): void {
  if (stream.writableLength > MOST_WAITING_BYTES) stream.destroy();
  else if (!stream.writableEnded) stream.write(text);
}

export function eventRoutes(app: App, { events }: Service): void {
  const schema = {
    summary: 'How far a tile is, as server-sent events: one at once, one after each change',
    description: 'Each event is called progress; its data is what GET /tiles/{h}/{v} gives.',
    params: exactly(TILE),
    querystring: exactly({}),
    produces: ['text/event-stream'],
    response: { 200: { type: 'string', description: 'A stream of events' }, ...errors(400, 503) },
  };
  app.get<{ Params: Cell }>('/tiles/:h/:v/events', { schema }, async ({ params }, reply) => {
    if (events.isFull) {
      const headers = { 'retry-after': '10' };
      throw new Refusal(503, `${events.size} streams of events are open already`, { headers });
    }
    reply.hijack();
    await events.open(params, reply.raw);
  });
}
