import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { middleOf, type Place, tiledPlace, told } from '../fixture/places.js';

const cli = path.resolve(import.meta.dirname, '../../build/app/cli.js');

let folder = '';
let place: Place;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chips-cli-'));
  place = await tiledPlace(at('place.tif'), { width: 61, height: 53, nBand: 6 });
  const coordinates = [middleOf(place, 30, 40), middleOf(place, 0, 0), [0, 0]];
  await writeFile(at('points.geojson'), JSON.stringify({ type: 'MultiPoint', coordinates }));
  await writeFile(at('far.csv'), 'lon,lat\n100,20\n');
  await writeFile(at('metres.csv'), 'x,y\n500000,5600000\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | null;
  out: string;
  /** Lines on stderr that are no progress. */
  errors: string[];
}

function chips(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, 'chips', ...args]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.stderr.on('data', (part) => {
      err += part;
    });
    child.on('close', (code) => {
      resolve({ code, out, errors: err.split('\n').filter((line) => line && !line.startsWith('{"event":')) });
    });
  });
}
const cut = (...more: string[]) =>
  chips(place.path, '--points', at('points.geojson'), '--size', '3', '--threads', '0', ...more);

describe('stackwise chips', () => {
  it('writes chips and their table', async () => {
    const { code, out, errors } = await cut('--out', at('out'), '--bands-per-year', '2', '--first-year', '1984');
    expect(errors).toEqual([]);
    expect(code).toBe(0);
    expect((await readdir(at('out'))).sort()).toEqual(['chips.csv', 'chips.json', 'chips.npy', 'mask.npy']);
    expect(out).toContain('1 inside, 1 partial, 1 outside');
    const table = JSON.parse(await readFile(at('out/chips.json'), 'utf8'));
    expect(table.shape).toEqual([3, 3, 2, 7, 7]);
    expect(table.times.map(({ year }: { year: number }) => year)).toEqual([1984, 1985, 1986]);
  });

  it('prints JSON, and takes threads and a limit', async () => {
    const more = ['--threads', '2', '--memory-limit', '256MiB', '--json'];
    const { code, out } = await cut('--out', at('json'), '--format', 'geotiff', ...more);
    expect(code).toBe(0);
    const summary = JSON.parse(out);
    expect(summary.report).toMatchObject({ inside: 1, partial: 1, outside: 1, blocksDecoded: 3, blocksTouched: 3 });
    expect(summary.files.map((file: string) => path.basename(file))).toEqual([
      'chip-000000.tif',
      'chip-000001.tif',
      'chips.csv',
      'chips.json',
    ]);
  });

  it('begins at the coordinate when it is to do as the older extractor', async () => {
    const { code } = await cut('--out', at('seed.json'), '--seed-compat');
    expect(code).toBe(0);
    const { chips: all, times } = JSON.parse(await readFile(at('seed.json'), 'utf8'));
    expect(all[0].data[0][0][0][0]).toBe(told(0, 40, 30));
    expect(times).toEqual([{ label: '1984', timeMs: null, year: 1984 }]);
    expect(all[2]).toMatchObject({ status: 'outside', transform: null });
  });

  const refused: [string, () => string[], RegExp][] = [
    [
      'points outside of everything',
      () => [place.path, '--points', at('far.csv'), '--size', '1', '--out', at('far')],
      /none of the 1 points lies in any of the 1 rasters/,
    ],
    [
      'points without a CRS',
      () => [place.path, '--points', at('metres.csv'), '--size', '1', '--out', at('x')],
      /say in which CRS they are \(--points-crs\)/,
    ],
    [
      'a negative size',
      () => [place.path, '--points', at('points.geojson'), '--size', '-1', '--out', at('x')],
      /--size: size is a whole number from 0/,
    ],
    [
      'a size that is a word',
      () => [place.path, '--points', at('points.geojson'), '--size', 'big', '--out', at('x')],
      /--size: a number is wanted, and "big"/,
    ],
    [
      'bands that do not divide',
      () => [place.path, '--points', at('points.geojson'), '--size', '1', '--bands-per-year', '4', '--out', at('x')],
      /6 bands, which 4 bands a year do not divide/,
    ],
    [
      'points that are not there',
      () => [place.path, '--points', at('none.geojson'), '--size', '1', '--out', at('x')],
      /none.geojson: no such file/,
    ],
    [
      'points of another kind',
      () => [place.path, '--points', at('place.tif'), '--size', '1', '--out', at('x')],
      /not from .*place.tif/,
    ],
    [
      'a CRS that is none',
      () => [place.path, '--points', at('points.geojson'), '--points-crs', 'EPSG:x', '--size', '1', '--out', at('x')],
      /not a CRS/,
    ],
    [
      'rasters that are not there',
      () => [at('none.tif'), '--points', at('points.geojson'), '--size', '1', '--out', at('x')],
      /none.tif/,
    ],
    [
      'a folder without rasters',
      () => [at('out'), '--points', at('points.geojson'), '--size', '1', '--out', at('x')],
      /no scenes in|no rasters in/,
    ],
  ];
  it.each(refused)('refuses %s in one line', async (_, args, message) => {
    const { code, out, errors } = await chips(...args());
    expect([code, out]).toEqual([1, '']);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
    expect(existsSync(at('x'))).toBe(false);
  });

  it.each([
    [['--size', '1', '--out', 'x'], /--points is wanted/],
    [['--points', 'p.csv', '--out', 'x'], /--size is wanted/],
    [['--points', 'p.csv', '--size', '1'], /--out is wanted/],
    [['--points', 'p.csv', '--size', '1', '--out', 'x', '--format', 'hdf'], /--format/],
    [['--colour'], /unknown option/],
  ])('calls %j wrong usage', async (args, message) => {
    const { code, errors } = await chips(place.path, ...args);
    expect(code).toBe(2);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
  });
});
