import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { info } from '../../build/app/commands/info.js';
import { simulateScenes } from '../../build/app/simulate.js';
import { FormatError, StoreError } from '../../build/errors.js';
import { JP2, jp2Bytes } from '../fixture/jp2.js';

let folder = '';
let collection = '';
let item = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-info-'));
  const made = await simulateScenes(folder, { dates: 3, size: 48, twentyMetreBands: 1, tileSize: 16 });
  collection = made.path;
  item = made.items[0]!;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function said(source: string, json: boolean): Promise<string> {
  const parts: string[] = [];
  await info(source, { json, write: (part) => parts.push(part) });
  return parts.join('');
}

describe('stackwise info', () => {
  it('describes JPEG 2000, with its tiles', async () => {
    const path = join(folder, 'picture.jp2');
    await writeFile(path, jp2Bytes(JP2.index));
    expect(JSON.parse(await said(path, true))).toMatchObject({
      kind: 'raster',
      width: 72,
      height: 50,
      crs: 'EPSG:32631',
      bands: [{ dtype: 'u16', nodata: null }],
      tile: { width: 32, height: 32, tiled: true },
      compression: 'JPEG 2000, reversible 5/3',
      tiles: [3, 2],
      progression: 'LRCP',
      layers: 1,
      codeBlock: [64, 64],
      tileIndex: 'TLM',
      packetLengths: true,
      overviews: [
        [36, 25],
        [18, 13],
      ],
      cog: false,
    });
    const text = await said(path, false);
    expect(text).toMatch(/^tiles +3 × 2$/m);
    expect(text).toMatch(/^tile index +TLM$/m);
    const bare = join(folder, 'picture.j2k');
    await writeFile(bare, jp2Bytes(JP2.codestream));
    expect(JSON.parse(await said(bare, true))).toMatchObject({
      compression: 'JPEG 2000 codestream, reversible 5/3',
      progression: 'RPCL',
      crs: null,
      tileIndex: 'none',
      packetLengths: false,
    });
  });

  it('describes a raster', async () => {
    const path = join(item, '..', 'B03.tif');
    const facts = JSON.parse(await said(path, true));
    expect(facts).toMatchObject({
      kind: 'raster',
      width: 48,
      height: 48,
      crs: 'EPSG:32631',
      bands: [{ name: 'B03', dtype: 'u16', nodata: 0, scale: 1e-4, offset: 0 }],
      tile: { width: 16, height: 16, tiled: true },
      compression: 'deflate',
      predictor: 'horizontal',
      cog: true,
    });
    const text = await said(path, false);
    expect(text).toMatch(/^CRS +EPSG:32631$/m);
    expect(text).toMatch(/^ +1 +B03 +u16, nodata 0, scale 0.0001$/m);
    expect(text).toMatch(/^COG +yes$/m);
  });

  it('describes a scene and a collection', async () => {
    expect(JSON.parse(await said(item, true))).toMatchObject({ kind: 'scene', platforms: ['sentinel-2a'] });
    const facts = JSON.parse(await said(collection, true));
    expect(facts).toMatchObject({
      kind: 'scenes',
      count: 3,
      crs: ['EPSG:32631'],
      collections: ['sentinel-2-l2a-simulated'],
    });
    expect(facts.bands.map(({ name }: { name: string }) => name)).toEqual(['B02', 'B03', 'B04', 'B08', 'B11', 'SCL']);
    expect(await said(collection, false)).toMatch(/^cloud cover % +[\d.]+ to [\d.]+$/m);
  });

  it('throws what the command line prints', async () => {
    await expect(said(join(folder, 'nowhere.tif'), false)).rejects.toThrow(StoreError);
    const broken = join(folder, 'broken.tif');
    await writeFile(broken, 'this is no TIFF at all');
    await expect(said(broken, false)).rejects.toThrow(FormatError);
  });
});
