import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError, InputError } from '../../build/errors.js';
import { type DatasetCache, openDatasetCache } from '../../build/io/dataset-cache.js';
import { fileStore } from '../../build/io/file.js';
import type { Store } from '../../build/io/store.js';
import { zstdEncode } from '../../build/io/zstd-encoder.js';
import { type LmdbPages, lmdbFile } from '../fixture/lmdb-file.js';
import { seeded } from '../random.js';

const folder = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-dscache-db');
const real = describe.skipIf(!existsSync(folder));

async function collected<T>(values: AsyncGenerator<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** A file in memory. */
const memory = (bytes: Uint8Array): Store => ({
  ...fileStore(),
  stat: async () => ({ bytes: bytes.length, tag: null }),
  read: async (_, range) => bytes.subarray(range?.offset ?? 0, (range?.offset ?? 0) + (range?.length ?? bytes.length)),
});

async function readAll(cache: DatasetCache): Promise<number> {
  const groups = await collected(cache.groups());
  const datasets = await collected(cache.datasets());
  for (const { uuids } of groups) if (uuids[0]) await cache.dataset(uuids[0]);
  return datasets.length;
}

real('a cache of odc-stats (real files)', () => {
  it.each(['test_tiles.db', 'ga_ls8c_ard_3_2015-01--P3M.db'])(
    '%s equals what py-lmdb and zstandard read',
    async (name) => {
      const cache = await openDatasetCache(join(folder, name), { store: fileStore() });
      const truth = JSON.parse(readFileSync(join(folder, `${name}.index.json`), 'utf8'));
      expect(cache.config).toEqual(truth.info['stats/config']);
      const groups = await collected(cache.groups());
      expect(Object.fromEntries(groups.map(({ key, uuids }) => [key, uuids]))).toEqual(truth.groups);
      for (const [grid, spec] of cache.grids) {
        const stored = truth.info[`grid/${grid}`];
        expect([spec.originY, spec.originX]).toEqual(stored.origin);
        expect([spec.height * spec.resolutionY, spec.width * spec.resolutionX]).toEqual(stored.tile_size);
      }
      const lines = gunzipSync(readFileSync(join(folder, `${name}.datasets.jsonl.gz`))).toString();
      const wanted = new Map(
        lines
          .trim()
          .split('\n')
          .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
      );
      const datasets = await collected(cache.datasets());
      expect(datasets.length).toBe(wanted.size);
      for (const dataset of datasets) expect(dataset).toEqual(wanted.get(dataset.id));
      expect(await cache.dataset(datasets[7]!.id)).toEqual(datasets[7]);
      expect(await cache.group(groups[0]!.key)).toEqual(groups[0]);
      await expect(cache.group('au-30/2015--P1Y/+0000/+0000')).rejects.toThrow(/has no task/);
      await expect(cache.dataset('00000000-0000-0000-0000-000000000000')).rejects.toThrow(/has no dataset/);
    },
  );

  it('never loops, crashes or takes memory for files with changed bytes', async () => {
    const whole = new Uint8Array(readFileSync(join(folder, 'test_tiles.db')));
    const random = seeded(11);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const bytes = whole.slice(0, round % 5 === 0 ? Math.floor(random() * whole.length) : whole.length);
      for (let flips = 1 + Math.floor(random() * 40); flips > 0 && bytes.length > 0; flips--) {
        // Half of them where pages and entries begin: elsewhere only values change.
        const page = Math.floor((random() * bytes.length) / 4096) * 4096;
        const at = random() < 0.5 ? page + Math.floor(random() * 64) : Math.floor(random() * bytes.length);
        bytes[Math.min(at, bytes.length - 1)] = Math.floor(random() * 256);
      }
      const outcome = await openDatasetCache('flipped.db', { store: memory(bytes) })
        .then(readAll)
        .then(
          () => 'read',
          (error: Error) => {
            const good = error instanceof FormatError || error instanceof InputError;
            return good && !error.message.includes('\n') ? error.name : `${error.stack}`;
          },
        );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].filter((name) => !['read', 'FormatError', 'InputError'].includes(name))).toEqual([]);
    expect(outcomes.get('FormatError')).toBeGreaterThan(50);
  }, 60_000);
});

const encode = (text: string) => new TextEncoder().encode(text);
const packed = (value: unknown) => zstdEncode(encode(JSON.stringify(value)), 3);
const uuid = (i: number) => `${String(i).padStart(8, '0')}-0000-0000-0000-000000000000`;
const rawKey = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1');

/** A cache of some datasets, one of them long, and two tasks. */
async function made(): Promise<LmdbPages> {
  const datasets = Array.from({ length: 11 }, (_, i) => ({
    product: 'p_1',
    uris: [`s3://b/${i}.json`],
    metadata: { label: `d${i}`, noise: i === 7 ? Array.from({ length: 6000 }, (_, k) => (k * 7919) % 10_007) : [] },
  }));
  const grid = {
    crs: 'epsg:3577',
    tile_size: [96_000, 96_000],
    resolution: [-30, 30],
    origin: [-5_472_000, -2_688_000],
  };
  const ds = new Map<string, Uint8Array>();
  for (const [i, dataset] of datasets.entries()) ds.set(rawKey(uuid(i)), await packed(dataset));
  const ids = (...list: number[]) => Buffer.concat(list.map((i) => Buffer.from(rawKey(uuid(i)), 'latin1')));
  const info = new Map([
    ['version', encode('0001')],
    ['grid/au-30', await packed(grid)],
    ['product/p_1', await packed({ name: 'p_1', measurements: [{ name: 'red', dtype: 'int16', nodata: -999 }] })],
    ['stats/config', await packed({ grid: 'au-30', freq: 'annual' })],
  ]);
  const groups = new Map([
    ['au-30/2015--P1Y/+0006/-0025', ids(1, 2)],
    ['au-30/2016--P1Y/+0006/-0025', ids(7)],
  ]);
  return lmdbFile({ info, ds, groups, udata: new Map() });
}

describe('a cache', () => {
  it('is read by its pages: several leaves, long values, the newer of two heads', async () => {
    const cache = await openDatasetCache('made.db', { store: memory((await made()).bytes) });
    expect(cache.config).toEqual({ grid: 'au-30', freq: 'annual' });
    expect(cache.grids.get('au-30')).toMatchObject({
      originX: -2_688_000,
      originY: -5_472_000,
      resolutionX: 30,
      width: 3200,
    });
    expect(cache.bands.get('p_1')!.get('red')).toMatchObject({ dtype: 'int16', nodata: -999 });
    const datasets = await collected(cache.datasets());
    expect(datasets.map(({ metadata }) => metadata.label)).toEqual(Array.from({ length: 11 }, (_, i) => `d${i}`));
    expect((datasets[7]!.metadata.noise as number[]).length).toBe(6000);
    for (const i of [0, 5, 7, 10]) expect(await cache.dataset(uuid(i))).toEqual(datasets[i]);
    expect((await collected(cache.groups())).map(({ x, y, period, uuids }) => [period, x, y, uuids])).toEqual([
      ['2015--P1Y', 6, -25, [uuid(1), uuid(2)]],
      ['2016--P1Y', 6, -25, [uuid(7)]],
    ]);
    await expect(cache.dataset(uuid(11))).rejects.toThrow(/has no dataset/);
  });

  it('ends where its tree leads in a circle', async () => {
    const { bytes, roots } = await made();
    const root = roots.ds! * 4096;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    // The last entry of the branch leads back to the branch.
    const entry = root + view.getUint16(root + 16 + 2 * 3, true);
    view.setUint16(entry, roots.ds!, true);
    const cache = await openDatasetCache('circle.db', { store: memory(bytes) });
    await expect(collected(cache.datasets())).rejects.toThrow(/its tree leads back to page/);
    await expect(cache.dataset(uuid(10))).rejects.toThrow(/its tree leads back to page/);
  });

  it('takes no memory for what a frame only promises', async () => {
    const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
    const file = lmdbFile({
      info: new Map([
        ['version', encode('0001')],
        ['grid/x', frame],
      ]),
    });
    await expect(openDatasetCache('bomb.db', { store: memory(file.bytes) })).rejects.toThrow(
      /grid x cannot be read: a zstd frame of \d+ bytes is over the limit/,
    );
  });

  it.each([
    [{ info: new Map() }, /holds no version/],
    [{ info: new Map([['version', encode('0002')]]) }, /has version 0002, and 0001 is read/],
    [
      {
        info: new Map([
          ['version', encode('0001')],
          ['stats/config', encode('{}')],
        ]),
      },
      /the configuration of its tasks cannot be read: data is no zstd frame/,
    ],
  ])('is refused where it is another (%#)', async (databases, message) => {
    await expect(openDatasetCache('other.db', { store: memory(lmdbFile(databases).bytes) })).rejects.toThrow(message);
  });
});

describe('a file that is no cache', () => {
  it.each([
    ['empty', new Uint8Array(0), /beyond its 0/],
    ['text', new TextEncoder().encode('x'.repeat(9000)), /does not begin with a meta page/],
    ['zeros', new Uint8Array(16_384), /does not begin with a meta page/],
  ])('%s: one line says so', async (_, bytes, message) => {
    await expect(openDatasetCache('none.db', { store: memory(bytes) })).rejects.toThrow(message);
  });
});
