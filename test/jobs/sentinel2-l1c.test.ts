import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crsToLonLat } from '../../build/geo/crs.js';
import { openRaster } from '../../build/io/open-raster.js';
import { storeFor } from '../../build/io/stores.js';
import { readWindow } from '../../build/io/window.js';
import { type Grid, writeCog } from '../../build/node.js';
import { tileKeys } from '../fixture/archive-bucket.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';

const build = path.resolve(import.meta.dirname, '../../build');
const TRANSLATE = 'gdal_translate';
const READS = existsSync(path.resolve(build, '../src/io/jp2.ts'));
const WRITES = spawnSync(TRANSLATE, ['--formats'], { encoding: 'utf8' }).stdout?.includes('JP2OpenJPEG') ?? false;
const SIZE = 160;
const CRS = { epsg: 32618, definition: null, geoKeys: null };
/** The corner of the mock's tiles. */
const GRID: Grid = { crs: CRS, affine: [10, 0, 399960, 0, -10, 5500020], width: SIZE, height: SIZE };
const TIMES = ['2021-12-20T15:41:01.000Z', '2021-12-30T15:41:01.000Z', '2022-02-08T15:41:01.000Z'];

let folder = '';
let server: S3Server;
let undo: () => void;
const at = (name: string) => path.join(folder, name);

/** Reflectance × 10 000 as that day's baseline stores it: 1000 more since 2022. */
function stored(date: number, band: number): Uint16Array {
  return new Uint16Array(SIZE * SIZE).map((_, i) => {
    if ((i % SIZE) + band < 20 * date) return 0;
    const reflectance = 1 + ((i * 7 + band * 131 + date * 17) % 3000);
    return reflectance + (date === 2 ? 1000 : 0);
  });
}

async function writeProduct(date: number): Promise<void> {
  const product = { tile: '18TTK', time: TIMES[date]!, sequence: 0, baseline: date === 2 ? '04.00' : '03.01' };
  for (const [key, bytes] of tileKeys(product)) {
    const band = /\/(B0[234])\.jp2$/.exec(key)?.[1];
    let content = bytes;
    if (band && !key.includes('preview')) {
      const [tif, jp2] = [at('one.tif'), at('one.jp2')];
      const data = [stored(date, ['B04', 'B03', 'B02'].indexOf(band))];
      await writeCog(tif, { grid: GRID, names: ['b'], data, nodata: null }, { overwrite: true });
      const how = [
        '-of',
        'JP2OpenJPEG',
        '-co',
        'REVERSIBLE=YES',
        '-co',
        'QUALITY=100',
        '-co',
        'BLOCKXSIZE=64',
        '-co',
        'BLOCKYSIZE=64',
      ];
      const made = spawnSync(TRANSLATE, ['-q', ...how, '-co', 'YCBCR420=NO', tif, jp2], { encoding: 'utf8' });
      expect(made.stderr).toBe('');
      content = await readFile(jp2);
    }
    await storeFor('s3://a/b').write(`s3://sentinel-s2-l1c/${key}`, content);
  }
}

describe.skipIf(!READS || !WRITES)(
  "pictures of level 1C (skipped without a reader, or GDAL's writer, of JPEG 2000)",
  () => {
    let bbox = '';
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'stackwise-l1c-'));
      server = await startS3('sentinel-s2-l1c');
      undo = useS3(server);
      for (const date of TIMES.keys()) await writeProduct(date);
      const toLonLat = await crsToLonLat(CRS);
      const [west, south] = toLonLat(399960 + 200, 5500020 - 1400);
      const [east, north] = toLonLat(399960 + 1400, 5500020 - 200);
      bbox = [west, south, east, north].join(',');
    });
    afterAll(async () => {
      undo?.();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function picture(out: string, ...more: string[]) {
      const args = [
        'sentinel2',
        '18TTK',
        '2021-12-01',
        '2022-02-28',
        '--source',
        'l1c',
        `--bbox=${bbox}`,
        '--threads',
        '0',
        '--out',
        at(out),
      ];
      const child = spawn(process.execPath, [path.join(build, 'app/cli.js'), ...args, ...more], { env: process.env });
      let err = '';
      child.stderr.on('data', (text) => {
        err += text;
      });
      const code = await new Promise<number | null>((done) => child.on('close', done));
      expect([code, err.split('\n').filter((line) => line.startsWith('stackwise:'))]).toEqual([0, []]);
      const raster = await openRaster(at(`${out}/rgb.tif`));
      const { width, height, grid } = raster.header;
      const data = await readWindow(raster, { level: 0, window: { col: 0, row: 0, width, height }, bands: [0, 1, 2] });
      await raster.close();
      const col = Math.round((grid!.affine[2] - 399960) / 10);
      const row = Math.round((5500020 - grid!.affine[5]) / 10);
      return { width, height, col, row, data: data as Uint16Array[] };
    }

    /** The medians of a picture's pixels from what was stored. */
    function medians(
      p: Awaited<ReturnType<typeof picture>>,
      band: number,
      value: (v: number, date: number) => number,
      truncated: boolean,
    ) {
      const dates = [0, 1, 2].map((date) => stored(date, band));
      return Array.from({ length: p.width * p.height }, (_, i) => {
        const px = (p.row + Math.floor(i / p.width)) * SIZE + p.col + (i % p.width);
        const values = [0, 1, 2].flatMap((date) => {
          const v = dates[date]![px]!;
          return v === 0 ? [] : [value(v, date)];
        });
        values.sort((a, b) => a - b);
        if (values.length === 0) return 0;
        const exact = (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2;
        const floor = Math.floor(exact);
        return exact === floor || truncated || floor % 2 === 0 ? floor : floor + 1;
      });
    }

    it.each([[[]], [['--download', 'pulled']]])('take all baselines to the same reflectance %j', async (more) => {
      const args = more.map((word) => (word === 'pulled' ? at('pulled') : word));
      const got = await picture(`auto${more.length}`, ...args);
      expect(got.width).toBeGreaterThan(110);
      for (const band of [0, 1, 2])
        expect(Array.from(got.data[band]!)).toEqual(
          medians(got, band, (v, date) => (date === 2 ? Math.max(1, v - 1000) : v), false),
        );
    });

    it("have the original program's numbers with --seed-compat", async () => {
      const got = await picture('seed', '--seed-compat');
      for (const band of [0, 1, 2]) expect(Array.from(got.data[band]!)).toEqual(medians(got, band, (v) => v, true));
    });
  },
);
