// Real scenes brought to other CRSs, against `gdalwarp -et 0`. gdalwarp derives how far its kernels widen from the sizes of its chunks;
// it is told the ratio of the pixels instead, which is what ours go by.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { composite, type Grid, type Scene, writeCog } from '../../build/index.js';
import { openCog } from '../../build/io/cog.js';
import { fileStore } from '../../build/io/file.js';
import { readWindow } from '../../build/io/window.js';
import { placeAcross, ratiosOf } from '../../build/stats/placement.js';
import { seeded } from '../random.js';
import { kernelRatioOf } from '../reference.js';

const DATA = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
const GDAL = spawnSync('gdalwarp', ['--version']).status === 0;
const S2 = 's2-l2a-belgium-31UDS/S2_31UDS_20170827T110448/B04.tif';
const TWM = 's2-l2a-33TWM-120m/cog/S2A_33TWM_20230815_0_L2A/B04.tif';

const CASES: readonly [file: string, crs: string, resolution: number][] = [
  [S2, 'EPSG:3035', 10],
  [S2, 'EPSG:32632', 10],
  [S2, 'EPSG:32632', 20],
  [S2, 'EPSG:3035', 23],
  ['landsat57-sr-washington/LE70460272000029EDC00/sr.tif', 'EPSG:32610', 30],
  ['landsat8-elkton-c1/L8-B4-Elkton-VA.tiff', 'EPSG:4326', 0.0003],
  ['landsat8-elkton-c1/L8-B4-Elkton-VA-4326.tiff', 'EPSG:32617', 30],
  [TWM, 'EPSG:3035', 120],
  [TWM, 'EPSG:32632', 100],
  [TWM, 'EPSG:4326', 0.0012],
];

async function readFirst(file: string) {
  const raster = await openCog(file, { store: fileStore() });
  const { width, height, grid, bands } = raster.header;
  const [data] = await readWindow(raster, { level: 0, window: { col: 0, row: 0, width, height }, bands: [0] });
  await raster.close();
  return { data: data as Uint16Array, grid: grid!, band: bands[0]! };
}

function sceneOf(href: string, grid: Grid, { dtype, nodata }: { dtype: 'u16'; nodata: number }): Scene {
  const band = { href, bandIndex: 0, name: null, commonName: null, dtype, nodata, scale: 1, offset: 0, grid };
  const nothing = { collection: null, cloudCoverPercent: null, bbox: null, geometry: null, platform: null, href: null };
  return { ...nothing, id: 'a', timeMs: 0, crs: grid.crs, bands: { b: band } };
}

describe.skipIf(!GDAL || !existsSync(join(DATA, S2)))('real scenes in another CRS equal gdalwarp', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stackwise-warp-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describe.each(CASES)('%s to %s at %d', (name, crs, resolution) => {
    it.each(['nearest', 'bilinear', 'cubic'] as const)('%s', async (resampling) => {
      const file = join(DATA, name);
      const { grid: own, band } = await readFirst(file);
      const nodata = band.nodata ?? 0;
      const scenes = [sceneOf(file, own, { dtype: 'u16', nodata })];
      const options = { bands: ['b'], statistics: 'first', masks: ['none'], threads: 0, resampling, crs, resolution };
      const { grid, data } = (await composite(scenes, options)).results.first!;
      const [a, , c, , e, f] = grid.affine;
      const ratio = ratiosOf(await placeAcross(own, grid));
      const out = join(folder, 'out.tif');
      const args = [
        ...['-q', '-overwrite', '-et', '0', '-r', resampling === 'nearest' ? 'near' : resampling, '-t_srs', crs],
        ...['-te', c, f + e * grid.height, c + a * grid.width, f, '-ts', grid.width, grid.height],
        ...['-srcnodata', nodata, '-dstnodata', nodata],
        ...['-wo', `XSCALE=${1 / kernelRatioOf(ratio.x)}`, '-wo', `YSCALE=${1 / kernelRatioOf(ratio.y)}`],
      ];
      execFileSync('gdalwarp', [...args.map(String), file, out]);
      const theirs = (await readFirst(out)).data;
      const differences = Array.from(data[0]!, (value, i) => {
        const other = theirs[i]!;
        if (value === nodata || other === nodata) return value === other ? null : Infinity;
        return Math.abs(value - other);
      }).filter((difference) => difference !== null);
      const good = differences.filter((difference) => difference <= (resampling === 'nearest' ? 0 : 1));
      expect(differences.length).toBeGreaterThan(700);
      expect(good.length / differences.length).toBeGreaterThanOrEqual(0.999);
    });
  });

  it('the same band in degrees and in UTM meet on one grid', async () => {
    const [utm, degrees] = ['', '-4326'].map((tail) => join(DATA, `landsat8-elkton-c1/L8-B4-Elkton-VA${tail}.tiff`));
    const pair = await Promise.all([utm!, degrees!].map(readFirst));
    const run = async (i: number) => {
      const scene = sceneOf([utm!, degrees!][i]!, pair[i]!.grid, { dtype: 'u16', nodata: 0 });
      const like = pair[0]!.grid;
      return (await composite([scene], { bands: ['b'], statistics: 'first', masks: ['none'], threads: 0, like }))
        .results.first!.data[0]!;
    };
    const [p, q] = [await run(0), await run(1)];
    // The copy in degrees was itself made by the nearest pixel: most are the same one again, the others a neighbour.
    const both = Array.from(p, (value, i) => [value, q[i]!] as const).filter(([v, w]) => v !== 0 && w !== 0);
    expect(both.length).toBeGreaterThan(0.95 * p.length);
    expect(both.filter(([v, w]) => v === w).length / both.length).toBeGreaterThan(0.6);
  });
});

describe.skipIf(!GDAL)('a grid of the globe at its poles equals gdalwarp, told the same ratio (needs GDAL)', () => {
  let folder = '';
  let own: Grid;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stackwise-globe-'));
    const random = seeded(25);
    const [width, height] = [1440, 720];
    own = { crs: parseCrs('EPSG:4326'), affine: [0.25, 0, -180, 0, -0.25, 90], width, height };
    const data = Uint16Array.from({ length: width * height }, (_, i) =>
      Math.round(5000 + 2000 * Math.sin((i % width) / 76) + 1500 * Math.cos(i / width / 40) + 300 * random()),
    );
    await writeCog(join(folder, 'globe.tif'), { grid: own, names: ['b'], data: [data], nodata: 0 });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['EPSG:3031', 25_000, -3e6, 3e6, { x: 2.4, y: 0.9 }],
    ['EPSG:3413', 25_000, -3e6, 3e6, { x: 2.4, y: 0.9 }],
    // Its middle, at 0° E 0° N, says nothing of Europe either.
    ['EPSG:3035', 20_000, 2.5e6, 4.5e6, { x: 1.1, y: 0.7 }],
  ] as const)('%s', async (crs, step, left, top, about) => {
    const size = 120;
    const grid: Grid = { crs: parseCrs(crs), affine: [step, 0, left, 0, -step, top], width: size, height: size };
    const like: Grid = crs === 'EPSG:3035' ? grid : { ...grid, width: 240, height: 240 };
    const ratio = ratiosOf(await placeAcross(own, like));
    expect(Math.abs(ratio.x - about.x)).toBeLessThan(0.6);
    expect(Math.abs(ratio.y - about.y)).toBeLessThan(0.1);
    const file = join(folder, 'globe.tif');
    const out = join(folder, `${crs.slice(5)}.tif`);
    for (const resampling of ['nearest', 'bilinear', 'cubic'] as const) {
      const scenes = [sceneOf(file, own, { dtype: 'u16', nodata: 0 })];
      const options = { bands: ['b'], statistics: 'first', masks: ['none'], threads: 0, resampling, like };
      const { data } = (await composite(scenes, options)).results.first!;
      const corner = [left + step * like.width, top - step * like.height];
      const args = [
        ...['-q', '-overwrite', '-et', '0', '-ovr', 'NONE', '-r', resampling === 'nearest' ? 'near' : resampling],
        ...['-t_srs', crs, '-te', left, corner[1]!, corner[0]!, top, '-ts', like.width, like.height],
        ...['-wo', `XSCALE=${1 / kernelRatioOf(ratio.x)}`, '-wo', `YSCALE=${1 / kernelRatioOf(ratio.y)}`],
      ];
      execFileSync('gdalwarp', [...args.map(String), file, out], { stdio: ['ignore', 'ignore', 'ignore'] });
      const theirs = (await readFirst(out)).data;
      const good = Array.from(data[0]!).filter(
        (value, i) => Math.abs(value - theirs[i]!) <= (resampling === 'nearest' ? 0 : 1),
      );
      expect(good.length / theirs.length, resampling).toBeGreaterThanOrEqual(0.999);
    }
  });
});
