import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chips, chipBatches, extractChips } from '../../../build/index.js';
import { PROCESS_BYTES, THREAD_BYTES } from '../../../build/jobs/chip/chip-prepare.js';
import { LON_LAT, middleOf, naiveChip, type Place, tiledPlace } from '../../fixture/places.js';
import { seeded } from '../../random.js';

let folder = '';
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chip-place-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function chipOf({ data, mask, shape }: Chips, point: number): (number | undefined)[] {
  const length = shape[1] * shape[2] * shape[3] * shape[4];
  return Array.from({ length }, (_, i) => (mask[point * length + i] ? data[point * length + i] : undefined));
}

/** The pixel of the archive's rasters, and the corner of one. */
const PX = 0.00026949458523585647;
const CORNER = [-74.88284343197603, 40.98015511472004] as const;

describe('neighbours of one lattice', () => {
  let mosaic: Place;
  let pair: string[];
  beforeAll(async () => {
    const value = (b: number, r: number, c: number) => b * 100000 + r * 300 + c;
    mosaic = await tiledPlace(at('mosaic.tif'), { width: 90, height: 40, nBand: 4, corner: CORNER, px: PX, value });
    const left = await tiledPlace(at('299_383_10.tif'), {
      width: 50,
      height: 40,
      nBand: 4,
      corner: CORNER,
      px: PX,
      value,
    });
    const right = await tiledPlace(at('299_384_10.tif'), {
      width: 40,
      height: 40,
      nBand: 4,
      corner: [CORNER[0] + 50 * PX, CORNER[1]],
      px: PX,
      value: (b, r, c) => value(b, r, c + 50),
    });
    pair = [left.path, right.path];
  });

  it('give what their mosaic gives, in every value', async () => {
    const random = seeded(8);
    const points = Array.from({ length: 120 }, () => [CORNER[0] + random() * 90 * PX, CORNER[1] - random() * 40 * PX]);
    for (const threads of [0, 2]) {
      const options = { size: 7, bandsPerYear: 2, threads };
      const whole = await extractChips(mosaic.path, points, options);
      const parts = await extractChips(pair, points, options);
      for (const [i, point] of points.entries()) {
        expect(chipOf(whole, i)).toEqual(naiveChip(mosaic, point, 7));
        expect(chipOf(parts, i)).toEqual(chipOf(whole, i));
      }
      expect(parts.labels.map(({ status }) => status)).toEqual(whole.labels.map(({ status }) => status));
      for (const [i, { transform }] of parts.labels.entries())
        for (const k of [0, 2, 4, 5])
          expect(Math.abs(transform![k]! - whole.labels[i]!.transform![k]!)).toBeLessThan(PX * 1e-6);
    }
  });

  it('give the same in passes that share their memory, whichever kind it is', async () => {
    const random = seeded(12);
    const points = Array.from({ length: 300 }, () => [CORNER[0] + random() * 95 * PX, CORNER[1] - random() * 42 * PX]);
    const cut = { size: 6, bandsPerYear: 2, overlap: 'mean' as const };
    const whole = await extractChips(mosaic.path, points, { ...cut, threads: 0 });
    const block = 16 * 16 * 4 * 8;
    const chip = 13 * 13 * 4 * 5;
    const shared = globalThis.SharedArrayBuffer;
    for (const [threads, canShare] of [
      [0, true],
      [1, true],
      [1, false],
    ] as const) {
      try {
        if (!canShare) Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
        const memoryLimitBytes = PROCESS_BYTES + THREAD_BYTES + block + 60 * chip;
        const passes = new Set<object>();
        // The same pair again and again: its chips overlap, so all but the last samples are merged.
        const rasters = [...pair, ...pair];
        const options = { ...cut, threads, memoryLimitBytes, batchSize: 20, reuse: true };
        let next = 0;
        for await (const batch of chipBatches(rasters, points, options)) {
          passes.add(batch.report);
          for (const i of batch.labels.keys()) expect(chipOf(batch, i)).toEqual(chipOf(whole, next++));
        }
        expect(next).toBe(300);
        expect(passes.size).toBe(15);
      } finally {
        globalThis.SharedArrayBuffer = shared;
      }
    }
  });

  it('are named as sources of the chips that straddle them', async () => {
    const points = [middleOf(mosaic, 20, 20), middleOf(mosaic, 49, 20), middleOf(mosaic, 80, 20)];
    const chips = await extractChips(pair, points, { size: 5, threads: 0 });
    expect(chips.labels.map(({ sources }) => sources)).toEqual([[0], [0, 1], [1]]);
    expect(chips.labels.map(({ status }) => status)).toEqual(['inside', 'inside', 'inside']);
  });
});

describe('rasters over each other', () => {
  let paths: string[];
  let below: Place;
  beforeAll(async () => {
    // Columns 0–29 and 20–49 of one lattice; the second has holes.
    below = await tiledPlace(at('below.tif'), {
      width: 30,
      height: 30,
      nBand: 1,
      value: (_, r, c) => 1000 + r * 30 + c,
      nodata: -1,
    });
    const above = await tiledPlace(at('above.tif'), {
      width: 30,
      height: 30,
      nBand: 1,
      corner: [10.02, 50],
      value: (_, r, c) => ((r + c) % 5 === 0 ? -1 : 5000 + r * 30 + c),
      nodata: -1,
    });
    paths = [below.path, above.path];
  });
  const first = (r: number, c: number) => (c < 30 ? 1000 + r * 30 + c : null);
  const second = (r: number, c: number) => (c >= 20 && (r + c - 20) % 5 !== 0 ? 5000 + r * 30 + c - 20 : null);
  const [row, col, size] = [15, 26, 8];
  const expected = (rule: (p: number | null, q: number | null) => number | null) => {
    const out: (number | undefined)[] = [];
    for (let r = row - size; r <= row + size; r++)
      for (let c = col - size; c <= col + size; c++) out.push(rule(first(r, c), second(r, c)) ?? undefined);
    return out;
  };
  const mean = (p: number | null, q: number | null) =>
    p !== null && q !== null ? Math.floor((p + q) / 2 + 0.5) : (p ?? q);

  it.each([
    ['first', (p: number | null, q: number | null) => p ?? q],
    ['last', (p: number | null, q: number | null) => q ?? p],
    ['mean', mean],
    // Column 26 is nearer to the middle of the first (15) than of the second (35): 11.5 against 8.5.
    ['nearest-centre', (p: number | null, q: number | null) => q ?? p],
  ] as const)('%s', async (overlap, rule) => {
    for (const threads of [0, 2]) {
      const chips = await extractChips(paths, [middleOf(below, col, row)], { size, overlap, threads });
      expect(chipOf(chips, 0)).toEqual(expected(rule));
    }
  });

  it('nearest to the other centre', async () => {
    const chips = await extractChips(paths, [middleOf(below, 22, 15)], {
      size: 0,
      overlap: 'nearest-centre',
      threads: 0,
    });
    expect(chips.data[0]).toBe(first(15, 22));
  });

  it('of two lattices: the chip lies on that of the raster that wins its point', async () => {
    const other = await tiledPlace(at('shifted.tif'), {
      width: 30,
      height: 30,
      nBand: 1,
      corner: [10.0104, 50],
      value: (_, r, c) => 9000 + r * 30 + c,
      nodata: -1,
    });
    const rasters = [below.path, other.path];
    const point = middleOf(below, 25, 10);
    const one = await extractChips(rasters, [point], { size: 2, threads: 0 });
    expect(chipOf(one, 0)).toEqual(naiveChip(below, point, 2));
    const two = await extractChips(rasters, [point], { size: 2, overlap: 'last', threads: 0 });
    expect(chipOf(two, 0)).toEqual(naiveChip(other, point, 2));
    // Beside its raster the chip is masked: the other one's pixels do not fit.
    const edge = await extractChips(rasters, [middleOf(below, 29, 10)], { size: 2, threads: 0 });
    expect(edge.labels[0]).toMatchObject({ status: 'partial', sources: [0] });
  });
});

/** EPSG code, longitude, latitude, and x and y there by pyproj 3.7 (PROJ 9.5). */
const BY_PROJ = [
  [32631, 3.01937645, 50.81877647, 501364.9273, 5629672.6405],
  [32631, 5.9, 60.2, 660743.221, 6677216.2488],
  [32631, 0.3, -0.01, 199445.5953, -1106.5371],
  [32631, 2.2, 71.3, 471373.6799, 7911045.5443],
  [32722, -51.2, -12.7, 478285.9327, 8596031.4365],
  [32722, -48.1, -30.5, 778343.5672, 6622231.4065],
  [3857, 12.5, 41.9, 1391493.6349, 5146011.6793],
  [3857, -120.3, -33.3, -13391734.7424, -3935191.9821],
  [3035, 10.1, 52.2, 4327837.1872, 3232258.4899],
  [3035, -8.5, 40.1, 2753030.0583, 2081992.3524],
  [5070, -100.2, 35.3, -378565.1896, 1368738.1079],
  [5070, -75.4, 44.1, 1630997.2735, 2522938.2919],
] as const;

describe('points in another CRS than the raster', () => {
  it.each(BY_PROJ)('EPSG:%i at %f, %f', async (epsg, lon, lat, x, y) => {
    const crs = { ...LON_LAT, epsg };
    const [col, row] = [7, 9];
    // The point lies in the middle of pixel (7, 9) by PROJ.
    const corner = [x - (col + 0.5) * 10, y + (row + 0.5) * 10] as const;
    const value = (_: number, r: number, c: number) => r * 100 + c;
    const utm = await tiledPlace(at('utm.tif'), { width: 20, height: 20, nBand: 1, crs, px: 10, corner, value });
    const chips = await extractChips(utm.path, [[lon, lat]], { size: 1, threads: 0 });
    expect(chips.data[4]).toBe(row * 100 + col);
    expect(chips.labels[0]!.crs).toMatchObject({ epsg });
    const own = await extractChips(utm.path, [[x, y]], { size: 1, threads: 0, pointsCrs: `EPSG:${epsg}` });
    expect(own.data).toEqual(chips.data);
    // Much nearer than half a pixel: 1 cm beside an edge is still told apart.
    const fine = await tiledPlace(at('fine.tif'), {
      width: 20,
      height: 20,
      nBand: 1,
      crs,
      px: 0.02,
      corner: [x - 0.15, y + 0.19],
      value,
    });
    expect((await extractChips(fine.path, [[lon, lat]], { size: 0, threads: 0 })).data[0]).toBe(907);
  });

  it('that has no such point, or lies elsewhere, is outside', async () => {
    const crs = { ...LON_LAT, epsg: 3857 };
    const utm = await tiledPlace(at('mercator.tif'), { width: 20, height: 20, nBand: 1, crs, px: 10, corner: [0, 0] });
    const chips = await extractChips(
      utm.path,
      [
        [12, 90],
        [100, -90],
        [0.0005, -0.0005],
      ],
      { size: 0, threads: 0 },
    );
    expect(chips.labels.map(({ status }) => status)).toEqual(['outside', 'outside', 'inside']);
  });

  it('and rasters of two CRSs answer each the points that lie in them', async () => {
    const value = (_: number, r: number, c: number) => r * 100 + c;
    const make = (name: string, [epsg, , , x, y]: (typeof BY_PROJ)[number], plus: number) =>
      tiledPlace(at(name), {
        width: 20,
        height: 20,
        nBand: 1,
        crs: { ...LON_LAT, epsg },
        px: 10,
        corner: [x - 75, y + 95],
        value: (b, r, c) => value(b, r, c) + plus,
      });
    const rasters = [await make('north.tif', BY_PROJ[0], 0), await make('south.tif', BY_PROJ[4], 50000)];
    const points = [BY_PROJ[4], BY_PROJ[0]].map(([, lon, lat]) => [lon, lat]);
    const chips = await extractChips(
      rasters.map((r) => r.path),
      points,
      { size: 0, threads: 0 },
    );
    expect([...chips.data]).toEqual([50907, 907]);
    expect(chips.labels.map(({ crs }) => crs!.epsg)).toEqual([32722, 32631]);
  });
});

describe('longitudes', () => {
  it('are the same after 360 degrees', async () => {
    const options = { width: 50, height: 10, nBand: 1, px: 0.02 };
    const across = await tiledPlace(at('across.tif'), { ...options, corner: [179.5, 10] });
    const points = [
      [179.99, 9.91],
      [-179.9, 9.91],
      [180.1, 9.91],
      [180, 9.91],
      [-180, 9.91],
      [-179.49, 9.91],
    ];
    const chips = await extractChips(across.path, points, { size: 0, threads: 0 });
    expect([...chips.data]).toEqual([24, 30, 30, 25, 25, 0].map((col, i) => (i === 5 ? 0 : 10000 + 400 + col)));
    expect(chips.labels.map(({ status }) => status)).toEqual([...new Array(5).fill('inside'), 'outside']);
    expect(chips.labels[1]!.transform![2]).toBeCloseTo(180.1, 9);
    const east = await tiledPlace(at('east.tif'), { ...options, px: 7.2, corner: [0, 72] });
    const places = await extractChips(
      east.path,
      [
        [-10, 65],
        [-1, 65],
        [1, 65],
        [360, 65],
      ],
      { size: 0, threads: 0 },
    );
    expect([...places.data].map((value) => value % 100)).toEqual([48, 49, 0, 0]);
    expect(places.report).toMatchObject({ inside: 4, outside: 0 });
  });
});

describe('items that are wrong about the place of a file', () => {
  it('give way to what the file says', async () => {
    const crs = { ...LON_LAT, epsg: 32631 };
    const value = (_: number, r: number, c: number) => r * 100 + c;
    const file = await tiledPlace(at('moved.tif'), {
      width: 20,
      height: 20,
      nBand: 1,
      crs,
      px: 10,
      corner: [5e5, 5e6],
      value,
    });
    const item = (corner: number) => ({
      type: 'Feature',
      stac_version: '1.0.0',
      id: 'moved',
      geometry: null,
      properties: { datetime: '2020-01-01T00:00:00Z', 'proj:epsg': 32631 },
      links: [],
      assets: {
        red: { href: file.path, 'proj:shape': [20, 20], 'proj:transform': [10, 0, corner, 0, -10, 5e6] },
      },
    });
    const options = { size: 0, pointsCrs: 'EPSG:32631', bands: ['red'], threads: 0 };
    for (const corner of [5e5, 5e5 + 30]) {
      const chips = await extractChips(item(corner), [[5e5 + 55, 5e6 - 35]], options);
      expect([...chips.data]).toEqual([305]);
      expect(chips.labels[0]!.transform).toEqual([10, 0, 5e5 + 50, 0, -10, 5e6 - 30]);
    }
  });
});
