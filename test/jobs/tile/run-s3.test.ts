import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../../build/app/simulate.js';
import { s3Store } from '../../../build/io/s3-store.js';
import { checkRun, type RunOptions, runTasks, saveTasks, verify } from '../../../build/node.js';
import { type S3Front, startS3Front } from '../../fixture/s3-front.js';
import { useS3 } from '../../fixture/s3-server.js';

const cli = resolve(import.meta.dirname, '../../../build/app/cli.js');
const GRID = JSON.stringify({
  crs: 'EPSG:32631',
  resolution: 10,
  shape: [64, 64],
  origin: [5_642_000 - 640, 643_000],
  name: 'test',
});
const BANDS = ['B03', 'B04', 'B08'];
const TITLE = 'gm_x00y00_2024--P1Y';
const TILE = 'x00/y00/2024--P1Y';
const ITEM = `${TILE}/${TITLE}.stac-item.json`;

let folder = '';
let set = '';
let front: S3Front;
let undo = () => {};
let n = 0;
const store = s3Store();

beforeAll(async () => {
  front = await startS3Front('bucket');
  undo = useS3(front);
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-s3-'));
  set = join(folder, 'set');
  const { path } = await simulateScenes(join(folder, 'c'), { dates: 4, size: 64, tileSize: 64 });
  await saveTasks([path], { grid: GRID, frequency: 'annual', tiles: '0:1,0:1', out: set });
}, 60_000);
afterEach(() => {
  front.answer = () => null;
  front.requests.length = 0;
});
afterAll(async () => {
  undo();
  await front.stop();
  await rm(folder, { recursive: true, force: true });
});

const freshPlace = () => `s3://bucket/out-${++n}`;
const OPTIONS = {
  plugin: 'gm-s2',
  pluginConfig: { bands: BANDS },
  product: { name: 'gm', short_name: 'gm', version: '1.0.0' },
  cogOpts: { blocksize: 64, zlevel: 1, overrides: { rgba: { compress: 'deflate' } } },
  threads: 0,
} as const;

async function run(location: string, options: Partial<RunOptions> = {}) {
  const { tasks } = await runTasks(set, [], { ...OPTIONS, location, ...options });
  return tasks[0]!;
}

async function lineOf(location: string, options: Partial<RunOptions> = {}) {
  for await (const checked of checkRun(set, [], { ...OPTIONS, location, ...options })) return checked;
  throw new Error('no task');
}

/** Names of what was written, in order; parts of an object count when it becomes visible. */
const written = () =>
  front.requests
    .map(({ line }) => line)
    .filter((line) => (line.startsWith('PUT ') && !line.includes('partNumber=')) || /^POST .*\?uploadId=/.test(line))
    .map((line) => line.replace(/^\w+ \/bucket\/[^/]+\//, '').replace(/\?.*$/, ''));

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('outputs in a bucket', () => {
  it('are the bytes of those on the disk, and the item comes last', async () => {
    process.env.SOURCE_DATE_EPOCH = '1700000000';
    try {
      const place = freshPlace();
      await run(join(folder, 'disk'));
      expect(await run(place)).toMatchObject({ status: 'done', url: `${place}/${ITEM}` });
      const names = (await readdir(join(folder, 'disk', TILE))).sort();
      expect(await store.list(`${place}/${TILE}`)).toEqual(names);
      for (const name of names) {
        const [disk, bucket] = await Promise.all([
          readFile(join(folder, 'disk', TILE, name)),
          store.read(`${place}/${TILE}/${name}`),
        ]);
        // Documents tell where they are.
        if (name.endsWith('.tif')) expect(digest(bucket), name).toBe(digest(disk));
      }
      const order = written();
      expect(order.at(-1)).toBe(ITEM);
      expect(order.indexOf('collection.json')).toBeGreaterThanOrEqual(0);
      const rank = (name: string) => order.findIndex((one) => one.endsWith(name));
      expect(rank('.sha1')).toBeGreaterThan(Math.max(...BANDS.map((band) => rank(`_${band}.tif`)), rank('_rgba.tif')));
      expect([rank('.proc-info.yaml') > rank('.sha1'), rank('.odc-metadata.yaml') > rank('.proc-info.yaml')]).toEqual([
        true,
        true,
      ]);
      const item = JSON.parse(new TextDecoder().decode(await store.read(`${place}/${ITEM}`)));
      expect(item.links).toContainEqual({ rel: 'self', href: `${place}/${ITEM}`, type: 'application/geo+json' });
      expect(await verify(place)).toMatchObject({ items: 1, wrong: 0 });
    } finally {
      delete process.env.SOURCE_DATE_EPOCH;
    }
  }, 60_000);

  it('are left alone, made anew when asked to, and when their inputs were others', async () => {
    const place = freshPlace();
    expect(await lineOf(place)).toMatchObject({ line: expect.stringMatching(/ \(new\)$/), trouble: null });
    // What a dry run begins it lets go of.
    await expect(store.list(place)).rejects.toThrow(/no such folder/);
    await run(place);
    front.requests.length = 0;
    expect(await run(place)).toMatchObject({ status: 'skipped', reason: 'done before' });
    expect(written()).toEqual([]);
    expect((await lineOf(place)).line).toMatch(/ \(skip\)$/);
    expect(await run(place, { overwrite: true })).toMatchObject({ status: 'done' });
    expect(written().at(-1)).toBe(ITEM);
    const fewer = { datasetFilters: { datetime: '2024-01--P3M' } };
    expect((await lineOf(place, fewer)).line).toMatch(/ \(recompute\)$/);
    front.requests.length = 0;
    expect(await run(place, fewer)).toMatchObject({ status: 'done' });
    // The old item is gone before the first new raster is there.
    const events = front.requests.map(({ line }) => line);
    const gone = events.findIndex((line) => line.startsWith(`DELETE /bucket/${place.slice(12)}/${ITEM.split('?')[0]}`));
    const visible = events.findIndex((line) => /^POST .*\?uploadId=/.test(line));
    expect(gone).toBeGreaterThanOrEqual(0);
    expect(visible).toBeGreaterThan(gone);
    expect(await run(place, fewer)).toMatchObject({ status: 'skipped' });
  }, 60_000);

  it('are made from a set in a bucket, of which one request fetches one task', async () => {
    const tasks = 's3://bucket/tasks';
    const { path } = await simulateScenes(join(folder, 'c2'), { dates: 2, size: 64, tileSize: 64 });
    await saveTasks([path], { grid: GRID, frequency: 'semiannual', tiles: '0:1,0:1', out: tasks });
    const place = freshPlace();
    const ofSet = () => front.requests.filter(({ line }) => line.includes('/bucket/tasks/')).map(({ line }) => line);
    const all = await runTasks(tasks, [], { ...OPTIONS, location: place });
    expect(all.done).toBeGreaterThan(0);
    front.requests.length = 0;
    const id = all.tasks[0]!.id;
    const again = await runTasks(tasks, [id], { ...OPTIONS, location: place, overwrite: true });
    expect(again.tasks).toMatchObject([{ id, status: 'done' }]);
    expect(ofSet()).toEqual([expect.stringMatching(/^GET \/bucket\/tasks\/tasks\//)]);
  }, 60_000);

  it.each([403, 500])(
    'of which the store does not say whether they are there (%d) are an error, not absent',
    async (status) => {
      const place = freshPlace();
      front.answer = (line) => (line.startsWith('HEAD ') && line.includes('.stac-item.json') ? status : null);
      const failed = await run(place);
      expect(failed).toMatchObject({ status: 'failed', reason: expect.stringContaining('.stac-item.json') });
      expect(failed.reason).not.toContain('\n');
      expect(written()).toEqual([]);
      const { line, trouble } = await lineOf(place);
      expect(line).toMatch(/\.stac-item\.json$/);
      expect(trouble).toContain(ITEM);
      front.answer = () => null;
      expect(await run(place)).toMatchObject({ status: 'done' });
    },
    60_000,
  );

  it('that the bucket does not take fail the task, and publish nothing', async () => {
    const place = freshPlace();
    front.answer = (line) => (/^PUT .*\.proc-info\.yaml/.test(line) ? 403 : null);
    expect(await run(place)).toMatchObject({ status: 'failed', reason: expect.stringContaining('proc-info.yaml') });
    expect(written().filter((name) => name.endsWith('.json') && name !== 'collection.json')).toEqual([]);
    // The item itself: what it would vouch for goes with it.
    const other = freshPlace();
    front.answer = (line) => (/^PUT .*\.stac-item\.json/.test(line) ? 403 : null);
    expect(await run(other)).toMatchObject({ status: 'failed', reason: expect.stringContaining('.stac-item.json') });
    expect((await store.list(`${other}/${TILE}`)).filter((name) => /tif$|stac/.test(name))).toEqual([]);
    front.answer = (line) => (/^POST .*\?uploads/.test(line) ? 403 : null);
    const { trouble } = await lineOf(freshPlace());
    expect(trouble).toMatch(/nothing can be written to s3:\/\/bucket\/out-\d+: /);
  }, 60_000);
});

describe('finished blocks in a bucket', () => {
  it('that cannot be taken away are told: the tile is whole all the same', async () => {
    const place = freshPlace();
    const workDir = `s3://bucket/work-${n}`;
    const notes: string[] = [];
    const onNote = (text: string) => notes.push(text);
    front.answer = (line) => (line.startsWith('DELETE ') && line.includes('/work-') ? 403 : null);
    expect(await run(place, { workDir, onNote })).toMatchObject({ status: 'done' });
    expect(notes.join()).toMatch(
      /2024--P1Y\/0\/0: finished blocks that are not wanted any more stay: cannot remove s3:/,
    );
    expect(await verify(place)).toMatchObject({ items: 1, wrong: 0 });
    expect(await run(place, { workDir, onNote })).toMatchObject({ status: 'skipped', reason: 'done before' });
    front.answer = () => null;
    expect(await run(place, { workDir })).toMatchObject({ status: 'skipped' });
    await expect(store.list(workDir)).rejects.toThrow(/no such folder/);
  }, 60_000);
});

describe('a bucket that gives no right to remove', () => {
  it('takes new tiles, whole, and the kept blocks that stay are told', async () => {
    const place = freshPlace();
    const notes: string[] = [];
    const workDir = `${freshPlace()}-work`;
    front.answer = (line) => (line.startsWith('DELETE ') ? 403 : null);
    const options = { workDir, onNote: (text: string) => notes.push(text) };
    expect(await run(place, options)).toMatchObject({ status: 'done', url: `${place}/${ITEM}` });
    expect(notes.join()).toMatch(/finished blocks that are not wanted any more stay: cannot remove s3:/);
    expect(await store.list(workDir)).toHaveLength(1);
    expect(await verify(place)).toMatchObject({ items: 1, wrong: 0 });
  }, 60_000);
});

/** A run in a process of its own: the environment's ACL is read once. */
function child(place: string, args: string[], env: Record<string, string> = {}) {
  const config = JSON.stringify({
    product: OPTIONS.product,
    plugin_config: OPTIONS.pluginConfig,
    cog_opts: { blocksize: 64, zlevel: 1 },
    ...(env.CONFIG_ACL ? { s3_acl: env.CONFIG_ACL } : {}),
    ...(env.CONFIG_PUBLIC ? { s3_public: true } : {}),
  });
  const all = ['run', set, '--plugin', 'gm-s2', '--location', place, '--threads', '0', '--config', config, ...args];
  return new Promise<{ code: number | null; err: string }>((done) => {
    const process_ = spawn(process.execPath, [cli, ...all], { env: { ...process.env, ...env } });
    let err = '';
    process_.stderr.on('data', (part) => {
      err += part;
    });
    process_.on('close', (code) => done({ code, err }));
  });
}

describe('the canned ACL of what is written', () => {
  it.each([
    ['--public', ['--public'], {}, 'public-read'],
    ['s3_acl of the configuration', [], { CONFIG_ACL: 'bucket-owner-full-control' }, 'bucket-owner-full-control'],
    ['s3_public of the configuration', [], { CONFIG_PUBLIC: 'yes' }, 'public-read'],
    ['the environment', [], { STACKWISE_S3_ACL: 'bucket-owner-read' }, 'bucket-owner-read'],
    ['nothing, and --no-public over s3_acl', ['--no-public'], { CONFIG_ACL: 'public-read' }, undefined],
  ] as [string, string[], Record<string, string>, string | undefined][])(
    'is that of %s',
    async (_, args, env, acl) => {
      const place = freshPlace();
      const { code, err } = await child(place, args, env);
      expect([code, err]).toEqual([0, expect.any(String)]);
      const begun = front.requests.filter(
        ({ line }) => /^POST .*\?uploads/.test(line) || (line.startsWith('PUT ') && !line.includes('partNumber=')),
      );
      expect(begun.length).toBeGreaterThan(BANDS.length + 4);
      expect(new Set(begun.map((one) => one.acl))).toEqual(new Set([acl]));
    },
    60_000,
  );

  it('is one that S3 knows', async () => {
    const { code, err } = await child(freshPlace(), [], { CONFIG_ACL: 'public' });
    expect(code).toBe(1);
    expect(err).toMatch(/there is no canned ACL "public": S3 knows private, public-read/);
    expect(front.requests).toEqual([]);
  }, 60_000);
});
