import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaster } from '../../build/io/open-raster.js';
import { storeFor } from '../../build/io/stores.js';
import { readWindow } from '../../build/io/window.js';
import { composite, type Grid, readScenes, writeCog } from '../../build/node.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';
import { startApi } from '../fixture/stac-api.js';

const cli = path.resolve(import.meta.dirname, '../../build/app/cli.js');
const GDALINFO = 'gdalinfo';
const GDAL = spawnSync(GDALINFO, ['--version']).status === 0;
const SIZE = 96;
const GRID: Grid = {
  crs: { epsg: 32610, definition: null, geoKeys: null },
  affine: [10, 0, 399960, 0, -10, 5500020],
  width: SIZE,
  height: SIZE,
};
const COARSE: Grid = { ...GRID, affine: [20, 0, 399960, 0, -20, 5500020], width: SIZE / 2, height: SIZE / 2 };
const DATES = ['20190826', '20190829', '20190831', '20190903', '20190905'];
const BUCKET = 's3://sentinel-cogs/sentinel-s2-l2a-cogs/10/U/DV/2019/';

let folder = '';
let server: S3Server;
let undo: () => void;
const at = (name: string) => path.join(folder, name);

/** A band of a date: a different pattern each, 0 = missing in one corner, and a bright cloud in another. */
function pattern(date: number, band: number): Uint16Array {
  return new Uint16Array(SIZE * SIZE).map((_, i) => {
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    if (x < 8 && y < 8 * date) return 0;
    if (x > 60 && y > 60 - 4 * date) return 9000;
    return 100 + ((x * 7 + y * 13 + band * 31 + date * 17) % 400);
  });
}

function classes(date: number): Uint8Array {
  return new Uint8Array((SIZE * SIZE) / 4).map((_, i) => {
    const [x, y] = [2 * (i % (SIZE / 2)), 2 * Math.floor(i / (SIZE / 2))];
    return x > 60 && y > 60 - 4 * date ? 9 : 4;
  });
}

async function writeScene(date: number): Promise<void> {
  const day = DATES[date]!;
  const id = `S2A_10UDV_${day}_0_L2A`;
  const local = at(`local/${id}`);
  await mkdir(local, { recursive: true });
  const assets: Record<string, object> = {};
  const put = async (
    key: string,
    name: string,
    image: { grid: Grid; data: Uint16Array | Uint8Array; more?: object },
  ) => {
    const { grid, data, more } = image;
    await writeCog(path.join(local, name), { grid, names: [key], data: [data], nodata: 0 }, { tileSize: 32 });
    const href = `https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/10/U/DV/2019/${Number(day.slice(4, 6))}/${id}/${name}`;
    assets[key] = { href, type: 'image/tiff; application=geotiff', roles: ['data'], ...more };
  };
  for (const [band, key] of ['red', 'green', 'blue'].entries())
    await put(key, `B0${4 - band}.tif`, {
      grid: GRID,
      data: pattern(date, band),
      more: { 'eo:bands': [{ name: key, common_name: key }] },
    });
  await put('scl', 'SCL.tif', { grid: COARSE, data: classes(date) });
  const item = {
    type: 'Feature',
    stac_version: '1.0.0',
    id,
    collection: 'sentinel-2-l2a',
    geometry: null,
    properties: {
      datetime: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T19:19:29Z`,
      'eo:cloud_cover': 10 * date,
      'proj:epsg': 32610,
      'grid:code': 'MGRS-10UDV',
      's2:processing_baseline': '02.13',
      'earthsearch:boa_offset_applied': false,
    },
    links: [],
    assets,
  };
  await writeFile(path.join(local, `${id}.json`), JSON.stringify(item));
  for (const name of await readdir(local))
    await storeFor(BUCKET).write(
      `${BUCKET}${Number(day.slice(4, 6))}/${id}/${name}`,
      await readFile(path.join(local, name)),
    );
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-sentinel2-'));
  server = await startS3('sentinel-cogs');
  undo = useS3(server);
  for (const date of DATES.keys()) await writeScene(date);
});
afterAll(async () => {
  undo();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the command beside the server in this process. */
async function run(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const child = spawn(process.execPath, [cli, 'sentinel2', ...args], { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const lines = err.split('\n').filter((line) => line && !line.includes('"progress"') && !line.includes('"done"'));
  return { code, out, lines };
}
const TILE = ['10UDV', '2019-08-26', '2019-09-07', '--threads', '0'];

async function pixels(file: string): Promise<{ data: ArrayLike<number>[]; dtype: string; nodata: number | null }> {
  const raster = await openRaster(file);
  const { bands, width, height } = raster.header;
  const data = await readWindow(raster, {
    level: 0,
    window: { col: 0, row: 0, width, height },
    bands: bands.map((_, i) => i),
  });
  await raster.close();
  return { data: data as ArrayLike<number>[], dtype: bands[0]!.dtype, nodata: bands[0]!.nodata };
}

/** The median of what is valid and clear, as plain numbers, with halves rounded to even; 0 = none. */
function medianOf(values: number[], truncated: boolean): number {
  const sorted = values.sort((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return 0;
  const exact = (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  const floor = Math.floor(exact);
  return exact === floor || truncated || floor % 2 === 0 ? floor : floor + 1;
}

describe('stackwise sentinel2', () => {
  let first: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    first = await run([...TILE, '--out', at('rgb')]);
  });

  it('finds, masks and composites a tile, and says what it used', async () => {
    expect(first).toMatchObject({ code: 0 });
    expect(first.lines.join()).toContain(
      '5 scenes found in s3://sentinel-cogs for tile 10UDV from 2019-08-26 to 2019-09-07 (7 requests)',
    );
    expect((await readdir(at('rgb'))).sort()).toEqual([
      'count.tif',
      'item.json',
      'preview.png',
      'rgb.tif',
      'scenes.json',
    ]);
    expect(
      first.out
        .trim()
        .split('\n')
        .map((file) => path.basename(file))
        .sort(),
    ).toEqual(['count.tif', 'item.json', 'preview.png', 'rgb.tif', 'scenes.json']);
  });

  it('gives the composite of the same scenes on the disk, 16 bit, red, green, blue', async () => {
    const features = [];
    for (const id of await readdir(at('local'))) {
      const item = JSON.parse(await readFile(at(`local/${id}/${id}.json`), 'utf8'));
      for (const asset of Object.values<{ href: string }>(item.assets))
        asset.href = at(`local/${id}/${path.basename(asset.href)}`);
      features.push(item);
    }
    const scenes = await readScenes({ type: 'FeatureCollection', features });
    const options = { bands: ['red', 'green', 'blue'], statistics: 'median,count', threads: 0 };
    const { results } = await composite(scenes, options);
    const rgb = await pixels(at('rgb/rgb.tif'));
    expect([rgb.dtype, rgb.nodata]).toEqual(['u16', 0]);
    expect(rgb.data.map((plane) => Array.from(plane))).toEqual(results.median!.data.map((plane) => Array.from(plane)));
    expect(Array.from((await pixels(at('rgb/count.tif'))).data[0]!)).toEqual(Array.from(results.count!.data[0]!));
    // The cloud of all dates is masked, so nothing bright is left but nothing either.
    expect(Math.max(...Array.from(rgb.data[0]!))).toBeLessThan(600);
    expect(rgb.data[0]![95 * SIZE + 95]).toBe(0);
  });

  it.skipIf(!GDAL)(`writes a colour COG by GDAL's rules${GDAL ? '' : ' (skipped: no gdalinfo)'}`, () => {
    const info = spawnSync(GDALINFO, [at('rgb/rgb.tif')], { encoding: 'utf8' }).stdout;
    expect(info.match(/ColorInterp=(\w+)/g)).toEqual(['ColorInterp=Red', 'ColorInterp=Green', 'ColorInterp=Blue']);
    expect(info).toContain('LAYOUT=COG');
    expect(info).toContain('Type=UInt16');
  });

  it('replaces nothing unasked, and goes nowhere before it looks', async () => {
    expect(await run([...TILE, '--out', at('rgb')])).toMatchObject({
      code: 1,
      lines: [expect.stringContaining('item.json exists already')],
    });
  });

  it('stretches to 8 bit', async () => {
    const { code } = await run([...TILE, '--out', at('bytes'), '--stretch', '2,98', '--gamma', '1.5']);
    expect(code).toBe(0);
    const [bytes, numbers] = [await pixels(at('bytes/rgb.tif')), await pixels(at('bytes/median.tif'))];
    expect([bytes.dtype, bytes.nodata]).toEqual(['u8', 0]);
    for (const [i, plane] of numbers.data.entries()) {
      const valid = Array.from(plane)
        .filter((v) => v !== 0)
        .sort((a, b) => a - b);
      const [from, to] = [0.02, 0.98].map((part) => valid[Math.floor(part * (valid.length - 1))]!) as [number, number];
      const wanted = Array.from(plane, (v) =>
        v === 0 ? 0 : 1 + Math.round(254 * Math.min(1, Math.max(0, (v - from) / (to - from))) ** (1 / 1.5)),
      );
      expect(Array.from(bytes.data[i]!)).toEqual(wanted);
    }
  });

  it('takes other bands and statistics', async () => {
    const { code } = await run([
      ...TILE,
      '--out',
      at('other'),
      '--bands',
      'blue,green,red',
      '--stat',
      'geomedian',
      '--max-cloud',
      '25',
    ]);
    expect(code).toBe(0);
    const item = JSON.parse(await readFile(at('other/item.json'), 'utf8'));
    expect(item.assets.geomedian).toMatchObject({
      href: './rgb.tif',
      data_type: 'uint16',
      bands: [{ name: 'blue' }, { name: 'green' }, { name: 'red' }],
    });
    expect(
      item.links.length + JSON.parse(await readFile(at('other/scenes.json'), 'utf8')).features.length,
    ).toBeGreaterThanOrEqual(3);
  });

  it.each([
    [
      ['10IDV', '2019-08-26', '2019-09-07'],
      'stackwise: <tile>: "10IDV" is no tile id like 10UDV: there is no latitude band I',
    ],
    [['61UDV', '2019-08-26', '2019-09-07'], 'there is no UTM zone 61'],
    [['10UDV', '2019-02-30', '2019-09-07'], 'stackwise: <start>: not a date of the calendar: "2019-02-30"'],
    [['10UDV', '2019-02-20', 'soon'], 'stackwise: <end>: not a date or time like 2020-05-09'],
    [['10UDV', '2019/02', '2019-09-07'], 'stackwise: <start>: a date like 2019-08-26 is wanted, and got "2019/02"'],
    [
      ['10UDV', '2019-09-07', '2019-08-26'],
      'stackwise: <end>: the interval 2019-09-07/2019-08-26 ends before it starts',
    ],
    [
      ['10UDV', '2018-01-01', '2018-02-01'],
      'no scenes: 0 found in s3://sentinel-cogs for tile 10UDV from 2018-01-01 to 2018-02-01 (2 requests)',
    ],
    [['10UDV', '2019-08-26', '2019-09-07', '--mirror', 'nowhere'], 'there is no bucket nowhere'],
    [['10UDV', '2019-08-26', '2019-09-07', '--bands', 'red,green'], 'a picture has three bands'],
    [['10UDV', '2019-08-26', '2019-09-07', '--bands', 'red,green,infrared'], 'no band "infrared"'],
    [['10UDV', '2019-08-26', '2019-09-07', '--stat', 'count'], 'count gives no value for each band'],
    [['10UDV', '2019-08-26', '2019-09-07', '--stat', 'median,mean'], 'one statistic makes the picture'],
    [['10UDV', '2019-08-26', '2019-09-07', '--stretch', '98,2'], 'a stretch is two percentiles like 2,98'],
    [['10UDV', '2019-08-26', '2019-09-07', '--gamma', '2'], '--gamma belongs to --stretch'],
    [['10UDV', '2019-08-26', '2019-09-07', '--download', 's3://b/x'], 'into a folder of the disk, not into s3://b/x'],
    [
      ['10UDV', '2019-08-26', '2019-09-07', '--seed-compat', '--offset', 'apply'],
      '--offset: --seed-compat is without an offset',
    ],
    [
      ['10UDV', '2019-08-26', '2019-09-07', '--seed-compat', '--mask', 'SCL drop 9'],
      '--mask: --seed-compat is without a mask',
    ],
    [['10UDV', '2019-08-26', '2019-09-07', '--has-pulled'], '--download DIR, which is not given'],
    [['10UDV', '2019-08-26', '2019-09-07', '--has-pulled', '--download', '/nonexistent/x'], 'nothing was pulled into'],
  ])('refuses %j', async (args, message) => {
    const { code, lines } = await run([...args, '--out', at('refused'), '--threads', '0']);
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain(message);
    expect(lines.filter((line) => line.startsWith('stackwise: ')).length).toBe(1);
    expect(existsSync(at('refused/rgb.tif'))).toBe(false);
  });

  it('says that access is denied, and what may help', async () => {
    const api = await startApi();
    api.answer = () => ({
      status: 403,
      text: '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>',
    });
    const { code, lines } = await run([...TILE, '--out', at('refused')], { AWS_ENDPOINT_URL: api.root });
    api.stop();
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /^stackwise: cannot list s3:\/\/sentinel-cogs\/.*: access denied, and no credentials were sent/,
      ),
    ]);
  });

  it('says where it looked for credentials', async () => {
    const env = {
      AWS_NO_SIGN_REQUEST: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: at('nobody'),
      AWS_ACCESS_KEY_ID: undefined,
    };
    const { code, lines } = await run([...TILE, '--out', at('refused')], env);
    expect(code).toBe(1);
    expect(lines.join()).toContain('no credentials found: looked at the environment (AWS_ACCESS_KEY_ID), profiles');
  });
});

describe('stackwise sentinel2 --download', () => {
  const names = DATES.map((day) => `S2A_10UDV_${day}_0_L2A_`);

  it('leaves folders alone that another process writes to', async () => {
    const lock = JSON.stringify({ pid: process.pid, host: hostname() });
    for (const name of ['busy-pull', 'busy-out']) {
      await mkdir(at(name));
      await writeFile(at(`${name}/.stackwise-lock`), lock);
      const args = name === 'busy-out' ? ['--out', at(name)] : ['--out', at('o'), '--download', at(name)];
      const { code, lines } = await run([...TILE, ...args]);
      expect(code).toBe(1);
      expect(lines.at(-1)).toContain(`process ${process.pid} is at work in ${at(name)} already`);
      expect(await readdir(at(name))).toEqual(['.stackwise-lock']);
    }
  });

  it('fetches bands into folders by colour, under names that mean something', async () => {
    const { code, lines } = await run([...TILE, '--out', at('d1'), '--download', at('pulled')]);
    expect(code).toBe(0);
    expect(lines.join()).toContain('20 files fetched into');
    expect((await readdir(at('pulled'))).sort()).toEqual([
      'blue',
      'downloads.json',
      'green',
      'items.json',
      'red',
      'scl',
    ]);
    expect((await readdir(at('pulled/red'))).sort()).toEqual(names.map((name) => `${name}red.tif`));
    expect(await readFile(at('d1/rgb.tif'))).toEqual(await readFile(at('rgb/rgb.tif')));
    const index = JSON.parse(await readFile(at('pulled/downloads.json'), 'utf8'));
    const bytes = await readFile(at(`pulled/red/${names[0]}red.tif`));
    expect(index[`red/${names[0]}red.tif`]).toMatchObject({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('fetches nothing twice, and again what was damaged', async () => {
    await writeFile(at(`pulled/red/${names[1]}red.tif`), 'short');
    const { lines } = await run([...TILE, '--out', at('d2'), '--download', at('pulled')]);
    expect(lines.join()).toMatch(/1 files fetched into .*, 19 there already/);
    expect(await readFile(at('d2/rgb.tif'))).toEqual(await readFile(at('rgb/rgb.tif')));
  });

  it('fetches what masks look at, and nothing where there is no mask', async () => {
    const masked = await run([...TILE, '--out', at('m1'), '--download', at('p1'), '--mask', 'SCL drop 9']);
    expect([masked.code, existsSync(at('p1/scl'))]).toEqual([0, true]);
    const plain = await run([...TILE, '--out', at('m2'), '--download', at('p2'), '--mask', 'none']);
    expect([plain.code, existsSync(at('p2/scl')), plain.lines.filter((line) => line.startsWith('stackwise:'))]).toEqual(
      [0, false, []],
    );
  });

  it('knows what earlier runs fetched into the same folder', async () => {
    const pull = (...more: string[]) => run(['10UDV', ...more, '--download', at('twice'), '--mask', 'none']);
    expect((await pull('2019-08-26', '2019-08-27', '--out', at('t1'))).code).toBe(0);
    expect((await pull('2019-08-31', '2019-09-01', '--out', at('t2'))).code).toBe(0);
    const scenes = JSON.parse(await readFile(at('t2/scenes.json'), 'utf8'));
    expect(scenes.features.map(({ id }: { id: string }) => id)).toEqual(['S2A_10UDV_20190831_0_L2A']);
    expect((await pull('2019-08-26', '2019-08-27', '--out', at('t3'), '--has-pulled')).code).toBe(0);
    expect(await readFile(at('t3/rgb.tif'))).toEqual(await readFile(at('t1/rgb.tif')));
  });

  it('uses what lies there with --has-pulled, without a bucket', async () => {
    const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const found = await run([...TILE, '--out', at('d3'), '--download', at('pulled'), '--has-pulled'], env);
    expect(found.code).toBe(0);
    expect(await readFile(at('d3/rgb.tif'))).toEqual(await readFile(at('rgb/rgb.tif')));
    const other = ['10UDU', ...TILE.slice(1), '--out', at('d5'), '--download', at('pulled'), '--has-pulled'];
    expect(await run(other, env)).toMatchObject({ code: 1 });
    expect((await run(other, env)).lines.join()).toMatch(/holds scenes of 10UDV at that time, and none of 10UDU/);
    await rm(at('pulled/items.json'));
    const named = await run([...TILE, '--out', at('d4'), '--download', at('pulled'), '--has-pulled'], env);
    expect(named).toMatchObject({ code: 0 });
    expect(await pixels(at('d4/rgb.tif'))).toEqual(await pixels(at('rgb/rgb.tif')));
  });
});

describe('stackwise sentinel2 --seed-compat', () => {
  it('gives the original medians bit for bit: nothing masked, zeros missing, halves truncated', async () => {
    const { code } = await run([...TILE, '--out', at('seed'), '--seed-compat', '--source', 'sentinel-cogs']);
    expect(code).toBe(0);
    const rgb = await pixels(at('seed/rgb.tif'));
    for (const [band, plane] of rgb.data.entries()) {
      const dates = [...DATES.keys()].map((date) => pattern(date, band));
      const wanted = Array.from(plane, (_, i) =>
        medianOf(
          dates.map((values) => values[i]!).filter((v) => v !== 0),
          true,
        ),
      );
      expect(Array.from(plane)).toEqual(wanted);
    }
  });

  it.each([
    [[2, 3], 2],
    [[1, 2], 1],
    [[1, 2, 3, 4], 2],
    [[0, 2, 3], 2],
    [[0, 0], 0],
    [[65535, 65534], 65534],
    [[65535], 65535],
    [[1, 2, 65535], 2],
  ])('%j is %i', async (values, wanted) => {
    const features = [];
    for (const [i, value] of values.entries()) {
      const name = `pair-${values.join('-')}-${i}.tif`;
      await writeCog(
        at(name),
        { grid: GRID, names: ['b'], data: [new Uint16Array(SIZE * SIZE).fill(value)], nodata: 0 },
        { overwrite: true },
      );
      features.push({
        type: 'Feature',
        id: `s${i}`,
        properties: { datetime: `2019-08-26T00:00:0${i}Z` },
        assets: { B04: { href: at(name), type: 'image/tiff' } },
        links: [],
      });
    }
    const scenes = await readScenes({ type: 'FeatureCollection', features });
    const options = {
      bands: ['B04'],
      statistics: 'median',
      masks: ['none'],
      group: 'none',
      rounding: 'truncate',
      threads: 0,
    } as const;
    const { results } = await composite(scenes, options);
    expect(new Set(results.median!.data[0])).toEqual(new Set([wanted]));
  });

  it('takes what the original program fetched, by the names that it gave', async () => {
    const compat = [...TILE, '--seed-compat'];
    expect(
      (await run([...compat, '--source', 'sentinel-cogs', '--out', at('s1'), '--download', at('s-pull')])).code,
    ).toBe(0);
    const keys = { red: 'B04', green: 'B03', blue: 'B02' };
    for (const [colour, key] of Object.entries(keys)) {
      await mkdir(at(`original/${colour}`), { recursive: true });
      for (const file of await readdir(at(`s-pull/${colour}`))) {
        const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)_/.exec(file)!;
        // The last band came to the bucket behind the full hour.
        const name = `0-${Number(year)}-${Number(month)}-${Number(day)}-${colour === 'blue' ? 15 : 14}-${key}.tif`;
        await copyFile(at(`s-pull/${colour}/${file}`), at(`original/${colour}/${name}`));
      }
    }
    await mkdir(at('original/final'));
    const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const { code, lines } = await run(
      [...compat, '--out', at('s2'), '--download', at('original'), '--has-pulled'],
      env,
    );
    expect(lines.join()).toContain('days are those of file names');
    expect(code).toBe(0);
    expect(await pixels(at('s2/rgb.tif'))).toEqual(await pixels(at('s1/rgb.tif')));
    const { features } = JSON.parse(await readFile(at('s2/scenes.json'), 'utf8'));
    expect(features.map(({ id }: { id: string }) => id)).toContain('0-2019-8-26-14');
    expect(features).toHaveLength(DATES.length);
  });

  it('is a median of L1C, of which nothing can be asked otherwise', async () => {
    const none = await run([...TILE, '--out', at('none'), '--seed-compat', '--stat', 'mean']);
    expect(none).toMatchObject({ code: 1, lines: [expect.stringContaining('--seed-compat is a median')] });
    const l1c = await run([...TILE, '--out', at('none'), '--seed-compat']);
    expect(l1c.lines.join()).toContain('there is no bucket sentinel-s2-l1c');
  });
});
