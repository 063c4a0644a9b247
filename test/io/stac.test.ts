import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import type { Raster } from '../../build/io/raster.js';
import { readScenes } from '../../build/io/stac.js';
import { detectSensor, resolveBands } from '../../build/stats/sensors.js';

const base = mkdtempSync(join(tmpdir(), 'stackwise-stac-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function put(path: string, content: unknown): string {
  const full = join(base, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content));
  return full;
}

const item = (more: object = {}, properties: object = {}) => ({
  type: 'Feature',
  stac_version: '1.0.0',
  id: 'one',
  geometry: null,
  properties: { datetime: '2020-05-09T10:00:00Z', 'proj:epsg': 32631, ...properties },
  links: [],
  assets: {
    B02: {
      href: './x/B02.tif',
      type: 'image/tiff',
      roles: ['data'],
      'proj:shape': [20, 30],
      'proj:transform': [10, 0, 500000, 0, -10, 5600000, 0, 0, 1],
      'raster:bands': [{ data_type: 'uint16', nodata: 0, scale: 0.0001 }],
    },
    thumbnail: { href: 'x.jpg', type: 'image/jpeg', roles: ['thumbnail'] },
  },
  ...more,
});

describe('items', () => {
  it('reads STAC 1.0', async () => {
    const path = put('a/items.json', { type: 'FeatureCollection', features: [item()] });
    const [scene] = await readScenes(path);
    expect(scene).toMatchObject({
      id: 'one',
      timeMs: Date.UTC(2020, 4, 9, 10),
      crs: { epsg: 32631 },
      cloudCoverPercent: null,
    });
    expect(Object.keys(scene!.bands)).toEqual(['B02']);
    expect(scene!.bands.B02).toMatchObject({
      href: join(base, 'a/x/B02.tif'),
      bandIndex: 0,
      dtype: 'u16',
      nodata: 0,
      scale: 0.0001,
      offset: null,
      grid: { affine: [10, 0, 500000, 0, -10, 5600000], width: 30, height: 20, crs: { epsg: 32631 } },
    });
  });

  it('reads STAC 1.1: proj:code, bands with their own values, asset-level CRS, multi-band assets', async () => {
    const assets = {
      sr: {
        href: 'sr.tif',
        type: 'image/tiff',
        'proj:code': 'EPSG:32632',
        data_type: 'int16',
        nodata: -999,
        bands: [{ name: 'blue', 'raster:scale': 0.1 }, { name: 'red', 'eo:common_name': 'red', nodata: 'nan' }, {}],
      },
    };
    const [scene] = await readScenes(item({ assets }, { 'proj:epsg': undefined, 'proj:code': 'EPSG:32631' }));
    expect(scene!.crs!.epsg).toBe(32631);
    expect(Object.keys(scene!.bands)).toEqual(['blue', 'red', 'sr_b3']);
    expect(scene!.bands.blue).toMatchObject({ href: 'sr.tif', bandIndex: 0, dtype: 'i16', nodata: -999, scale: 0.1 });
    expect(scene!.bands.red).toMatchObject({ bandIndex: 1, commonName: 'red', nodata: Number.NaN });
    expect(scene!.bands.blue!.grid).toBeNull();
  });

  it('keeps a CRS without a code by its WKT', async () => {
    const wkt =
      'PROJCRS["mine",BASEGEOGCRS["x",DATUM["y",ELLIPSOID["z",6378137,298]]],CONVERSION["c",METHOD["Sinusoidal"]]]';
    const [scene] = await readScenes(item({}, { 'proj:epsg': null, 'proj:wkt2': wkt }));
    expect(scene!.crs).toEqual({ epsg: null, definition: wkt, geoKeys: null });
  });

  it.each([
    [item({ id: 7 }), /item number 1: id must be text, not 7/],
    [item({ properties: null }), /item one: properties must be an object/],
    [item({}, { datetime: 'soon' }), /item one: properties.datetime must be a date and time, not "soon"/],
    [item({}, { 'proj:epsg': 'x' }), /item one: proj:epsg must be a number/],
    [item({}, { 'eo:cloud_cover': '3' }), /eo:cloud_cover must be a number/],
    [item({ assets: { B: { type: 'image/tiff' } } }), /assets.B.href must be text, not missing/],
    [
      item({ assets: { B: { href: 'a.tif', 'proj:shape': [0, 5], 'proj:transform': [1, 0, 0, 0, 1, 0] } } }),
      /proj:shape/,
    ],
    [
      item({ assets: { B: { href: 'a.tif', 'proj:shape': [5, 5], 'proj:transform': [1, 2] } } }),
      /proj:transform must be 6 or 9 numbers/,
    ],
    [item({ assets: { B: { href: 'a.tif', bands: 'x' } } }), /bands must be a list/],
    [{ type: 'Elephant' }, /no STAC item/],
    [[5], /item number 1: it must be a GeoJSON Feature/],
  ])('names item and field: %#', async (document, message) => {
    await expect(readScenes(document)).rejects.toThrow(message);
  });

  it('takes hostile names as names', async () => {
    const assets = JSON.parse('{"__proto__": {"href": "a.tif"}, "constructor": {"href": "b.tif"}}');
    const [scene] = await readScenes(item({ assets }));
    expect(Object.keys(scene!.bands)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).href).toBeUndefined();
  });

  it('lets no server name local files', async () => {
    const store = {
      stat: async () => ({ bytes: 1, tag: null }),
      read: async () =>
        new TextEncoder().encode(JSON.stringify(item({ assets: { B: { href: 'file:///etc/a.tif' } } }))),
    };
    await expect(readScenes('https://host/i.json', { store: store as never })).rejects.toThrow(/local file/);
  });
});

describe('catalogues and folders', () => {
  const link = (rel: string, href: string) => ({ rel, href });

  it('follows links, ends circles, stays inside', async () => {
    const path = put('cat/catalog.json', {
      type: 'Catalog',
      links: [link('child', './sub/collection.json'), link('self', 'x')],
    });
    put('cat/sub/collection.json', {
      type: 'Collection',
      links: [link('item', './one/one.json'), link('child', '../catalog.json'), link('root', '../catalog.json')],
    });
    put('cat/sub/one/one.json', item());
    const scenes = await readScenes(path);
    expect(scenes.map(({ id }) => id)).toEqual(['one']);
    expect(scenes[0]!.bands.B02!.href).toBe(join(base, 'cat/sub/one/x/B02.tif'));
    expect(await readScenes(join(base, 'cat'))).toEqual(scenes);
    const outside = put('out/catalog.json', { type: 'Catalog', links: [link('item', '../cat/sub/one/one.json')] });
    await expect(readScenes(outside)).rejects.toThrow(/leads outside/);
  });

  it('says what is not there', async () => {
    await expect(readScenes(join(base, 'nothing.json'))).rejects.toThrow(/no such file/);
    await expect(readScenes(put('bad.json', '{'))).rejects.toThrow(/not JSON/);
    mkdirSync(join(base, 'empty'));
    await expect(readScenes(join(base, 'empty'))).rejects.toThrow(/neither STAC items nor rasters/);
    await expect(readScenes(join(base, 'empty/*.tif'))).rejects.toThrow(/no file matches/);
  });

  it('groups rasters by name or folder', async () => {
    for (const path of [
      'S2A_31UDS_20200105_B04.tif',
      'S2A_31UDS_20200105_SCL.tif',
      '20200110/B04.tif',
      '20200110/SCL.tif',
      'sr_2020-02-01.tif',
    ])
      put(`rasters/${path}`, '');
    const openRaster = async (url: string): Promise<Raster> => {
      const info = { dtype: 'u16' as const, nodata: 0, scale: 1, offset: 0, name: null };
      const bands = url.includes('sr_') ? [info, { ...info, name: 'red' }] : [info];
      const grid = {
        crs: parseCrs('EPSG:32631'),
        affine: [10, 0, 500000, 0, -10, 5600000] as const,
        width: 9,
        height: 9,
      };
      const header = { url, grid, width: 9, height: 9, bands, levels: [], fileBytes: null };
      return { header, readTile: async () => {}, tileBytes: async () => 0, close: async () => {} };
    };
    const scenes = await readScenes(join(base, 'rasters'), { openRaster });
    const found = scenes.map(({ id, timeMs, bands }) => [
      id,
      new Date(timeMs).toISOString().slice(0, 10),
      Object.keys(bands).join(),
    ]);
    expect(found).toEqual([
      ['20200110', '2020-01-10', 'B04,SCL'],
      ['S2A_31UDS_20200105', '2020-01-05', 'B04,SCL'],
      ['sr_2020-02-01', '2020-02-01', 'b1,red'],
    ]);
    expect(scenes[0]!.bbox![0]).toBeCloseTo(3, 5);
    const some = await readScenes(join(base, 'rasters/*/B0?.tif'), { openRaster });
    expect(some.map(({ bands }) => Object.keys(bands).join())).toEqual(['B04']);
    await expect(readScenes(put('rasters/B05.tif', ''), { openRaster })).rejects.toThrow(/no date in the name/);
  });
});

const data = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data');

describe.skipIf(!existsSync(data))('real items (skipped without the shared data)', () => {
  it.each([
    ['s2-l2a-belgium-31UDS', 118, 'sentinel-2-l2a', 'B02 B03 B04 B05 B06 B07 B08 B8A B11 B12'],
    ['landsat57-sr-washington', 370, 'landsat-espa', 'blue green red nir swir1 swir2'],
    ['landsat8-sr-belgium-31UDS', 26, 'landsat-c1-l2', 'B02 B03 B04 B05 B06 B07'],
    [
      's2-cog-29RKH',
      1,
      'sentinel-2-l2a',
      'coastal blue green red rededge1 rededge2 rededge3 nir nir08 nir09 swir16 swir22',
    ],
    [
      'stac/landsat-c2-l2/LC08_L2SP_047027_20201204_02_T1.json',
      1,
      'landsat-c2-l2',
      'coastal blue green red nir08 swir16 swir22',
    ],
    ['stac/pystac-client/sample-item-collection.json', 10, 'hls-l30', 'B01 B02 B03 B04 B05 B06 B07'],
    [
      'stac/odc/ga_ls8c_ard_3-1-0_088080_2020-05-25_final.stac-item.json',
      1,
      'dea',
      'nbart_coastal_aerosol nbart_blue nbart_green nbart_red nbart_nir nbart_swir_1 nbart_swir_2',
    ],
  ])('%s', async (path, count, sensor, bands) => {
    const scenes = await readScenes(join(data, path));
    expect(scenes).toHaveLength(count);
    expect(detectSensor(scenes)?.id).toBe(sensor);
    expect(resolveBands(scenes, null).join(' ')).toBe(bands);
    for (const scene of scenes) expect(Number.isFinite(scene.timeMs)).toBe(true);
  });

  it('reads every item of the corpus, all with bands', async () => {
    let count = 0;
    for (const name of readdirSync(join(data, 'stac'), { recursive: true, encoding: 'utf8' })) {
      const path = join(data, 'stac', name);
      if (
        !name.endsWith('.json') ||
        /schemas|search-responses|c2-l2.collection|collections_|root.json|page2/.test(name)
      )
        continue;
      for (const scene of await readScenes(path)) {
        count++;
        if (!path.includes('pystac-client')) expect(Object.keys(scene.bands).length, path).toBeGreaterThan(0);
      }
    }
    expect(count).toBeGreaterThan(45);
  });
});
