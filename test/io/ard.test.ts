import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dateInName } from '../../build/io/raster-scenes.js';
import { readScenes, type Scene } from '../../build/node.js';
import { stackScenes } from '../fixture/change-files.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-ard-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '');
  }
}

const C1 = 'LC08_CU_003009_20140701_20181206_C01_V01';
const C2 = 'LC08_CU_003009_20140701_20210501_02';

describe('Landsat ARD in a folder', () => {
  it('is told by the names of its files, Collection 1', async () => {
    await put(`one/${C1}_SRB2.tif`, `one/${C1}_BTB10.tif`, `one/${C1}_PIXELQA.tif`, `one/${C1}.xml`);
    const [scene, ...more] = (await readScenes(path.join(folder, 'one'))) as [Scene];
    expect(more).toEqual([]);
    expect(scene).toMatchObject({
      id: C1,
      collection: 'landsat-c1-ard',
      timeMs: Date.UTC(2014, 6, 1),
      platform: 'landsat-8',
    });
    expect(Object.keys(scene.bands)).toEqual(['BTB10', 'PIXELQA', 'SRB2']);
    expect(scene.bands.SRB2).toMatchObject({
      dtype: 'i16',
      nodata: -9999,
      href: path.join(folder, `one/${C1}_SRB2.tif`),
    });
  });

  it('is told by the names of its files, Collection 2, whatever items lie beside them', async () => {
    await put(`two/a/${C2}_SR_B4.TIF`, `two/a/${C2}_QA_PIXEL.TIF`, `two/b/${C2}_ST_B10.TIF`);
    const item = {
      type: 'Feature',
      id: C2,
      geometry: null,
      properties: { datetime: '2014-07-01T00:00:00Z' },
      assets: { red: { href: `https://example.org/${C2}_SR_B4.TIF` } },
    };
    await writeFile(path.join(folder, `two/a/${C2}_SR_stac.json`), JSON.stringify(item));
    const [scene, ...more] = (await readScenes(path.join(folder, 'two'))) as [Scene];
    expect(more).toEqual([]);
    expect(scene).toMatchObject({ id: C2, collection: 'landsat-c2-ard', platform: 'landsat-8' });
    expect(scene.bands.SR_B4).toMatchObject({ commonName: 'red', dtype: 'u16', scale: 2.75e-5, nodata: 0 });
    expect(scene.bands.ST_B10).toMatchObject({ scale: 0.00341802, offset: 149 });
    expect(scene.bands.QA_PIXEL!.href).toBe(path.join(folder, `two/a/${C2}_QA_PIXEL.TIF`));
  });

  it('is one scene an acquisition: the latest processing', async () => {
    const older = C1.replace('20181206', '20170101');
    await put(`twice/${older}_SRB2.tif`, `twice/${older}_SRB3.tif`, `twice/${C1}_SRB2.tif`, `twice/x/${C1}_SRB2.tif`);
    const scenes = await readScenes(path.join(folder, 'twice'));
    expect(scenes.map(({ id }) => id)).toEqual([C1]);
    expect(Object.values(scenes[0]!.bands).map(({ href }) => href)).toEqual([
      path.join(folder, `twice/${C1}_SRB2.tif`),
    ]);
    const given = await readScenes([path.join(folder, `twice/${older}_SRB3.tif`)]);
    expect(given.map(({ id }) => id)).toEqual([older]);
  });

  it('is to be unpacked first', async () => {
    await put(`tar/${C1}_SR.tar`);
    await expect(readScenes(path.join(folder, `tar/${C1}_SR.tar`))).rejects.toThrow(
      /_SR.tar is an archive: unpack it, and/,
    );
    await expect(readScenes(path.join(folder, 'tar'))).rejects.toThrow(/unpack its 1 archives first, like .*_SR\.tar$/);
  });
});

describe('dates in the names of files', () => {
  it.each([
    ['LE70350321999205EDC00_stack', Date.UTC(1999, 6, 24)],
    ['LC80350322016366LGN01', Date.UTC(2016, 11, 31)],
    ['LT40350321984000XXX01', null],
    ['LC08_L1TP_035032_20140724_20170304_01_T1_stack', Date.UTC(2014, 6, 24)],
    ['p035r032', null],
  ])('%s', (name, timeMs) => {
    expect(dateInName(name)).toBe(timeMs);
  });

  it('count before that of the folder, where the name is one word', async () => {
    const { files, dates } = await stackScenes(path.join(folder, 'order_20200101'), { years: 1 });
    const scenes = await readScenes(path.join(folder, 'order_20200101'));
    expect(new Set(scenes.map(({ timeMs }) => timeMs)).size).toBe(dates.length);
    expect(scenes.every(({ bands }) => Object.keys(bands).length === 8)).toBe(true);
    expect(files).toHaveLength(scenes.length);
  });
});
