import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeFor } from '../../../build/io/stores.js';
import { productStem } from '../../../build/jobs/product-name.js';
import {
  CHIP_GRIDS,
  type ChipResult,
  fromOrdinal,
  InputError,
  memoryResults,
  type ProductOptions,
  predict,
  productsToFolder,
  type ResultStore,
  toOrdinal,
} from '../../../build/node.js';
import { pixelOf } from '../../../build/stats/change.js';
import { segmentAt } from '../../../build/stats/change-predict.js';
import { readPlanes } from '../../fixture/planes.js';
import { md5, NAMED, SMALL_GRID, someChanges } from '../../fixture/results.js';
import { startS3, useS3 } from '../../fixture/s3-server.js';
import { hasSchemas, schemaErrors } from '../../fixture/stac-schemas.js';
import { changeProductsOf, type Model } from '../../reference/change-products.js';

const GRID = { ...SMALL_GRID, chipPx: 20 };
const PX = GRID.chipPx;
const FAILED = [0, 7, 399];
const BANDS = ['band0', 'band2'];
const ALL = ['SCTIME', 'SCLAST', 'SCMAG', 'SCSTAB', 'SCMQA', 'SCCOUNT', 'SYNTHETIC'];
const DAY = '1989-07-01';
/** Of the six chips that are asked for. */
const THERE = [
  [1, 0],
  [0, 1],
  [2, 1],
];

/** A chip whose segments follow each other. */
function chipAt(h: number, v: number): ChipResult {
  const seed = 3 + h + 10 * v;
  const changes = someChanges(PX * PX, { seed, failed: h === 2 ? FAILED : [] });
  const { segments: s } = changes;
  for (let px = 0; px < PX * PX; px++) {
    let day = toOrdinal('1981-01-01') + ((px * 37) % 1000);
    for (let i = s.offsets[px]!; i < s.offsets[px + 1]!; i++) {
      s.startDay[i] = day;
      s.endDay[i] = day + 400 + ((i * 131) % 1500);
      s.breakDay[i] = s.endDay[i]! + (s.changeProbability[i] === 1 ? 16 : 0);
      day = s.breakDay[i]! + 8;
    }
  }
  // Values of about the size of reflectances, some of them beyond 16 bits.
  for (let i = 0; i < s.intercept.length; i++) s.intercept[i] = s.intercept[i]! / (i % 9 === 0 ? 1 : 20);
  for (let i = 0; i < s.coefficients.length; i++) s.coefficients[i] = i % 7 === 0 ? 0 : s.coefficients[i]! / 100;
  return { h, v, changes, inputsMd5: md5(`${seed}`), producedMs: seed };
}

let folder = '';
let store: ResultStore;
const at = (name: string) => path.join(folder, name);
const run = (out: string, options: Partial<ProductOptions> = {}) =>
  productsToFolder(store, at(out), { dates: [DAY], products: ALL, magnitudeBands: BANDS, ...options });
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-products-'));
  store = memoryResults(GRID);
  for (const [h, v] of THERE) await store.write(chipAt(h!, v!));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const STEM = 'CCDC_small_chips-h0v0-h2v1_1989_19890701_V01';
const SIZE = { width: 3 * PX, height: 2 * PX };

/** The chip and pixel of it at a place of the area, null where no chip has run. */
async function pixelAt(i: number) {
  const [row, col] = [Math.floor(i / SIZE.width), i % SIZE.width];
  const [h, v] = [Math.floor(col / PX), Math.floor(row / PX)];
  const chip = await store.chip(NAMED, { h, v });
  return chip && { changes: chip.changes, px: (row % PX) * PX + (col % PX) };
}

function modelsOf({ segments: s }: ChipResult['changes'], px: number): Model[] {
  return Array.from({ length: s.offsets[px + 1]! - s.offsets[px]! }, (_, k) => {
    const i = s.offsets[px]! + k;
    return {
      start: s.startDay[i]!,
      end: s.endDay[i]!,
      at: s.breakDay[i]!,
      probability: s.changeProbability[i]!,
      curveQa: s.curveQa[i]!,
      magnitudes: [s.magnitude[3 * i]!, s.magnitude[3 * i + 2]!],
    };
  });
}

describe('change products of a store', () => {
  it('have the values of each pixel, and nodata where nothing ran or a pixel failed', async () => {
    const progress: number[] = [];
    const onProgress = (done: number, total: number) => progress.push(done / total);
    const summary = await run('all', { onProgress });
    expect(summary.grid).toEqual(SIZE);
    expect(summary.chips).toEqual({ complete: 2, incomplete: 1, missing: 3 });
    expect(progress).toEqual([0, 1 / 3, 2 / 3, 1]);
    expect(summary.files.map((file) => path.basename(file))).toEqual([
      ...ALL.map((name) => `${STEM}_${name}.tif`),
      `${STEM}.json`,
    ]);
    expect((await readdir(at('all'))).sort()).toEqual(summary.files.map((file) => path.basename(file)).sort());
    const day = toOrdinal(DAY);
    const found = await Promise.all(ALL.map((name) => readPlanes(at(`all/${STEM}_${name}.tif`))));
    expect(found.map(({ header: { bands } }) => [bands[0]!.dtype, bands[0]!.nodata])).toEqual([
      ['u16', 65_535],
      ['u16', 65_535],
      ['f32', Number.NaN],
      ['u16', 65_535],
      ['u8', 255],
      ['u8', 255],
      ['i16', -9999],
    ]);
    for (const { header } of found)
      expect(header.grid).toMatchObject({ ...SIZE, affine: [10, 0, -1000, 0, -10, 5000] });
    let changed = 0;
    for (let i = 0; i < SIZE.width * SIZE.height; i++) {
      const pixel = await pixelAt(i);
      const got = found.map(({ planes }) => planes.map((plane) => plane[i]!));
      if (!pixel || pixel.changes.failures.has(pixel.px)) {
        expect(got).toEqual([[65_535], [65_535], [Number.NaN], [65_535], [255], [255], [-9999, -9999, -9999]]);
        continue;
      }
      const wanted = changeProductsOf(modelsOf(pixel.changes, pixel.px), day);
      changed += wanted.timeOfChange > 0 ? 1 : 0;
      expect(got.slice(0, 6).map(([value]) => value)).toEqual([
        wanted.timeOfChange,
        wanted.timeSinceChange,
        Math.fround(wanted.changeMagnitude),
        wanted.spectralStability,
        wanted.modelQuality,
        wanted.changeCount,
      ]);
      const one = pixelOf(pixel.changes, pixel.px).segments;
      const values = predict(one, day);
      const isEmpty = segmentAt(one, 0, day) < 0;
      expect(got[6]).toEqual(
        Array.from(values, (v) => (isEmpty ? -9999 : Math.min(32_767, Math.max(-32_768, Math.round(v))))),
      );
    }
    expect(changed).toBeGreaterThan(20);
  });

  it('are the same for dates together, one by one, and in passes that the memory limit makes', async () => {
    const dates = ['1989-07-01', '1985-07-01', '1983-12-31'];
    const asked: string[] = [];
    const counting = { ...Object.create(store), grid: store.grid } as ResultStore;
    counting.summaries = (...all) => store.summaries(...all);
    counting.chip = (name, cell) => {
      asked.push(`${cell.h} ${cell.v}`);
      return store.chip(name, cell);
    };
    const options = { dates, magnitudeBands: BANDS, products: ['sctime', ' SCMAG'] };
    const together = await productsToFolder(counting, at('together'), options);
    expect(together.files).toHaveLength(9);
    expect(asked).toHaveLength(3);
    // Of a date two rows of a tile of 60 × 60 px and 6 bytes wait, at the most.
    const tight = { ...options, memoryLimitBytes: 200 * 2 ** 20 + 7 * 2 ** 20 };
    await productsToFolder(counting, at('tight'), tight);
    expect(asked).toHaveLength(6 + 3 * 1);
    const few = productsToFolder(store, at('few'), { ...options, memoryLimitBytes: 2 ** 20 });
    await expect(few).rejects.toThrow(/^these products of one date need .* MiB, and 1.00 MiB are allowed$/);
    for (const file of together.files.map((name) => path.basename(name))) {
      const [a, b] = await Promise.all([readFile(at(`together/${file}`)), readFile(at(`tight/${file}`))]);
      expect(a.equals(b), file).toBe(true);
    }
    const single = await run('single', { dates: [dates[1]!], products: ['SCMAG'] });
    const own = path.basename(single.files[0]!);
    expect((await readFile(single.files[0]!)).equals(await readFile(at(`together/${own}`)))).toBe(true);
  });

  it('come with an item that says where and what they are', async () => {
    const item = JSON.parse(await readFile(at(`all/${STEM}.json`), 'utf8'));
    expect(item).toMatchObject({
      id: STEM,
      properties: {
        datetime: '1989-07-01T00:00:00Z',
        'proj:code': 'EPSG:32610',
        'proj:shape': [SIZE.height, SIZE.width],
        'processing:lineage': `${ALL.join(', ')} of 1989-07-01 from segments of ${NAMED}`,
        'processing:expression': { expression: { chips: { complete: 2, incomplete: 1, missing: 3 } } },
      },
      links: [],
    });
    expect(Object.keys(item.assets)).toEqual(ALL);
    expect(item.assets.SCTIME).toMatchObject({ href: `./${STEM}_SCTIME.tif`, data_type: 'uint16', nodata: 65_535 });
    expect(item.assets.SYNTHETIC.bands.map(({ name }: { name: string }) => name)).toEqual(['band0', 'band1', 'band2']);
    expect(item.assets.SCMAG.bands).toMatchObject([{ name: 'change_magnitude' }]);
  });

  it.skipIf(!hasSchemas)('come with an item by the STAC schemas (skipped without their files)', async () => {
    expect(schemaErrors(JSON.parse(await readFile(at(`all/${STEM}.json`), 'utf8')))).toEqual([]);
  });

  it('take one chip, a tile, a box, or a list', async () => {
    const products = ['SCTIME'];
    const one = await run('one', { chip: [2, 1], products });
    expect(one.grid).toEqual({ width: PX, height: PX });
    expect(path.basename(one.files[0]!)).toBe('CCDC_small_chip-h2v1_1989_19890701_V01_SCTIME.tif');
    const tile = await run('tile', { tile: [0, 0], products });
    expect([tile.grid, tile.chips.missing]).toEqual([{ width: 3 * PX, height: 3 * PX }, 6]);
    expect(path.basename(tile.files[0]!)).toBe('CCDC_small_tile-h0v0_1989_19890701_V01_SCTIME.tif');
    const bbox = [-1000 + 10 * PX + 5, 5000 - 10, -1000 + 20 * PX - 5, 5000 - 5];
    const box = await run('box', { bbox, bboxCrs: 'EPSG:32610', products });
    expect(path.basename(box.files[0]!)).toContain('chip-h1v0');
    const list = {
      chips: [
        [1, 0],
        [0, 1],
      ],
      products,
    }; // prettier-ignore
    const listed = await run('list', list);
    expect(listed.chips).toEqual({ complete: 2, incomplete: 0, missing: 0 });
    expect(listed.grid).toEqual({ width: 2 * PX, height: 2 * PX });
    await expect(run('none', { tile: [5, 5] })).rejects.toThrow(
      /^nothing of chips 15, 15 to 17, 17 of the grid small has run by lcmap-pyccd/,
    );
    await expect(run('none', { tile: [0, 0], chip: [0, 0] })).rejects.toThrow(/give one area/);
    await expect(run('none', { algorithm: 'other' })).rejects.toThrow('nothing of the store has run by other');
    await expect(readdir(at('none'))).rejects.toThrow('ENOENT');
  });

  it('refuse what is no product, date or band, and files that are there', async () => {
    for (const [options, message] of [
      [{ products: ['SCTIM'] }, /there is no product "SCTIM".*SCTIME/],
      [{ products: [] }, /no product is asked for/],
      [{ dates: [] }, /a date like 2014-07-01 is wanted/],
      [{ dates: ['2014-02-30'] }, /not a date/],
      [{ magnitudeBands: undefined }, /no band "green" for magnitudes among band0, band1, band2/],
      [{ chip: [1] }, /column and row of a chip/],
    ] as const) {
      const refused = run('refused', options as Partial<ProductOptions>);
      await expect(refused).rejects.toThrow(InputError);
      await expect(run('refused', options as Partial<ProductOptions>)).rejects.toThrow(message);
    }
    // What began to be written is gone.
    expect(await readdir(at('refused'))).toEqual([]);
    await expect(run('all')).rejects.toThrow(/_SCTIME\.tif exists already: give --overwrite/);
    const before = await readFile(at(`all/${STEM}.json`), 'utf8');
    await run('all', { overwrite: true });
    expect(await readFile(at(`all/${STEM}.json`), 'utf8')).toBe(before);
  });

  it('leave nothing half-written when they are stopped', async () => {
    const stop = new AbortController();
    const onProgress = (done: number) => done > 0 && stop.abort(new Error('enough'));
    const warned: Error[] = [];
    const onWarning = (warning: Error) => warned.push(warning);
    process.on('warning', onWarning);
    const dates = Array.from({ length: 6 }, (_, i) => fromOrdinal(toOrdinal(DAY) + i));
    await expect(run('stopped', { dates, signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(await readdir(at('stopped'))).toEqual([]);
    process.off('warning', onWarning);
    expect(warned).toEqual([]);
  });

  it('go into a bucket', async () => {
    const server = await startS3('maps');
    const undo = useS3(server);
    try {
      const options = { dates: [DAY], products: ['SCMAG', 'SYNTHETIC'], magnitudeBands: BANDS };
      const { files } = await productsToFolder(store, 's3://maps/1989', options);
      expect(files).toHaveLength(3);
      for (const file of files) {
        const { bytes } = await storeFor(file).stat(file);
        const object = await storeFor(file).read(file, { offset: 0, length: bytes! });
        const same = await readFile(at(`all/${path.basename(file)}`));
        if (file.endsWith('.tif')) expect(Buffer.from(object).equals(same)).toBe(true);
      }
    } finally {
      undo();
      await server.stop();
    }
  });
});

describe('names of products', () => {
  const tile = (h: number, v: number) => ({ hMin: 50 * h, vMin: 50 * v, hMax: 50 * h + 49, vMax: 50 * v + 49 });
  it("are LCMAP's for the tiles of its grids, and say what they are of elsewhere", () => {
    const day = '2014-07-01';
    expect(productStem(CHIP_GRIDS.conus, tile(3, 9), day)).toBe('LCMAP_CU_003009_2014_20140701_V01');
    expect(productStem(CHIP_GRIDS.alaska, tile(12, 0), day)).toBe('LCMAP_AK_012000_2014_20140701_V01');
    expect(productStem(CHIP_GRIDS.hawaii, tile(0, 1), '1985-01-02')).toBe('LCMAP_HI_000001_1985_19850102_V01');
    expect(productStem(CHIP_GRIDS.conus, tile(-1, 9), day)).toBe('CCDC_CU_tile-h-1v9_2014_20140701_V01');
    const chip = { hMin: 157, vMin: 454, hMax: 157, vMax: 454 };
    expect(productStem(CHIP_GRIDS.conus, chip, day)).toBe('CCDC_CU_chip-h157v454_2014_20140701_V01');
    const own = { ...CHIP_GRIDS.conus, originX: 0 };
    expect(productStem(own, tile(3, 9), day)).toBe('CCDC_conus_tile-h3v9_2014_20140701_V01');
    const odd = { ...own, name: '../etc/x y' };
    expect(productStem(odd, { ...chip, hMax: 158 }, day)).toBe(
      'CCDC_-etc-x-y_chips-h157v454-h158v454_2014_20140701_V01',
    );
  });
});

const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import osgeo.gdal, osgeo_utils.samples']).status === 0,
);
describe.skipIf(!PYTHON)('change products before GDAL (skipped where Python has no GDAL)', () => {
  it('are valid COGs with names, types and nodata', () => {
    const files = ALL.map((name) => at(`all/${STEM}_${name}.tif`));
    const script = path.resolve('test/io/gdal.py');
    const facts = JSON.parse(execFileSync(PYTHON!, [script, ...files], { encoding: 'utf8' }));
    const types = ['UInt16', 'UInt16', 'Float32', 'UInt16', 'Byte', 'Byte', 'Int16'];
    const names = ['time_of_change', 'time_since_change', 'change_magnitude', 'spectral_stability', 'model_quality'];
    for (const [i, file] of files.entries()) {
      const { warnings, errors, transform, authority, bands, metadata, structure } = facts[file];
      expect([warnings, errors]).toEqual([[], []]);
      expect(transform).toEqual([-1000, 10, 0, 5000, 0, -10]);
      expect([authority, structure.LAYOUT]).toEqual(['32610', 'COG']);
      expect(metadata).toMatchObject({ DATE: DAY, ALGORITHM: NAMED });
      expect(bands[0].type).toBe(types[i]);
      if (i < names.length) expect(bands[0].description).toBe(names[i]);
    }
    expect(facts[files[6]!].bands.map((band: { description: string }) => band.description)).toEqual([
      'band0',
      'band1',
      'band2',
    ]);
  });
});
