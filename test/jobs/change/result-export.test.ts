import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeFor } from '../../../build/io/stores.js';
import { writeChipJson } from '../../../build/jobs/change/result-export.js';
import {
  type ChipResult,
  chipJson,
  type ExportOptions,
  exportResults,
  fromOrdinal,
  InputError,
  memoryResults,
  type ResultStore,
} from '../../../build/node.js';
import { NAMED, SMALL_GRID, someChip } from '../../fixture/results.js';
import { startS3, useS3 } from '../../fixture/s3-server.js';

const FAILED = [2, 15];
let folder = '';
let store: ResultStore;
let chip: ChipResult;
const at = (name: string) => path.join(folder, name);
const run = (out: string, options: Partial<ExportOptions> = {}) =>
  exportResults(store, at(out), { format: 'parquet', ...options });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-export-'));
  store = memoryResults(SMALL_GRID);
  chip = someChip(1, 0, { seed: 6, failed: FAILED });
  const { segments, cloudProbability } = chip.changes;
  // What a table must keep apart: missing, infinite, negative zero, and the least and largest numbers.
  segments.rmse.set([Number.NaN, Infinity, -0, Number.MIN_VALUE, Number.MAX_VALUE]);
  cloudProbability[1] = Number.NaN;
  await store.write(chip);
  const empty = someChip(0, 2, { failed: Array.from({ length: 16 }, (_, px) => px) });
  await store.write(empty);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NAME = 'chip_-960_5000';
const EMPTY = 'chip_-1000_4920';
type Row = Record<string, unknown>;
const rowsOf = async (file: string): Promise<Row[]> => {
  const buffer = await asyncBufferFromFile(file);
  return (await parquetReadObjects({ file: buffer, utf8: false })) as Row[];
};
const orNull = (value: number) => (Number.isNaN(value) ? null : value);
const COEFFICIENTS = ['slope', 'cos1', 'sin1', 'cos2', 'sin2', 'cos3', 'sin3'];

/** The corner of a pixel of the chip. */
const cornerOf = (px: number) => ({ px: -960 + 10 * (px % 4), py: 5000 - 10 * Math.floor(px / 4) });
const PLACE = { cx: -960, cy: 5000, chip_h: 1, chip_v: 0 };

describe('results as Parquet', () => {
  it('have a row a segment with every number as it is', async () => {
    const summary = await run('tables');
    expect(summary.chips).toEqual({ exported: 2, missing: 4 });
    const names = [NAME, EMPTY].flatMap((name) => ['segments', 'pixels', 'chips'].map((t) => `${t}/${name}.parquet`));
    expect(summary.files.map((file) => path.relative(at('tables'), file))).toEqual(names);
    const rows = await rowsOf(at(`tables/segments/${NAME}.parquet`));
    const { segments: s } = chip.changes;
    expect(rows).toHaveLength(s.startDay.length);
    for (let px = 0; px < 16; px++) {
      for (let i = s.offsets[px]!; i < s.offsets[px + 1]!; i++) {
        const date = (day: number) => new Date(`${fromOrdinal(day)}T00:00:00Z`);
        const wanted: Row = {
          ...PLACE,
          ...cornerOf(px),
          start_day: s.startDay[i],
          start_date: date(s.startDay[i]!),
          end_day: s.endDay[i],
          end_date: date(s.endDay[i]!),
          break_day: s.breakDay[i],
          break_date: date(s.breakDay[i]!),
          observation_count: s.observationCount[i],
          change_probability: s.changeProbability[i],
          curve_qa: s.curveQa[i],
        };
        for (const [b, band] of s.bandNames.entries()) {
          const k = i * 3 + b;
          wanted[`${band}_magnitude`] = s.magnitude[k];
          wanted[`${band}_rmse`] = orNull(s.rmse[k]!);
          wanted[`${band}_intercept`] = s.intercept[k];
          for (const [j, name] of COEFFICIENTS.entries()) wanted[`${band}_${name}`] = s.coefficients[7 * k + j];
        }
        expect(rows[i]).toEqual(wanted);
      }
    }
  });

  it('have a row a pixel that ran, and say of each whether it failed or has no segments', async () => {
    const rows = await rowsOf(at(`tables/pixels/${NAME}.parquet`));
    const { changes } = chip;
    expect(rows).toHaveLength(16);
    for (const [px, row] of rows.entries()) {
      const failure = changes.failures.get(px);
      const mask = changes.processingMask.subarray(19 * px, 19 * px + 19);
      const bytes = [0, 8, 16].map((from) =>
        Array.from(mask.subarray(from, from + 8)).reduce((sum, used, i) => sum + used * 2 ** i, 0),
      );
      expect(row).toEqual({
        ...PLACE,
        ...cornerOf(px),
        segment_count: failure === undefined ? changes.segments.offsets[px + 1]! - changes.segments.offsets[px]! : null,
        failure: failure ?? null,
        cloud_probability: orNull(changes.cloudProbability[px]!),
        snow_probability: orNull(changes.snowProbability[px]!),
        water_probability: orNull(changes.waterProbability[px]!),
        mask: failure === undefined ? Uint8Array.from(bytes) : null,
      });
    }
    expect(rows.some((row) => row.segment_count === 0)).toBe(true);
  });

  it('have a row a chip with its dates', async () => {
    const [row, ...others] = await rowsOf(at(`tables/chips/${NAME}.parquet`));
    expect(others).toEqual([]);
    expect(row).toMatchObject({ ...PLACE, chip_px: 4, pixel_size: 10, avg_days_yr: 365.2425, failed: 2 });
    expect([row!.grid, row!.crs, row!.algorithm, row!.inputs_md5]).toEqual([
      'small',
      'EPSG:32610',
      NAMED,
      chip.inputsMd5,
    ]);
    expect(row!.produced).toEqual(new Date(chip.producedMs));
    expect((row!.dates as Date[]).map((date) => date.toISOString().slice(0, 10))).toEqual(
      Array.from(chip.changes.dates, fromOrdinal),
    );
  });

  it('have their schema also without rows, and one row group of 64-bit numbers', async () => {
    expect(await rowsOf(at(`tables/segments/${EMPTY}.parquet`))).toEqual([]);
    const metadata = async (name: string) =>
      parquetMetadataAsync(await asyncBufferFromFile(at(`tables/segments/${name}.parquet`)));
    const [full, empty] = [await metadata(NAME), await metadata(EMPTY)];
    expect(empty.schema).toEqual(full.schema);
    expect([full.row_groups.length, full.num_rows]).toEqual([1, BigInt(chip.changes.segments.startDay.length)]);
    const typeOf = Object.fromEntries(full.schema.map(({ name, type, converted_type: as }) => [name, [type, as]]));
    expect(typeOf).toMatchObject({
      px: ['DOUBLE', undefined],
      start_day: ['INT32', undefined],
      start_date: ['INT32', 'DATE'],
      band1_rmse: ['DOUBLE', undefined],
    });
    expect(full.key_value_metadata).toContainEqual({ key: 'algorithm', value: NAMED });
  });

  const PYTHON = [process.env.STACKWISE_PARQUET_PYTHON, 'python3'].find(
    (python) => python && spawnSync(python, ['-c', 'import pyarrow.parquet']).status === 0,
  );
  it.skipIf(!PYTHON)('are read alike by Arrow (skipped where no Python has pyarrow)', async () => {
    const code = `
import json, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
text = lambda v: v.hex() if isinstance(v, float) else str(v)
print(json.dumps([{k: None if v is None else text(v) for k, v in row.items()} for row in table.to_pylist()]))
pq.read_table(sys.argv[2]); pq.read_table(sys.argv[3])`;
    const args = ['segments', 'pixels', 'chips'].map((table) => at(`tables/${table}/${NAME}.parquet`));
    const rows = JSON.parse(execFileSync(PYTHON!, ['-c', code, ...args], { encoding: 'utf8' })) as Row[];
    const wanted = await rowsOf(args[0]!);
    expect(rows).toHaveLength(wanted.length);
    const hex = (value: string) => execFileSync(PYTHON!, ['-c', `print(float.fromhex('${value}').__repr__())`]);
    for (const name of ['band0_rmse', 'band2_cos3', 'py']) {
      const values = rows.slice(0, 5).map((row) => (row[name] === null ? null : String(hex(String(row[name]))).trim()));
      const numbers = values.map((value) => (value === null ? null : Number(value.replace('inf', 'Infinity'))));
      expect(numbers).toEqual(wanted.slice(0, 5).map((row) => row[name]));
    }
    expect(rows.map((row) => row.start_date)).toEqual(
      wanted.map((row) => (row.start_date as Date).toISOString().slice(0, 10)),
    );
  });
});

describe('results as JSON files', () => {
  it('are the rows of each chip, compressed or not', async () => {
    const { files } = await run('json', { format: 'json', chip: [1, 0] });
    expect(files).toEqual([at(`json/${NAME}.json`)]);
    const text = [...chipJson(store, chip)].join('');
    expect(await readFile(files[0]!, 'utf8')).toBe(text);
    const packed = await run('json', { format: 'json', gzip: true });
    expect(packed.files).toEqual([at(`json/${NAME}.json.gz`), at(`json/${EMPTY}.json.gz`)]);
    expect(gunzipSync(await readFile(packed.files[0]!)).toString()).toBe(text);
  });

  it.each([false, true])('end with what is wrong with a row, and leave nothing (gzip: %s)', async (gzip) => {
    const wrong = { ...chip, producedMs: Number.NaN };
    const path = at(`json/wrong-${gzip}`);
    const writing = writeChipJson(path, { grid: SMALL_GRID, chip: wrong }, { gzip, overwrite: false });
    await expect(writing).rejects.toThrow(/Invalid time value/);
    expect((await readdir(at('json'))).filter((name) => name.includes('wrong'))).toEqual([]);
  });
});

describe('an export', () => {
  it('replaces nothing unasked, and refuses what it does not know', async () => {
    const refused = async (options: object, message: RegExp) => {
      const error = await run('tables', options).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(message);
    };
    await refused({}, /segments\/chip_-960_5000\.parquet exists already: give --overwrite/);
    await refused({ format: 'csv' }, /there is no format "csv": give json or parquet/);
    await refused({ gzip: true }, /only JSON is compressed/);
    await refused({ tile: [9, 9] }, /^nothing of chips 27, 27 to 29, 29 of the grid small has run/);
    expect((await run('tables', { overwrite: true })).chips.exported).toBe(2);
  });

  it('leaves whole files only when it is stopped', async () => {
    const stop = new AbortController();
    const onProgress = (done: number) => done > 0 && stop.abort(new Error('enough'));
    const stopped = run('stopped', { format: 'json', signal: stop.signal, onProgress });
    await expect(stopped).rejects.toThrow('enough');
    expect(await readdir(at('stopped'))).toEqual([`${NAME}.json`]);
    expect(JSON.parse(await readFile(at(`stopped/${NAME}.json`), 'utf8'))).toHaveLength(16);
  });

  it('goes into a bucket', async () => {
    const server = await startS3('results');
    const undo = useS3(server);
    try {
      const { files } = await exportResults(store, 's3://results/all', { format: 'parquet', chip: [1, 0] });
      const object = await storeFor(files[0]!).read(files[0]!, { offset: 0, length: 2 ** 20 });
      expect(Buffer.from(object).equals(await readFile(at(`tables/segments/${NAME}.parquet`)))).toBe(true);
      const json = await exportResults(store, 's3://results/all/', { format: 'json', gzip: true, chip: [1, 0] });
      expect(json.files).toEqual([`s3://results/all/${NAME}.json.gz`]);
      const packed = await storeFor(json.files[0]!).read(json.files[0]!, { offset: 0, length: 2 ** 20 });
      expect(JSON.parse(gunzipSync(packed).toString())).toHaveLength(16);
    } finally {
      undo();
      await server.stop();
    }
  });
});
