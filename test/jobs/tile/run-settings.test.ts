import { describe, expect, it } from 'vitest';
import { InputError } from '../../../build/errors.js';
import { parseGridSpec } from '../../../build/geo/gridspec.js';
import { type RunOptions, settingNotes, settleRun, withResolution } from '../../../build/jobs/tile/run-settings.js';

const AFRICA = parseGridSpec('africa_10');
const settle = (options: Partial<RunOptions> = {}) => settleRun({ plugin: 'gm-s2', location: 'out', ...options });

describe('other pixels on the same tiles', () => {
  it.each([
    ['10', 10, 10, 9600, 9600],
    ['20', 20, 20, 4800, 4800],
    ['60', 60, 60, 1600, 1600],
    ['120', 120, 120, 800, 800],
    ['-30,30', 30, 30, 3200, 3200],
    // y, then x.
    ['-20,10', 10, 20, 9600, 4800],
    [' 15 ', 15, 15, 6400, 6400],
    ['96000', 96_000, 96_000, 1, 1],
    ['1.5', 1.5, 1.5, 64_000, 64_000],
  ])('%s', (text, resolutionX, resolutionY, width, height) => {
    const spec = withResolution(AFRICA, text);
    expect(spec).toEqual({ ...AFRICA, resolutionX, resolutionY, width, height });
  });

  it.each([
    ['35', /a resolution of 35 does not divide the tiles of africa_10, which are 96000 × 96000: give a divisor/],
    ['-30,35', /does not divide/],
    ['30.0001', /does not divide/],
    ['0', /is like 30 or -30,30/],
    ['', /is like 30 or -30,30/],
    ['30,', /is like 30 or -30,30/],
    ['10,20,30', /is like 30 or -30,30/],
    ['30m', /is like 30 or -30,30/],
    ['Infinity', /is like 30 or -30,30/],
    ['0.3', /px/],
  ])('%j is refused', (text, message) => {
    const of = () => withResolution(AFRICA, text);
    expect(of).toThrow(message);
    expect(of).toThrow(InputError);
  });

  it('are asked for in words that mean something before any task is read', () => {
    expect(() => settle({ resolution: 'fine' })).toThrow(/got "fine"/);
  });
});

describe('what a run is told', () => {
  it('fills the location in', () => {
    const product = { name: 'gm_x', short_name: 'gm', version: '1.2.3' };
    const at = (location: string) => settle({ location, product }).location;
    expect(at('s3://b/{product}/{version}/')).toBe('s3://b/gm_x/1-2-3');
    expect(at('{name}/{short_name}/{version_raw}/{version_dashed}')).toBe('gm_x/gm/1.2.3/1-2-3');
    expect(at('/')).toBe('/');
    expect(() => at('{prodct}')).toThrow(/has \{prodct\}, and there are \{product\}, \{name\}/);
    expect(() => at('{product')).toThrow(/brace/);
  });

  it('takes the product of its plugin where nothing else is said', () => {
    expect(settle().product).toMatchObject({ name: 'gm_s2_annual', shortName: 'gm_s2_annual', version: '0.0.0' });
    expect(settle({ product: { name: 'x' } }).product).toMatchObject({ name: 'x', version: '0.0.0' });
  });

  it('gives the method of its own over that of plugin_config, and notes both in the records', () => {
    const settings = settle({ pluginConfig: { resampling: 'cubic', bands: ['B02'] }, resampling: 'nearest' });
    expect(settings.recipe().resampling).toBe('nearest');
    expect(settings.config).toMatchObject({
      plugin: 'gm-s2',
      plugin_config: { resampling: 'nearest', bands: ['B02'] },
    });
  });

  it('has cores, tasks and bytes', () => {
    expect(settle().threads).toBeGreaterThan(0);
    expect(settle({ threads: -1 }).threads).toBeGreaterThan(0);
    expect(settle({ threads: 0 }).threads).toBe(0);
    expect(settle({ threads: 3, concurrency: 2 })).toMatchObject({ threads: 3, concurrency: 2 });
    expect(settle().concurrency).toBe(1);
  });

  it('shares the memory among tasks that compute at a time, whoever says how much there is', () => {
    // What the process itself takes is in each task's plan, and is there once.
    const own = 176 * 2 ** 20;
    expect(settle({ memoryLimitBytes: 3e9, concurrency: 3 }).taskMemoryBytes).toBe(Math.floor(own + (3e9 - own) / 3));
    expect(settle({ memoryLimitBytes: 3e9 }).taskMemoryBytes).toBe(3e9);
    expect(settle({ memoryLimitBytes: 1e8, concurrency: 2 }).taskMemoryBytes).toBe(1e8);
    const { taskMemoryBytes } = settle();
    expect(taskMemoryBytes).toBeGreaterThan(0);
    expect(settle({ concurrency: 4 }).taskMemoryBytes).toBe(Math.floor(own + (taskMemoryBytes - own) / 4));
  });

  it('takes filters as objects joined by |, and none', () => {
    expect(settle().filter).toBeNull();
    expect(settle({ datasetFilters: '' }).filter).toBeNull();
    const { filter } = settle({
      datasetFilters: '{"platform": "landsat-5", "datetime": "2004--P6Y"}|{"platform":"landsat-8"}',
    });
    expect(filter!.alternatives).toHaveLength(2);
  });

  it('notes what is done otherwise, and options of bands that are not made', () => {
    const pluginConfig = { bands: ['B02', 'B03', 'B04'] };
    const notes = (cogOpts: Record<string, unknown>) => settingNotes(settle({ pluginConfig, cogOpts }));
    expect(notes({ overrides: { COUNT: { zlevel: 1 }, rgba: {} } })).toEqual([]);
    expect(notes({ CUONT: { zlevel: 1 }, rgba: { compress: 'JPEG' } })).toEqual([
      expect.stringMatching(/^rgba is written with deflate compression, not jpeg/),
      'cog_opts has options of "CUONT", which gm-s2 does not make; did you mean "COUNT"?',
    ]);
    const blind = settle({ pluginConfig: { bands: ['B08'] }, cogOpts: { overrides: { rgba: {} } } });
    expect(settingNotes(blind)).toEqual([expect.stringMatching(/^no rgba is made/)]);
  });

  it('draws thumbnails of bands that are made', () => {
    const preview = (band: string, options: Partial<RunOptions> = {}) => {
      const range = { components: { red: { [band]: 1 }, green: { B03: 1 }, blue: { B02: 1 } }, scale_range: [0, 1] };
      return () => settle({ product: { preview_image_ows_style: range }, ...options }).recipe();
    };
    expect(preview('COUNT')).not.toThrow();
    expect(preview('CUONT')).toThrow(
      /^preview_image_ows_style: there is no band "CUONT"; did you mean "COUNT"\?: there are B02,/,
    );
    expect(preview('B40')).toThrow(InputError);
    // None is drawn.
    expect(preview('B40', { eodatasets3: false })).not.toThrow();
  });

  it.each([
    [{ plugin: 'gm' }, /there is no plugin "gm"/],
    [{ threads: 1.5 }, /threads is a whole number from 0 to 1024, and got 1.5/],
    [{ concurrency: 0 }, /concurrency is a whole number from 1, and got 0/],
    [{ maxProcessingTime: -1 }, /max-processing-time is seconds from 0, and got -1/],
    [{ maxProcessingTime: Number.NaN }, /max-processing-time is seconds from 0/],
    [{ datasetFilters: '{"platform"' }, /a filter is JSON like .*: Expected/],
    [{ datasetFilters: '[1]' }, /a filter is JSON like .*: not an object/],
    [{ hrefMap: ['s3://bucket=DIR'] }, /a map of addresses is like s3:\/\/bucket\/=DIR/],
    [{ product: { region_code_format: 'x{x}' } }, /a region code is a format of x and y/],
    [{ product: { prodct_family: 'x' } }, /unknown key "prodct_family"; did you mean "product_family"/],
    [{ cogOpts: { compress: 'lerc' } }, /lerc compression is not written/],
    [{ cogOpts: { overrides: { rgba: { qality: 90 } } } }, /unknown key "qality" for rgba; did you mean "quality"/],
  ] as [Partial<RunOptions>, RegExp][])('refuses %j', (options, message) => {
    expect(() => settle(options)).toThrow(message);
  });
});
