import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseQuery } from '../../build/app/commands/search.js';
import { simulateScenes } from '../../build/app/simulate.js';
import { itemOfScene } from '../../build/io/scene-item.js';
import { sceneOfItem } from '../../build/io/stac-item.js';
import { storeFor } from '../../build/io/stores.js';
import { composite, readScenes, searchScenes } from '../../build/node.js';
import { cogKeys, memoryBucket, mockProducts, tileKeys } from '../fixture/archive-bucket.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';
import { type StacApi, startApi } from '../fixture/stac-api.js';

const cli = path.resolve(import.meta.dirname, '../../build/app/cli.js');
let folder = '';
let server: S3Server;
let undo: () => void;
let api: StacApi;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-search-'));
  await simulateScenes(at('c'), { dates: 4, size: 64, tileSize: 32 });
  server = await startS3('sentinel-s2-l1c', 'sentinel-cogs');
  undo = useS3(server);
  api = await startApi();
});
afterAll(async () => {
  undo();
  api.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the command; the servers are in this process, so it must not be blocked. */
async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [cli, ...args], { env: process.env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, out, err };
}

describe('scenes as items', () => {
  it('read back to what they were', async () => {
    for (const scene of await readScenes(at('c'))) {
      const again = sceneOfItem(JSON.parse(JSON.stringify(itemOfScene(scene))), null);
      expect(again).toEqual({ ...scene, href: scene.href });
    }
  });
});

describe('a search', () => {
  const store = memoryBucket('sentinel-s2-l1c', mockProducts().flatMap(tileKeys));

  it('wants one place', async () => {
    await expect(searchScenes({})).rejects.toThrow('search one place');
    await expect(searchScenes({ stac: 'dea', bucket: 'x' })).rejects.toThrow('search one place');
    await expect(searchScenes({ stac: 'dea' })).rejects.toThrow('wants --collections');
    await expect(searchScenes({ stac: 'dea', collections: [] })).rejects.toThrow('wants --collections');
    await expect(searchScenes({ bucket: 'sentinel-s2-l1c', tile: '10UDV' })).rejects.toThrow('give --datetime');
    await expect(searchScenes({ bucket: 'x', datetime: '2020' })).rejects.toThrow(
      'there is no archive "x": give one of sentinel-s2-l1c',
    );
    const two = { bucket: 'usgs-landsat', pathRow: '1/62', tile: '10UDV', datetime: '2020' };
    await expect(searchScenes(two)).rejects.toThrow('usgs-landsat is not searched by it');
    await expect(searchScenes({ bucket: 'usgs-landsat', tile: '10UDV', datetime: '2020' })).rejects.toThrow(
      '--path-row like 001/062',
    );
  });

  it.each([
    [{ sources: 'folder', tile: '10UDV' }, 'an archive (--bucket)'],
    [{ sources: 'folder', pathRow: '1/1' }, 'an archive (--bucket)'],
    [{ stac: 'dea', collections: ['c'], mirror: 'm' }, 'an archive (--bucket)'],
    [{ sources: 'folder', collections: ['c'] }, 'a STAC API (--stac)'],
    [{ sources: 'folder', query: {} }, 'a STAC API (--stac)'],
    [{ bucket: 'usgs-landsat', pathRow: '1/62', datetime: '2020', filter: {} }, 'a STAC API (--stac)'],
  ])('refuses what the place would pass over: %o', async (options, place) => {
    await expect(searchScenes(options)).rejects.toThrow(`it belongs to the search of ${place}`);
  });

  it('says what was searched where nothing is found', async () => {
    const query = { bucket: 'sentinel-s2-l1c', tile: '10UDV', datetime: '2020-05-09/2020-06-10', store };
    await expect(searchScenes(query)).rejects.toThrow(
      'no scenes: 0 found in s3://sentinel-s2-l1c for tile 10UDV from 2020-05-09 to 2020-06-10 (2 requests)',
    );
    const cloudy = { ...query, tile: '18TTK', maxCloudPercent: 5 };
    await expect(searchScenes(cloudy)).rejects.toThrow(/no scenes: \d+ found in .* then 0 with at most 5 % cloud/);
  });

  it('takes areas across the antimeridian, and none that is no area', async () => {
    const at = (id: string, bbox: number[]) => ({
      type: 'Feature',
      id,
      bbox,
      properties: { datetime: '2020-01-01T00:00:00Z' },
      assets: {},
    });
    api.answer = () => ({ value: { features: [at('a', [178, 0, 179, 1]), at('b', [3, 0, 4, 1])] } });
    const found = await searchScenes({ stac: api.root, collections: ['c'], bbox: [178.5, 0, -178.5, 1] });
    expect(found.items).toMatchObject([{ id: 'a' }]);
    expect(api.requests.at(-1)!.body!.bbox).toEqual([178.5, 0, -178.5, 1]);
    // Most of the Pacific.
    expect((await searchScenes({ stac: api.root, collections: ['c'], bbox: [100, 0, -70, 1] })).items).toHaveLength(1);
    for (const limit of [0, -1, 1.5])
      await expect(searchScenes({ stac: api.root, collections: ['c'], limit })).rejects.toThrow(
        `a limit is a whole number of 1 or more, and got ${limit}`,
      );
    for (const bbox of [
      [0, 2, 1, 1],
      [0, 0, 0, 1],
      [0, 0, 400, 1],
      [0, 0, 1],
    ])
      await expect(searchScenes({ stac: api.root, collections: ['c'], bbox })).rejects.toThrow(/bbox/);
  });

  it('filters what an API gives', async () => {
    const items = [10, 50, 90].map((cloud, i) => ({
      type: 'Feature',
      id: `i${i}`,
      bbox: [i, 0, i + 0.5, 1],
      properties: { datetime: `2020-01-0${i + 1}T00:00:00Z`, 'eo:cloud_cover': cloud },
      assets: {},
    }));
    api.answer = () => ({ value: { features: items } });
    const found = await searchScenes({ stac: api.root, collections: ['c'], maxCloudPercent: 50, limit: 1 });
    expect(found.items).toMatchObject([{ id: 'i0' }]);
    // The limit holds after the clouds, so the server must not apply it.
    expect(api.requests.at(-1)!.body).toEqual({ collections: ['c'], limit: 100 });
    const geometry = {
      type: 'Feature',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [1.1, 0],
            [1.2, 0],
            [1.2, 1],
            [1.1, 0],
          ],
        ],
      },
    };
    expect((await searchScenes({ stac: api.root, collections: ['c'], geometry })).items).toMatchObject([{ id: 'i1' }]);
    expect(api.requests.at(-1)!.body).toMatchObject({ intersects: geometry.geometry });
  });
});

describe('conditions', () => {
  it('become those of the query extension', () => {
    expect(parseQuery(['eo:cloud_cover<20', 'eo:cloud_cover>=1', 'a=b', 'c != true', 'd=1'])).toEqual({
      'eo:cloud_cover': { lt: 20, gte: 1 },
      a: { eq: 'b' },
      c: { neq: true },
      d: { eq: 1 },
    });
    expect(() => parseQuery(['eo:cloud_cover'])).toThrow('and got "eo:cloud_cover"');
  });
});

describe('the command', () => {
  it('writes items that a composite reads, from a folder', async () => {
    const out = at('found/items.json');
    const { code, out: text } = await run('search', at('c'), '--out', out, '--limit', '3');
    expect([code, text]).toEqual([0, expect.stringMatching(/items\.json: 3 scenes, .* to /)]);
    const options = { bands: ['B04'], statistics: 'median', threads: 0 };
    const near = await composite(await readScenes(at('c')), { ...options, limit: 3 });
    const again = await composite(await readScenes(out), options);
    expect(again.results.median!.data).toEqual(near.results.median!.data);
    expect(JSON.parse(await readFile(out, 'utf8')).features[0].assets.B04.href).toMatch(/^\.\.\/c\//);
    expect(await run('search', at('c'), '--out', out)).toMatchObject({
      code: 1,
      err: expect.stringContaining('give --overwrite'),
    });
  });

  it('finds scenes in a bucket, and says so', async () => {
    const some = mockProducts().filter(({ tile, time }) => tile === '18TTK' && time > '2020-05' && time < '2020-07');
    for (const [key, bytes] of some.flatMap(cogKeys))
      await storeFor('s3://a/b').write(`s3://sentinel-cogs/${key}`, bytes);
    const args = ['search', '--bucket', 'sentinel-cogs', '--tile', '18TTK', '--datetime'];
    const found = await run(...args, '2020-05-09/2020-06-30', '--out', 's3://sentinel-cogs/out/items.json', '--json');
    expect(found.code).toBe(0);
    expect(JSON.parse(found.out)).toMatchObject({
      file: 's3://sentinel-cogs/out/items.json',
      scenes: 6,
      notes: [expect.stringContaining('older')],
    });
    expect((await readScenes('s3://sentinel-cogs/out/items.json')).length).toBe(6);
    const none = await run(...args, '2018-01-01/2018-01-31', '--out', at('none.json'));
    expect(none).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^stackwise: no scenes: 0 found in s3:\/\/sentinel-cogs for tile 18TTK .* \(1 requests\)\n$/,
      ),
    });
    await expect(readFile(at('none.json'))).rejects.toThrow('ENOENT');
  });

  it.each([
    [['--bucket', 'sentinel-cogs', '--tile', '10IDV', '--datetime', '2020'], 1, '"10IDV" is no tile id'],
    [['--bucket', 'sentinel-cogs', '--tile', '10UDV', '--datetime', '2019-02-30'], 1, 'not a date of the calendar'],
    [
      ['--bucket', 'sentinel-cogs', '--tile', '10UDV', '--datetime', '2020-02-01/2019-02-01'],
      1,
      'ends before it starts',
    ],
    [['--bucket', 'nothing', '--tile', '10UDV', '--datetime', '2020'], 1, 'there is no archive "nothing"'],
    [
      ['--bucket', 'sentinel-cogs', '--mirror', 'nothing', '--tile', '10UDV', '--datetime', '2020-01'],
      1,
      'there is no bucket nothing',
    ],
    [['--stac', 'https://127.0.0.1:1', '--collections', 'a', '--filter', '[]'], 1, '--filter takes CQL2'],
  ])('refuses %j', async (args, code, message) => {
    const found = await run('search', ...args, '--out', at('refused.json'));
    expect(found.err.split('\n').length).toBe(2);
    expect(found).toMatchObject({ code, err: expect.stringContaining(message) });
  });
});
