// Results of pixels and chips: given when they are there, asked for when they are not.
import { Readable } from 'node:stream';
import { setImmediate as othersFirst } from 'node:timers/promises';
import { snap } from '../../geo/chip-grid.js';
import { chipJson, resultRow } from '../../jobs/change/result-json.js';
import { type ChipPixels, pixelAt, pixelCorner, type ResultStore } from '../../jobs/change/result-store.js';
import { ALGORITHM } from '../../stats/change.js';
import { checkAlgorithmName } from './algorithms.js';
import type { App } from './app.js';
import { Refusal } from './refusal.js';
import { ALGORITHM_NAME, errors, exactly, IMPOSSIBLE, POINT, ROW, TICKET } from './schemas.js';
import type { Service } from './service.js';

/** Each holds the rows of a chip, some ten MB. */
const MOST_STREAMS = 16;
/** When to try again: a stream soon ends, a full queue takes a while. */
const STREAM_WAIT_S = 2;
const QUEUE_WAIT_S = 60;

interface PixelParams {
  algorithm: string;
  x: number;
  y: number;
}

/** The refusal of requests that do not fit in the queue. */
export function queueFull(): Refusal {
  const headers = { 'retry-after': String(QUEUE_WAIT_S) };
  return new Refusal(503, 'the queue is full; nothing of this request was taken', { headers });
}

export function resultRoutes(app: App, service: Service): void {
  pixelRoute(app, service);
  chipRoute(app, service);
}

/** What a pixel's chip is called, for tickets and refusals. */
function placeOf({ store: { grid }, baseUrl }: Service, point: { x: number; y: number }) {
  const { chip, px } = pixelAt(grid, point);
  const corner = pixelCorner(grid, chip, px);
  const inputs_url = `${baseUrl}/results/${ALGORITHM}/${corner.x}/${corner.y}`;
  return { chip, named: { chip_x: chip.x, chip_y: chip.y, ...corner, algorithm: ALGORITHM, inputs_url } };
}

function impossible(error: string, got: string): Refusal {
  const more = { 'algorithm-available': true, 'source-data-available': false };
  return new Refusal(422, error, { field: 'x, y', got, more });
}

function pixelRoute(app: App, service: Service): void {
  const { store, desk } = service;
  const schema = {
    summary: 'The result of a pixel; its chip is asked for when it has not run, or with refresh=true',
    params: exactly({ algorithm: ALGORITHM_NAME, ...POINT }),
    querystring: exactly({ refresh: { type: 'boolean', default: false } }),
    response: { 200: ROW, 202: TICKET, 422: IMPOSSIBLE, ...errors(400, 404, 503) },
  };
  app.get<{ Params: PixelParams; Querystring: { refresh: boolean } }>(
    '/results/:algorithm/:x/:y',
    { schema },
    async ({ params, query }, reply) => {
      checkAlgorithmName(params.algorithm);
      const { refresh } = query;
      if (!refresh) {
        const found = await store.pixel(ALGORITHM, params);
        if (found) return resultRow(store, found);
      }
      const { chip, named } = placeOf(service, params);
      const known = await store.requests.get(ALGORITHM, chip);
      if (!refresh && known !== null && known.failure !== null)
        throw impossible(known.failure, `chip ${chip.h}, ${chip.v}`);
      const isPending = known?.failure === null;
      if (!isPending && !desk.covers(chip)) throw impossible('no scene meets the chip', `chip ${chip.h}, ${chip.v}`);
      let requestedMs = known?.requestedMs ?? 0;
      if (!isPending || (refresh && !known.refresh)) {
        const atMs = Date.now();
        const { accepted } = await desk.request([chip], { refresh, atMs });
        if (!accepted) throw queueFull();
        // Somebody else may have asked first.
        requestedMs = (await store.requests.get(ALGORITHM, chip))?.requestedMs ?? atMs;
        service.events.touch(chip);
      }
      reply.code(202);
      return { ...named, chip_update_requested: new Date(requestedMs).toISOString() };
    },
  );
}

/** A chip's rows as JSON; others have their turn between two pieces. */
async function* rowsOf(store: ResultStore, pixels: ChipPixels): AsyncGenerator<string> {
  for (const piece of chipJson(store, pixels)) {
    yield piece;
    await othersFirst();
  }
}

function chipRoute(app: App, { store }: Service): void {
  let streams = 0;
  const schema = {
    summary: 'All pixels of the chip that a point lies in, none when it has not run; nothing is asked for',
    params: exactly({ algorithm: ALGORITHM_NAME }),
    querystring: exactly(POINT, ['x', 'y']),
    response: { 200: { type: 'array', items: ROW }, ...errors(400, 404, 503) },
  };
  app.get<{ Params: { algorithm: string }; Querystring: { x: number; y: number } }>(
    '/results/:algorithm/chip',
    { schema },
    async ({ params, query }, reply) => {
      checkAlgorithmName(params.algorithm);
      const { chip } = snap(store.grid, query);
      if (streams >= MOST_STREAMS) {
        const headers = { 'retry-after': String(STREAM_WAIT_S) };
        throw new Refusal(503, `${MOST_STREAMS} chips are being sent already`, { headers });
      }
      streams++;
      const pixels = await store.pixels(ALGORITHM, chip).catch((error) => {
        streams--;
        throw error;
      });
      const pieces = pixels ? rowsOf(store, pixels) : ['[]'];
      const stream = Readable.from(pieces, { objectMode: false });
      stream.once('close', () => {
        streams--;
      });
      return reply.type('application/json; charset=utf-8').send(stream);
    },
  );
}
