import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lonLatToCrs, parseCrs } from '../../../build/geo/crs.js';
import { parseGridSpec, tileAt, tileGrid } from '../../../build/geo/gridspec.js';
import { fileStore } from '../../../build/io/file.js';
import { readScenes } from '../../../build/io/stac.js';
import { networkMeter } from '../../../build/io/stores.js';
import { taskId } from '../../../build/jobs/task/task.js';
import { openTaskSet, readTask } from '../../../build/jobs/task/task-set.js';
import { type SaveTasksOptions, saveTasks } from '../../../build/node.js';
import { cogKeys, memoryBucket, mockProducts } from '../../fixture/archive-bucket.js';
import { startS3, useS3 } from '../../fixture/s3-server.js';
import { startApi } from '../../fixture/stac-api.js';
import { featureCollection, type ItemFacts, taskItem } from '../../fixture/task-items.js';

let folder = '';
let n = 0;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-tasks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Tiles of one degree, so that places in degrees are tiles. */
const GRID = 'epsg:4326;0.01;100';

async function written(items: readonly ItemFacts[]): Promise<string> {
  const path = at(`items-${++n}.json`);
  await writeFile(path, featureCollection(items.map(taskItem)));
  return path;
}

interface Saved {
  /** Ids of scenes by task. */
  tasks: Record<string, string[]>;
  out: string;
  notes: string[];
}

async function saved(source: string | null, options: SaveTasksOptions = {}): Promise<Saved> {
  const notes: string[] = [];
  const out = options.out ?? at(`set-${++n}`);
  await saveTasks(source === null ? [] : [source], { grid: GRID, out, onNote: (text) => notes.push(text), ...options });
  const set = await openTaskSet(out);
  const tasks: Record<string, string[]> = {};
  for (const row of await set.rows()) {
    const task = await set.task(row);
    expect(task.scenes.length).toBe(row.datasets);
    tasks[taskId(row)] = task.scenes.map(({ id }) => id);
  }
  return { tasks, out, notes };
}

const cut = async (items: readonly ItemFacts[], options: SaveTasksOptions = {}) =>
  (await saved(await written(items), options)).tasks;

describe('saveTasks', () => {
  it('puts scenes into tiles and years, by time', async () => {
    const items = [
      { id: 'b', time: '2020-08-01T00:00:00Z', at: [131.2, -24.2] as const, side: 0.5 },
      { id: 'a', time: '2020-03-01T00:00:00Z', at: [131.2, -24.8] as const },
      { id: 'c', time: '2021-03-01T00:00:00Z', at: [131.2, -24.8] as const },
    ];
    expect(await cut(items)).toEqual({
      '2020--P1Y/131/-24': ['b'],
      '2020--P1Y/131/-25': ['a', 'b'],
      '2021--P1Y/131/-25': ['c'],
    });
  });

  it('dates scenes by the sun of each tile', async () => {
    // 23:00 UTC is the next day at 131° E (+9 h) and the same at 0° E.
    const items = [
      { id: 'east', time: '2019-12-31T23:00:00Z', at: [131.2, -24.8] as const },
      { id: 'middle', time: '2019-12-31T23:00:00Z', at: [0.2, 10.2] as const },
    ];
    expect(await cut(items)).toEqual({ '2019--P1Y/0/10': ['middle'], '2020--P1Y/131/-25': ['east'] });
    expect(await cut(items, { temporalRange: '2020--P1Y' })).toEqual({ '2020--P1Y/131/-25': ['east'] });
    expect(await cut(items, { frequency: 'all' })).toEqual({
      '2019--P2Y/0/10': ['middle'],
      '2019--P2Y/131/-25': ['east'],
    });
    expect(await cut(items, { frequency: 'all', compat: 'odc' })).toEqual({
      '2019--P1Y/0/10': ['middle'],
      '2019--P1Y/131/-25': ['east'],
    });
  });

  it('dates a span by its middle', async () => {
    const properties = { start_datetime: '2019-01-01T00:00:00Z', end_datetime: '2019-12-31T23:59:59Z' };
    const items = [{ id: 'year', time: '2019-01-01T00:00:00Z', at: [-100.8, 10.2] as const, properties }];
    expect(await cut(items)).toEqual({ '2019--P1Y/-101/10': ['year'] });
  });

  it('writes documents that read back to the scenes', async () => {
    const source = await written([
      {
        id: 'a',
        properties: { 'eo:cloud_cover': 3, long: 'x'.repeat(600), 'odc:region_code': '105075', list: [1, 2] },
      },
    ]);
    const { out } = await saved(source);
    const task = await readTask(out, { period: '2020--P1Y', x: 131, y: -24 });
    const [scene] = await readScenes(source);
    expect(task.scenes[0]).toEqual({
      ...scene!,
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      product: 'ga_ls8c_ard_3',
      properties: { platform: 'landsat-8', 'eo:cloud_cover': 3, 'odc:region_code': '105075', list: [1, 2] },
    });
    expect(task).toMatchObject({
      id: '2020--P1Y/131/-24',
      regionCode: 'x131y-24',
      solarOffsetHours: 9,
      grid: tileGrid(parseGridSpec(GRID), { x: 131, y: -24 }),
      period: { key: '2020--P1Y', label: '2020--P1Y', startMs: Date.UTC(2020, 0), endMs: Date.UTC(2021, 0) - 1 },
    });
  });

  it('keeps missing values that JSON has no number for', async () => {
    const path = at('nan.json');
    const item = taskItem({ id: 'a' }) as { assets: Record<string, { bands: unknown[] }> };
    item.assets.nbart_red!.bands = [{ name: 'nbart_red', data_type: 'float32', nodata: 'nan', 'raster:scale': 0.5 }];
    await writeFile(path, JSON.stringify(item));
    const { out } = await saved(path);
    const [scene] = (await readTask(out, { period: '2020--P1Y', x: 131, y: -24 })).scenes;
    expect(scene!.bands.nbart_red).toMatchObject({ nodata: Number.NaN, dtype: 'f32', scale: 0.5, offset: null });
  });

  it('writes tables in the columns and properties of odc-stats', async () => {
    const times = ['2020-03-01T23:30:00Z', '2020-03-02T01:00:00Z', '2020-03-05T01:00:00Z'];
    const source = await written(times.map((time, i) => ({ id: `s${i}`, time, at: [131.2, -24.8] as const })));
    const { out } = await saved(source);
    expect(await readFile(join(out, 'tasks.csv'), 'utf8')).toBe(
      '"T","X","Y","datasets","days"\n"2020--P1Y", +0131, -0025,    3,    3\n',
    );
    const { features } = JSON.parse(await readFile(join(out, '2020--P1Y.geojson'), 'utf8'));
    // Days by the sun: the first two are one.
    expect(features.map(({ properties }: { properties: unknown }) => properties)).toEqual([
      { title: '131,-25', region_code: 'x131y-25', ix: 131, iy: -25, utc_offset: 9, total: 3, days: 2 },
    ]);
    expect(features[0].geometry.coordinates[0]).toContainEqual([132, -24]);
    expect(await readFile(join(out, 'tasks.svg'), 'utf8')).toMatch(
      /^<svg xmlns(?!.*(?:href|url\()).*131, -25: 3.*<\/svg>\n$/s,
    );
  });

  it('restricts to tiles, and to polygons: all of them or the first feature', async () => {
    const items = [0, 1, 2].map((i) => ({ id: `s${i}`, at: [131.2 + i, -24.8] as const }));
    const square = (west: number) => ({
      type: 'Feature',
      properties: {},
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [west, -24.9],
            [west + 0.1, -24.9],
            [west + 0.1, -24.7],
            [west, -24.7],
            [west, -24.9],
          ],
        ],
      },
    });
    const geometry = { type: 'FeatureCollection', features: [square(131.5), square(133.5)] };
    const tilesOf = async (options: SaveTasksOptions) =>
      Object.keys(await cut(items, options)).map((id) => id.split('/')[1]);
    expect(await tilesOf({ tiles: '132:134,-25:-24' })).toEqual(['132', '133']);
    expect(await tilesOf({ geometry })).toEqual(['131', '133']);
    expect(await tilesOf({ geometry, firstFeature: true })).toEqual(['131']);
    const toAlbers = await lonLatToCrs(parseCrs('EPSG:3577'));
    const [[x0, y0], [x1, y1]] = [toAlbers(131.5, -24.8), toAlbers(131.6, -24.7)];
    const coordinates = [
      [
        [x0, y0],
        [x1, y0],
        [x1, y1],
        [x0, y1],
        [x0, y0],
      ],
    ];
    const albers = {
      type: 'FeatureCollection',
      crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3577' } },
      features: [{ type: 'Feature', geometry: { type: 'Polygon', coordinates } }],
    };
    expect(await tilesOf({ geometry: albers, firstFeature: true })).toEqual(['131']);
    await expect(cut(items, { geometry: { type: 'Point', coordinates: [1, 2] } })).rejects.toThrow(
      /the GeoJSON area:.*Polygon/,
    );
  });

  it('filters by what scenes state', async () => {
    const items = [
      {
        id: 'good',
        properties: { 'gqa:iterative_mean_xy': 0.5, 'dea:dataset_maturity': 'final', 'eo:cloud_cover': 10 },
      },
      { id: 'shaky', properties: { 'gqa:iterative_mean_xy': 1.5, 'dea:dataset_maturity': 'final' } },
      { id: 'early', properties: { 'dea:dataset_maturity': 'nrt', 'eo:cloud_cover': 90 } },
    ];
    const left = async (options: SaveTasksOptions) => Object.values(await cut(items, options)).flat();
    expect(await left({ gqa: 1 })).toEqual(['good']);
    expect(await left({ datasetFilter: '{"dataset_maturity":"final"}' })).toEqual(['good', 'shaky']);
    expect(await left({ maxCloudPercent: 20 })).toEqual(['good', 'shaky']);
    const { notes } = await saved(await written(items), { gqa: 1 });
    expect(notes).toEqual(['1 items do not state gqa_iterative_mean_xy, which --gqa asks for: they are left out']);
    const usgs = ['T1', 'T2'].map((category) => ({
      id: category,
      collection: 'ls8_sr',
      properties: { 'landsat:collection_category': category },
    }));
    expect(Object.values(await cut([...usgs, ...items], { usgsCollectionCategory: 'T1' })).flat()).toEqual([
      'T1',
      'early',
      'good',
      'shaky',
    ]);
  });

  it('takes products by name, fused ones by time and region', async () => {
    const of = (collection: string, region: string, time: string, bands: string[]) => ({
      id: `${collection} ${region}`,
      collection,
      time,
      bands,
      properties: { 'odc:region_code': region, gsd: 30 },
    });
    const [one, two] = ['2020-03-01T00:00:00Z', '2020-03-02T00:00:00Z'];
    const items = [
      of('ga_ls_wo_3', 'r1', one, ['water']),
      of('ga_ls_fc_3', 'r1', one, ['pv', 'npv']),
      of('ga_ls_wo_3', 'r2', one, ['water']),
      of('ga_ls_fc_3', 'r2', two, ['pv', 'npv']),
      of('dem_s', 'r2', '1999-01-01T00:00:00Z', ['elevation']),
      of('other_x', 'r1', one, ['x']),
    ];
    const source = await written(items);
    const scenesOf = async (options: SaveTasksOptions) => {
      const { out, tasks } = await saved(source, options);
      expect(Object.keys(tasks)).toEqual(['2020--P1Y/131/-24']);
      const { scenes } = await readTask(out, { period: '2020--P1Y', x: 131, y: -24 });
      return scenes
        .map(({ product, bands, parts }) => `${product}: ${Object.keys(bands)}${parts ? ` of ${parts.length}` : ''}`)
        .sort();
    };
    const range = { temporalRange: '2020--P1Y' };
    expect(await scenesOf({ inputProducts: 'ga_ls_wo_3-ga_ls_fc_3', ...range })).toHaveLength(4);
    expect(await scenesOf({ inputProducts: 'ga_ls_wo_3+ga_ls_fc_3', ...range })).toEqual([
      'fused__ga_ls_wo_3__ga_ls_fc_3: water,pv,npv of 2',
    ]);
    expect(await scenesOf({ inputProducts: 'ga_ls_wo_3+dem_s', ignoreTime: ['dem_s'], ...range })).toEqual([
      'fused__ga_ls_wo_3__dem_s: water,elevation of 2',
    ]);
    expect(
      await scenesOf({
        inputProducts: 'ga_ls_wo_3+dem_s',
        ignoreTime: ['dem_s'],
        optionalProducts: ['dem_s'],
        ...range,
      }),
    ).toEqual(['fused__ga_ls_wo_3__dem_s: water,elevation of 2', 'ga_ls_wo_3: water']);
    expect(await scenesOf({ inputProducts: 'ga_ls_wo_3-dem_s', ignoreTime: ['dem_s'], ...range })).toEqual([
      'dem_s: elevation',
      'ga_ls_wo_3: water',
      'ga_ls_wo_3: water',
    ]);
    await expect(saved(source, { inputProducts: 'ga_ls_wo_3+other_x+dem_s' })).rejects.toThrow(
      /none of 4 finds its partners/,
    );
    await expect(saved(source, { inputProducts: 'ga_ls_wo_3', ignoreTime: ['dem_s'] })).rejects.toThrow(
      /dem_s is none of the input products ga_ls_wo_3/,
    );
    await expect(saved(source, { inputProducts: 'nothing' })).rejects.toThrow(
      /then 0 of nothing \(there are ga_ls_wo_3, ga_ls_fc_3, dem_s, other_x\)/,
    );
  });

  it('does not fuse what has a band of one name', async () => {
    const items = ['a_1', 'b_2'].map((collection) => ({
      id: collection,
      collection,
      properties: { 'odc:region_code': 'r' },
    }));
    await expect(cut(items, { inputProducts: 'a_1+b_2' })).rejects.toThrow(
      /a_1 and b_2 cannot be fused: both have a band nbart_red/,
    );
  });

  it('resolves duplicates: the same id once, of Sentinel-2 the newest processing', async () => {
    const s2 = (id: string, baseline: string) => ({
      id,
      collection: 'sentinel-2-l2a',
      properties: { 'grid:code': 'MGRS-52KGV', platform: 'sentinel-2a', 's2:processing_baseline': baseline },
    });
    const items = [s2('old', '02.09'), s2('new', '05.00'), { id: 'twin', bands: ['a'] }, { id: 'twin', bands: ['b'] }];
    const source = await written(items);
    const { tasks, out, notes } = await saved(source);
    expect(tasks).toEqual({ '2020--P1Y/131/-24': ['new', 'twin'] });
    const [, twin] = (await readTask(out, { period: '2020--P1Y', x: 131, y: -24 })).scenes;
    expect(Object.keys(twin!.bands).sort()).toEqual(['a', 'b']);
    expect(notes).toEqual(['1 items came twice', '1 older processings are left out: old']);
    expect((await saved(source, { allProcessings: true })).tasks).toEqual({
      '2020--P1Y/131/-24': ['new', 'old', 'twin'],
    });
  });

  it('calls periods in folders by their middle where that is asked for', async () => {
    const items = ['2018', '2019', '2020'].map((year) => ({ id: year, time: `${year}-06-01T00:00:00Z` }));
    const { out } = await saved(await written(items), { frequency: 'rolling-3years' });
    expect((await openTaskSet(out)).head.periods).toEqual([{ key: '2018--P3Y', label: '2019--P3Y', tasks: 1 }]);
  });

  it('goes over the antimeridian', async () => {
    const source = await written([{ id: 'fiji', at: [179.8, -17.5] as const, side: 0.4 }]);
    const { tasks, out } = await saved(source, { grid: 'pacific_10' });
    const grid = parseGridSpec('pacific_10');
    expect(tileAt(grid, 3_339_584, -1_900_000)).toEqual({ x: 66, y: 21 });
    expect(Object.keys(tasks)).toEqual(['2020--P1Y/65/21', '2020--P1Y/66/21']);
    const { features } = JSON.parse(await readFile(join(out, '2020--P1Y.geojson'), 'utf8'));
    const kinds = features.map(({ geometry, properties }: never) => [
      (properties as { ix: number }).ix,
      (geometry as { type: string }).type,
    ]);
    expect(kinds).toEqual([
      [65, 'Polygon'],
      [66, 'MultiPolygon'],
    ]);
  });

  it('reads long collections piece by piece, and items that stand in lines', async () => {
    const many = Array.from({ length: 2500 }, (_, i) =>
      taskItem({ id: `s${i}`, properties: { note: 'x'.repeat(1500) } }),
    );
    await writeFile(at('long.json'), featureCollection(many));
    await writeFile(at('lines.ndjson'), many.map((item) => JSON.stringify(item)).join('\n'));
    for (const name of ['long.json', 'lines.ndjson'])
      expect((await saved(at(name))).tasks['2020--P1Y/131/-24']).toHaveLength(2500);
  });

  it.each([
    [{ temporalRange: '1999--P1Y' }, /^no tasks: 1 items in .*\.json, then 0 in or next to 1999--P1Y; --allow-empty/],
    [{ tiles: '0:1,0:1' }, /then 0 on the tiles asked for/],
    [{ gqa: 1 }, /then 0 pass the filters \(1 do not state gqa_iterative_mean_xy\)/],
    [{ frequency: '1999--P1Y' }, /then 1 on tiles of epsg:4326_0.01_100, then none in a period/],
  ])('an empty set is an error that says why: %j', async (options, message) => {
    const source = await written([{ id: 'a' }]);
    await expect(saved(source, options)).rejects.toThrow(message);
    expect((await saved(source, { ...options, allowEmpty: true })).tasks).toEqual({});
  });

  it('refuses items that lie nowhere, and broken ones', async () => {
    const nowhere = { ...taskItem({ id: 'a' }), geometry: null, bbox: undefined };
    await writeFile(at('nowhere.json'), JSON.stringify(nowhere));
    await expect(saved(at('nowhere.json'))).rejects.toThrow(/item a has neither geometry nor bbox/);
    await writeFile(
      at('broken.json'),
      JSON.stringify({ ...nowhere, geometry: { type: 'Polygon', coordinates: [[[0, 'x']]] } }),
    );
    await expect(saved(at('broken.json'))).rejects.toThrow(/item a: a footprint has a ring of fewer than 4/);
  });
});

describe('a set in a folder', () => {
  it('is not replaced unasked, and leaves nothing of the one before', async () => {
    const first = await saved(await written([{ id: 'a' }, { id: 'b', time: '2015-03-01T00:00:00Z' }]));
    const next = await written([{ id: 'c', at: [140.2, -24] as const }]);
    await expect(saved(next, { out: first.out })).rejects.toThrow(/is a set of tasks already: give --overwrite/);
    expect((await saved(next, { out: first.out, overwrite: true })).tasks).toEqual({ '2020--P1Y/140/-24': ['c'] });
    const files = readdirSync(first.out, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));
    expect(files.sort()).toEqual([
      '2020--P1Y.geojson',
      'tasks.csv',
      'tasks.json',
      'tasks.svg',
      'tasks/2020--P1Y/+0140/-0024.json',
    ]);
  });

  it('is none before its head is there', async () => {
    const { out } = await saved(await written([{ id: 'a' }]));
    const stopped = new AbortController();
    const many = Array.from({ length: 40 }, (_, i) => ({ id: `s${i}`, at: [100.2 + i, 3.2] as const }));
    const again = saveTasks([await written(many)], {
      out,
      grid: GRID,
      overwrite: true,
      signal: stopped.signal,
      onProgress: (_, total) => total !== null && stopped.abort(new Error('stopped')),
    });
    await expect(again).rejects.toThrow('stopped');
    expect(existsSync(join(out, 'tasks.json'))).toBe(false);
    await expect(openTaskSet(out)).rejects.toThrow(/is no set of tasks: it has no tasks.json, which is written last/);
  });

  it('says what is wrong with what is none', async () => {
    const { out } = await saved(await written([{ id: 'a' }]));
    const key = { period: '2020--P1Y', x: 131, y: -24 };
    await expect(readTask(out, { ...key, x: 1 })).rejects.toThrow(/has no task 2020--P1Y\/1\/-24/);
    const path = join(out, 'tasks/2020--P1Y/+0131/-0024.json');
    const text = await readFile(path, 'utf8');
    const broken = async (changed: string, message: RegExp) => {
      await writeFile(path, changed);
      await expect(readTask(out, key)).rejects.toThrow(message);
    };
    await broken(text.replace('"version":1', '"version":2'), /is a task of version 2, and version 1 is read/);
    await broken(text.slice(0, -20), /is not JSON/);
    await broken(text.replace('"files"', '"flies"'), /is no whole task/);
    await broken(text.replace('stackwise-task', 'other'), /is no task/);
    await broken(text.replace('"x":131', '"x":130'), /is the task 2020--P1Y\/131\/-24/);
    const head = await readFile(join(out, 'tasks.json'), 'utf8');
    await writeFile(join(out, 'tasks.json'), head.replace('"version": 1', '"version": 3'));
    await expect(openTaskSet(out)).rejects.toThrow(/is a set of version 3, and version 1 is read: save it again/);
  });

  it('gives one task for one request', async () => {
    const { out } = await saved(
      await written(Array.from({ length: 30 }, (_, i) => ({ id: `s${i}`, at: [100.2 + i, 3.2] as const }))),
    );
    const requests: string[] = [];
    const files = fileStore();
    const read: typeof files.read = (url, ...rest) => {
      requests.push(url);
      return files.read(url, ...rest);
    };
    const store = { ...files, read };
    const task = await readTask(out, { period: '2020--P1Y', x: 117, y: 3 }, { store });
    expect([task.scenes.map(({ id }) => id), requests.length]).toEqual([['s17'], 1]);
  });

  it('names files of this machine by their whole path', async () => {
    const source = await written([{ id: 'a', folder: './scenes' }]);
    const { out } = await saved(relative(process.cwd(), source));
    const { scenes } = await readTask(out, { period: '2020--P1Y', x: 131, y: -24 });
    expect(scenes[0]!.bands.nbart_red!.href).toBe(at('scenes/a/nbart_red.tif'));
  });

  it('takes scenes from where they are mirrored', async () => {
    const { out } = await saved(await written([{ id: 'a' }]), { hrefMap: ['s3://bucket/=/mirror'] });
    const { scenes } = await readTask(out, { period: '2020--P1Y', x: 131, y: -24 });
    expect(scenes[0]!.bands.nbart_red!.href).toBe('/mirror/scenes/a/nbart_red.tif');
  });
});

describe('elsewhere', () => {
  it('writes a set into a bucket, and replaces it', async () => {
    const server = await startS3('sets');
    const undo = useS3(server);
    try {
      const out = 's3://sets/here/first';
      const { tasks } = await saved(await written([{ id: 'a' }, { id: 'b', at: [140.2, -24] as const }]), { out });
      expect(tasks).toEqual({ '2020--P1Y/131/-24': ['a'], '2020--P1Y/140/-24': ['b'] });
      const before = networkMeter.requests;
      await readTask(out, { period: '2020--P1Y', x: 140, y: -24 });
      expect(networkMeter.requests - before).toBe(1);
      expect((await saved(await written([{ id: 'c' }]), { out, overwrite: true })).tasks).toEqual({
        '2020--P1Y/131/-24': ['c'],
      });
      await expect(readTask(out, { period: '2020--P1Y', x: 140, y: -24 })).rejects.toThrow(/has no task/);
    } finally {
      undo();
      await server.stop();
    }
  });

  it('takes items three folders below a product that is no collection of an index', async () => {
    const places = ['x05/y06/2020--P1Y/a', 'x05/y07/2020--P1Y/b', 'x05/c', 'x05/y06/2020--P1Y/old/d'];
    const keys = places.map((place, i): [string, Uint8Array] => {
      const item = JSON.stringify(taskItem({ id: `i${i}` }));
      return [`gm/1-0-0/${place}.stac-item.json`, new TextEncoder().encode(item)];
    });
    const store = memoryBucket('derived', keys);
    const { tasks } = await saved(null, { inputProducts: 's3://derived/gm/1-0-0/', store });
    expect(tasks).toEqual({ '2020--P1Y/131/-24': ['i0', 'i1'] });
  });

  it('searches an archive that has no index', async () => {
    const products = mockProducts().filter(({ tile, time }) => tile === '18TTK' && time < '2020-02');
    const ring = [
      [-78.9, 41.1],
      [-78.1, 41.1],
      [-78.1, 41.9],
      [-78.9, 41.9],
      [-78.9, 41.1],
    ];
    const keys = products.flatMap(cogKeys).map(([key, bytes]): [string, Uint8Array] => {
      if (!key.endsWith('.json')) return [key, bytes];
      const item = JSON.parse(new TextDecoder().decode(bytes));
      item.geometry = { type: 'Polygon', coordinates: [ring] };
      return [key, new TextEncoder().encode(JSON.stringify(item))];
    });
    const store = memoryBucket('sentinel-cogs', keys);
    const place = { bucket: 'sentinel-cogs', tile: '18TTK', store };
    const { tasks } = await saved(null, { ...place, temporalRange: '2019-12--P2M', frequency: 'monthly' });
    const found = products
      .filter(({ time }) => time >= '2019-12')
      .map(({ time }) => time.slice(0, 10).replaceAll('-', ''));
    expect(found.length).toBeGreaterThan(4);
    expect(Object.keys(tasks)).toEqual(['2019-12--P1M/-79/41', '2020-01--P1M/-79/41']);
    expect(Object.values(tasks).flat()).toEqual(found.map((day) => `S2A_18TTK_${day}_0_L2A`));
    await expect(saved(null, { ...place, temporalRange: '2018--P1Y' })).rejects.toThrow(/no tasks/);
  });

  it('asks a STAC API for products, time and tiles', async () => {
    const api = await startApi();
    try {
      api.answer = ({ body }) => ({
        value: JSON.parse(featureCollection(String(body!.collections) === 'dem_s' ? [] : [taskItem({ id: 'a' })])),
      });
      const options = {
        stac: api.root,
        inputProducts: 'ga_ls8c_ard_3-dem_s',
        ignoreTime: ['dem_s'],
        tiles: '131:132,-25:-23',
        temporalRange: '2020--P1Y',
      };
      expect((await saved(null, options)).tasks).toEqual({ '2020--P1Y/131/-24': ['a'] });
      expect(api.requests.map(({ body }) => body)).toEqual([
        {
          collections: ['ga_ls8c_ard_3'],
          bbox: [131, -25, 132, -23],
          datetime: '2019-12-31T11:30:00.000Z/2021-01-01T12:29:59.999Z',
          limit: 100,
        },
        { collections: ['dem_s'], bbox: [131, -25, 132, -23], limit: 100 },
      ]);
      await expect(saved(null, { stac: api.root })).rejects.toThrow(/wants --input-products/);
      await expect(saved(null)).rejects.toThrow(/scenes come from one place/);
    } finally {
      api.stop();
    }
  });
});
