import { existsSync, readFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crsToLonLat, lonLatToCrs, parseCrs } from '../../../build/geo/crs.js';
import { parseTaskKey } from '../../../build/jobs/task/task.js';
import { openTaskSet } from '../../../build/jobs/task/task-set.js';
import { settleRun } from '../../../build/jobs/tile/run-settings.js';
import { prepareTile, tileWork } from '../../../build/jobs/tile/tile-run.js';
import { checkRun, type RunOptions, runTasks, verify } from '../../../build/node.js';
import { writeFlatCog } from '../../fixture/flat-cog.js';
import { readDataset, readTile } from '../../fixture/tile-files.js';
import { geomedianOf, madsOf } from '../../reference/geomedian.js';

const data = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-dscache-db');
const S2 = join(data, 'test_tiles.db');
const LANDSAT = join(data, 'ga_ls8c_ard_3_2015-01--P3M.db');

/** A dataset as it stands in a cache, decoded by other programs. */
interface Dataset {
  id: string;
  uris: string[];
  metadata: {
    crs: string;
    grids: { default: { transform: number[] } };
    properties: Record<string, string>;
    measurements: Record<string, { path: string; grid?: string }>;
  };
}
const datasetsOf = (db: string): Dataset[] =>
  gunzipSync(readFileSync(`${db}.datasets.jsonl.gz`))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const groupsOf = (db: string): Record<string, string[]> => JSON.parse(readFileSync(`${db}.index.json`, 'utf8')).groups;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-caches-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listed(db: string, selection: string[], options: Partial<RunOptions> = {}) {
  const lines: { id: string; line: string; trouble: string | null }[] = [];
  const own = { plugin: 'gm-ls', product: { name: 'gm' }, location: join(folder, 'none'), ...options };
  for await (const one of checkRun(db, selection, own)) lines.push(one);
  return lines;
}

describe.skipIf(!existsSync(data))('caches of odc-stats (skipped without STACKWISE_DATA)', () => {
  it('lists what would be done as odc-stats does, line by line', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    // Nothing is fetched: each scene is asked for once in a folder that lacks them all.
    const lines = await listed(LANDSAT, [], { hrefMap: [`s3://dea-public-data/=${empty}`] });
    const times = new Map(datasetsOf(LANDSAT).map(({ id, metadata }) => [id, metadata.properties.datetime!]));
    const tile = (index: number) => `${index < 0 ? '-' : ''}${String(Math.abs(index)).padStart(2, '0')}`;
    const wanted = Object.entries(groupsOf(LANDSAT)).map(([key, uuids]) => {
      const [, , x, y] = key.split('/');
      const [code, row] = [`x${tile(Number(x))}`, `y${tile(Number(y))}`];
      const days = new Set(uuids.map((id) => times.get(id)!.slice(0, 10))).size;
      const place = `${code}/${row}/2015--P1Y`;
      const uri = join(folder, 'none', place, `gm_${code}${row}_2015--P1Y.stac-item.json`);
      return `${place} days=${String(days).padStart(3, '0')} ds=${String(uuids.length).padStart(4, '0')} ${uri} (new)`;
    });
    expect(lines).toHaveLength(1487);
    expect(lines.map(({ line }) => line).sort()).toEqual(wanted.sort());
    for (const { trouble } of lines)
      expect(trouble).toMatch(/^\d+ of \d+ scenes cannot be read: cannot read .*no such file$/);
  }, 60_000);

  it('takes tasks by id, index and slice, in the order of periods, columns and rows', async () => {
    const keys = Object.keys(groupsOf(LANDSAT)).map((key) => key.split('/').slice(1).join('/'));
    const sorted = keys
      .map((key) => parseTaskKey(key)!)
      .sort((a, b) => (a.period < b.period ? -1 : a.period > b.period ? 1 : a.x - b.x || a.y - b.y))
      .map(({ period, x, y }) => `${period}/${x}/${y}`);
    const hrefMap = [`s3://dea-public-data/=${folder}`];
    const ids = async (...selection: string[]) => (await listed(LANDSAT, selection, { hrefMap })).map(({ id }) => id);
    expect(await ids('0', '1486')).toEqual([sorted[0], sorted[1486]]);
    expect(await ids('3:6', '-2:')).toEqual([...sorted.slice(3, 6), ...sorted.slice(-2)]);
    expect(await ids(':20:9')).toEqual([sorted[0], sorted[9], sorted[18]]);
    const [period, x, y] = sorted[700]!.split('/');
    expect(await ids(sorted[700]!, `x${x}/y${y}/${period}`, `${period},${x},${y}`)).toEqual([sorted[700]]);
    await expect(ids('1487')).rejects.toThrow(/1487 tasks/);
    await expect(ids('2015--P1Y/99/99')).rejects.toThrow(/has no task 2015--P1Y\/99\/99/);
    await expect(ids('-1')).rejects.toThrow(/counts from 0/);
  }, 60_000);
});

const BANDS = ['B02', 'B03', 'B8A'];
const OUTPUTS = [...BANDS, 'SMAD', 'EMAD', 'BCMAD', 'COUNT'];
/** Scenes of a day are alike: clear, brighter, without their western columns, all cloud. */
const CLOUDY = 3;
const PARTLY = 2;
/** px of 10 m; 16 blocks of 512. */
const FROM = 8192;
const SIDE = 10_980;
/** DN of B02, B03, B8A by variant: no three of them on a line. */
const DN = [
  [900, 1050, 1200],
  [1210, 1490, 1740],
  [1400, 1020, 1320],
  [5900, 6050, 6200],
] as const;
const dnOf = (band: string, variant: number) => DN[variant]![BANDS.indexOf(band)]!;
const variantOf = (day: string) => (Math.floor(Date.parse(day) / 86_400_000 / 5) % 7) % 4;
const dayOf = ({ metadata }: Dataset) => metadata.properties.datetime!.slice(0, 10);

/** Files of the real sizes where the documents of the cache say that they lie: all dates of a variant share theirs. */
async function simulate(datasets: readonly Dataset[], mirror: string): Promise<void> {
  for (const { uris, metadata } of datasets) {
    const [, , x, , , y] = metadata.grids.default.transform as [number, number, number, number, number, number];
    const epsg = Number(metadata.crs.replace('epsg:', ''));
    const place = join(mirror, uris[0]!.replace(/^[a-z0-9]+:\/\//, ''), '..');
    await mkdir(place, { recursive: true });
    const variant = variantOf(metadata.properties.datetime!.slice(0, 10));
    for (const band of [...BANDS, 'SCL']) {
      const pixel = ['SCL', 'B8A'].includes(band) ? 20 : 10;
      const source = join(mirror, `${x}-${y}-${variant}-${band}.tif`);
      if (!existsSync(source))
        await writeFlatCog(source, {
          width: (SIDE * 10) / pixel,
          height: (SIDE * 10) / pixel,
          value: band === 'SCL' ? (variant === CLOUDY ? 9 : 4) : dnOf(band, variant),
          dtype: band === 'SCL' ? 'u8' : 'u16',
          nodata: 0,
          epsg,
          corner: [x, y],
          pixel,
          from: variant === PARTLY ? (FROM * 10) / pixel : 0,
          overviews: pixel === 10 ? 4 : 3,
        });
      await link(source, join(place, metadata.measurements[band]!.path));
    }
  }
}

describe.skipIf(!existsSync(data))('a task of a cache, from end to end (skipped without STACKWISE_DATA)', () => {
  const datasets = existsSync(data) ? datasetsOf(S2) : [];
  let out = '';
  let options: RunOptions;
  const title = 'gm_s2_annual_x05y06_2019--P1Y';
  const tile = () => join(out, 'x05/y06/2019--P1Y');

  beforeAll(async () => {
    const mirror = join(folder, 'mirror');
    await simulate(datasets, mirror);
    out = join(folder, 'out');
    options = {
      plugin: 'gm-s2',
      product: {},
      pluginConfig: { bands: BANDS },
      location: out,
      resolution: '960',
      threads: 0,
      hrefMap: ['s3://', 'https://'].map((scheme) => {
        const host = scheme === 's3://' ? 'sentinel-cogs/' : 'sentinel-cogs.s3.us-west-2.amazonaws.com/';
        return `${scheme}${host}=${join(mirror, host)}`;
      }),
    };
  }, 60_000);

  it('is planned on the tile that its grid says', async () => {
    const settings = settleRun({ ...options, resolution: undefined });
    const task = await (await openTaskSet(S2, { hrefMap: settings.hrefMap! })).task(parseTaskKey('2019--P1Y/5/6')!);
    const { spec, plan } = await prepareTile(tileWork(task, settings), settings);
    expect(spec.grid).toMatchObject({ width: 9600, height: 9600, affine: [10, 0, 480_000, 0, -10, 672_000] });
    expect(plan.blocks.reduce((sum, { width, height }) => sum + width * height, 0)).toBe(9600 ** 2);
  }, 60_000);

  it('is listed, run, and listed again', async () => {
    const item = join(tile(), `${title}.stac-item.json`);
    const line = `x05/y06/2019--P1Y days=073 ds=0221 ${item}`;
    expect(await listed(S2, ['0'], options)).toEqual([{ id: '2019--P1Y/5/6', line: `${line} (new)`, trouble: null }]);
    const began = performance.now();
    const { tasks } = await runTasks(S2, ['x+0005/y+0006/2019--P1Y'], options);
    expect(tasks).toMatchObject([{ status: 'done', uuid: 'ed7c8125-3df1-5907-bfe7-d108e03c49c5', scenes: 221 }]);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(await listed(S2, [':'], options)).toMatchObject([{ line: `${line} (skip)`, trouble: null }]);
    expect(await listed(S2, [], { ...options, overwrite: true })).toMatchObject([{ line: `${line} (recompute)` }]);
    const fewer = { ...options, datasetFilters: '{"datetime": "2019-01--P1M"}' };
    const [other] = await listed(S2, [], fewer);
    const january = datasets.filter((one) => dayOf(one).startsWith('2019-01'));
    const days = new Set(january.map(dayOf)).size;
    expect(other!.line).toBe(`x05/y06/2019--P1Y days=00${days} ds=00${january.length} ${item} (recompute)`);
  }, 120_000);

  it('holds the values that a naive reading of its scenes gives', async () => {
    const got = await readTile(tile(), title, OUTPUTS);
    const toLonLat = await crsToLonLat(parseCrs('EPSG:6933'));
    const toUtm = await lonLatToCrs(parseCrs('EPSG:32631'));
    const days = [...new Set(datasets.map(dayOf))];
    let [checked, empty] = [0, 0];
    for (let row = 2; row < 100; row += 7)
      for (let col = 3; col < 100; col += 7) {
        const [x, y] = toUtm(...toLonLat(480_000 + 960 * (col + 0.5), 672_000 - 960 * (row + 0.5)));
        /** px from the upper left corner of a scene. */
        const placeIn = ({ metadata: { grids } }: Dataset) => [
          (x - grids.default.transform[2]!) / 10,
          (grids.default.transform[5]! - y) / 10,
        ];
        // A warp looks around: pixels at edges of scenes and of their missing parts are left to other tests.
        const isNear = datasets.some((one) => {
          const [px, py] = placeIn(one) as [number, number];
          return [px, py, px - SIDE, py - SIDE, px - FROM].some((distance) => Math.abs(distance) < 250);
        });
        if (isNear) continue;
        const seen = days.filter((day) => {
          const variant = variantOf(day);
          return datasets.some((one) => {
            const [px, py] = placeIn(one) as [number, number];
            const isIn = px > 0 && py > 0 && px < SIDE && py < SIDE && (variant !== PARTLY || px > FROM);
            return dayOf(one) === day && isIn && variant !== CLOUDY;
          });
        });
        const at = row * 100 + col;
        checked++;
        expect(got.COUNT![at], `${col}, ${row}`).toBe(seen.length);
        if (seen.length === 0) {
          empty++;
          expect(BANDS.map((band) => got[band]![at])).toEqual([0, 0, 0]);
          expect(got.EMAD![at]).toBeNaN();
          continue;
        }
        const points = seen.map((day) => BANDS.map((band) => dnOf(band, variantOf(day))));
        const median = geomedianOf(points, 5000);
        for (const [i, band] of BANDS.entries())
          expect(Math.abs(got[band]![at]! - median[i]!)).toBeLessThanOrEqual(0.55);
        const [emad, smad, bcmad] = madsOf(points, median);
        expect(Math.abs(got.EMAD![at]! - emad)).toBeLessThanOrEqual(0.05);
        expect(Math.abs(got.SMAD![at]! - smad)).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(got.BCMAD![at]! - bcmad)).toBeLessThanOrEqual(1e-4);
      }
    expect(checked).toBeGreaterThan(100);
    expect(checked - empty).toBeGreaterThan(30);
  }, 60_000);

  it('is whole, and its documents agree with each other and with the cache', async () => {
    const { wrong, files, reports } = await verify(out);
    // Nothing but the sums themselves has no sum.
    expect([wrong, files - 1]).toEqual([0, reports[0]!.summed]);
    const item = JSON.parse(await readFile(join(tile(), `${title}.stac-item.json`), 'utf8'));
    const dataset = await readDataset(join(tile(), `${title}.odc-metadata.yaml`));
    expect([item.id, dataset.id]).toEqual(Array(2).fill('ed7c8125-3df1-5907-bfe7-d108e03c49c5'));
    expect(dataset.lineage).toEqual(item.properties['odc:lineage']);
    expect(Object.values(dataset.lineage).flat().sort()).toEqual(datasets.map(({ id }) => id).sort());
    expect(dataset.crs).toBe('epsg:6933');
    expect(dataset.grids.default).toMatchObject({ shape: [100, 100] });
    expect(dataset.grids.default.transform.slice(0, 6)).toEqual([960, 0, 480_000, 0, -960, 672_000]);
    expect(Object.keys(dataset.measurements)).toEqual([...OUTPUTS].sort());
    for (const [name, measurement] of Object.entries(dataset.measurements))
      expect(item.assets[name].href).toBe(`./${measurement!.path}`);
    for (const key of ['odc:region_code', 'odc:product', 'odc:dataset_version', 'odc:product_family'])
      expect(item.properties[key] ?? dataset.product.name, key).toBe(dataset.properties[key] ?? dataset.product.name);
    expect(new Date(dataset.properties.datetime!).getTime()).toBe(Date.parse(item.properties.datetime));
    // Inputs are named by the addresses that others can follow, not by those of this machine.
    const yaml = await readFile(join(tile(), `${title}.odc-metadata.yaml`), 'utf8');
    const text = JSON.stringify(item) + yaml;
    expect(text).not.toContain(folder);
    const { tasks } = await runTasks(S2, ['2019--P1Y/5/6'], options);
    expect(tasks).toMatchObject([{ status: 'skipped', reason: 'done before' }]);
  }, 60_000);
});
