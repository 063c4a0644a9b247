import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaster } from '../../build/io/open-raster.js';
import type { SampleArray } from '../../build/io/raster.js';
import { readWindow } from '../../build/io/window.js';

const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) =>
    spawnSync(python, ['-c', 'import numpy, osgeo.gdal as g; g.GetDriverByName("JP2OpenJPEG").ShortName']).status === 0,
);

interface GdalLevel {
  width: number;
  height: number;
  /** sha256 of each band's samples. */
  digests: string[];
}

function digest({ buffer, byteOffset, byteLength }: SampleArray): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

const title = 'JPEG 2000 of many kinds, as GDAL writes and reads it';

describe.skipIf(!PYTHON)(PYTHON ? title : `${title} (skipped: no python3 with osgeo and OpenJPEG)`, () => {
  let folder = '';
  let answers: Record<string, GdalLevel[]> = {};

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'stackwise-jp2-'));
    const script = path.join(import.meta.dirname, 'jp2-gdal.py');
    answers = JSON.parse(execFileSync(PYTHON!, [script, folder], { encoding: 'utf8', maxBuffer: 2 ** 24 }));
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('has the samples of GDAL, at each of its levels', async () => {
    expect(Object.keys(answers).length).toBeGreaterThanOrEqual(55);
    const differences: string[] = [];
    let reduced = 0;
    for (const [url, levels] of Object.entries(answers)) {
      const raster = await openRaster(url);
      const bands = raster.header.bands.map((_, i) => i);
      for (const [level, wanted] of levels.entries()) {
        const { width, height } = raster.header.levels[level]!;
        const planes = await readWindow(raster, { level, window: { col: 0, row: 0, width, height }, bands });
        const same = width === wanted.width && planes.every((plane, i) => digest(plane) === wanted.digests[i]);
        if (!same) differences.push(`${path.basename(url)}, level ${level}`);
        if (level > 0) reduced++;
      }
      await raster.close();
    }
    expect(differences).toEqual([]);
    expect(reduced).toBeGreaterThan(40);
  });

  it('has coarser levels that read in the same way with and without the other packets', async () => {
    // What differs is only how the same samples are coded; GDAL stops at 128 px.
    const read = async (kind: string, level: number): Promise<SampleArray> => {
      const raster = await openRaster(path.join(folder, `${kind}, u16.jp2`));
      const { width, height } = raster.header.levels[level]!;
      return (await readWindow(raster, { level, window: { col: 0, row: 0, width, height }, bands: [0] }))[0]!;
    };
    for (const level of [2, 3]) {
      const whole = await read('by place', level);
      expect(await read('by component', level)).toEqual(whole);
      expect(await read('markers', level)).toEqual(whole);
    }
    const place = await read('by resolution and place', 3);
    expect(place).toEqual(await read('by place', 3));
  });
});
