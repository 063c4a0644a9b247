import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameCrs } from '../../../build/geo/crs.js';
import { openCog } from '../../../build/io/cog.js';
import { fileStore } from '../../../build/io/file.js';
import { readWindow } from '../../../build/io/window.js';
import { type RunOptions, runTasks, saveTasks, verify } from '../../../build/node.js';
import { hasSchemas, schemaErrors } from '../../fixture/stac-schemas.js';
import { readDataset, readTile } from '../../fixture/tile-files.js';

const data = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../../shared/data');
const S2 = join(data, 's2-l2a-belgium-31UDS');
const LANDSAT = join(data, 'landsat57-sr-washington');
const present = existsSync(S2) && existsSync(LANDSAT);
const SIDE = 64;
const GDAL = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import osgeo.gdal']).status === 0,
);
const SAME_SRS = `import sys
from osgeo import gdal
gdal.UseExceptions()
a, b = [gdal.Open(path).GetSpatialRef() for path in sys.argv[1:]]
print(a.IsSame(b))`;

interface Stack {
  name: string;
  folder: string;
  /** A tile of it is the files' own pixels. */
  grid: { crs: string; resolution: number; shape: [number, number]; origin: [number, number] };
  plugin: string;
  pluginConfig: Record<string, unknown>;
  bands: readonly string[];
  aux: readonly [smad: string, emad: string, bcmad: string, count: string];
  period: string;
}

/** Validity as expected/README.txt of both stacks has it: classes dropped where they lie, each scene by itself. */
const STACKS: readonly Stack[] = [
  {
    name: 'gm-s2 over s2-l2a-belgium-31UDS',
    folder: S2,
    grid: { crs: 'EPSG:32631', resolution: 10, shape: [SIDE, SIDE], origin: [5_629_680 - SIDE * 10, 501_360] },
    plugin: 'gm-s2',
    pluginConfig: {
      nodata_classes: ['no data', 'saturated or defective'],
      cloud_filters: { 'cloud shadows': [], '8|9': [], 'thin cirrus': [] },
      group_by: 'none',
      resampling: 'nearest',
    },
    bands: ['B02', 'B03', 'B04', 'B05', 'B06', 'B07', 'B08', 'B8A', 'B11', 'B12'],
    aux: ['SMAD', 'EMAD', 'BCMAD', 'COUNT'],
    period: '2017--P2Y',
  },
  {
    name: 'gm-ls over landsat57-sr-washington, whose CRS has no code',
    folder: LANDSAT,
    grid: { crs: '', resolution: 30, shape: [SIDE, SIDE], origin: [2_952_960 - SIDE * 30, -2_062_080] },
    plugin: 'gm-ls',
    pluginConfig: {
      bands: ['blue', 'green', 'red', 'nir', 'swir1', 'swir2'],
      mask_band: 'cfmask',
      contiguity_band: 'none',
      nodata_classes: [255],
      cloud_filters: { '2|4': [], 3: [] },
      group_by: 'none',
      resampling: 'nearest',
    },
    bands: ['blue', 'green', 'red', 'nir', 'swir1', 'swir2'],
    aux: ['sdev', 'edev', 'bcdev', 'count'],
    period: '2000--P6Y',
  },
];

let out = '';
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'stackwise-run-real-'));
  if (!present) return;
  const { features } = JSON.parse(readFileSync(join(LANDSAT, 'items.json'), 'utf8'));
  STACKS[1]!.grid.crs = features[0].properties['proj:wkt2'];
});
afterAll(() => rm(out, { recursive: true, force: true }));

async function tileOf(stack: Stack, options: Partial<RunOptions> = {}) {
  const place = join(out, `${stack.plugin}${options.compat ?? ''}`);
  const set = join(place, 'set');
  await saveTasks([join(stack.folder, 'items.json')], {
    grid: JSON.stringify({ ...stack.grid, name: 'own_pixels' }),
    frequency: 'all',
    tiles: '0:1,0:1',
    out: set,
  });
  const { plugin, pluginConfig } = stack;
  const product = { name: 'gm', short_name: 'gm', version: '1.0.0' };
  const run = { plugin, pluginConfig, product, threads: 0, location: join(place, 'out'), ...options };
  const { tasks } = await runTasks(set, [], run);
  expect(tasks).toMatchObject([{ status: 'done', id: `${stack.period}/0/0` }]);
  const folder = join(place, 'out/x00/y00', stack.period);
  const title = `gm_x00y00_${stack.period}`;
  return { folder, title, planes: await readTile(folder, title, [...stack.bands, ...stack.aux]) };
}

async function expected(stack: Stack, name: string): Promise<ArrayLike<number>[]> {
  const raster = await openCog(join(stack.folder, 'expected', `${name}.tif`), { store: fileStore() });
  const window = { col: 0, row: 0, width: SIDE, height: SIDE };
  const planes = await readWindow(raster, { level: 0, window, bands: raster.header.bands.map((_, i) => i) });
  await raster.close();
  return planes as unknown as ArrayLike<number>[];
}

/** Distances of all pixels, sorted; NaN (or `nodata` in `got`) on one side only is infinitely far. */
function distances(got: ArrayLike<number>, wanted: ArrayLike<number>, nodata: number | null = null): number[] {
  expect(got.length).toBe(wanted.length);
  return Array.from(got, (value, i) => {
    const lacks = [Number.isNaN(value) || value === nodata, Number.isNaN(wanted[i]!)];
    if (lacks[0] || lacks[1]) return lacks[0] && lacks[1] ? 0 : Infinity;
    return Math.abs(value - wanted[i]!);
  }).sort((a, b) => a - b);
}
const far = (got: ArrayLike<number>, wanted: ArrayLike<number>) => distances(got, wanted).at(-1)!;
const p99 = (sorted: readonly number[]) => sorted[Math.floor(0.99 * (sorted.length - 1))]!;

describe.skipIf(!present).each(STACKS)('$name (skipped without STACKWISE_DATA)', (stack) => {
  let tile: Awaited<ReturnType<typeof tileOf>>;
  beforeAll(async () => {
    tile = await tileOf(stack);
  }, 60_000);
  const NODATA = stack.plugin === 'gm-s2' ? 0 : -9999;

  it('counts what counts', async () => {
    expect(far(tile.planes[stack.aux[3]]!, (await expected(stack, 'count'))[0]!)).toBe(0);
  });

  it('gives the geomedian in whole DN: 0.5 of rounding, and 0.05 for 99 % and 0.5 for all of its own', async () => {
    for (const [i, wanted] of (await expected(stack, 'geomedian')).entries()) {
      const got = tile.planes[stack.bands[i]!]!;
      expect(got).toBeInstanceOf(stack.plugin === 'gm-s2' ? Uint16Array : Int16Array);
      const sorted = distances(got, wanted, NODATA);
      expect(p99(sorted), stack.bands[i]).toBeLessThanOrEqual(0.55);
      expect(sorted.at(-1), stack.bands[i]).toBeLessThanOrEqual(1);
    }
  });

  it('gives the MADs in f32: EMAD within 0.05 DN for 99 % and 0.5 for all, SMAD and BCMAD within 1e-4', async () => {
    const [smad, emad, bcmad] = stack.aux;
    const wanted = await expected(stack, 'mads');
    expect(tile.planes[emad]).toBeInstanceOf(Float32Array);
    const sorted = distances(tile.planes[emad]!, wanted[0]!);
    expect(p99(sorted)).toBeLessThanOrEqual(0.05);
    expect(sorted.at(-1)).toBeLessThanOrEqual(0.5);
    expect(far(tile.planes[smad]!, wanted[1]!)).toBeLessThanOrEqual(1e-4);
    expect(far(tile.planes[bcmad]!, wanted[2]!)).toBeLessThanOrEqual(1e-4);
  });

  it('has documents that agree, and files that are what they say', async () => {
    const read = (end: string) => readFile(join(tile.folder, `${tile.title}${end}`), 'utf8');
    const item = JSON.parse(await read('.stac-item.json'));
    const dataset = await readDataset(join(tile.folder, `${tile.title}.odc-metadata.yaml`));
    expect(dataset.id).toBe(item.id);
    expect(dataset.lineage).toEqual(item.properties['odc:lineage']);
    const { features } = JSON.parse(readFileSync(join(stack.folder, 'items.json'), 'utf8'));
    expect(Object.values(dataset.lineage).flat()).toHaveLength(features.length);
    const [x0, y1] = [stack.grid.origin[1], stack.grid.origin[0] + SIDE * stack.grid.resolution];
    const transform = [stack.grid.resolution, 0, x0, 0, -stack.grid.resolution, y1];
    expect(dataset.grids.default.transform.slice(0, 6)).toEqual(transform);
    for (const band of [...stack.bands, ...stack.aux]) {
      const asset = item.assets[band];
      expect(dataset.measurements[band]!.path).toBe(`${tile.title}_${band}.tif`);
      expect(asset['proj:transform'].slice(0, 6)).toEqual(transform);
      // Own code, or the whole definition where there is none.
      if (stack.plugin === 'gm-s2') expect([asset['proj:code'], dataset.crs]).toEqual(['EPSG:32631', 'epsg:32631']);
      else {
        expect(asset['proj:code']).toBeNull();
        expect(asset['proj:wkt2']).toMatch(/^PROJCRS\[.*Albers Equal Area.*29\.5.*45\.5/s);
        expect(dataset.crs).toMatch(/^PROJCRS\[.*Albers Equal Area/s);
      }
    }
    const [lon, lat] = [item.bbox[0], item.bbox[1]];
    const [west, south] = features[0].bbox;
    expect(Math.abs(lon - west) + Math.abs(lat - south)).toBeLessThan(1e-3);
    const checked = await verify(join(tile.folder, `${tile.title}.stac-item.json`));
    expect([checked.wrong, checked.files]).toEqual([0, expect.any(Number)]);
    expect(checked.files).toBeGreaterThanOrEqual(stack.bands.length + 4);
    if (hasSchemas) expect(schemaErrors(item)).toEqual([]);
  });

  it('lies where its scenes lie: the same CRS, the same pixels', async () => {
    const own = stack.plugin === 'gm-s2' ? 'S2_31UDS_20170804T105328/B02.tif' : 'LE70460272000029EDC00/sr.tif';
    const paths = [join(tile.folder, `${tile.title}_${stack.bands[0]}.tif`), join(stack.folder, own)];
    const [made, source] = await Promise.all(paths.map((path) => openCog(path, { store: fileStore() })));
    const [ours, theirs] = [made!.header.grid!, source!.header.grid!];
    expect(ours.affine).toEqual(theirs.affine);
    expect(sameCrs(ours.crs, theirs.crs)).toBe(true);
    await Promise.all([made!.close(), source!.close()]);
    if (GDAL !== undefined) expect(execFileSync(GDAL, ['-c', SAME_SRS, ...paths], { encoding: 'utf8' })).toBe('1\n');
  });
});

/** The planes of a .npy file [band][y][x] of little-endian f4 or u2. */
function readNpy(file: string): ArrayLike<number>[] {
  const bytes = readFileSync(file);
  const begin = 10 + bytes.readUInt16LE(8);
  const body = new Uint8Array(bytes.subarray(begin)).buffer;
  const all = bytes.subarray(0, begin).includes('<f4') ? new Float32Array(body) : new Uint16Array(body);
  return Array.from({ length: all.length / SIDE ** 2 }, (_, i) => all.subarray(i * SIDE ** 2, (i + 1) * SIDE ** 2));
}

describe.skipIf(!present)('compat: odc against the real geomad (skipped without STACKWISE_DATA)', () => {
  it('agrees to 1 DN with at most 5 % unequal, and in EMAD to 1 DN, SMAD and BCMAD to 1e-3', async () => {
    const stack = STACKS[0]!;
    const { planes, folder, title } = await tileOf(stack, { compat: 'odc' });
    const peer = (name: string) => readNpy(join(S2, 'geomad', `${name}.npy`));
    const steps = peer('int').flatMap((wanted, i) => distances(planes[stack.bands[i]!]!, wanted));
    expect(steps).toHaveLength(10 * SIDE ** 2);
    expect(Math.max(...steps)).toBeLessThanOrEqual(1);
    expect(steps.filter((d) => d > 0).length / steps.length).toBeLessThanOrEqual(0.05);
    const [smad, emad, bcmad] = peer('mads') as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
    expect(far(planes.SMAD!, smad)).toBeLessThanOrEqual(1e-3);
    expect(far(planes.EMAD!, emad)).toBeLessThanOrEqual(1);
    expect(far(planes.BCMAD!, bcmad)).toBeLessThanOrEqual(1e-3);
    expect(far(planes.COUNT!, peer('count')[0]!)).toBe(0);
    const record = await readFile(join(folder, `${title}.proc-info.yaml`), 'utf8');
    expect(record).toContain('compat: odc');
  }, 60_000);
});
