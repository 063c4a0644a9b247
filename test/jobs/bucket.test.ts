import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { storeFor } from '../../build/io/stores.js';
import {
  type CompositeOptions,
  composite,
  compositeToFolder,
  type Grid,
  readScenes,
  writeCog,
} from '../../build/node.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';

const OPTIONS: CompositeOptions = { bands: ['B04', 'B11'], statistics: 'median,mean,count', threads: 0 };
const BUCKET = 's3://scenes/sim/';

let folder = '';
let server: S3Server;
let undo: () => void;
const at = (name: string) => path.join(folder, name);
const objects = async (url: string) => storeFor(url).list(url);

/** Copies a folder of the disk into the bucket. */
async function upload(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const inner = path.join(from, entry.name);
    if (entry.isDirectory()) await upload(inner, `${to}${entry.name}/`);
    else await storeFor(to).write(to + entry.name, await readFile(inner));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-bucket-'));
  await simulateScenes(at('c'), { dates: 4, size: 96, tileSize: 32 });
  server = await startS3('scenes');
  undo = useS3(server);
  await upload(at('c'), BUCKET);
  await compositeToFolder(at('c'), at('local'), OPTIONS);
});
afterAll(async () => {
  undo();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a composite of scenes in a bucket', () => {
  it.each([0, 2])('equals that of the same scenes on the disk, bit for bit (%i threads)', async (threads) => {
    const options = { ...OPTIONS, threads };
    const [near, far] = [await readScenes(at('c')), await readScenes(BUCKET)];
    expect(far.map(({ id }) => id)).toEqual(near.map(({ id }) => id));
    const wanted = await composite(near, options);
    const got = await composite(far, options);
    expect(Object.keys(got.results)).toEqual(Object.keys(wanted.results));
    for (const [name, { data }] of Object.entries(wanted.results)) expect(got.results[name]!.data).toEqual(data);
  });
});

describe('a composite into a bucket', () => {
  it('holds the same files as one on the disk', async () => {
    const out = 's3://scenes/out/one';
    const { files } = await compositeToFolder(BUCKET, out, OPTIONS);
    expect(files.at(-1)).toBe(`${out}/item.json`);
    expect(await objects(out)).toEqual(['count.tif', 'item.json', 'mean.tif', 'median.tif']);
    for (const name of ['count.tif', 'mean.tif', 'median.tif'])
      expect(Buffer.from(await storeFor(out).read(`${out}/${name}`)).equals(await readFile(at(`local/${name}`)))).toBe(
        true,
      );
    const item = JSON.parse(new TextDecoder().decode(await storeFor(out).read(`${out}/item.json`)));
    const local = JSON.parse(await readFile(at('local/item.json'), 'utf8'));
    expect(item.assets).toEqual(local.assets);
    expect(JSON.stringify(item)).not.toContain(folder);
  });

  it('writes the item last, and replaces nothing unasked', async () => {
    const out = 's3://scenes/out/two/';
    const seen: string[][] = [];
    const preview = async () => {
      seen.push(await objects(out));
      return null;
    };
    await compositeToFolder(at('c'), out, { ...OPTIONS, preview });
    await expect(compositeToFolder(at('c'), out, OPTIONS)).rejects.toThrow('exists already: give --overwrite');
    await compositeToFolder(at('c'), out, { ...OPTIONS, preview, overwrite: true });
    for (const names of seen) expect(names).toEqual(['count.tif', 'mean.tif', 'median.tif']);
    expect(await objects(out)).toContain('item.json');
  });

  it('leaves nothing when it is stopped', async () => {
    const out = 's3://scenes/out/three';
    const stop = new AbortController();
    const onProgress = (done: number) => done > 0 && stop.abort(new Error('enough'));
    await expect(compositeToFolder(at('c'), out, { ...OPTIONS, onProgress, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
    await expect(objects(out)).rejects.toThrow('no such folder');
  });

  it('is refused before any work where there is no such bucket', async () => {
    await expect(compositeToFolder(at('c'), 's3://nowhere/x', OPTIONS)).rejects.toThrow('there is no bucket nowhere');
    await expect(compositeToFolder(at('c'), 'https://nowhere/x', OPTIONS)).rejects.toThrow(
      'results cannot be written to',
    );
  });

  it('is a command', async () => {
    const cli = path.resolve(import.meta.dirname, '../../build/app/cli.js');
    const args = ['composite', BUCKET, '--out', 's3://scenes/out/cli', '--bands', 'B04,B03,B02', '--stat', 'median'];
    // The server runs in this process, which must not wait.
    const run = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    run.stdout.on('data', (part) => (text += part));
    run.stderr.on('data', (part) => (text += part));
    const code = await new Promise((done) => run.on('exit', done));
    expect(code, text).toBe(0);
    expect(await objects('s3://scenes/out/cli')).toEqual(['item.json', 'median.tif', 'preview.png']);
  });
});

describe('a COG', () => {
  it('is written to a bucket by its address', async () => {
    const crs = { epsg: 32633, definition: null, geoKeys: null };
    const grid: Grid = { crs, affine: [10, 0, 600_000, 0, -10, 5_300_000], width: 700, height: 600 };
    const planes = { grid, names: ['a'], data: [new Uint16Array(420_000).map((_, i) => i % 3001)], nodata: 0 };
    const options = { overwrite: true };
    const [near, far] = [
      await writeCog(at('a.tif'), planes, options),
      await writeCog('s3://scenes/a.tif', planes, options),
    ];
    expect(far).toEqual(near);
    const bytes = await storeFor('s3://scenes/a.tif').read('s3://scenes/a.tif');
    expect(Buffer.from(bytes).equals(await readFile(at('a.tif')))).toBe(true);
  });
});
