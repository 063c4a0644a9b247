import { describe, expect, it } from 'vitest';
import { InputError, UnsupportedError } from '../../../build/errors.js';
import { pluginOf } from '../../../build/jobs/tile/plugin.js';
import { formatMask } from '../../../build/stats/mask-recipe.js';

const recipe = (plugin: string, config: Record<string, unknown> = {}) => pluginOf(plugin).recipe(config);
const masks = (plugin: string, config: Record<string, unknown> = {}) => recipe(plugin, config).masks.map(formatMask);
const names = (plugin: string, config: Record<string, unknown> = {}) =>
  recipe(plugin, config).outputs.map(({ name }) => name);

const GENERIC = { bands: ['red', 'nir'], mask_band: 'cfmask', nodata_classes: [255], cloud_filters: { 4: [] } };

describe('plugins of odc-stats', () => {
  it('have their own products, bands and masks', () => {
    expect(pluginOf('gm-s2').product).toMatchObject({ name: 'gm_s2_annual', version: '0.0.0' });
    expect(pluginOf('gm-ls').product).toMatchObject({ name: 'gm_ls_annual', version: '3.0.1' });
    expect(names('gm-s2')).toEqual('B02 B03 B04 B05 B06 B07 B08 B8A B11 B12 SMAD EMAD BCMAD COUNT'.split(' '));
    expect(names('gm-ls')).toEqual([
      ...['nbart_red', 'nbart_green', 'nbart_blue', 'nbart_nir', 'nbart_swir_1', 'nbart_swir_2'],
      ...['sdev', 'edev', 'bcdev', 'count'],
    ]);
    expect(masks('gm-s2')).toEqual(['SCL drop 0', 'SCL drop 3,8,9,10 | opening 2 | dilation 5']);
    expect(masks('gm-ls')).toEqual(['oa_fmask drop 0', 'oa_fmask drop 2,3']);
    expect(recipe('gm-ls').contiguity).toBe('nbart_contiguity');
    expect(recipe('gm-s2')).toMatchObject({
      contiguity: null,
      maskWhen: 'before-warp',
      resampling: 'bilinear',
      group: 'solar-day',
      transformCode: null,
      rgb: { bands: ['B04', 'B03', 'B02'], clamp: [1, 3000] },
    });
  });

  it('take what production configurations give', () => {
    const config = {
      cloud_filters: {
        cloud: [
          ['opening', 3],
          ['dilation', 6],
        ],
        shadow: [['dilation', 6]],
      },
      transform_code: 'EPSG:9688',
      area_of_interest: [-180, -90, 180, 90],
      chunks: { y: -1, x: -1 },
      work_chunks: [400, 400],
      basis: 'nbart_red',
    };
    expect(masks('gm-ls', config)).toEqual([
      'oa_fmask drop 0',
      'oa_fmask drop 2 | opening 3 | dilation 6',
      'oa_fmask drop 3 | dilation 6',
    ]);
    expect(recipe('gm-ls', config).transformCode).toBe('EPSG:9688');
  });

  it('take overrides one by one', () => {
    expect(masks('gm-generic', GENERIC)).toEqual(['cfmask drop 255', 'cfmask drop 4']);
    expect(masks('gm-generic', { ...GENERIC, cloud_filters: { '2|4': [['closing', 1]], 3: [] } })).toContain(
      'cfmask drop 2,4 | closing 1',
    );
    expect(masks('gm-s2', { cloud_filters: {} })).toEqual(['SCL drop 0']);
    expect(masks('gm-s2', { nodata_classes: [], cloud_filters: {} })).toEqual([]);
    expect(masks('gm-generic', { bands: 'red', mask: 'none' })).toEqual([]);
    expect(masks('gm-generic', { bands: 'red', mask: ['QA drop 1,3 | dilation 2'] })).toEqual([
      'QA drop 1,3 | dilation 2',
    ]);
    expect(names('gm-generic', { ...GENERIC, aux_names: { smad: 'a', count: 'n' } })).toEqual([
      ...['red', 'nir'],
      ...['a', 'emad', 'bcmad', 'n'],
    ]);
    // Theirs lists the contiguity band among the others.
    const listed = { ...GENERIC, bands: ['red', 'nir', 'contiguity'], contiguity_band: 'contiguity' };
    expect(recipe('gm-generic', listed)).toMatchObject({ bands: ['red', 'nir'], contiguity: 'contiguity' });
    expect(recipe('gm-ls', { contiguity_band: 'none' }).contiguity).toBeNull();
    expect(recipe('gm-generic', { ...GENERIC, rgb_bands: ['nir', 'red', 'red'], rgb_clamp: [0, 5000] }).rgb).toEqual({
      bands: ['nir', 'red', 'red'],
      clamp: [0, 5000],
    });
    expect(recipe('gm-s2', { bands: ['B02', 'B04'] }).rgb).toBeNull();
    expect(recipe('gm-s2', { resampling: 'near', group_by: 'none' })).toMatchObject({
      resampling: 'nearest',
      group: 'none',
    });
  });

  it.each([
    ['gm-generic', {}, /gm-generic: "bands" is wanted/],
    ['gm-generic', { bands: [] }, /"bands" is wanted/],
    ['gm-generic', { bands: ['red'] }, /"mask_band" is wanted, or mask: none/],
    [
      'gm-generic',
      { bands: ['red'], mask_band: 'cfmask' },
      /without nodata_classes the mask band would not be looked at/,
    ],
    ['gm-generic', { ...GENERIC, cloud_filters: undefined }, /classes of cfmask have no names here/],
    ['gm-s2', { cloud_filters: { clowds: [] } }, /SCL has no class "clowds"/],
    ['gm-s2', { cloud_filters: { 'thin cirrus': [['grow', 2]] } }, /has "grow", which is none of opening, closing/],
    ['gm-s2', { cloud_filters: { 'thin cirrus': [2, 5] } }, /is no list of \[operation, radius\]/],
    ['gm-s2', { cloud_filters: { 'thin cirrus': [['dilation', 'far']] } }, /is no list of \[operation, radius\]/],
    ['gm-s2', { cloud_filters: { 'thin cirrus': [['dilation', -1]] } }, /-1/],
    ['gm-s2', { cloud_filters: [['dilation', 1]] }, /"cloud_filters" takes an object/],
    ['gm-s2', { nodata_class: ['x'] }, /unknown key "nodata_class"; did you mean "nodata_classes"/],
    ['gm-s2', { aux_names: { sd: 'x' } }, /aux_names gives names to smad, emad, bcmad, count, and has \{"sd":"x"\}/],
    ['gm-s2', { aux_names: { smad: 'a b' } }, /aux_names gives names/],
    ['gm-s2', { rgb_bands: ['B04', 'B03', 'B99'] }, /rgb_bands are bands of the product/],
    ['gm-s2', { rgb_bands: ['B04', 'B03'] }, /rgb_bands are three, red, green and blue, and got 2/],
    ['gm-s2', { rgb_clamp: [3000, 1] }, /rgb_clamp is \[least, most\]/],
    ['gm-s2', { rgb_clamp: 3000 }, /rgb_clamp is \[least, most\]/],
    ['gm-s2', { aux_names: { smad: 'B02' } }, /two outputs would be called B02/],
    ['gm-s2', { bands: ['B02', 'B02'] }, /two outputs would be called B02/],
    ['gm-s2', { group_by: 'time' }, /group_by is solar_day or none, and got time/],
    ['gm-s2', { resampling: 'lanczos' }, /no resampling "lanczos".*nearest, bilinear, cubic, average or mode/],
    ['gm-s2', { area_of_interest: [1, 2] }, /area_of_interest is \[west, south, east, north\] in degrees/],
    ['gm-s2', { area_of_interest: ['1', 2, 3, 4] }, /area_of_interest is/],
    ['gm-s2', { area_of_interest: [0, 10, 1, -10] }, /area_of_interest is/],
    ['gm-s2', { area_of_interest: [0, 0, 400, 1] }, /area_of_interest is/],
    ['gm-s2', { bands: { red: 1 } }, /"bands" takes a list of names or whole numbers/],
  ] as [string, Record<string, unknown>, RegExp][])('%s refuses %j', (plugin, config, message) => {
    const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
    const of = () => recipe(plugin, given);
    expect(of).toThrow(message);
    expect(of).toThrow(InputError);
  });

  it('are known by name: those to come can be listed, others are not there', () => {
    expect(pluginOf('wofs-summary').name).toBe('wofs-summary');
    expect(() => recipe('fc-percentiles')).toThrow(UnsupportedError);
    expect(() => pluginOf('gm_s2')).toThrow(/no plugin "gm_s2"; did you mean "gm-s2"/);
    expect(() => pluginOf('my.module.Plugin')).toThrow(/those here are gm-generic, gm-s2, gm-ls/);
  });
});
