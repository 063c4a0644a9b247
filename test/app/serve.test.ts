import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { copyFile, cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { validate } from '@readme/openapi-parser';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ALGORITHM,
  chipJson,
  detectScenes,
  near,
  openResults,
  planScenes,
  type ResultRow,
  resultRow,
  snap,
} from '../../build/node.js';
import { type ChangeScenes, CORNER, changeScenes } from '../fixture/change-scenes.js';
import { followTile, type GatedFiles, gatedFiles, type RunningService, startService } from '../fixture/service.js';

const cli = path.resolve('build/app/cli.js');
let folder = '';
const at = (name: string) => path.join(folder, name);
let scenes: ChangeScenes;
let gate: GatedFiles;
const running: RunningService[] = [];

/** A service that is ended after the tests, whatever they do. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  const service = await startService(args, env);
  running.push(service);
  return service;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-serve-'));
  scenes = await changeScenes(at('scenes'), 'c1', { width: 130, height: 3, years: 2, badQa: 9 });
  await detectScenes(scenes.items, { store: at('stored') }, { threads: 1 });
  gate = await gatedFiles(at('scenes'));
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((service) => service.stop('SIGKILL')));
  gate.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** Pixel 9 failed; its chip and the one to its right are all that the scenes meet. */
const PIXEL = `${ALGORITHM}/${CORNER.x}/${CORNER.y}`;
const TILE = '/tiles/3/-35';
const SOURCE = (name: string) => ['--scenes', at(`${name}/items.json`)];

async function json(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const post = (url: string, body?: unknown) =>
  json(url, {
    method: 'POST',
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

type Document = { paths: Record<string, Record<string, { responses: Record<string, Content> }>> };
type Content = { content?: Record<string, { schema: object }> };

/** Complains of a body that is not as the document says. */
async function documented(
  url: string,
): Promise<(method: string, route: string, status: number, body: unknown) => void> {
  const document = (await json(`${url}/openapi.json`)).body as Document;
  expect(await validate(structuredClone(document) as never)).toMatchObject({ valid: true });
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  return (method, route, status, body) => {
    const answer = document.paths[route]?.[method]?.responses[String(status)];
    expect(answer, `${method} ${route} ${status}`).toBeDefined();
    const check = ajv.compile(Object.values(answer!.content!)[0]!.schema);
    check(body);
    expect(check.errors, `${method} ${route} ${status}`).toBeNull();
  };
}

describe('stackwise serve, where results are', () => {
  let service: RunningService;
  let check: Awaited<ReturnType<typeof documented>>;
  beforeAll(async () => {
    service = await start([...SOURCE('scenes'), '--store', at('stored')]);
    check = await documented(service.url);
  }, 60_000);

  it('says where it listens, and how it is', async () => {
    expect(service.first).toMatchObject({ event: 'listening', host: '127.0.0.1', grid: 'native', scenes: 39 });
    const { status, body } = await json(`${service.url}/health`);
    expect(status).toBe(200);
    check('get', '/health', 200, body);
    expect(body).toMatchObject({ status: 'ok', algorithm: ALGORITHM, grid: 'native', scenes: 39, pending: 0 });
    expect((await fetch(`${service.url}/health`, { method: 'HEAD' })).status).toBe(200);
  });

  it('gives the row of a pixel, and of one that failed', async () => {
    const store = await openResults(at('stored'), { readOnly: true });
    for (const [x, y, ok] of [
      [CORNER.x, CORNER.y, true],
      [CORNER.x + 12.5, CORNER.y - 29.9, true],
      [CORNER.x + 9 * 30, CORNER.y - 1, false],
    ] as const) {
      const { status, body } = await json(`${service.url}/results/${ALGORITHM}/${x}/${y}`);
      expect(status).toBe(200);
      check('get', '/results/{algorithm}/{x}/{y}', 200, body);
      expect(body).toEqual(resultRow(store, (await store.pixel(ALGORITHM, { x, y }))!));
      expect(body.result_ok).toBe(ok);
    }
    await store.close();
  });

  it('streams all pixels of a chip, and none of one that has not run', async () => {
    const store = await openResults(at('stored'), { readOnly: true });
    const { chip } = snap(store.grid, CORNER);
    const wanted = [...chipJson(store, (await store.chip(ALGORITHM, chip))!)].join('');
    const url = `${service.url}/results/${ALGORITHM}/chip?x=${CORNER.x}&y=${CORNER.y}`;
    const response = await fetch(url);
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toBe(wanted);
    const rows = JSON.parse(text) as ResultRow[];
    check('get', '/results/{algorithm}/chip', 200, rows.slice(0, 50));
    expect(rows).toHaveLength(10_000);
    const none = await json(`${service.url}/results/${ALGORITHM}/chip?x=0&y=-1e3`);
    expect(none).toMatchObject({ status: 200, body: [] });
    expect((await json(`${service.url}/health`)).body.pending).toBe(0);
    await store.close();
  });

  it('names its algorithms', async () => {
    const all = await json(`${service.url}/algorithms`);
    check('get', '/algorithms', 200, all.body);
    expect(all.body).toEqual([{ algorithm: ALGORITHM, enabled: true }]);
    for (const name of [ALGORITHM, encodeURIComponent(ALGORITHM)]) {
      expect((await json(`${service.url}/algorithms/${name}`)).body).toEqual(all.body[0]);
    }
  });

  it('snaps points, as chipmunk does', async () => {
    const grid = { originX: 15, originY: 15, pixelSize: 30, chipPx: 100, tileChips: 50, name: 'native', crs: '' };
    const point = { x: -590.5, y: 2806 };
    const shape = ({ x, y, h, v }: { x: number; y: number; h: number; v: number }) => {
      return { 'proj-pt': [x, y], 'grid-pt': [h, v] };
    };
    const one = await json(`${service.url}/grid/snap?x=-590.5&y=2806`);
    check('get', '/grid/snap', 200, one.body);
    const cell = snap(grid, point);
    expect(one.body).toEqual({ tile: shape(cell.tile), chip: shape(cell.chip) });
    const nine = await json(`${service.url}/grid/near?x=-590.5&y=2806`);
    check('get', '/grid/near', 200, nine.body);
    const around = near(grid, point);
    expect(nine.body).toEqual({ tile: around.tile.map(shape), chip: around.chip.map(shape) });
  });

  it('counts the chips of a tile', async () => {
    const { status, body } = await json(service.url + TILE);
    expect(status).toBe(200);
    check('get', '/tiles/{h}/{v}', 200, body);
    expect(body).toEqual({
      ...{ h: 3, v: -35, chips: 2500, complete: 1, incomplete: 1, missing: 0 },
      ...{ failed: 0, outside: 2498, pending: 0, running: 0 },
    });
    expect((await json(`${service.url}/tiles/-1000000/1000000`)).body).toMatchObject({ outside: 2500 });
  });

  it('counts its requests for Prometheus', async () => {
    await fetch(`${service.url}/health`);
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    const text = await response.text();
    expect(text).toMatch(/^stackwise_http_requests_total\{method="GET",route="\/health",status="200"\} \d+$/m);
    expect(text).toMatch(/^stackwise_http_request_duration_seconds_count\{route="\/health"\} \d+$/m);
    expect(text).toMatch(/^stackwise_chips_pending 0$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  it.each([
    [`/results/${ALGORITHM}/abc/1`, 400, { field: 'x', wanted: 'a number', got: 'abc' }],
    [`/results/${ALGORITHM}/1e9/1`, 400, { field: 'x', wanted: '<= 100000000', got: '1000000000' }],
    [`/results/${ALGORITHM}/1e999/1`, 400, { field: 'x' }],
    [`/results/${ALGORITHM}/NaN/1`, 400, { field: 'x', got: 'NaN' }],
    [`/results/${ALGORITHM}/1/2?refresh=yes`, 400, { field: 'refresh', wanted: 'a boolean', got: 'yes' }],
    [`/results/${ALGORITHM}/1/2?refres=true`, 400, { field: 'refres', wanted: 'no such field' }],
    [`/results/${ALGORITHM}/chip?x=1`, 400, { field: 'y', wanted: 'a value', got: 'nothing' }],
    [`/results/${ALGORITHM}/chip?x=1&x=2&y=3`, 400, { field: 'x', got: '["1","2"]' }],
    ['/results/pyccd/1/2', 404, { field: 'algorithm', wanted: ALGORITHM, got: 'pyccd' }],
    ['/results/pyccd/chip?x=1&y=2', 404, { field: 'algorithm' }],
    ['/algorithms/..%2f..%2fetc%2fpasswd', 404, { field: 'algorithm', got: '../../etc/passwd' }],
    [`/results/${'a'.repeat(300)}/1/2`, 400, { field: 'algorithm' }],
    ['/results/%ZZ/1/2', 400, {}],
    [`/results/${ALGORITHM}/%20/1`, 400, { field: 'x', wanted: 'a number', got: ' ' }],
    [`/results/${ALGORITHM}/0x10/1`, 400, { field: 'x', got: '0x10' }],
    ['/grid/snap?x=1&y=%09', 400, { field: 'y' }],
    ['/tiles/0/0?only=missing', 400, { field: 'only', wanted: 'no such field' }],
    ['/tiles/0/0/events?h=1', 400, { field: 'h', wanted: 'no such field' }],
    ['/tiles/0.5/0', 400, { field: 'h', wanted: 'a whole number', got: '0.5' }],
    ['/tiles/9999999/0', 400, { field: 'h' }],
    ['/grid/snap?x=1&y=', 400, { field: 'y', got: '' }],
    ['/nowhere', 404, { field: 'url', got: '/nowhere' }],
    [`/${'a'.repeat(3000)}`, 414, { field: 'url', got: '3001' }],
    [`/results/${ALGORITHM}/0/0`, 422, { field: 'x, y', 'algorithm-available': true, 'source-data-available': false }],
  ])('refuses GET %s', async (url, status, facts) => {
    const answer = await json(service.url + url);
    expect(answer).toMatchObject({ status, body: facts });
    expect(Object.keys(answer.body).slice(0, 4)).toEqual(['error', 'field', 'wanted', 'got']);
    expect(answer.body.error).not.toContain('\n');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    if (status === 422) check('get', '/results/{algorithm}/{x}/{y}', 422, answer.body);
    if (url.startsWith('/tiles')) check('get', '/tiles/{h}/{v}', status, answer.body);
  });

  it.each([
    ['{"only":"some"}', 400, { field: 'only', wanted: 'missing, incomplete, failed, changed, all', got: 'some' }],
    ['{"refresh":"true"}', 400, { field: 'refresh', wanted: 'a boolean', got: 'true' }],
    ['{"chips":[1]}', 400, { field: 'chips', wanted: 'no such field', got: '[1]' }],
    ['[]', 400, { field: 'body', got: '[]' }],
    ['{"only"', 400, { field: 'body' }],
    ['{"__proto__":{"only":"all"}}', 400, { field: 'body' }],
    [JSON.stringify({ only: 'x'.repeat(5000) }), 413, { field: 'body' }],
  ])('refuses the body %s', async (body, status, facts) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await json(`${service.url}${TILE}/requests`, { method: 'POST', body, headers });
    expect(answer).toMatchObject({ status, body: facts });
    check('post', '/tiles/{h}/{v}/requests', status, answer.body);
  });

  it('refuses other types of bodies, and methods that are not there', async () => {
    const text = await json(`${service.url}${TILE}/requests`, { method: 'POST', body: 'only=all' });
    expect(text).toMatchObject({ status: 415, body: { field: 'body' } });
    const method = await json(service.url + TILE, { method: 'DELETE' });
    expect(method).toMatchObject({ status: 405, body: { field: 'method', wanted: 'GET', got: 'DELETE' } });
    expect(method.headers.get('allow')).toBe('GET');
    expect((await json(`${service.url}/health`, { method: 'POST', body: '{' })).status).toBe(405);
  });

  it('refuses what is no HTTP', async () => {
    const socket = connect(service.first.port, '127.0.0.1');
    socket.end('HELLO\r\n\r\n');
    let answer = '';
    for await (const part of socket) answer += part;
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      error: 'this is no HTTP',
      field: null,
    });
  });

  it('opens so many streams of events, and no more', async () => {
    const stop = new AbortController();
    const open = () => fetch(`${service.url}${TILE}/events`, { signal: stop.signal });
    const streams = await Promise.all(Array.from({ length: 100 }, open));
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    const refused = await json(`${service.url}${TILE}/events`);
    expect(refused).toMatchObject({ status: 503, body: { error: '100 streams of events are open already' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    stop.abort();
  });

  it('writes a line of JSON for each request, and exits 0 on SIGTERM', async () => {
    const stream = await fetch(`${service.url}${TILE}/events`);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const ended = stream.text();
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(await ended).toContain('event: progress');
    const lines = service.log().trim().split('\n');
    const requests = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request');
    expect(requests[0]).toMatchObject({ method: 'GET', route: '/openapi.json', status: 200, ms: expect.any(Number) });
    expect(requests).toContainEqual(expect.objectContaining({ method: 'POST', status: 413 }));
    expect(lines.some((line) => line.includes('unexpected'))).toBe(false);
  });
});

describe('stackwise serve, where results are asked for', () => {
  const args = () => ['--scenes', `${gate.url}/items.json`, '--store', at('asked')];

  it('gives one ticket, keeps it when it stops, and the result when it has run', async () => {
    gate.shut();
    const first = await start([...args(), '--queue-limit', '2']);
    const check = await documented(first.url);
    const url = `/results/${PIXEL}`;
    // A chip is read for this tile, and waits.
    const tickets = await Promise.all([1, 2, 3].map(() => json(first.url + url)));
    for (const { status, body } of tickets) {
      expect(status).toBe(202);
      check('get', '/results/{algorithm}/{x}/{y}', 202, body);
      expect(body).toEqual({ ...tickets[0]!.body });
      expect(body).toMatchObject({ x: CORNER.x, y: CORNER.y, algorithm: ALGORITHM, inputs_url: url });
    }
    // Another pixel of the chip, and refresh: the same request.
    const other = await json(`${first.url}/results/${ALGORITHM}/${CORNER.x + 60}/${CORNER.y}?refresh=true`);
    expect(other.body.chip_update_requested).toBe(tickets[0]!.body.chip_update_requested);
    await gate.waited();
    expect((await json(first.url + TILE)).body).toMatchObject({ missing: 2, pending: 1, running: 1, complete: 0 });
    expect((await json(`${first.url}/results/${ALGORITHM}/chip?x=${CORNER.x}&y=${CORNER.y}`)).body).toEqual([]);
    const whole = await post(`${first.url}${TILE}/requests`);
    check('post', '/tiles/{h}/{v}/requests', 202, whole.body);
    expect(whole).toMatchObject({
      status: 202,
      body: { h: 3, v: -35, requested: 1, alreadyPending: 1, there: 0, outside: 2498 },
    });
    expect((await post(`${first.url}${TILE}/requests`, { only: 'missing' })).body).toMatchObject({
      requested: 0,
      alreadyPending: 2,
    });
    expect(await first.stop('SIGTERM')).toBe(0);

    const again = await start(args());
    expect((await json(again.url + url)).body).toEqual(tickets[0]!.body);
    const followed = followTile(again.url + TILE, ({ pending }) => pending === 0);
    await gate.waited();
    gate.open();
    const events = await followed;
    expect(events[0]).toMatchObject({ missing: 2, pending: 2 });
    expect(events.at(-1)).toMatchObject({ complete: 1, incomplete: 1, missing: 0, pending: 0, failed: 0 });
    const done = await json(again.url + url);
    expect(done.status).toBe(200);
    const text = await (await fetch(`${again.url}/metrics`)).text();
    expect(text).toMatch(/^stackwise_chips_total\{outcome="written"\} 2$/m);
    expect(text).toMatch(/^stackwise_pixels_total\{outcome="failed"\} 1$/m);
    expect(await again.stop('SIGINT')).toBe(0);
    // The numbers are those of `stackwise ccdc`.
    const [served, stored] = [await openResults(at('asked')), await openResults(at('stored'))];
    const { chip } = snap(served.grid, CORNER);
    expect((await served.chip(ALGORITHM, chip))!.changes).toEqual((await stored.chip(ALGORITHM, chip))!.changes);
    await Promise.all([served.close(), stored.close()]);
    // Nor would it run them again.
    const plan = await planScenes(`${gate.url}/items.json`, { store: at('asked') });
    expect(plan.chips).toMatchObject({ toRun: 0, unchanged: 2 });
  });

  it('asks for chosen chips of a tile', async () => {
    gate.shut();
    const service = await start(args());
    const ask = async (body?: object) => (await post(`${service.url}${TILE}/requests`, body)).body;
    expect(await ask()).toMatchObject({ requested: 0, there: 2 });
    expect(await ask({ only: 'failed' })).toMatchObject({ requested: 0, there: 2 });
    expect(await ask({ only: 'changed' })).toMatchObject({ requested: 0, there: 2 });
    expect(await ask({ only: 'incomplete' })).toMatchObject({ requested: 1, there: 1 });
    expect(await ask({ only: 'all' })).toMatchObject({ requested: 0, alreadyPending: 1, there: 1 });
    expect(await ask({ refresh: true })).toMatchObject({ requested: 1, alreadyPending: 1, there: 0, outside: 2498 });
    // What is there is given meanwhile, unless a new result is wanted.
    expect((await json(`${service.url}/results/${PIXEL}`)).status).toBe(200);
    expect((await json(`${service.url}/results/${PIXEL}?refresh=true`)).status).toBe(202);
    gate.open();
    await followTile(service.url + TILE, ({ pending }) => pending === 0);
    expect(await service.stop('SIGTERM')).toBe(0);
  });

  it('takes nothing when the queue would be too long', async () => {
    gate.shut();
    const service = await start(['--scenes', `${gate.url}/items.json`, '--store', at('full'), '--queue-limit', '1']);
    const check = await documented(service.url);
    const tile = await post(`${service.url}${TILE}/requests`);
    expect(tile).toMatchObject({ status: 503, body: { field: null } });
    expect(Number(tile.headers.get('retry-after'))).toBeGreaterThan(0);
    check('post', '/tiles/{h}/{v}/requests', 503, tile.body);
    expect((await json(service.url + TILE)).body.pending).toBe(0);
    expect((await json(`${service.url}/results/${PIXEL}`)).status).toBe(202);
    const other = await json(`${service.url}/results/${ALGORITHM}/${CORNER.x + 129 * 30}/${CORNER.y}`);
    expect(other.status).toBe(503);
    check('get', '/results/{algorithm}/{x}/{y}', 503, other.body);
    // One that waits already is no new one.
    expect((await json(`${service.url}/results/${PIXEL}`)).status).toBe(202);
    gate.open();
    expect(await service.stop('SIGTERM')).toBe(0);
  });

  it('records chips that cannot be run, and runs them when they can', async () => {
    await cp(at('scenes'), at('broken'), { recursive: true });
    const lost = at('broken/5_sr.tif');
    const service = await start([...SOURCE('broken'), '--store', at('out-broken'), '--grid', 'native']);
    const check = await documented(service.url);
    await rename(lost, `${lost}.away`);
    expect((await json(`${service.url}/results/${PIXEL}`)).status).toBe(202);
    await followTile(service.url + TILE, ({ failed }) => failed === 1);
    expect((await json(service.url + TILE)).body).toMatchObject({ failed: 1, missing: 1, pending: 0 });
    const refused = await json(`${service.url}/results/${PIXEL}`);
    expect(refused.status).toBe(422);
    check('get', '/results/{algorithm}/{x}/{y}', 422, refused.body);
    expect(refused.body.error).toMatch(/5_sr\.tif: no such file/);
    await rename(`${lost}.away`, lost);
    const again = await post(`${service.url}${TILE}/requests`, { only: 'failed' });
    expect(again.body).toMatchObject({ requested: 1 });
    await followTile(service.url + TILE, ({ incomplete }) => incomplete === 1);
    expect((await json(`${service.url}/results/${PIXEL}`)).status).toBe(200);
    expect(await service.stop('SIGTERM')).toBe(0);
  });

  it('names the inputs that it has really read, also of files that changed since it began', async () => {
    await cp(at('scenes'), at('changing'), { recursive: true });
    const service = await start([...SOURCE('changing'), '--store', at('out-changing')]);
    await copyFile(at('changing/7_sr.tif'), at('changing/6_sr.tif'));
    await post(`${service.url}${TILE}/requests`);
    await followTile(service.url + TILE, ({ complete, incomplete }) => complete + incomplete === 2);
    const { body } = await json(`${service.url}/results/${PIXEL}`);
    expect(await service.stop('SIGTERM')).toBe(0);
    const [items, files] = [at('changing/items.json'), { store: at('ref-changing') }];
    expect((await planScenes(items, { store: at('out-changing') })).chips).toMatchObject({ toRun: 0, unchanged: 2 });
    await detectScenes(items, files, { threads: 1 });
    const store = await openResults(files.store, { readOnly: true });
    const row = resultRow(store, (await store.pixel(ALGORITHM, CORNER))!);
    expect(body).toEqual({ ...row, result_produced: body.result_produced });
    await store.close();
  });
});

describe('the token of stackwise serve', () => {
  const TOKEN = 'a-secret-that-nobody-knows';

  it.each(['file', 'variable'])('is wanted for all but health, when it is in a %s', async (where) => {
    writeFileSync(at('token'), `${TOKEN}\n`);
    const source = [...SOURCE('scenes'), '--store', at('stored')];
    const service = await (where === 'file'
      ? start([...source, '--token-file', at('token')])
      : start(source, { STACKWISE_TOKEN: TOKEN }));
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    for (const url of [`/results/${PIXEL}`, '/openapi.json', '/metrics', `${TILE}/events`, '/nowhere']) {
      for (const init of [{}, bearer(''), bearer(`${TOKEN}x`), { headers: { authorization: `Basic ${TOKEN}` } }]) {
        const answer = await json(service.url + url, init);
        expect(answer).toMatchObject({ status: 401, body: { field: 'authorization', wanted: 'Bearer TOKEN' } });
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
    expect((await json(service.url + TILE, { method: 'DELETE' })).status).toBe(401);
    expect((await json(`${service.url}/results/${PIXEL}`, bearer(TOKEN))).status).toBe(200);
    expect(await followTile(service.url + TILE, () => true, bearer(TOKEN).headers)).toHaveLength(1);
    expect((await json(`${service.url}/nowhere`, bearer(TOKEN))).status).toBe(404);
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(service.log()).not.toContain(TOKEN);
  });
});

describe('how stackwise serve is started', () => {
  const stackwise = (...args: string[]) =>
    spawnSync(process.execPath, [cli, 'serve', ...args], { encoding: 'utf8', timeout: 60_000 });

  it('exits 2 for wrong usage and 1 for what fails, in one line', async () => {
    writeFileSync(at('empty'), '\n');
    const given = [...SOURCE('scenes'), '--store', at('x')];
    for (const [args, status, message] of [
      [[], 2, '--scenes SOURCE and --store DIR are wanted'],
      [['--scenes', 'a.json'], 2, '--scenes SOURCE and --store DIR are wanted'],
      [[...given, '--port', '70000'], 1, '--port: a whole number from 0 to 65535 is wanted, and got 70000'],
      [[...given, '--threads', '0'], 1, '--threads: a whole number from 1'],
      [[...given, '--token-file', at('nothing')], 1, 'nothing cannot be read (ENOENT)'],
      [[...given, '--token-file', at('empty')], 1, 'must hold one token'],
      [[...given, '--public-url', 'ftp://x'], 1, 'an http or https address is wanted'],
      [['--scenes', '{"stac":7}', '--store', at('x')], 1, '"stac" of a search is of type string, got 7'],
      [['--scenes', '{"stac":"usgs","cloud":7}', '--store', at('x')], 1, 'a search has no "cloud"'],
      [['--scenes', '{', '--store', at('x')], 1, '--scenes: this is no JSON'],
      [['--scenes', at('gone.json'), '--store', at('x')], 1, 'no such file'],
      [[...given, '--grid', 'conus', '--store', at('stored')], 1, 'is on the grid native'],
      [[...given, '--memory-limit', '1MiB'], 1, 'MiB'],
      [[...given, '--port', new URL(gate.url).port], 1, 'EADDRINUSE'],
    ] as const) {
      const found = stackwise(...args);
      expect(found.stderr).toContain(message);
      expect(found.status, args.join(' ')).toBe(status);
      expect(found.stderr.trim().split('\n')).toHaveLength(1);
    }
  }, 300_000);

  it('finds scenes by a search, warns of an open door, and says links as clients know them', async () => {
    const search = JSON.stringify({ sources: scenes.items, datetime: '1984-01-01/..' });
    writeFileSync(at('search.json'), search);
    for (const source of [search, at('search.json')]) {
      const args = ['--scenes', source, '--store', at('searched'), '--host', '0.0.0.0'];
      const service = await start([...args, '--public-url', 'https://example.org/ccdc/']);
      expect(service.first).toMatchObject({ scenes: 35, host: '0.0.0.0' });
      const { body } = await json(`http://127.0.0.1:${service.first.port}/results/${PIXEL}?refresh=true`);
      expect(body.inputs_url).toBe(`https://example.org/ccdc/results/${PIXEL}`);
      expect(await service.stop('SIGTERM')).toBe(0);
      expect(service.log()).toContain('anybody who reaches 0.0.0.0 may use this service');
    }
    expect(await readFile(at('search.json'), 'utf8')).toBe(search);
  });
});
