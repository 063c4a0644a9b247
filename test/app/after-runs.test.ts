import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackwiseIn } from '../fixture/command.js';
import { square } from '../fixture/shapefile.js';
import { writeTileResult } from '../fixture/tile-results.js';

const LATTICE = { size: 20, resolution: 30, epsg: 3577 };
const TITLE = 'gm_x1y0_2019--P1Y_final';
const RED = `x1/y0/2019--P1Y/${TITLE}_red.tif`;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-after-'));
  for (const x of [0, 1]) {
    const data = Int16Array.from({ length: 400 }, (_, i) => (i % 7 === 0 ? -999 : i + x));
    await writeTileResult(
      join(folder, 'run'),
      { x, y: 0, bands: { red: { data, dtype: 'int16', nodata: -999 } } },
      LATTICE,
    );
  }
  await cp(join(folder, 'run'), join(folder, 'bad'), { recursive: true });
  await cp(join(folder, 'run'), join(folder, 'other'), { recursive: true });
  await rm(join(folder, 'bad', RED));
  const data = Int16Array.from({ length: 400 }, (_, i) => (i % 7 === 0 ? -999 : i === 45 ? 50 : i + 1));
  await writeTileResult(
    join(folder, 'other'),
    { x: 1, y: 0, bands: { red: { data, dtype: 'int16', nodata: -999 } } },
    LATTICE,
  );
  const geometry = { type: 'Polygon', coordinates: [square(131.2, -24.8, 0.5)] };
  await writeFile(
    join(folder, 'extent.json'),
    JSON.stringify({ type: 'Feature', properties: { KIND: 'land' }, geometry }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const stackwise = (...args: string[]) => stackwiseIn(folder, args);

describe('stackwise verify', () => {
  it('ends with 0 where all is whole', async () => {
    const { code, out, errors } = await stackwise('verify', 'run');
    expect([code, errors]).toEqual([0, []]);
    expect(out).toMatch(/^2 results, 6 files, .*2 of them without a sum\n$/);
  }, 60_000);

  it('says in one line each what is wrong, and ends with 1', async () => {
    const { code, out, errors } = await stackwise('verify', 'bad', 'run');
    expect(code).toBe(1);
    expect(out.split('\n')[0]).toBe(`bad/${RED}: file: wanted to be there, got none`);
    expect(errors).toEqual(['stackwise: 1 of 4 results are damaged or differ: 1 problem']);
  }, 60_000);

  it('shows where pixels differ', async () => {
    const { code, out, errors } = await stackwise('verify', 'run', '--against', 'other');
    expect(code).toBe(1);
    const [head, first, second] = out.split('\n').map((line) => line.split(/\s{2,}/));
    expect(head).toEqual(['result', 'id', 'band', 'unequal', 'share', 'max |Δ|', 'mean |Δ|', 'mask', 'worst at']);
    expect(first!.slice(0, 5)).toEqual(['gm_x0y0_2019--P1Y_final', 'same', 'red', '0', '0 %']);
    expect(second).toEqual([TITLE, 'same', 'red', '1', '0.250 %', '4', '0.0117', '0', '5,2 (46 / 50)', 'DIFFERS']);
    expect(errors).toEqual(['stackwise: 1 of 2 results are damaged or differ: other pixels in 1 band']);
    expect((await stackwise('verify', 'run', '--against', 'other', '--tolerance', 'red=4')).code).toBe(0);
    expect((await stackwise('verify', 'run', '--against', 'other', '--unequal', '0.25')).code).toBe(0);
    const json = await stackwise('verify', 'run', '--against', 'other', '--json');
    const reports = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports.map(({ title, against }) => [title, against.bands[0].isEqual])).toEqual([
      ['gm_x0y0_2019--P1Y_final', true],
      [TITLE, false],
    ]);
  }, 60_000);
});

describe('stackwise mosaic and locate-grids', () => {
  it('write what they say', async () => {
    const made = await stackwise(
      'mosaic',
      'run',
      'm.tif',
      '--res',
      '60',
      '--compress',
      'deflate',
      '--blocksize',
      '256',
    );
    expect([made.code, made.errors]).toEqual([0, []]);
    expect(made.out).toMatch(/^m\.tif: red: int16, .*\n20 × 10 px of 2 tiles\n$/);
    const again = await stackwise('mosaic', 'run', 'm.tif', '--res', '60');
    expect(again.code).toBe(1);
    expect(again.errors.join()).toMatch(/m\.tif exists/);
  }, 60_000);

  it('list tiles to the terminal, or to a file that is not there yet', async () => {
    const spec = ['--grid', 'epsg:4326;0.01;100'];
    expect(await stackwise('locate-grids', ...spec, 'extent.json')).toEqual({ code: 0, out: '131,-25\n', errors: [] });
    const filtered = ['extent.json', 'list.csv', '--attr-filter', "KIND = 'land'"];
    expect((await stackwise('locate-grids', ...spec, ...filtered)).out).toBe('list.csv: 1 tiles\n');
    expect(await readFile(join(folder, 'list.csv'), 'utf8')).toBe('131,-25\n');
    expect((await stackwise('locate-grids', ...spec, ...filtered)).errors.join()).toMatch(/list.csv exists already/);
  }, 60_000);

  it.each([
    [2, ['verify'], /missing required argument 'results'/],
    [2, ['verify', 'run', '--tolerance', '1'], /belong to --against/],
    [1, ['verify', 'run', '--against', 'run', '--tolerance', 'red=x'], /a tolerance is like red=2 or 2, not "red=x"/],
    [1, ['verify', 'nothing'], /cannot list nothing/],
    [1, ['verify', 'https://127.0.0.1:1/folder/'], /servers do not list their folders/],
    [2, ['mosaic', 'run'], /tiles and a file to write are wanted/],
    [2, ['mosaic', 'run', 'x.tif', '--resampling', 'median'], /--resampling/],
    [1, ['mosaic', 'run', 'x.png'], /a mosaic is a file like mosaic.tif, not x.png/],
    [1, ['mosaic', 'run', 'x.tif', '--bands', 'rde'], /no band "rde"/],
    [1, ['mosaic', 'run', 'x.tif', '--blocksize', '100'], /--blocksize: a multiple of 16/],
    [1, ['mosaic', 'run', 'x.tif', '--level', '99'], /the level of zstd is a whole number from 1 to 22/],
    [2, ['locate-grids', 'extent.json'], /wanted are --grid NAME EXTENT \[CSV\], or GRID_SHAPE EXTENT \[CSV\]/],
    [2, ['locate-grids', '--grid', 'au_30', 'a', 'b', 'c'], /with --grid wanted are EXTENT/],
    [1, ['locate-grids', '--grid', 'au_30', 'none.shp'], /cannot read none.shp: no such file/],
    [
      1,
      ['locate-grids', '--grid', 'au_30', 'extent.json', '--attr-filter', 'KID = 1'],
      /no field is called "KID"; did you mean "KIND"/,
    ],
  ])(
    'ends with %i for %j',
    async (code, args, message) => {
      const found = await stackwise(...args);
      expect(found.errors).toHaveLength(1);
      expect(found.errors[0]).toMatch(message);
      expect([found.code, found.out]).toEqual([code, '']);
    },
    60_000,
  );
});
