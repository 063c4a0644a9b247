import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLmdb } from '../../build/jobs/lmdb-file.js';
import { STORE_KEY } from '../../build/jobs/result-keys.js';
import {
  CHIP_GRIDS,
  chipJson,
  FormatError,
  InputError,
  memoryResults,
  openResults,
  StackwiseError,
  StoreError,
  toJSON,
} from '../../build/node.js';
import { pixelOf } from '../../build/stats/change.js';
import { md5, NAMED, SMALL_GRID, someChip } from '../fixture/results.js';
import { describeChangeRequests } from './change-requests-suite.js';
import { describeResultStore } from './result-store-suite.js';

let folder = '';
let count = 0;
const fresh = () => path.join(folder, `store${count++}`);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-results-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeResultStore('results in memory', async () => memoryResults(SMALL_GRID));
describeResultStore('results in a folder', () => openResults(fresh(), { grid: SMALL_GRID }));

describeChangeRequests('requests in memory', async () => memoryResults(SMALL_GRID));
describeChangeRequests('requests in a folder', () => openResults(fresh(), { grid: SMALL_GRID }));

/** The one line that opening fails with. */
async function refusal(store: string, options: Parameters<typeof openResults>[1] = {}): Promise<StackwiseError> {
  const error = await openResults(store, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(StackwiseError);
  expect((error as Error).message).not.toContain('\n');
  return error as StackwiseError;
}

describe('a store in a folder', () => {
  it('has the same results when it is opened again, and its grid', async () => {
    const at = fresh();
    const first = await openResults(at, { grid: SMALL_GRID });
    await first.write(someChip(1, 2, { failed: [4] }));
    await first.close();
    for (const readOnly of [false, true]) {
      const again = await openResults(at, { readOnly });
      expect(again.grid).toEqual(SMALL_GRID);
      expect(await again.chip(NAMED, { h: 1, v: 2 })).toEqual(someChip(1, 2, { failed: [4] }));
      await again.close();
    }
  });

  it('keeps requests when it is closed, and shows them to others', async () => {
    const at = fresh();
    const first = await openResults(at, { grid: SMALL_GRID });
    await first.requests.add(NAMED, [{ h: 1, v: 2 }], { atMs: 7, refresh: true });
    const reader = await openResults(at, { readOnly: true });
    await first.requests.add(NAMED, [{ h: 0, v: 0 }], { atMs: 8 });
    await first.close();
    expect(await reader.requests.next(9)).toMatchObject([
      { h: 1, v: 2, requestedMs: 7, refresh: true },
      { h: 0, v: 0, requestedMs: 8, refresh: false },
    ]);
    await expect(reader.requests.fail(NAMED, { h: 1, v: 2 }, 'no')).rejects.toThrow('open for reading only');
    await reader.close();
  });

  it('refuses another grid, and needs one when it is new', async () => {
    const at = fresh();
    expect((await refusal(at)).message).toBe(`${at} holds no results yet: say which grid they are on`);
    await (await openResults(at, { grid: SMALL_GRID })).close();
    const error = await refusal(at, { grid: CHIP_GRIDS.conus });
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(
      /is on the grid small \(pixels of 10 from -1000, 5000 in EPSG:32610\), not on conus \(/,
    );
    // The same CRS in other words is the same grid.
    await (
      await openResults(at, { grid: { ...SMALL_GRID, name: 'other', crs: '+proj=utm +zone=10 +datum=WGS84' } })
    ).close();
    expect((await refusal(at, { grid: { ...SMALL_GRID, chipPx: 0 } })).message).toContain('on the grid small');
    expect((await refusal(fresh(), { grid: { ...SMALL_GRID, chipPx: 0 } })).message).toContain('chips and tiles of 1');
  });

  it('is not written when it is open for reading only', async () => {
    const at = fresh();
    const writer = await openResults(at, { grid: SMALL_GRID });
    const reader = await openResults(at, { readOnly: true });
    await expect(reader.write(someChip(0, 0))).rejects.toThrow(/^the result store .* is open for reading only$/);
    await writer.close();
    await reader.close();
    expect(await refusal(fresh(), { readOnly: true })).toBeInstanceOf(StoreError);
  });

  it.skipIf(process.getuid?.() === 0)('says when the folder cannot be written', async () => {
    const at = fresh();
    mkdirSync(at, { mode: 0o500 });
    expect((await refusal(at, { grid: SMALL_GRID })).message).toBe(`the result store ${at} cannot be written (EACCES)`);
  });

  it('says when the path is no folder', async () => {
    const at = fresh();
    writeFileSync(at, 'x');
    const error = await refusal(at, { grid: SMALL_GRID });
    expect(error).toBeInstanceOf(StoreError);
    expect(error.message).toMatch(/cannot be written \(EEXIST\)$/);
  });

  it('refuses what is damaged or no store, without mapping it', async () => {
    const at = fresh();
    const store = await openResults(at, { grid: SMALL_GRID });
    for (let h = 0; h < 20; h++) await store.write(someChip(h, 0));
    await store.close();
    const file = path.join(at, 'results.mdb');
    const whole = readFileSync(file);
    truncateSync(file, whole.length >> 1);
    expect((await refusal(at)).message).toBe(
      `${file} is cut off: ${whole.length >> 1} of ${whole.length} bytes are there`,
    );
    for (const length of [1, 100, 4096, 5000]) {
      truncateSync(file, 0);
      writeFileSync(file, whole.subarray(0, length));
      expect(await refusal(at)).toBeInstanceOf(FormatError);
    }
    writeFileSync(file, Buffer.alloc(20_000, 65));
    expect((await refusal(at)).message).toBe(`${file} is no result store`);
    const other = Buffer.from(whole);
    other.writeUInt32LE(9, 28);
    writeFileSync(file, other);
    expect((await refusal(at)).message).toBe(`${file} is of version 9 of LMDB's format, and 2 is read here`);
    const huge = Buffer.from(whole);
    huge.writeUInt32LE(0xffffffff, 48);
    writeFileSync(file, huge);
    expect(await refusal(at)).toBeInstanceOf(FormatError);
  });

  it('refuses a store of another version, and one of another program', async () => {
    for (const [head, message] of [
      [{ format: 'stackwise results', version: 2, grid: SMALL_GRID }, /is of version 2, and 1 is read here$/],
      [{ format: 'something else', version: 1, grid: SMALL_GRID }, /holds no result store$/],
      [7, /holds no result store$/],
    ] as const) {
      const at = fresh();
      mkdirSync(at);
      const file = await openLmdb(path.join(at, 'results.mdb'), { readOnly: false });
      file.write((put) => put(STORE_KEY, Buffer.from(JSON.stringify(head))));
      await file.close();
      expect((await refusal(at, { grid: SMALL_GRID })).message).toMatch(message);
    }
  });

  it('writes nothing of a transaction that fails', async () => {
    const at = fresh();
    const store = await openResults(at, { grid: SMALL_GRID });
    const before = someChip(0, 0, { seed: 1 });
    await store.write(before);
    const bad = someChip(0, 0, { seed: 2 });
    // The last pixel's row cannot be made.
    const failures = new Map<number, string>();
    failures.get = (px) => {
      if (px === 15) throw new Error('no row');
      return undefined;
    };
    const unreadable = { ...bad, changes: { ...bad.changes, failures } };
    await expect(store.write(unreadable)).rejects.toThrow('no row');
    expect(await store.chip(NAMED, { h: 0, v: 0 })).toEqual(before);
    await store.close();
  });
});

describe('results as JSON', () => {
  it('are the rows of a chip, in pieces that make one array', () => {
    const chip = someChip(1, 0, { failed: [2] });
    const pieces = [...chipJson({ grid: SMALL_GRID }, chip)];
    const rows = JSON.parse(pieces.join(''));
    expect(rows).toHaveLength(16);
    expect(rows[6]).toEqual({
      chip_x: -960,
      chip_y: 5000,
      x: -940,
      y: 4990,
      algorithm: NAMED,
      result: JSON.stringify(toJSON(chip.changes, 6)),
      result_md5: md5(JSON.stringify(toJSON(chip.changes, 6))),
      result_ok: true,
      result_produced: '2023-11-14T22:13:20.001Z',
      inputs_md5: chip.inputsMd5,
    });
    const reason = chip.changes.failures.get(2)!;
    expect(rows[2]).toMatchObject({ x: -940, y: 5000, result_ok: false, result: reason, result_md5: md5(reason) });
    expect(toJSON(pixelOf(chip.changes, 6))).toEqual(toJSON(chip.changes, 6));
  });
});
