import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../../build/app/simulate.js';
import { fileStore } from '../../../build/io/file.js';
import { s3Store } from '../../../build/io/s3-store.js';
import type { Store } from '../../../build/io/store.js';
import { runTasks, saveTasks, verify } from '../../../build/node.js';
import { type S3Server, startS3, useS3 } from '../../fixture/s3-server.js';
import { seeded } from '../../random.js';

const cli = resolve(import.meta.dirname, '../../../build/app/cli.js');
const SIZE = 512;
/** Tiles of 256 px: the scenes fill four of them, each of several blocks. */
const GRID = {
  crs: 'EPSG:32631',
  resolution: 10,
  shape: [256, 256],
  origin: [5_642_000 - SIZE * 10, 643_000],
  name: 'test',
};
const TILES = 4;
/** Runs that are killed before one is left alone. */
const KILLS = 4;

let folder = '';
let set = '';
let server: S3Server;
let undo = () => {};
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  server = await startS3('bucket');
  undo = useS3(server);
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-kill-'));
  const { path } = await simulateScenes(at('c'), { dates: 3, size: SIZE, tileSize: 16, overviews: false });
  set = at('set');
  await saveTasks([path], { grid: JSON.stringify(GRID), frequency: 'annual', tiles: '0:2,0:2', out: set });
}, 60_000);
afterAll(async () => {
  undo();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Place {
  location: string;
  /** Given as --work-dir; null: the default, which lies in the location. */
  workDir: string | null;
  store: Store;
}

const options = {
  product: { name: 'gm', short_name: 'gm', version: '1.0.0' },
  plugin_config: { bands: ['B02', 'B03', 'B04', 'B11'] },
  cog_opts: { blocksize: 32, ovr_blocksize: 32, zlevel: 1, overrides: { rgba: { compress: 'deflate' } } },
};

/** A child that runs all tasks; `killAfterMs` counts from its first sign of work. */
function run({ location, workDir }: Place, report: string, killAfterMs: number | null) {
  const args = ['run', set, '--plugin', 'gm-s2', '--config', JSON.stringify(options), '--location', location, '--json'];
  args.push('--threads', '0', '--report', report, ...(workDir === null ? [] : ['--work-dir', workDir]));
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' };
  return new Promise<{ code: number | null; workMs: number; err: string }>((done) => {
    const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let began = 0;
    let err = '';
    child.stderr.on('data', (part) => {
      err += part;
      if (began === 0 && killAfterMs !== null) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      began ||= performance.now();
    });
    child.on('close', (code) => done({ code, workMs: performance.now() - began, err }));
  });
}

/** All files below a place by their paths in it; those of hidden folders too. */
async function tree(store: Store, place: string, path = ''): Promise<string[]> {
  const names = await store.list(`${place}/${path}`).catch(() => []);
  const below = names.map((name) => (name.endsWith('/') ? tree(store, place, path + name) : [path + name]));
  return (await Promise.all(below)).flat().sort();
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function contents({ store, location }: Place): Promise<Record<string, string>> {
  const paths = await tree(store, location);
  const sums = await Promise.all(paths.map(async (path) => digest(await store.read(`${location}/${path}`))));
  return Object.fromEntries(paths.map((path, i) => [path, sums[i]!]));
}

const workOf = ({ location, workDir }: Place) => workDir ?? `${location}/.stackwise-work`;
const itemsIn = (paths: readonly string[]) => paths.filter((path) => path.endsWith('.stac-item.json'));

/** Kept blocks by the address of the item that they are for. */
async function kept(place: Place): Promise<(itemUrl: string) => number> {
  const blocks = (await tree(place.store, workOf(place))).filter((path) => path.endsWith('.block'));
  return (itemUrl) => blocks.filter((path) => path.startsWith(digest(Buffer.from(itemUrl)).slice(0, 16))).length;
}

interface Line {
  id: string;
  status: string;
  reason?: string;
  url: string;
  cost?: { blocks: { total: number; restored: number } };
}
const linesOf = async (report: string): Promise<Line[]> =>
  existsSync(report)
    ? (await readFile(report, 'utf8'))
        .split('\n')
        .filter((line) => line !== '' && line.endsWith('}'))
        .map((line) => JSON.parse(line))
    : [];

/** What there is holds together: each item has its collection and all its files, which are what it says. */
async function expectWhole(place: Place): Promise<number> {
  const paths = await tree(place.store, place.location);
  const items = itemsIn(paths);
  if (items.length === 0) return 0;
  expect(paths).toContain('collection.json');
  const { wrong, reports } = await verify(place.location, { store: place.store });
  expect([wrong, reports.flatMap(({ problems }) => problems)]).toEqual([0, []]);
  return items.length;
}

/** A run that nobody stops: what it gives, and how long it works. */
async function cleanRun(place: Place, report: string): Promise<{ clean: Record<string, string>; workMs: number }> {
  const { code, err, workMs } = await run(place, report, null);
  expect([code, err]).toEqual([0, expect.any(String)]);
  const clean = await contents(place);
  expect(itemsIn(Object.keys(clean))).toHaveLength(TILES);
  expect(Object.keys(clean).filter((path) => /partial|stackwise|lock/.test(path))).toEqual([]);
  const lines = await linesOf(report);
  expect(lines.every(({ cost }) => cost!.blocks.total >= 4 && cost!.blocks.restored === 0)).toBe(true);
  return { clean, workMs };
}

/** Runs until the end, killed `KILLS` times before; gives how many blocks were not computed again. */
async function killedRuns(place: Place, report: string, killAfterMs: () => number): Promise<number> {
  let seen = 0;
  let restored = 0;
  for (let i = 0; i <= KILLS; i++) {
    const before = await kept(place);
    const { code, err } = await run(place, report, i < KILLS ? killAfterMs() : null);
    await expectWhole(place);
    const lines = await linesOf(report);
    for (const { id, status, url, cost, reason } of lines.slice(seen)) {
      expect(['done', 'skipped'], `${id}: ${reason}`).toContain(status);
      if (status !== 'done') continue;
      expect(cost!.blocks.restored, id).toBe(before(url));
      restored += before(url);
    }
    seen = lines.length;
    if (i === KILLS) expect([code, err]).toEqual([0, expect.any(String)]);
  }
  return restored;
}

describe.skipIf(process.platform === 'win32')('stackwise run, killed again and again (needs signals)', () => {
  let clean: Record<string, string> = {};
  let workMs = 0;
  beforeAll(async () => {
    ({ clean, workMs } = await cleanRun({ location: at('clean'), workDir: null, store: fileStore() }, at('a')));
  }, 60_000);

  it('on the disk: ends in the same bytes, computes no block twice, publishes nothing half, and leaves nothing', async () => {
    const place = { location: at('out'), workDir: null, store: fileStore() };
    const random = seeded(1);
    expect(await killedRuns(place, at('b'), () => random() * workMs * 0.6)).toBeGreaterThan(0);
    const after = await contents(place);
    expect(Object.keys(after)).toEqual(Object.keys(clean));
    expect(after).toEqual(clean);
  }, 180_000);

  it('in a bucket, with its finished blocks: the same', async () => {
    const store = s3Store();
    const place = { location: 's3://bucket/out', workDir: 's3://bucket/work', store };
    // Documents tell where they are: these are others than those on the disk.
    const { clean: inBucket, workMs: ms } = await cleanRun(place, at('in-bucket'));
    expect(await tree(store, 's3://bucket/work')).toEqual([]);
    for (const path of Object.keys(inBucket)) await store.remove(`${place.location}/${path}`);
    const random = seeded(2);
    expect(await killedRuns(place, at('d'), () => random() * ms * 0.6)).toBeGreaterThan(0);
    expect(await contents(place)).toEqual(inBucket);
    expect(await tree(store, 's3://bucket/work')).toEqual([]);
  }, 180_000);

  it('leaves each tile to one of two processes that run the same set, and neither harms the other', async () => {
    const place = { location: at('twins'), workDir: null, store: fileStore() };
    const ends = await Promise.all([run(place, at('e'), null), run(place, at('f'), null)]);
    const reports = await Promise.all(['e', 'f'].map((name) => linesOf(at(name))));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    // Each waits for what the other is at: both know of every tile, and each was made once.
    for (const lines of reports) expect(new Set(lines.map(({ id }) => id)).size).toBe(TILES);
    const made = reports.flat().filter(({ status }) => status === 'done');
    expect(made.map(({ id }) => id).sort()).toEqual([...new Set(made.map(({ id }) => id))].sort());
    expect(made.length).toBe(TILES);
    expect(await contents(place)).toEqual(clean);
  }, 60_000);
});

describe('a task that takes longer than it may', () => {
  it('fails, and goes on from its finished blocks when it is run again', async () => {
    const location = at('slow');
    const { product, plugin_config: pluginConfig, cog_opts: cogOpts } = options;
    const some = { plugin: 'gm-s2', product, pluginConfig, cogOpts, location, threads: 0 };
    const place = { location, workDir: null, store: fileStore() };
    const url = `${location}/x00/y00/2024--P1Y/gm_x00y00_2024--P1Y.stac-item.json`;
    let failures = 0;
    for (let maxProcessingTime = 0.05; ; maxProcessingTime *= 1.2) {
      const before = (await kept(place))(url);
      const { tasks } = await runTasks(set, ['0'], { ...some, maxProcessingTime });
      if (tasks[0]!.status === 'done') {
        expect(tasks[0]!.cost!.blocks.restored).toBe(before);
        break;
      }
      failures++;
      expect(tasks[0]!.reason).toMatch(
        /^it took longer than [\d.]+ s, which is the most that max_processing_time allows$/,
      );
      expect((await kept(place))(url)).toBeGreaterThanOrEqual(before);
      expect(itemsIn(await tree(place.store, location))).toEqual([]);
    }
    expect(failures).toBeGreaterThan(0);
    expect(await tree(place.store, workOf(place))).toEqual([]);
  }, 60_000);
});
