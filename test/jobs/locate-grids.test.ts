import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseGridSpec } from '../../build/geo/gridspec.js';
import { tileOutlines } from '../../build/geo/tile-outline.js';
import { filterOf, parseFilter } from '../../build/jobs/attribute-filter.js';
import { locateShapes, locateTiles } from '../../build/node.js';
import { encodeDbf, encodeShp, square, WGS84_PRJ } from '../fixture/shapefile.js';

const DATA = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
const COUNTRIES = join(DATA, 'boundaries/ne_110m_admin_0_countries.json');
const OGR = spawnSync('ogr2ogr', ['--version']).status === 0;

describe('a filter of attributes', () => {
  const fields = ['FEAT_CODE', 'AREA', 'name of it', 'nothing'];
  const rows = [
    { FEAT_CODE: 'sea', AREA: 5, 'name of it': "d'Or" },
    { FEAT_CODE: 'Mainland', AREA: 12.5, 'name of it': 'x' },
    { FEAT_CODE: 'island', AREA: 0.5, nothing: null },
  ];
  const met = (text: string) => {
    const isMeant = filterOf(parseFilter(text), fields);
    return rows.flatMap((row, i) => (isMeant(row) ? [i] : []));
  };

  it.each([
    ["FEAT_CODE != 'sea'", [1, 2]],
    ["FEAT_CODE<>'SEA'", [1, 2]],
    ["feat_code = 'mainland'", [1]],
    ["AREA > 1 AND FEAT_CODE = 'sea'", [0]],
    ['AREA>=5', [0, 1]],
    ['AREA <= 5', [0, 2]],
    ['AREA < 10', [0, 2]],
    ['AREA = 12.50', [1]],
    ["FEAT_CODE LIKE '%LAND'", [1, 2]],
    ["FEAT_CODE like '_ea'", [0]],
    ["FEAT_CODE LIKE '%a%n%'", [1, 2]],
    ["FEAT_CODE LIKE 'land'", []],
    [`"name of it" = 'd''Or'`, [0]],
    ["nothing != 'x'", []],
    ['FEAT_CODE = sea and AREA=5', [0]],
  ])('%s', (text, expected) => expect(met(text)).toEqual(expected));

  it.each([
    ['', /the filter is empty/],
    ['AREA', /no comparison is called ""/],
    ['AREA >', /AREA > is compared with nothing/],
    ['AREA IN (1, 2)', /no comparison is called "IN"/],
    ['AREA = 1 OR AREA = 2', /joined by AND, not "OR"/],
    ["AREA = 'x", /cannot read "'x"/],
    ["'AREA' = 1", /a field is missing/],
    ['AREA = 1; DROP', /joined by AND, not "DROP"|1;/],
    ['AERA = 1', /no field is called "AERA"; did you mean "AREA"/],
    ['x'.repeat(20_000), /a filter of 20000 characters/],
  ])('refuses %j', (text, message) => expect(() => met(text)).toThrow(message));

  it('takes no time over hostile patterns', () => {
    const start = performance.now();
    const isMeant = filterOf(parseFilter(`a LIKE '${'%a'.repeat(200)}b'`), ['a']);
    expect(isMeant({ a: 'a'.repeat(5000) })).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('tiles of a grid', () => {
  let folder = '';
  const path = (name: string) => join(folder, name);
  const file = async (name: string, document: unknown) => {
    await writeFile(path(name), JSON.stringify(document));
    return path(name);
  };
  const feature = (properties: object, ...rings: [number, number][][]) => ({
    type: 'Feature',
    properties,
    geometry: { type: 'Polygon', coordinates: rings },
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stackwise-locate-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are those that an extent in degrees shares ground with', async () => {
    const extent = await file('extent.json', feature({}, square(131.2, -24.8, 1.5)));
    expect(await locateTiles('epsg:4326;0.01;100', extent)).toEqual([
      ['131', '-25'],
      ['131', '-24'],
      ['132', '-25'],
      ['132', '-24'],
    ]);
  });

  it('are the same of a shapefile in the grid’s own CRS', async () => {
    const records = [
      { rings: [square(10, 10, 85_000)], attributes: { CODE: 'land', N: 1 } },
      { rings: [square(960_010, 10, 100_000)], attributes: { CODE: 'sea', N: 2 } },
    ];
    await writeFile(path('own.shp'), encodeShp(records));
    await writeFile(path('own.dbf'), encodeDbf(records));
    await writeFile(path('own.prj'), albersPrj());
    const spec = 'epsg:3577;30;3200';
    expect(await locateTiles(spec, path('own.shp'), { attributeFilter: "CODE <> 'sea'" })).toEqual([['0', '0']]);
    const all = await locateTiles(spec, path('own.shp'));
    expect(all).toEqual([
      ['0', '0'],
      ['10', '0'],
      ['10', '1'],
      ['11', '0'],
      ['11', '1'],
    ]);
  });

  it('may be given as polygons, named as odc-stats names them', async () => {
    const tiles = ['x07y28', 'x08y28', 'x09y28'].map((code, i) =>
      feature({ region_code: code }, square(i * 10, 0, 10)),
    );
    const grid = await file('tiles.json', { type: 'FeatureCollection', features: tiles });
    const extent = await file('small.json', {
      type: 'FeatureCollection',
      features: [feature({ kind: 'a' }, square(1, 1, 2)), feature({ kind: 'b' }, square(20, 2, 5))],
    });
    // Their expression takes digits as they stand.
    expect(await locateShapes(grid, extent)).toEqual([
      ['07', '28'],
      ['09', '28'],
    ]);
    expect(await locateShapes(grid, extent, { attributeFilter: "kind = 'b'" })).toEqual([['09', '28']]);
    const negative = await file('neg.json', feature({ region_code: 'x-3y5' }, square(0, 0, 9)));
    expect(await locateShapes(negative, extent)).toEqual([['-3', '5']]);
    const indexed = await file('index.json', feature({ ix: 4, iy: -2, title: 'x' }, square(0, 0, 9)));
    expect(await locateShapes(indexed, extent)).toEqual([['4', '-2']]);
  });

  it('given as polygons in degrees are those of the grid itself', async () => {
    const spec = parseGridSpec('au_extended_30');
    const outlines = await tileOutlines(spec);
    const tiles = Array.from({ length: 100 }, (_, i) => ({ x: 30 + (i % 10), y: 30 + Math.floor(i / 10) }));
    const grid = await file('degrees.json', {
      type: 'FeatureCollection',
      features: tiles.map(({ x, y }) => ({
        type: 'Feature',
        properties: { region_code: `x${x}y${y}` },
        geometry: outlines.outlineOf({ x, y }),
      })),
    });
    const [west, south, east, north] = outlines.boundsOf({ x: 34, y: 34 });
    const [w, s] = [west + 0.3 * (east - west), south + 0.3 * (north - south)];
    const extent = await file('inner.json', feature({}, square(w, s, 2.3)));
    const wanted = (await locateTiles('au_extended_30', extent)).map((name) => name.join());
    const found = (await locateShapes(grid, extent)).map((name) => name.join());
    expect(found.length).toBeGreaterThan(6);
    expect(found.sort()).toEqual(wanted.sort());
  });

  it.each([
    ['none.json', {}, /cannot read .*none.json/],
    ['extent.json', { attributeFilter: 'x = 1' }, /no field is called "x"; there are none/],
    ['small.json', { attributeFilter: "kind = 'c'" }, /none of 2 polygons in .*small.json meets kind = 'c'/],
  ])('refuses %s with %j', async (name, options, message) => {
    await expect(locateTiles('au_30', path(name), options)).rejects.toThrow(message);
  });

  it('refuses tiles without names, and grids without', async () => {
    const extent = path('extent.json');
    await expect(locateTiles('au_31', extent)).rejects.toThrow(/no grid is called "au_31"/);
    const nameless = await file('nameless.json', feature({ code: 'x1y2' }, square(0, 0, 1)));
    await expect(locateShapes(nameless, extent)).rejects.toThrow(
      /named by region_code, or ix and iy, or x and y; its fields are code/,
    );
    const odd = await file('odd.json', feature({ region_code: '10UDV' }, square(0, 0, 1)));
    await expect(locateShapes(odd, extent)).rejects.toThrow(/a tile's region_code is like x07y28, not "10UDV"/);
  });

  it.skipIf(!OGR || !existsSync(COUNTRIES))('are those of OGR, for real boundaries as a shapefile', async () => {
    const where = "NAME = 'Australia'";
    const shp = path('australia.shp');
    execFileSync('ogr2ogr', ['-q', '-where', where, '-t_srs', 'EPSG:3577', shp, COUNTRIES]);
    const found = await locateTiles('au_30', shp);
    const direct = await locateTiles('au_30', COUNTRIES, { attributeFilter: where });
    const tiles = Array.from({ length: 60 * 60 }, (_, i) => ({ x: i % 60, y: Math.floor(i / 60) }));
    const [side, ox, oy] = [96_000, -2_688_000, -5_472_000];
    const grid = await file('au.json', {
      type: 'FeatureCollection',
      crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3577' } },
      features: tiles.map(({ x, y }) =>
        feature({ region_code: `x${x}y${y}` }, square(ox + x * side, oy + y * side, side).toReversed()),
      ),
    });
    await writeFile(
      path('both.vrt'),
      `<OGRVRTDataSource><OGRVRTLayer name="g"><SrcDataSource>${grid}</SrcDataSource><SrcLayer>au</SrcLayer></OGRVRTLayer><OGRVRTLayer name="e"><SrcDataSource>${shp}</SrcDataSource><SrcLayer>australia</SrcLayer></OGRVRTLayer></OGRVRTDataSource>`,
    );
    const query = 'SELECT DISTINCT g.region_code AS code FROM g, e WHERE ST_Intersects(g.geometry, e.geometry)';
    execFileSync('ogr2ogr', [
      '-q',
      '-f',
      'CSV',
      path('ogr.csv'),
      path('both.vrt'),
      '-dialect',
      'SQLite',
      '-sql',
      query,
    ]);
    const theirs = (await readFile(path('ogr.csv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replaceAll('"', ''));
    const named = (names: readonly (readonly [string, string])[]) => names.map(([x, y]) => `x${x}y${y}`).sort();
    expect(theirs.length).toBeGreaterThan(700);
    expect(named(await locateShapes(grid, shp))).toEqual(theirs.sort());
    // The long way through degrees bends edges by metres.
    const within =
      named(found).filter((name) => !theirs.includes(name)).length +
      theirs.filter((name) => !named(found).includes(name)).length;
    expect(within).toBeLessThanOrEqual(1);
    expect(Math.abs(direct.length - found.length)).toBeLessThanOrEqual(8);
  });
});

/** GDA94 / Australian Albers as ESRI writes it. */
function albersPrj(): string {
  const degrees = WGS84_PRJ.replace('GCS_WGS_1984', 'GCS_GDA_1994')
    .replace('D_WGS_1984', 'D_GDA_1994')
    .replace('"WGS_1984",6378137.0,298.257223563', '"GRS_1980",6378137.0,298.257222101');
  const parameters = {
    False_Easting: 0,
    False_Northing: 0,
    Central_Meridian: 132,
    Standard_Parallel_1: -18,
    Standard_Parallel_2: -36,
    Latitude_Of_Origin: 0,
  };
  const list = Object.entries(parameters).map(([name, value]) => `PARAMETER["${name}",${value}.0]`);
  return `PROJCS["GDA_1994_Australia_Albers",${degrees},PROJECTION["Albers"],${list.join(',')},UNIT["Meter",1.0]]`;
}
