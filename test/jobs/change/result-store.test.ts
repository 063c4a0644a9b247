import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Key, openLmdb } from '../../../build/jobs/change/lmdb-file.js';
import { LmdbResults } from '../../../build/jobs/change/lmdb-results.js';
import { prefixKey, rowKey, STORE_KEY, summaryKey } from '../../../build/jobs/change/result-keys.js';
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
} from '../../../build/node.js';
import { pixelOf } from '../../../build/stats/change.js';
import { md5, NAMED, SMALL_GRID, someChip } from '../../fixture/results.js';
import { seeded } from '../../random.js';
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
    const empty = fresh();
    mkdirSync(empty);
    expect((await refusal(empty, { readOnly: true })).message).toBe(`${empty} holds no results`);
    expect(readdirSync(empty)).toEqual([]);
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
    for (const pageBytes of [0xffffffff, 0, 1, 100, 2 ** 17]) {
      const pages = Buffer.from(whole);
      pages.writeUInt32LE(pageBytes, 48);
      writeFileSync(file, pages);
      expect((await refusal(at)).message).toBe(`${file} is damaged: pages of ${pageBytes} bytes`);
    }
  });

  it('is whole although pages at its end were never written', async () => {
    const at = fresh();
    const store = await openResults(at, { grid: SMALL_GRID });
    for (let h = 0; h < 20; h++) await store.write(someChip(h, 0));
    await store.close();
    const file = path.join(at, 'results.mdb');
    const whole = readFileSync(file);
    // What LMDB leaves when a transaction gives back the pages that it took at the end of the file.
    const counted = Buffer.from(whole);
    const pageBytes = whole.readUInt32LE(48);
    for (const at of [144, pageBytes + 144]) counted.writeBigUInt64LE(counted.readBigUInt64LE(at) + 3n, at);
    writeFileSync(file, counted);
    const reader = await openResults(at, { readOnly: true });
    expect(await reader.chip(NAMED, { h: 19, v: 0 })).toEqual(someChip(19, 0));
    await reader.close();
    const writer = await openResults(at);
    for (let h = 0; h < 30; h++) await writer.write(someChip(h, 1));
    expect(await writer.chip(NAMED, { h: 19, v: 0 })).toEqual(someChip(19, 0));
    expect(await writer.chip(NAMED, { h: 29, v: 1 })).toEqual(someChip(29, 1));
    await writer.close();
  });

  it('can be opened whatever was written and removed in it', async () => {
    const at = fresh();
    const random = seeded(8);
    const there = new Map<number, number>();
    for (let round = 0; round < 25; round++) {
      const store = await openResults(at, { grid: SMALL_GRID });
      for (const [h, seed] of there) expect(await store.chip(NAMED, { h, v: 0 })).toEqual(someChip(h, 0, { seed }));
      for (let i = 0; i < 3; i++) {
        const h = Math.floor(random() * 12);
        if (random() < 0.5) expect(await store.remove(NAMED, { h, v: 0 })).toBe(there.delete(h));
        else {
          await store.write(someChip(h, 0, { seed: round + i }));
          there.set(h, round + i);
        }
      }
      await store.close();
    }
  });

  it('says which record is damaged, and takes none for a chip', async () => {
    const at = fresh();
    const store = await openResults(at, { grid: SMALL_GRID });
    await store.write(someChip(0, 0));
    await store.close();
    const where = { h: 0, v: 0 };
    const rowBytes = async (edit: (numbers: Float64Array) => void) => {
      const file = await openLmdb(path.join(at, 'results.mdb'), { readOnly: false });
      const row = new Uint8Array(file.get(rowKey(NAMED, where, 3))!);
      const numbers = new Float64Array(row.buffer, 0, 4);
      edit(numbers);
      await file.close();
      return row;
    };
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const head = { bandNames: ['a', 'b', 'c'], avgDaysYr: 365, dates: [1, 2] };
    const summary = { h: 0, v: 0, inputsMd5: '', producedMs: 1, withSegments: 1, empty: 0, failed: 0 };
    const cases: [Key, Uint8Array | null, RegExp][] = [
      [rowKey(NAMED, where, 3), null, /^the store is damaged: 15 of a chip's 16 pixels are there$/],
      [rowKey(NAMED, where, 3), new Uint8Array(3), /row of pixel 3 is damaged: it has no head$/],
      [
        rowKey(NAMED, where, 3),
        await rowBytes((n) => n.fill(1e300, 0, 1)),
        /row of pixel 3 is damaged: .* 1e\+300 seg/,
      ],
      [rowKey(NAMED, where, 3), await rowBytes((n) => n.fill(0.5, 0, 1)), /row of pixel 3 is damaged: .* 0.5 segments/],
      [rowKey(NAMED, where, 3), await rowBytes((n) => n.fill(-2, 0, 1)), /row of pixel 3 is damaged: .* -2 segments/],
      [prefixKey('head', NAMED, where), text({ ...head, summary: 1 }), /does not say what there is of it$/],
      [prefixKey('head', NAMED, where), text({ ...head, summary, bandNames: 'abc' }), /what its pixels share$/],
      [prefixKey('head', NAMED, where), text({ ...head, summary, dates: [1.5] }), /what its pixels share$/],
      [prefixKey('head', NAMED, where), text({ ...head, summary, avgDaysYr: null }), /what its pixels share$/],
      [prefixKey('head', NAMED, where), new Uint8Array([123, 200, 1]), /the store is damaged/],
      [prefixKey('head', NAMED, where), text(null), /the store is damaged/],
    ];
    for (const [key, value, message] of cases) {
      await rm(at, { recursive: true });
      const whole = await openResults(at, { grid: SMALL_GRID });
      await whole.write(someChip(0, 0));
      await whole.close();
      const file = await openLmdb(path.join(at, 'results.mdb'), { readOnly: false });
      file.write((put, remove) => (value ? put(key, value) : remove(key)));
      await file.close();
      const damaged = await openResults(at);
      const error = await damaged.chip(NAMED, where).catch((e: unknown) => e);
      expect(error, String(message)).toBeInstanceOf(FormatError);
      expect((error as Error).message).toMatch(message);
      await damaged.close();
    }
    const file = await openLmdb(path.join(at, 'results.mdb'), { readOnly: false });
    file.write((put) => put(prefixKey('summary', NAMED, where), text({ ...summary, failed: -1 })));
    await file.close();
    const damaged = await openResults(at);
    const listing = damaged.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 1, vMax: 1 });
    await expect(listing).rejects.toThrow(FormatError);
    await damaged.close();
  });

  it('gives one line or numbers for records full of noise', async () => {
    const at = fresh();
    const store = await openResults(at, { grid: SMALL_GRID });
    await store.write(someChip(0, 0, { failed: [3] }));
    await store.close();
    const random = seeded(3);
    const where = { h: 0, v: 0 };
    const keys = [
      prefixKey('head', NAMED, where),
      summaryKey(NAMED, where),
      rowKey(NAMED, where, 0),
      rowKey(NAMED, where, 3),
    ];
    let refused = 0;
    for (let round = 0; round < 100; round++) {
      const file = await openLmdb(path.join(at, 'results.mdb'), { readOnly: false });
      const key = keys[round % keys.length]!;
      const before = new Uint8Array(file.get(key)!);
      const noisy = before.slice(0, random() < 0.3 ? Math.floor(random() * before.length) : before.length);
      for (let i = 0; i < 3; i++) noisy[Math.floor(random() * noisy.length)] = Math.floor(random() * 256);
      file.write((put) => put(key, noisy));
      const read = new LmdbResults(file, SMALL_GRID);
      const all = [
        read.chip(NAMED, where).then((chip) => expect(chip!.changes.nPx).toBe(16)),
        read.pixel(NAMED, { x: -999, y: 4999 }).then((pixel) => expect(pixel!.x).toBe(-1000)),
        read.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 9, vMax: 9 }).then((found) => expect(found).toHaveLength(1)),
      ];
      for (const result of await Promise.allSettled(all)) {
        if (result.status === 'fulfilled') continue;
        refused++;
        expect(result.reason).toBeInstanceOf(FormatError);
        expect(result.reason.message).not.toContain('\n');
      }
      file.write((put) => put(key, before));
      await read.close();
    }
    expect(refused).toBeGreaterThan(20);
  });

  it('refuses a store of another version, and one of another program', async () => {
    for (const [head, message] of [
      [{ format: 'stackwise results', version: 2, grid: SMALL_GRID }, /is of version 2, and 1 is read here$/],
      [{ format: 'something else', version: 1, grid: SMALL_GRID }, /holds no result store$/],
      [7, /holds no result store$/],
      [
        { format: 'stackwise results', version: 1, grid: { ...SMALL_GRID, chipPx: 1e9 } },
        /is damaged: a grid of chips/,
      ],
      [{ format: 'stackwise results', version: 1, grid: { ...SMALL_GRID, crs: '?' } }, /is damaged: /],
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
