import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScenes, type Scene } from '../../build/node.js';

const data = process.env.STACKWISE_DATA ?? '';
const present = existsSync(path.join(data, 'jp2-sentinel2/MTD_TL.xml'));
const SAFE = 'S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE';
const GRANULE = 'L2A_T29UNU_A038058_20221005T115407';
const LANDSAT = 'LC08_L2SP_001062_20201031_20201106_02_T2';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-products-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** The least of a level 1C product as ESA made them before 2022. */
async function writeL1c(at: string, metadata = 'MTD_MSIL1C.xml'): Promise<void> {
  await put(
    `${at}/${metadata}`,
    `<n1:Level-1C_User_Product xmlns:n1="x"><n1:General_Info><Product_Info><PRODUCT_URI>${path.basename(at)}</PRODUCT_URI>
     <PROCESSING_BASELINE>02.08</PROCESSING_BASELINE><Datatake><SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME></Datatake></Product_Info>
     <Product_Image_Characteristics><QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE></Product_Image_Characteristics>
     </n1:General_Info></n1:Level-1C_User_Product>`,
  );
  const granule = `${at}/GRANULE/L1C_T10UDV_A012889_20190826T191445`;
  await put(
    `${granule}/MTD_TL.xml`,
    `<n1:Level-1C_Tile_ID xmlns:n1="x"><n1:General_Info><TILE_ID>S2B_OPER_MSI_L1C_TL_EPAE_20190826T223556_A012889_T10UDV_N02.08</TILE_ID>
     <DATASTRIP_ID>S2B_OPER_MSI_L1C_DS_EPAE_20190826T223556_S20190826T191445_N02.08</DATASTRIP_ID>
     <SENSING_TIME>2019-08-26T19:19:29.123Z</SENSING_TIME></n1:General_Info><n1:Geometric_Info><Tile_Geocoding>
     <HORIZONTAL_CS_CODE>EPSG:32610</HORIZONTAL_CS_CODE><Geoposition resolution="10"><ULX>399960</ULX><ULY>5500020</ULY></Geoposition>
     </Tile_Geocoding></n1:Geometric_Info><Quality><CLOUDY_PIXEL_PERCENTAGE>3.5</CLOUDY_PIXEL_PERCENTAGE></Quality></n1:Level-1C_Tile_ID>`,
  );
  for (const band of ['B01', 'B02', 'B8A', 'B10', 'TCI'])
    await put(`${granule}/IMG_DATA/T10UDV_20190826T190929_${band}.jp2`, '');
}

describe('a product of Sentinel-2, level 1C', () => {
  const name = 'S2B_MSIL1C_20190826T190929_N0208_R056_T10UDV_20190826T223556.SAFE';
  let scene: Scene;
  beforeAll(async () => {
    await writeL1c(name);
    [scene] = (await readScenes(path.join(folder, name))) as [Scene];
  });

  it('is a scene with the bands that are there', () => {
    expect(scene).toMatchObject({
      id: name.replace('.SAFE', ''),
      collection: 'sentinel-2-l1c',
      timeMs: Date.UTC(2019, 7, 26, 19, 19, 29, 123),
      platform: 'sentinel-2b',
      cloudCoverPercent: 3.5,
      radiometry: { baseline: '02.08', offsetApplied: null },
      crs: { epsg: 32610 },
    });
    expect(Object.keys(scene.bands)).toEqual(['B01', 'B02', 'B10', 'B8A']);
    expect(scene.bands.B02).toMatchObject({
      commonName: 'blue',
      scale: 1e-4,
      offset: null,
      nodata: 0,
      grid: { affine: [10, 0, 399960, 0, -10, 5500020], width: 10980, height: 10980 },
    });
    expect(scene.bands.B02!.href).toBe(
      path.join(folder, name, 'GRANULE/L1C_T10UDV_A012889_20190826T191445/IMG_DATA/T10UDV_20190826T190929_B02.jp2'),
    );
  });

  it('is read under the names of before December 2016', async () => {
    const old = `old/${name}`;
    await writeL1c(old, 'S2B_OPER_MTD_SAFL1C_PDMC_20160826T223556_R056_V20160826T190929_20160826T190929.xml');
    const [found] = await readScenes(path.join(folder, old));
    expect(found).toMatchObject({ id: scene.id, collection: 'sentinel-2-l1c', timeMs: scene.timeMs });
  });

  it('is found beside others in a folder', async () => {
    const scenes = await readScenes(folder);
    expect(scenes.map(({ id }) => id)).toContain(scene.id);
  });

  it('is refused where its metadata is broken', async () => {
    const broken = 'S2B_MSIL1C_20190826T190929_N0208_R056_T10UDV_20200101T000000.SAFE';
    await put(`broken/${broken}/MTD_MSIL1C.xml`, '<a>');
    await mkdir(path.join(folder, 'broken', broken, 'GRANULE'), { recursive: true });
    await expect(readScenes(path.join(folder, 'broken'))).rejects.toThrow('<a> has no end');
    await put('empty/S2B.SAFE/nothing.txt', '');
    await expect(readScenes(path.join(folder, 'empty'))).rejects.toThrow('holds no product metadata');
  });
});

describe.skipIf(!present)('real metadata of a level 2A product (skipped without STACKWISE_DATA)', () => {
  it('gives the finest images, grids and offsets', async () => {
    const root = path.join(folder, 'l2a', SAFE);
    const granule = path.join(root, 'GRANULE', GRANULE);
    await mkdir(path.join(granule, 'IMG_DATA'), { recursive: true });
    await cp(path.join(data, 'jp2-sentinel2/MTD_MSIL2A.xml'), path.join(root, 'MTD_MSIL2A.xml'));
    await cp(path.join(data, 'jp2-sentinel2/MTD_TL.xml'), path.join(granule, 'MTD_TL.xml'));
    for (const [resolution, bands] of [
      ['10', ['B04', 'AOT']],
      ['20', ['B04', 'SCL', 'B11']],
      ['60', ['B04', 'SCL', 'B09']],
    ] as const)
      for (const band of bands)
        await put(
          `l2a/${SAFE}/GRANULE/${GRANULE}/IMG_DATA/R${resolution}m/T29UNU_20221005T115411_${band}_${resolution}m.jp2`,
          '',
        );
    const [scene, ...more] = await readScenes(root);
    expect(more).toEqual([]);
    expect(scene).toMatchObject({
      id: SAFE.replace('.SAFE', ''),
      timeMs: Date.UTC(2022, 9, 5, 11, 56, 49, 581),
      platform: 'sentinel-2a',
      radiometry: { baseline: '04.00' },
    });
    const { B04, SCL, B11, B09, AOT } = scene!.bands;
    expect(B04).toMatchObject({
      offset: -0.1,
      scale: 1e-4,
      grid: { affine: [10, 0, 499980, 0, -10, 5900040], width: 10980 },
    });
    expect(B04!.href).toMatch(/R10m\/.*_B04_10m\.jp2$/);
    expect(SCL).toMatchObject({ dtype: 'u8', scale: null, grid: { width: 5490 } });
    expect(B11!.grid!.width).toBe(5490);
    expect(B09!.grid!.width).toBe(1830);
    expect(AOT).toMatchObject({ offset: null });
  });
});

describe.skipIf(!present)('a product of Landsat (skipped without STACKWISE_DATA)', () => {
  const real = path.join(data, 'landsat-c2-l2-001062');

  it('is one scene of what lies there', async () => {
    const [scene, ...more] = await readScenes(real);
    expect(more).toEqual([]);
    expect(scene).toMatchObject({
      id: LANDSAT,
      timeMs: Date.UTC(2020, 9, 31, 14, 31, 47, 808),
      cloudCoverPercent: 99.94,
      platform: 'landsat-8',
      bbox: [-66.20784, -3.94556, -64.15891, -1.84546],
      crs: { epsg: 32620 },
    });
    expect(Object.keys(scene!.bands).sort()).toEqual(
      'QA_PIXEL QA_RADSAT SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 SR_QA_AEROSOL ST_B10'.split(' '),
    );
    expect(scene!.bands.SR_B4).toMatchObject({
      commonName: 'red',
      scale: 2.75e-5,
      offset: -0.2,
      nodata: 0,
      href: path.join(real, `${LANDSAT}_SR_B4.TIF`),
    });
    expect(scene!.bands.ST_B10).toMatchObject({ scale: 0.00341802, offset: 149 });
  });

  it.each(['MTL.txt', 'MTL.xml', 'SR_stac.json'])('reads %s alike', async (kind) => {
    const root = path.join(folder, `${kind}-product`, LANDSAT);
    await mkdir(root, { recursive: true });
    for (const band of ['SR_B4', 'QA_PIXEL']) await put(`${kind}-product/${LANDSAT}/${LANDSAT}_${band}.TIF`, '');
    if (kind === 'MTL.xml') {
      const groups = Object.values(
        JSON.parse(await readFile(path.join(real, `${LANDSAT}_MTL.json`), 'utf8')),
      )[0] as Record<string, Record<string, string>>;
      const xml = Object.entries(groups).map(
        ([group, facts]) =>
          `<${group}>${Object.entries(facts)
            .map(([k, v]) => `<${k}>${v}</${k}>`)
            .join('')}</${group}>`,
      );
      await put(
        `${kind}-product/${LANDSAT}/${LANDSAT}_MTL.xml`,
        `<LANDSAT_METADATA_FILE>${xml.join('')}</LANDSAT_METADATA_FILE>`,
      );
    } else await cp(path.join(real, `${LANDSAT}_${kind}`), path.join(root, `${LANDSAT}_${kind}`));
    const [scene] = await readScenes(path.join(folder, `${kind}-product`));
    expect(scene).toMatchObject({ id: LANDSAT, cloudCoverPercent: 99.94 });
    expect(scene!.timeMs).toBe(kind.endsWith('json') ? Date.UTC(2020, 9, 31) : Date.UTC(2020, 9, 31, 14, 31, 47, 808));
    const hrefs = Object.values(scene!.bands).map(({ href }) => href);
    expect(hrefs.sort()).toEqual(['QA_PIXEL', 'SR_B4'].map((b) => path.join(root, `${LANDSAT}_${b}.TIF`)));
  });
});
