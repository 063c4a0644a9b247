import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../../build/app/simulate.js';
import { composite, readScenes } from '../../../build/index.js';
import { checkRun, type RunOptions, runTasks, saveTasks } from '../../../build/node.js';
import { readTile } from '../../fixture/tile-files.js';

const SIZE = 128;
/** Tiles of 64 px: the simulated scenes fill four of them. */
const GRID = JSON.stringify({
  crs: 'EPSG:32631',
  resolution: 10,
  shape: [64, 64],
  origin: [5_642_000 - SIZE * 10, 643_000],
  name: 'test_10',
});
const BANDS = ['B02', 'B03', 'B04', 'B08', 'B11', 'B12'];
const OUTPUTS = [...BANDS, 'SMAD', 'EMAD', 'BCMAD', 'COUNT'];
const PLUGIN = { plugin: 'gm-s2', pluginConfig: { bands: BANDS } };
const PRODUCT = { name: 'gm_test', short_name: 'gm_test', version: '1.0.0', maturity: 'final' };

let folder = '';
let set = '';
let collection = '';
let n = 0;
const at = (name: string) => join(folder, name);
const titleOf = (code: string, period = '2024--P1Y') => `gm_test_${code}_${period}_final`;
const tileFolder = (out: string, code: string, period = '2024--P1Y') =>
  join(out, code.slice(0, 3), code.slice(3), period);

async function tasksOf(source: string, options: Parameters<typeof saveTasks>[1] = {}): Promise<string> {
  const out = at(`set-${++n}`);
  await saveTasks([source], { grid: GRID, frequency: 'annual', tiles: '0:2,0:2', out, ...options });
  return out;
}

async function run(options: Partial<RunOptions> = {}, selection: string[] = [], tasks = set) {
  const out = options.location ?? at(`out-${++n}`);
  const notes: string[] = [];
  const summary = await runTasks(tasks, selection, {
    ...PLUGIN,
    product: PRODUCT,
    location: out,
    threads: 0,
    cogOpts: { blocksize: 64, zlevel: 1 },
    onNote: (text) => notes.push(text),
    ...options,
  });
  return { ...summary, out, notes };
}

const itemOf = async (out: string, code: string) =>
  JSON.parse(await readFile(join(tileFolder(out, code), `${titleOf(code)}.stac-item.json`), 'utf8'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-'));
  collection = (await simulateScenes(at('c'), { dates: 6, size: SIZE, tileSize: 64 })).path;
  set = await tasksOf(collection);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('runTasks', () => {
  it('makes a tile of each task: one COG a band, and the numbers of a composite on its grid', async () => {
    const { out, tasks, done, failed } = await run();
    expect({ done, failed }).toEqual({ done: 4, failed: 0 });
    expect(tasks.map(({ id }) => id).sort()).toEqual([
      '2024--P1Y/0/0',
      '2024--P1Y/0/1',
      '2024--P1Y/1/0',
      '2024--P1Y/1/1',
    ]);
    const title = titleOf('x00y01');
    const names = readdirSync(tileFolder(out, 'x00y01')).sort();
    expect(names).toEqual(
      [
        ...OUTPUTS.map((band) => `${title}_${band}.tif`),
        ...['sha1', 'proc-info.yaml', 'odc-metadata.yaml', 'stac-item.json'].map((end) => `${title}.${end}`),
      ].sort(),
    );
    const scenes = await readScenes(collection);
    // Row 1 of the grid is the upper one.
    const grid = {
      crs: { epsg: 32631, definition: null, geoKeys: null },
      affine: [10, 0, 643_000, 0, -10, 5_642_000] as [number, number, number, number, number, number],
      width: 64,
      height: 64,
    };
    const { results } = await composite(scenes, {
      bands: BANDS,
      masks: ['SCL drop 0', 'SCL drop 3,8,9,10 | opening 2 | dilation 5'],
      like: grid,
      resampling: 'nearest',
      threads: 0,
    });
    const got = await readTile(tileFolder(out, 'x00y01'), title, OUTPUTS);
    for (const [i, band] of BANDS.entries()) expect(got[band]).toEqual(results.geomedian!.data[i]);
    expect(got.COUNT).toEqual(results.count!.data[0]);
    for (const [i, name] of results.mads!.names.entries())
      expect(got[name.toUpperCase()]).toEqual(results.mads!.data[i]);
    expect(JSON.parse(await readFile(join(out, 'collection.json'), 'utf8'))).toMatchObject({ id: 'gm_test' });
    expect(existsSync(join(out, 'gm_test.odc-product.yaml'))).toBe(true);
  });

  it('leaves alone what is there and was made of the same inputs, and makes anew what was not', async () => {
    const first = await run({}, ['0']);
    const path = join(tileFolder(first.out, 'x00y00'), `${titleOf('x00y00')}.stac-item.json`);
    const before = await readFile(path, 'utf8');
    const again = await run({ location: first.out }, ['0']);
    expect(again.tasks).toMatchObject([{ status: 'skipped', reason: 'done before' }]);
    expect(await readFile(path, 'utf8')).toBe(before);
    const fewer = { datasetFilters: { datetime: '2024-01--P6M' } };
    const stale = await run({ location: first.out, ...fewer }, ['0']);
    expect(stale.tasks).toMatchObject([{ status: 'done' }]);
    expect(stale.notes.join()).toContain('its outputs were made of other inputs');
    expect((await itemOf(first.out, 'x00y00')).id).not.toBe(JSON.parse(before).id);
    const over = await run({ location: first.out, ...fewer, overwrite: true }, ['0']);
    expect(over.tasks).toMatchObject([{ status: 'done' }]);
  });

  it('makes anew what is of another version, or in other pixels', async () => {
    const { out } = await run({}, ['0']);
    const version = await run({ location: out, product: { ...PRODUCT, version: '1.1.0' } }, ['0']);
    expect(version.tasks).toMatchObject([{ status: 'done' }]);
    expect((await itemOf(out, 'x00y00')).properties['odc:dataset_version']).toBe('1.1.0');
    const coarse = await run({ location: out, product: { ...PRODUCT, version: '1.1.0' }, resolution: '20' }, ['0']);
    expect(coarse.tasks).toMatchObject([{ status: 'done' }]);
    expect((await itemOf(out, 'x00y00')).properties['proj:shape']).toEqual([32, 32]);
  });

  it('tells of two products in one place, whose items would link to one collection', async () => {
    const { out, notes } = await run({}, ['0']);
    expect(notes.join()).not.toContain('collection');
    const other = await run({ location: out, product: { ...PRODUCT, name: 'gm_other', short_name: 'gm_other' } }, [
      '1',
    ]);
    expect(other.notes.join()).toMatch(/has the collection gm_test already.*\{product\}/);
  });

  it('gives items a collection to link to, also where only ids are given; who comes later leaves it as it is', async () => {
    const { out } = await run({}, ['2024--P1Y/0/1']);
    const path = join(out, 'collection.json');
    const collection = JSON.parse(await readFile(path, 'utf8'));
    // Of the whole set, not of the tile that was asked for.
    expect(collection.extent.spatial.bbox).toHaveLength(1);
    const { bbox } = await itemOf(out, 'x00y01');
    expect(collection.extent.spatial.bbox[0][2]).toBeGreaterThan(bbox[2] + 0.005);
    await writeFile(path, '{}');
    await run({ location: out }, ['2024--P1Y/1/1']);
    expect(await readFile(path, 'utf8')).toBe('{}');
    await run({ location: out }, [':']);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(collection);
  });

  it('makes no item where the documents of the product cannot be written', async () => {
    const out = at(`out-${++n}`);
    await mkdir(join(out, 'collection.json'), { recursive: true });
    const { tasks } = await run({ location: out }, ['0']);
    expect(tasks).toMatchObject([{ status: 'failed', reason: expect.stringContaining('collection.json') }]);
    expect(readdirSync(tileFolder(out, 'x00y00'))).toEqual([]);
  });

  it('tidies up what a killed run left of a whole tile: its lock, drafts and kept blocks', async () => {
    const { out } = await run({}, ['0']);
    const folder = tileFolder(out, 'x00y00');
    const whole = readdirSync(folder).sort();
    const title = titleOf('x00y00');
    const item = join(folder, `${title}.stac-item.json`);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const owner = JSON.stringify({ pid, host: hostname() });
    await writeFile(join(folder, `.${title}.stackwise-lock`), owner);
    await writeFile(join(folder, `.${title}.stackwise-lock.${randomUUID()}`), owner);
    await writeFile(join(folder, `.${title}_B04.tif.0123456789ab.partial`), 'half');
    await writeFile(join(folder, `${title}.sha1.4242.partial`), 'half');
    const stem = createHash('sha256').update(item).digest('hex').slice(0, 16);
    await mkdir(join(out, '.stackwise-work', `${stem}-0123456789abcdef`), { recursive: true });
    // Of another tile, whose run may go on.
    await mkdir(join(out, '.stackwise-work', 'fedcba9876543210-0123456789abcdef'));
    const again = await run({ location: out }, ['0']);
    expect(again.tasks).toMatchObject([{ status: 'skipped', reason: 'done before' }]);
    expect(readdirSync(folder).sort()).toEqual(whole);
    expect(readdirSync(join(out, '.stackwise-work'))).toEqual(['fedcba9876543210-0123456789abcdef']);
  });

  it('leaves a tile whole when nothing can be tidied up behind it, and says so', async () => {
    const workDir = at(`work-${++n}`);
    await writeFile(workDir, 'a file');
    const first = await run({ workDir: false }, ['0']);
    const whole = readdirSync(tileFolder(first.out, 'x00y00')).sort();
    const { tasks, notes } = await run({ location: first.out, workDir }, ['0']);
    expect(tasks).toMatchObject([{ status: 'skipped', reason: 'done before' }]);
    expect(notes.join()).toMatch(/finished blocks that are not wanted any more stay: .*work-/);
    expect(readdirSync(tileFolder(first.out, 'x00y00')).sort()).toEqual(whole);
  });

  it('takes an item that cannot be looked at for no absent one', async () => {
    const out = at(`out-${++n}`);
    const link = join(tileFolder(out, 'x00y00'), `${titleOf('x00y00')}.stac-item.json`);
    await mkdir(tileFolder(out, 'x00y00'), { recursive: true });
    // Round and round.
    await symlink(link, link);
    const { tasks } = await run({ location: out }, ['0']);
    expect(tasks).toMatchObject([{ status: 'failed', reason: expect.stringContaining('ELOOP') }]);
  });

  it('goes on when a task fails, tells which and why, and skips those without scenes', async () => {
    const broken = at('broken');
    await cp(set, broken, { recursive: true });
    await writeFile(join(broken, 'tasks/2024--P1Y/+0000/+0001.json'), '{');
    const { done, failed, tasks, notes } = await run({}, [], broken);
    expect({ done, failed }).toEqual({ done: 3, failed: 1 });
    expect(tasks.find(({ status }) => status === 'failed')).toMatchObject({
      id: '2024--P1Y/0/1',
      reason: expect.stringContaining('is not JSON'),
    });
    expect(notes.join('\n')).toContain('2024--P1Y/0/1: failed: ');
    const none = await run({ datasetFilters: '{"platform":"landsat-1"}' });
    expect(none.tasks.map(({ status, reason }) => ({ status, reason }))).toEqual(
      Array(4).fill({ status: 'skipped', reason: 'no scenes pass the filters' }),
    );
    // No address of an item that is not there, and nothing that the reports do not tell.
    expect(none.tasks.filter(({ url }) => url !== undefined)).toEqual([]);
    expect(none.notes).toEqual([]);
    const { signal } = new AbortController();
    const options = {
      ...PLUGIN,
      product: PRODUCT,
      location: at('none'),
      datasetFilters: '{"platform":"landsat-1"}',
      signal,
    };
    for await (const { line } of checkRun(set, [], options)) expect(line).toMatch(/ \(skip\)$/);
    // Each scene that is asked for listens, and Node warns of more than ten listeners.
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    for (let i = 0; i < 12; i++) signal.addEventListener('abort', () => {});
    await new Promise((done) => setImmediate(done));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('fails on a scene that cannot be read, or drops it and says so in the item', async () => {
    const damaged = at('damaged');
    await cp(at('c'), damaged, { recursive: true });
    const [scene] = readdirSync(damaged)
      .filter((name) => existsSync(join(damaged, name, 'B03.tif')))
      .sort();
    await truncate(join(damaged, scene!, 'B03.tif'), 3000);
    const tasks = await tasksOf(join(damaged, 'collection.json'));
    const fails = await run({}, ['0'], tasks);
    expect(fails.tasks).toMatchObject([{ status: 'failed', reason: expect.stringContaining(scene!) }]);
    const { out, tasks: reports } = await run({ onError: 'skip' }, ['0'], tasks);
    expect(reports).toMatchObject([{ status: 'done', dropped: [{ id: scene }] }]);
    const item = await itemOf(out, 'x00y00');
    expect(item.properties['stackwise:dropped']).toMatchObject([{ id: scene, uuid: expect.any(String) }]);
    // A dry run drops it too.
    await rm(join(damaged, scene!, 'B02.tif'));
    const notes: string[] = [];
    const check = { ...PLUGIN, product: PRODUCT, location: at('none'), onNote: (text: string) => notes.push(text) };
    const troubles = async (onError: 'skip' | 'fail') => {
      for await (const { trouble } of checkRun(tasks, ['0'], { ...check, onError })) return trouble;
    };
    expect(await troubles('fail')).toMatch(/^1 of 7 scenes cannot be read: .*B02\.tif/);
    expect(await troubles('skip')).toBe(null);
    expect(notes.join()).toMatch(/1 of 7 scenes cannot be read.*they will be dropped/);
    // What was dropped is no reason to begin again.
    const again = await run({ location: out, onError: 'skip' }, ['0'], tasks);
    expect(again.tasks).toMatchObject([{ status: 'skipped' }]);
  });

  it('states a missing value of cog_opts of bands that have none', async () => {
    const { out, notes } = await run({ cogOpts: { blocksize: 64, nodata: 65_535 } }, ['0']);
    const { assets } = await itemOf(out, 'x00y00');
    expect([assets.COUNT.nodata, assets.B04.nodata, assets.SMAD.nodata]).toEqual([65_535, 0, 'nan']);
    expect(notes).toContain('nodata 65535 is stated of bands without a missing value: others keep their own');
  });

  it('takes other pixels on the same tiles when they divide them', async () => {
    const { out } = await run({ resolution: '-20,20' }, ['0']);
    const got = await readTile(tileFolder(out, 'x00y00'), titleOf('x00y00'), ['B04']);
    expect(got.B04!.length).toBe(32 * 32);
    const bad = await run({ resolution: '30' }, ['0']);
    expect(bad.tasks[0]).toMatchObject({ status: 'failed', reason: expect.stringContaining('does not divide') });
  });

  it('gives the same files for any number of threads and tasks at a time', async () => {
    process.env.SOURCE_DATE_EPOCH = '1700000000';
    try {
      const one = await run({ threads: 0 });
      const two = await run({ threads: 2, concurrency: 2 });
      for (const code of ['x00y00', 'x01y01'])
        for (const name of readdirSync(tileFolder(one.out, code))) {
          const [a, b] = await Promise.all(
            [one, two].map(({ out }) => readFile(join(tileFolder(out, code), name), 'utf8')),
          );
          expect(b, name).toBe(a);
        }
    } finally {
      delete process.env.SOURCE_DATE_EPOCH;
    }
  });

  it('stops a task that takes too long, and goes on with the others', async () => {
    const { tasks } = await run({ maxProcessingTime: 0.001 }, ['0', '1']);
    expect(tasks.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(tasks[0]!.reason).toMatch(/longer than 0\.001 s/);
  });

  it('writes a heartbeat and a report', async () => {
    const [heartbeatFile, reportFile] = [at('beat'), at('report.jsonl')];
    await run({ heartbeatFile, reportFile }, ['0', '1']);
    expect(await readFile(heartbeatFile, 'utf8')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const lines = (await readFile(reportFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      status: 'done',
      scenes: expect.any(Number),
      peakBytes: expect.any(Number),
      cost: { px: 64 * 64, blocks: { restored: 0 }, bytes: { written: expect.any(Number) } },
    });
    expect(lines[0].cost.threadMs.compute).toBeGreaterThan(0);
  });

  it('begins nothing that means nothing', async () => {
    const wrong = (options: Partial<RunOptions>, selection: string[] = []) => expect(run(options, selection)).rejects;
    await wrong({ plugin: 'gm-s3' }).toThrow(/no plugin "gm-s3".*gm-s2/);
    await wrong({ pluginConfig: { cloud_filter: {} } }).toThrow(/unknown key "cloud_filter".*cloud_filters/);
    await wrong({ pluginConfig: { cloud_filters: { clowds: [] } } }).toThrow(/SCL has no class "clowds"/);
    await wrong({ product: { nmae: 'x' } }).toThrow(/unknown key "nmae".*name/);
    await wrong({ cogOpts: { blok: 1 } }).toThrow(/unknown key "blok"/);
    await wrong({ location: '/tmp/{produkt}' }).toThrow(/\{produkt\}/);
    await wrong({ location: ' ' }).toThrow(/a folder or s3:.* is wanted/);
    await wrong({ threads: 2000 }).toThrow(/threads is a whole number from 0 to 1024/);
    await wrong({ pluginConfig: { ...PLUGIN.pluginConfig, transform_code: 'EPSG:1' } }).toThrow(/no datum operation/);
    await wrong({}, ['99']).toThrow(/the set has 4 tasks/);
    await wrong({ plugin: 'fc-percentiles' }).toThrow(/cannot run yet/);
    await expect(runTasks(at('nowhere'), [], { ...PLUGIN, location: at('x') })).rejects.toThrow(/is no set of tasks/);
  });

  it('says of a memory limit that is too small that tasks share it', async () => {
    const { tasks } = await run({ memoryLimitBytes: 300 * 2 ** 20, concurrency: 3 }, ['0']);
    expect(tasks[0]!.reason).toMatch(/2\d\d MiB is too small.*each of 3 tasks at a time has its part of 300 MiB/);
  });

  it('tells a place that cannot be written for each task, and computes nothing there', async () => {
    await mkdir(at('blocked'));
    await writeFile(at('blocked/x00'), 'a file');
    const { tasks } = await run({ location: at('blocked') }, ['0', '1']);
    expect(tasks.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(tasks[0]!.reason).toMatch(/cannot make the folder/);
  });
});
