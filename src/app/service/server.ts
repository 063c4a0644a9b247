// The service from end to end: work thread, store, routes.
import type { AddressInfo } from 'node:net';
import { InputError } from '../../errors.js';
import { openResults } from '../../jobs/change/result-folder.js';
import { guard } from './access.js';
import { algorithmRoutes } from './algorithms.js';
import { type App, createApp, refuseMethods, serveDocument } from './app.js';
import { Desk } from './desk.js';
import { eventRoutes, TileEvents } from './events.js';
import { gridRoutes } from './grid-points.js';
import { healthRoutes } from './health.js';
import { createMetrics, metricRoutes } from './metrics.js';
import { resultRoutes } from './results.js';
import type { Service } from './service.js';
import { tileRoutes } from './tiles.js';
import type { WorkOrder } from './work-order.js';

export interface ServeOptions {
  order: WorkOrder;
  host: string;
  /** 0 for any that is free. */
  port: number;
  token: string | null;
  baseUrl: string;
  signal: AbortSignal;
  /** A line of the log. */
  onRequest: (facts: { method: string; route: string; status: number; ms: number }) => void;
  onNote: (text: string) => void;
  onListening: (place: { host: string; port: number; url: string; scenes: number; grid: string }) => void;
}

/** Answers in flight get this long when the service stops. */
const LAST_ANSWERS_MS = 3000;

/** Serves until `signal` is aborted or the work thread dies, and leaves nothing behind. */
export async function serve(options: ServeOptions): Promise<void> {
  const { order, signal, onNote } = options;
  const desk = await Desk.open(order, signal);
  try {
    const store = await openResults(order.store, { grid: desk.grid, readOnly: true });
    try {
      const events = new TileEvents({ store, desk }, (error) => onNote(String(error)));
      const service = { store, desk, events, metrics: await createMetrics(), baseUrl: options.baseUrl };
      const app = await appOf(service, options);
      await listen(app, options);
      try {
        options.onListening(placeOf(app, service, options.host));
        await Promise.race([desk.failed, aborted(signal)]);
      } finally {
        await closeServer(app, events);
      }
    } finally {
      await store.close();
    }
  } finally {
    await desk.stop();
  }
}

async function listen(app: App, { host, port }: ServeOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new InputError(`cannot listen on port ${port} of ${host} (${code})`, { option: 'port' }, { cause });
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

function placeOf(app: App, { desk, store }: Service, host: string) {
  const { port } = app.server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { host, port, url, scenes: desk.coverage.scenes, grid: store.grid.name };
}

/** Takes no more; what is in flight may end, streams of events end now. */
async function closeServer(app: App, events: TileEvents): Promise<void> {
  events.close();
  const late = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
  await app.close();
  clearTimeout(late);
}

/** The routes, one noun a file. */
async function appOf(service: Service, { token, onRequest, onNote }: ServeOptions): Promise<App> {
  const { desk, events, metrics, store } = service;
  const app = await createApp({ onError: onNote });
  if (token !== null) guard(app, token, ['/health']);
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    const route = routeOptions.url ?? 'none';
    metrics.answered({ method, route, status: statusCode, seconds: elapsedTime / 1000 });
    onRequest({ method, route, status: statusCode, ms: Math.round(elapsedTime * 100) / 100 });
  });
  const refuseOthers = refuseMethods(app);
  for (const declare of [resultRoutes, algorithmRoutes, tileRoutes, eventRoutes, gridRoutes, healthRoutes]) {
    declare(app, service);
  }
  metricRoutes(app, service);
  serveDocument(app);
  refuseOthers();
  metrics.watch(async () => ({
    pending: await store.requests.pending(),
    running: desk.running.length,
    streams: events.size,
  }));
  desk.listen((event) => {
    metrics.took(event);
    if (event.type === 'note') onNote(event.text);
    if (event.type === 'scenes') events.touchAll();
    if (event.type === 'written' || event.type === 'failed') events.touch(event.chip);
    if (event.type === 'running') for (const chip of event.chips) events.touch(chip);
  });
  await app.ready();
  return app;
}
