import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Grid } from '../../../build/geo/grid.js';
import { writeCog } from '../../../build/io/cog-writer.js';
import type { NumericArray } from '../../../build/io/raster.js';
import { parseOwsStyle } from '../../../build/jobs/picture/ows-style.js';
import { drawThumbnail, reduction, type Thumbnail } from '../../../build/jobs/picture/thumbnail.js';
import { startS3, useS3 } from '../../fixture/s3-server.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-thumbnail-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(
  name: string,
  size: [number, number],
  data: NumericArray,
  { nodata = -999, place = folder }: { nodata?: number; place?: string } = {},
): Promise<string> {
  const crs = { epsg: 3577, definition: null, geoKeys: null };
  const grid: Grid = { crs, affine: [30, 0, 0, 0, -30, 0], width: size[0], height: size[1] };
  const path = place.startsWith('s3:') ? `${place}/${name}.tif` : join(place, `${name}.tif`);
  await writeCog(path, { grid, names: [name], data: [data], nodata }, { tileSize: 64, overviewTileSize: 16 });
  return path;
}

/** The colour of a pixel of a thumbnail. */
function colourAt({ bytes, width }: Thumbnail, col: number, row: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const raw = inflateSync(bytes.subarray(41, 41 + view.getUint32(33)));
  // Rows hold differences to the pixel on the left.
  const line = raw.subarray(row * (3 * width + 1) + 1, row * (3 * width + 1) + 4 + 3 * col);
  const sum = (channel: number) => line.filter((_, i) => i % 3 === channel).reduce((a, b) => (a + b) & 255, 0);
  return [0, 1, 2].map(sum);
}

function near(wanted: number[], got: number[], tolerance = 1): void {
  const errors = wanted.map((value, i) => Math.abs(value - got[i]!));
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}

/** i16[height][width] by column and row. */
function plane([width, height]: [number, number], at: (col: number, row: number) => number): Int16Array {
  return Int16Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width)));
}

describe('reduction', () => {
  const size = fc.integer({ min: 1, max: 12 });
  it('is the mean over the area, whatever the strips', () => {
    const sides = fc.tuple(size, size, size, size, fc.infiniteStream(fc.integer({ min: 0, max: 255 })));
    fc.assert(
      fc.property(sides, size, ([w, h, smallW, smallH, stream], stripRows) => {
        const [large, small] = [
          { width: Math.max(w, smallW), height: Math.max(h, smallH) },
          { width: smallW, height: smallH },
        ];
        const rgba = Uint8Array.from({ length: large.width * large.height * 4 }, () => stream.next().value);
        const reduced = reduction(large, small);
        const rowBytes = large.width * 4;
        for (let row = 0; row < large.height; row += stripRows)
          reduced.add(rgba.subarray(row * rowBytes, Math.min(large.height, row + stripRows) * rowBytes), row);
        const { data } = reduced.picture();
        const overlap = (i: number, nI: number, k: number, nK: number) =>
          Math.max(0, Math.min((i + 1) / nI, (k + 1) / nK) - Math.max(i / nI, k / nK)) * nK;
        for (let at = 0; at < data.length; at++) {
          const [col, row] = [Math.floor(at / 3) % smallW, Math.floor(at / 3 / smallW)];
          let mean = 0;
          for (let y = 0; y < large.height; y++)
            for (let x = 0; x < large.width; x++)
              mean +=
                overlap(x, large.width, col, smallW) *
                overlap(y, large.height, row, smallH) *
                rgba[(y * large.width + x) * 4 + (at % 3)]!;
          expect(Math.abs(data[at]! - mean)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('thumbnails', () => {
  it('are a tenth of the size, from overviews, black where nothing is', async () => {
    const size: [number, number] = [325, 204];
    const valid = (col: number, value: number) => (col < 160 ? value : -999);
    const bands = new Map([
      [
        'red',
        await written(
          'red',
          size,
          plane(size, (col) => valid(col, 3000)),
        ),
      ],
      [
        'green',
        await written(
          'green',
          size,
          plane(size, (col, row) => valid(col, row < 100 ? 1500 : 0)),
        ),
      ],
      [
        'blue',
        await written(
          'blue',
          size,
          plane(size, (col) => valid(col, -40)),
        ),
      ],
    ]);
    const components = { red: { red: 1 }, green: { green: 1 }, blue: { blue: 1 } };
    const drawn = await drawThumbnail({ style: parseOwsStyle({ components, scale_range: [0, 3000] }), bands });
    expect([drawn.width, drawn.height, drawn.mediaType]).toEqual([33, 20, 'image/png']);
    near([255, 127, 0], colourAt(drawn, 3, 3));
    near([255, 0, 0], colourAt(drawn, 3, 16));
    near([0, 0, 0], colourAt(drawn, 29, 3));
  });

  it('mix colours of classes, and not their numbers', async () => {
    const size: [number, number] = [160, 160];
    const classes = await written(
      'classes',
      size,
      plane(size, (col) => (col % 2 === 0 ? 1 : 3)),
    );
    const rule = (value: number, color: string) => ({ title: '', values: [value], color });
    const value_map = { classes: [rule(1, '#ff0000'), rule(2, '#00ff00'), rule(3, '#0000ff')] };
    const drawn = await drawThumbnail({ style: parseOwsStyle({ value_map }), bands: new Map([['classes', classes]]) });
    expect([drawn.width, drawn.height]).toEqual([16, 16]);
    near([128, 0, 128], colourAt(drawn, 8, 8));
  });

  it('of a bucket are those of a disk', async () => {
    const server = await startS3('tiles');
    const undo = useS3(server);
    try {
      const size: [number, number] = [170, 90];
      const style = parseOwsStyle({ index_expression: 'ndvi / 100', range: [0, 1] });
      const data = plane(size, (col, row) => col - row);
      const drawn = [];
      for (const place of [folder, 's3://tiles/x05y06'])
        drawn.push(
          await drawThumbnail({ style, bands: new Map([['ndvi', await written('ndvi', size, data, { place })]]) }),
        );
      expect(drawn[0]!.bytes.length).toBeGreaterThan(200);
      expect(drawn[1]).toEqual(drawn[0]);
    } finally {
      undo();
      await server.stop();
    }
  });

  it('have at least one pixel', async () => {
    const a = await written(
      'a',
      [4, 3],
      plane([4, 3], () => 100),
    );
    const components = { red: { a: 1 }, green: { a: 1 }, blue: { a: 1 } };
    const style = parseOwsStyle({ components, scale_range: [0, 100] });
    const drawn = await drawThumbnail({ style, bands: new Map([['a', a]]) });
    expect([drawn.width, drawn.height]).toEqual([1, 1]);
    near([255, 255, 255], colourAt(drawn, 0, 0));
  });
});

describe('refusals', () => {
  const style = parseOwsStyle({ index_expression: 'p + q', range: [0, 1] });
  it('bands that are not there are named', async () => {
    const p = await written(
      'p',
      [32, 32],
      plane([32, 32], () => 1),
    );
    await expect(drawThumbnail({ style, bands: new Map([['p', p]]) })).rejects.toMatchObject({
      name: 'InputError',
      message: 'preview_image_ows_style: there is no band "q": there are p',
    });
  });

  it('bands of two sizes are', async () => {
    const p = await written(
      'p2',
      [32, 32],
      plane([32, 32], () => 1),
    );
    const q = await written(
      'q',
      [32, 16],
      plane([32, 16], () => 1),
    );
    const bands = new Map(Object.entries({ p, q }));
    await expect(drawThumbnail({ style, bands })).rejects.toThrow(/q\.tif has 32 × 16 px, .*p2\.tif 32 × 32/);
  });

  it('an end before the end', async () => {
    const p = await written(
      'p3',
      [32, 32],
      plane([32, 32], () => 1),
    );
    const bands = new Map(Object.entries({ p, q: p }));
    await expect(drawThumbnail({ style, bands, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    await expect(drawThumbnail({ style, bands, factor: 0 })).rejects.toThrow('1 or more times smaller, not 0');
  });
});
