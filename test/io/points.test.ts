import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, readPoints } from '../../build/index.js';
import type { Points, PointsInput } from '../../build/io/points.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-points-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const place = path.join(folder, name);
  await writeFile(place, text);
  return place;
}

const pairs = ({ x, y }: Points) => Array.from(x, (lon, i) => [lon, y[i]]);
const feature = (geometry: object, more: object = {}) => ({ type: 'Feature', properties: null, geometry, ...more });
const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });
const multi = (...coordinates: number[][]) => ({ type: 'MultiPoint', coordinates });

describe('points of GeoJSON', () => {
  it.each([
    [
      'a bare object',
      {
        coordinates: [
          [1, 2],
          [3, 4],
        ],
      },
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a bare pair', { coordinates: [1, 2] }, [[1, 2]]],
    ['a Point', point(1, 2), [[1, 2]]],
    ['a Point with a height', point(1, 2, 300), [[1, 2]]],
    [
      'a MultiPoint',
      multi([1, 2], [1, 2]),
      [
        [1, 2],
        [1, 2],
      ],
    ],
    [
      'a Feature',
      feature(multi([1, 2], [3, 4])),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'features',
      { type: 'FeatureCollection', features: [feature(point(5, 6)), feature(multi([1, 2], [3, 4]))] },
      [
        [5, 6],
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'a GeometryCollection',
      { type: 'GeometryCollection', geometries: [point(1, 2), point(0, 0)] },
      [
        [1, 2],
        [0, 0],
      ],
    ],
  ])('%s', async (_, document, expected) => {
    expect(pairs(await readPoints(document))).toEqual(expected);
    expect(pairs(await readPoints(await file('points.geojson', JSON.stringify(document))))).toEqual(expected);
  });

  it('keep what features say', async () => {
    const features = [
      feature(point(1, 2), { id: 'a', properties: { label: 'crop' } }),
      feature(point(3, 4), { id: 7 }),
    ];
    const points = await readPoints({ type: 'FeatureCollection', features });
    expect(points.ids).toEqual(['a', 7]);
    expect(points.properties).toEqual([{ label: 'crop' }, null]);
  });

  it.each([
    ['a polygon', { type: 'Polygon', coordinates: [] }, /holds a "Polygon", and points are wanted/],
    ['no type', {}, /holds a null/],
    ['a text for a number', point('1' as unknown as number, 2), /no pair of numbers, at point 0/],
    ['no coordinates', { type: 'MultiPoint' }, /MultiPoint without coordinates/],
    ['no geometry', { type: 'Feature', geometry: null }, /a feature without a geometry, after 0 points/],
    ['no points', { type: 'FeatureCollection', features: [] }, /holds no points/],
    [
      'too deep',
      Array.from({ length: 20 }).reduce<object>((g) => ({ type: 'GeometryCollection', geometries: [g] }), point(0, 0)),
      /deeper/,
    ],
  ])('refuse %s', async (_, document, message) => {
    const attempt = readPoints(document);
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(message);
  });
});

describe('their CRS', () => {
  const utm = multi([501364.9, 5629672.6]);
  it('is lon/lat unless something is said', async () => {
    expect((await readPoints([[1, 2]])).crs.epsg).toBe(4326);
    expect((await readPoints(utm, { crs: 'EPSG:32631' })).crs.epsg).toBe(32631);
    const crs = { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::32631' } };
    expect((await readPoints({ ...utm, crs })).crs.epsg).toBe(32631);
    const ogc = { type: 'name', properties: { name: 'urn:ogc:def:crs:OGC:1.3:CRS84' } };
    expect((await readPoints({ ...multi([1, 2]), crs: ogc })).crs.epsg).toBe(4326);
    expect((await readPoints({ ...utm, crs }, { crs: 'EPSG:32632' })).crs.epsg).toBe(32632);
  });

  it('that is not known is asked for', async () => {
    await expect(readPoints(utm)).rejects.toThrow(/is no longitude and latitude: say in which CRS.*--points-crs/);
    await expect(readPoints({ ...multi([1, 2]), crs: null })).rejects.toThrow(/not known: say in which CRS/);
    await expect(readPoints({ ...multi([1, 2]), crs: { type: 'name' } })).rejects.toThrow(/names no CRS/);
    await expect(readPoints(utm, { crs: 'EPSG:abc' })).rejects.toThrow(/not a CRS/);
  });

  it('may be any WKT', async () => {
    const wkt =
      'PROJCS["mine",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],UNIT["metre",1]]';
    expect((await readPoints(utm, { crs: wkt })).crs.definition).toContain('mine');
  });
});

describe('points of tables and lists', () => {
  it('have columns by name', async () => {
    const text = '\uFEFFid,label,Lat,LON\r\na,"crop, ""winter""",50.5,3.25\r\n\r\nb,grass,-1e1,4\n';
    const points = await readPoints(await file('points.csv', text));
    expect(pairs(points)).toEqual([
      [3.25, 50.5],
      [4, -10],
    ]);
    expect(points.ids).toEqual(['a', 'b']);
    expect(points.properties).toEqual([{ label: 'crop, "winter"' }, { label: 'grass' }]);
  });

  it('may be separated otherwise, and be in metres', async () => {
    const semicolons = await readPoints(await file('p.csv', 'x;y\n500000;5600000'), { crs: 'EPSG:32631' });
    expect(pairs(semicolons)).toEqual([[500000, 5600000]]);
    expect(pairs(await readPoints(await file('p.tsv', 'longitude\tlatitude\n1\t2\n')))).toEqual([[1, 2]]);
    expect(pairs(await readPoints(await file('list.json', '[[1, 2], [3, 4]]')))).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it.each([
    ['no header', 'points.csv', '1,2\n3,4\n', /needs a header with the columns lon and lat, or x and y, and has: 1, 2/],
    ['a word', 'points.csv', 'lon,lat\n1,2\nnone,4\n', /line 3: coordinates that are no numbers: "none", "4"/],
    ['a short row', 'points.csv', 'lon,lat\n1\n', /line 2/],
    ['no row', 'points.csv', 'lon,lat\n', /holds no points/],
    ['nothing', 'points.csv', '', /needs a header/],
    ['metres', 'points.csv', 'x,y\n500000,5600000\n', /--points-crs/],
    ['broken JSON', 'points.json', '{"type": ', /is not JSON/],
    ['another ending', 'points.shp', '', /not from .*points.shp/],
  ])('refuse %s', async (_, name, text, message) => {
    await expect(readPoints(await file(name, text))).rejects.toThrow(message);
  });

  it.each([[[[1, 2], [3]]], [[[1, Number.NaN]]], [[]], [[1, 2]]])('refuse the list %j', async (list) => {
    await expect(readPoints(list as PointsInput)).rejects.toThrow(InputError);
  });

  it('refuse a file that is not there', async () => {
    await expect(readPoints(path.join(folder, 'none.geojson'))).rejects.toThrow(/no such file/);
  });

  it('pass through when they were read before', async () => {
    const points = await readPoints([[1, 2]]);
    expect(await readPoints(points)).toBe(points);
  });
});
