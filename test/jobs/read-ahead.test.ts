import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { type CompositeOptions, composite, readScenes, type Scene } from '../../build/index.js';
import { compositeRunner } from '../../build/jobs/composite-runner.js';
import { prepareComposite } from '../../build/jobs/prepare.js';
import type { Block } from '../../build/stats/spec.js';
import { digestOf } from '../browser/digest.js';

const OPTIONS: CompositeOptions = { bands: ['B04', 'B11'], statistics: 'median,count', threads: 0 };

/** A server whose answers come late, that knows which scenes are asked for at the same time. */
const files = new Map<string, Uint8Array>();
let requests: string[] = [];
const underWay: string[] = [];
let mostScenes = 0;
const server = createServer((request, response) => {
  const url = request.url!;
  requests.push(`${url} ${request.headers.range ?? request.method}`);
  underWay.push(url);
  mostScenes = Math.max(mostScenes, new Set(underWay.map((one) => one.split('/')[2])).size);
  setTimeout(() => {
    underWay.splice(underWay.indexOf(url), 1);
    const bytes = files.get(url.replace(/^\/\d+/, ''));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (!bytes) return void response.writeHead(404).end();
    if (first === undefined)
      return void response
        .writeHead(200, { etag: '"1"', 'content-length': bytes.length })
        .end(request.method === 'HEAD' ? undefined : bytes);
    if (Number(first) >= bytes.length) return void response.writeHead(416).end();
    const part = bytes.subarray(Number(first), Number(last) + 1);
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`;
    response.writeHead(206, { etag: '"1"', 'content-length': part.length, 'content-range': range }).end(part);
  }, 15);
});

let folder = '';
let root = '';
let serial = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-ahead-'));
  await simulateScenes(folder, { dates: 5, size: 192, tileSize: 32 });
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path).split(sep).join('/')}`, await readFile(path));
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  requests = [];
  mostScenes = 0;
});

/** Scenes at addresses that nothing remembers. */
const published = () => readScenes(`${root}/${++serial}/collection.json`);

const QUARTERS: readonly Pick<Block, 'col' | 'row'>[] = [
  { col: 0, row: 0 },
  { col: 96, row: 0 },
  { col: 0, row: 96 },
  { col: 96, row: 96 },
];

/** All quarters of the grid in one session, each told of the next; and the requests that took. */
async function run(scenes: readonly Scene[], options: CompositeOptions, aheadBytes: number | undefined) {
  const { spec } = await prepareComposite(scenes, { ...OPTIONS, ...options });
  const blocks = QUARTERS.map((corner, index): Block => {
    const ahead = aheadBytes === undefined ? {} : { aheadBytes };
    return { index, ...corner, width: 96, height: 96, stripRows: 40, hold: 'memory', ...ahead };
  });
  requests = [];
  mostScenes = 0;
  const session = compositeRunner.start(spec, { alone: false });
  const planes: Uint8Array[][][] = [];
  try {
    for (const [i, block] of blocks.entries()) {
      const next = blocks[i + 1];
      planes.push((await session.run(block, next ? { next } : {})).result.planes);
    }
  } finally {
    await session.close();
  }
  return { planes, requests: [...requests], mostScenes };
}

const TIFF = /\.tif /;
/** Requests without the number of the run. */
const plain = (all: readonly string[]) =>
  all
    .filter((one) => TIFF.test(one))
    .map((one) => one.replace(/^\/\d+/, ''))
    .sort();

describe('reading ahead', () => {
  it.each([
    ['each scene masked', {}],
    ['the day masked', { maskWhen: 'after-fuse' }],
    ['onto another grid', { crs: 'EPSG:32632', resolution: 20, resampling: 'bilinear', bbox: undefined }],
  ] as const)('gives the same pixels for no more requests, of several scenes at a time: %s', async (_, change) => {
    const options = change as CompositeOptions;
    const at = await run(await published(), options, undefined);
    const ahead = await run(await published(), options, 2 ** 20);
    expect(ahead.planes).toEqual(at.planes);
    expect(at.mostScenes).toBe(1);
    expect(ahead.mostScenes).toBeGreaterThan(2);
    expect(ahead.requests.length).toBeLessThanOrEqual(at.requests.length);
    // Nothing is asked for twice.
    expect(new Set(ahead.requests).size).toBe(ahead.requests.length);
  });

  it('keeps to its window, however small, and asks for nothing twice', async () => {
    const at = await run(await published(), {}, undefined);
    for (const aheadBytes of [1, 3000, 20_000]) {
      const ahead = await run(await published(), {}, aheadBytes);
      expect(ahead.planes).toEqual(at.planes);
      expect(ahead.requests.length).toBeLessThanOrEqual(at.requests.length);
      expect(new Set(ahead.requests).size).toBe(ahead.requests.length);
    }
  });

  it('asks for the first scenes of the next block before its turn', async () => {
    const { spec } = await prepareComposite(await published(), OPTIONS);
    const [one, two] = QUARTERS.map(
      (corner, index): Block => ({
        ...{ index, ...corner, width: 96, height: 96, stripRows: 96, hold: 'memory', aheadBytes: 2 ** 20 },
      }),
    );
    const session = compositeRunner.start(spec, { alone: false });
    await session.run(one!, { next: two! });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = requests.length;
    await session.run(two!, {});
    expect(requests.length).toBe(before);
    await session.close();
  });

  it('does not ask for a scene twice that cannot be read, and names it as ever', async () => {
    for (const [name, damage] of [
      ['gone', null],
      ['cut off', 0.9],
    ] as const) {
      const scenes = await readScenes(folder);
      const key = `/${relative(folder, scenes[2]!.bands.B04!.href).split(sep).join('/')}`;
      const whole = files.get(key)!;
      const readable = await published();
      const failing = async (aheadBytes: number | undefined, onError: 'fail' | 'skip') => {
        const own = await published();
        if (damage === null) files.delete(key);
        else files.set(key, whole.subarray(0, whole.length * damage));
        const error = await run(own, { onError }, aheadBytes).catch((e) => e);
        files.set(key, whole);
        return { error, requests: plain(requests).filter((one) => one.startsWith(key)) };
      };
      for (const onError of ['fail', 'skip'] as const) {
        const at = await failing(undefined, onError);
        const ahead = await failing(2 ** 20, onError);
        const wanted = { name: at.error.name, items: at.error.facts.items };
        expect({ name: ahead.error.name, items: ahead.error.facts.items }, name).toEqual(wanted);
        expect(wanted.items).toEqual([readable[2]!.id]);
        expect(new Set(ahead.requests).size, name).toBe(ahead.requests.length);
      }
    }
  });

  it('ends with the run that is stopped', async () => {
    const scenes = await published();
    const stop = new AbortController();
    const running = composite(scenes, {
      ...OPTIONS,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = requests.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(requests.length).toBe(before);
  });

  it.each([0, 2])('is what a composite over a network does, with %i threads', async (threads) => {
    const local = await composite(await readScenes(folder), { ...OPTIONS, threads });
    expect(local.plan.blocks.every((block) => block.aheadBytes === undefined)).toBe(true);
    const far = await composite(await published(), { ...OPTIONS, threads });
    expect(far.plan.blocks.every((block) => block.aheadBytes === 32 * 2 ** 20)).toBe(true);
    expect(far.network.requests).toBe(requests.filter((one) => TIFF.test(one)).length);
    expect(digestOf(far)).toEqual(digestOf(local));
    expect(mostScenes).toBeGreaterThan(2);
  });
});
