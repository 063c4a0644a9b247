import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npyHeader } from '../../../build/io/npy.js';
import { openRaster } from '../../../build/io/open-raster.js';
import { readWindow } from '../../../build/io/window.js';
import { PROCESS_BYTES, THREAD_BYTES } from '../../../build/jobs/chip/chip-prepare.js';
import { type Chips, chipsToFiles, extractChips } from '../../../build/node.js';
import { middleOf, type Place, tiledPlace } from '../../fixture/places.js';
import { startS3, useS3 } from '../../fixture/s3-server.js';
import { seeded } from '../../random.js';

let folder = '';
let place: Place;
let points: [number, number][];
let chips: Chips;
const at = (name: string) => path.join(folder, name);
const options = { size: 2, bandsPerYear: 2, firstYear: 2001, threads: 0 };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chip-files-'));
  place = await tiledPlace(at('place.tif'), { width: 61, height: 53, nBand: 6 });
  const random = seeded(4);
  points = Array.from({ length: 40 }, () => middleOf(place, Math.floor(random() * 64), Math.floor(random() * 53)));
  chips = await extractChips(place.path, points, options);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (array: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }) =>
  Buffer.from(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const json = async (name: string) => JSON.parse(await readFile(at(name), 'utf8'));

/** So little memory that some ten chips are cut at a time. */
const little = () => {
  const one = 6 * 25 * 5;
  return { memoryLimitBytes: 10 * one + PROCESS_BYTES + THREAD_BYTES + 16 * 16 * 4 * 12 };
};

describe('NPY', () => {
  it('has a header of a multiple of 64 bytes', () => {
    const header = npyHeader('i32', [40, 3, 2, 5, 5]);
    expect(header.length % 64).toBe(0);
    expect([...header.subarray(0, 10)]).toEqual([0x93, 78, 85, 77, 80, 89, 1, 0, header.length - 10, 0]);
    const text = new TextDecoder().decode(header.subarray(10));
    expect(text.trimEnd()).toBe("{'descr': '<i4', 'fortran_order': False, 'shape': (40, 3, 2, 5, 5), }");
    expect(text.endsWith(' \n')).toBe(true);
    expect(new TextDecoder().decode(npyHeader('u8', [7])).includes("'|u1'")).toBe(true);
    expect(new TextDecoder().decode(npyHeader('f64', [7])).includes('(7,)')).toBe(true);
    expect(() => npyHeader('u8', [-1])).toThrow(/cannot be written/);
  });

  it.each([
    ['in one pass', {}],
    ['in passes', { memory: true }],
  ])('holds the chips, written %s', async (name, { memory = false }: { memory?: boolean }) => {
    const limit = memory ? little() : {};
    const summary = await chipsToFiles(place.path, points, at(name), { ...options, ...limit });
    expect(summary.files.map((file) => path.basename(file))).toEqual([
      'chips.npy',
      'mask.npy',
      'chips.csv',
      'chips.json',
    ]);
    expect((await readdir(at(name))).sort()).toEqual(['chips.csv', 'chips.json', 'chips.npy', 'mask.npy']);
    const header = npyHeader('i32', chips.shape);
    const expected = Buffer.concat([header, bytesOf(chips.data)]);
    expect((await readFile(at(`${name}/chips.npy`))).equals(expected)).toBe(true);
    const mask = Buffer.concat([npyHeader('u8', chips.shape), bytesOf(chips.mask)]);
    expect((await readFile(at(`${name}/mask.npy`))).equals(mask)).toBe(true);
    expect(summary.report).toMatchObject({ inside: chips.report.inside, outside: chips.report.outside });
  });

  it('in passes decodes little twice: they follow the ground', async () => {
    const whole = await chipsToFiles(place.path, points, at('whole'), options);
    const passes = await chipsToFiles(place.path, points, at('passes'), { ...options, ...little() });
    expect(passes.report.blocksDecoded).toBe(passes.report.blocksTouched);
    expect(passes.report.blocksDecoded).toBeLessThan(2.5 * whole.report.blocksDecoded);
  });

  it('has a table of what each chip is', async () => {
    await chipsToFiles(place.path, points, at('table'), options);
    const table = await json('table/chips.json');
    expect(table).toMatchObject({
      shape: chips.shape,
      dtype: 'int32',
      fill: 0,
      bands: ['b1', 'b2'],
      pointsCrs: 'EPSG:4326',
    });
    expect(table.times.map(({ label }: { label: string }) => label)).toEqual(['2001', '2002', '2003']);
    expect(table.chips.map(({ index }: { index: number }) => index)).toEqual(points.map((_, i) => i));
    expect(table.chips.map(({ status }: { status: string }) => status)).toEqual(
      chips.labels.map(({ status }) => status),
    );
    const lines = (await readFile(at('table/chips.csv'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(41);
    expect(lines[0]).toBe('index,id,x,y,status,crs,a,b,c,d,e,f,source,sources');
    const { x, y, status } = chips.labels[3]!;
    expect(lines[4]!.startsWith(`3,,${x},${y},${status},`)).toBe(true);
  });

  it('may be one file', async () => {
    const { files } = await chipsToFiles(place.path, points, at('one.npy'), options);
    expect(files).toEqual(['one.npy', 'one.mask.npy', 'one.csv', 'one.json'].map(at));
  });
});

describe('Zarr', () => {
  it('stores whole chunks, and its documents last', async () => {
    await chipsToFiles(place.path, points, at('plain.zarr'), options);
    const document = await json('plain.zarr/chips/zarr.json');
    expect(document).toMatchObject({
      zarr_format: 3,
      node_type: 'array',
      shape: chips.shape,
      data_type: 'int32',
      chunk_grid: { name: 'regular', configuration: { chunk_shape: chips.shape } },
      codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    });
    const chunk = await readFile(at('plain.zarr/chips/c/0/0/0/0/0'));
    expect(chunk.equals(bytesOf(chips.data))).toBe(true);
    expect(await json('plain.zarr/zarr.json')).toMatchObject({
      node_type: 'group',
      attributes: { bands: ['b1', 'b2'] },
    });
  });
});

describe('JSON', () => {
  it('has nested lists with null where a chip is masked', async () => {
    await chipsToFiles(place.path, points, at('all.json'), options);
    const document = await json('all.json');
    const flat = document.chips.flatMap(({ data }: { data: unknown[] }) => data.flat(4));
    expect(flat).toEqual(Array.from(chips.data, (value, i) => (chips.mask[i] ? value : null)));
    expect(document.chips[0].data).toHaveLength(3);
    expect(document.chips[0].data[0][1]).toHaveLength(5);
    expect(document.shape).toEqual(chips.shape);
  });
});

describe('GeoTIFF', () => {
  it('has a file for each chip that has a place', async () => {
    const { files } = await chipsToFiles(place.path, points, at('tiffs'), {
      ...options,
      format: 'geotiff',
      ...little(),
    });
    const tiffs = files.filter((file) => file.endsWith('.tif'));
    expect(tiffs).toHaveLength(40 - chips.report.outside);
    for (const [i, label] of chips.labels.entries()) {
      const file = at(`tiffs/chip-${String(i).padStart(6, '0')}.tif`);
      expect(existsSync(file)).toBe(label.status !== 'outside');
      if (label.status === 'outside') continue;
      const raster = await openRaster(file);
      const { header } = raster;
      expect(header.bands.map(({ name }) => name)).toEqual(
        ['2001', '2002', '2003'].flatMap((year) => [`${year}_b1`, `${year}_b2`]),
      );
      expect(header.grid!.crs.epsg).toBe(4326);
      for (const [k, value] of label.transform!.entries()) expect(header.grid!.affine[k]).toBeCloseTo(value, 12);
      const window = { col: 0, row: 0, width: 5, height: 5 };
      const planes = await readWindow(raster, { level: 0, window, bands: [0, 1, 2, 3, 4, 5] });
      expect(planes.flatMap((plane) => [...plane])).toEqual([...chips.data.subarray(i * 150, (i + 1) * 150)]);
      expect(header.bands[0]!.nodata).toBe(label.status === 'inside' ? null : 0);
      await raster.close();
    }
    const table = await json('tiffs/chips.json');
    expect(table.chips.map(({ file }: { file: string | null }) => file === null)).toEqual(
      chips.labels.map(({ status }) => status === 'outside'),
    );
  });
});

const python = process.env.STACKWISE_PEER_PYTHON;
const hasZarr = (() => {
  try {
    execFileSync(python ?? 'python3', ['-c', 'import numpy, zarr'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasZarr)('numpy and zarr (skipped where Python lacks them)', () => {
  it('read the same', async () => {
    const many = await tiledPlace(at('many.tif'), {
      width: 60,
      height: 60,
      nBand: 8,
      type: Int16Array,
      value: (b, r, c) => 1000 * b + 60 * r + c - 3000,
    });
    const cut = { size: 40, threads: 0 };
    const wide = Array.from({ length: 50 }, (_, i) => middleOf(many, i, i));
    const expected = await extractChips(many.path, wide, cut);
    await chipsToFiles(many.path, wide, at('n'), cut);
    await chipsToFiles(many.path, wide, at('plain'), { ...cut, format: 'zarr' });
    await chipsToFiles(many.path, wide, at('packed'), { ...cut, format: 'zarr', gzip: true });
    const script = path.resolve(import.meta.dirname, '../../io/arrays.py');
    const paths = [at('n/chips.npy'), at('n/mask.npy'), at('plain/chips.zarr'), at('packed/chips.zarr')];
    const facts = JSON.parse(execFileSync(python ?? 'python3', [script, ...paths], { encoding: 'utf8' }));
    const data = { dtype: 'int16', shape: expected.shape, sha256: sha256(bytesOf(expected.data)) };
    const mask = { dtype: 'uint8', shape: expected.shape, sha256: sha256(bytesOf(expected.mask)) };
    expect(facts[paths[0]!]).toEqual(data);
    expect(facts[paths[1]!]).toEqual(mask);
    for (const zarr of paths.slice(2)) {
      expect(facts[zarr].arrays).toEqual({ chips: data, mask });
      expect(facts[zarr].dimensions).toEqual(['point', 'time', 'band', 'y', 'x']);
      expect(facts[zarr].attributes.pointsCrs).toBe('EPSG:4326');
    }
    // More than one chunk, the last one not full.
    expect((await readdir(at('plain/chips.zarr/chips/c'))).length).toBeGreaterThan(1);
  });
});

describe('files', () => {
  it('of an earlier run are replaced only when that is said', async () => {
    for (const format of ['npy', 'zarr', 'geotiff', 'json'] as const) {
      const out = at(`again-${format}`);
      await chipsToFiles(place.path, points.slice(0, 3), out, { ...options, format });
      await expect(chipsToFiles(place.path, points, out, { ...options, format })).rejects.toThrow(/exists already/);
      const { shape } = await chipsToFiles(place.path, points, out, { ...options, format, overwrite: true });
      expect(shape[0]).toBe(40);
    }
  });

  it('of an earlier run stay as they are when a new one fails', async () => {
    const bytes = new Uint8Array(await readFile(place.path));
    bytes.fill(0xff, bytes.length - 3000);
    await writeFile(at('torn.tif'), bytes);
    await chipsToFiles(place.path, points, at('kept'), options);
    const before = await readFile(at('kept/chips.npy'));
    const again = chipsToFiles(at('torn.tif'), points, at('kept'), { ...options, overwrite: true });
    await expect(again).rejects.toThrow(/torn.tif/);
    expect((await readFile(at('kept/chips.npy'))).equals(before)).toBe(true);
    expect((await readdir(at('kept'))).sort()).toEqual(['chips.csv', 'chips.json', 'chips.npy', 'mask.npy']);
  });

  it.each([
    ['busy', 'busy/.stackwise-lock', 'busy'],
    ['busy.npy', '.busy.stackwise-lock', 'busy'],
  ])('are left to the process that is at work there: %s', async (out, lock, named) => {
    await mkdir(at('busy'), { recursive: true });
    await writeFile(at(lock), JSON.stringify({ pid: process.ppid, host: hostname() }));
    const attempt = () => chipsToFiles(place.path, points, at(out), { ...options, overwrite: true });
    await expect(attempt()).rejects.toThrow(`process ${process.ppid} is at work in ${at(named)} already`);
    await rm(at(lock));
    await attempt();
    expect(existsSync(at(lock))).toBe(false);
  });

  it('leave nothing when no point lies in a raster', async () => {
    const attempt = chipsToFiles(
      place.path,
      [
        [0, 0],
        [1, 1],
      ],
      at('nothing'),
      options,
    );
    await expect(attempt).rejects.toThrow('none of the 2 points lies in any of the 1 rasters');
    expect(existsSync(at('nothing'))).toBe(false);
  });

  it('leave nothing with its name when a block is broken', async () => {
    const bytes = new Uint8Array(await readFile(place.path));
    bytes.fill(0xff, bytes.length - 3000);
    await writeFile(at('broken.tif'), bytes);
    for (const format of ['npy', 'zarr', 'geotiff', 'json'] as const) {
      const out = at(`broken-${format}`);
      await expect(chipsToFiles(at('broken.tif'), points, out, { ...options, format })).rejects.toThrow(/broken.tif/);
      expect(existsSync(out) ? (await readdir(out)).filter((name) => !name.startsWith('.')) : []).toEqual([]);
      expect(existsSync(out) ? await readdir(out) : []).toEqual([]);
    }
  });

  it('have an ending that fits their format', async () => {
    const attempt = chipsToFiles(place.path, points, at('x.npy'), { ...options, format: 'json' });
    await expect(attempt).rejects.toThrow(/is the name of npy/);
    const unknown = chipsToFiles(place.path, points, at('x'), { ...options, format: 'csv' as 'npy' });
    await expect(unknown).rejects.toThrow(/format is one of/);
    const plain = chipsToFiles(place.path, points, at('gzip'), { ...options, gzip: true });
    await expect(plain).rejects.toThrow('chunks of zarr are compressed, and the format is npy');
  });

  it('go to a folder that is a file: a clear error', async () => {
    await writeFile(at('file'), '');
    await mkdir(at('dir'), { recursive: true });
    await expect(chipsToFiles(place.path, points, at('file'), options)).rejects.toThrow(
      /cannot make the folder|cannot write/,
    );
  });

  it('may lie in a bucket', async () => {
    const server = await startS3('chips');
    const undo = useS3(server);
    try {
      for (const out of ['s3://chips/a', 's3://chips/b.zarr', 's3://chips/c.json'])
        await chipsToFiles(place.path, points, out, { ...options, ...little() });
      const { storeFor } = await import('../../../build/io/stores.js');
      const store = storeFor('s3://chips/a');
      const npy = await store.read('s3://chips/a/chips.npy');
      expect(Buffer.from(npy).equals(Buffer.concat([npyHeader('i32', chips.shape), bytesOf(chips.data)]))).toBe(true);
      expect(await store.list('s3://chips/b.zarr/')).toEqual(['chips/', 'mask/', 'zarr.json']);
      expect(JSON.parse(new TextDecoder().decode(await store.read('s3://chips/c.json'))).chips).toHaveLength(40);
    } finally {
      undo();
      await server.stop();
    }
  });
});
