// The same scenes as COGs and as JPEG 2000, on the disk and in a bucket, give the same composite, bit for bit.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import type { NumericArray } from '../../build/io/raster.js';
import { storeFor } from '../../build/io/stores.js';
import { readWindow } from '../../build/io/window.js';
import { type CompositeOptions, composite, type Grid, readScenes, writeCog } from '../../build/node.js';
import { HEIGHT, JP2, type Jp2Fixture, jp2Bytes, openBytes, WIDTH } from '../fixture/jp2.js';
import { type S3Server, startS3, useS3 } from '../fixture/s3-server.js';

const BUCKET = 's3://formats';

let folder = '';
let server: S3Server;
let undo: () => void;
const at = (...names: string[]) => path.join(folder, ...names);

/** Copies a folder of the disk into the bucket. */
async function upload(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const inner = path.join(from, entry.name);
    if (entry.isDirectory()) await upload(inner, `${to}/${entry.name}`);
    else await storeFor(to).write(`${to}/${entry.name}`, await readFile(inner));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-formats-'));
  server = await startS3('formats');
  undo = useS3(server);
});
afterAll(async () => {
  undo();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The composites of one collection in its four forms, each with no thread and with two, are all those of COGs on the disk. */
async function expectEqual(
  name: string,
  options: CompositeOptions,
): Promise<Record<string, readonly ArrayLike<number>[]>> {
  const of = async (from: string, threads: number) => {
    const { results } = await composite(await readScenes(from), { ...options, threads });
    return Object.fromEntries(Object.entries(results).map(([key, { data }]) => [key, data]));
  };
  const wanted = await of(at(name, 'cog'), 0);
  for (const form of ['cog', 'jp2']) {
    for (const from of [at(name, form), `${BUCKET}/${name}/${form}`]) {
      for (const threads of [0, 2]) {
        if (from === at(name, 'cog') && threads === 0) continue;
        const got = await of(from, threads);
        expect(Object.keys(got)).toEqual(Object.keys(wanted));
        for (const [key, planes] of Object.entries(wanted)) {
          for (const [band, plane] of planes.entries()) {
            // Typed arrays are compared as bytes: NaNs count, and a million values are no diff to print.
            const [a, b] = [got[key]![band]!, plane].map(({ buffer, byteOffset, byteLength }) =>
              Buffer.from(buffer, byteOffset, byteLength),
            );
            expect(a!.equals(b!), `${from}, ${threads} threads: ${key} ${band}`).toBe(true);
          }
        }
      }
    }
  }
  return wanted;
}

describe('small scenes', () => {
  const CRS = { epsg: 32631, definition: null, geoKeys: null };
  /** A value that a ramp has here and there is the missing one. */
  const NODATA = 640;
  const BANDS: Record<string, { fixtures: readonly Jp2Fixture[]; gsd: number; nodata: number | null }> = {
    red: { fixtures: [JP2.lengths, JP2.codestream, JP2.lengths], gsd: 10, nodata: NODATA },
    nir: { fixtures: [JP2.codestream, JP2.lengths, JP2.codestream], gsd: 10, nodata: NODATA },
    swir: { fixtures: [JP2.lengths, JP2.lengths, JP2.codestream], gsd: 20, nodata: NODATA },
    scl: { fixtures: [JP2.bytes, JP2.bytes, JP2.bytes], gsd: 20, nodata: null },
  };

  /** A scene that lies `shift` px of 20 m to the south-east of the first. */
  async function scene(shift: number, form: 'cog' | 'jp2'): Promise<void> {
    const id = `scene-${shift}`;
    await mkdir(at('small', form, id), { recursive: true });
    const assets: Record<string, unknown> = {};
    for (const [band, { fixtures, gsd, nodata }] of Object.entries(BANDS)) {
      const fixture = fixtures[shift]!;
      const affine = [gsd, 0, 600_000 + 20 * shift, 0, -gsd, 5_600_000 - 20 * shift] as const;
      const grid: Grid = { crs: CRS, affine, width: WIDTH, height: HEIGHT };
      const file = `${band}.${form === 'cog' ? 'tif' : 'jp2'}`;
      const bytes = jp2Bytes(fixture);
      if (form === 'jp2') await writeFile(at('small', form, id, file), bytes);
      else {
        const window = { col: 0, row: 0, width: WIDTH, height: HEIGHT };
        const data = await readWindow(await openBytes(bytes), { level: 0, window, bands: [0] });
        await writeCog(
          at('small', form, id, file),
          { grid, names: [band], data: data as NumericArray[], nodata },
          { tileSize: 32 },
        );
      }
      const place = { 'proj:shape': [HEIGHT, WIDTH], 'proj:transform': affine };
      assets[band] = { href: file, roles: ['data'], 'raster:bands': [nodata === null ? {} : { nodata }], ...place };
    }
    const properties = { datetime: `2022-01-0${1 + shift}T10:00:00Z`, 'proj:epsg': 32631 };
    const item = { type: 'Feature', stac_version: '1.0.0', id, geometry: null, properties, links: [], assets };
    await writeFile(at('small', form, id, 'item.json'), JSON.stringify(item));
  }

  beforeAll(async () => {
    for (const form of ['cog', 'jp2'] as const) for (const shift of [0, 1, 2]) await scene(shift, form);
    await upload(at('small'), `${BUCKET}/small`);
  });

  it.each(['nearest', 'bilinear'] as const)('give the same composite in every form: %s', async (resampling) => {
    const wanted = await expectEqual('small', {
      bands: ['red', 'nir', 'swir'],
      statistics: 'median,mean,std,geomedian,mads,count,first',
      masks: ['scl drop 3,8,9,10,20,21,60,61,62,63 | dilation 1'],
      resampling,
    });
    const counts = new Set(wanted.count![0] as Uint16Array);
    expect([...counts].sort()).toEqual([0, 1, 2, 3]);
  });

  it('give the same composite in every form in another CRS', async () => {
    await expectEqual('small', {
      bands: ['red', 'swir'],
      statistics: 'median,count',
      masks: ['scl drop 3,8,9,10'],
      crs: 'EPSG:3035',
      resolution: 15,
      resampling: 'cubic',
    });
  });
});

const formats = spawnSync('gdal_translate', ['--formats'], { encoding: 'utf8' }).stdout ?? '';
const GDAL = formats.includes('JP2OpenJPEG');

describe.skipIf(!GDAL)(`simulated scenes${GDAL ? '' : ' (skipped: GDAL cannot write JPEG 2000 here)'}`, () => {
  const SIZE = 1060;

  beforeAll(async () => {
    await simulateScenes(at('large/cog'), { dates: 3, size: SIZE, tileSize: 256 });
    const folders = await readdir(at('large/cog'), { withFileTypes: true });
    for (const { name } of folders.filter((entry) => entry.isDirectory())) {
      await mkdir(at('large/jp2', name), { recursive: true });
      for (const file of await readdir(at('large/cog', name))) {
        const from = at('large/cog', name, file);
        if (file.endsWith('.json')) {
          const text = await readFile(from, 'utf8');
          await writeFile(
            at('large/jp2', name, file),
            text.replace(/\.tif"/g, '.jp2"').replace(/image\/tiff[^"]*/g, 'image/jp2'),
          );
        } else if (/^(B04|B03|B11|SCL)\.tif$/.test(file)) {
          // As the archive has them: large tiles for the fine bands, small ones for the coarse.
          const px = /^B0/.test(file) ? '1024' : '64';
          const options = ['QUALITY=100', 'REVERSIBLE=YES', `BLOCKXSIZE=${px}`, `BLOCKYSIZE=${px}`, 'PLT=YES'];
          const args = ['-q', '-of', 'JP2OpenJPEG', ...options.flatMap((option) => ['-co', option])];
          execFileSync('gdal_translate', [...args, from, at('large/jp2', name, file.replace('.tif', '.jp2'))]);
        }
      }
    }
    await upload(at('large'), `${BUCKET}/large`);
  }, 120_000);

  it('give the same composite in every form', async () => {
    const wanted = await expectEqual('large', {
      bands: ['B04', 'B03', 'B11'],
      statistics: 'median,mean,count',
      masks: ['SCL drop 0,1,3,8,9,10 | opening 2 | dilation 3'],
    });
    expect((wanted.count![0] as Uint16Array).some((n) => n > 1)).toBe(true);
  }, 120_000);
});
