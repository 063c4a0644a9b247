import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCog } from '../../build/index.js';
import { openRaster } from '../../build/io/open-raster.js';
import { storeFor } from '../../build/io/stores.js';
import { readWindow } from '../../build/io/window.js';
import { type MosaicFile, mosaic } from '../../build/node.js';
import { startS3, useS3 } from '../fixture/s3-server.js';
import { servedFolder } from '../fixture/served-folder.js';
import { type ResultTile, writeTileResult } from '../fixture/tile-results.js';
import { seeded } from '../random.js';

const LATTICE = { size: 40, resolution: 30, epsg: 3577 };
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-mosaic-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function madeTile(x: number, y: number, size = LATTICE.size): ResultTile {
  const random = seeded(x * 100 + y + 1);
  const px = size * size;
  return {
    x,
    y,
    bands: {
      red: {
        data: Int16Array.from({ length: px }, () => (random() < 0.2 ? -999 : random() * 3000)),
        dtype: 'int16',
        nodata: -999,
      },
      nir: {
        data: Int16Array.from({ length: px }, () => (random() < 0.2 ? -999 : random() * 5000)),
        dtype: 'int16',
        nodata: -999,
      },
      qa: {
        data: Uint8Array.from({ length: px }, () => (random() < 0.1 ? 255 : random() * 4)),
        dtype: 'uint8',
        nodata: 255,
      },
    },
  };
}

async function pixels(path: string) {
  const raster = await openRaster(path);
  const { width, height, bands, grid, levels } = raster.header;
  const data = await readWindow(raster, {
    level: 0,
    window: { col: 0, row: 0, width, height },
    bands: bands.map((_, i) => i),
  });
  await raster.close();
  return { width, height, bands, grid: grid!, levels, data: data as Int16Array[] };
}

/** The mosaic of L-shaped tiles by plain loops: nothing, or the mean of the valid of `factor` × `factor` px, ties to even. */
function naive(tiles: readonly ResultTile[], key: string, factor: number) {
  const [columns, rows] = [3, 2];
  const { size } = LATTICE;
  const [width, height] = [(columns * size) / factor, (rows * size) / factor];
  const nodata = tiles[0]!.bands[key]!.nodata!;
  return Array.from({ length: width * height }, (_, i) => {
    const [col, row] = [(i % width) * factor, Math.floor(i / width) * factor];
    const tile = tiles.find((t) => t.x === Math.floor(col / size) && t.y === rows - 1 - Math.floor(row / size));
    if (!tile) return nodata;
    const values: number[] = [];
    for (let y = 0; y < factor; y++)
      for (let x = 0; x < factor; x++)
        values.push(tile.bands[key]!.data[((row % size) + y) * size + (col % size) + x]!);
    const valid = values.filter((value) => value !== nodata);
    if (valid.length === 0) return nodata;
    const mean = valid.reduce((sum, value) => sum + value, 0) / valid.length;
    const low = Math.floor(mean);
    return mean - low === 0.5 ? low + (low % 2) : Math.round(mean);
  });
}

describe('a mosaic', () => {
  // The tile at (1, 0) is missing.
  const tiles = [madeTile(0, 0), madeTile(0, 1), madeTile(1, 1), madeTile(2, 0), madeTile(2, 1)];
  const write = () => Promise.all(tiles.map((tile) => writeTileResult(folder, tile, LATTICE)));

  it.each([
    [30, 1, 0],
    [30, 1, 2],
    [120, 4, 0],
    [300, 10, 2],
  ])('of items at %d m is the plain one, with %i × its pixels and %i threads', async (resolution, factor, threads) => {
    await write();
    const out = join(folder, 'out.tif');
    // From full resolution: means of means of overviews weigh missing pixels otherwise.
    const summary = await mosaic(folder, out, {
      bands: ['red', 'nir'],
      resolution,
      threads,
      blockSize: 64,
      resampling: 'average',
    });
    expect(summary).toMatchObject({ tiles: { used: 5, dropped: [] }, overlaps: 0 });
    const { width, height, data, bands, grid } = await pixels(out);
    expect([width, height, grid.affine]).toEqual([120 / factor, 80 / factor, [resolution, 0, 0, 0, -resolution, 2400]]);
    expect(bands.map(({ name, nodata, dtype }) => [name, nodata, dtype])).toEqual([
      ['red', -999, 'i16'],
      ['nir', -999, 'i16'],
    ]);
    expect([...data[0]!]).toEqual(naive(tiles, 'red', factor));
    expect([...data[1]!]).toEqual(naive(tiles, 'nir', factor));
  });

  it('keeps the type of each band with --per-band, and says what one file costs', async () => {
    await write();
    // As products of tiles have one: it links to no item.
    await writeFile(join(folder, 'collection.json'), JSON.stringify({ type: 'Collection', links: [] }));
    const notes: string[] = [];
    await mosaic(folder, join(folder, 'all.tif'), {
      bands: ['red', 'qa'],
      resampling: 'nearest',
      threads: 0,
      onWarning: (text) => notes.push(text),
    });
    expect(notes.join()).toMatch(/the bands are int16 and uint8, and one file has one type: float32/);
    const [red, qa] = (await pixels(join(folder, 'all.tif'))).data;
    const missing = (values: readonly number[], nodata: number) => values.map((v) => (v === nodata ? Number.NaN : v));
    expect([...red!]).toEqual(missing(naive(tiles, 'red', 1), -999));
    expect([...qa!]).toEqual(missing(naive(tiles, 'qa', 1), 255));
    const { files } = await mosaic(folder, join(folder, 'one.tif'), {
      bands: ['red', 'qa'],
      resampling: 'nearest',
      threads: 0,
      perBand: true,
    });
    expect(files.map(({ path, dtype, nodata }) => [path.slice(folder.length + 1), dtype, nodata])).toEqual([
      ['one_red.tif', 'int16', -999],
      ['one_qa.tif', 'uint8', 255],
    ]);
    expect([...(await pixels(files[1]!.path)).data[0]!]).toEqual(naive(tiles, 'qa', 1));
  });

  it('takes bare COGs by the bands that their names end in', async () => {
    await write();
    const items = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'));
    for (const item of items) await rm(join(folder, item));
    const out = join(folder, 'out.tif');
    const { tiles: used } = await mosaic(join(folder, '**/*_{red,nir}.tif'), out, {
      bands: ['nir'],
      threads: 0,
    });
    expect(used.used).toBe(5);
    expect([...(await pixels(out)).data[0]!]).toEqual(naive(tiles, 'nir', 1));
  });

  it('gives each band the first valid value by name, and tells of shared ground', async () => {
    const frame = { crs: { epsg: 3577, definition: null, geoKeys: null }, width: 3, height: 1 };
    const at = (west: number) => ({ ...frame, affine: [10, 0, west, 0, -10, 10] as const });
    const cog = (name: string, west: number, a: number[], b: number[]) =>
      writeCog(join(folder, name), {
        grid: at(west),
        names: ['a', 'b'],
        data: [Int16Array.from(a), Int16Array.from(b)],
        nodata: -1,
      });
    await cog('b.tif', 0, [1, 2, 3], [1, -1, 3]);
    await cog('a.tif', 10, [-1, 5, 6], [4, -1, 6]);
    const notes: string[] = [];
    const out = join(folder, 'out/../m.tif');
    const summary = await mosaic([join(folder, 'b.tif'), join(folder, 'a.tif')], out, {
      threads: 0,
      resampling: 'nearest',
      onWarning: (text) => notes.push(text),
    });
    expect(notes).toEqual([
      '1 pair of tiles shares ground, like a and b: where both have data, the first by name counts',
    ]);
    expect(summary.overlaps).toBe(1);
    const { data } = await pixels(out);
    expect(data.map((plane) => [...plane])).toEqual([
      [1, 2, 5, 6],
      [1, 4, 3, 6],
    ]);
  });

  it('of classes is not read from overviews, which may be means of numbers', async () => {
    const size = 256;
    const data = Uint8Array.from({ length: size * size }, (_, i) => (i % 2 === 0 ? 1 : 3));
    const lattice = { ...LATTICE, size, cog: { overviews: 'average' as const } };
    await writeTileResult(folder, { x: 0, y: 0, bands: { cls: { data, dtype: 'uint8', nodata: 0 } } }, lattice);
    const out = join(folder, 'out.tif');
    await mosaic(folder, out, { resolution: 120, resampling: 'mode', threads: 0 });
    expect(new Set((await pixels(out)).data[0])).toEqual(new Set([1]));
  });

  it.each([
    [['none'], {}, /cannot list|no such/],
    [['.'], { bands: ['gren'] }, /no band "gren"/],
    [['.'], { resolution: -1 }, /resolution must be positive/],
  ])('refuses %j with %j', async (sources, options, message) => {
    await write();
    const given = sources.map((source) => join(folder, source));
    await expect(mosaic(given, join(folder, 'out.tif'), { threads: 0, ...options })).rejects.toThrow(message);
    expect((await readdir(folder)).filter((name) => /tif|partial/.test(name))).toEqual([]);
  });

  it('keeps a file that is there', async () => {
    await write();
    const out = join(folder, 'out.tif');
    await writeFile(out, 'mine');
    await expect(mosaic(folder, out, { bands: ['red'], threads: 0 })).rejects.toThrow(/exists/);
    expect(await readFile(out, 'utf8')).toBe('mine');
  });
});

describe('a mosaic of many tiles', () => {
  it('opens each file once, and none but those it needs', async () => {
    const [columns, rows] = [20, 15];
    const features: object[] = [];
    for (let x = 0; x < columns; x++)
      for (let y = 0; y < rows; y++) {
        const { red } = madeTile(x, y, 16).bands;
        const path = await writeTileResult(folder, { x, y, bands: { red: red! } }, { ...LATTICE, size: 16 });
        const item = JSON.parse(await readFile(path, 'utf8'));
        const base = `${path
          .slice(folder.length + 1)
          .split('/')
          .slice(0, -1)
          .join('/')}/`;
        for (const asset of Object.values<{ href: string }>(item.assets)) asset.href = base + asset.href.slice(2);
        features.push(item);
      }
    await writeFile(join(folder, 'items.json'), JSON.stringify({ type: 'FeatureCollection', features }));
    const { url, asked, stop } = await servedFolder(folder);
    try {
      const out = join(folder, 'out.tif');
      const summary = await mosaic(`${url}/items.json`, out, {
        bands: ['red'],
        resolution: 60,
        threads: 0,
        resampling: 'average',
      });
      expect(summary.tiles.used).toBe(300);
      const files = asked.filter((path) => path.endsWith('.tif'));
      expect(new Set(files).size).toBe(300);
      expect(files.every((path) => path.endsWith('_red.tif'))).toBe(true);
      // Its size, its head, and the one tile in it.
      expect(files.length).toBeLessThanOrEqual(3 * 300);
      const { width, height, data } = await pixels(out);
      expect([width, height]).toEqual([(columns * 16) / 2, (rows * 16) / 2]);
      expect(data[0]!.filter((value) => value !== -999).length).toBeGreaterThan(0.99 * width * height);
    } finally {
      stop();
    }
  });
});

describe('a mosaic in a bucket', () => {
  it('is read from there and written there, as on the disk', async () => {
    const server = await startS3('tiles');
    const undo = useS3(server);
    try {
      const tiles = [madeTile(0, 0), madeTile(2, 1)];
      await Promise.all(tiles.map((tile) => writeTileResult(folder, tile, LATTICE)));
      const names = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const { parentPath, name } of names.filter((entry) => entry.isFile())) {
        const path = join(parentPath, name);
        const url = `s3://tiles/run/${path.slice(folder.length + 1)}`;
        await storeFor(url).write(url, await readFile(path));
      }
      const [{ sha256 }] = (await mosaic(folder, join(folder, 'm.tif'), { bands: ['red'], threads: 0 })).files as [
        MosaicFile,
      ];
      const inBucket = await mosaic('s3://tiles/run/', 's3://tiles/m.tif', { bands: ['red'], threads: 2 });
      expect(inBucket.files).toMatchObject([{ path: 's3://tiles/m.tif', sha256 }]);
      expect([...(await pixels('s3://tiles/m.tif')).data[0]!]).toEqual(naive(tiles, 'red', 1));
    } finally {
      undo();
      await server.stop();
    }
  });
});

const GDAL = spawnSync('gdalwarp', ['--version']).status === 0;

describe.skipIf(!GDAL)('a mosaic beside gdalbuildvrt and gdalwarp', () => {
  let shared = '';
  const size = 300;
  const lattice = { ...LATTICE, size, cog: { overviews: 'none' as const } };
  const paths: string[] = [];
  beforeAll(async () => {
    shared = await mkdtemp(join(tmpdir(), 'stackwise-mosaic-gdal-'));
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [2, 1],
    ] as const) {
      const path = await writeTileResult(shared, madeTile(x, y, size), lattice);
      paths.push(path.replace('.stac-item.json', '_red.tif'));
    }
    execFileSync('gdalbuildvrt', ['-q', join(shared, 'all.vrt'), ...paths]);
  });
  afterAll(() => rm(shared, { recursive: true, force: true }));

  async function compare(options: Parameters<typeof mosaic>[2], warp: readonly string[], name: string) {
    const out = join(shared, `${name}.tif`);
    await mosaic(shared, out, { bands: ['red'], ...options });
    const ours = await pixels(out);
    const [a, , c, , e, f] = ours.grid.affine;
    const frame = ['-te', c, f + e * ours.height, c + a * ours.width, f, '-ts', ours.width, ours.height].map(String);
    const theirs = join(shared, `${name}-gdal.tif`);
    execFileSync('gdalwarp', ['-q', '-overwrite', '-et', '0', ...warp, ...frame, join(shared, 'all.vrt'), theirs]);
    return { ours: ours.data[0]!, theirs: (await pixels(theirs)).data[0]! };
  }

  const unequal = (p: Int16Array, q: Int16Array, tolerance: number) =>
    p.filter((value, i) => (value === -999) !== (q[i] === -999) || Math.abs(value - q[i]!) > tolerance).length /
    p.length;

  it('is the same picture at full resolution', async () => {
    const { ours, theirs } = await compare({ resampling: 'nearest' }, ['-r', 'near'], 'near');
    expect(unequal(ours, theirs, 0)).toBe(0);
  });

  it('has the same means at 120 m, but for the rounding of halves', async () => {
    const { ours, theirs } = await compare({ resolution: 120 }, ['-r', 'average'], 'average');
    expect(unequal(ours, theirs, 1)).toBe(0);
    expect(unequal(ours, theirs, 0)).toBeLessThan(0.1);
  });

  it('is the same in another CRS, pixel by pixel', async () => {
    const { ours, theirs } = await compare(
      { crs: 'EPSG:32753', resolution: 30, resampling: 'nearest' },
      ['-r', 'near', '-t_srs', 'EPSG:32753'],
      'utm',
    );
    expect(unequal(ours, theirs, 0)).toBeLessThan(0.002);
  });
});
