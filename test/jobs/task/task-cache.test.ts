import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Polygon } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { odcItems } from '../../../build/io/odc-dataset.js';
import { sceneOfItem } from '../../../build/io/stac-item.js';
import { zstdEncode } from '../../../build/io/zstd-encoder.js';
import { itemUuid, odcUuid } from '../../../build/jobs/task/odc-uuid.js';
import { taskId } from '../../../build/jobs/task/task.js';
import { openTaskSet } from '../../../build/jobs/task/task-set.js';
import { saveTasks } from '../../../build/node.js';
import { lmdbFile } from '../../fixture/lmdb-file.js';

const data = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-dscache-db');
const S2 = join(data, 'test_tiles.db');
const LANDSAT = join(data, 'ga_ls8c_ard_3_2015-01--P3M.db');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-cache-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const truth = (db: string) =>
  JSON.parse(readFileSync(`${db}.index.json`, 'utf8')) as { groups: Record<string, string[]> };
/** `au-30/2015--P1Y/+0006/+0025` → `2015--P1Y/6/25` */
const idOf = (key: string) =>
  key
    .split('/')
    .slice(1)
    .map((part, i) => (i === 0 ? part : Number(part)))
    .join('/');

async function scenesByTask(url: string): Promise<Map<string, string[]>> {
  const set = await openTaskSet(url);
  const tasks = new Map<string, string[]>();
  for (const row of await set.rows())
    tasks.set(
      taskId(row),
      (await set.task(row)).scenes.map(({ uuid }) => uuid),
    );
  return tasks;
}

describe('UUIDs', () => {
  it('are those of odc-stats for what is made of other things', () => {
    const sources = ['b5b3ad1c-5b4c-4d1c-8e57-9b4d8f8ad4a1', '01b3ad1c-5b4c-4d1c-8e57-9b4d8f8ad4a1'];
    const id = odcUuid({ name: 'gm', version: '1.0.0', sources, tags: { time: '2019--P1Y', tile: '(5, 6)' } });
    expect(id).toBe(
      odcUuid({
        name: 'GM',
        version: '1.0.0',
        sources: [...sources].reverse(),
        tags: { tile: '(5, 6)', time: '2019--P1Y' },
      }),
    );
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(itemUuid({ id: 'B5B3AD1C-5B4C-4D1C-8E57-9B4D8F8AD4A1', collection: 'x' })).toBe(sources[0]);
  });
});

describe('a dataset of Open Data Cube', () => {
  const metadata = {
    label: 'S2B_X',
    crs: 'epsg:32631',
    grids: { default: { shape: [10, 20], transform: [10, 0, 500_000, 0, -10, 600_000, 0, 0, 1] } },
    properties: { datetime: '2019-05-23T10:09:39Z' },
    geometry: {
      type: 'Polygon',
      coordinates: [
        [
          [500_000, 599_000],
          [501_000, 599_000],
          [501_000, 600_000],
          [500_000, 599_000],
        ],
      ],
    },
    measurements: {
      blue: { path: 'B.tif', band: 1 },
      red: { path: 'B.tif', band: 2 },
      aot: { path: 'https://host.org/a.tif', grid: 'none' },
    },
  };
  const dataset = { id: 'id', product: 's2_l2a', uris: ['s3://bucket/a/doc.json'], metadata };

  it('is an item with the bands that its product describes', async () => {
    const item = await odcItems()(dataset, new Map([['red', { name: 'red', dtype: 'uint16', nodata: 'NaN' }]]));
    const { bands, crs, geometry } = sceneOfItem(item, null);
    expect(crs!.epsg).toBe(32631);
    expect(Object.keys(bands)).toEqual(['blue', 'red', 'aot']);
    expect(bands.blue).toMatchObject({ href: 's3://bucket/a/B.tif', bandIndex: 0, dtype: null });
    expect(bands.red).toMatchObject({
      bandIndex: 1,
      dtype: 'u16',
      nodata: Number.NaN,
      grid: { width: 20, height: 10 },
    });
    expect(bands.aot).toMatchObject({ href: 'https://host.org/a.tif', bandIndex: 0, grid: null });
    expect((geometry as Polygon).coordinates[0]![0]![0]).toBeCloseTo(3, 6);
  });

  it.each([
    [{ ...metadata, crs: undefined }, /dataset id: its document names no crs/],
    [{ ...metadata, grids: undefined }, /no eo3 document/],
    [{ ...metadata, properties: undefined }, /no properties/],
    [{ ...metadata, measurements: { red: { path: 'file:///etc/passwd' } } }, /names a local file/],
  ])('is refused where it is none (%#)', async (broken, message) => {
    await expect(odcItems()({ ...dataset, metadata: broken })).rejects.toThrow(message);
  });
});

describe('a cache of fused datasets', () => {
  const uuid = (i: number) => `${String(i).padStart(8, '0')}-0000-0000-0000-000000000000`;
  const bytesOf = (...list: number[]) =>
    Buffer.concat(list.map((i) => Buffer.from(uuid(i).replaceAll('-', ''), 'hex')));
  const packed = (value: unknown) => zstdEncode(new TextEncoder().encode(JSON.stringify(value)), 3);
  /** As odc-stats fuses them: sources by list, or by name as an index gives them back. */
  const dataset = (lineage: unknown, product: string) => ({
    product,
    uris: ['s3://b/a.yaml'],
    metadata: {
      label: 'a',
      crs: 'epsg:32653',
      grids: { default: { shape: [10, 20], transform: [30, 0, 500_000, 0, -30, 7_000_000, 0, 0, 1] } },
      properties: { datetime: '2019-05-23T10:09:39Z' },
      measurements: { red: { path: 'a.tif' } },
      lineage,
    },
  });

  it('names those that each was made of', async () => {
    const fused = 'fused__ga_ls_wo_3__ga_ls_fc_3';
    const datasets = [
      dataset({ source_datasets: [uuid(11), uuid(12)] }, fused),
      dataset({ source_datasets: { a: { id: uuid(12) }, b: { id: uuid(13) } } }, fused),
      dataset({ source_datasets: [uuid(14)] }, 'ga_ls8c_ard_3'),
    ];
    const ds = new Map<string, Uint8Array>();
    for (const [i, one] of datasets.entries()) ds.set(bytesOf(i).toString('latin1'), await packed(one));
    const grid = {
      crs: 'epsg:3577',
      tile_size: [96_000, 96_000],
      resolution: [-30, 30],
      origin: [-5_472_000, -2_688_000],
    };
    const info = new Map([
      ['version', new TextEncoder().encode('0001')],
      ['grid/au-30', await packed(grid)],
      ['stats/config', await packed({ grid: 'au-30', freq: 'annual' })],
    ]);
    const groups = new Map([['au-30/2019--P1Y/+0006/+0025', bytesOf(0, 1, 2)]]);
    const path = join(folder, 'fused.db');
    await writeFile(path, lmdbFile({ info, ds, groups, udata: new Map() }).bytes);
    const task = await (await openTaskSet(path)).task({ period: '2019--P1Y', x: 6, y: 25 });
    expect(task.scenes.map(({ parts }) => parts)).toEqual([[uuid(11), uuid(12)], [uuid(12), uuid(13)], undefined]);
  });
});

describe.skipIf(!existsSync(data))('caches of odc-stats (real files)', () => {
  it('name Sentinel-2 scenes as they are named from their items', () => {
    const lines = gunzipSync(readFileSync(`${S2}.datasets.jsonl.gz`))
      .toString()
      .trim()
      .split('\n');
    const datasets = lines.map((line) => JSON.parse(line) as { id: string; metadata: { label: string } });
    expect(
      datasets.filter(
        ({ id, metadata }) => itemUuid({ id: 'any', collection: 's2_l2a', label: metadata.label }) === id,
      ),
    ).toHaveLength(221);
  });

  it('are sets of tasks as they stand, whose outputs would have the same UUID', async () => {
    const set = await openTaskSet(S2, { hrefMap: (href) => href.replace('s3://sentinel-cogs/', '/mirror/') });
    expect(set.head).toMatchObject({
      inputProducts: 's2_l2a',
      tasks: 1,
      scenes: 221,
      frequency: null,
      temporalRange: '2019--P1Y',
    });
    const [row] = await set.rows();
    expect(row).toEqual({ period: '2019--P1Y', x: 5, y: 6, datasets: 221, days: 73 });
    const task = await set.task(row!);
    const sources = task.scenes.map(({ uuid }) => uuid);
    const tags = { tile: '(5, 6)', time: task.period.label };
    expect(odcUuid({ name: 'gm_s2_annual', version: '0.0.0', sources, tags })).toBe(
      'ed7c8125-3df1-5907-bfe7-d108e03c49c5',
    );
    expect(task.grid).toMatchObject({ width: 9600, affine: [10, 0, 480_000, 0, -10, 672_000] });
    const mapped = task.scenes.filter(({ bands }) => bands.B02!.href.startsWith('/mirror/sentinel-s2-l2a-cogs/2019/'));
    expect(mapped).toHaveLength(215);
    expect(task.scenes[0]!.bands.SCL).toMatchObject({ dtype: 'u8', nodata: 0, grid: { width: 5490, height: 5490 } });
    await expect(set.task({ ...row!, x: 1 })).rejects.toThrow(/has no task 2019--P1Y\/1\/6/);
  });

  it('become folders of the same tasks', async () => {
    const out = join(folder, 'own');
    await saveTasks([LANDSAT], { out });
    const { groups } = truth(LANDSAT);
    const tasks = await scenesByTask(out);
    expect(tasks.size).toBe(1487);
    for (const [key, uuids] of Object.entries(groups))
      expect([...tasks.get(idOf(key))!].sort()).toEqual([...uuids].sort());
    const rows = await (await openTaskSet(out)).rows();
    expect(rows).toEqual(await (await openTaskSet(LANDSAT)).rows());
  }, 120_000);

  it('give the tasks of odc-stats when their scenes are cut anew', async () => {
    const out = join(folder, 'anew');
    await saveTasks([LANDSAT], { out, grid: 'au-30', temporalRange: '2015-01--P3M', frequency: 'annual' });
    const { groups } = truth(LANDSAT);
    const tasks = await scenesByTask(out);
    expect([...tasks.keys()].sort()).toEqual(Object.keys(groups).map(idOf).sort());
    const differing = Object.entries(groups).flatMap(([key, uuids]) => {
      const ours = tasks.get(idOf(key))!;
      return [...ours.filter((uuid) => !uuids.includes(uuid)), ...uuids.filter((uuid) => !ours.includes(uuid))];
    });
    // Of 24 313: scenes that touch a tile by a sliver. Theirs follows edges in steps of 100 km, ours of 25.
    expect(differing.length).toBeLessThanOrEqual(4);
  }, 120_000);

  it('are cut down to tiles', async () => {
    const out = join(folder, 'some');
    const { tasks, periods } = await saveTasks([LANDSAT], { out, tiles: '20:22,30:32' });
    expect([tasks, periods]).toEqual([4, ['2015--P1Y']]);
    await expect(saveTasks([LANDSAT], { out: join(folder, 'x'), frequency: 'seasonal' })).rejects.toThrow(
      /have their periods: give --grid too/,
    );
  }, 60_000);
});
