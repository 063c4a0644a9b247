import { describe, expect, it } from 'vitest';
import type { Scene, SceneBand } from '../../build/io/scene.js';
import { InputError, PYCCD_BANDS } from '../../build/node.js';
import { ChangeUnits, changeScene } from '../../build/stats/change-source.js';

function band(href: string, commonName: string | null = null): SceneBand {
  const unknown = { name: null, dtype: null, nodata: undefined, scale: null, offset: null, grid: null };
  return { href, bandIndex: 0, commonName, ...unknown };
}

function scene(names: string, { platform = null as string | null, id = 'x' } = {}): Scene {
  const bands = names.split(' ').map((text) => {
    const [key, commonName = null] = text.split('=') as [string, string?];
    return [key, band(key, commonName)] as const;
  });
  return {
    id,
    collection: null,
    timeMs: 0,
    cloudCoverPercent: null,
    bbox: null,
    geometry: null,
    crs: null,
    platform,
    bands: Object.fromEntries(bands),
    href: null,
  };
}

const hrefs = (one: Scene) => {
  const { kind, bands, qa } = changeScene(one);
  return [kind, ...PYCCD_BANDS.map((name) => bands[name]?.href ?? '-'), qa.href].join(' ');
};

describe('the bands of a scene', () => {
  it.each([
    [
      'SRB1 SRB2 SRB3 SRB4 SRB5 SRB7 BTB6 PIXELQA',
      'landsat-5',
      'landsat-c1 SRB1 SRB2 SRB3 SRB4 SRB5 SRB7 BTB6 PIXELQA',
    ],
    [
      'SRB1 SRB2 SRB3 SRB4 SRB5 SRB6 SRB7 BTB10 BTB11 PIXELQA',
      'landsat-8',
      'landsat-c1 SRB2 SRB3 SRB4 SRB5 SRB6 SRB7 BTB10 PIXELQA',
    ],
    [
      'sr_band1 sr_band2 sr_band3 sr_band4 sr_band5 sr_band7 bt_band6 pixel_qa',
      'LANDSAT_7',
      'landsat-c1 sr_band1 sr_band2 sr_band3 sr_band4 sr_band5 sr_band7 bt_band6 pixel_qa',
    ],
    [
      'sr_band1 sr_band2 sr_band3 sr_band4 sr_band5 sr_band6 sr_band7 bt_band10 pixel_qa',
      'LANDSAT_8',
      'landsat-c1 sr_band2 sr_band3 sr_band4 sr_band5 sr_band6 sr_band7 bt_band10 pixel_qa',
    ],
    [
      'blue green red nir swir1 swir2 thermal pixel_qa',
      'landsat-5',
      'landsat-c1 blue green red nir swir1 swir2 thermal pixel_qa',
    ],
    [
      'blue green red nir08 swir16 swir22 lwir11 qa_pixel',
      'landsat-9',
      'landsat-c2 blue green red nir08 swir16 swir22 lwir11 qa_pixel',
    ],
    [
      'blue green red nir08 swir16 swir22 lwir qa_pixel',
      'landsat-7',
      'landsat-c2 blue green red nir08 swir16 swir22 lwir qa_pixel',
    ],
    [
      'SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B7 ST_B6 QA_PIXEL',
      'landsat-5',
      'landsat-c2 SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B7 ST_B6 QA_PIXEL',
    ],
    [
      'SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B10 pixel_qa',
      'landsat-8',
      'landsat-c2 SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B10 pixel_qa',
    ],
    [
      'blue green red nir swir1 swir2 thermal cfmask',
      'landsat-7',
      'landsat-espa blue green red nir swir1 swir2 thermal cfmask',
    ],
    ['B02 B03 B04 B08 B8A B11 B12 SCL', 'sentinel-2a', 'sentinel-2 B02 B03 B04 B08 B11 B12 - SCL'],
    ['blue green red nir nir08 swir16 swir22 scl', 'sentinel-2b', 'sentinel-2 blue green red nir swir16 swir22 - scl'],
  ])('%s (%s)', (names, platform, wanted) => {
    expect(hrefs(scene(names, { platform }))).toBe(wanted);
  });

  it('are numbered by the instrument that the id names where the item names none', () => {
    const names = 'SRB1 SRB2 SRB3 SRB4 SRB5 SRB7 BTB6 PIXELQA';
    for (const id of ['LT05_CU_003009_19840601', 'LE70460272000029EDC00', 'x']) {
      expect(hrefs(scene(names, { id }))).toContain('landsat-c1 SRB1 SRB2');
    }
    const oli = 'SRB1 SRB2 SRB3 SRB4 SRB5 SRB6 SRB7 BTB10 PIXELQA';
    for (const id of ['LC08_CU_003009_20140601', 'x']) {
      expect(hrefs(scene(oli, { id }))).toContain('landsat-c1 SRB2 SRB3');
    }
  });

  it('must be there, of a kind that is known', () => {
    expect(() => changeScene(scene('blue green red nir swir1 thermal cfmask', { platform: 'landsat-7' }))).toThrow(
      /^scene x has no band swir2; it has blue/,
    );
    for (const names of ['red nir', 'B02 B03 B04 B05 B06 B07 Fmask']) {
      expect(() => changeScene(scene(names))).toThrow(InputError);
      expect(() => changeScene(scene(names))).toThrow(/is none that changes are looked for in: Landsat Collection 2/);
    }
  });
});

describe('stored numbers', () => {
  it('come into the units of PyCCD', () => {
    const to = new Int16Array(5);
    const stored = Uint16Array.of(0, 1, 7273, 40_000, 65_535);
    new ChangeUnits('landsat-c2', ['red', 'thermal']).numbers(to, stored, 0);
    expect([...to]).toEqual([-9999, -2000, 0, 9000, 16_022]);
    new ChangeUnits('landsat-c2', ['red', 'thermal']).numbers(to, stored, 1);
    expect([...to]).toEqual([-9999, 1490, 1739, 2857, 3730]);
    new ChangeUnits('landsat-c1', ['red']).numbers(to, Uint16Array.of(55_537, 1, 20_000, 65_535, 0), 0);
    expect([...to]).toEqual([-9999, 1, 20_000, -1, 0]);
    new ChangeUnits('sentinel-2', ['red']).numbers(to, Uint16Array.of(0, 1, 10_000, 32_768, 65_535), 0);
    expect([...to]).toEqual([-9999, 1, 10_000, 32_767, 32_767]);
  });

  it('of SCL become the classes of Fmask', () => {
    const to = new Uint16Array(14);
    new ChangeUnits('sentinel-2', []).qa(
      to,
      Uint16Array.from({ length: 14 }, (_, i) => i),
    );
    expect([...to]).toEqual([255, 255, 0, 2, 0, 0, 1, 0, 4, 4, 4, 3, 255, 255]);
  });
});
