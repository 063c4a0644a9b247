import { describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { datumTurn, parseDatumShift, shiftApplies } from '../../build/geo/datum-shift.js';
import type { Grid } from '../../build/geo/grid.js';
import { pixelTransform } from '../../build/geo/reproject.js';

/** Code, CRS, CRS, a point in the one and in the other: PROJ 9.1.1, cct with the steps that projinfo prints for the code. */
const POINTS: readonly (readonly [code: string, from: string, to: string, number, number, number, number])[] = [
  ['EPSG:9688', 'EPSG:32649', 'EPSG:3577', 300123.5, -3900000.25, -2095563.447649, -4037706.872109],
  ['EPSG:9688', 'EPSG:32649', 'EPSG:3577', 722000.75, -1450321.5, -2079176.08613, -1539577.691385],
  ['EPSG:9688', 'EPSG:32650', 'EPSG:3577', 300123.5, -3900000.25, -1557374.428963, -3951911.732509],
  ['EPSG:9688', 'EPSG:32650', 'EPSG:3577', 722000.75, -1450321.5, -1423724.65299, -1457306.41683],
  ['EPSG:9688', 'EPSG:32651', 'EPSG:3577', 300123.5, -3900000.25, -1015750.983112, -3891477.728302],
  ['EPSG:9688', 'EPSG:32651', 'EPSG:3577', 722000.75, -1450321.5, -765133.527498, -1405897.548862],
  ['EPSG:9688', 'EPSG:32652', 'EPSG:3577', 300123.5, -3900000.25, -471887.534681, -3856538.132364],
  ['EPSG:9688', 'EPSG:32652', 'EPSG:3577', 722000.75, -1450321.5, -104855.078598, -1385464.457423],
  ['EPSG:9688', 'EPSG:32653', 'EPSG:3577', 300123.5, -3900000.25, 73016.551977, -3847169.995706],
  ['EPSG:9688', 'EPSG:32653', 'EPSG:3577', 722000.75, -1450321.5, 555654.60381, -1396052.202817],
  ['EPSG:9688', 'EPSG:32654', 'EPSG:3577', 300123.5, -3900000.25, 617759.617644, -3863393.97755],
  ['EPSG:9688', 'EPSG:32654', 'EPSG:3577', 722000.75, -1450321.5, 1214938.919895, -1437637.436352],
  ['EPSG:9688', 'EPSG:32655', 'EPSG:3577', 300123.5, -3900000.25, 1161140.358189, -3905174.299782],
  ['EPSG:9688', 'EPSG:32655', 'EPSG:3577', 722000.75, -1450321.5, 1871543.972051, -1510128.451819],
  ['EPSG:9688', 'EPSG:32656', 'EPSG:3577', 300123.5, -3900000.25, 1701960.473745, -3972418.825842],
  ['EPSG:9688', 'EPSG:32656', 'EPSG:3577', 722000.75, -1450321.5, 2524021.771082, -1613365.387726],
  ['EPSG:9688', 'EPSG:32755', 'EPSG:3577', 500000, 6200000, 1370955.753862, -3829359.161216],
  ['EPSG:9690', 'EPSG:32755', 'EPSG:9473', 500000, 6200000, 1370957.183911, -3829356.404435],
  ['EPSG:8048', 'EPSG:3577', 'EPSG:9473', 1600000, -3900000, 1600000.698431, -3899998.655433],
  ['EPSG:8048', 'EPSG:28350', 'EPSG:7850', 400000, 6500000, 400000.997518, 6500001.495008],
];

/** A WKT of degrees on a datum that has no EPSG code here. */
const degreesOn = (datum: string, a: number, rf: number) =>
  `GEOGCS["degrees",DATUM["${datum}",SPHEROID["of it",${a},${rf}]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`;
const OSGB36 = degreesOn('OSGB_1936', 6377563.396, 299.3249646);
const DHDN = degreesOn('Deutsches_Hauptdreiecksnetz', 6377397.155, 299.1528128);
const ED50 = degreesOn('European_Datum_1950', 6378388, 297);
const WGS72 = degreesOn('WGS_1972', 6378135, 298.26);

/** To WGS 84 in degrees, by cct likewise. */
const DEGREES: readonly (readonly [code: string, from: string, number, number, number, number])[] = [
  ['EPSG:9688', 'EPSG:4283', 150, -33, 150.000005713029, -32.999987199841],
  ['EPSG:1251', 'EPSG:4269', 179.999999, 52, 179.999999000001, 52.000007967494],
  ['EPSG:1251', 'EPSG:4269', -179.99999, 52, -179.999990000005, 52.000007967494],
  ['EPSG:1252', 'EPSG:4269', -157, 21, -157.000005095429, 20.999995811434],
  ['EPSG:1238', WGS72, 10, 50, 10.000153888889, 50.000027786608],
  ['EPSG:1173', '+proj=longlat +datum=NAD27', -100, 40, -100.000417622219, 40.000009482768],
  ['EPSG:1133', ED50, 5, 52, 4.998688920023, 51.999207365626],
  ['EPSG:1314', OSGB36, -2, 54, -2.001489608887, 54.00019048454],
  ['EPSG:1777', DHDN, 9, 51, 8.998951907788, 50.998738701177],
];

/** Pixels of one unit: positions are coordinates. */
const unit = (crs: string): Grid => ({ crs: parseCrs(crs), affine: [1, 0, 0, 0, 1, 0], width: 0, height: 0 });

async function moved(code: string, [from, to]: readonly [string, string], [x, y]: readonly [number, number]) {
  const transform = await pixelTransform(unit(from), unit(to), parseDatumShift(code));
  const p = { x, y };
  transform(p);
  return p;
}

describe('datum operations', () => {
  it.each(POINTS)("%s from %s to %s equals PROJ's within 0.1 mm, and back", async (code, from, to, x, y, X, Y) => {
    const there = await moved(code, [from, to], [x, y]);
    expect(Math.hypot(there.x - X, there.y - Y)).toBeLessThan(1e-4);
    const back = await moved(code, [to, from], [X, Y]);
    expect(Math.hypot(back.x - x, back.y - y)).toBeLessThan(1e-4);
  });

  it.each(DEGREES)('%s in degrees, and back', async (code, from, lon, lat, toLon, toLat) => {
    const there = await moved(code, [from, 'EPSG:4326'], [lon, lat]);
    expect(there.x).toBeCloseTo(toLon, 10);
    expect(there.y).toBeCloseTo(toLat, 10);
    // Heights are given up on the way, which after a shift of hundreds of metres is some millimetres.
    const back = await moved(code, ['EPSG:4326', from], [there.x, there.y]);
    expect(back.x).toBeCloseTo(lon, 7);
    expect(back.y).toBeCloseTo(lat, 7);
  });

  it('is a metre and a half in the east of Australia', async () => {
    const at = [500_000, 6_347_000] as const;
    const shifted = await moved('EPSG:9688', ['EPSG:32755', 'EPSG:3577'], at);
    const plain = { x: at[0], y: at[1] };
    (await pixelTransform(unit('EPSG:32755'), unit('EPSG:3577')))(plain);
    expect(Math.hypot(shifted.x - plain.x, shifted.y - plain.y)).toBeCloseTo(1.53, 1);
  });

  it('is nothing on one datum, between others than its own, and for an operation that moves nothing', () => {
    const turn = (code: string, from: string, to: string) =>
      datumTurn(parseDatumShift(code), parseCrs(from), parseCrs(to));
    expect(turn('EPSG:9688', 'EPSG:3577', 'EPSG:28355')).toBeNull();
    expect(turn('EPSG:9688', 'EPSG:32755', 'EPSG:9473')).toBeNull();
    expect(turn('EPSG:1150', 'EPSG:32755', 'EPSG:3577')).toBeNull();
    expect(shiftApplies(parseDatumShift('EPSG:1150'), parseCrs('EPSG:32755'), parseCrs('EPSG:3577'))).toBe(true);
    expect(turn('EPSG:9688', 'EPSG:3857', 'EPSG:3577')).not.toBeNull();
  });

  it('leaves longitudes on their side of 180°, poles where they are, and nowhere nowhere', () => {
    const turn = datumTurn(parseDatumShift('EPSG:9688'), parseCrs('EPSG:4326'), parseCrs('EPSG:4283'))!;
    for (const lon of [3.3, -3.3, Math.PI, 2 * Math.PI + 0.1]) {
      const p = { x: lon, y: -0.5 };
      turn(p);
      expect(Math.abs(p.x - lon)).toBeLessThan(1e-6);
    }
    const pole = { x: 0, y: Math.PI / 2 };
    turn(pole);
    expect(pole.y).toBeCloseTo(Math.PI / 2, 6);
    const nowhere = { x: Number.NaN, y: 0 };
    turn(nowhere);
    expect(nowhere.x).toBeNaN();
  });
});

describe('parseDatumShift', () => {
  it('takes a code as people write it', () => {
    const shift = parseDatumShift('EPSG:9688');
    expect(parseDatumShift('9688')).toEqual(shift);
    expect(parseDatumShift(' epsg:9688 ')).toEqual(shift);
    expect(shift).toMatchObject({ code: 'EPSG:9688', from: 4283, to: 4326 });
    expect(JSON.parse(JSON.stringify(shift))).toEqual(shift);
    // The same as +towgs84, whose angles turn the point.
    const arcSeconds = shift.rotationRad.map((angle) => (angle * 648_000) / Math.PI);
    for (const [i, wanted] of [0.0394924, 0.0327221, 0.0328979].entries())
      expect(arcSeconds[i]).toBeCloseTo(wanted, 12);
    for (const [i, wanted] of [0.06155, -0.01087, -0.04019].entries())
      expect(shift.translationM[i]).toBeCloseTo(wanted, 12);
    expect(shift.scale).toBeCloseTo(-0.009994e-6, 18);
  });
  it.each(['EPSG:9689', 'GDA94', 'EPSG:', '', 'EPSG:9688.0'])('names those known in one line for %j', (text) => {
    expect(() => parseDatumShift(text)).toThrow(
      /^there is no datum operation ".*" here: known are EPSG:9688, .*8048.*$/,
    );
  });
});
