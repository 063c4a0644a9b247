import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeJpeg } from '../../build/io/jpeg.js';
import { encodeJpeg, type JpegPicture } from '../../build/io/jpeg-encoder.js';
import { seeded } from '../random.ts';

const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import osgeo.gdal']).status === 0,
);

function picture(width: number, height: number, at: (x: number, y: number, c: number) => number): JpegPicture {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const px = Math.floor(i / 3);
    return at(px % width, Math.floor(px / width), i % 3);
  });
  return { width, height, data };
}

const random = seeded(11);
const PICTURES: [string, JpegPicture, number][] = [
  ['one pixel', picture(1, 1, (_x, _y, c) => [200, 30, 90][c]!), 3],
  ['slopes', picture(75, 50, (x, y, c) => [3 * x, 5 * y, 255 - 2 * x][c]!), 6],
  ['a sharp edge', picture(64, 33, (x, _y, c) => (x < 29 ? 0 : [255, 128, 0][c]!)), 60],
  ['noise', picture(40, 40, () => random() * 256), 160],
  ['black', picture(17, 9, () => 0), 1],
];

const decoded = (bytes: Uint8Array) => decodeJpeg(bytes, { tables: null, toRgb: true, most: 2 ** 24 });

describe('pictures', () => {
  it.each(PICTURES)('%s comes back with its size, and nearly its colours', (_, source, tolerance) => {
    const { samples, width, height, nComponent } = decoded(encodeJpeg(source));
    expect([width, height, nComponent]).toEqual([source.width, source.height, 3]);
    const errors = samples.map((value, i) => Math.abs(value - source.data[i]!));
    expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
  });

  it('come nearer, and longer, with quality', () => {
    const source = PICTURES[3]![1];
    const results = [10, 50, 75, 95, 100].map((quality) => {
      const bytes = encodeJpeg(source, quality);
      const squares = decoded(bytes).samples.reduce((sum, value, i) => sum + (value - source.data[i]!) ** 2, 0);
      return { bytes: bytes.length, error: Math.sqrt(squares / source.data.length) };
    });
    for (const [i, { bytes, error }] of results.slice(1).entries()) {
      expect(bytes).toBeGreaterThan(results[i]!.bytes);
      expect(error).toBeLessThan(results[i]!.error);
    }
    expect(results.at(-1)!.error).toBeLessThan(1);
  });

  it.skipIf(!PYTHON)('are read by GDAL, to the same bytes as here', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stackwise-jpeg-'));
    const script = [
      'import sys, hashlib',
      'from osgeo import gdal',
      'gdal.UseExceptions()',
      'd = gdal.Open(sys.argv[1])',
      'print(d.RasterXSize, d.RasterYSize, hashlib.sha256(d.ReadRaster(buf_pixel_space=3, buf_line_space=3 * d.RasterXSize, buf_band_space=1)).hexdigest())',
    ].join('\n');
    for (const [i, [name, source]] of PICTURES.entries()) {
      const bytes = encodeJpeg(source);
      const path = join(folder, `${i}.jpg`);
      await writeFile(path, bytes);
      const digest = createHash('sha256').update(decoded(bytes).samples).digest('hex');
      const seen = execFileSync(PYTHON!, ['-c', script, path], { encoding: 'utf8' }).trim();
      expect(seen, name).toBe(`${source.width} ${source.height} ${digest}`);
    }
    await rm(folder, { recursive: true });
  });
});

it.each([
  [{ width: 0, height: 3, data: new Uint8Array(0) }, 75, 'a JPEG of 0 × 3 × 3 does not fit 0 bytes'],
  [{ width: 2, height: 2, data: new Uint8Array(11) }, 75, 'does not fit 11 bytes'],
  [{ width: 65536, height: 1, data: new Uint8Array(196608) }, 75, 'a JPEG of 65536 × 1'],
  [{ width: 1, height: 1, data: new Uint8Array(3) }, 0, 'the quality of a JPEG is 1 to 100, not 0'],
])('refuses %#', (source, quality, message) => {
  expect(() => encodeJpeg(source, quality)).toThrow(
    expect.objectContaining({ name: 'InputError', message: expect.stringContaining(message) }),
  );
});
