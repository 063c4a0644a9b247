import { describe, expect, it } from 'vitest';
import {
  crsToLonLat,
  describeCrs,
  isGeographic,
  lonLatToCrs,
  parseCrs,
  projMembers,
  sameCrs,
  UNKNOWN_CRS,
} from '../../build/geo/crs.js';
import { crsOfGeoKeys, geoKeysFromCrs, projOfGeoKeys } from '../../build/geo/geokeys.js';

/** EPSG code, lon, lat, and x, y by PROJ 9.5.1 (pyproj, from the code's own geographic CRS). */
const PROJ_POINTS = [
  [32631, 3.02, 50.81, 501409.1159, 5628696.7068],
  [32733, 15.5, -20.25, 552220.0539, 7760774.4343],
  [3035, 10.5, 48.2, 4358185.6671, 2787510.5862],
  [5070, -100.1, 40.3, -345395.5273, 1928040.7648],
  [3577, 135.2, -25.5, 317912.1875, -2762590.2627],
  [6933, 20.5, -33.1, 1977968.7451, -3997006.0451],
  [3413, -45.5, 75.2, -14065.9392, -1611796.9902],
  [3031, 100.2, -70.4, 2115786.1481, -380690.0149],
  [2193, 174.7, -41.3, 1742325.1063, 5426545.4523],
  [3995, 30.3, 80.1, 543999.4387, -930943.4662],
  [3832, 170.5, -15.2, 2282049.5613, -1701063.6704],
  [3857, -0.12, 51.5, -13358.3389, 6710219.0832],
  [2154, 2.35, 48.85, 652301.5648, 6861302.7259],
  [3978, -75.7, 45.4, 1511127.6357, -172193.0599],
  [6931, 10, 80, 193688.7491, -1098463.4812],
] as const;

/** The CRS of the Landsat stack of Washington: as its items say it, and as its GeoTIFFs do. */
const ALBERS_WKT2 =
  'PROJCRS["Albers",BASEGEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]],CONVERSION["unnamed",METHOD["Albers Equal Area",ID["EPSG",9822]],PARAMETER["Latitude of false origin",23,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8821]],PARAMETER["Longitude of false origin",-96,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8822]],PARAMETER["Latitude of 1st standard parallel",29.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8823]],PARAMETER["Latitude of 2nd standard parallel",45.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8824]],PARAMETER["Easting at false origin",0,LENGTHUNIT["metre",1],ID["EPSG",8826]],PARAMETER["Northing at false origin",0,LENGTHUNIT["metre",1],ID["EPSG",8827]]],CS[Cartesian,2],AXIS["easting",east,ORDER[1],LENGTHUNIT["metre",1,ID["EPSG",9001]]],AXIS["northing",north,ORDER[2],LENGTHUNIT["metre",1,ID["EPSG",9001]]]]';
const ALBERS_KEYS = {
  1024: 1,
  1025: 1,
  1026: 'Albers',
  2048: 4326,
  2049: 'WGS 84',
  2054: 9102,
  2057: 6378137,
  2059: 298.257223563,
  3072: 32767,
  3074: 32767,
  3075: 11,
  3076: 9001,
  3078: 29.5,
  3079: 45.5,
  3080: -96,
  3081: 23,
  3082: 0,
  3083: 0,
};
const ALBERS_WKT1 =
  'PROJCS["Albers",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Albers_Conic_Equal_Area"],PARAMETER["latitude_of_center",23],PARAMETER["longitude_of_center",-96],PARAMETER["standard_parallel_1",29.5],PARAMETER["standard_parallel_2",45.5],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]';
const ALBERS_PROJ = '+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +datum=WGS84';

describe('transforms', () => {
  it.each(PROJ_POINTS)('EPSG:%i agrees with PROJ to 1 mm, both ways', async (code, lon, lat, x, y) => {
    const crs = parseCrs(`EPSG:${code}`);
    const [east, north] = (await lonLatToCrs(crs))(lon, lat);
    expect(Math.abs(east - x)).toBeLessThan(1e-3);
    expect(Math.abs(north - y)).toBeLessThan(1e-3);
    const [lonBack, latBack] = (await crsToLonLat(crs))(x, y);
    expect(Math.abs(lonBack - lon)).toBeLessThan(1e-8);
    expect(Math.abs(latBack - lat)).toBeLessThan(1e-8);
  });

  it('agrees with PROJ for a CRS without a code, in each notation', async () => {
    for (const crs of [ALBERS_WKT2, ALBERS_WKT1, ALBERS_PROJ].map(parseCrs).concat(crsOfGeoKeys(ALBERS_KEYS))) {
      const [x, y] = (await lonLatToCrs(crs))(-123.29, 46.87);
      expect(x).toBeCloseTo(-2060695.2048, 3);
      expect(y).toBeCloseTo(2951229.6249, 3);
    }
    const sinusoidal = parseCrs('+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m');
    expect((await lonLatToCrs(sinusoidal))(20.5, -33.1)[0]).toBeCloseTo(1909578.6128, 3);
  });

  it('names a code that has no definition, and a point that has no image', async () => {
    await expect(lonLatToCrs(parseCrs('EPSG:27700'))).rejects.toThrow(/EPSG:27700 has no definition/);
    await expect(lonLatToCrs(UNKNOWN_CRS)).rejects.toThrow(/unknown CRS/);
    const toMercator = await lonLatToCrs(parseCrs('EPSG:3857'));
    expect(() => toMercator(Number.NaN, 1)).toThrow(/outside EPSG:3857/);
  });
});

describe('parseCrs', () => {
  it('takes codes in every spelling', () => {
    for (const text of [
      'EPSG:32631',
      'epsg:32631',
      ' 32631 ',
      'urn:ogc:def:crs:EPSG::32631',
      'http://www.opengis.net/def/crs/EPSG/0/32631',
    ])
      expect(parseCrs(text).epsg, text).toBe(32631);
  });

  it('prefers the code that WKT and PROJJSON carry', () => {
    const wkt =
      'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]';
    expect(parseCrs(wkt)).toEqual({ epsg: 4326, definition: null, geoKeys: null });
    expect(isGeographic(parseCrs(wkt))).toBe(true);
    expect(
      parseCrs('{"type":"ProjectedCRS","name":"x","base_crs":{},"conversion":{},"id":{"authority":"EPSG","code":2193}}')
        .epsg,
    ).toBe(2193);
  });

  it('refuses in one line what is no CRS', () => {
    for (const text of [
      '',
      'mercator',
      'EPSG:abc',
      'PROJCS["x"',
      'LOCAL_CS["x"]',
      '+lat_0=3',
      '{"type":"X"}',
      `A[${'B['.repeat(100)}`,
    ])
      expect(() => parseCrs(text), text).toThrow(/CRS|PROJ/);
  });
});

describe('sameCrs', () => {
  const same = [ALBERS_WKT2, ALBERS_WKT1, ALBERS_PROJ].map(parseCrs).concat(crsOfGeoKeys(ALBERS_KEYS));

  it('sees one projection in WKT 2, WKT 1, PROJ and GeoKeys', () => {
    for (const a of same) for (const b of same) expect(sameCrs(a, b)).toBe(true);
  });

  it('tells datums, parameters and unknowns apart', () => {
    for (const crs of same) {
      expect(sameCrs(crs, parseCrs('EPSG:5070'))).toBe(false); // NAD83
      expect(sameCrs(crs, parseCrs(ALBERS_PROJ.replace('45.5', '45.6')))).toBe(false);
      expect(sameCrs(crs, UNKNOWN_CRS)).toBe(false);
    }
    expect(sameCrs(UNKNOWN_CRS, { ...UNKNOWN_CRS })).toBe(true);
    expect(sameCrs(parseCrs('EPSG:32631'), parseCrs('+proj=utm +zone=31 +datum=WGS84'))).toBe(true);
    expect(sameCrs(parseCrs('EPSG:32631'), parseCrs('EPSG:32632'))).toBe(false);
  });
});

describe('GeoKeys', () => {
  it('writes EPSG codes, keeps what was read', () => {
    expect(geoKeysFromCrs(parseCrs('EPSG:32631'))).toEqual({ 1024: 1, 1025: 1, 3072: 32631 });
    expect(geoKeysFromCrs(parseCrs('EPSG:4326'))).toEqual({ 1024: 2, 1025: 1, 2048: 4326 });
    expect(geoKeysFromCrs(crsOfGeoKeys(ALBERS_KEYS))).toBe(ALBERS_KEYS);
  });

  it.each([
    ALBERS_PROJ,
    '+proj=tmerc +lat_0=1 +lon_0=9 +k=0.9999 +x_0=5 +y_0=6 +ellps=bessel',
    '+proj=lcc +lat_0=52 +lon_0=10 +lat_1=35 +lat_2=65 +x_0=4000000 +y_0=2800000 +ellps=GRS80',
    '+proj=lcc +lat_0=46 +lon_0=2 +lat_1=46 +k_0=0.99 +x_0=1 +y_0=2 +datum=WGS84',
    '+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +datum=NAD83',
    '+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=3 +x_0=0 +y_0=0 +datum=WGS84',
    '+proj=stere +lat_0=90 +k_0=0.994 +lon_0=0 +x_0=2000000 +y_0=2000000 +datum=WGS84',
    '+proj=merc +lon_0=150 +k=0.98 +x_0=0 +y_0=0 +datum=WGS84',
    '+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181',
    '+proj=eqc +lat_ts=30 +lat_0=0 +lon_0=5 +x_0=0 +y_0=0 +datum=WGS84',
    '+proj=cea +lat_ts=30 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84',
    '+proj=tmerc +lat_0=0 +lon_0=9 +k=1 +x_0=304.8 +y_0=0 +datum=WGS84 +units=ft',
    '+proj=longlat +ellps=bessel',
  ])('%s survives the way through GeoKeys and WKT 2', (text) => {
    const crs = parseCrs(text);
    const read = crsOfGeoKeys(geoKeysFromCrs(crs));
    expect(sameCrs(read, crs), describeCrs(read)).toBe(true);
    expect(
      sameCrs(parseCrs(projOfGeoKeys(read.geoKeys!)!), parseCrs(text.replace(/\+datum=\S+/, '+ellps=GRS80'))),
    ).toBe(!text.includes('datum=WGS84'));
    const wkt2 = projMembers(crs)['proj:wkt2']!;
    expect(sameCrs(parseCrs(wkt2), crs), wkt2).toBe(true);
  });

  it('names what keys cannot say', () => {
    expect(() => geoKeysFromCrs(parseCrs('+proj=robin +lon_0=0 +datum=WGS84'))).toThrow(/robin/);
    expect(projOfGeoKeys({ 1024: 1, 3072: 32767, 3075: 23, 2048: 4326 })).toBeNull();
  });
});

it('writes the members of a STAC item', () => {
  expect(projMembers(parseCrs('EPSG:32631'))).toEqual({ 'proj:code': 'EPSG:32631' });
  expect(projMembers(parseCrs(ALBERS_WKT2))).toEqual({ 'proj:code': null, 'proj:wkt2': ALBERS_WKT2 });
  expect(projMembers(UNKNOWN_CRS)).toEqual({});
});
