import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { TestProject } from 'vitest/node';
import { simulateScenes } from '../../build/app/simulate.js';
import { type CompositeOptions, composite, readScenes } from '../../build/index.js';
import { JP2, jp2Bytes } from '../fixture/jp2.js';
import { digestOf, OPTIONS, WARPED } from './digest.js';

/** Small, of many tiles, and with a day in two scenes. */
const SIMULATION = { seed: 11, dates: 5, size: 256, tileSize: 64 };

export interface ServedCollection {
  /** Of collection.json. */
  url: string;
  /** {@link digestOf} what Node computes from the files on disk. */
  expected: Record<string, string>;
  warped: Record<string, string>;
}

declare module 'vitest' {
  export interface ProvidedContext {
    collection: ServedCollection;
  }
}

/** Serves files of folders, whole or by range, to pages of any origin. */
export async function serveFolder(folder: string) {
  let inFlight = 0;
  const seen = { requests: 0, mostInFlight: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = resolve(folder, `.${decodeURIComponent(new URL(request.url!, 'http://localhost').pathname)}`);
    const found = path.startsWith(folder + sep) ? await stat(path).catch(() => null) : null;
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', 'Range');
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    if (!found?.isFile()) return response.writeHead(404).end();
    const type = { json: 'application/json', html: 'text/html', js: 'text/javascript' }[path.split('.').at(-1)!];
    if (type) response.setHeader('Content-Type', type);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const start = range ? Number(range[1]) : 0;
    const end = Math.min(found.size - 1, range ? Number(range[2]) : found.size - 1);
    if (start > end) return response.writeHead(416).end();
    if (range) response.setHeader('Content-Range', `bytes ${start}-${end}/${found.size}`);
    response.writeHead(range ? 206 : 200, { 'Content-Length': end - start + 1 });
    if (request.method === 'HEAD') return response.end();
    return createReadStream(path, { start, end }).pipe(response);
  };
  const server = createServer((request, response) => {
    seen.requests++;
    seen.mostInFlight = Math.max(seen.mostInFlight, ++inFlight);
    response.on('close', () => inFlight--);
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close };
}

/** A seeded collection on disk. */
export async function makeCollection() {
  const folder = await mkdtemp(join(tmpdir(), 'stackwise-browser-'));
  const { path } = await simulateScenes(folder, SIMULATION);
  return { folder, path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** An item of one JPEG 2000 file, on disk in the folder `jp2`. */
export async function makeJp2Item(folder: string): Promise<string> {
  const path = join(folder, 'jp2', 'item.json');
  await mkdir(join(folder, 'jp2'));
  await writeFile(join(folder, 'jp2', 'red.jp2'), jp2Bytes(JP2.index));
  const properties = { datetime: '2022-01-05T10:00:00Z', 'proj:epsg': 32631 };
  const assets = { red: { href: 'red.jp2', 'raster:bands': [{ nodata: 0 }] } };
  const item = { type: 'Feature', stac_version: '1.0.0', id: 'jp2', geometry: null, properties, links: [], assets };
  await writeFile(path, JSON.stringify(item));
  return path;
}

/**
 * Makes a collection, composites it in Node, and serves it to the tests in the browser.
 * @public Vitest calls it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { folder, path, remove } = await makeCollection();
  const digests = async (options: CompositeOptions) =>
    digestOf(await composite(await readScenes(path), { ...options, threads: 0 }));
  const [expected, warped] = [await digests(OPTIONS), await digests(WARPED)];
  const { url, close } = await serveFolder(folder);
  project.provide('collection', { url: `${url}/collection.json`, expected, warped });
  return async () => {
    await close();
    await remove();
  };
}
