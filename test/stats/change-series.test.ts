import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { detect, toJSON, toOrdinal } from '../../build/node.js';
import { seriesOfTable } from '../../build/stats/change-series.js';
import { isSeriesJson, tableOfCsv, tableOfJson } from '../../build/stats/series-table.js';

const csv = (text: string, options = {}) => seriesOfTable(tableOfCsv(text, 'x.csv'), 'x.csv', options);
const HEAD = 'date,blue,green,red,nir,swir1,swir2';

describe('a table of one pixel', () => {
  it.each([
    '2001-07-19',
    '2001-07-19T18:50:00.123456Z',
    '2001-07-19 18:50:00',
    '20010719',
    '2001200',
    '730685',
    '995568600000',
    '9.955686E11',
    '9.955686e+11',
  ])('has dates like %s', (date) => {
    const { series } = csv(`${HEAD},pixel_qa\n${date},1,2,3,4,5,6,66`);
    expect(series.dates).toEqual([toOrdinal('2001-07-19')]);
  });

  it('is told by the names of its columns, whatever their order and separators', () => {
    const text =
      'QA_PIXEL;SR_B7;SR_B5;SR_B4;SR_B3;SR_B2;SR_B1;ST_B6;Spacecraft ID;date\n21824;8000;9000;10000;11000;12000;13000;42000;LANDSAT_5;1990-01-02\n';
    const { series, options } = csv(text);
    expect(Object.keys(series.bands)).toEqual(['blue', 'green', 'red', 'nir', 'swir1', 'swir2', 'thermal']);
    // reflectance 2.75e-5 DN − 0.2, kelvin 0.00341802 DN + 149
    expect(Object.values(series.bands).map((values) => values[0])).toEqual([1575, 1300, 1025, 750, 475, 200, 2926]);
    expect(options).toEqual({ qaScheme: 'landsat-c2', wideInt: true });
  });

  it('takes the numbers of bands by the instrument of each row', () => {
    const { series, options } = csv(
      'date,B1,B2,B3,B4,B5,B6,B7,pixel_qa,SATELLITE\n2000-01-01,1,2,3,4,5,2900,7,66,LANDSAT_7\n2014-01-01,0,1,2,3,4,5,7,322,LANDSAT_8\n',
    );
    expect(series.bands).toEqual({
      blue: [1, 1],
      green: [2, 2],
      red: [3, 3],
      nir: [4, 4],
      swir1: [5, 5],
      swir2: [7, 7],
    });
    // Not every row has a temperature.
    expect(options).toEqual({ qaScheme: 'pyccd', thermalBand: null });
  });

  it('passes over rows that hold nothing, and marks single missing values', () => {
    const { series } = csv(
      `${HEAD},thermal,fmask\n2000-01-01,,,,,,,,255\n2000-01-02,0,0,0,0,0,0,0,0\n2000-01-03,1,2,NA,4,5,6,2900,0\n2000-01-04,1,2,3,4,5,6,2900,\n`,
    );
    expect(series.dates).toEqual([toOrdinal('2000-01-01'), toOrdinal('2000-01-03')]);
    expect(series.bands.red).toEqual([-9999, -9999]);
  });

  it('takes temperatures in degrees Celsius × 100, halves to even', () => {
    const text = `${HEAD},thermal,fmask\n2000-01-01,1,2,3,4,5,6,850,0\n2000-01-02,1,2,3,4,5,6,860,0\n2000-01-03,1,2,3,4,5,6,-9999,0\n`;
    expect(csv(text, { thermalUnit: 'celsius-100' }).series.bands.thermal).toEqual([2816, 2818, -9999]);
    expect(() => csv(text)).toThrow(/thermal of 850 is no kelvin × 10/);
  });

  it.each([
    ['nothing', /has no column of date; it has nothing/],
    ['date,blue,green,red,nir,swir1,fmask\n', /no column of swir2; it has date, blue/],
    [`${HEAD}\n`, /no column of qa/],
    [`${HEAD},qa\n2000-01-01,1,2,3,4,5,6,0`, /how its QA is read/],
    [`${HEAD},fmask\n`, /holds no observations/],
    [`${HEAD},fmask\nlast week,1,2,3,4,5,6,0`, /row 1: "last week" is no date/],
    [`${HEAD},fmask\n2000-02-30,1,2,3,4,5,6,0`, /row 1: "2000-02-30" is no date/],
    [`${HEAD},fmask\n2000-01-01,1,2,x,4,5,6,0`, /row 1, red: "x" is no number/],
    [`${HEAD},fmask\n2000-01-01,.1,.2,.3,.4,.5,.6,0`, /blue of 0.1: reflectance × 10000 is wanted/],
    ['date,B1,B2,B3,B4,B5,B7,fmask\n2000-01-01,1,2,3,4,5,7,0', /beside numbered bands a column of platforms is wanted/],
    [
      `${HEAD},fmask,id\n2000-01-01,1,2,3,4,5,6,0,a\n2000-01-02,1,2,3,4,5,6,0,b\n2000-01-03,1,2,3,4,5,6,0,b\n`,
      /2 pixels: say which \(a, b\)/,
    ],
  ])('%s is refused', (text, message) => {
    expect(() => csv(text as string)).toThrow(message as RegExp);
  });

  it('may have several pixels, of which one is named', () => {
    const text = `${HEAD},fmask,id\n2000-01-01,1,2,3,4,5,6,0,a\n2000-01-02,1,2,3,4,5,6,0,b\n2000-01-03,1,2,3,4,5,6,0,b\n`;
    expect(csv(text, { point: 'b' }).series.dates).toHaveLength(2);
    expect(() => csv(text, { point: 'c' })).toThrow(/no pixel "c": it has a, b/);
    expect(() => csv(`${HEAD},fmask\n2000-01-01,1,2,3,4,5,6,0`, { point: 'a' })).toThrow(/no column that names pixels/);
  });

  it('may be JSON: rows, or lists', () => {
    const rows = [{ date: '2000-01-01', blue: 1, green: 2, red: 3, nir: 4, swir1: 5, swir2: 6, fmask: 0 }];
    const lists = {
      dates: [730_120],
      bands: { blue: [1], green: [2], red: [3], nir: [4], swir1: [5], swir2: [6] },
      fmask: [0],
    };
    const pyccd = {
      dates: [730_120],
      blues: [1],
      greens: [2],
      reds: [3],
      nirs: [4],
      swir1s: [5],
      swir2s: [6],
      fmask: [0],
    };
    for (const document of [rows, lists, pyccd]) {
      expect(isSeriesJson(document)).toBe(true);
      const { series } = seriesOfTable(tableOfJson(document, 'x.json'), 'x.json');
      expect(series).toMatchObject({ dates: [730_120], bands: { swir2: [6] }, qa: [0] });
    }
    expect(isSeriesJson({ type: 'FeatureCollection', features: [] })).toBe(false);
    expect(isSeriesJson([{ type: 'Feature', assets: {} }])).toBe(false);
    const uneven = { ...lists, fmask: [0, 1] };
    expect(() => tableOfJson(uneven, 'x.json')).toThrow('fmask has 2 values, and there are 1 dates');
  });
});

const real = path.resolve(
  process.env.STACKWISE_DATA ?? '../shared/data',
  'landsat-points-csv/lsatTS_export_chunk_1.csv',
);

describe.skipIf(!existsSync(real))('a real export of Earth Engine (skipped without STACKWISE_DATA)', () => {
  it('gives the series of each of its pixels', async () => {
    const table = tableOfCsv(await readFile(real, 'utf8'), 'export.csv');
    expect(() => seriesOfTable(table, 'export.csv')).toThrow(/5 pixels: say which \(toolik_1, /);
    const { series, options } = seriesOfTable(table, 'export.csv', { point: 'toolik_1' });
    expect(options).toEqual({ qaScheme: 'pyccd', thermalBand: null });
    const at = series.dates as number[];
    const place = at.indexOf(toOrdinal('1985-08-29'));
    expect([series.bands.blue![place], series.bands.swir2![place], series.qa[place]]).toEqual([5622, 4543, 224]);
    const l8 = at.indexOf(toOrdinal('2013-08-01'));
    expect([series.bands.red![l8], series.bands.swir1![l8]]).toEqual([1885, 2056]);
    const found = toJSON(detect({ ...series, ...options }));
    expect(found.change_models.length).toBeGreaterThan(0);
  });
});
