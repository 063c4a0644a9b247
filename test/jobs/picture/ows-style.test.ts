import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NumericArray } from '../../../build/io/raster.js';
import { type OwsStyle, parseOwsStyle } from '../../../build/jobs/picture/ows-style.js';
import { renderStyle } from '../../../build/jobs/picture/style-render.js';
import { configOf, statsConfig } from '../../../build/jobs/task/stats-config.js';
import { parseYaml } from '../../../build/jobs/yaml.js';

const folder = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-stats-configs');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yaml')) : [];

async function published(name: string): Promise<OwsStyle> {
  const config = statsConfig(await parseYaml(readFileSync(join(folder, name), 'utf8'), name), name);
  const product = configOf(config, 'run').product as { preview_image_ows_style: Record<string, unknown> };
  return parseOwsStyle(product.preview_image_ows_style);
}

const WATER = [
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  [47, 0, 0, 21],
  [142, 1, 0, 63],
  [217, 83, 0, 223],
  [0, 227, 45, 255],
  [0, 111, 227, 255],
  [87, 0, 227, 255],
  [87, 0, 227, 255],
  [0, 0, 0, 0],
];

/** The pixels [n][4] of a style over bands without nodata, or with −999. */
function drawn(style: OwsStyle, bands: Record<string, NumericArray>, nodata: number | null = -999): number[][] {
  const planes = new Map(Object.entries(bands).map(([name, data]) => [name, { data, nodata }]));
  const rgba = renderStyle(style, planes);
  return Array.from({ length: rgba.length / 4 }, (_, i) => [...rgba.subarray(4 * i, 4 * i + 4)]);
}

describe.skipIf(files.length === 0)('published styles', () => {
  const BANDS: [RegExp, string, string[]][] = [
    [/geomedian/, 'components', ['nbart_red', 'nbart_green', 'nbart_blue']],
    [/fc_percentile/, 'components', ['bs_pc_50', 'pv_pc_50', 'npv_pc_50']],
    [/tc_percentile/, 'components', ['bright_pc_50', 'green_pc_50', 'wet_pc_50']],
    [/mangroves/, 'classes', ['canopy_cover_class']],
    [/wofs/, 'ramp', ['frequency']],
  ];
  it.each(files)('%s', async (name) => {
    const { kind, bands } = await published(name);
    expect([kind, bands]).toEqual(BANDS.find(([pattern]) => pattern.test(name))!.slice(1));
  });

  it('water as numpy.interp would colour it', async () => {
    const style = await published(files.find((name) => name.includes('wo_fq_cyear'))!);
    const frequency = Float32Array.of(-1, 0, 0.01, 0.03, 0.05, 0.15, 0.5, 0.77, 1, 3, Number.NaN);
    // The operations of datacube-ows in Python: int(255 * interpolated), colours as n / 255.
    expect(drawn(style, { frequency })).toEqual(WATER);
  });

  it('mangroves in the colours of their classes', async () => {
    const style = await published(files.find((name) => name.includes('mangrove'))!);
    expect(drawn(style, { canopy_cover_class: Uint8Array.of(0, 1, 2, 3, 255, 7) }, 255)).toEqual([
      [0xbd, 0xbd, 0xbd, 255],
      [0x9f, 0xff, 0x4c, 255],
      [0x5e, 0xcc, 0x00, 255],
      [0x3b, 0x7f, 0x00, 255],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('tasselled caps around zero', async () => {
    const style = await published(files.find((name) => name.includes('tc_pc_cyear'))!);
    const plane = Int16Array.of(-999, -5000, -2000, 0, 1000, 2000, 9000);
    expect(drawn(style, { bright_pc_50: plane, green_pc_50: plane, wet_pc_50: plane })).toEqual(
      [null, 0, 0, 127, 191, 255, 255].map((v) => (v === null ? [0, 0, 0, 0] : [v, v, v, 255])),
    );
  });
});

describe('sums of bands', () => {
  const style = parseOwsStyle({
    components: { red: { a: 0.5, b: 0.5 }, green: { b: 2, scale_range: [0, 10] }, blue: { c: '1' } },
    scale_range: [0, 100],
  });

  it('are weighted, and each colour may have its range', () => {
    const bands = { a: Int16Array.of(10, 50), b: Int16Array.of(30, 4), c: Int16Array.of(100, -4) };
    expect(drawn(style, bands)).toEqual([
      [51, 255, 255, 255],
      [68, 204, 0, 255],
    ]);
  });

  it('are missing where a band is', () => {
    const bands = { a: Int16Array.of(10), b: Int16Array.of(-999), c: Int16Array.of(100) };
    expect(drawn(style, bands)).toEqual([[0, 0, 0, 0]]);
  });

  it('take a scale factor for a range from 0', () => {
    const factor = parseOwsStyle({ components: { red: { a: 1 }, green: { a: 1 }, blue: { a: 1 } }, scale_factor: 2 });
    expect(drawn(factor, { a: Uint16Array.of(100) })).toEqual([[50, 50, 50, 255]]);
  });
});

describe('classes', () => {
  const water = {
    wet: { bits: 7, values: { '0': false, '1': true } },
    cloud: { bits: [5, 6], values: { '0': 'clear', '1': 'thin', '2': 'thick', '3': 'unknown' } },
  };
  const flagged = (flags: unknown, more: object = {}) =>
    parseOwsStyle({ value_map: { wo: [{ title: 'x', flags, color: '#010203', ...more }] } }, { wo: water });
  const bits = Uint8Array.of(0, 128, 64, 128 + 64, 96, 32);
  const painted = (style: OwsStyle) => drawn(style, { wo: bits }).map(([red]) => red);

  it('of flags, all or any', () => {
    expect(painted(flagged({ wet: true }))).toEqual([0, 1, 0, 1, 0, 0]);
    expect(painted(flagged({ and: { wet: true, cloud: 'thick' } }))).toEqual([0, 0, 0, 1, 0, 0]);
    expect(painted(flagged({ or: { wet: true, cloud: 'thick' } }))).toEqual([0, 1, 1, 1, 0, 0]);
    expect(painted(flagged({ cloud: 'thin' }))).toEqual([0, 0, 0, 0, 0, 1]);
    expect(painted(flagged({ wet: true }, { invert: true }))).toEqual([1, 0, 1, 0, 1, 1]);
  });

  it('the first rule of a band counts, and a later band covers an earlier one', () => {
    const style = parseOwsStyle({
      value_map: {
        a: [
          { title: '', values: [1], color: '#100000' },
          { title: '', values: [1, 2], color: '#200000', alpha: 0.5 },
        ],
        b: [{ title: '', values: [9], color: '#00f', mask: true }],
      },
    });
    expect(drawn(style, { a: Int16Array.of(1, 2, 3, 1), b: Int16Array.of(0, 0, 0, 9) })).toEqual([
      [16, 0, 0, 255],
      [32, 0, 0, 128],
      [0, 0, 0, 0],
      [0, 0, 255, 0],
    ]);
  });

  it('may name the missing value, and are none of NaN', () => {
    const rule = (more: object) => parseOwsStyle({ value_map: { a: [{ title: '', color: '#010203', ...more }] } });
    expect(drawn(rule({ values: [-999] }), { a: Int16Array.of(-999, 1) }).map(([red]) => red)).toEqual([1, 0]);
    const but = rule({ values: [7], invert: true });
    expect(drawn(but, { a: Float32Array.of(-999, Number.NaN, 7, 7.9, 8) }).map(([red]) => red)).toEqual([
      0, 0, 0, 0, 1,
    ]);
  });
});

describe('ramps', () => {
  const ndvi = { nir: Int16Array.of(30, 10, -999), red: Int16Array.of(10, 30, 5) };
  const grey = [
    { value: -1, color: '#000' },
    { value: 1, color: '#ffffff' },
  ];

  it.each([
    [{ index_expression: '(nir - red) / (nir + red)' }],
    [{ index_function: { function: 'datacube_ows.band_utils.norm_diff', kwargs: { band1: 'nir', band2: 'red' } } }],
    [{ index_function: { function: 'norm_diff', args: ['nir', 'red'], mapped_bands: true } }],
  ])('of an index: %j', (index) => {
    expect(drawn(parseOwsStyle({ ...index, color_ramp: grey }), ndvi)).toEqual([
      [191, 191, 191, 255],
      [63, 63, 63, 255],
      [0, 0, 0, 0],
    ]);
  });

  it('of a range have the colours of datacube-ows', () => {
    const style = parseOwsStyle({ index_expression: 'a', range: [0, 100] });
    expect(drawn(style, { a: Int16Array.of(-1, 0, 5, 50, 100, 200) }, null)).toEqual([
      [0, 0, 128, 0],
      [0, 0, 128, 255],
      [0, 0, 191, 255],
      [0, 255, 0, 255],
      [128, 0, 0, 255],
      [128, 0, 0, 255],
    ]);
  });

  it('have no colour where the index is no number', () => {
    const style = parseOwsStyle({ index_expression: 'a / a', color_ramp: grey });
    expect(drawn(style, { a: Int16Array.of(0, 2) })).toEqual([
      [0, 0, 0, 0],
      [255, 255, 255, 255],
    ]);
  });
});

describe('refusals', () => {
  const sums = { red: { a: 1 }, green: { a: 1 }, blue: { a: 1 } };
  const ramp = { index_expression: 'a', color_ramp: [{ value: 0, color: '#000000' }] };
  const map = (rule: object) => ({ value_map: { a: [{ title: '', color: '#000000', ...rule }] } });
  it.each([
    [{ ...ramp, mpl_ramp: 'viridis' }, 'UnsupportedError', '"mpl_ramp" is not known here'],
    [{ ...ramp, pq_masks: [] }, 'UnsupportedError', '"pq_masks" is not known here'],
    [{ colour_ramp: [] }, 'UnsupportedError', '"colour_ramp" is not known here; did you mean "color_ramp"'],
    [{}, 'InputError', 'a style has one of "components", "value_map", and "color_ramp" or "range"'],
    [{ ...ramp, components: sums }, 'InputError', 'a style has one of'],
    [{ components: sums }, 'InputError', '"scale_range" is missing'],
    [{ components: sums, scale_range: [5, 5] }, 'InputError', 'from a low to a higher value, not from 5 to 5'],
    [{ components: { red: { a: 1 } }, scale_range: [0, 1] }, 'InputError', 'has no green'],
    [{ components: { red: {}, green: {}, blue: {} }, scale_range: [0, 1] }, 'InputError', 'names no band'],
    [{ components: { ...sums, alpha: { a: 1 } }, scale_range: [0, 1] }, 'UnsupportedError', '"alpha"'],
    [{ components: { ...sums, red: { function: 'f' } }, scale_range: [0, 1] }, 'UnsupportedError', '"function"'],
    [
      { components: { ...sums, red: { a: 'x' } }, scale_range: [0, 1] },
      'InputError',
      '"a" takes a number, and got "x"',
    ],
    [{ ...ramp, color_ramp: [{ color: '#000000' }] }, 'InputError', 'an entry without a "value"'],
    [{ ...ramp, color_ramp: [{ value: 0, color: 'navy' }] }, 'UnsupportedError', 'the colour "navy" is a name'],
    [{ ...ramp, color_ramp: [{ value: 0, color: '#12345' }] }, 'InputError', 'written as #rrggbb, and got "#12345"'],
    [{ ...ramp, color_ramp: [{ value: 0, color: '#000', alpha: 2 }] }, 'InputError', 'from 0 to 1, not 2'],
    [{ color_ramp: ramp.color_ramp }, 'InputError', 'one of "index_function" and "index_expression"'],
    [
      { color_ramp: ramp.color_ramp, index_function: { function: 'my.own' } },
      'UnsupportedError',
      'my.own is not known here: there are single_band, norm_diff',
    ],
    [
      { color_ramp: ramp.color_ramp, index_function: { function: 'single_band', kwargs: { band: 'a', scale_to: 1 } } },
      'UnsupportedError',
      '"scale_to" of "index_function" single_band',
    ],
    [{ ...ramp, index_expression: 'log(a)' }, 'UnsupportedError', 'calls "log": there are no functions'],
    [{ ...ramp, index_expression: 'a ** 2' }, 'UnsupportedError', 'has "**": there are +, -, *, / and parentheses'],
    [{ ...ramp, index_expression: '(a + 2' }, 'InputError', 'ends too early'],
    [{ ...ramp, index_expression: '1 + 2' }, 'InputError', '"index_expression" names no band'],
    [{ ...ramp, index_expression: 'a b' }, 'InputError', 'has "b" where it may not stand'],
    [{ ...ramp, index_expression: '('.repeat(501) }, 'InputError', 'is longer than 500 characters'],
    [map({}), 'InputError', 'takes one of "values" and "flags"'],
    [map({ values: 3 }), 'InputError', '"values" takes a list, and got 3'],
    [map({ flags: { wet: true } }), 'UnsupportedError', '"flags" of a: it is not known what its bits mean'],
    [map({ flags: { and: {}, or: {} } }), 'InputError', 'takes one of "or" and "and"'],
    [map({ values: [1], mask: 'no' }), 'InputError', '"mask" is true or false, and got "no"'],
    [{ value_map: { a: {} } }, 'InputError', 'takes a list of rules'],
  ])('%j', (style, name, message) => {
    expect(() => parseOwsStyle(style)).toThrow(
      expect.objectContaining({ name, message: expect.stringContaining(message) }),
    );
  });

  it('bands that are not there are named', () => {
    const style = parseOwsStyle(ramp);
    expect(() => drawn(style, { b: Uint8Array.of(1) })).toThrow('there is no band "a": there are b');
  });
});
