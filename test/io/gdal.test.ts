import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fromFile } from 'geotiff';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GeoKeys } from '../../build/geo/crs.js';
import { type CogOptions, type CogResult, createCog, writeCog } from '../../build/io/cog-writer.js';
import type { NumericArray, Planes } from '../../build/io/raster.js';
import { seeded } from '../random.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const DATA = process.env.STACKWISE_DATA ?? resolve(REPOSITORY, '../shared/data');
const ALBERS = join(DATA, 'landsat57-sr-washington/LE70460272000029EDC00/sr.tif');
const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import osgeo.gdal, osgeo_utils.samples']).status === 0,
);

interface Facts {
  warnings: string[];
  errors: string[];
  authority: string | null;
  proj4: string;
  transform: number[];
  metadata: Record<string, string>;
  structure: Record<string, string>;
  bands: {
    description: string;
    type: string;
    scale: number | null;
    offset: number | null;
    nodata: string;
    computed: number[] | null;
    shown: (number | null)[];
    sha256: string;
    overviews: [number, number][];
    /** Of full resolution, then of the overviews: width and height. */
    blocks: [number, number][];
    colour: string;
  }[];
}

interface Kind {
  name: string;
  planes: Planes;
  options: Partial<CogOptions>;
  result?: CogResult;
}

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array } as const;
const FLOATS = { f32: Float32Array, f64: Float64Array } as const;
const TYPES = { ...ARRAYS, ...FLOATS };
const UTM = { epsg: 32631, definition: null, geoKeys: null };

function planes(dtype: keyof typeof TYPES, width: number, height: number, nBand = 1): Planes {
  const random = seeded(width + height + nBand);
  const data: NumericArray[] = Array.from({ length: nBand }, (_, band) =>
    TYPES[dtype].from(
      Array.from({ length: width * height }, (_, i) => {
        const value = ((i % width) + Math.floor(i / width) + band * 40) / 8 + random() * 30;
        return dtype.startsWith('f') && random() < 0.05 ? NaN : value;
      }),
    ),
  );
  const names = data.map((_, band) => `B0${band + 1} <&"é">`);
  return { grid: { crs: UTM, affine: [10, 0, 5e5, 0, -10, 56e5], width, height }, names, data, nodata: 0 };
}

function kinds(): Kind[] {
  const all: Kind[] = [];
  const add = (name: string, source: Planes, options: Partial<CogOptions> = {}): void => {
    all.push({ name, planes: source, options: { tileSize: 64, ...options } });
  };
  for (const dtype of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
    for (const compression of ['deflate', 'zstd', 'none'] as const) {
      add(`${dtype} ${compression}`, planes(dtype, 201, 133, dtype === 'u8' ? 4 : 2), { compression });
    }
  }
  add('fourteen bands', planes('u16', 150, 90, 14));
  add('smaller than a tile', planes('u16', 5, 3), { tileSize: 512 });
  add('one pixel', planes('f32', 1, 1));
  add('tall', planes('u8', 9, 700), { overviews: 'mode' });
  add('of the usual tile size', planes('u16', 1100, 1030, 2), { tileSize: 512 });
  add('BigTIFF', planes('i16', 201, 133, 2), { bigTiff: true });
  for (const [tileSize, overviewTileSize] of [
    [160, 64],
    [48, 128],
    [800, 256],
  ] as const)
    add(`overview tiles of ${overviewTileSize} under ${tileSize}`, planes('i16', 650, 333), {
      tileSize,
      overviewTileSize,
    });
  for (const predictor of [1, 2] as const)
    add(`floats by predictor ${predictor}`, planes('f32', 201, 133), { predictor });
  add('integers without predictor', planes('u16', 201, 133, 2), { predictor: 1 });
  add('red, green, blue, alpha', { ...planes('u8', 201, 133, 4), nodata: null }, { rgb: true, alpha: true });
  add('without overviews', planes('i16', 201, 133), { overviews: 'none' });
  add('without nodata', { ...planes('u16', 201, 133), nodata: null }, { overviews: 'nearest' });
  add('NaN as nodata', { ...planes('f32', 201, 133), nodata: NaN });
  add('scale, offset and metadata', planes('u16', 201, 133), {
    bands: [{ name: 'reflectance', scale: 0.0001, offset: -0.1 }],
    metadata: { TITLE: 'a < b & "c"' },
  });
  const lonLat = planes('f64', 201, 133);
  lonLat.grid = { ...lonLat.grid, affine: [0.001, 0, 3, 0, -0.001, 51], crs: { ...UTM, epsg: 4326 } };
  add('EPSG:4326', lonLat);
  const rotated = planes('u8', 201, 133);
  rotated.grid = { ...rotated.grid, affine: [8, 6, 5e5, 6, -8, 56e5] };
  add('a rotated grid', rotated);
  return all;
}

function ask(paths: string[]): Record<string, Facts> {
  const script = join(import.meta.dirname, 'gdal.py');
  return JSON.parse(execFileSync(PYTHON!, [script, ...paths], { encoding: 'utf8', maxBuffer: 2 ** 26 }));
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-gdal-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!PYTHON)(`GDAL${PYTHON ? '' : ' (skipped: no python3 with osgeo)'}`, () => {
  const all = kinds();
  const pathOf = (kind: Kind): string => join(folder, `${all.indexOf(kind)}.tif`);
  let answers: Record<string, Facts> = {};

  beforeAll(async () => {
    for (const kind of all) kind.result = await writeCog(pathOf(kind), kind.planes, kind.options);
    answers = ask(all.map(pathOf));
  });

  it.each(all)('accepts and reads alike: $name', (kind) => {
    const facts = answers[pathOf(kind)]!;
    expect(facts.errors).toEqual([]);
    if (kind.options.overviews !== 'none') expect(facts.warnings).toEqual([]);
    expect(facts.structure.LAYOUT).toBe('COG');
    const [a, b, c, d, e, f] = kind.planes.grid.affine;
    facts.transform.forEach((value, i) => {
      expect(value).toBeCloseTo([c, a, b, f, d, e][i]!, 9);
    });
    expect(facts.authority).toBe(String(kind.planes.grid.crs.epsg));
    facts.bands.forEach((band, i) => {
      expect(band.description).toBe(kind.options.bands?.[i]?.name ?? kind.planes.names[i]);
      const { buffer, byteOffset, byteLength } = kind.planes.data[i]!;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      expect(band.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    });
  });

  it.each(all)('computes the same statistics and shows ours: $name', (kind) => {
    for (const [i, band] of answers[pathOf(kind)]!.bands.entries()) {
      const { minimum, maximum, mean, stddev } = kind.result!.statistics[i]!;
      if (!band.computed) {
        expect(minimum).toBeNaN();
        continue;
      }
      [minimum, maximum, mean, stddev].forEach((value, k) => {
        const tolerance = Math.max(Math.abs(value), 1e-3) * 1e-9;
        expect(Math.abs(value - band.computed![k]!)).toBeLessThanOrEqual(tolerance);
        expect(Math.abs(value - band.shown[k]!)).toBeLessThanOrEqual(5e-4);
      });
    }
  });

  it('sees scale, offset, nodata and metadata', () => {
    const of = (name: string): Facts => answers[pathOf(all.find((kind) => kind.name === name)!)]!;
    const scaled = of('scale, offset and metadata');
    expect(scaled.bands[0]).toMatchObject({ scale: 0.0001, offset: -0.1, nodata: '0.0' });
    expect(scaled.metadata.TITLE).toBe('a < b & "c"');
    expect(of('without nodata').bands[0]!.nodata).toBe('None');
    expect(of('NaN as nodata').bands[0]!.nodata).toBe('nan');
    expect(of('of the usual tile size').bands[0]!.overviews).toEqual([
      [550, 515],
      [275, 258],
    ]);
  });

  it('sees the tiles of each level, the predictor and the colours', () => {
    const of = (name: string): Facts => answers[pathOf(all.find((kind) => kind.name === name)!)]!;
    expect(of('overview tiles of 64 under 160').bands[0]).toMatchObject({
      overviews: [
        [325, 167],
        [163, 84],
        [82, 42],
        [41, 21],
      ],
      blocks: [
        [160, 160],
        [64, 64],
        [64, 64],
        [64, 64],
        [64, 64],
      ],
    });
    expect(of('overview tiles of 256 under 800').bands[0]).toMatchObject({
      overviews: [
        [325, 167],
        [163, 84],
      ],
      blocks: [
        [800, 800],
        [256, 256],
        [256, 256],
      ],
    });
    expect(of('floats by predictor 2').structure.PREDICTOR).toBe('2');
    expect(of('integers without predictor').structure.PREDICTOR).toBeUndefined();
    expect(of('f32 deflate').structure.PREDICTOR).toBe('3');
    const colours = (name: string) => of(name).bands.map((band) => band.colour);
    expect(colours('red, green, blue, alpha')).toEqual(['Red', 'Green', 'Blue', 'Alpha']);
    expect(colours('u8 deflate')).toEqual(['Gray', 'Undefined', 'Undefined', 'Undefined']);
  });

  it('accepts a sparse file and reads nodata in its gaps', async () => {
    const { grid, data, names, nodata } = planes('i16', 201, 133, 2);
    const path = join(folder, 'sparse.tif');
    const bands = names.map((name) => ({ name }));
    const writer = await createCog(path, { grid, dtype: 'i16', bands, nodata, tileSize: 64, sparse: true });
    const window = { col: 64, row: 64, width: 40, height: 40 };
    await writer.write(
      window,
      data.map((plane) => plane.slice(0, 1600)),
    );
    const { statistics } = await writer.finish();
    const facts = ask([path])[path]!;
    expect(facts.errors).toEqual([]);
    expect(facts.bands[0]!.computed![2]).toBeCloseTo(statistics[0]!.mean, 9);
    const wanted = new Int16Array(201 * 133);
    for (let row = 0; row < 40; row++) {
      wanted.set(data[1]!.subarray(row * 40, row * 40 + 40), (64 + row) * 201 + 64);
    }
    const digest = createHash('sha256').update(new Uint8Array(wanted.buffer)).digest('hex');
    expect(facts.bands[1]!.sha256).toBe(digest);
  });

  it.skipIf(!existsSync(ALBERS))('reads the same custom Albers CRS as from the scene it came from', async () => {
    const image = await (await fromFile(ALBERS)).getImage();
    const directory = [...((await image.fileDirectory.loadValue('GeoKeyDirectory')) as number[])];
    const doubles = [...((await image.fileDirectory.loadValue('GeoDoubleParams')) as number[])];
    const text = (await image.fileDirectory.loadValue('GeoAsciiParams')) as string;
    const geoKeys: Record<number, number | string | number[]> = {};
    for (let i = 4; i < directory.length; i += 4) {
      const [id, where, count, value] = directory.slice(i, i + 4) as [number, number, number, number];
      if (where === 0) geoKeys[id] = value;
      else if (where === 34737) geoKeys[id] = text.slice(value, value + count - 1);
      else geoKeys[id] = count === 1 ? doubles[value]! : doubles.slice(value, value + count);
    }
    const source = planes('i16', 64, 64, 2);
    source.grid = { ...source.grid, crs: { epsg: null, definition: null, geoKeys: geoKeys as GeoKeys } };
    const path = join(folder, 'albers.tif');
    await writeCog(path, source);
    const facts = ask([path, ALBERS]);
    expect(facts[path]!.errors).toEqual([]);
    expect(facts[path]!.proj4).toContain('+proj=aea');
    expect(facts[path]!.proj4).toBe(facts[ALBERS]!.proj4);
  });
});
