import { describe, expect, it } from 'vitest';
import type { Scene, SceneBand } from '../../build/io/scene.js';
import { parseMask } from '../../build/stats/mask-recipe.js';
import { defaultMasks, detectSensor, findBand, resolveBands, SENSORS } from '../../build/stats/sensors.js';

function scene(bands: string, more: Partial<Scene> = {}): Scene {
  const entries = bands.split(' ').map((text): [string, SceneBand] => {
    const [key, name = null, commonName = null] = text.split('/');
    return [
      key!,
      {
        href: `${key}.tif`,
        bandIndex: 0,
        name,
        commonName,
        dtype: null,
        nodata: null,
        scale: null,
        offset: null,
        grid: null,
      },
    ];
  });
  const nothing = {
    collection: null,
    cloudCoverPercent: null,
    bbox: null,
    geometry: null,
    crs: null,
    platform: null,
    href: null,
  };
  return { id: 'one', timeMs: 0, ...nothing, bands: Object.fromEntries(entries), ...more };
}

describe('sensors', () => {
  it.each([
    ['B02 B8A SCL', {}, 'sentinel-2-l2a', 'SCL'],
    ['blue nir08 scl', {}, 'sentinel-2-l2a', 'scl'],
    ['SR_B2 SR_B4 QA_PIXEL', { platform: 'landsat-8' }, 'landsat-c2-l2', 'QA_PIXEL'],
    ['blue red qa_pixel', { platform: 'LANDSAT_7' }, 'landsat-c2-l2-tm', 'qa_pixel'],
    ['SR_B1 SR_B4 QA_PIXEL', { id: 'LT05_L2SP_1' }, 'landsat-c2-l2-tm', 'QA_PIXEL'],
    ['B02 B04 pixel_qa', { platform: 'landsat-8' }, 'landsat-c1-l2', 'pixel_qa'],
    ['blue red cfmask', {}, 'landsat-espa', 'cfmask'],
    ['B04 B8A Fmask', { collection: 'HLSS30' }, 'hls-s30', 'Fmask'],
    ['B04 B05 Fmask', { collection: 'HLSL30' }, 'hls-l30', 'Fmask'],
    ['nbart_red fmask', {}, 'dea', 'fmask'],
  ])('%s %j is %s', (bands, more, id, mask) => {
    const scenes = [scene(bands, more)];
    expect(detectSensor(scenes)?.id).toBe(id);
    for (const recipe of defaultMasks(scenes)) expect(recipe.band).toBe(mask);
  });

  it('has recipes that parse', () => {
    for (const { masks } of SENSORS) for (const mask of masks) expect(parseMask(mask)).not.toBeNull();
  });

  it('asks for a mask where none is known', () => {
    expect(detectSensor([scene('red green')])).toBeNull();
    expect(() => defaultMasks([scene('red green')])).toThrow(/--mask none/);
  });
});

describe('resolveBands', () => {
  it('knows bands by key, alias, item name and common name', () => {
    const earthSearch = scene('blue red nir nir08 scl');
    expect(resolveBands([earthSearch], ['B04', 'B08', 'B8A', 'B02'])).toEqual(['red', 'nir', 'nir08', 'blue']);
    expect(resolveBands([scene('B02 B04 SCL')], ['red'])).toEqual(['B04']);
    expect(resolveBands([scene('x/first/red y/second')], ['red', 'second'])).toEqual(['x', 'y']);
    expect(findBand(earthSearch, 'SCL', detectSensor([earthSearch]))!.href).toBe('scl.tif');
  });

  it('matches TM with OLI by light, not by number', () => {
    const oli = scene('SR_B2 SR_B4 QA_PIXEL', { id: 'LC08_x', platform: 'landsat-8' });
    const tm = scene('SR_B1 SR_B3 QA_PIXEL', { id: 'LT05_x', platform: 'landsat-5' });
    const sensor = detectSensor([oli, tm]);
    expect(resolveBands([oli, tm], ['blue', 'red'])).toEqual(['SR_B2', 'SR_B4']);
    expect(findBand(tm, 'red', sensor)!.href).toBe('SR_B3.tif');
    expect(findBand(tm, 'SR_B4', sensor)!.href).toBe('SR_B3.tif');
    const s30 = scene('B05 B8A B04 Fmask', { collection: 'HLSS30' });
    const l30 = scene('B05 B04 Fmask', { collection: 'HLSL30' });
    expect(resolveBands([l30, s30], ['nir08', 'red'])).toEqual(['B05', 'B04']);
    expect(findBand(s30, 'B05', detectSensor([l30, s30]))!.href).toBe('B8A.tif');
    expect(findBand(l30, 'B8A', detectSensor([s30, l30]))!.href).toBe('B05.tif');
  });

  it('takes all value bands that every scene has', () => {
    expect(resolveBands([scene('B02 B04 B08 SCL AOT'), scene('B02 B04 SCL')], null)).toEqual(['B02', 'B04']);
    expect(resolveBands([scene('vv vh mask')], null)).toEqual(['vv', 'vh']);
    expect(() => resolveBands([scene('SCL')], null)).toThrow(/--bands/);
  });

  it('names what is missing, and the near ones', () => {
    expect(() => resolveBands([scene('B02 B04 SCL')], ['B4'])).toThrow(/no band "B4" in one; did you mean "B04"/);
    expect(() => resolveBands([scene('B02 SCL'), scene('SCL', { id: 'two' })], ['B02'])).toThrow(
      /no band "B02" in two/,
    );
    expect(() => resolveBands([scene('B02 SCL')], ['B02', 'blue'])).toThrow(/twice/);
  });
});
