import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Chips,
  chipBatches,
  chipDictionary,
  extractChips,
  InputError,
  UnsupportedError,
} from '../../../build/index.js';
import { writeCog } from '../../../build/io/cog-writer.js';
import { PROCESS_BYTES, THREAD_BYTES } from '../../../build/jobs/chip/chip-prepare.js';
import { middleOf, naiveChip, type Place, stripedPlace, tiledPlace, told } from '../../fixture/places.js';
import { seeded } from '../../random.js';

let folder = '';
const at = (name: string) => path.join(folder, name);
let place: Place;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chips-'));
  place = await tiledPlace(at('place.tif'), { width: 61, height: 53, nBand: 6 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One chip, [nTime × nBand][side][side] one after the other; masked samples as undefined. */
function chipOf({ data, mask, shape }: Chips, point: number): (number | undefined)[] {
  const length = shape[1] * shape[2] * shape[3] * shape[4];
  return Array.from({ length }, (_, i) => (mask[point * length + i] ? data[point * length + i] : undefined));
}

const inline = { threads: 0 };

describe('a chip', () => {
  it('is centred on the pixel of its coordinate', async () => {
    const chips = await extractChips(place.path, [middleOf(place, 30, 40)], { size: 3, ...inline });
    expect(chips.shape).toEqual([1, 1, 6, 7, 7]);
    expect(chips.dtype).toBe('i32');
    const [, , , side] = chips.shape;
    expect(chips.data[3 * side + 3]).toBe(10000 + 4030);
    expect(chips.data[0]).toBe(10000 + 3727);
    expect(chips.data[5 * side * side]).toBe(60000 + 3727);
    expect(chips.mask.every((m) => m === 1)).toBe(true);
    expect(chips.labels[0]).toMatchObject({ index: 0, status: 'inside', sources: [0] });
    expect(chips.sources).toEqual([place.path]);
    const [a, , c, , , f] = chips.labels[0]!.transform!;
    expect(a).toBe(0.001);
    expect([c, f]).toEqual([expect.closeTo(10 + 27 * 0.001, 12), expect.closeTo(50 - 37 * 0.001, 12)]);
  });

  it('is masked and filled where no pixel lies', async () => {
    const points = [middleOf(place, 0, 0)];
    const { mask, data, labels, fill } = await extractChips(place.path, points, { size: 3, bands: ['b1'], ...inline });
    expect(mask.reduce((sum, m) => sum + m, 0)).toBe(16);
    expect(labels[0]!.status).toBe('partial');
    expect(fill).toBe(0);
    expect([...data].filter((_, i) => mask[i] === 0)).toEqual(new Array(49 - 16).fill(0));
    expect(data[3 * 7 + 3]).toBe(10000);
    const filled = await extractChips(place.path, points, { size: 3, fill: -7, ...inline });
    expect(filled.data[0]).toBe(-7);
  });

  it('stays in its place when its point lies outside, and equal points have a chip each', async () => {
    const { affine } = place.grid;
    const inside = middleOf(place, 5, 5);
    const points = [[affine[2] - 0.5 * affine[0], inside[1]], inside, inside];
    const chips = await extractChips(place.path, points, { size: 2, ...inline });
    expect(chips.labels.map(({ status }) => status)).toEqual(['outside', 'inside', 'inside']);
    expect(chipOf(chips, 0).every((value) => value === undefined)).toBe(true);
    expect(chips.labels[0]).toMatchObject({ crs: null, transform: null, sources: [] });
    expect(chipOf(chips, 1)).toEqual(chipOf(chips, 2));
    expect(chips.report).toMatchObject({ inside: 2, partial: 0, outside: 1 });
  });

  it('begins at the pixel with the anchor of the older extractor', async () => {
    const points = [middleOf(place, 30, 40)];
    const chips = await extractChips(place.path, points, { size: 3, anchor: 'topleft', ...inline });
    expect(chips.data[0]).toBe(10000 + 4030);
    const seed = await extractChips(place.path, points, { size: 3, compat: 'seed', ...inline });
    expect(seed.data).toEqual(chips.data);
    expect(seed.times).toEqual([{ label: '1984', timeMs: null, year: 1984 }]);
  });

  it('of size 0 is one pixel', async () => {
    const chips = await extractChips(place.path, [middleOf(place, 60, 52)], { size: 0, ...inline });
    expect(chipOf(chips, 0)).toEqual([0, 1, 2, 3, 4, 5].map((b) => told(b, 52, 60)));
  });

  it('larger than its raster holds all of it', async () => {
    const points = [middleOf(place, 30, 26)];
    const chips = await extractChips(place.path, points, { size: 70, ...inline });
    expect(chipOf(chips, 0)).toEqual(naiveChip(place, points[0]!, 70));
    expect(chips.labels[0]!.status).toBe('partial');
  });
});

describe('bands and dates', () => {
  it('are those of years in rasters that hold all', async () => {
    const points = [middleOf(place, 10, 10)];
    const chips = await extractChips(place.path, points, { size: 1, bandsPerYear: 2, firstYear: 1999, ...inline });
    expect(chips.shape).toEqual([1, 3, 2, 3, 3]);
    expect(chips.times.map(({ label, year }) => [label, year])).toEqual([
      ['1999', 1999],
      ['2000', 2000],
      ['2001', 2001],
    ]);
    expect(chips.bands).toEqual(['b1', 'b2']);
    expect(chipOf(chips, 0)).toEqual(naiveChip(place, points[0]!, 1));
    const second = await extractChips(place.path, points, { size: 1, bandsPerYear: 2, bands: ['b2'], ...inline });
    expect(chipOf(second, 0).filter((_, i) => i % 9 === 4)).toEqual([1, 3, 5].map((b) => told(b, 10, 10)));
    const dates = ['2001-05-03', '2001-06-04', '2002-01-01'];
    const dated = await extractChips(place.path, points, { size: 0, bandsPerYear: 2, dates, ...inline });
    expect(dated.times.map(({ label, year }) => [label, year])).toEqual(dates.map((d) => [d, Number(d.slice(0, 4))]));
  });

  it('that do not divide are refused', async () => {
    const wrong = extractChips(place.path, [middleOf(place, 10, 10)], { size: 1, bandsPerYear: 4, ...inline });
    await expect(wrong).rejects.toThrow(/has 6 bands, which 4 bands a year do not divide/);
  });

  it('are those of scenes when names have dates', async () => {
    const scenes = ['20200105', '20200210'];
    for (const [t, date] of scenes.entries())
      for (const [b, band] of ['B02', 'B03'].entries())
        await tiledPlace(at(`scenes_T31_${date}_${band}.tif`), {
          width: 20,
          height: 18,
          nBand: 1,
          type: Uint16Array,
          value: (_, r, c) => 10000 * t + 1000 * b + 20 * r + c,
        });
    const chips = await extractChips(at('scenes_*.tif'), [[10.0105, 49.9915]], { size: 1, ...inline });
    expect(chips.times.map(({ label }) => label)).toEqual(['2020-01-05', '2020-02-10']);
    expect(chips.bands).toEqual(['B02', 'B03']);
    const middle = 20 * 8 + 10;
    expect(chipOf(chips, 0).filter((_, i) => i % 9 === 4)).toEqual([0, 1000, 10000, 11000].map((v) => v + middle));
    expect(chips.report.blocksTouched).toBe(4);
    const later = await extractChips(at('scenes_*.tif'), [[10.0105, 49.9915]], {
      size: 1,
      datetime: '2020-02',
      ...inline,
    });
    expect(later.shape[1]).toBe(1);
    for (const labels of [{ firstYear: 1984 }, { dates: ['a', 'b'] }])
      await expect(extractChips(at('scenes_*.tif'), [[10, 50]], { size: 1, ...inline, ...labels })).rejects.toThrow(
        'labels belong to rasters that hold all dates',
      );
  });
});

describe('scenes that cover different ground', () => {
  const value = (t: number) => (_: number, r: number, c: number) => 1000 * t + 30 * r + c;
  const scene = (name: string, t: number, first: number, width: number) =>
    tiledPlace(at(name), {
      width,
      height: 20,
      nBand: 1,
      corner: [10 + first * 0.001, 50],
      type: Uint16Array,
      value: (b, r, c) => value(t)(b, r, c + first),
    });

  it('are masked where they end, date by date, and joined where a day has two', async () => {
    await mkdir(at('days/T1_20210103'), { recursive: true });
    await mkdir(at('days/T2_20210103'), { recursive: true });
    await mkdir(at('days/T1_20210111'), { recursive: true });
    await scene('days/T1_20210103/red.tif', 1, 0, 16);
    await scene('days/T2_20210103/red.tif', 1, 16, 14);
    await scene('days/T1_20210111/red.tif', 2, 0, 16);
    const middle = (c: number): [number, number] => [10 + (c + 0.5) * 0.001, 50 - 10.5 * 0.001];
    const columns = [5, 15, 25];
    const chips = await extractChips(at('days'), columns.map(middle), { size: 2, ...inline });
    expect(chips.times.map(({ label }) => label)).toEqual(['2021-01-03', '2021-01-11']);
    expect(chips.bands).toEqual(['red']);
    expect(chips.labels.map(({ status }) => status)).toEqual(['inside', 'partial', 'partial']);
    for (const [i, col] of columns.entries()) {
      const expected = [1, 2].flatMap((t) =>
        Array.from({ length: 25 }, (_, px) => {
          const [r, c] = [8 + Math.floor(px / 5), col - 2 + (px % 5)];
          return t === 1 || c < 16 ? value(t)(0, r, c) : undefined;
        }),
      );
      expect(chipOf(chips, i)).toEqual(expected);
    }
    expect(chips.labels.map(({ sources }) => sources.length)).toEqual([2, 3, 1]);
  });

  it('of one place and day are told of', async () => {
    await scene('twin_a_20210103_red.tif', 1, 0, 16);
    await scene('twin_b_20210103_red.tif', 2, 0, 16);
    const notes: string[] = [];
    const onWarning = (text: string) => notes.push(text);
    const points = [[10.0055, 49.9945]];
    const first = await extractChips(at('twin_*.tif'), points, { size: 0, onWarning, ...inline });
    const last = await extractChips(at('twin_*.tif'), points, { size: 0, overlap: 'last', ...inline });
    expect([first.data[0], last.data[0]]).toEqual([1155, 2155]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/twin_a.* and .*twin_b.* have the same bands of the same pixels: --overlap first decides/);
  });

  it('beside rasters without a date are refused', async () => {
    const rasters = [place.path, at('twin_a_20210103_red.tif')];
    await expect(extractChips(rasters, [[10.01, 49.99]], { size: 0, ...inline })).rejects.toThrow(
      /place.tif has no date in its name, and 1 other rasters have/,
    );
  });
});

describe('samples', () => {
  const TYPES = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
  it.each(TYPES)('of %s come through unchanged', async (type) => {
    const random = seeded(5);
    const isFloat = type === Float32Array || type === Float64Array;
    const value = () => (isFloat ? (random() - 0.5) * 1e9 : (random() - 0.5) * 2 ** 33);
    const typed = await tiledPlace(at(`${type.name}.tif`), { width: 19, height: 17, nBand: 2, type, value });
    const points = [middleOf(typed, 9, 9), middleOf(typed, 18, 0)];
    const chips = await extractChips(typed.path, points, { size: 3, ...inline });
    for (const [i, point] of points.entries()) expect(chipOf(chips, i)).toEqual(naiveChip(typed, point, 3));
    expect(chips.data).toBeInstanceOf(type);
    expect(chips.fill).toBe(isFloat ? Number.NaN : 0);
  });

  it('that are missing are masked', async () => {
    const value = (_: number, r: number, c: number) => (r === c ? -9 : told(0, r, c));
    const holes = await tiledPlace(at('holes.tif'), { width: 20, height: 20, nBand: 1, value, nodata: -9 });
    const chips = await extractChips(holes.path, [middleOf(holes, 10, 10)], { size: 2, ...inline });
    const expected = naiveChip(holes, middleOf(holes, 10, 10), 2).map((v) => (v === -9 ? undefined : v));
    expect(chipOf(chips, 0)).toEqual(expected);
    expect(chips.labels[0]!.status).toBe('inside');
    expect(chips.fill).toBe(-9);
    const other = await extractChips(holes.path, [middleOf(holes, 10, 10)], {
      size: 2,
      nodata: told(0, 9, 10),
      ...inline,
    });
    expect(other.mask.reduce((sum, m) => sum + m, 0)).toBe(24);
  });

  it('of NaN are masked whatever nodata says', async () => {
    const value = (_: number, r: number, c: number) => (c === 3 ? Number.NaN : r);
    const holes = await tiledPlace(at('nan.tif'), { width: 9, height: 9, nBand: 1, value, type: Float32Array });
    const { mask } = await extractChips(holes.path, [middleOf(holes, 4, 4)], { size: 1, ...inline });
    expect([...mask]).toEqual([0, 1, 1, 0, 1, 1, 0, 1, 1]);
  });
});

describe('blocks', () => {
  const layouts = [
    { rows: 1, planar: false },
    { rows: 4, planar: false, predictor: 2 as const },
    { rows: 5, planar: true },
    { rows: 53, planar: false },
  ];
  it.each(layouts)('in strips (%o) give the same chips, each decoded once', async (layout) => {
    const striped = await stripedPlace(at('strips.tif'), place, layout);
    const random = seeded(11);
    const points = Array.from({ length: 200 }, () => [10 + random() * 0.061, 50 - random() * 0.053]);
    const [tiled, chips] = await Promise.all(
      [place.path, striped.path].map((raster) => extractChips(raster, points, { size: 4, ...inline })),
    );
    for (const [i, point] of points.entries()) expect(chipOf(chips!, i)).toEqual(naiveChip(place, point, 4));
    expect(chips!.data).toEqual(tiled!.data);
    expect(chips!.mask).toEqual(tiled!.mask);
    const { blocksTouched, blocksDecoded } = chips!.report;
    expect(blocksDecoded).toBe(blocksTouched);
    expect(blocksTouched).toBe(Math.ceil(53 / layout.rows) * (layout.planar ? 6 : 1));
    expect(tiled!.report).toMatchObject({ blocksTouched: 16, blocksDecoded: 16 });
  });

  it('are cut by any number of threads with one result', async () => {
    const random = seeded(3);
    const points = Array.from({ length: 300 }, () => [9.99 + random() * 0.08, 50.01 - random() * 0.07]);
    const all = await Promise.all([0, 1, 2].map((threads) => extractChips(place.path, points, { size: 5, threads })));
    for (const other of all.slice(1)) {
      expect(new Uint32Array(other.data)).toEqual(new Uint32Array(all[0]!.data));
      expect(other.mask.every((m, i) => m === all[0]!.mask[i])).toBe(true);
      expect(other.labels).toEqual(all[0]!.labels);
      expect(other.report).toEqual(all[0]!.report);
    }
    expect(all[0]!.report.outside).toBeGreaterThan(0);
  });

  it('need no shared memory', async () => {
    const shared = globalThis.SharedArrayBuffer;
    const points = [0, 1, 2, 3].map((i) => middleOf(place, 8 + 13 * i, 20));
    const expected = await extractChips(place.path, points, { size: 6, ...inline });
    try {
      Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
      const chips = await extractChips(place.path, points, { size: 6, threads: 2 });
      expect(chips.data).toEqual(expected.data);
      expect(chips.mask).toEqual(expected.mask);
    } finally {
      globalThis.SharedArrayBuffer = shared;
    }
  });

  it('of a raster of many bands are decoded once for a thousand points', async () => {
    const many = await tiledPlace(at('many.tif'), {
      width: 96,
      height: 130,
      nBand: 222,
      tileSize: 32,
      value: (b, r, c) => b * 1000 + ((r * 31 + c * 17) % 997),
    });
    const random = seeded(21);
    const points = Array.from({ length: 1000 }, () => [10 + random() * 0.096, 50 - random() * 0.13]);
    const options = { size: 2, bandsPerYear: 6, firstYear: 1984 };
    const chips = await extractChips(many.path, points, { ...options, threads: 2 });
    expect(chips.shape).toEqual([1000, 37, 6, 5, 5]);
    expect(chips.times.at(-1)!.label).toBe('2020');
    expect(chips.report.blocksTouched).toBe(15);
    expect(chips.report.blocksDecoded).toBe(15);
    for (let i = 0; i < 1000; i += 97) expect(chipOf(chips, i)).toEqual(naiveChip(many, points[i]!, 2));
    const chipBytes = 222 * 25 * 5;
    const work = 2 * 32 * 32 * 222 * 4 + PROCESS_BYTES + THREAD_BYTES;
    const limit = { memoryLimitBytes: 190 * chipBytes + work };
    let next = 0;
    const passes = new Set<object>();
    for await (const batch of chipBatches(many.path, points, { ...options, threads: 0, batchSize: 30, ...limit })) {
      passes.add(batch.report);
      expect(batch.data.buffer.byteLength).toBe(batch.data.byteLength);
      const [count] = batch.shape;
      expect(batch.labels.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, i) => next + i));
      const length = batch.data.length / count;
      const same = batch.data.every((value, i) => value === chips.data[next * length + i]);
      expect(same).toBe(true);
      next += count;
    }
    expect(next).toBe(1000);
    expect(passes.size).toBe(Math.ceil(1000 / 90));
    const seen: number[] = [];
    let decoded = 0;
    let report: object | null = null;
    for await (const batch of chipBatches(many.path, points, {
      ...options,
      threads: 0,
      order: 'place',
      reuse: true,
      ...limit,
    })) {
      if (batch.report !== report) decoded += batch.report.blocksDecoded;
      report = batch.report;
      const length = batch.data.length / batch.shape[0];
      for (const [i, { index }] of batch.labels.entries()) {
        seen.push(index);
        if (index % 50 === 0) {
          const own = [...batch.data.subarray(i * length, (i + 1) * length)];
          expect(own).toEqual([...chips.data.subarray(index * length, (index + 1) * length)]);
        }
      }
    }
    expect(seen.sort((p, q) => p - q)).toEqual(points.map((_, i) => i));
    // Sixteen passes over five rows of blocks: far from decoding all of them sixteen times.
    expect(decoded).toBeLessThan(6 * 15);
    const tooMuch = extractChips(many.path, points, { ...options, threads: 0, ...limit });
    await expect(tooMuch).rejects.toThrow(/chipBatches/);
  });
});

describe('what chips refuse', () => {
  const cut = (options: object, points: object | string = [[10.01, 49.99]], rasters: string | string[] = place.path) =>
    extractChips(rasters, points, { size: 1, ...inline, ...options });
  it.each([
    [{ size: -1 }, /size is a whole number from 0/],
    [{ size: 1.5 }, /size is a whole number/],
    [{ anchor: 'middle' }, /anchor is one of centre, topleft/],
    [{ overlap: 'best' }, /overlap is one of/],
    [{ threads: -1 }, /threads is a whole number/],
    [{ bands: ['b9'] }, /there is no band "b9".*b1, b2/],
    [{ bands: [] }, /at least one band/],
    [{ bandsPerYear: 2, dates: ['2001'] }, /1 dates are given for 3/],
    [{ firstYear: 1984, dates: ['2001'] }, /either/],
    [{ datetime: '2020' }, /an interval chooses scenes/],
    [{ fill: 2 ** 40 }, /fill .* is not a value of i32/],
    [{ memoryLimitBytes: 1000 }, /one chip of .* more than the memory limit/],
  ])('%o', async (options, message) => {
    const attempt = cut(options);
    await expect(attempt).rejects.toThrow(InputError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('rasters that are not there, or of no place', async () => {
    await expect(cut({}, undefined, at('none.tif'))).rejects.toThrow(/no such file/);
    await expect(cut({}, undefined, at('none-*.tif'))).rejects.toThrow(/no file matches/);
    await expect(cut({}, undefined, [])).rejects.toThrow(/no rasters/);
    await expect(cut({}, undefined, at('empty/'))).rejects.toThrow(/cannot list/);
  });

  it('rasters of other bands or another type', async () => {
    const other = await tiledPlace(at('other.tif'), { width: 9, height: 9, nBand: 2 });
    await expect(cut({}, undefined, [place.path, other.path])).rejects.toThrow(/has 2 bands, and .* has 6/);
    const typed = await tiledPlace(at('typed.tif'), { width: 30, height: 30, nBand: 6, type: Uint8Array });
    await expect(cut({}, undefined, [place.path, typed.path])).rejects.toThrow(/holds u8, and .* i32/);
  });

  it('64-bit integers, by name', async () => {
    const { buildTiff } = await import('../../io/tiff-builder.js');
    const { writeFile } = await import('node:fs/promises');
    const tags: [number, number, number[]][] = [
      [33550, 12, [1, 1, 0]],
      [33922, 12, [0, 0, 0, 0, 10, 0]],
      [34735, 3, [1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326]],
    ];
    await writeFile(
      at('wide.tif'),
      buildTiff({ width: 2, height: 2, bands: [[1, 2, 3, 4]], bits: 64, format: 2, tags }),
    );
    const attempt = extractChips(at('wide.tif'), [[1, 9]], { size: 0, ...inline });
    await expect(attempt).rejects.toThrow(UnsupportedError);
    await expect(attempt).rejects.toThrow(/64-bit integers \(i64\)/);
  });

  it('rasters without a georeference', async () => {
    const { buildTiff } = await import('../../io/tiff-builder.js');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(at('nowhere.tif'), buildTiff({ width: 2, height: 2, bands: [[1, 2, 3, 4]] }));
    await expect(cut({}, undefined, at('nowhere.tif'))).rejects.toThrow(/no georeference/);
    const tags: [number, number, number[]][] = [
      [33550, 12, [1, 1, 0]],
      [33922, 12, [0, 0, 0, 0, 10, 0]],
    ];
    await writeFile(at('vague.tif'), buildTiff({ width: 2, height: 2, bands: [[1, 2, 3, 4]], tags }));
    await expect(cut({}, undefined, at('vague.tif'))).rejects.toThrow(/vague.tif is in an unknown CRS/);
  });

  it('a run that was stopped', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(cut({ signal: stop.signal })).rejects.toThrow('enough');
    const later = new AbortController();
    const points = Array.from({ length: 200 }, (_, i) => middleOf(place, i % 60, i % 50));
    const running = extractChips(place.path, points, {
      size: 2,
      threads: 2,
      signal: later.signal,
      onProgress: () => later.abort(new Error('stopped')),
    });
    await expect(running).rejects.toThrow('stopped');
  });
});

describe('the dictionary', () => {
  it('has each coordinate once, and says which came twice', async () => {
    const [p, q] = [middleOf(place, 10, 10), middleOf(place, 20, 20)];
    const chips = await extractChips(place.path, [p, q, p, [0, 0]], { size: 1, bandsPerYear: 2, ...inline });
    const { shape, chips: found, duplicates } = chipDictionary(chips);
    expect(shape).toEqual([2, 3, 3]);
    expect([...found.keys()]).toEqual([`${p[0]},${p[1]}`, `${q[0]},${q[1]}`, '0,0']);
    expect(duplicates).toEqual(new Map([[`${p[0]},${p[1]}`, 2]]));
    const years = found.get(`${q[0]},${q[1]}`)!;
    expect(years.map((year) => year.length)).toEqual([18, 18, 18]);
    expect(years[2]![4]).toBe(told(4, 20, 20));
  });
});

describe('a raster of floats with an odd grid', () => {
  it('that is south up or rotated has its pixels found', async () => {
    const crs = { epsg: 32631, definition: null, geoKeys: null };
    const data = [Float32Array.from({ length: 12 * 10 }, (_, i) => i)];
    for (const affine of [
      [10, 0, 5e5, 0, 10, 5e6],
      [6, 8, 5e5, 8, -6, 5e6],
    ] as const) {
      const grid = { crs, affine, width: 12, height: 10 };
      await writeCog(at('odd.tif'), { grid, names: ['v'], data, nodata: null }, { overwrite: true, tileSize: 16 });
      const [col, row] = [7.3, 4.8];
      const point = [affine[0] * col + affine[1] * row + affine[2], affine[3] * col + affine[4] * row + affine[5]];
      const chips = await extractChips(at('odd.tif'), [point], { size: 1, pointsCrs: 'EPSG:32631', ...inline });
      expect(chipOf(chips, 0)[4]).toBe(4 * 12 + 7);
      expect(chipOf(chips, 0)[0]).toBe(3 * 12 + 6);
    }
  });
});
