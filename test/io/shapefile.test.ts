import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StackwiseError } from '../../build/errors.js';
import { parseDbf } from '../../build/io/dbf.js';
import { readPolygonLayer } from '../../build/io/polygon-layer.js';
import { parseShapes } from '../../build/io/shapefile.js';
import { anyStore } from '../../build/io/stores.js';
import { encodeDbf, encodeShp, type ShapeRecord, square, WGS84_PRJ } from '../fixture/shapefile.js';

const RECORDS: ShapeRecord[] = [
  { rings: [square(0, 0, 10), square(2, 2, 3).toReversed()], attributes: { NAME: 'Nïce', AREA: 91.5 } },
  { rings: [square(20, 0, 1), square(22, 0, 5), square(23, 1, 1).toReversed()], attributes: { NAME: 'two', AREA: 25 } },
  { rings: null, attributes: { NAME: '', AREA: -1 } },
];

/** Files with a number written over. */
const changed = (edit: (shp: Buffer) => void) => (shp: Buffer) => {
  edit(shp);
  return shp;
};

describe('shapes', () => {
  it('are polygons, each hole with the outer ring around it', () => {
    const [first, second, third] = parseShapes(encodeShp(RECORDS), 'x.shp');
    expect(first).toEqual([RECORDS[0]!.rings]);
    expect(second).toEqual([[square(20, 0, 1)], [square(22, 0, 5), square(23, 1, 1).toReversed()]]);
    expect(third).toBeNull();
  });

  it('whose rings run the wrong way count as outer ones', () => {
    const rings = [square(0, 0, 1).toReversed(), square(5, 0, 1).toReversed()];
    expect(parseShapes(encodeShp([{ rings, attributes: {} }]), 'x.shp')[0]).toEqual(rings.map((ring) => [ring]));
  });

  it('are closed, and none without area', () => {
    const open = square(0, 0, 1).slice(0, 4);
    const line: [number, number][] = [
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 0],
    ];
    expect(parseShapes(encodeShp([{ rings: [open, line], attributes: {} }]), 'x.shp')[0]).toEqual([[square(0, 0, 1)]]);
  });

  it.each([
    ['no bytes', () => Buffer.alloc(0), /it is no shapefile/],
    ['another file', () => Buffer.alloc(200, 'x'), /it is no shapefile/],
    ['a cut file', (shp: Buffer) => shp.subarray(0, shp.length - 8), /should have \d+ bytes, and has/],
    ['points', (shp: Buffer) => shp.fill(1, 32, 33), /holds points: polygons are wanted/],
    [
      'billions of points',
      changed((shp) => shp.writeInt32LE(2 ** 30, 108 + 40)),
      /record 1 promises 2 parts of 1073741824 points/,
    ],
    ['fewer than no parts', changed((shp) => shp.writeInt32LE(-1, 108 + 36)), /record 1 promises -1 parts/],
    [
      'a part beyond the end',
      changed((shp) => shp.writeInt32LE(99, 108 + 48)),
      /record 1 has a part of points 0 to 99/,
    ],
    ['a record beyond the end', changed((shp) => shp.writeInt32BE(2 ** 29, 104)), /record 1 of 1073741824 bytes/],
    ['a record of nothing', changed((shp) => shp.writeInt32BE(0, 104)), /record 1 of 0 bytes/],
    ['another kind within', changed((shp) => shp.writeInt32LE(3, 108)), /record 1 is of type 3/],
    ['a point that is none', changed((shp) => shp.writeDoubleLE(Number.NaN, 108 + 52)), /record 1 has a point at NaN/],
  ])('are refused of %s', (_, damage: (shp: Buffer) => Buffer, message) => {
    expect(() => parseShapes(damage(encodeShp(RECORDS)), 'x.shp')).toThrow(message);
  });

  it('of any damaged file are shapes or an error of ours', () => {
    const whole = encodeShp(RECORDS);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          try {
            expect(parseShapes(bytes, 'x.shp').length).toBeLessThan(200);
          } catch (error) {
            expect(error).toBeInstanceOf(StackwiseError);
          }
        },
      ),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('tables of attributes', () => {
  it('are read by their types, deleted records left out', () => {
    const { fields, rows } = parseDbf(encodeDbf(RECORDS, [1]), { url: 'x.dbf', encoding: null });
    expect(fields).toEqual(['NAME', 'AREA']);
    expect(rows.map((row) => row && { ...row })).toEqual([
      { NAME: 'Nïce', AREA: 91.5 },
      null,
      { NAME: null, AREA: -1 },
    ]);
  });

  it('take the encoding that is said, or the older one where it is no UTF-8', () => {
    const bytes = encodeDbf(RECORDS);
    bytes.write('caf\xe9                ', bytes.indexOf('N\xc3\xafce', 'latin1'), 'latin1');
    const name = (encoding: string | null) => parseDbf(bytes, { url: 'x.dbf', encoding }).rows[0]!.NAME;
    expect(name(null)).toBe('café');
    expect(name('1251')).toBe('cafй');
    expect(name('nonsense')).toBe('café');
  });

  it('are no more than their bytes', () => {
    const change = (edit: (bytes: Buffer) => void) => {
      const bytes = encodeDbf(RECORDS);
      edit(bytes);
      return () => parseDbf(bytes, { url: 'x.dbf', encoding: null });
    };
    expect(change((b) => b.writeUInt32LE(2 ** 31, 4))).toThrow(/2147483648 records of 33 bytes are promised/);
    expect(change((b) => b.writeUInt16LE(60000, 8))).toThrow(/no dBASE table/);
    expect(change((b) => b.writeUInt16LE(5, 10))).toThrow(/2 fields take 33 of 5 bytes/);
    const whole = encodeDbf(RECORDS);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        try {
          parseDbf(bytes, { url: 'x.dbf', encoding: null });
        } catch (error) {
          expect(error).toBeInstanceOf(StackwiseError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('a layer of polygons', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stackwise-layer-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const read = (name: string) => readPolygonLayer(join(folder, name), { store: anyStore() });

  it('is a shapefile with what lies beside it', async () => {
    await writeFile(join(folder, 'x.shp'), encodeShp(RECORDS));
    await writeFile(join(folder, 'x.dbf'), encodeDbf(RECORDS));
    await writeFile(join(folder, 'x.prj'), WGS84_PRJ);
    const layer = await read('x.shp');
    expect(layer).toMatchObject({ fields: ['NAME', 'AREA'], empty: 1 });
    expect(layer.features.map(({ properties, polygons }) => [properties.NAME, polygons.length])).toEqual([
      ['Nïce', 1],
      ['two', 2],
    ]);
  });

  it('without a .prj is in degrees, or refused', async () => {
    await writeFile(join(folder, 'x.shp'), encodeShp(RECORDS));
    expect(await read('x.shp')).toMatchObject({ crs: { epsg: 4326 }, fields: [] });
    await writeFile(join(folder, 'm.shp'), encodeShp([{ rings: [square(0, 5e5, 10)], attributes: {} }]));
    await expect(read('m.shp')).rejects.toThrow(/no .prj beside it, and its coordinates are no degrees/);
  });

  it('is GeoJSON of any of its kinds', async () => {
    const polygon = { type: 'Polygon', coordinates: [square(0, 0, 1)] };
    const write = (name: string, document: unknown) => writeFile(join(folder, name), JSON.stringify(document));
    await write('a.json', polygon);
    await write('b.json', {
      type: 'Feature',
      properties: { a: 1 },
      geometry: { type: 'GeometryCollection', geometries: [polygon] },
    });
    await write('c.json', {
      type: 'FeatureCollection',
      crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3577' } },
      features: [
        { type: 'Feature', properties: null, geometry: null },
        { type: 'Feature', properties: { b: 2 }, geometry: polygon },
      ],
    });
    expect((await read('a.json')).features).toEqual([{ properties: {}, polygons: [[square(0, 0, 1)]] }]);
    expect(await read('b.json')).toMatchObject({ fields: ['a'], crs: { epsg: 4326 } });
    expect(await read('c.json')).toMatchObject({ fields: ['b'], crs: { epsg: 3577 }, empty: 1 });
  });

  it.each([
    ['x.txt', 'text', /neither a shapefile \(.shp\) nor GeoJSON/],
    ['x.zip', 'PK', /unpacked/],
    ['x.json', '{"type":"Point","coordinates":[1,2]}', /feature 1 is a "Point": polygons are wanted/],
    [
      'x.json',
      '{"type":"Polygon","coordinates":[[[0,0],[1,"a"],[1,1]]]}',
      /feature 1 has a position that is no pair of numbers/,
    ],
    ['x.json', '{"type":"Polygon","coordinates":[[[0,0],[1e999,0],[1,1]]]}', /that is no pair of numbers/],
    [
      'x.json',
      '{"type":"Polygon","coordinates":[[[0,0],[5e5,0],[0,5e6]]]}',
      /has no "crs", and its coordinates are no degrees/,
    ],
    ['x.json', '{"type":"Polygon","coordinates":7}', /feature 1 has no list of coordinates/],
    ['x.json', '{"type":"FeatureCollection","features":3}', /has no features/],
    ['x.json', '[]', /is no GeoJSON/],
  ])('is refused of %s that holds %s', async (name, text, message) => {
    await writeFile(join(folder, name), text);
    await expect(read(name)).rejects.toThrow(message);
  });

  it('of other records than shapes is refused', async () => {
    await writeFile(join(folder, 'x.shp'), encodeShp(RECORDS));
    await writeFile(join(folder, 'x.dbf'), encodeDbf(RECORDS.slice(0, 2)));
    await expect(read('x.shp')).rejects.toThrow(/has 3 shapes, and its table 2 records/);
  });
});
