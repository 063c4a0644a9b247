import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../../build/app/simulate.js';
import { runTasks, saveTasks } from '../../../build/node.js';
import { hasSchemas, schemaErrors } from '../../fixture/stac-schemas.js';

const GDAL = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import osgeo.gdal, osgeo_utils.samples']).status === 0,
);
const hasSha1sum = spawnSync('sha1sum', ['--version']).status === 0;
const FACTS = resolve(import.meta.dirname, '../../io/gdal.py');

/** px; three blocks of 800 across with what is left, and overviews. */
const SIZE = 1800;
const GRID = {
  crs: 'EPSG:32631',
  resolution: 10,
  shape: [SIZE, SIZE],
  origin: [5_642_000 - SIZE * 10, 643_000],
  name: 'test',
};
const BANDS = ['B02', 'B03', 'B04'];
const TITLE = 'gm_x00y00_2024--P1Y_final';

let folder = '';
let tile = '';
const read = (end: string) => readFileSync(join(tile, TITLE + end), 'utf8');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-outputs-'));
  const { path } = await simulateScenes(join(folder, 'c'), { dates: 2, size: SIZE, tileSize: 512, overviews: false });
  const set = join(folder, 'set');
  await saveTasks([path], { grid: JSON.stringify(GRID), frequency: 'annual', tiles: '0:1,0:1', out: set });
  const location = join(folder, 'out');
  const { tasks } = await runTasks(set, [], {
    plugin: 'gm-s2',
    pluginConfig: { bands: BANDS },
    product: {
      name: 'gm',
      short_name: 'gm',
      version: '1.0.0',
      maturity: 'final',
      preview_image_ows_style: {
        name: 'rgb',
        components: { red: { B04: 1 }, green: { B03: 1 }, blue: { B02: 1 } },
        scale_range: [0, 3000],
      },
    },
    // As odc-stats has them: 800 and 256, rgba with a compression that is not written here.
    cogOpts: {
      zlevel: 1,
      overrides: {
        rgba: { compress: 'JPEG', jpeg_quality: 90 },
        COUNT: { overview_resampling: 'nearest', compress: 'zstd' },
        SMAD: { blocksize: 512, predictor: 3 },
        EMAD: { compress: 'none' },
      },
    },
    location,
    threads: 0,
  });
  expect(tasks).toMatchObject([{ status: 'done' }]);
  tile = join(location, 'x00/y00/2024--P1Y');
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('files of a run, by programs of others', () => {
  it.skipIf(!GDAL)(
    "are cloud optimized for GDAL's validator, whatever their blocks (needs GDAL)",
    () => {
      const files = readdirSync(tile).filter((name) => name.endsWith('.tif'));
      expect(files).toHaveLength(BANDS.length + 4 + 1);
      const facts = JSON.parse(
        execFileSync(GDAL!, [FACTS, ...files.map((name) => join(tile, name))], { encoding: 'utf8' }),
      );
      const item = JSON.parse(read('.stac-item.json'));
      for (const name of files) {
        const { errors, warnings, structure, bands, authority, transform } = facts[join(tile, name)];
        expect([errors, warnings], name).toEqual([[], []]);
        expect([authority, transform], name).toEqual(['32631', [643_000, 10, 0, 5_642_000, 0, -10]]);
        const key = /_([^_]+)\.tif$/.exec(name)![1]!;
        const side = key === 'SMAD' ? 512 : 800;
        const { overviews, blocks } = bands[0];
        expect(overviews, name).toEqual([900, 450, 225].map((px) => [px, px]));
        expect(blocks, name).toEqual([side, 256, 256, 256].map((px) => [px, px]));
        const wanted = { COUNT: 'ZSTD', EMAD: undefined }[key];
        expect(structure.COMPRESSION, name).toBe(key in { COUNT: 0, EMAD: 0 } ? wanted : 'DEFLATE');
        if (key === 'rgba') {
          expect(bands.map(({ colour }: { colour: string }) => colour)).toEqual(['Red', 'Green', 'Blue', 'Alpha']);
          continue;
        }
        // What the item says of the pixels is what GDAL finds in them.
        const { nodata, bands: stated, data_type } = item.assets[key];
        const { statistics } = (stated ?? [item.assets[key]])[0];
        const [minimum, maximum, mean, stddev] = bands[0].computed;
        expect(statistics.minimum).toBeCloseTo(minimum, 4);
        expect(statistics.maximum).toBeCloseTo(maximum, 4);
        expect(Math.abs(statistics.mean - mean)).toBeLessThan(1e-4 * Math.max(1, Math.abs(mean)));
        expect(Math.abs(statistics.stddev - stddev)).toBeLessThan(1e-3 * Math.max(1, stddev));
        expect(bands[0].type).toBe({ uint16: 'UInt16', float32: 'Float32' }[data_type as string]);
        expect(bands[0].nodata.toLowerCase()).toBe(key === 'COUNT' ? 'none' : nodata === 'nan' ? 'nan' : '0.0');
      }
    },
    60_000,
  );

  it.skipIf(!hasSha1sum)('are what their sums say (needs sha1sum)', () => {
    const sums = `${TITLE}.sha1`;
    const told = execFileSync('sha1sum', ['-c', '--strict', sums], { cwd: tile, encoding: 'utf8' }).trim().split('\n');
    expect(told.every((line) => line.endsWith(': OK'))).toBe(true);
    expect(told.map((line) => line.replace(/: OK$/, '')).sort()).toEqual(
      readdirSync(tile)
        .filter((name) => name !== sums)
        .sort(),
    );
  });

  it.skipIf(!hasSchemas)('have an item and a collection that the schemas take (needs STACKWISE_DATA)', () => {
    const item = JSON.parse(read('.stac-item.json'));
    expect(schemaErrors(item)).toEqual([]);
    const collection = JSON.parse(readFileSync(join(folder, 'out/collection.json'), 'utf8'));
    expect(schemaErrors(collection, 'collection')).toEqual([]);
    expect(item.collection).toBe(collection.id);
  });

  it('are all linked to: each address of the item and the collection leads to a file', () => {
    const item = JSON.parse(read('.stac-item.json'));
    const assets = Object.values(item.assets as Record<string, { href: string }>).map(({ href }) => href);
    const links = (item.links as { rel: string; href: string }[]).map(({ href }) => href);
    const local = [...assets, ...links].filter((href) => !/^[a-z]+:/.test(href));
    for (const href of local) expect(readFileSync(join(tile, href)).length, href).toBeGreaterThan(0);
    const named = new Set(local.map((href) => href.replace(/^\.\//, '')));
    const lacking = readdirSync(tile).filter((name) => !named.has(name) && !name.endsWith('.stac-item.json'));
    expect(lacking).toEqual([]);
  });
});
