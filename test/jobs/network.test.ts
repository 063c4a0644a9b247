import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { type CompositeOptions, composite, compositeToFolder, readScenes } from '../../build/node.js';
import { type FaultServer, startFaultServer } from '../fixture/fault-server.js';

const OPTIONS: CompositeOptions = { bands: ['B04', 'B11'], statistics: 'median,count', threads: 0 };

let folder = '';
let server: FaultServer;
let serial = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-network-'));
  await simulateScenes(path.join(folder, 'c'), { dates: 3, size: 96, tileSize: 32 });
  server = await startFaultServer();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.faults = [];
  server.requests = [];
});

/** The collection at addresses that nothing remembers. */
async function publish(): Promise<string> {
  const name = `c${++serial}`;
  for (const entry of await readdir(path.join(folder, 'c'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const url = `${name}/${path.relative(path.join(folder, 'c'), file).split(path.sep).join('/')}`;
    server.files.set(url, await readFile(file));
  }
  return `${server.root}/${name}/collection.json`;
}

describe('a composite over a network that fails now and then', () => {
  it.each([0, 2])(
    'gives the same pixels, and tells requests, bytes and repetitions of all threads (%d)',
    async (threads) => {
      const wanted = await composite(await readScenes(path.join(folder, 'c')), OPTIONS);
      expect(wanted.network).toEqual({ requests: 0, bytes: 0, retries: 0 });
      const scenes = await readScenes(await publish());
      server.requests = [];
      server.faults = [
        { kind: 'status', status: 503 },
        { kind: 'none' },
        { kind: 'drop', part: 0.6 },
        { kind: 'status', status: 503 },
      ];
      const { results, network } = await composite(scenes, { ...OPTIONS, threads });
      expect(network.retries).toBe(3);
      expect(network.requests).toBe(server.requests.length);
      expect(network.bytes).toBeGreaterThan(10_000);
      for (const [name, { data }] of Object.entries(wanted.results)) expect(results[name]!.data).toEqual(data);
    },
  );

  it('ends in one clear error when a scene is replaced while it is read', async () => {
    const source = await publish();
    const [first] = await readScenes(source);
    const scene = first!.bands.B04!.href.slice(server.root.length + 1);
    const onProgress = (done: number) => {
      if (done === 0) server.files.set(scene, new Uint8Array([...server.files.get(scene)!, 0]));
    };
    const out = path.join(folder, 'changed');
    const failure = await compositeToFolder(source, out, { ...OPTIONS, threads: 2, onProgress }).catch(
      (error) => error,
    );
    expect(failure.message).toMatch(/B04\.tif.* changed/);
    expect(await readdir(out)).toEqual([]);
  });
});
