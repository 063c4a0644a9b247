import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCog } from '../../build/io/cog.js';
import { httpStore } from '../../build/io/http.js';
import { readWindow } from '../../build/io/window.js';
import { buildTiff } from './tiff-builder.js';

const content = new Uint8Array(50_000).map((_, i) => (i * 7) & 255);
const values = Array.from({ length: 90 * 70 }, (_, i) => i % 251);
const tiff = buildTiff({ width: 90, height: 70, bands: [values], compression: 8, tile: [32, 32] });
let requests: string[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url!;
  requests.push(`${request.method} ${url} ${request.headers.range ?? ''}`.trim());
  const bytes = url.startsWith('/tiff') ? tiff : content;
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (url === '/missing') return void response.writeHead(404).end('no');
  if (url === '/busy') return void response.writeHead(503).end();
  if (url === '/never') return;
  if (request.method === 'HEAD') return void response.writeHead(200, { 'content-length': bytes.length }).end();
  if (!range || url === '/whole') return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  const first = Number(range[1]);
  if (first >= bytes.length) return void response.writeHead(416).end();
  const last = Math.min(Number(range[2]), bytes.length - 1);
  const part = Buffer.from(bytes.subarray(first, last + 1));
  const shift = url === '/shifted' ? 1 : 0;
  const headers = { 'content-range': `bytes ${first + shift}-${last + shift}/${bytes.length}` };
  if (url === '/short') return void response.writeHead(206, headers).end(part.subarray(0, part.length >> 1));
  if (url === '/broken') {
    response.writeHead(206, { ...headers, 'content-length': part.length }).write(part.subarray(0, 10));
    setTimeout(() => response.destroy(), 20);
    return;
  }
  response.writeHead(206, { ...headers, 'content-length': part.length }).end(part);
}

let server: Server;
let root = '';
beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('files on a web server', () => {
  it('gives ranges, whole files and sizes', async () => {
    const store = httpStore();
    expect(await store.read(`${root}/a`, { offset: 100, length: 50 })).toEqual(content.slice(100, 150));
    expect(await store.read(`${root}/a`, { offset: content.length - 5, length: 50 })).toEqual(content.slice(-5));
    expect(await store.read(`${root}/a`, { offset: content.length + 5, length: 50 })).toHaveLength(0);
    expect(await store.read(`${root}/a`)).toEqual(content);
    requests = [];
    expect(await store.stat(`${root}/a`)).toMatchObject({ bytes: content.length });
    expect(requests).toEqual([]);
    expect(await store.stat(`${root}/b`)).toMatchObject({ bytes: content.length });
    expect(requests).toEqual(['HEAD /b']);
  });

  it('errors carry the status and say whether to try again', async () => {
    const store = httpStore();
    const read = (path: string) => store.read(`${root}${path}`, { offset: 10, length: 100 });
    const error = (facts: object) => ({ name: 'StoreError', facts: expect.objectContaining(facts) });
    await expect(read('/missing')).rejects.toMatchObject(error({ status: 404, retryable: false }));
    await expect(read('/busy')).rejects.toMatchObject(error({ status: 503, retryable: true }));
    await expect(read('/whole')).rejects.toThrow('ignores range requests');
    await expect(read('/shifted')).rejects.toMatchObject(error({ status: 206, retryable: true }));
    await expect(read('/short')).rejects.toMatchObject(error({ retryable: true }));
    await expect(read('/broken')).rejects.toMatchObject(error({ retryable: true }));
    await expect(httpStore().read('http://127.0.0.1:1/x', { offset: 0, length: 1 })).rejects.toMatchObject(
      error({ retryable: true }),
    );
  });

  it('stops when told', async () => {
    const stop = new AbortController();
    const reading = httpStore().read(`${root}/never`, { offset: 0, length: 1 }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(reading).rejects.toThrow('enough');
  });

  it('a COG takes one request to open and one for each tile', async () => {
    requests = [];
    const raster = await openCog(`${root}/tiff`, { store: httpStore() });
    // The request that the test before gave up may arrive only now.
    expect(requests.filter((request) => request.includes('/tiff'))).toHaveLength(1);
    const window = { col: 0, row: 0, width: 90, height: 70 };
    const [band] = await readWindow(raster, { level: 0, window, bands: [0] });
    expect([...(band as Uint8Array)]).toEqual(values);
    expect(requests.length).toBeLessThanOrEqual(1 + 9 + 2);
  });
});
