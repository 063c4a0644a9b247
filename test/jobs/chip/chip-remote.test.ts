import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { extractChips, StoreError } from '../../../build/index.js';
import { openCog } from '../../../build/io/cog.js';
import { memoryStore } from '../../../build/io/memory.js';
import type { ByteRange, Store } from '../../../build/io/store.js';
import { type FaultServer, startFaultServer } from '../../fixture/fault-server.js';
import { type Place, stripedPlace, tiledPlace } from '../../fixture/places.js';
import { seeded } from '../../random.js';

let folder = '';
let server: FaultServer;
let place: Place;
let striped: Place;
/** The store of a thread remembers what it read: each test has files of its own names. */
let serial = 0;
let url = '';
let stripedUrl = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-chip-remote-'));
  const random = seeded(2);
  const value = () => Math.floor(random() * 2 ** 31);
  place = await tiledPlace(path.join(folder, 'p.tif'), { width: 200, height: 180, nBand: 3, value });
  striped = await stripedPlace(path.join(folder, 's.tif'), place, { rows: 2, planar: true });
  server = await startFaultServer();
});
afterAll(async () => {
  server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  serial++;
  for (const [name, { path: file }] of [
    [`p${serial}.tif`, place],
    [`s${serial}.tif`, striped],
  ] as const)
    server.files.set(name, new Uint8Array(await readFile(file)));
  url = `${server.root}/p${serial}.tif`;
  stripedUrl = `${server.root}/s${serial}.tif`;
  server.requests.length = 0;
});

/** A thread opens a file with one read, whose answer tells the size as well, and reads its lists of blocks with another. */
const HEADER = 2;

/** What the report counts: the requests, and looks at sizes, which need none here (two: the plan's and the thread's). */
const isCounted = (requests: number) => requests >= server.requests.length && requests <= server.requests.length + 2;

/** The ranges that blocks of a file take, asked for one by one. */
async function rangesOf(
  file: string,
  tiles: readonly { col: number; row: number }[],
  bands: readonly number[][],
): Promise<ByteRange[]> {
  const inner = memoryStore(new Map([['f', new Uint8Array(await readFile(file))]]));
  const ranges: ByteRange[] = [];
  const store: Store = {
    ...inner,
    read: (name, range, options) => {
      if (range) ranges.push(range);
      return inner.read(name, range, options);
    },
  };
  const raster = await openCog('f', { store });
  await raster.readTile({ level: 0, col: 0, row: 0 }, [0], () => {});
  ranges.length = 0;
  for (const tile of tiles) for (const band of bands) await raster.readTile({ level: 0, ...tile }, band, () => {});
  return ranges;
}

/** How many requests these ranges are when those nearer than 32 KiB are one. */
function runs(ranges: readonly ByteRange[]): number {
  const sorted = [...ranges].sort((p, q) => p.offset - q.offset);
  return sorted.filter((r, i) => i === 0 || r.offset - (sorted[i - 1]!.offset + sorted[i - 1]!.length) > 32768).length;
}

const everywhere = () => {
  const random = seeded(9);
  return Array.from({ length: 400 }, () => [10 + random() * 0.2, 50 - random() * 0.18]);
};

describe('chips over HTTP', () => {
  it('ask for neighbouring blocks together', async () => {
    const points = everywhere();
    const { report, data } = await extractChips(url, points, { size: 4, threads: 0 });
    expect(data).toEqual((await extractChips(place.path, points, { size: 4, threads: 0 })).data);
    const touched = (row: number, col: number) =>
      points.some(([x, y]) => {
        const [c, r] = [Math.floor((x! - 10) / 0.001), Math.floor((50 - y!) / 0.001)];
        return c + 4 >= col * 16 && c - 4 < col * 16 + 16 && r + 4 >= row * 16 && r - 4 < row * 16 + 16;
      });
    const tiles = Array.from({ length: 13 * 12 }, (_, i) => ({ col: i % 13, row: Math.floor(i / 13) })).filter(
      ({ col, row }) => touched(row, col),
    );
    expect(tiles.length).toBeGreaterThan(128);
    expect(report.blocksTouched).toBe(tiles.length);
    // Jobs of 64 blocks, each of them one run.
    let expected = HEADER;
    for (let i = 0; i < tiles.length; i += 64)
      expected += runs(await rangesOf(place.path, tiles.slice(i, i + 64), [[0, 1, 2]]));
    expect(server.requests.length).toBe(expected);
    expect(expected).toBe(HEADER + 3);
    expect(isCounted(report.requests)).toBe(true);
    expect(report.bytes).toBeGreaterThan(200 * 180 * 3 * 3);
  });

  it('ask for blocks far apart one by one, and not for those between', async () => {
    const points = [
      [10.0085, 49.9915],
      [10.1845, 49.8315],
    ];
    const { report } = await extractChips(url, points, { size: 1, threads: 0 });
    expect(report.blocksTouched).toBe(2);
    expect(server.requests.length).toBe(HEADER + 2);
    expect(report.bytes).toBeLessThan(32768 + 8192 + 2 * (16 * 16 * 3 * 4 + 100));
  });

  it('ask for strips of single bands together', async () => {
    const points = [[10.1, 49.9]];
    const { report, data } = await extractChips(stripedUrl, points, { size: 4, threads: 0 });
    expect(data).toEqual((await extractChips(place.path, points, { size: 4, threads: 0 })).data);
    expect(report).toMatchObject({ blocksTouched: 15, blocksDecoded: 15 });
    const rows = [48, 49, 50, 51, 52].map((row) => ({ col: 0, row }));
    const expected = HEADER + runs(await rangesOf(striped.path, rows, [[0], [1], [2]]));
    // The directory lies behind the head of the file.
    expect(server.requests.length).toBe(expected + 1);
    expect(isCounted(report.requests)).toBe(true);
  });

  it('open a file once a thread', async () => {
    const points = everywhere();
    const { report } = await extractChips(url, points, { size: 4, threads: 2 });
    const heads = server.requests.filter((request) => request.includes('bytes=0-'));
    expect(heads.length).toBe(3);
    // Sixteen jobs at most, each of which is one run.
    expect(server.requests.length).toBeLessThanOrEqual(3 * HEADER - 1 + 16);
    expect(report.requests).toBe(server.requests.length);
  });

  it('survive a server that fails now and then', async () => {
    const points = everywhere();
    const expected = await extractChips(place.path, points, { size: 2, threads: 0 });
    server.faults.push(
      { kind: 'none' },
      { kind: 'none' },
      { kind: 'drop', part: 0.6 },
      { kind: 'status', status: 503 },
      { kind: 'short' },
    );
    const { data, report } = await extractChips(url, points, { size: 2, threads: 0 });
    expect(data).toEqual(expected.data);
    expect(report.retries).toBe(3);
  });

  it('say which file is missing', async () => {
    const attempt = extractChips(`${server.root}/none.tif`, [[10, 50]], { size: 2, threads: 0 });
    await expect(attempt).rejects.toThrow(StoreError);
    await expect(attempt).rejects.toThrow(/none\.tif/);
  });
});
